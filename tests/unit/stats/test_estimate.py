"""The door that picks the interval: each situation gets the method the table promises."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.stats import cluster_mean, estimate_mean, korn_graubard, mean_skewed, mean_t, wilson


def test_verdicts_get_wilson():
    assert estimate_mean([1, 1, 0, 1], kind="proportion") == wilson(3, 4)


def test_booleans_are_verdicts():
    assert estimate_mean([True, False, True], kind="proportion").value == pytest.approx(2 / 3)


def test_trials_are_averaged_before_anything_else():
    ci = estimate_mean([1, 0, 1, 1, 1, 1], kind="proportion", units=list("aabbbc"))
    assert (ci.n, ci.trials, ci.clusters, ci.method) == (3, 6, None, "korn_graubard")
    assert ci.value == pytest.approx((0.5 + 1 + 1) / 3)


def test_clustered_verdicts_get_a_bounded_interval():
    y, g = [1, 0, 1, 1, 1, 1, 0, 1, 1, 1], [1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    assert estimate_mean(y, kind="proportion", clusters=g) == korn_graubard(y, g)


def test_graded_scores_get_student_then_the_skew_corrected_interval():
    rng = np.random.default_rng(4)
    flat, skewed = rng.random(40), rng.exponential(size=40)
    assert estimate_mean(flat) == mean_t(flat)
    assert estimate_mean(skewed) == mean_skewed(skewed)


def test_graded_scores_in_clusters_get_cr2():
    y, g = [0.2, 0.4, 0.6, 0.9, 0.5, 0.1], [1, 1, 2, 2, 3, 3]
    assert estimate_mean(y, clusters=g) == cluster_mean(y, g)
    assert "few_clusters" in estimate_mean(y, clusters=g).notes


def test_clusters_of_one_case_are_independent_cases():
    ci = estimate_mean([1, 0, 1, 1], kind="proportion", clusters=["a", "b", "c", "d"])
    assert (ci.method, ci.clusters) == ("wilson", 4)


def test_equal_scores_with_bounds_do_not_pretend_to_certainty():
    ci = estimate_mean([5.0] * 20, bounds=(1, 5))
    assert ci.high == 5.0
    assert ci.low == pytest.approx(1 + 4 * wilson(20, 20).low)
    assert "no_variation" in ci.notes


def test_equal_scores_without_bounds_say_so():
    ci = estimate_mean([3.0] * 20)
    assert (ci.low, ci.high, ci.notes) == (3.0, 3.0, ("no_variation",))


def test_ends_stay_inside_the_bounds():
    ci = estimate_mean([1, 1, 1, 0.2], bounds=(0, 1))
    assert ci.high == 1.0
    assert "clipped" in ci.notes


@pytest.mark.parametrize("bounds", [None, (0, 1)])
def test_nothing_measured(bounds):
    ci = estimate_mean([], bounds=bounds)
    assert (ci.value, ci.n, ci.notes) == (None, 0, ("empty",))
    assert (ci.low, ci.high) == (bounds or (None, None))


def test_one_value_bounds_nothing():
    ci = estimate_mean([0.7])
    assert (ci.value, ci.low, ci.high, ci.notes) == (0.7, None, None, ("single_value",))
    assert estimate_mean([0.7], bounds=(0, 1)).low == 0


def test_one_verdict_is_a_wilson_interval():
    assert estimate_mean([1], kind="proportion") == wilson(1, 1)


def test_one_cluster_says_nothing_about_others():
    ci = estimate_mean([1, 0, 1], kind="proportion", clusters=["d", "d", "d"])
    assert (ci.low, ci.high, ci.notes) == (0.0, 1.0, ("one_cluster",))


@pytest.mark.parametrize("bad", [math.nan, None, math.inf])
def test_missing_scores_are_refused_not_averaged(bad):
    with pytest.raises(ValueError, match="index"):
        estimate_mean([1.0, bad, 0.0])


def test_a_value_outside_the_bounds_is_refused():
    with pytest.raises(ValueError, match="outside the bounds"):
        estimate_mean([0.5, 1.5], kind="proportion")


def test_a_case_in_two_clusters_is_refused():
    with pytest.raises(ValueError, match="different clusters"):
        estimate_mean([1, 0, 1], units=["a", "a", "b"], clusters=[1, 2, 2])


@given(
    values=st.lists(st.floats(0, 1), min_size=2, max_size=60),
    repeats=st.integers(1, 4),
)
def test_identical_trials_change_nothing(values, repeats):
    once = estimate_mean(values, units=range(len(values)), bounds=(0, 1))
    units = np.repeat(np.arange(len(values)), repeats)
    again = estimate_mean(np.repeat(values, repeats), units=units, bounds=(0, 1))
    assert again.value == pytest.approx(once.value, abs=1e-9)
    assert again.low == pytest.approx(once.low, abs=1e-7)
    assert again.high == pytest.approx(once.high, abs=1e-7)


@given(st.lists(st.tuples(st.integers(0, 1), st.integers(0, 5)), max_size=50))
def test_nothing_is_ever_nan_and_proportions_stay_inside_their_bounds(rows):
    ci = estimate_mean([v for v, _ in rows], kind="proportion", clusters=[g for _, g in rows])
    assert 0.0 <= ci.low <= ci.high <= 1.0
    assert ci.value is None or ci.low - 1e-12 <= ci.value <= ci.high + 1e-12
