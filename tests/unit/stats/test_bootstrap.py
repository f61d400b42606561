"""The bootstrap: right on average, on every path of its engine, and repeatable from its seed."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.stats import (
    bootstrap,
    bootstrap_corpus,
    bootstrap_mean,
    bootstrap_stratified_mean,
    bootstrap_weighted,
    cluster_errors,
    mean_skewed,
    resampling,
)


def generator(seed=1):
    return np.random.default_rng(seed)


PATHS = {
    "few distinct values": generator().integers(0, 5, 4000).astype(float),
    "drawn one by one": generator().exponential(size=3000),
    "grouped": generator().exponential(size=40_000),
}


@pytest.mark.parametrize("path", PATHS)
def test_standard_error_is_the_ideal_one(path):
    x = PATHS[path]
    ci = bootstrap_mean(x, rng=generator(2), resamples=4000)
    ideal = x.std() / np.sqrt(len(x))
    assert ci.se == pytest.approx(ideal, rel=0.06)
    assert ("binned" in ci.notes) == (path == "grouped")


@pytest.mark.parametrize("path", PATHS)
def test_ends_agree_with_the_closed_form(path):
    x = PATHS[path]
    ci, closed = bootstrap_mean(x, rng=generator(3), resamples=10_000, kind="bca"), mean_skewed(x)
    assert ci.low == pytest.approx(closed.low, abs=0.05 * closed.width)
    assert ci.high == pytest.approx(closed.high, abs=0.05 * closed.width)


def test_grouping_keeps_the_covariance_of_columns():
    rows = generator(5).normal(size=(30_000, 2)) @ np.array([[1.0, 0.8], [0.0, 0.6]])
    sums = resampling.resampled_sums(rows, 5000, generator(6))
    assert sums.binned
    expected = np.cov(rows.T, ddof=0) * len(rows)
    assert np.cov(sums.sums.T) == pytest.approx(expected, rel=0.08)
    assert sums.sums.mean(axis=0) == pytest.approx(rows.sum(axis=0), abs=4 * np.sqrt(len(rows) / 5000))


def test_same_seed_same_interval():
    x = PATHS["drawn one by one"]
    first, again = (bootstrap_mean(x, rng=generator(9), resamples=500) for _ in range(2))
    assert first == again
    assert first.seed == 9


def test_an_unseeded_generator_records_no_seed():
    assert bootstrap_mean([1, 0, 1], rng=np.random.default_rng(), resamples=50).seed is None


def test_a_paired_difference_cancels_what_the_runs_share():
    rng = generator(4)
    difficulty = rng.normal(size=500)
    a, b = difficulty + 0.1 * rng.normal(size=500), difficulty + 0.2 + 0.1 * rng.normal(size=500)
    paired = bootstrap((a, b), lambda x, y: (y - x).mean(axis=1), rng=rng, resamples=2000)
    assert paired.width < 0.06
    assert paired.contains(0.2)


def test_a_corpus_statistic_of_two_runs_is_resampled_jointly():
    rng = generator(8)
    a = rng.integers(0, 2, (400, 2)).astype(float)
    same = bootstrap_corpus(np.hstack([a, a]), lambda s: ratio(s[..., 2:]) - ratio(s[..., :2]), rng=rng, resamples=300)
    assert (same.low, same.high, same.notes) == (0.0, 0.0, ("degenerate",))


def ratio(sums):
    return sums[..., 0] / np.maximum(sums.sum(axis=-1), 1e-12)


def test_clusters_are_drawn_whole():
    rng = generator(3)
    effect = np.repeat(rng.normal(size=60), 8)
    y, g = effect + 0.1 * rng.normal(size=480), np.repeat(np.arange(60), 8)
    ci = bootstrap_mean(y, rng=rng, clusters=g, resamples=4000)
    assert ci.se == pytest.approx(cluster_errors(y, g).cr0, rel=0.1)
    assert (ci.clusters, ci.method) == (60, "cluster_bootstrap_percentile")


def test_weights_and_sums_give_the_same_cluster_bootstrap():
    rng = generator(3)
    y, g = rng.random(200), np.arange(200) // 5
    weighted = bootstrap_weighted(200, lambda w: w @ y / w.sum(axis=1), rng=rng, clusters=g, resamples=4000, kind="bca")
    sums = bootstrap_mean(y, rng=rng, clusters=g, resamples=4000, kind="bca")
    assert weighted.low == pytest.approx(sums.low, abs=0.1 * sums.width)
    assert weighted.high == pytest.approx(sums.high, abs=0.1 * sums.width)


def test_a_median_has_an_interval():
    x = generator(2).exponential(size=200)
    ci = bootstrap(x, lambda s: np.median(s, axis=1), rng=generator(3), resamples=2000, kind="bca")
    assert ci.low < np.median(x) < ci.high


def test_undefined_resamples_are_left_out_and_said():
    rows = [[0.0, 1.0]] * 3 + [[1.0, 0.0]] * 1
    ci = bootstrap_corpus(rows, lambda s: np.where(s[..., 0] > 0, s[..., 1], np.nan), rng=generator(), resamples=400)
    assert "undefined_resamples" in ci.notes
    assert ci.resamples < 400


def test_a_statistic_undefined_on_the_data_is_refused():
    with pytest.raises(ValueError, match="undefined"):
        bootstrap_corpus([[1.0]], lambda s: np.full(s.shape[:-1], np.nan), rng=generator())


def test_a_statistic_of_the_wrong_shape_is_refused():
    with pytest.raises(ValueError, match="one per resample"):
        bootstrap([1.0, 2.0], lambda s: s.mean(), rng=generator(), resamples=10)


@pytest.mark.parametrize("call", [
    lambda: bootstrap_mean([], rng=generator()),
    lambda: bootstrap_mean([1.0], rng=generator(), resamples=0),
    lambda: bootstrap(([1.0, 2.0], [1.0]), lambda a, b: a[:, 0], rng=generator()),
])  # fmt: skip
def test_impossible_requests_are_refused(call):
    with pytest.raises(ValueError, match=r"rows|resamples|length"):
        call()


def test_stratified_resampling_keeps_the_mix():
    values, labels = [1] * 50 + [0] * 50, ["a"] * 50 + ["b"] * 50
    ci = bootstrap_stratified_mean(values, labels, rng=generator(), resamples=200)
    assert (ci.low, ci.high) == (0.5, 0.5)
    mixed = bootstrap_stratified_mean(values, labels, rng=generator(), resamples=200, weights={"a": 3, "b": 1})
    assert mixed.value == 0.75


@given(st.lists(st.integers(0, 4), min_size=2, max_size=40))
@settings(max_examples=25, deadline=None)
def test_replicates_stay_between_the_extremes(x):
    ci = bootstrap_mean(x, rng=generator(), resamples=200)
    assert min(x) <= ci.low <= ci.high <= max(x)
