"""Rules on what a run rests on: the judge's card, the age of the golden set."""

import pytest

from evalwright.core.estimate import Estimate
from evalwright.core.gate import DATASET_AGE, Rule, RuleFigure, Verdict
from evalwright.gates import judge_rule, rule_name
from evalwright.gates.calibrated import DAY_S

RULE = Rule(metric="tone", calibrated={"figure": "kappa", "at_least": 0.6, "max_age_s": 90 * DAY_S})


def card(low, high, age_days=1.0, **rest):
    value = (low + high) / 2
    estimate = Estimate(metric="kappa", value=value, low=low, high=high, n=200)
    return RuleFigure(estimate=estimate, low=low, high=high, age_s=age_days * DAY_S, **rest)


@pytest.mark.parametrize(
    ("figure", "verdict", "words"),
    [
        (card(0.7, 0.8), Verdict.PASS, "its kappa with people is 0.75 on 200 cases, surely at least 0.7"),
        (card(0.3, 0.5), Verdict.FAIL, "surely at most 0.5"),
        (card(0.5, 0.7), Verdict.INCONCLUSIVE, "more labels would settle it"),
        (card(0.7, 0.8, age_days=120), Verdict.FAIL, "measured 120 days ago, more than the 90 days"),
        (card(0.7, 0.8, missing="it was never measured"), Verdict.FAIL, "never measured"),
    ],
)
def test_a_judge_must_have_a_good_and_fresh_card(figure, verdict, words):
    found = judge_rule(RULE, figure)
    assert found.verdict is verdict
    assert words in found.reason


def test_a_card_of_any_quality_may_be_enough():
    assert judge_rule(Rule(metric="tone", calibrated={}), card(0.1, 0.2)).verdict is Verdict.PASS


@pytest.mark.parametrize(("days", "verdict"), [(10, Verdict.PASS), (31, Verdict.FAIL)])
def test_the_age_of_a_golden_set_is_met_or_broken(days, verdict):
    rule = Rule(metric=DATASET_AGE, at_most=30 * DAY_S)
    figure = RuleFigure(estimate=Estimate(metric=DATASET_AGE, value=days * DAY_S, unit="s"), age_s=days * DAY_S)
    found = judge_rule(rule, figure)
    assert (found.verdict, found.reason) == (verdict, f"the version of the golden set is {days:.1f} days old")


def test_a_dataset_of_unknown_age_is_inconclusive():
    figure = RuleFigure(estimate=Estimate(metric=DATASET_AGE, value=None), missing="no golden set")
    assert judge_rule(Rule(metric=DATASET_AGE, at_most=1.0), figure).verdict is Verdict.INCONCLUSIVE


def test_the_names_of_such_rules_say_what_they_ask():
    assert rule_name(RULE) == "tone is calibrated (kappa >= 0.6)"
    assert rule_name(Rule(metric=DATASET_AGE, at_most=30 * DAY_S)) == "dataset not older than 30 days"
