"""BLEU, chrF, ROUGE, token F1 and edit similarity against published values and the reference packages."""

from __future__ import annotations

import random
from typing import Any

import numpy as np
import pytest
import sacrebleu
from rouge_score import rouge_scorer

from evalwright.scorers import Bleu, Chrf, EditSimilarity, ExactMatch, Rouge, Ter, TokenF1
from evalwright.scorers.text.porter import porter_stem
from tests.unit.scorers.support import judged, metric_cases

VOCABULARY = [
    "the",
    "a",
    "cat",
    "dog's",
    "sat,",
    "on",
    "mat.",
    "3.50",
    "1,000",
    "über-groß",
    "“quoted”",
    "(hello)",
    "re-run",
    "x-1",
    "¿qué?",
    "日本",
    "cafés",
    "runs",
    "running",
    "&amp;",
    "$5",
    "…",
    "—",
    "don't",
    "A.B.",
    "C++",
    "e.g.",
]


def sentence(rng: random.Random, low: int, high: int) -> str:
    return " ".join(rng.choice(VOCABULARY) for _ in range(rng.randint(low, high)))


def batch(seed: int) -> tuple[list[str], list[list[str]]]:
    rng = random.Random(seed)
    answers = [sentence(rng, 0, 12) for _ in range(5)]
    return answers, [[sentence(rng, 1, 12), sentence(rng, 1, 12)] for _ in answers[1:]] + [[answers[0], "x"]]


@pytest.mark.parametrize("tokenize", ["13a", "intl", "char", "none"])
@pytest.mark.parametrize("smooth", ["exp", "floor", "add_k", "none"])
def test_bleu_equals_sacrebleu(tokenize: Any, smooth: Any) -> None:
    ours = Bleu(tokenize=tokenize, smooth=smooth)
    options = {"tokenize": tokenize, "smooth_method": smooth.replace("_", "-")}
    sentence_bleu, corpus_bleu = sacrebleu.BLEU(effective_order=True, **options), sacrebleu.BLEU(**options)
    for seed in range(10):
        answers, accepted = batch(seed)
        scores = [judged(ours, text, refs) for text, refs in zip(answers, accepted, strict=True)]
        for score, text, refs in zip(scores, answers, accepted, strict=True):
            assert score.value == pytest.approx(sentence_bleu.sentence_score(text, refs).score, abs=1e-9)
        total = ours.aggregate(np.sum([score.stats for score in scores], axis=0))
        theirs = corpus_bleu.corpus_score(answers, [list(refs) for refs in zip(*accepted, strict=True)])
        assert float(total) == pytest.approx(theirs.score, abs=1e-9)


@pytest.mark.parametrize("word_order", [0, 2])
def test_chrf_equals_sacrebleu(word_order: Any) -> None:
    ours, theirs = Chrf(word_order=word_order), sacrebleu.CHRF(word_order=word_order)
    for seed in range(20):
        answers, accepted = batch(seed)
        scores = [judged(ours, text, refs) for text, refs in zip(answers, accepted, strict=True)]
        for score, text, refs in zip(scores, answers, accepted, strict=True):
            assert score.value == pytest.approx(theirs.sentence_score(text, refs).score, abs=1e-9)
        total = ours.aggregate(np.sum([score.stats for score in scores], axis=0))
        expected = theirs.corpus_score(answers, [list(refs) for refs in zip(*accepted, strict=True)]).score
        assert float(total) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("stem", [False, True])
def test_rouge_equals_rouge_score(stem: bool) -> None:
    variants = ["rouge1", "rouge2", "rouge3", "rougeL", "rougeLsum"]
    theirs = rouge_scorer.RougeScorer(variants, use_stemmer=stem)
    rng = random.Random(3)
    for _ in range(40):
        answer = "\n".join(sentence(rng, 0, 9) for _ in range(rng.randint(1, 3)))
        reference = "\n".join(sentence(rng, 1, 9) for _ in range(rng.randint(1, 3)))
        figures = theirs.score(reference, answer)
        for variant in variants:
            for measure in ("f1", "precision", "recall"):
                ours: Any = Rouge(variant, measure=measure, stem=stem, tokens="ascii")  # type: ignore[arg-type]
                expected = getattr(figures[variant], measure.replace("f1", "fmeasure"))
                assert judged(ours, answer, reference).value == pytest.approx(expected, abs=1e-12)


