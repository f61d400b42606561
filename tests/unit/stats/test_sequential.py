"""Looking early without fooling oneself: published boundaries and invariants of confidence sequences."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.stats import (
    PairedCounts,
    asymptotic_cs,
    bernoulli_cs,
    betting_cs,
    clopper_pearson,
    empirical_bernstein_cs,
    finite_look_levels,
    hypergeometric_interval,
    mcnemar_e_value,
    peeking_error,
    running_intersection,
    sequential_plan,
)


def test_published_boundaries():
    """Jennison & Turnbull 2000, tables 2.1 and 2.3: Pocock 2.413 and O'Brien-Fleming 2.040·sqrt(5/k)."""
    pocock = sequential_plan(5, boundary="pocock").critical
    obf = sequential_plan(5, boundary="obrien_fleming").critical
    assert [round(z, 3) for z in pocock] == [2.413] * 5
    assert [round(z * np.sqrt((k + 1) / 5), 3) for k, z in enumerate(obf)] == [2.040] * 5


def test_published_peeking_error():
    """Armitage, McPherson & Rowe 1969."""
    assert [round(peeking_error(k), 3) for k in (1, 2, 3, 5)] == [0.05, 0.083, 0.107, 0.142]


@given(st.lists(st.floats(0.05, 0.95), min_size=1, max_size=4, unique=True))
@settings(max_examples=25, deadline=None)
def test_any_looks_spend_exactly_the_promised_error(looks):
    looks = sorted(looks)
    if any(b - a < 0.02 for a, b in itertools.pairwise(looks)):
        return
    plan = sequential_plan([*looks, 1.0])
    assert plan.spent[-1] == pytest.approx(0.025, abs=1e-7)
    assert plan.characteristics(0.0).power == pytest.approx(0.025, abs=1e-7)


def test_one_look_is_the_ordinary_interval():
    plan = sequential_plan(1)
    assert plan.look_level(0) == pytest.approx(0.95, abs=1e-9)


def test_a_plan_saves_cases_when_the_effect_is_clear():
    clear = sequential_plan(4).characteristics(5.0)
    assert clear.power > 0.99
    assert clear.expected_fraction < 0.65


@pytest.mark.parametrize("looks", [[], [0.5], [0.5, 0.4, 1.0], [0.0, 1.0]])
def test_impossible_looks_are_refused(looks):
    with pytest.raises(ValueError, match="looks"):
        sequential_plan(looks)


def test_an_e_value_without_evidence_is_1():
    nothing = PairedCounts(both=5, gained=0, lost=0, neither=5)
    assert mcnemar_e_value(nothing) == pytest.approx(1.0)
    assert mcnemar_e_value(nothing, alternative="worse") == pytest.approx(1.0)


def test_expected_e_value_under_the_null_is_1():
    from scipy.stats import binom

    for alternative in ("two-sided", "worse", "better"):
        total = sum(
            binom.pmf(lost, 12, 0.5)
            * mcnemar_e_value(PairedCounts(both=0, gained=12 - lost, lost=lost, neither=0), alternative=alternative)
            for lost in range(13)
        )
        assert total == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("sequence", [betting_cs, empirical_bernstein_cs])
@given(st.lists(st.floats(0, 1), min_size=1, max_size=80))
@settings(deadline=None, max_examples=50)
def test_bounded_sequences_stay_inside_and_mirror(sequence, values):
    ci, mirrored = sequence(values), sequence([1 - v for v in values])
    assert 0.0 <= ci.low <= ci.high <= 1.0
    assert ci.low == pytest.approx(1 - mirrored.high, abs=1e-6)


def test_betting_on_differences_is_the_rescaled_interval():
    d = np.random.default_rng(5).integers(-1, 2, 60)
    plain, shifted = betting_cs((d + 1) / 2), betting_cs(d, bounds=(-1, 1))
    assert shifted.low == pytest.approx(2 * plain.low - 1)
    assert shifted.high == pytest.approx(2 * plain.high - 1)


def test_a_finished_suite_leaves_nothing_to_chance():
    x = np.random.default_rng(6).random(40)
    ci = betting_cs(x, population=40)
    assert ci.low == pytest.approx(x.mean(), abs=1e-9)
    assert ci.high == pytest.approx(x.mean(), abs=1e-9)
    exact = hypergeometric_interval(33, 40, 40)
    assert exact.low == exact.high == 33 / 40


@given(n=st.integers(1, 60), more=st.integers(0, 200), data=st.data())
def test_hypergeometric_is_sharper_than_binomial_and_contains_what_is_known(n, more, data):
    x = data.draw(st.integers(0, n))
    ci, binomial = hypergeometric_interval(x, n, n + more), clopper_pearson(x, n)
    assert ci.low <= x / n <= ci.high
    assert ci.low >= x / (n + more) - 1e-12
    assert ci.low >= binomial.low - 1.0 / (n + more)
    assert ci.high <= binomial.high + 1.0 / (n + more)


def test_hypergeometric_bounds_are_exact():
    from scipy.stats import hypergeom

    ci = hypergeometric_interval(17, 30, 120)
    low, high = round(ci.low * 120), round(ci.high * 120)
    assert hypergeom.sf(16, 120, low, 30) > 0.025 >= hypergeom.sf(16, 120, low - 1, 30)
    assert hypergeom.cdf(17, 120, high, 30) > 0.025 >= hypergeom.cdf(17, 120, high + 1, 30)


def test_levels_of_looks_at_a_finite_suite_spend_no_more_than_promised():
    levels = finite_look_levels([0.25, 0.5, 0.75, 1.0])
    assert sum(1 - level for level in levels[:-1]) <= 0.05
    assert levels[-1] == 0.95


def test_a_running_intersection_is_nested():
    rng = np.random.default_rng(8)
    x = rng.random(300)
    looks = [betting_cs(x[:t]) for t in range(20, 301, 20)]
    nested = [running_intersection(looks[: k + 1]) for k in range(len(looks))]
    assert all(a.low <= b.low and a.high >= b.high for a, b in itertools.pairwise(nested))


def test_a_bernoulli_sequence_is_wider_than_a_fixed_interval():
    assert bernoulli_cs(80, 100).low < clopper_pearson(80, 100).low
    assert bernoulli_cs(0, 10).low == 0.0
    assert bernoulli_cs(10, 10).high == 1.0


def test_asymptotic_sequence_of_too_little():
    assert asymptotic_cs([], best_at=10).notes == ("empty",)
    assert asymptotic_cs([1.0], best_at=10).low is None
