"""Gates from the command line: baselines, rules against them, policies, the record."""

import json

import pytest

RULES = """\
gate:
  - { metric: exact, max_drop: 0.05 }
  - { newly_failing: { severity: block }, at_most: 0 }
  - { metric: errors, at_most: 0.2 }
  - { metric: latency, statistic: p90, at_most: 5 }
"""
WORSE = "def answer(question):\n    n = int(question.split()[1])\n    return f'answer {n}' if n % 2 else 'no idea'\n"


@pytest.fixture
def judged(folder):
    """A folder with a baseline run and, after it, a worse product."""
    folder.suite(extra=RULES, scorers="[{ exact: { severity: block } }]")
    assert folder.run("run", "suite.yaml", "-q").code == 3
    assert folder.run("baseline", "set", "latest").code == 0
    return folder


def worsen(folder):
    import sys

    folder.write("product.py", WORSE)
    sys.modules.pop("product", None)


def rules_of(done):
    return {rule["rule"].get("metric"): rule for rule in done.json["decision"]["results"]}


def test_the_suites_baseline_is_compared_with_case_by_case(judged):
    same = judged.run("run", "suite.yaml", "--json")
    assert [rule["verdict"] for rule in same.json["gate"]["rules"]][1:] == ["pass", "pass", "pass"]
    worsen(judged)
    worse = judged.run("run", "suite.yaml", "--json")
    assert worse.code == 1
    assert [rule["verdict"] for rule in worse.json["gate"]["rules"]] == ["fail", "fail", "pass", "pass"]
    assert "from 0.9 to 0.5 on the same 30 cases" in worse.json["gate"]["reason"]


def test_gate_decides_on_a_stored_run_again_and_keeps_every_input(judged):
    worsen(judged)
    judged.run("run", "suite.yaml", "-q")
    done = judged.run("gate", "latest", "--json")
    assert done.code == 1
    record = done.json
    assert {"run_id", "run_digest", "decision", "suite_hash", "target_hash", "dataset_digest", "version"} <= set(record)
    assert record["decision"]["baseline"] != record["run_id"]
    found = rules_of(done)
    assert found["exact"]["paired"]["losses"] == 12
    assert found["newly_failing"]["newly"]["count"] == 12
    stored = next(judged.path.glob(f".evalwright/runs/{record['run_id']}/decision.json"))
    assert json.loads(stored.read_text()) == record


def test_a_policy_file_and_another_baseline_may_be_named(judged):
    judged.run("baseline", "set", "latest", "--name", "release-1")
    judged.write("policy.yaml", "gate:\n  - { metric: exact, at_least: 0.5 }\n")
    assert judged.run("gate", "latest", "--policy", "policy.yaml").code == 0
    judged.run("run", "suite.yaml", "-q")
    judged.write("policy.yaml", "- { metric: exact, max_drop: 0.2, slice: { locale: de } }\n")
    done = judged.run("gate", "latest", "--policy", "policy.yaml", "--baseline", "release-1")
    assert done.code == 0, done.err
    assert "on the same 20 cases" in done.out


def test_a_policy_with_mistakes_points_at_them(judged):
    judged.write("policy.yaml", "- { metric: exat, at_least: 0.5 }\n")
    done = judged.run("gate", "latest", "--policy", "policy.yaml")
    assert done.code == 2
    assert "policy.yaml:1:13" in done.err
    assert "did you mean `exact`" in done.err


def test_explain_tells_the_decision_in_plain_words(judged):
    done = judged.run("gate", "explain", "latest")
    assert done.code == 0
    assert "Asks: exact must be no more than 0.05 worse than in the baseline run" in done.out
    assert "no baseline run to compare with" in done.out


def test_a_run_is_not_its_own_baseline(judged):
    done = judged.run("gate", "latest", "--baseline", "latest")
    assert done.code == 2
    assert "can't be its own baseline" in done.err


def test_an_unknown_baseline_stops_the_run_before_it_begins(judged):
    before = len(list(judged.path.glob(".evalwright/runs/*")))
    done = judged.run("run", "suite.yaml", "--baseline", "nonsense")
    assert done.code == 2
    assert len(list(judged.path.glob(".evalwright/runs/*"))) == before


def test_baselines_are_shown_and_listed(judged):
    assert "small" in judged.run("baseline", "show", "small").out
    listed = judged.run("baseline", "list", "--json").json
    assert [row["alias"]["name"] for row in listed] == ["baseline"]
    assert judged.run("baseline", "show", "other").code == 1


def test_newly_failing_rules_are_checked_when_the_suite_is_read(folder):
    bad = "gate:\n  - { newly_failing: { scorers: exat } }\n  - { newly_failing: {}, max_drop: 0.1 }\n"
    done = folder.run("validate", folder.suite(extra=bad))
    assert "no metric `exat`" in done.out + done.err
    assert "`max_drop` can't stand beside `newly_failing`" in done.out + done.err


def test_a_judge_without_a_card_is_refused_and_a_golden_set_may_be_too_old(folder):
    import time

    from evalwright.core.estimate import Estimate
    from evalwright.store.cards import Card, CardStore

    folder.suite(extra="gate: [{ metric: exact, calibrated: { figure: kappa, at_least: 0.6, max_age: 30d } }]\n")
    first = folder.run("run", "suite.yaml", "--json")
    assert (first.code, first.json["decision"]) == (1, "fail")
    assert "never measured against people's labels" in first.json["gate"]["reason"]
    manifest = json.loads(next(folder.path.glob(".evalwright/runs/*/manifest.json")).read_text())
    kappa = Estimate(metric="kappa", value=0.8, low=0.7, high=0.9, n=100)
    digest = manifest["scorers"][0]["digest"]
    card = Card(metric="exact", identity=digest, created_at=time.time(), n=100, figures=(kappa,))
    CardStore(folder.path / ".evalwright").save(card)
    assert folder.run("gate", "latest").code == 0
    folder.write("age.yaml", "- { metric: dataset_age, at_most: 30d }\n")
    unknown = folder.run("gate", "latest", "--policy", "age.yaml")
    assert unknown.code == 3
    assert "are from no golden set" in unknown.out


def test_the_age_of_a_golden_set_is_known(folder):
    assert folder.run("dataset", "create", "questions").code == 0
    assert folder.run("dataset", "add", "questions", "cases.jsonl").code == 0
    folder.suite(dataset="{ golden: questions }", extra="gate: [{ metric: dataset_age, at_most: 30d }]\n")
    done = folder.run("run", "suite.yaml", "--json")
    assert done.code == 0, done.err
    assert done.json["gate"]["rules"][0]["reason"] == "the version of the golden set is 0.0 days old"
