"""Figures at a production mix: against the closed form, the crude mean and clustered errors."""

import numpy as np
import pytest

from evalwright.analysis.crossing import SliceCases
from evalwright.analysis.difference import PairOptions
from evalwright.analysis.frame import CaseFrame
from evalwright.analysis.paired import pair_rows
from evalwright.analysis.reweighting import make_mix, reweighted_figure, reweighted_interval
from evalwright.core.errors import UsageError
from evalwright.stats import cluster_mean, mean_t
from tests.unit.analysis.test_comparing import column


def places(**members):
    return [SliceCases(dimension="l", label=f"l={n}", members=np.asarray(m)) for n, m in members.items()]


def test_the_kidney_stones_turn_round_at_a_common_mix():
    # treatment A: 81/87 small, 192/263 large; B: 234/270 small, 55/80 large; the mix is 357 small to 343 large
    a = reweighted_interval(
        np.repeat([1.0, 0.0, 1.0, 0.0], [81, 6, 192, 71]),
        np.repeat([0, 1], [87, 263]),
        np.array([357.0, 343.0]),
        level=0.95,
    )
    b = reweighted_interval(
        np.repeat([1.0, 0.0, 1.0, 0.0], [234, 36, 55, 25]),
        np.repeat([0, 1], [270, 80]),
        np.array([357.0, 343.0]),
        level=0.95,
    )
    assert (a.value, b.value) == (pytest.approx(0.832546, abs=1e-6), pytest.approx(0.778875, abs=1e-6))


def test_the_samples_own_shares_give_the_crude_mean():
    rng = np.random.default_rng(0)
    values, strata = rng.random(60), rng.integers(0, 3, 60)
    shares = np.bincount(strata).astype(float)
    assert reweighted_interval(values, strata, shares, level=0.95).value == pytest.approx(values.mean())


def test_clustered_cases_take_the_linearised_cr2_errors():
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(20), 6)
    values = np.repeat(rng.normal(size=20), 6) + rng.normal(size=120) * 0.1
    strata = np.tile([0, 0, 0, 1, 1, 1], 20)
    even = np.array([1.0, 1.0])
    apart = reweighted_interval(values, strata, even, level=0.95)
    together = reweighted_interval(values, strata, even, level=0.95, clusters=clusters)
    assert together.value == pytest.approx(apart.value)
    assert together.high - together.low > 1.5 * (apart.high - apart.low)
    plain = cluster_mean(values, clusters, level=0.95)  # equal shares of equal strata: only the strata means differ
    assert together.clusters == plain.clusters == 20


def test_an_empty_stratum_has_no_figure():
    assert reweighted_interval(np.ones(3), np.zeros(3, dtype=int), np.array([0.5, 0.5]), level=0.95) is None


def test_a_paired_difference_at_the_mix():
    left, right = [1] * 10 + [0] * 10, [1] * 10 + [1] * 10
    rows = pair_rows(column(left), column(right), CaseFrame(size=20))
    mix = make_mix({"l=a": 0.9, "l=b": 0.1}, places(a=range(10), b=range(10, 20)), 20)
    figure = reweighted_figure(rows, mix, PairOptions())
    assert (figure.baseline, figure.candidate, figure.difference) == pytest.approx((0.9, 1.0, 0.1))
    assert "production mix" in figure.note
    even = make_mix({"l=a": 1, "l=b": 1}, places(a=range(10), b=range(10, 20)), 20)
    assert reweighted_figure(rows, even, PairOptions()).difference == pytest.approx(mean_t(rows.difference).value)


@pytest.mark.parametrize(
    ("shares", "message"),
    [
        ({"l=a": 0.5, "l=fr": 0.5}, "no case of l=fr"),
        ({"l=a": -1.0}, "at least 0"),
        ({"l=a": 0.0}, "all shares"),
        ({"l=a": 0.5, "l=c": 0.5}, "share no case"),
    ],
)
def test_mixes_that_cant_be_used_are_refused(shares, message):
    with pytest.raises(UsageError, match=message):
        make_mix(shares, places(a=range(5), b=range(5, 10), c=range(4, 8)), 10)


def test_cases_outside_the_mix_are_counted():
    assert make_mix({"l=a": 1.0}, places(a=range(6), b=range(6, 10)), 10).outside == 4
