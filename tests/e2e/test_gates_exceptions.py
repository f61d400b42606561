"""Waivers and quarantine from the command line: two people, an end, the very results, and never in silence."""

import time

import pytest

GATE = """\
gate:
  - { metric: exact, at_least: 0.99 }
  - { metric: exact, at_least: 0.95, waivable: false, severity: warn }
"""


@pytest.fixture
def failed(folder, monkeypatch):
    """A folder with a run whose gate failed, and Ada at the keyboard."""
    monkeypatch.setenv("EVALWRIGHT_USER", "ada")
    folder.suite(extra=GATE)
    assert folder.run("run", "suite.yaml", "-q").code == 1
    return folder


def ask(folder, *more):
    return folder.run("waive", "request", "latest", "1", "--reason", "label error", "--ticket", "EV-1", *more)


def test_a_waiver_needs_a_second_person_and_is_told_everywhere(failed, monkeypatch):
    asked = ask(failed)
    assert asked.code == 0, asked.err
    waiver = asked.out.strip()
    assert failed.run("gate", "latest").code == 1
    assert "can't approve it" in failed.run("waive", "approve", waiver).err
    monkeypatch.setenv("EVALWRIGHT_USER", "grace")
    assert failed.run("waive", "approve", waiver).code == 0
    done = failed.run("gate", "latest")
    assert done.code == 0
    assert f"waived ({waiver})" in done.out
    record = failed.run("gate", "latest", "--json").json
    assert record["decision"]["results"][0]["waived"] == waiver
    assert (record["waivers"][0]["requested_by"], record["waivers"][0]["approved_by"]) == ("ada", "grace")
    assert "1 rule is waived" in failed.run("show", "latest").out
    assert "<failure" not in failed.run("report", "latest", "-f", "junit", "-o", "-").out.partition("small gate")[2]
    listed = failed.run("waive", "list", "--json").json
    assert [row["state"] for row in listed] == ["active"]
    assert failed.run("waive", "revoke", waiver).code == 0
    assert failed.run("gate", "latest").code == 1
    assert "is waived" not in failed.run("show", "latest").out


def test_a_waiver_holds_only_for_its_results_its_rules_and_its_time(failed, monkeypatch):
    first = ask(failed).out.strip()
    short = ask(failed, "--expires", "0.2s").out.strip()
    monkeypatch.setenv("EVALWRIGHT_USER", "grace")
    failed.run("waive", "approve", first)
    assert failed.run("gate", "latest").code == 0
    failed.write("policy.yaml", "- { metric: exact, at_least: 0.99, confidence: 0.9 }\n")
    assert failed.run("gate", "latest", "--policy", "policy.yaml").code == 1
    assert failed.run("run", "suite.yaml", "-q").code == 1
    time.sleep(0.2)
    assert "expired already" in failed.run("waive", "approve", short).err


def test_what_can_not_be_waived(failed):
    assert "can't be waived" in failed.run("waive", "request", "latest", "2", "--reason", "x").err
    assert "has no rule '7'" in failed.run("waive", "request", "latest", "7", "--reason", "x").err
    assert "needs a reason" in failed.run("waive", "request", "latest", "1", "--reason", " ").err
    assert "is no time" in ask(failed, "--expires", "soon").err
    assert "no waiver 'w-0'" in failed.run("waive", "approve", "w-0").err


def test_a_waiver_that_was_written_by_hand_without_a_second_person_does_not_hold(failed):
    waiver = ask(failed).out.strip()
    log = failed.path / ".evalwright/governance/waivers.jsonl"
    line = log.read_text().strip()
    log.write_text(line.removesuffix("}") + ',"approved_by":"ada","approved_at":1.0}\n')
    assert failed.run("gate", "latest").code == 1
    assert failed.run("waive", "list", "--json").json[0]["waiver"]["id"] == waiver


def test_quarantined_cases_run_and_show_but_do_not_decide(failed):
    done = failed.run(
        "quarantine", "add", "small", "q00", "q10", "q20", "--owner", "ada", "--reason", "labels are wrong"
    )
    assert done.code == 0, done.err
    assert failed.run("gate", "latest").code == 3
    again = failed.run("run", "suite.yaml", "--json").json
    assert again["gate"]["rules"][0]["n"] == 27
    assert next(m for m in again["metrics"] if m["name"] == "exact")["n"] == 30
    assert any("3 cases are in quarantine" in note for note in again["notes"])
    assert failed.run("gate", "latest", "--json").json["quarantined"] == ["q00", "q10", "q20"]
    assert failed.run("quarantine", "release", "small", "q00").code == 0
    assert len(failed.run("quarantine", "list", "--json").json) == 2
    assert failed.run("gate", "latest", "--json").json["quarantined"] == ["q10", "q20"]


def test_quarantine_is_for_cases_that_are_there(failed):
    words = ("--owner", "ada", "--reason", "x")
    assert "no case 'q99'" in failed.run("quarantine", "add", "small", "q99", *words).err
    assert "no run of the suite 'other'" in failed.run("quarantine", "add", "other", "q01", *words).err
    assert "is not in quarantine" in failed.run("quarantine", "release", "small", "q01").err
