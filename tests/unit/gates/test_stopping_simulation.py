"""Error rates over all looks, by simulation with new cases: the promise holds at the boundary itself."""

import numpy as np
import pytest
from scipy.stats import binom

from evalwright.gates.stopping import Method, look_confidence, planned_looks
from evalwright.stats import PairedCounts, clopper_pearson, tango

RUNS = 1_500
UNITS = 400


def looks(method):
    counts = planned_looks(method, UNITS)
    return [
        (count, sure)
        for look, count in enumerate(counts)
        if (sure := look_confidence(method, counts, look, 0.95)) is not None
    ]


def share_verdict(values, threshold, plan):
    for count, sure in plan:
        passes = int(values[:count].sum())
        if clopper_pearson(passes, count, level=sure, side="lower").low >= threshold:
            return "pass"
        if clopper_pearson(passes, count, level=sure, side="upper").high < threshold:
            return "fail"
    return None


def paired_verdict(differences, margin, plan):
    for count, sure in plan:
        seen = differences[:count]
        gained, lost = int((seen > 0).sum()), int((seen < 0).sum())
        counts = PairedCounts(both=count - gained - lost, gained=gained, lost=lost, neither=0)
        interval = tango(counts, level=2 * sure - 1)
        if interval.low > -margin:
            return "pass"
        if interval.high < -margin:
            return "fail"
    return None


def within_promise(wrong, promise=0.05):
    """Whether so many wrong verdicts are no surprise when the promise holds (one in 10,000)."""
    return wrong <= binom.ppf(0.9999, RUNS, promise)


@pytest.mark.slow
@pytest.mark.parametrize("method", [Method.LOOKS, Method.ALWAYS])
@pytest.mark.parametrize("rate", [0.6, 0.9, 0.97])
def test_a_share_at_its_threshold_is_seldom_judged_either_way(method, rate):
    rng, plan = np.random.default_rng(7), looks(method)
    found = [share_verdict(rng.random(UNITS) < rate, rate, plan) for _ in range(RUNS)]
    assert within_promise(found.count("pass"))
    assert within_promise(found.count("fail"))


@pytest.mark.slow
@pytest.mark.parametrize("method", [Method.LOOKS, Method.ALWAYS])
@pytest.mark.parametrize("changed", [0.1, 0.3])
def test_a_drop_of_exactly_the_margin_is_seldom_judged_either_way(method, changed):
    rng, plan, margin = np.random.default_rng(11), looks(method), 0.05
    odds = [(changed + margin) / 2, (changed - margin) / 2, 1 - changed]
    found = [paired_verdict(rng.choice([-1, 1, 0], size=UNITS, p=odds), margin, plan) for _ in range(RUNS)]
    assert within_promise(found.count("pass"))
    assert within_promise(found.count("fail"))


@pytest.mark.slow
@pytest.mark.parametrize("method", [Method.LOOKS, Method.ALWAYS])
def test_a_clear_difference_is_decided_early_and_rightly(method):
    rng, plan = np.random.default_rng(3), looks(method)
    found = [share_verdict(rng.random(UNITS) < 0.9, 0.75, plan) for _ in range(RUNS)]
    assert found.count("pass") >= 0.99 * RUNS
