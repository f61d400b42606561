"""`run --until-decided` from the command line: it stops, says what it saved, and shows no figure as of fixed size."""

import json

import pytest

SLOW = """\
import asyncio


async def answer(question):
    await asyncio.sleep(0.0005)
    number = int(question.split()[1])
    return f"answer {number}" if number % 25 else "no idea"
"""
GATE = """\
run: {{ concurrency: 4, seed: 5 }}
gate:
  - {{ metric: exact, {bound} }}
  - {{ metric: exact, at_least: 0.5, slice: {{ locale: de }} }}
  - {{ metric: exact, at_least: 0.99, severity: warn }}
"""


@pytest.fixture
def long(folder):
    """A folder with 400 cases and an asynchronous product that is right on 96 %."""
    rows = (
        {"id": f"q{i}", "input": f"question {i}", "expected": f"answer {i}", "locale": "de" if i % 3 else "en"}
        for i in range(400)
    )
    folder.write("cases.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    folder.write("product.py", SLOW)
    return folder


@pytest.mark.parametrize("method", ["looks", "always", "suite"])
def test_a_clear_case_stops_early_and_says_what_that_means(long, method):
    long.suite(extra=GATE.format(bound="at_least: 0.8"))
    done = long.run("run", "suite.yaml", "--until-decided", "--stopping", method, "--json")
    found = done.json
    assert (done.code, found["status"], found["decision"]) == (0, "decided", "pass")
    assert found["cases"]["done"] < 250
    assert "decided after" in found["gate"]["rules"][0]["reason"]
    assert any("saved about" in note and "at most 5 %" in note for note in found["notes"])
    metric = next(m for m in found["metrics"] if m["name"] == "exact" and not m["slice"])
    assert metric["method"].endswith("(sequential)")
    assert metric["level"] == 0.95
    assert "stopped early" in metric["note"]
    assert metric["high"] - metric["low"] > 0.05


def test_a_borderline_case_runs_to_its_end(long):
    long.suite(extra=GATE.format(bound="at_least: 0.96"))
    found = long.run("run", "suite.yaml", "--until-decided", "--json").json
    assert (found["status"], found["decision"], found["cases"]["done"]) == ("complete", "inconclusive", 400)
    assert any("was looked at 4 times" in note for note in found["notes"])


def test_the_paired_rule_stops_too_and_the_decision_stays_when_asked_again(long):
    long.suite(extra=GATE.format(bound="max_drop: 0.05"))
    long.run("run", "suite.yaml", "-q")
    long.run("baseline", "set", "latest")
    done = long.run("run", "suite.yaml", "--until-decided", "--json")
    assert (done.json["status"], done.json["decision"]) == ("decided", "pass")
    assert "scored in only one" not in done.json["gate"]["rules"][0]["reason"]
    again = long.run("gate", "latest", "--json").json["decision"]
    assert again["results"][0]["reason"] == done.json["gate"]["rules"][0]["reason"]
    long.write("other.yaml", "- { metric: exact, at_least: 0.9 }\n")
    other = long.run("gate", "latest", "--policy", "other.yaml", "--json").json["decision"]["results"][0]
    assert other["estimate"]["method"].endswith("(sequential)")


def test_a_gate_nothing_can_decide_is_refused_before_the_run(long):
    done = long.run("run", "suite.yaml", "--until-decided")
    assert done.code == 2
    assert "nothing can be decided early" in done.err
    assert not list(long.path.glob(".evalwright/runs/*"))


def test_a_run_that_was_cut_off_is_watched_again_when_it_goes_on(long):
    long.suite(extra=GATE.format(bound="at_least: 0.8"))
    cut = long.run("run", "suite.yaml", "--until-decided", "--budget", "60 calls", "--json")
    assert (cut.code, cut.json["status"]) == (4, "budget")
    done = long.run("resume", cut.json["run_id"], "--budget", "1000 calls", "--json")
    assert done.code == 0, done.err
    assert (done.json["status"], done.json["decision"]) == ("decided", "pass")
    assert 100 <= done.json["cases"]["done"] < 250


def test_what_the_looks_found_does_not_outlive_other_scores_or_another_baseline(long):
    long.suite(extra=GATE.format(bound="at_least: 0.8"))
    first = long.run("run", "suite.yaml", "--until-decided", "--json").json
    long.write("strict.py", STRICT)
    long.suite(extra=GATE.format(bound="at_least: 0.8"), scorers='[{ "strict.py:nothing": { as: exact } }]')
    again = long.run("score", first["run_id"], "--json")
    assert again.json["decision"] == "fail", again.err
    long.run("quarantine", "add", "small", "q25", "--owner", "ada", "--reason", "x")
    assert "decided after" not in long.run("gate", first["run_id"]).out


STRICT = """\
from evalwright import scorer


@scorer("nothing", version="1")
def nothing(ctx):
    \"\"\"Nothing is good enough.\"\"\"
    return False
"""
