"""Verdicts, multiplicity, strata, planning, preferences and success within k."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from evalwright.stats import (
    Battles,
    Interval,
    PairedCounts,
    PairedVariance,
    StratumSummary,
    adjust_p,
    attack_success_at_k,
    bound_verdict,
    bradley_terry,
    cases_to_decide,
    compare_mixes,
    estimate_at_k,
    fit_battles,
    margin_verdict,
    mcnemar_cases,
    mcnemar_detectable,
    mcnemar_power,
    paired_detectable,
    paired_sample_size,
    pass_all_k,
    pass_at_k,
    post_stratify,
    summarise_strata,
    superior,
    tango,
    tost,
    unpaired_detectable,
    win_rate,
)


def interval(low, high, n=100):
    return Interval(value=(low + high) / 2, low=low, high=high, level=0.95, method="t", n=n)


@pytest.mark.parametrize(
    ("low", "high", "verdict"),
    [
        (-0.01, 0.03, "pass"),
        (0.01, 0.03, "pass"),
        (-0.015, -0.005, "worse_within_margin"),
        (-0.05, -0.03, "fail"),
        (-0.05, -0.01, "regressed"),
        (-0.05, 0.01, "inconclusive"),
    ],
)
def test_margin_verdicts(low, high, verdict):
    assert margin_verdict(interval(low, high), 0.02) == verdict
    assert margin_verdict(interval(-high, -low), 0.02, higher_is_better=False) == verdict


def test_missing_ends_decide_nothing():
    unknown = Interval(value=0.3, low=None, high=None, level=0.95, method="t", n=1)
    assert margin_verdict(unknown, 0.02) == "inconclusive"
    assert bound_verdict(unknown, at_least=0.1) == "inconclusive"
    assert not superior(unknown)


def test_bound_verdicts_both_ways():
    assert bound_verdict(interval(0.91, 0.95), at_least=0.9) == "pass"
    assert bound_verdict(interval(0.8, 0.85), at_least=0.9) == "fail"
    assert bound_verdict(interval(0.01, 0.02), at_most=0.03) == "pass"
    assert bound_verdict(interval(0.04, 0.09), at_most=0.03) == "fail"
    with pytest.raises(ValueError, match="exactly one"):
        bound_verdict(interval(0, 1))


def test_cases_to_decide():
    assert cases_to_decide(interval(0.88, 0.92), 0.86) == 0
    assert cases_to_decide(interval(0.86, 0.94), 0.88) == 300
    assert cases_to_decide(interval(0.86, 0.94), 0.90) is None


def test_tost_agrees_with_its_interval():
    rng = np.random.default_rng(3)
    for shift in (0.0, 0.02, 0.05):
        r = tost(rng.normal(shift, 0.05, 30), -0.03, 0.03)
        assert r.equivalent == (r.interval.low > -0.03 and r.interval.high < 0.03)


def test_published_benjamini_hochberg_example():
    """Benjamini & Hochberg 1995, section 3.2: 4 of 15 rejected, 3 by Bonferroni."""
    p = [.0001, .0004, .0019, .0095, .0201, .0278, .0298, .0344, .0459, .324, .4262, .5719, .6528, .759, 1]  # fmt: skip
    assert int(np.sum(adjust_p(p, "benjamini_hochberg") <= 0.05)) == 4
    assert int(np.sum(adjust_p(p, "holm") <= 0.05)) == 3


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_ordered_and_never_smaller(p):
    bh, holm, hommel, bonf = (adjust_p(p, m) for m in ("benjamini_hochberg", "holm", "hommel", "bonferroni"))
    assert (np.array(p) <= bh + 1e-15).all()
    assert (bh <= hommel + 1e-12).all()
    assert (hommel <= holm + 1e-12).all()
    assert (holm <= bonf + 1e-12).all()


def test_published_simpson_reversal():
    """Charig et al. 1986: kidney stones, 78 % against 83 % crude; 93/87 and 73/69 within."""
    a = {"small": StratumSummary.of_counts(81, 87), "large": StratumSummary.of_counts(192, 263)}
    b = {"small": StratumSummary.of_counts(234, 270), "large": StratumSummary.of_counts(55, 80)}
    r = compare_mixes(b, a, {"small": 357, "large": 343})
    assert (round(r.crude, 3), round(r.adjusted.value, 3)) == (-0.046, 0.054)
    assert r.reversal
    assert set(r.opposed) == {"small", "large"}
    assert r.adjusted.se == pytest.approx(math.hypot(r.baseline.se, r.candidate.se))


@given(st.lists(st.tuples(st.integers(0, 1), st.sampled_from("abc")), min_size=2, max_size=40))
def test_the_sample_s_own_mix_gives_the_crude_mean(rows):
    values, labels = zip(*rows, strict=True)
    strata = summarise_strata(values, labels)
    own = post_stratify(strata, {h: s.n for h, s in strata.items()})
    assert own.value == pytest.approx(np.mean(values))


def test_a_mix_the_data_do_not_contain_is_refused():
    with pytest.raises(ValueError, match="no cases in the strata fr"):
        post_stratify({"de": StratumSummary.of([1, 0])}, {"de": 0.5, "fr": 0.5})


def test_planning_is_consistent():
    v = PairedVariance(between=0.1, within_baseline=0.1, within_candidate=0.1, trials_baseline=2, trials_candidate=2)
    n = paired_sample_size(0.03, v)
    assert paired_detectable(n, v) == pytest.approx(0.03)
    assert mcnemar_detectable(math.ceil(mcnemar_cases(0.1, 0.03)), 0.1) == pytest.approx(0.03, abs=1e-4)


def test_a_200_case_suite_cannot_see_three_points():
    assert mcnemar_detectable(200, 0.1) > 0.06
    assert mcnemar_detectable(50, 0.05) is None


def test_published_exact_power():
    """G*Power's manual, from O'Brien 2002: 0.8393."""
    assert mcnemar_power(50, 0.08, 0.32, test="exact", sides=1) == pytest.approx(0.8393, abs=1e-4)


def test_power_agrees_with_simulation():
    rng = np.random.default_rng(2)
    draws = rng.multinomial(150, [0.08, 0.2, 0.72], size=4000)
    hits = [
        not tango(PairedCounts(both=int(r), gained=int(g), lost=int(lo), neither=0)).contains(0) for g, lo, r in draws
    ]
    assert np.mean(hits) == pytest.approx(mcnemar_power(150, 0.08, 0.2, test="score"), abs=0.03)


def test_unpaired_runs_see_less():
    assert unpaired_detectable(0.85, 500) > mcnemar_detectable(500, 0.1)
    assert unpaired_detectable(0.05, 5) is None


def test_win_rate_of_ties_only():
    ci = win_rate(0, 0, 20)
    assert ci.value == 0.5
    assert ci.low < 0.45


# Stigler 1994: citations among statistics journals, as in Agresti and the BradleyTerry2 vignette.
CITATIONS = [[0, 730, 498, 221], [33, 0, 68, 17], [320, 813, 0, 142], [284, 276, 325, 0]]
JOURNALS = ["Biometrika", "Comm Statist", "JASA", "JRSS-B"]


def test_published_bradley_terry():
    fit = bradley_terry(CITATIONS, names=JOURNALS)
    assert [round(fit.difference(j, "Biometrika").value, 5) for j in JOURNALS[1:]] == [-2.94907, -0.47957, 0.26895]
    assert fit.ranking()[0] == "JRSS-B"
    assert abs(fit.strength.sum()) < 1e-9


def test_bradley_terry_from_single_battles_is_the_same():
    first, second, outcome = [], [], []
    for i, j in itertools.combinations(range(4), 2):
        for winner, count in ((1.0, CITATIONS[i][j] // 10), (0.0, CITATIONS[j][i] // 10)):
            first += [i] * count
            second += [j] * count
            outcome += [winner] * count
    matrix = np.array(CITATIONS) // 10
    rows = fit_battles(Battles.of(first, second, outcome), names=JOURNALS)
    assert np.allclose(rows.strength, bradley_terry(matrix, names=JOURNALS).strength, atol=1e-8)


def test_a_system_that_never_lost_stays_finite_and_says_so():
    fit = bradley_terry([[0, 9, 8], [0, 0, 4], [0, 3, 0]])
    assert "regularised" in fit.notes
    assert np.isfinite(fit.strength).all()


def test_systems_never_compared_are_named():
    assert "disconnected" in bradley_terry([[0, 3, 0], [2, 0, 0], [0, 0, 0]]).notes


def test_battles_of_one_case_repeated_do_not_shrink_the_error():
    rng = np.random.default_rng(4)
    y = rng.integers(0, 2, 60)
    one = fit_battles(Battles.of([0] * 60, [1] * 60, y, clusters=range(60)), names=["a", "b"])
    five = fit_battles(
        Battles.of([0] * 300, [1] * 300, np.repeat(y, 5), clusters=np.repeat(np.arange(60), 5)), names=["a", "b"]
    )
    assert five.difference("a", "b").se == pytest.approx(one.difference("a", "b").se, rel=1e-6)
    assert five.difference("a", "b").n == 60


def test_being_shown_first_is_estimated():
    rng = np.random.default_rng(5)
    first = rng.integers(0, 2, 4000)
    p = 1 / (1 + np.exp(-(np.where(first == 0, 0.4, -0.4) + 0.6)))
    won = rng.random(4000) < p
    fit = fit_battles(Battles.of(first, 1 - first, won, covariates=np.ones((4000, 1))), names=["a", "b"])
    assert fit.effect(0).contains(0.6)
    assert fit.difference("a", "b").contains(0.4)


@given(n=st.integers(1, 12), data=st.data())
def test_pass_at_k_equals_enumeration(n, data):
    c, k = data.draw(st.integers(0, n)), data.draw(st.integers(1, n))
    outcomes = [1] * c + [0] * (n - c)
    draws = list(itertools.combinations(outcomes, k))
    assert pass_at_k(n, c, k) == pytest.approx(np.mean([any(d) for d in draws]))
    assert pass_all_k(n, c, k) == pytest.approx(np.mean([all(d) for d in draws]))


def test_success_within_k_over_a_suite():
    ci = estimate_at_k([3, 10, 0, 2], [10, 10, 10, 3], 5)
    assert (ci.n, "short_cases" in ci.notes) == (3, True)
    assert ci.value == pytest.approx((pass_at_k(10, 3, 5) + 1 + 0) / 3)


def test_attacks_that_never_succeed_leave_an_upper_bound():
    ci = attack_success_at_k([0] * 30, [5] * 30, 5)
    assert (ci.value, ci.low) == (0.0, 0.0)
    assert ci.high > 0.1


@given(p1=st.floats(0.02, 0.4), delta=st.floats(0.01, 0.2))
def test_more_cases_see_smaller_differences(p1, delta):
    assume(delta < p1)
    assert mcnemar_cases(p1, delta) > mcnemar_cases(p1, min(delta * 1.2, p1)) - 1e-9