def test_ter_equals_sacrebleu() -> None:
    theirs, rng = sacrebleu.TER(), random.Random(5)
    answers, accepted, scores = [], [], []
    for turn in range(120):
        references = [" ".join(rng.choices(VOCABULARY[:8], k=rng.randint(1, 18))) for _ in range(2)]
        words = references[0].split()
        cut = rng.randrange(len(words))
        rotated = " ".join(words[cut:] + words[:cut])
        answers.append(rotated if turn % 3 else " ".join(rng.choices(words, k=rng.randint(0, 18))))
        accepted.append(references)
        scores.append(judged(Ter(), answers[-1], references))
        assert scores[-1].value == pytest.approx(theirs.sentence_score(answers[-1], references).score, abs=1e-9)
    total = Ter().aggregate(np.sum([score.stats for score in scores], axis=0))
    expected = theirs.corpus_score(answers, [list(refs) for refs in zip(*accepted, strict=True)]).score
    assert float(total) == pytest.approx(expected, abs=1e-9)


def test_ter_counts_a_moved_phrase_once() -> None:
    assert judged(Ter(), "on the mat the cat sat", "the cat sat on the mat").value == pytest.approx(100 / 6)
    assert judged(Ter(), "", "one two").value == 100.0
    assert judged(Ter(ignore_case=False), "One", "one").value == 100.0
    assert judged(Ter(), "w " * 600, "x " * 600).status == "error"
    assert float(Ter().aggregate(np.array([0.0, 0.0]))) == 0.0


def test_rouge_counts_words_of_every_script() -> None:
    assert judged(Rouge("rouge1"), "Übergröße", "übergröße").value == 1.0
    assert judged(Rouge("rouge1"), "今天天气好", "今天天气很好").value == pytest.approx(10 / 11)
    assert judged(Rouge("rouge1", tokens="ascii"), "今天天气好", "今天天气很好").value == 0.0


def test_rouge_lsum_can_split_prose() -> None:
    answer, reference = "The cat left. A dog sat down.", "A dog sat down. The cat left."
    assert judged(Rouge("rougeLsum"), answer, reference).value < 1.0
    assert judged(Rouge("rougeLsum", split="sentences"), answer, reference).value == 1.0


def test_rouge_lsum_skips_what_its_table_can_not_hold() -> None:
    words = " ".join(f"w{index}" for index in range(5_000))
    score = judged(Rouge("rougeLsum"), words, words)
    assert score.status == "skipped"
    assert "too long" in score.reason


def test_porter_stems_of_the_published_vocabulary() -> None:
    pairs = {
        "caresses": "caress", "ponies": "poni", "ties": "tie", "cats": "cat", "feed": "feed", "agreed": "agre",
        "plastered": "plaster", "motoring": "motor", "sing": "sing", "conflated": "conflat", "hopping": "hop",
        "filing": "file", "happy": "happi", "sky": "sky", "relational": "relat", "conditional": "condit",
        "vietnamization": "vietnam", "hopefulness": "hope", "formality": "formal", "triplicate": "triplic",
        "revival": "reviv", "adjustable": "adjust", "adoption": "adopt", "controll": "control", "rate": "rate",
    }  # fmt: skip
    assert {word: porter_stem(word) for word in pairs} == pairs


def gold(doc: dict[str, Any]) -> list[str]:
    index = doc["gold_index"]
    return [doc["choices"][place] for place in (index if isinstance(index, list) else [index])]


@pytest.mark.shared
def test_corpus_bleu_of_the_reference_cases() -> None:
    for case in metric_cases("bleu"):
        pairs = zip(case["docs"], case["model_responses"], strict=True)
        sums = np.sum([judged(Bleu(), answer["text"][0], doc["choices"]).stats for doc, answer in pairs], axis=0)
        assert float(Bleu().aggregate(sums)) == pytest.approx(case["expected_output"], abs=case["tolerance"])


