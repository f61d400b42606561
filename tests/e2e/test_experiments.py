"""Experiments from the command line: planned, run with shared answers, analysed as one."""

import json

import pytest

PRODUCT = """\
import os

calls = 0


def answer(question, style="plain", depth=1):
    global calls
    calls += 1
    number = int(question.split()[1])
    right = number % 10 < (9 if style == "careful" else 6)
    return f"answer {number}" if right else "no idea"


def careful(question):
    return answer(question, style="careful")


def careful_deep(question):
    return answer(question, style="careful", depth=2)


def plain_deep(question):
    return answer(question, depth=2)
"""
EXPERIMENT = """\
experiment: style
suite: suite.yaml
metric: exact
factors:
  style: { key: target.callable, levels: { plain: "product:answer", careful: "product:careful" } }
  tries: { key: run.retries, levels: { one: 0, two: 1 } }
"""


@pytest.fixture
def lab(folder):
    """A folder with an experiment of two factors."""
    folder.write("product.py", PRODUCT)
    rows = [{"id": f"q{i}", "input": f"question {i}", "expected": f"answer {i}"} for i in range(80)]
    folder.write("cases.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    folder.suite(scorers="[{ exact: { as: exact } }]", slices="{}")
    folder.write("experiment.yaml", EXPERIMENT)
    return folder


def test_the_factor_that_matters_is_found(lab):
    lab.write("experiment.yaml", EXPERIMENT.rpartition("  tries")[0])
    planned = lab.run("experiment", "plan", "experiment.yaml")
    assert planned.out.splitlines() == ["style=plain", "style=careful"]
    done = lab.run("experiment", "run", "experiment.yaml", "--json")
    assert done.code == 0, done.err
    found = done.json
    assert found["configurations"][0]["setting"] == {"style": "careful"}
    assert [one.get("close", False) for one in found["configurations"]] == [True, False]
    effect = found["effects"][0]
    assert (effect["name"], effect["n"]) == ("style: careful", 80)
    assert effect["low"] < 0.3 < effect["high"]
    assert effect["value"] == pytest.approx(0.3)
    shown = lab.run("experiment", "show", "style").out
    assert "Best: style=careful" in shown
    assert "* +0.300" in shown


def test_two_factors_give_their_interaction_and_a_tie_is_called_one(lab):
    found = lab.run("experiment", "run", "experiment.yaml", "--json").json
    assert [effect["name"] for effect in found["effects"]] == [
        "style: careful",
        "tries: two",
        "style: careful × tries: two",
    ]
    assert [one.get("close", False) for one in found["configurations"]] == [True, True, False, False]
    assert "1 more can't be told apart from it" in lab.run("experiment", "show", "style").out


def test_answers_are_used_again_and_runs_are_tagged(lab):
    lab.write("experiment.yaml", EXPERIMENT.rpartition("  tries")[0])
    lab.run("experiment", "run", "experiment.yaml", "--limit", "20")
    lab.run("experiment", "run", "experiment.yaml", "--limit", "20")
    summaries = [json.loads(path.read_text()) for path in lab.path.glob(".evalwright/runs/*/summary.json")]
    assert sorted(summary["totals"].get("cached", 0) for summary in summaries) == [0, 0, 20, 20]
    tags = [summary["manifest"]["tags"] for summary in summaries]
    assert sorted(tags) == sorted([["experiment:style", f"style={level}"] for level in ("plain", "careful")] * 2)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (EXPERIMENT.replace("suite.yaml", "other.yaml"), "there is no suite file `other.yaml`"),
        (EXPERIMENT.replace("metric: exact", "metric: exat"), "no metric `exat`"),
        (EXPERIMENT.replace("target.callable", "target.inner.callable"), "unknown key `inner`"),
        (EXPERIMENT.replace("target.callable", "scorers.3.exact.as"), "no `scorers.3.exact.as` that could"),
        (EXPERIMENT.replace("suite: suite", "sweet: suite"), "sweet"),
        (EXPERIMENT + "design: half\n", "half of the settings needs three"),
        (EXPERIMENT.replace("{ one: 0, two: 1 }", "[1]"), "`tries` needs two or more levels"),
        (
            EXPERIMENT.replace("run.retries", "scorers.0.exact.ignore_case").replace(
                "one: 0, two: 1", "a: true, b: false"
            ),
            "change how `exact` is scored",
        ),
    ],
)
def test_mistakes_are_told_before_anything_is_run(lab, text, words):
    lab.write("experiment.yaml", text)
    done = lab.run("experiment", "run", "experiment.yaml")
    assert done.code == 2
    assert words in done.err
    assert not list(lab.path.glob(".evalwright/runs/*"))


def test_an_unknown_result_names_those_there_are(lab):
    lab.run("run", "suite.yaml", "-q")
    assert "there is no result" in lab.run("experiment", "show", "style").err
