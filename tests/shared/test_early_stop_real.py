"""Stopping early on recorded verdicts of four systems on 1,319 grade-school problems, over many random orders."""

import gzip
import json

import pytest

from evalwright.core.gate import Rule, Verdict
from evalwright.gates.stopping import Method
from tests.shared.early_stop_kit import Replay
from tests.shared_data import shared_data

ORDERS = 60
pytestmark = [pytest.mark.shared, pytest.mark.slow]


def verdicts(system):
    path = shared_data("data/gsm8k_solutions") / "solutions.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [float(json.loads(line)[system]["is_correct"]) for line in lines]


PASS = Rule(metric="right", at_least=0.5)
FAIL = Rule(metric="right", at_least=0.65)
JUST_BROKEN = Rule(metric="right", at_least=0.563)


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    return Replay(tmp_path_factory.mktemp("alone"), verdicts("175b_verification"))


@pytest.mark.parametrize("method", [Method.LOOKS, Method.SUITE])
@pytest.mark.parametrize(("rule", "truth"), [(PASS, Verdict.PASS), (FAIL, Verdict.FAIL)])
def test_a_clear_system_is_decided_rightly_on_half_of_the_cases(alone, method, rule, truth):
    tried = alone.many(rule, method, ORDERS, truth)
    assert (tried.wrong, tried.decided) == (0, ORDERS)
    assert tried.median_share <= 0.51


@pytest.mark.parametrize("method", [Method.LOOKS, Method.SUITE])
def test_a_borderline_system_takes_the_whole_suite_and_is_seldom_misjudged(alone, method):
    tried = alone.many(JUST_BROKEN, method, ORDERS, Verdict.FAIL)
    assert tried.wrong <= 9  # a chance of 5 % each: more than 9 of 60 happen once in 2,000 times
    assert tried.median_share == 1.0


def test_a_paired_rule_is_decided_on_a_quarter_of_the_cases(tmp_path):
    pair = Replay(tmp_path, verdicts("175b_verification"), verdicts("6b_verification"))
    rule = Rule(metric="right", versus="baseline", max_drop=0.05)
    tried = pair.many(rule, Method.LOOKS, ORDERS, Verdict.PASS)
    assert (tried.wrong, tried.decided) == (0, ORDERS)
    assert tried.median_share <= 0.26
