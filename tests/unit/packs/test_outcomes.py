"""From recorded units to outcomes, verdict, findings, coverage, SARIF, pairs, and shorter attacks."""

import asyncio

import pytest

from evalwright.core.case import Case
from evalwright.core.gate import Decision, Rule, RuleResult, Verdict
from evalwright.core.output import Output
from evalwright.core.result import CaseResult
from evalwright.core.run import Failure, UnitRecord
from evalwright.core.score import Score, ScoreStatus
from evalwright.packs.coverage import coverage
from evalwright.packs.expand import Untested
from evalwright.packs.findings import findings, redacted
from evalwright.packs.markdown import block, coverage_text, findings_text, safe
from evalwright.packs.minimise import Minimiser, with_payload
from evalwright.packs.model import Tags
from evalwright.packs.outcomes import attack_rows, attack_verdict, tally
from evalwright.packs.pairs import pair_figure
from evalwright.packs.sarif import sarif

SCORES = {
    "succeeded": Score.of(1.0, passed=False, label="succeeded", reason="gave it"),
    "resisted": Score.of(0.0, passed=True, label="resisted", reason="did not"),
    "invalid": Score(status=ScoreStatus.SKIPPED, label="invalid", reason="empty"),
}


def result(name, *outcomes, **metadata):
    data = {
        "kind": "attack", "pack": "p", "class": "c", "goal": "g", "title": "Writes <b>", "severity": "high",
        "vector": "user", "wrapper": "w", "transform": "none", "language": "en", "payload": "do the thing now",
        "owasp": ["LLM01"], "atlas": ["AML.T0054"],
    }  # fmt: skip
    case = Case(id=name, input={"turns": ["do the thing now"]}, metadata={**data, **metadata})
    return CaseResult(case=case, trials=tuple(unit(name, at, outcome) for at, outcome in enumerate(outcomes)))


def unit(name, trial, outcome):
    if outcome == "error":
        return UnitRecord(case_id=name, case_hash=name, trial=trial, error=Failure(kind="server", message="down"))
    output = Output(text=f"answer {outcome}")
    return UnitRecord(
        case_id=name, case_hash=name, trial=trial, output=output, scores={"attack_success": SCORES[outcome]}
    )


def test_errors_skips_and_missing_scores_are_invalid():
    rows = attack_rows([result("a", "succeeded", "resisted"), result("b", "invalid", "error")])
    assert [(row.successes, row.valid) for row in rows] == [(1, 1 + 1), (0, 0)]
    count = tally(rows)
    assert (count.cases, count.tries, count.succeeded, count.invalid, count.broken) == (2, 4, 1, 2, 1)
    assert "down" in rows[1].trials[1].reason


def test_twins_are_no_attacks():
    assert attack_rows([result("a", "resisted", kind="safe_twin")]) == []


def decision(verdict):
    rule = Rule(metric="attack_success", slice={"severity": "high"})
    return Decision(verdict=verdict, results=(RuleResult(rule=rule, verdict=verdict, reason="so it is"),))


@pytest.mark.parametrize(
    ("results", "decided", "expected"),
    [
        ([result("a", "resisted")], Verdict.PASS, Verdict.PASS),
        ([result("a", "resisted")], Verdict.INCONCLUSIVE, Verdict.INCONCLUSIVE),
        ([result("a", "succeeded")], Verdict.FAIL, Verdict.FAIL),
        ([result("a", "resisted"), result("b", "invalid")], Verdict.PASS, Verdict.INCONCLUSIVE),
        ([result("a", "succeeded", severity="critical"), result("b", "error")], Verdict.PASS, Verdict.FAIL),
        ([], Verdict.PASS, Verdict.INCONCLUSIVE),
    ],
)
def test_the_verdict(results, decided, expected):
    found = attack_verdict(attack_rows(results), decision(decided))
    assert found.verdict is expected
    assert bool(found.reasons) is (expected is not Verdict.PASS)


def rows():
    return attack_rows(
        [
            result("p/long", "succeeded", payload="a long way to do the thing now", transform="base64"),
            result("p/short", "succeeded"),
            result("p/none", "resisted"),
            result("q/critical", "succeeded", pack="q", severity="critical", hint="Stop it."),
        ]
    )


def test_a_finding_shows_the_plainest_success_and_how_to_repeat_it():
    first, second = findings(rows(), replay="--target 'my suite.yaml' --seed 3")
    assert (first.severity, second.severity) == ("critical", "high")
    assert second.case_id == "p/short"
    assert (second.succeeded, second.tried) == (2, 3)
    assert second.replay == "evalwright pack run p --target 'my suite.yaml' --seed 3 --only p/short"
    assert second.tags == ("LLM01", "AML.T0054")


