"""Judge drift: anchors judged at each run and on demand; a judge that changes is told, and a gate rule fails on it."""

import json
from pathlib import Path

import pytest

from tests.loopback import chat_server

SUITE = """\
suite: watched
version: 1
target: { type: python, callable: "product:answer" }
dataset: { file: cases.jsonl }
scorers:
  - judge:
      as: helpful
      model: judge-1
      base_url: "%(url)s"
      criterion: The answer is helpful.
      anchors: anchors.jsonl
      price: { input: 10, output: 20 }
run: { concurrency: 8, retries: 0 }
gate:
  - { metric: helpful.anchors, at_least: 0.75, severity: block }
  - { metric: helpful.anchor_drift, at_least: -0.2, severity: block }
"""

ANCHORS = [
    {"id": f"a{n}", "input": f"question {n}", "output": f"{word} answer", "label": label}
    for n, (word, label) in enumerate([("good", "yes"), ("bad", "no")] * 20)
]
NO_ANCHORS = "      anchors: anchors.jsonl\n"


def ruling(verdict):
    return json.dumps({"rationale": "r", "verdict": verdict, "confidence": 0.9})


def honest(body):
    return ruling("yes" if "good answer" in str(body["messages"]) else "no")


def lenient(body):
    return ruling("yes")


@pytest.fixture
def watched(folder):
    folder.write("anchors.jsonl", "".join(json.dumps(row) + "\n" for row in ANCHORS))
    return folder


def run(folder, answer):
    with chat_server(answer) as server:
        folder.write("watched.yaml", SUITE % {"url": server.url})
        called = folder.run("run", "watched.yaml", "--json")
        return called, server


def newest(name):
    """A file of the run that ended last; ids of runs in one second don't sort by time."""
    return max(Path(".evalwright/runs").glob(f"*/{name}"), key=lambda path: path.stat().st_mtime_ns)


def rules(called):
    return {rule["metric"]: rule["verdict"] for rule in called.json["gate"]["rules"]}


def test_anchors_are_judged_at_each_run_and_a_changed_judge_fails_the_gate(watched):
    first, server = run(watched, honest)
    assert len(server.seen) == 70  # 30 cases and 40 anchors
    notes = " ".join(first.json["notes"])
    assert "anchors of `helpful`: 1.000 [0.912, 1.000] judged as people did, n=40 (40 calls" in notes
    assert rules(first) == {"helpful.anchors": "pass", "helpful.anchor_drift": "inconclusive"}
    assert "for the first time" in first.out

    second, _ = run(watched, honest)
    assert "no change beyond chance" in " ".join(second.json["notes"])
    assert rules(second) == {"helpful.anchors": "pass", "helpful.anchor_drift": "pass"}
    assert second.code == 0

    third, _ = run(watched, lenient)
    notes = " ".join(third.json["notes"])
    assert "THE JUDGE HAS CHANGED: of 40 answers 20 newly wrong, 0 newly right, 20 other verdicts" in notes
    assert rules(third) == {"helpful.anchors": "fail", "helpful.anchor_drift": "fail"}
    assert third.code == 1
    page = newest("report.html").read_text(encoding="utf-8")
    assert "THE JUDGE HAS CHANGED" in page
    kept = json.loads(newest("anchors.json").read_text(encoding="utf-8"))
    assert kept[0]["cost"] > 0
    assert len(kept[0]["drifts"]) == 2  # since the first check, and since the one before


def test_anchors_do_not_change_who_the_judge_is(watched):
    with chat_server(honest) as server:
        watched.write("watched.yaml", SUITE % {"url": server.url})
        watched.run("run", "watched.yaml")
        watched.write("watched.yaml", (SUITE % {"url": server.url}).replace(NO_ANCHORS, ""))
        watched.run("run", "watched.yaml")
    manifests = [
        json.loads(path.read_text(encoding="utf-8")) for path in Path(".evalwright/runs").glob("*/manifest.json")
    ]
    assert len({manifest["scorers"][0]["digest"] for manifest in manifests}) == 1


def test_on_demand_and_against_the_card(watched):
    with chat_server(honest) as server:
        watched.write("watched.yaml", (SUITE % {"url": server.url}).replace("anchors.jsonl\n", "anchors.jsonl\n      anchors_when: demand\n"))  # fmt: skip  # noqa: E501
        assert watched.run("calibrate", "watched.yaml:helpful", "--labels", "anchors.jsonl", "--probes", "0").code == 0
        asked = len(server.seen)
        watched.run("run", "watched.yaml", "--json")
        assert len(server.seen) == asked + 30  # no anchors
        told = watched.run("calibrate", "watched.yaml:helpful", "--anchors")
        assert "since its card of" in told.out
        assert "no change beyond chance" in told.out
    with chat_server(lenient) as server:
        watched.write("watched.yaml", SUITE % {"url": server.url})
        told = watched.run("calibrate", "watched.yaml:helpful", "--anchors", "--json")
        drift = json.loads(told.out)["drifts"][0]
        assert drift["counts"] == [20, 0, 20, 0]
        assert drift["p_value"] < 0.001


def test_trouble_with_anchors_never_costs_the_run(watched):
    called, _ = run(watched, lambda body: ruling("maybe"))
    assert called.json["cases"]["answered"] == 30
    assert rules(called)["helpful.anchors"] == "inconclusive"
    watched.write("anchors.jsonl", "no json\n")
    called, _ = run(watched, honest)
    assert "anchors of `helpful` were not judged" in " ".join(called.json["notes"])
    watched.write("anchors.jsonl", "".join(json.dumps(row) + "\n" for row in ANCHORS))
    with chat_server(honest) as server:
        watched.write("watched.yaml", SUITE % {"url": server.url})
        capped = watched.run("run", "watched.yaml", "--json", "--budget", "65 calls")
        assert "the budget of the run leaves too little" in " ".join(capped.json["notes"])
        assert len(server.seen) == 30


def test_mistakes_are_told(watched):
    watched.write("watched.yaml", (SUITE % {"url": "http://127.0.0.1:9/v1"}).replace("anchors.jsonl", "none.jsonl"))
    told = watched.run("validate", "watched.yaml")
    assert told.code == 2
    assert "there is no file `none.jsonl`" in told.err
    watched.write("watched.yaml", (SUITE % {"url": "http://127.0.0.1:9/v1"}).replace(NO_ANCHORS, ""))
    assert "has no anchors" in watched.run("calibrate", "watched.yaml:helpful", "--anchors").err
    assert "give the labels" in watched.run("calibrate", "watched.yaml:helpful").err


def test_a_panel_is_watched_as_a_whole(watched):
    with chat_server(honest) as server:
        one = f'{{ model: judge-1, base_url: "{server.url}" }}'
        options = f"as: helpful, judges: [{one}, {one}], criterion: Is it helpful?, anchors: anchors.jsonl"
        watched.suite("panel.yaml", scorers=f"[{{ judge_panel: {{ {options} }} }}]")
        run = watched.run("run", "panel.yaml", "--json")
    assert "judged as people did, n=40 (80 calls" in " ".join(run.json["notes"])
