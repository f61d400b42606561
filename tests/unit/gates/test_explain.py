"""A decision told to somebody who knows no statistics, and the waiver that sets a rule aside."""

from evalwright.core.estimate import Estimate
from evalwright.core.gate import Rule, RuleFigure, Verdict
from evalwright.gates import decide, rule_name, waived
from evalwright.gates.explain import asks, decision_lines, explanation
from evalwright.gates.record import DecisionRecord

BAD = RuleFigure(estimate=Estimate(metric="m", value=0.5, n=100, errors=2), low=0.4, high=0.6)
RULE = Rule(metric="m", at_least=0.9)


def test_an_explanation_says_what_is_asked_seen_and_follows():
    decision = decide([RULE, Rule(metric="m", at_least=0.2)], lambda rule: BAD)
    text = "\n".join(explanation(DecisionRecord(run_id="r1", run_digest="d", decision=decision, suite="s")))
    assert text.startswith("FAIL: ")
    assert "Asks: m must be 0.9 or more, with a risk of error of at most 5 %." in text
    assert "we can be 95 % sure that the true value is at most 0.6" in text
    assert "0 skipped, 2 errors; they are not counted as wrong" in text
    assert "The rule is broken." in text
    assert "The rule is met." in text


def test_what_a_rule_asks_reads_as_a_sentence():
    rule = Rule(metric="latency", statistic="p95", at_most=2, slice={"locale": "de"}, min_n=30, confidence=0.99)
    assert asks(rule) == (
        "p95 of latency must be 2 or less, among the cases with locale de, on 30 cases or more, "
        "with a risk of error of at most 1 %"
    )
    assert "better than in the baseline run," in asks(Rule(metric="m", versus="baseline", min_gain=0.0))


def test_a_waiver_sets_a_failing_rule_aside_and_stays_visible():
    decision = decide([RULE], lambda rule: BAD)
    eased = waived(decision, {rule_name(RULE): "w-1"})
    assert (eased.verdict, eased.results[0].verdict, eased.results[0].waived) == (Verdict.PASS, Verdict.FAIL, "w-1")
    assert "1 waived" in eased.reason
    assert "waived" in "\n".join(decision_lines(eased))


def test_a_rule_that_must_not_be_waived_keeps_its_say():
    hard = Rule(metric="m", at_least=0.9, waivable=False)
    decision = waived(decide([hard], lambda rule: BAD), {rule_name(hard): "w-1"})
    assert decision.verdict is Verdict.FAIL


def test_a_rule_that_holds_needs_no_waiver():
    rule = Rule(metric="m", at_least=0.2)
    decision = waived(decide([rule], lambda _: BAD), {rule_name(rule): "w-1"})
    assert decision.results[0].waived is None


def test_the_policy_hash_does_not_follow_the_line():
    assert (
        decide([RULE], lambda _: BAD).policy_hash
        == decide([Rule(metric="m", at_least=0.9, line=12)], lambda _: BAD).policy_hash
    )