@pytest.mark.shared
@pytest.mark.parametrize(("name", "scorer"), [("chrf", Chrf()), ("chrf_plus", Chrf(word_order=2)), ("ter", Ter())])
def test_corpus_metrics_of_the_reference_cases_as_their_tool_calls_them(name: str, scorer: Any) -> None:
    """The first case against the references of all: docs/scorers-differences.md."""
    for case in metric_cases(name):
        accepted = [reference for doc in case["docs"] for reference in doc["choices"]]
        value = judged(scorer, case["model_responses"][0]["text"][0], accepted).value
        assert value == pytest.approx(case["expected_output"], abs=case["tolerance"]), case["name"]


SENTENCE = [
    ("bleu_1", "bleu_1", Bleu(max_order=1, smooth="none"), 0.01),
    ("bleu_4", "bleu_4", Bleu(smooth="none", effective_order=False), 0.01),
    ("rouge1", "rouge1", Rouge("rouge1"), 1),
    ("rouge2", "rouge2", Rouge("rouge2"), 1),
    ("rougeL", "rougeL", Rouge("rougeL"), 1),
    ("rougeLsum", "rougeLsum", Rouge("rougeLsum"), 1),
    ("rouge_t5", "rouge1", Rouge("rouge1"), 100),
    ("rouge_t5", "rouge2", Rouge("rouge2"), 100),
    ("rouge_t5", "rougeL", Rouge("rougeL"), 100),
    ("rouge_t5", "rougeLsum", Rouge("rougeLsum"), 100),
    ("f1_score", "f1", TokenF1(tokens="words"), 1),
    ("exact_match", "em", ExactMatch(), 1),
    ("drop", "em", ExactMatch(), 1),
    ("drop", "f1", TokenF1(), 1),
]


@pytest.mark.shared
@pytest.mark.parametrize(("name", "key", "scorer", "scale"), SENTENCE, ids=[f"{row[0]}-{row[1]}" for row in SENTENCE])
def test_sentence_metrics_of_the_reference_cases(name: str, key: str, scorer: Any, scale: float) -> None:
    for case in metric_cases(name):
        value = judged(scorer, case["model_response"]["text"][0], gold(case["doc"])).value
        assert value is not None
        assert value * scale == pytest.approx(case["expected_output"][key], abs=case["tolerance"]), case["name"]


def test_token_f1_follows_squad() -> None:
    assert judged(TokenF1(), "the Eiffel Tower!", "eiffel tower").value == 1.0
    assert judged(TokenF1(), "Paris, France", ["Rome", "Paris"]).value == pytest.approx(2 / 3)
    assert judged(TokenF1(measure="recall"), "Paris, France", "Paris").value == 1.0
    assert judged(TokenF1(), "", "Paris").value == 0.0


def test_references_may_be_alternatives_or_parts_of_an_object() -> None:
    answer = {"short": "Paris", "long": "The city of Paris"}
    assert judged(TokenF1(expected="short"), "Paris", answer).value == 1.0
    assert judged(TokenF1(expected="metadata.gold"), "Paris", None, gold=["Rome", "Paris"]).value == 1.0
    skipped = judged(TokenF1(), "Paris", answer)
    assert skipped.status == "skipped"
    assert "`expected`" in skipped.reason
    assert judged(TokenF1(), "Paris", []).status == "skipped"


def test_edit_similarity_of_known_pairs() -> None:
    assert judged(EditSimilarity(), "kitten", "sitting").value == pytest.approx(1 - 3 / 7)
    assert judged(EditSimilarity("jaro_winkler"), "MARTHA", "MARHTA").value == pytest.approx(0.9611, abs=1e-4)
    assert judged(EditSimilarity(ignore_case=True), "ABC", ["x", "abc"]).value == 1.0
    assert judged(EditSimilarity("indel"), "ab", "ac").value == pytest.approx(0.5)


def test_answers_too_long_for_an_edit_distance_are_failures_of_the_scorer() -> None:
    score = judged(EditSimilarity(), "a" * 100_000, "b" * 100_000)
    assert score.status == "error"
