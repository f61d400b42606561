"""Looks at a growing run: where they are, how sure each must be, and what is kept."""

import pytest

from evalwright.core.gate import Rule, RuleResult, Verdict
from evalwright.gates.stopping import (
    SUREST,
    Method,
    RuleWatch,
    StoppingRecord,
    look_confidence,
    planned_looks,
    rule_hash,
    watched,
)


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("units", [1, 19, 20, 45, 400, 100_000])
def test_looks_rise_to_the_whole_run(method, units):
    looks = planned_looks(method, units)
    assert looks[-1] == units
    assert list(looks) == sorted(set(looks))
    assert all(look >= min(20, units) for look in looks)


def test_a_single_look_asks_for_no_more_than_the_rule():
    assert look_confidence(Method.LOOKS, [300], 0, 0.95) == pytest.approx(0.95)


def test_early_looks_must_be_surer_and_the_last_hardly_so():
    found = [look_confidence(Method.LOOKS, [100, 200, 300, 400], look, 0.95) for look in range(4)]
    assert found == sorted(found, reverse=True)
    assert 0.95 < found[-1] < 0.96


@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
@pytest.mark.parametrize("units", [21, 400, 50_000])
def test_every_look_of_every_method_asks_for_more_than_the_rule_and_less_than_certainty(method, confidence, units):
    looks = planned_looks(method, units)
    found = [look_confidence(method, looks, look, confidence) for look in range(len(looks))]
    assert all(one is None or confidence - 1e-9 <= one <= SUREST for one in found)
    assert found[-1] is not None


def test_a_look_that_brings_nothing_new_to_a_slice_is_none():
    assert look_confidence(Method.LOOKS, [0, 5, 5, 9], 0, 0.95) is None
    assert look_confidence(Method.LOOKS, [0, 5, 5, 9], 2, 0.95) is None
    assert look_confidence(Method.LOOKS, [0, 5, 5, 9], 3, 0.95) is not None
    assert look_confidence(Method.LOOKS, [1, 50, 51, 100], 0, 0.95) is None
    assert look_confidence(Method.LOOKS, [1, 50, 51, 100], 2, 0.95) is None


def test_a_decided_rule_is_kept_with_its_place():
    rule = Rule(metric="m", at_least=0.5)
    watch = RuleWatch(rule_hash=rule_hash(rule), error=0.05)
    open_ = watched(watch, RuleResult(rule=rule, verdict=Verdict.INCONCLUSIVE), 100)
    done = watched(open_, RuleResult(rule=rule, verdict=Verdict.FAIL), 200)
    assert (open_.open, done.open, done.decided_at) == (True, False, 200)
    record = StoppingRecord(method=Method.LOOKS, units=400, planned=(100, 200, 300, 400), taken=2, watches=(done,))
    assert record.seen == 200
    assert record.result(Rule(metric="m", at_least=0.5, line=7)).verdict is Verdict.FAIL
    assert record.result(Rule(metric="m", at_least=0.6)) is None
