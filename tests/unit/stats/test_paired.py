"""Two runs of the same cases: published tables, identities and refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.stats import (
    PairedCounts,
    agresti_min,
    bonett_price,
    compare_paired,
    mcnemar,
    mcnemar_asymptotic,
    mcnemar_exact,
    newcombe_paired,
    noninferiority_score,
    paired_t,
    sign_flip,
    tango,
    wald_paired,
    wilcoxon,
)

# Bentur et al. as analysed by Fagerland, Lydersen & Laake 2014, Statistics in Medicine 33:2850.
BENTUR = PairedCounts(both=1, gained=1, lost=7, neither=12)
# Tango 1998: contact lens disinfection.
LENS = PairedCounts(both=43, gained=0, lost=1, neither=0)
# Fisher 1935, chapter 3: Darwin's maize.
DARWIN = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
counts = st.builds(
    PairedCounts,
    both=st.integers(0, 60),
    gained=st.integers(0, 20),
    lost=st.integers(0, 20),
    neither=st.integers(0, 60),
).filter(lambda c: c.n > 0)


@pytest.mark.parametrize(
    ("method", "low", "high"),
    [
        (tango, -0.517, -0.026),
        (newcombe_paired, -0.507, -0.026),
        (bonett_price, -0.508, -0.013),
        (wald_paired, -0.520, -0.052),
        (agresti_min, -0.493, -0.029),
    ],
)
def test_published_intervals(method, low, high):
    ci = method(BENTUR)
    assert (round(ci.low, 3), round(ci.high, 3)) == (low, high)
    assert ci.value == pytest.approx(-6 / 21)


def test_published_mcnemar_p_values():
    assert mcnemar_asymptotic(BENTUR).p_value == pytest.approx(0.0339, abs=5e-5)
    assert mcnemar_asymptotic(BENTUR, corrected=True).p_value == pytest.approx(0.0771, abs=5e-5)
    assert mcnemar_exact(BENTUR).p_value == pytest.approx(0.0703, abs=5e-5)
    assert mcnemar(BENTUR).p_value == pytest.approx(0.0391, abs=5e-5)


def test_published_noninferiority_test():
    result = noninferiority_score(LENS, 0.1)
    assert (round(result.statistic, 3), round(result.p_value, 3)) == (1.709, 0.044)


def test_published_sign_flip_count():
    assert sign_flip(DARWIN).p_value == pytest.approx(2 * 863 / 2**15, abs=1e-12)


def test_no_changed_verdict_still_has_width():
    ci = tango(PairedCounts(both=10, gained=0, lost=0, neither=0))
    assert ci.high == pytest.approx(0.2775, abs=1e-4)
    assert ci.low == -ci.high


def test_no_pairs():
    ci = tango(PairedCounts(both=0, gained=0, lost=0, neither=0))
    assert (ci.value, ci.low, ci.high, ci.notes) == (None, -1.0, 1.0, ("empty",))


@given(counts)
def test_swapping_the_runs_negates_every_interval(c):
    swapped = PairedCounts(both=c.both, gained=c.lost, lost=c.gained, neither=c.neither)
    for method in (tango, newcombe_paired, bonett_price, agresti_min, wald_paired):
        here, there = method(c), method(swapped).mapped(scale=-1.0)
        assert here.low == pytest.approx(there.low, abs=1e-9)
        assert here.high == pytest.approx(there.high, abs=1e-9)
    assert mcnemar(c).p_value == mcnemar(swapped).p_value


@given(counts)
def test_tango_lies_inside_the_possible_and_encloses_the_difference(c):
    ci = tango(c)
    assert -1.0 <= ci.low <= c.difference + 1e-12
    assert c.difference - 1e-12 <= ci.high <= 1.0


@given(counts.filter(lambda c: c.gained < 20 and c.neither > 0))
def test_one_more_gain_moves_tango_up(c):
    more = PairedCounts(both=c.both, gained=c.gained + 1, lost=c.lost, neither=c.neither - 1)
    assert tango(c).low <= tango(more).low + 1e-9
    assert tango(c).high <= tango(more).high + 1e-9


@given(counts)
def test_interval_and_score_test_never_contradict(c):
    ci, p = tango(c), mcnemar_asymptotic(c).p_value
    if abs(p - 0.05) > 1e-9:
        assert (p < 0.05) == (not ci.contains(0.0))


@given(counts, st.floats(0.005, 0.4))
def test_noninferiority_verdict_is_the_interval_s(c, margin):
    p = noninferiority_score(c, margin).p_value
    if abs(p - 0.025) > 1e-9:
        assert (p < 0.025) == (tango(c).low > -margin)


@given(counts)
def test_sign_flip_of_verdicts_is_exact_mcnemar(c):
    d = [1] * c.gained + [-1] * c.lost + [0] * (c.both + c.neither)
    assert sign_flip(d).p_value == pytest.approx(mcnemar_exact(c).p_value, abs=1e-10)


@given(st.lists(st.integers(-4, 4), min_size=1, max_size=11))
def test_sign_flip_equals_brute_force(d):
    flips = np.array(list(itertools.product((-1, 1), repeat=len(d)))) @ np.abs(d)
    for alternative, hits in (
        ("two-sided", np.abs(flips) >= abs(sum(d))),
        ("greater", flips >= sum(d)),
        ("less", flips <= sum(d)),
    ):
        assert sign_flip(d, alternative=alternative).p_value == pytest.approx(hits.mean(), abs=1e-10)


def test_sign_flip_scores_off_the_grid_need_randomness():
    d = np.random.default_rng(1).normal(size=50)
    with pytest.raises(ValueError, match="rng"):
        sign_flip(d)


@pytest.mark.parametrize("n", [60, 30_000])
def test_monte_carlo_sign_flip_agrees_with_the_t_test(n):
    rng = np.random.default_rng(3)
    d = rng.normal(size=n)
    d += -d.mean() + 1.8 * d.std() / np.sqrt(n)
    p = sign_flip(d, rng=rng, draws=4_999).p_value
    assert p == pytest.approx(paired_t(np.zeros(n), d).p_value, abs=0.02)


def test_smallest_monte_carlo_p_counts_the_data_themselves():
    d = np.random.default_rng(1).random(3000) + 1.0
    assert sign_flip(d, rng=np.random.default_rng(2), draws=99).p_value == 0.01


def test_few_pairs_are_marked():
    assert "too_few_pairs" in sign_flip([1, 2, 1, 3]).notes
    assert "too_few_pairs" in mcnemar(PairedCounts(both=1, gained=2, lost=0, neither=1)).notes


def test_wilcoxon_without_differences_is_1():
    assert wilcoxon([0, 0, 0]).p_value == 1.0


def test_compare_paired_verdicts():
    r = compare_paired([1, 1, 0, 0, 1], [1, 0, 1, 0, 1])
    assert (r.wins, r.losses, r.ties, r.difference.method) == (1, 1, 3, "tango")
    assert r.counts == PairedCounts.of([1, 1, 0, 0, 1], [1, 0, 1, 0, 1])


def test_compare_paired_grades_uses_t_and_sign_flips():
    base, cand = [1, 2, 3, 4, 5, 3], [2, 2, 4, 4, 5, 4]
    r = compare_paired(base, cand)
    assert r.difference.method == "t"
    assert r.p_value == paired_t(base, cand).p_value
    assert r.robust_p == sign_flip([1, 0, 1, 0, 0, 1]).p_value
    assert (r.p_value < 0.05) == (not r.difference.contains(0.0))


def test_compare_paired_clusters_use_cr2():
    r = compare_paired([1, 1, 0, 0, 1, 1], [1, 0, 1, 1, 1, 1], clusters=[1, 1, 2, 2, 3, 3])
    assert r.difference.method == "cluster_cr2_t"
    assert r.robust_p is None


def test_equal_grades_do_not_pass_a_gate_trivially():
    r = compare_paired([3, 4, 5, 2], [3, 4, 5, 2], bounds=(1, 5))
    assert r.difference.low < -1.0
    assert r.p_value == 1.0


def test_lengths_must_agree():
    with pytest.raises(ValueError, match="shape"):
        compare_paired([1, 0], [1])


def test_verdicts_must_be_0_or_1():
    with pytest.raises(ValueError, match="0 or 1"):
        PairedCounts.of([0.5], [1])


@given(
    d=st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.25, 1.0]), min_size=1, max_size=40),
    bounds=st.sampled_from([None, (0.0, 1.0)]),
)
def test_interval_and_p_never_contradict_for_grades(d, bounds):
    r = compare_paired(np.zeros(len(d)), d, bounds=bounds)
    if abs(r.p_value - 0.05) > 1e-9:
        assert (r.p_value < 0.05) == (not r.difference.contains(0.0))


@given(d=st.integers(-1, 1), n=st.integers(1, 60), bounds=st.sampled_from([None, (0.0, 1.0), (1.0, 5.0)]))
def test_equal_differences_are_no_proof_with_few_pairs(d, n, bounds):
    r = compare_paired(np.zeros(n), np.full(n, d / 2), bounds=bounds)
    assert (r.p_value < 0.05) == (not r.difference.contains(0.0))
    assert r.p_value > 0.05 or n >= 6


def test_few_differences_of_any_kind_are_enumerated():
    d = np.random.default_rng(1).normal(size=9)
    flips = np.array(list(itertools.product((-1, 1), repeat=9))) @ np.abs(d)
    for alternative, hits in (
        ("two-sided", np.abs(flips) >= abs(d.sum()) - 1e-12),
        ("greater", flips >= d.sum() - 1e-12),
    ):
        r = sign_flip(d, alternative=alternative)
        assert (r.p_value, r.method) == (pytest.approx(hits.mean()), "sign_flip_exact")
