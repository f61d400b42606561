"""What a gate needs of a set, labels that answers speak against, and inputs that mean the same."""

import json

import numpy as np
import pytest

from evalwright.core.errors import UsageError
from evalwright.core.gate import Rule
from evalwright.datasets.meaning import similar_pairs
from evalwright.services.set_needs import least_cases
from tests.e2e.conftest import folder  # noqa: F401 - the fixture


@pytest.mark.parametrize(
    ("rule", "cases"),
    [
        (Rule(metric="m", at_least=0.9), 29),
        (Rule(metric="m", at_least=0.9, confidence=0.99), 44),
        (Rule(metric="m", at_most=0.01), 299),
        (Rule(metric="m", at_least=0.5, min_n=100), 100),
        (Rule(metric="latency", at_most=2.0), 0),
        (Rule(metric="m", versus="baseline", max_drop=0.1), 0),
    ],
)
def test_the_least_a_rule_can_pass_with(rule, cases):
    assert least_cases(rule) == cases


def test_health_names_rules_a_slice_is_too_small_for(folder):  # noqa: F811
    gate = "gate:\n  - { metric: exact, at_least: 0.9 }\n"
    gate += "  - { metric: exact, slice: { locale: en }, at_least: 0.85 }\n"
    folder.suite(extra=gate)
    found = folder.run("dataset", "health", "cases.jsonl", "--suite", "suite.yaml", "--json").json["findings"]
    needs = next(finding for finding in found if finding["kind"] == "gate_needs")
    assert needs["count"] == 1
    assert "(10 of 19)" in needs["cases"][0]


def test_a_label_is_doubted_when_three_systems_agree_on_another_answer(folder):  # noqa: F811
    rows = [{"id": f"c{n}", "input": f"question {n}", "expected": f"answer {n}"} for n in range(8)]
    rows[2]["expected"] = "a wrong label"
    folder.write("labelled.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    folder.write(
        "product.py",
        "def a(q):\n    return 'answer ' + q.split()[1]\n\n\ndef b(q):\n    return 'answer ' + q.split()[1] "
        "if q != 'question 5' else 'no'\n\n\ndef c(q):\n    return a(q) if q != 'question 5' else 'hm'\n",
    )
    folder.run("dataset", "create", "q", "--from", "labelled.jsonl")
    for name in "abc":
        target = f'{{ type: python, callable: "product:{name}" }}'
        folder.suite(f"{name}.yaml", dataset="{ golden: q, version: v1 }", target=target)
        folder.run("run", f"{name}.yaml", "--report", "none")
        found = folder.run("dataset", "health", "q", "--json").json["findings"]
    doubted = next(finding for finding in found if finding["kind"] == "label_doubted")
    assert doubted["cases"] == ["c2 (3 of 3 systems: answer 2)"]


def test_pairs_of_like_vectors():
    vectors = np.eye(4, dtype=np.float32)
    vectors[3] = vectors[0]
    assert list(similar_pairs(vectors, at_least=0.9)) == [(0, 3, 1.0)]
    assert list(similar_pairs(vectors[:1], vectors, at_least=0.9)) == [(0, 0, 1.0), (0, 3, 1.0)]


def small_model(path):
    model2vec = pytest.importorskip("model2vec")
    tokenizers = pytest.importorskip("tokenizers")
    words = ["[UNK]", "car", "automobile", "red", "is", "the", "where", "banana"]
    tokenizer = tokenizers.Tokenizer(
        tokenizers.models.WordLevel({w: n for n, w in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    vectors = np.eye(len(words), dtype=np.float32)
    vectors[2] = vectors[1]
    model2vec.StaticModel(vectors=vectors, tokenizer=tokenizer).save_pretrained(str(path))


def test_other_words_for_the_same_are_found_with_a_model(folder):  # noqa: F811
    small_model(folder.path / "model")
    texts = {"a": "where is the red car", "b": "where is the red automobile", "c": "banana"}
    rows = [{"id": name, "input": text} for name, text in texts.items()]
    folder.write("texts.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    found = folder.run("dataset", "health", "texts.jsonl", "--model", "model", "--json").json["findings"]
    meaning = next(finding for finding in found if finding["kind"] == "same_meaning")
    assert meaning["cases"] == ["a ~ b (1.00)"]
    words = [
        "dataset",
        "sample",
        "texts.jsonl",
        "--size",
        "2",
        "--method",
        "diverse",
        "--model",
        "model",
        "-o",
        "o.jsonl",
    ]
    assert "c" in folder.run(*words, "--model", "model", "--json").json["ids"]


def test_a_folder_without_a_model_is_refused(folder):  # noqa: F811
    pytest.importorskip("model2vec")
    from evalwright.datasets.embedding import embed

    with pytest.raises(UsageError, match="no folder"):
        embed(["x"], folder.path / "gone")
