"""Drift, change points, correlation, cases, attribution, experiments and small samples."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as reference

from evalwright.stats import (
    PairedCounts,
    aliases,
    attribute,
    beta_posterior,
    bin_counts,
    category_drift,
    change_point,
    change_points,
    changed_p_values,
    cusum,
    factorial_effects,
    fit_2pl,
    flip_rate,
    full_design,
    half_fraction,
    item_statistics,
    jaccard,
    jensen_shannon,
    kendall,
    lin_ccc,
    mmd_test,
    number_drift,
    paired_posterior,
    pairwise_accuracy,
    pearson,
    probability_better,
    psi,
    psi_chance,
    quantile_bins,
    shapley_sampled,
    shingles,
    spearman,
    subset_estimate,
    subsets,
    tarone,
)

counts = st.lists(st.integers(1, 100), min_size=2, max_size=8)


@given(st.data(), st.integers(2, 8))
def test_distances_are_symmetric_and_0_for_equals(data, bins):
    p, q = (data.draw(st.lists(st.integers(1, 100), min_size=bins, max_size=bins)) for _ in range(2))
    assert psi(p, q) == pytest.approx(psi(q, p))
    assert jensen_shannon(p, q) == pytest.approx(jensen_shannon(q, p))
    assert psi(p, p) == pytest.approx(0.0)
    assert jensen_shannon(p, p) == pytest.approx(0.0)
    assert 0.0 <= jensen_shannon(p, q, base=2) <= 1.0


def test_psi_without_drift_stays_below_its_chance_level():
    rng = np.random.default_rng(2)
    edges = quantile_bins(rng.normal(size=20_000))
    sizes = [psi(bin_counts(rng.normal(size=500), edges), bin_counts(rng.normal(size=500), edges)) for _ in range(400)]
    assert np.mean(np.array(sizes) > psi_chance(500, 500, 10)) == pytest.approx(0.05, abs=0.04)


def test_category_drift_is_pearson_s_chi_square():
    r = category_drift([50, 30, 15, 5], [40, 30, 20, 10])
    expected = reference.chi2_contingency([[50, 30, 15, 5], [40, 30, 20, 10]])
    assert (r.chi2, r.p_value) == pytest.approx((expected.statistic, expected.pvalue))


def test_number_drift_sees_a_shift():
    rng = np.random.default_rng(1)
    r = number_drift(rng.normal(size=200), rng.normal(0.8, 1, 200))
    assert r.ks_p < 0.001
    assert r.shift == pytest.approx(0.8, abs=0.3)


def test_mmd_sees_a_moved_cloud_and_not_a_resampled_one():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(60, 5)), rng.normal(size=(60, 5))
    assert mmd_test(x, y + 1.0, rng=rng, permutations=199).p_value == 0.005
    assert mmd_test(x, y, rng=rng, permutations=199).p_value > 0.05


def test_published_change_of_the_nile():
    """Cobb 1978: annual flow 1871-1970 falls after 1898."""
    flow = [
        1120, 1160, 963, 1210, 1160, 1160, 813, 1230, 1370, 1140, 995, 935, 1110, 994, 1020, 960, 1180, 799, 958, 1140,
        1100, 1210, 1150, 1250, 1260, 1220, 1030, 1100, 774, 840, 874, 694, 940, 833, 701, 916, 692, 1020, 1050, 969,
    ]  # fmt: skip
    found = change_point(flow)
    assert 1871 + found.index == 1899
    assert found.p_value < 0.01
    assert change_points(flow) == [28]


@given(st.lists(st.integers(0, 9), min_size=4, max_size=11), st.floats(0.5, 20))
def test_pelt_is_the_exact_optimum(values, penalty):
    x = np.array(values, dtype=float)

    def cost(cuts):
        parts = np.split(x, cuts)
        return sum(((p - p.mean()) ** 2).sum() for p in parts) + penalty * len(cuts)

    n = len(x)
    options = [c for k in range(n // 2) for c in itertools.combinations(range(2, n - 1), k)]
    best = min(cost(c) for c in options if all(b - a >= 2 for a, b in itertools.pairwise([0, *c, n])))
    assert cost(change_points(values, penalty=penalty)) == pytest.approx(best, abs=1e-9)


def test_cusum_watches_one_side():
    x = [0.0] * 5 + [2.0] * 5
    assert cusum(x, target=0, sigma=1).alarm is None
    assert cusum(x, target=0, sigma=1, downward=False).alarm == 7
    with pytest.raises(ValueError, match="sigma"):
        cusum(x, target=0, sigma=0)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=6, max_size=30))
def test_correlations_agree_with_scipy(rows):
    x, y = zip(*rows, strict=True)
    if len(set(x)) < 2 or len(set(y)) < 2:
        assert pearson(x, y).value is None
        return
    assert pearson(x, y).value == pytest.approx(reference.pearsonr(x, y).statistic)
    assert spearman(x, y).value == pytest.approx(reference.spearmanr(x, y).statistic)
    assert kendall(x, y).value == pytest.approx(reference.kendalltau(x, y).statistic)


def test_three_releases_bound_no_correlation():
    ci = pearson([1, 2, 3], [2, 3, 5])
    assert (ci.low, ci.high, ci.notes) == (-1.0, 1.0, ("too_few_pairs",))


def test_concordance_punishes_a_shift_that_correlation_forgives():
    x = np.linspace(0, 1, 20)
    noise = 0.02 * np.random.default_rng(1).normal(size=20)
    assert pearson(x, x + 0.5 + noise).value > 0.99
    assert lin_ccc(x, x + 0.5 + noise).value < 0.6
    assert pairwise_accuracy([1.0, 2.0], [3.0, 3.0]) is None


def test_item_rest_correlation_finds_the_wrong_label():
    rng = np.random.default_rng(4)
    skill = rng.normal(size=(200, 1))
    x = (rng.random((200, 8)) < 1 / (1 + np.exp(-2 * (skill - np.linspace(-1, 1, 8))))).astype(float)
    x[:, 5] = 1 - x[:, 5]
    s = item_statistics(x)
    assert int(np.argmin(s.item_rest)) == 5
    assert s.item_rest[5] < 0


def test_items_everybody_passes_have_no_correlation():
    s = item_statistics([[1, 0], [1, 1], [1, 0]])
    assert s.item_rest[0] is None


def test_flaky_and_changed_cases_are_told_apart():
    p = changed_p_values(([8, 4, 8], [8, 8, 8]), ([0, 4, 8], [8, 8, 8]))
    assert p[0] < 0.001
    assert p[1] > 0.5
    assert p[2] == pytest.approx(0.5)
    assert flip_rate([8, 4], [8, 8])[1] > 0.5


def test_fisher_agrees_with_scipy():
    for table in ([[3, 5], [6, 2]], [[1, 9], [11, 3]]):
        (a, b), (c, d) = table
        p = changed_p_values(([a], [a + b]), ([c], [c + d]), kind="exact")[0]
        assert p == pytest.approx(reference.fisher_exact(table).pvalue)


def test_tarone_needs_variation():
    with pytest.raises(ValueError, match="passes and failures"):
        tarone([3, 3], [3, 3])


def test_2pl_recovers_what_made_the_data():
    rng = np.random.default_rng(8)
    a, b = np.array([0.8, 1.5, 2.0, 1.0]), np.array([-1.0, 0.0, 0.5, 1.5])
    x = rng.random((4000, 4)) < 1 / (1 + np.exp(-a * (rng.normal(size=(4000, 1)) - b)))
    fit = fit_2pl(x)
    assert fit.difficulty == pytest.approx(b, abs=0.2)
    assert fit.discrimination == pytest.approx(a, rel=0.25)


def test_history_sharpens_a_subset():
    rng = np.random.default_rng(3)
    history = rng.random(1000)
    truth = (rng.random(1000) < history).astype(float)
    picked = rng.permutation(1000)[:150]
    ci = subset_estimate(truth[picked], history[picked], history)
    plain = truth[picked].std(ddof=1) / np.sqrt(150)
    assert ci.se < 0.9 * plain
    assert ci.contains(truth.mean())
    assert subset_estimate(truth, history, history).width == pytest.approx(0.0, abs=1e-12)


def test_likeness_of_texts():
    assert jaccard(shingles("a b", 3), shingles("a b", 3)) == 1.0
    assert jaccard(shingles("", 2), shingles("a b", 2)) == 0.0


@given(st.lists(st.floats(-1, 1), min_size=8, max_size=8))
def test_shapley_values_add_up_and_are_fair(values):
    table = dict(zip(subsets("abc"), values, strict=True))
    r = attribute("abc", table)
    assert sum(r.shapley.values()) == pytest.approx(float(r.total), abs=1e-9)
    sampled = shapley_sampled("abc", table.__getitem__, permutations=5, rng=np.random.default_rng(1))
    assert sum(sampled.values()) == pytest.approx(float(r.total), abs=1e-9)


def test_shapley_values_per_case_average_to_the_whole():
    rng = np.random.default_rng(2)
    table = {s: rng.random(30) for s in subsets("ab")}
    means = attribute("ab", {s: v.mean() for s, v in table.items()})
    assert attribute("ab", table).shapley["a"].mean() == pytest.approx(float(means.shapley["a"]))


def test_a_missing_configuration_is_named():
    with pytest.raises(ValueError, match=r"1 configurations are missing.*'b'"):
        attribute("ab", {frozenset(s): 0.0 for s in ("", "a", "ab")})


def test_published_pilot_plant():
    """Box, Hunter & Hunter 1978, chapter 10."""
    design = full_design(3)[:, ::-1]
    r = factorial_effects(design, [60, 72, 54, 68, 52, 83, 45, 80], "TCK", order=3)
    assert {k: ci.value for k, ci in r.effects.items()} == {
        "T": 23.0, "C": -5.0, "K": 1.5, "TC": 1.5, "TK": 10.0, "CK": 0.0, "TCK": 0.5,
    }  # fmt: skip


def test_effects_over_the_same_cases_cancel_difficulty():
    rng = np.random.default_rng(5)
    design = full_design(2)
    scores = rng.normal(0, 5, 200)[None, :] + design[:, :1] * 0.5 + 0.1 * rng.normal(size=(4, 200))
    r = factorial_effects(design, scores, ["prompt", "model"])
    assert r.effects["prompt"].contains(1.0)
    assert r.effects["prompt"].width < 0.1
    assert set(r.effects) == {"prompt", "model", "prompt:model"}


def test_a_half_fraction_of_five_keeps_pairs_clear():
    assert aliases(half_fraction(5), "ABCDE") == []
    assert ("A", "BC") in aliases(half_fraction(3), "ABC")


def test_an_unbalanced_design_is_refused():
    with pytest.raises(ValueError, match="as many runs"):
        factorial_effects([[1, 1], [1, -1], [-1, 1]], [1, 2, 3], "AB")


@given(st.integers(0, 15), st.integers(0, 15))
def test_being_better_and_being_worse_share_the_probability(x, y):
    assert probability_better((x, 15), (y, 15)) + probability_better((y, 15), (x, 15)) == pytest.approx(1.0)


def test_posterior_agrees_with_sampling():
    rng = np.random.default_rng(1)
    draws = rng.dirichlet([31, 6, 3, 14], size=200_000)
    d = draws[:, 1] - draws[:, 2]
    r = paired_posterior(PairedCounts(both=30, gained=5, lost=2, neither=13))
    assert r.better == pytest.approx((d > 0).mean(), abs=0.005)
    assert (r.difference.low, r.difference.high) == pytest.approx(np.quantile(d, [0.025, 0.975]), abs=0.003)
    assert beta_posterior(0, 0).value == 0.5