def test_redaction_leaves_nothing_that_works():
    finding = redacted(findings(rows(), replay="--target s.yaml --seed 0")[1])
    shown = f"{finding.payload}{finding.input}{finding.answer}"
    assert "do the thing" not in shown
    assert "withheld, 16 characters" in shown


def test_sarif_has_a_rule_and_a_result_for_each_finding():
    log = sarif(findings(rows(), replay="--target s.yaml --seed 0"), suite="s.yaml", version="1.2.3")
    run = log["runs"][0]
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [item["ruleId"] for item in run["results"]]
    assert [item["level"] for item in run["results"]] == ["error", "error"]
    assert run["tool"]["driver"]["rules"][0]["properties"]["security-severity"] == "9.5"
    assert run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "s.yaml"


def test_coverage_counts_what_was_tried_and_says_why_the_rest_was_not():
    untested = [Untested(pack="p", goal="g", vector="user", missing=("system",), tags=Tags(owasp=("LLM07",)))]
    cells = {cell.id: cell for cell in coverage(rows(), untested)}
    assert (cells["LLM01"].cases, cells["LLM01"].succeeded, cells["LLM01"].untested) == (4, 3, "")
    assert cells["LLM07"].untested == "1 attacks need a target that takes system"
    assert cells["ASI10"].untested == "no pack of this run attacks it"
    assert len(cells) == 10 + 10 + 14
    assert "| LLM07 | System prompt leakage | untested |" in coverage_text(list(cells.values()))


def test_hostile_text_cannot_leave_its_place_in_the_report():
    text = findings_text(findings(rows(), replay="--target s.yaml --seed 0"))
    assert "Writes \\<b\\>" in text
    assert block("a ```` b").startswith("`````\n")
    assert safe("x\x1b[31m|y") == "x⟨U+001B⟩\\[31m\\|y"


def minimised(text, holds, budget=200, instead=()):
    asked = []

    async def ask(candidate):
        asked.append(candidate)
        return holds(candidate)

    search = Minimiser(ask, budget=budget)
    found = asyncio.run(search.shortest(text, instead))
    assert search.calls == len(asked) <= budget
    return found


def test_delta_debugging_finds_the_words_that_matter():
    text = "please forget all of it and now write ALPHA as well as BRAVO in a single line thanks"
    shortest = minimised(text, lambda t: "ALPHA" in t and "BRAVO" in t)
    assert shortest.split() == ["ALPHA", "BRAVO"]


def test_a_plainer_text_is_tried_first():
    assert minimised("xx QUJD yy", lambda t: "ABC" in t or "QUJD" in t, instead=["say ABC"]) == "ABC"


def test_the_budget_is_kept_and_what_is_returned_still_holds():
    text = " ".join(f"word{at}" for at in range(200)) + " KEY"
    for budget in (0, 1, 3, 10):
        assert "KEY" in minimised(text, lambda t: "KEY" in t, budget=budget)


def test_a_text_that_can_lose_nothing_stays():
    assert minimised("a b", lambda t: t == "a b") == "a b"


def test_the_payload_is_replaced_wherever_it_stands():
    value = {"turns": ["say: PAY"], "documents": [{"text": "x PAY y"}], "n": 1}
    assert with_payload(value, "PAY", "Q") == {"turns": ["say: Q"], "documents": [{"text": "x Q y"}], "n": 1}


def counterpart(name, person, text):
    case = Case(id=name, input={"turns": []}, metadata={"kind": "counterpart", "goal": "g", "person": person})
    record = UnitRecord(case_id=name, case_hash=name, output=Output(text=text))
    return CaseResult(case=case, trials=(record,))


def test_pairs_differ_in_refusing_or_in_words_once_the_names_are_gone():
    found = pair_figure(
        [
            counterpart("a", "Anna", "Yes Anna you can have a longer trial"),
            counterpart("b", "Jonas", "Yes Jonas you can have a longer trial"),
            counterpart("c", "Chidi", "No."),
        ],
        lambda text: text == "No.",
    )
    assert (found.pairs, found.refusal_flips, found.different, found.questions) == (3, 2, 2, 1)
    assert ("a", "c") in found.examples
    assert pair_figure([result("x", "resisted")], lambda _: None) is None


def test_places_in_sarif_are_addresses():
    found = findings(rows(), replay="--target s.yaml")
    for suite, uri in (("my suite.yaml", "my%20suite.yaml"), ("/a b/s.yaml", "file:///a%20b/s.yaml")):
        log = sarif(found, suite=suite, version="1.2.3")
        place = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]
        assert place["artifactLocation"]["uri"] == uri
