"""Means: skew, clusters, repeats, percentiles, and what happens at the edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats as reference

from evalwright.stats import (
    case_means,
    cluster_errors,
    cluster_mean,
    components_from_trials,
    korn_graubard,
    logit_t,
    mean_skewed,
    mean_t,
    quantile_interval,
    skewness,
    variance_components,
)

scores = st.lists(st.floats(-100, 100), min_size=2, max_size=60)
clustered = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 6)), min_size=6, max_size=60)

# Davies 1947, six batches of dyestuff: 1764.05 between and 2451.25 within, as printed in the lme4 documentation.
DYESTUFF = [
    [1545, 1440, 1440, 1520, 1580], [1540, 1555, 1490, 1560, 1495], [1595, 1550, 1605, 1510, 1560],
    [1445, 1440, 1595, 1465, 1545], [1595, 1630, 1515, 1635, 1625], [1520, 1455, 1450, 1480, 1445],
]  # fmt: skip


def test_published_variance_components():
    v = variance_components(DYESTUFF)
    assert (round(v.between, 2), round(v.within, 2)) == (1764.05, 2451.25)


@given(scores)
def test_student_agrees_with_scipy(x):
    ci = mean_t(x)
    if ci.se > 1e-6:
        expected = reference.t.interval(0.95, len(x) - 1, np.mean(x), reference.sem(x))
        assert (ci.low, ci.high) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(scores)
def test_the_skew_correction_mirrors_with_the_data(x):
    ci, mirrored = mean_skewed(x), mean_skewed([-v for v in x])
    assert ci.low == pytest.approx(-mirrored.high, abs=1e-6)
    assert ci.low <= ci.value + 1e-9
    assert ci.high >= ci.value - 1e-9


def test_without_skew_the_correction_is_student():
    x = [1.0, 2.0, 3.0, 4.0, 5.0]
    assert mean_skewed(x).low == pytest.approx(mean_t(x).low)


def test_the_skew_correction_is_the_bca_bootstrap():
    x = np.random.default_rng(2).exponential(size=3000)
    boot = reference.bootstrap((x,), np.mean, n_resamples=9999, method="BCa", rng=np.random.default_rng(3))
    ci, width = mean_skewed(x), mean_t(x).width
    assert ci.low == pytest.approx(boot.confidence_interval.low, abs=0.02 * width)
    assert ci.high == pytest.approx(boot.confidence_interval.high, abs=0.02 * width)


def test_long_right_tails_move_both_ends_up():
    x = np.random.default_rng(1).exponential(size=100)
    assert mean_skewed(x).low > mean_t(x).low
    assert mean_skewed(x).high > mean_t(x).high


def test_skewness_of_constants_is_0():
    assert skewness([0.1] * 30) == 0.0
    assert skewness([]) == 0.0


@given(clustered)
def test_duplicating_every_case_in_its_cluster_changes_no_error(rows):
    y, g = zip(*rows, strict=True)
    if len(set(g)) < 2:
        return
    once, twice = cluster_errors(y, g), cluster_errors(y * 2, g * 2)
    for name in ("cr0", "cr1", "cr2"):
        assert getattr(twice, name) == pytest.approx(getattr(once, name), abs=1e-12)


@given(clustered)
def test_clusters_of_one_are_independent_cases(rows):
    y = [v for v, _ in rows]
    errors = cluster_errors(y, range(len(y)))
    assert errors.cr1 == pytest.approx(errors.naive, abs=1e-12)
    assert errors.cr2 == pytest.approx(errors.naive, abs=1e-12)
    assert errors.cr2_df == pytest.approx(len(y) - 1)


@given(clustered, st.sampled_from([korn_graubard, logit_t]))
def test_bounded_cluster_intervals_stay_bounded(rows, method):
    y, g = zip(*rows, strict=True)
    ci = method(y, g)
    assert 0.0 <= ci.low <= ci.value + 1e-12
    assert ci.value - 1e-12 <= ci.high <= 1.0


@given(clustered)
def test_relabelling_clusters_changes_nothing(rows):
    y, g = zip(*rows, strict=True)
    assert korn_graubard(y, g) == korn_graubard(y, [f"document {k}" for k in g])


@pytest.mark.parametrize("labels", [["a", 1, None, ("x",)], [1.5, 2.5, 3.5, 4.5], np.array([3, 1, 2, 9])])
def test_any_hashable_label_makes_a_cluster(labels):
    assert cluster_mean([1, 0, 1, 1], labels).clusters == 4


def test_everything_passed_is_not_certainty_about_clusters():
    ci = korn_graubard([1] * 40, np.arange(40) // 10)
    assert ci.low < 0.4
    assert set(ci.notes) == {"no_variation", "few_clusters"}


def test_negative_cluster_correlation_does_not_invent_cases():
    ci = korn_graubard([1, 0] * 20, np.arange(40) // 2)
    assert "capped" in ci.notes


def test_one_cluster_has_no_ends():
    ci = cluster_mean([1, 0, 1], ["d"] * 3)
    assert (ci.low, ci.high, ci.notes) == (None, None, ("one_cluster",))
    with pytest.raises(ValueError, match="two clusters"):
        cluster_errors([1, 0], ["d", "d"])


def test_labels_must_fit_the_values():
    with pytest.raises(ValueError, match="expected 3 labels, got 2"):
        cluster_mean([1, 0, 1], ["a", "b"])
    with pytest.raises(ValueError, match="NaN"):
        cluster_mean([1, 0, 1], np.array([1.0, math.nan, 2.0]))


def test_rates_outside_0_and_1_are_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        korn_graubard([1, 2], [1, 2])


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.floats(0, 1)), min_size=1, max_size=40))
def test_case_means_average_within_the_case(rows):
    units, values = zip(*rows, strict=True)
    c = case_means(values, units)
    for i, name in enumerate(sorted(set(units))):
        assert c.means[i] == pytest.approx(np.mean([v for u, v in rows if u == name]))
    assert c.trials == len(rows)


def test_uneven_trials_agree_with_the_balanced_formula():
    units = np.repeat(np.arange(6), 5)
    uneven, even = components_from_trials(np.ravel(DYESTUFF), units), variance_components(DYESTUFF)
    for name in ("between", "within", "msb", "msw", "se", "mean"):
        assert getattr(uneven, name) == pytest.approx(getattr(even, name))


def test_more_cases_help_where_more_trials_stop_helping():
    v = variance_components(DYESTUFF)
    assert v.planned_se(trials=1000) > v.planned_se(trials=5, cases=12)
    with pytest.raises(ValueError, match="positive"):
        v.planned_se(trials=0)


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200), st.floats(0.01, 0.99))
@settings(max_examples=60)
def test_percentile_intervals_enclose_the_percentile(x, q):
    ci = quantile_interval(x, q)
    assert ci.low is None or ci.low <= ci.value + 1e-6
    assert ci.high is None or ci.high >= ci.value - 1e-6


def test_percentiles_beyond_the_sample_have_no_upper_end():
    ci = quantile_interval(range(50), 0.99)
    assert (ci.high, ci.notes) == (None, ("open_high",))


def test_percentile_ranks_have_the_promised_probability():
    ci = quantile_interval(range(1, 201), 0.95)
    low, high = int(ci.low), int(ci.high)
    covered = reference.binom.cdf(high - 1, 200, 0.95) - reference.binom.cdf(low - 1, 200, 0.95)
    assert covered >= 0.95


def test_clustered_percentiles_are_wider():
    rng = np.random.default_rng(5)
    x = np.repeat(rng.exponential(size=40), 10) + 0.01 * rng.random(400)
    plain, clustered = quantile_interval(x, 0.5), quantile_interval(x, 0.5, clusters=np.arange(400) // 10)
    assert clustered.high - clustered.low > 1.5 * (plain.high - plain.low)


def test_an_interval_can_be_turned_round():
    ci = mean_t([0.2, 0.4, 0.9])
    cost = ci.mapped(scale=-2.0, offset=1.0)
    assert (cost.low, cost.high) == (1 - 2 * ci.high, 1 - 2 * ci.low)
    assert cost.se == 2 * ci.se
    assert cost.mapped(scale=-0.5, offset=0.5).low == pytest.approx(ci.low)
