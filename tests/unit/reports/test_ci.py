"""Reports for build servers: formats as their readers expect them, hostile text that stays text."""

import json

import pytest

from evalwright.core.case import Case
from evalwright.core.estimate import Estimate
from evalwright.core.gate import Decision, Rule, RuleResult, Verdict
from evalwright.core.output import Output
from evalwright.core.result import CaseResult, Summary
from evalwright.core.run import Manifest, RunStatus, ScorerRecord, Totals, UnitRecord
from evalwright.core.score import Score
from evalwright.reports.ci import github, gitlab, sarif
from evalwright.reports.ci.findings import Places

HOSTILE = "bad % answer\n::error file=x::owned\r\n<!-- x --> ,:"


def case(case_id, passed, reason="wrong"):
    score = Score.of(float(passed), passed=passed, reason=reason)
    unit = UnitRecord(case_id=case_id, case_hash="h", output=Output(text="t"), scores={"exact": score})
    return CaseResult(case=Case(id=case_id, input="q"), trials=(unit,), passed=passed)


def summary(verdict=Verdict.FAIL, severity="block"):
    rule = Rule(metric="exact", at_least=0.9, line=12)
    result = RuleResult(rule=rule, verdict=verdict, estimate=Estimate(metric="exact", value=0.5, n=3), reason="too low")
    record = ScorerRecord(metric="exact", name="exact", version="1", digest="d", severity=severity)
    return Summary(
        manifest=Manifest(run_id="r1", suite="small", scorers=(record,)),
        status=RunStatus.COMPLETE,
        totals=Totals(units=3, done=3),
        decision=Decision(verdict=verdict, results=(result,), reason="too low"),
        failing=2,
    )


CASES = [case("a", True), case("b", False), case("c", False, HOSTILE)]
PLACES = Places(suite="suites/s p.yaml", dataset="data/cases.jsonl", lines={"b": 7})


def test_sarif_points_at_the_rule_and_the_lines_of_the_cases():
    run = json.loads(sarif.sarif(summary(), CASES, PLACES))["runs"][0]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    found = [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places]
    assert found == [("suites/s%20p.yaml", 12), ("data/cases.jsonl", 7), ("data/cases.jsonl", 1)]
    assert [result["level"] for result in run["results"]] == ["error", "error", "error"]
    assert {result["ruleId"] for result in run["results"]} == {rule["id"] for rule in run["tool"]["driver"]["rules"]}


def test_fingerprints_stay_when_lines_and_reasons_change():
    def prints(cases, places):
        run = json.loads(sarif.sarif(summary(), cases, places))["runs"][0]
        return [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]

    later = [case("b", False, "wrong in another way"), case("c", False)]
    assert prints(CASES, PLACES) == prints(later, Places())
    assert len(set(prints(CASES, PLACES))) == 3


@pytest.mark.parametrize(("severity", "level"), [("block", "critical"), ("low", "minor"), (None, "minor")])
def test_gitlab_entries_have_what_gitlab_asks_for(severity, level):
    entries = json.loads(gitlab.code_quality(summary(severity=severity), CASES, PLACES))
    assert [entry["severity"] for entry in entries] == ["blocker", level, level]
    assert entries[1]["location"] == {"path": "data/cases.jsonl", "lines": {"begin": 7}}
    assert len({entry["fingerprint"] for entry in entries}) == 3
    assert all({"description", "check_name"} <= entry.keys() for entry in entries)


def test_an_undecided_rule_is_a_warning_and_a_met_one_is_nothing():
    assert json.loads(gitlab.code_quality(summary(Verdict.INCONCLUSIVE), [], PLACES))[0]["severity"] == "minor"
    assert json.loads(gitlab.code_quality(summary(Verdict.PASS), [], PLACES)) == []


def test_annotations_are_one_line_each_and_nothing_in_them_is_a_command():
    lines = github.annotation_lines(summary(), CASES, PLACES)
    assert len(lines) == 3
    assert all("\n" not in line and "\r" not in line and line.startswith("::error file=") for line in lines)
    assert lines[2].count("%25") == 1
    assert lines[0].startswith("::error file=suites/s p.yaml,line=12,title=Gate fail%3A")


def test_no_more_annotations_than_github_shows():
    many = [case(f"c{number}", False) for number in range(100)]
    assert len(github.annotation_lines(summary(), many, PLACES)) == 10


def test_a_comment_is_short_enough_and_can_be_found_again():
    many = [case(f"c{number}", False, "long reason " * 200) for number in range(500)]
    text = github.comment(summary(), many)
    assert text.startswith("<!-- evalwright:small -->\n")
    assert len(text) <= 65_000
    assert len(github.step_summary(summary(), many).encode()) < 1 << 20


def test_outputs_are_plain_lines():
    assert github.outputs(summary()) == ["decision=fail", "status=complete", "run_id=r1", "failing=2"]
