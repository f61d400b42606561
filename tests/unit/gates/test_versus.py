"""Rules against the baseline: five standings, three verdicts, and the words for them."""

import pytest

from evalwright.core.comparison import PairedFigure
from evalwright.core.estimate import Estimate
from evalwright.core.gate import NEWLY_FAILING, NewlyFailing, Rule, RuleFigure, Verdict
from evalwright.gates import Standing, decide, judge_rule, rule_name, standing

DROP = Rule(metric="m", versus="baseline", max_drop=0.02)


def paired(low, high, *, higher_is_better=True, n=400, **rest):
    value = (low + high) / 2
    return PairedFigure(
        metric="m", baseline=0.9, candidate=0.9 + value, difference=value, lower=low, upper=high, n=n,
        higher_is_better=higher_is_better, **rest,
    )  # fmt: skip


def figure(*bounds, **rest):
    return RuleFigure(estimate=Estimate(metric="m", value=0.9, n=400), paired=paired(*bounds, **rest))


STANDINGS = [
    ((-0.010, 0.010), Standing.PASS, Verdict.PASS),
    ((0.001, 0.010), Standing.PASS, Verdict.PASS),
    ((-0.018, -0.002), Standing.WITHIN, Verdict.PASS),
    ((-0.040, -0.002), Standing.REGRESSED, Verdict.FAIL),
    ((-0.060, -0.030), Standing.FAIL, Verdict.FAIL),
    ((-0.030, 0.010), Standing.OPEN, Verdict.INCONCLUSIVE),
]


@pytest.mark.parametrize(("bounds", "where", "verdict"), STANDINGS)
def test_where_the_difference_lies_decides(bounds, where, verdict):
    assert standing(DROP, paired(*bounds)) is where
    assert judge_rule(DROP, figure(*bounds)).verdict is verdict


@pytest.mark.parametrize(("bounds", "where", "verdict"), STANDINGS)
def test_where_lower_is_better_the_signs_turn(bounds, where, verdict):
    turned = (-bounds[1], -bounds[0])
    assert standing(DROP, paired(*turned, higher_is_better=False)) is where
    assert judge_rule(DROP, figure(*turned, higher_is_better=False)).verdict is verdict


def test_the_policy_says_what_a_tolerable_or_unclear_loss_means():
    strict = Rule(metric="m", versus="baseline", max_drop=0.02, within_margin=Verdict.FAIL)
    lenient = Rule(metric="m", versus="baseline", max_drop=0.02, regressed=Verdict.INCONCLUSIVE)
    assert judge_rule(strict, figure(-0.018, -0.002)).verdict is Verdict.FAIL
    assert judge_rule(lenient, figure(-0.040, -0.002)).verdict is Verdict.INCONCLUSIVE


def test_the_reasons_name_the_size_of_the_drop():
    failed = judge_rule(DROP, figure(-0.06, -0.04)).reason
    assert failed == (
        "dropped by 0.05, from 0.9 to 0.85 on the same 400 cases; we can be 95 % sure that it is worse by at least 0.04"
    )
    within = judge_rule(DROP, figure(-0.018, -0.002)).reason
    assert "worse, but only by 0.002 to 0.018, within the allowed 0.02" in within
    unclear = judge_rule(DROP, figure(-0.04, -0.002)).reason
    assert "worse, by 0.002 to 0.04: perhaps more than the allowed 0.02" in unclear


def test_an_open_rule_says_what_is_possible_and_how_many_cases_would_settle_it():
    result = judge_rule(DROP, figure(-0.03, 0.018))
    assert "these cases can't tell: the truth lies between 0.03 worse and 0.018 better" in result.reason
    assert result.cases_needed > 400
    assert f"{result.cases_needed:,}" in result.reason


@pytest.mark.parametrize(
    ("gain", "bounds", "verdict"),
    [
        (0.0, (0.001, 0.03), Verdict.PASS),
        (0.0, (0.0, 0.03), Verdict.INCONCLUSIVE),
        (0.0, (-0.03, -0.001), Verdict.FAIL),
        (0.02, (0.021, 0.05), Verdict.PASS),
        (0.02, (0.001, 0.015), Verdict.FAIL),
        (0.02, (0.001, 0.03), Verdict.INCONCLUSIVE),
    ],
)
def test_a_gain_must_be_shown(gain, bounds, verdict):
    assert judge_rule(Rule(metric="m", versus="baseline", min_gain=gain), figure(*bounds)).verdict is verdict


def test_without_a_baseline_the_rule_is_open_and_says_what_to_do():
    result = judge_rule(DROP, RuleFigure(estimate=Estimate(metric="m", value=0.9, n=10)))
    assert result.verdict is Verdict.INCONCLUSIVE
    assert "baseline set" in result.reason


def test_too_few_pairs_are_inconclusive():
    rule = Rule(metric="m", versus="baseline", max_drop=0.02, min_n=500)
    assert "only 400 cases" in judge_rule(rule, figure(-0.01, 0.01)).reason


def test_cases_only_one_run_scored_are_mentioned():
    assert "(7 cases scored in only one" in judge_rule(DROP, figure(-0.01, 0.01, baseline_only=7)).reason


NEWLY = Rule(metric=NEWLY_FAILING, newly_failing={"severity": ["block"]}, at_most=0, versus="baseline")


@pytest.mark.parametrize(
    ("newly", "verdict", "words"),
    [
        (NewlyFailing(count=0, pairs=60), Verdict.PASS, "none of 60 cases that passed"),
        (NewlyFailing(count=1, pairs=60, cases=("a",)), Verdict.FAIL, "now fails: a"),
        (NewlyFailing(count=5, pairs=60, cases=("a", "b")), Verdict.FAIL, "now fail: a, b and 3 more"),
        (NewlyFailing(count=0, pairs=0), Verdict.INCONCLUSIVE, "no case that counts"),
        (None, Verdict.INCONCLUSIVE, "no baseline run"),
    ],
)
def test_newly_failing_cases_are_counted_and_named(newly, verdict, words):
    found = judge_rule(NEWLY, RuleFigure(estimate=Estimate(metric=NEWLY_FAILING, value=None), newly=newly))
    assert found.verdict is verdict
    assert words in found.reason


def test_the_decision_names_the_rule_and_the_rule_does_not_repeat_itself():
    decision = decide([DROP], lambda rule: figure(-0.06, -0.04))
    assert decision.reason.startswith(rule_name(DROP) + ": ")
    assert rule_name(DROP) not in decision.results[0].reason
