"""The main job on real recorded answers, from suite file to report."""

import gzip
import json
from pathlib import Path

import pytest

from tests.e2e.conftest import folder  # noqa: F401 - the fixture
from tests.shared_data import shared_data, shared_root

SUITES = Path(__file__).parent / "suites"


def rows_of(path):
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


@pytest.mark.parametrize(
    ("system", "accuracy"),
    [
        ("6b_finetuning", 0.2168),
        ("6b_verification", 0.3904),
        ("175b_finetuning", 0.3472),
        ("175b_verification", 0.5625),
    ],
)
def test_the_numeric_scorer_reproduces_every_recorded_verdict(folder, monkeypatch, system, accuracy):  # noqa: F811
    rows = rows_of(shared_data("data/gsm8k_solutions") / "solutions.jsonl.gz")
    monkeypatch.setenv("EVALWRIGHT_SHARED", str(shared_root()))
    monkeypatch.setenv("GSM8K_SYSTEM", system)
    done = folder.run("run", str(SUITES / "gsm8k.yaml"), "--json", "--report", "none")
    metric = next(m for m in done.json["metrics"] if not m["slice"])
    assert done.code == 0
    assert (round(metric["value"], 4), metric["n"], metric["method"]) == (accuracy, 1319, "wilson")
    folder.run("export", "latest", "--output", "rows.jsonl")
    exported = [
        json.loads(line) for line in (folder.path / "rows.jsonl").read_text(encoding="utf-8").split("\n") if line
    ]
    verdicts = {row["input"]: row["scores"]["numeric"]["value"] == 1.0 for row in exported}
    assert verdicts == {row["question"]: row[system]["is_correct"] for row in rows}


@pytest.mark.parametrize("system", ["gpt-4o", "llama-3.1-405b-instruct", "reference"])
def test_recorded_rag_answers_are_scored_sliced_and_reported(folder, monkeypatch, system):  # noqa: F811
    tasks = rows_of(shared_data("data/mtrag_human") / "dev_tasks.jsonl.gz")
    monkeypatch.setenv("EVALWRIGHT_SHARED", str(shared_root()))
    monkeypatch.setenv("MTRAG_SYSTEM", system)
    done = folder.run("run", str(SUITES / "mtrag.yaml"), "--json", "--report", "html", "--report", "markdown")
    result = done.json
    assert done.code in {0, 1, 3}
    assert (result["cases"]["answered"], result["cases"]["errored"]) == (80, 0)
    slices = {m["slice"] for m in result["metrics"]}
    assert {f"domain={task['domain']}" for task in tasks} <= slices
    assert {f"question_type={kind}" for task in tasks for kind in task["question_type"]} <= slices
    overall = {m["name"]: m for m in result["metrics"] if not m["slice"]}
    assert all(overall[name]["n"] == 80 for name in ("token_f1", "rougeL", "chrf", "concise"))
    assert overall["groundedness"]["n"] + overall["groundedness"]["skipped"] == 80
    if system == "reference":
        assert overall["token_f1"]["value"] == 1.0
    report = Path(result["reports"]["html"]).read_text(encoding="utf-8")
    assert "question_type" in report
