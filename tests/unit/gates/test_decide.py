"""The gate: three verdicts, each with its reason."""

import pytest

from evalwright.core.estimate import Estimate
from evalwright.core.gate import Rule, RuleFigure, Verdict
from evalwright.gates import decide, judge_rule, rule_name


def figure(value, low, high, n=100):
    return RuleFigure(estimate=Estimate(metric="m", value=value, low=low, high=high, n=n), low=low, high=high)


FLOOR = Rule(metric="m", at_least=0.9)
CEILING = Rule(metric="m", at_most=0.1)


@pytest.mark.parametrize(
    ("rule", "bounds", "verdict"),
    [
        (FLOOR, (0.95, 0.92, 0.97), Verdict.PASS),
        (FLOOR, (0.93, 0.88, 0.97), Verdict.INCONCLUSIVE),
        (FLOOR, (0.80, 0.75, 0.85), Verdict.FAIL),
        (FLOOR, (0.95, 0.90, 0.97), Verdict.PASS),
        (CEILING, (0.02, 0.00, 0.06), Verdict.PASS),
        (CEILING, (0.05, 0.01, 0.12), Verdict.INCONCLUSIVE),
        (CEILING, (0.20, 0.15, 0.25), Verdict.FAIL),
    ],
)
def test_a_rule_is_decided_by_its_bounds(rule, bounds, verdict):
    assert judge_rule(rule, figure(*bounds)).verdict is verdict


def test_a_point_estimate_above_the_threshold_is_not_enough():
    result = judge_rule(FLOOR, figure(0.93, 0.88, 0.97))
    assert result.cases_needed > 100
    assert "not enough evidence" in result.reason


def test_too_few_cases_are_inconclusive_whatever_they_say():
    result = judge_rule(Rule(metric="m", at_least=0.5, min_n=200), figure(0.99, 0.97, 1.0))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "at least 200" in result.reason


def test_a_metric_that_is_not_there_is_inconclusive_and_says_so():
    result = judge_rule(FLOOR, None)
    assert (result.verdict, "no metric `m`" in result.reason) == (Verdict.INCONCLUSIVE, True)
    nothing = RuleFigure(estimate=Estimate(metric="m", value=None, skipped=3, errors=2))
    assert "3 skipped, 2 errors" in judge_rule(FLOOR, nothing).reason


def test_one_failing_rule_fails_the_gate_and_an_open_one_leaves_it_open():
    figures = {"good": figure(0.95, 0.92, 0.97), "open": figure(0.9, 0.85, 0.95), "bad": figure(0.5, 0.4, 0.6)}

    def verdict(*names):
        rules = [Rule(metric=name, at_least=0.9) for name in names]
        return decide(rules, lambda rule: figures[rule.metric]).verdict

    assert verdict("good") is Verdict.PASS
    assert verdict("good", "open") is Verdict.INCONCLUSIVE
    assert verdict("good", "open", "bad") is Verdict.FAIL


def test_a_warning_rule_is_shown_and_decides_nothing():
    rules = [Rule(metric="good", at_least=0.9), Rule(metric="bad", at_least=0.9, severity="warn")]
    decision = decide(rules, lambda r: figure(0.95, 0.92, 0.97) if r.metric == "good" else figure(0.1, 0.05, 0.2))
    assert decision.verdict is Verdict.PASS
    assert [r.verdict for r in decision.results] == [Verdict.PASS, Verdict.FAIL]


def test_no_rules_no_decision():
    assert decide([], lambda rule: None) is None


def test_the_policy_hash_follows_the_rules():
    one = decide([FLOOR], lambda rule: None)
    other = decide([CEILING], lambda rule: None)
    assert one.policy_hash != other.policy_hash


def test_names_read_as_conditions():
    rule = Rule(metric="latency", statistic="p95", at_most=2, slice={"locale": "de"})
    assert rule_name(rule) == "p95(latency) <= 2 in locale=de"
