"""Two runs of the same cases with graded (or averaged) scores: the mean difference and its tests."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import Alternative, FloatArray, as_vector, same_length
from evalwright.stats._dist import t_p_value, z_cdf, z_two_sided
from evalwright.stats.clusters import cluster_mean
from evalwright.stats.means import mean_t
from evalwright.stats.paired_binary import PairedCounts, mcnemar, mcnemar_asymptotic, tango
from evalwright.stats.proportions import unvaried_ends
from evalwright.stats.records import Interval, TestResult
from evalwright.stats.signflip import sign_flip


def paired_differences(baseline: npt.ArrayLike, candidate: npt.ArrayLike) -> FloatArray:
    """Candidate minus baseline per case.

    Raises:
        ValueError: lengths that differ, or NaN. Leave out cases that one run did not score, and count them.

    >>> paired_differences([0.5, 1.0], [1.0, 1.0]).tolist()
    [0.5, 0.0]
    """
    a, b = as_vector(baseline, "baseline"), as_vector(candidate, "candidate")
    same_length(a, b, ("baseline", "candidate"))
    return b - a


def paired_t(
    baseline: npt.ArrayLike,
    candidate: npt.ArrayLike,
    *,
    clusters: Any | None = None,
    alternative: Alternative = "two-sided",
) -> TestResult:
    """Paired t-test on per-case differences; with clusters, CR2 and Satterthwaite's degrees of freedom.

    Of the same family as the interval of `compare_paired`: two-sided p < 1 - level exactly when it excludes 0.

    Raises:
        ValueError: lengths that differ, or NaN.

    >>> round(paired_t([1, 2, 3, 4], [2, 2, 5, 4]).p_value, 4)
    0.2152
    """
    d = paired_differences(baseline, candidate)
    ci = _mean_interval(d, clusters, 0.95)
    return _t_test(ci, alternative)


def _mean_interval(d: FloatArray, clusters: Any | None, level: float) -> Interval:
    return mean_t(d, level=level) if clusters is None else cluster_mean(d, clusters, level=level)


def _t_test(ci: Interval, alternative: Alternative) -> TestResult:
    method = "paired_t" if ci.clusters is None else "paired_t_cr2"
    notes = ci.notes + (("too_few_pairs",) if ci.n < 5 else ())
    value = ci.value or 0.0
    if ci.se is None or ci.df is None:
        return TestResult(p_value=1.0, statistic=0.0, method=method, alternative=alternative, n=ci.n, notes=notes)
    if ci.se == 0.0:
        p = _sign_p(value, ci.clusters or ci.n, alternative)
        return TestResult(p_value=p, statistic=0.0, method=method, alternative=alternative, n=ci.n, notes=notes)
    t = value / ci.se
    p = t_p_value(t, ci.df, alternative)
    return TestResult(p_value=p, statistic=t, method=method, alternative=alternative, n=ci.n, notes=notes)


def _sign_p(value: float, n: int, alternative: Alternative) -> float:
    """P-value of n equal differences by their signs alone: 2^(1-n) two-sided, 1 when they are 0."""
    if value == 0.0:
        return 1.0
    if alternative == "two-sided":
        return min(1.0, 2.0 ** (1 - n))
    return 2.0**-n if (value > 0.0) == (alternative == "greater") else 1.0


def wilcoxon(
    differences: npt.ArrayLike,
    *,
    zeros: Literal["wilcox", "pratt", "zsplit"] = "zsplit",
    alternative: Alternative = "two-sided",
) -> TestResult:
    """Wilcoxon's signed-rank test (scipy's). With tied grades prefer `sign_flip`: it tests the mean itself.

    Args:
        differences: candidate minus baseline per case.
        zeros: what to do with zero differences; "zsplit" splits them between the signs.
        alternative: "two-sided", "greater" or "less".

    Raises:
        ValueError: NaN.

    >>> darwin = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
    >>> round(wilcoxon(darwin).p_value, 6)
    0.04126
    """
    from scipy import stats

    d = as_vector(differences, "differences")
    if len(d) == 0 or not d.any():
        return TestResult(p_value=1.0, statistic=0.0, method="wilcoxon", alternative=alternative, n=len(d))
    result = stats.wilcoxon(d, zero_method=zeros, alternative=alternative)
    notes = ("too_few_pairs",) if np.count_nonzero(d) < 5 else ()
    return TestResult(
        p_value=float(result.pvalue), statistic=float(result.statistic), method=f"wilcoxon_{zeros}",
        alternative=alternative, n=len(d), notes=notes,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedComparison:
    """Candidate against baseline over the same cases.

    Attributes:
        baseline: mean of the baseline; None without pairs.
        candidate: mean of the candidate; None without pairs.
        difference: candidate minus baseline, with the interval.
        p_value: two-sided p of the same family as the interval, so that the two never contradict each other.
        robust_p: p of a test with weaker assumptions: McNemar's mid-p for verdicts, sign flips for grades; None
            for clustered cases and when it would need randomness that was not given.
        effect: difference in units of its standard deviation over cases (Cohen's dz); None when nothing varies.
        wins: cases where the candidate scored higher.
        losses: cases where it scored lower.
        ties: cases with equal scores.
        correlation: correlation of the two runs over cases; None when one does not vary.
        counts: the four counts, for verdicts.
    """

    baseline: float | None
    candidate: float | None
    difference: Interval
    p_value: float
    robust_p: float | None
    effect: float | None
    wins: int
    losses: int
    ties: int
    correlation: float | None
    counts: PairedCounts | None = None


def compare_paired(
    baseline: npt.ArrayLike,
    candidate: npt.ArrayLike,
    *,
    clusters: Any | None = None,
    bounds: tuple[float, float] | None = None,
    level: float = 0.95,
    rng: np.random.Generator | None = None,
) -> PairedComparison:
    """Compare two runs case by case with the interval and test the data call for.

    | data | interval | p |
    | --- | --- | --- |
    | 0/1 verdicts, independent cases | Tango's score interval | score (McNemar), mid-p beside it |
    | grades or averaged trials | paired t | paired t, sign flips beside it |
    | clustered cases | CR2 with Satterthwaite's t | the same t |
    | all differences equal, bounds known | Wilson bound on the share that differs | from the same bound |
    | all differences equal, no bounds | the value, or no ends below 6 pairs | the signs, 2^(1-n) |

    Args:
        baseline: one score per case (average trials first, `case_means`).
        candidate: scores of the same cases in the same order.
        clusters: one label per case, or None.
        bounds: least and greatest possible score; the difference is cut at ± their distance.
        level: confidence level between 0 and 1.
        rng: for sign flips of scores that lie on no grid.

    Raises:
        ValueError: lengths that differ, or NaN.

    >>> r = compare_paired([1, 1, 1, 0, 1, 1], [1, 0, 1, 0, 0, 1])
    >>> r.difference.method, r.losses, round(r.robust_p, 2)
    ('tango', 2, 0.25)
    """
    a, b = as_vector(baseline, "baseline"), as_vector(candidate, "candidate")
    d = paired_differences(a, b)
    counts = PairedCounts.of(a, b) if _binary(a) and _binary(b) else None
    if counts is not None and clusters is None:
        interval, p = tango(counts, level=level), mcnemar_asymptotic(counts).p_value
        robust: float | None = mcnemar(counts).p_value
    else:
        reach = 1.0 if counts is not None else (bounds[1] - bounds[0] if bounds is not None else None)
        interval, p = _graded(_mean_interval(d, clusters, level), reach)
        robust = None if clusters is not None else _flip_p(d, rng)
    return PairedComparison(
        baseline=_mean(a), candidate=_mean(b), difference=interval, p_value=p, robust_p=robust, effect=_effect(d),
        wins=int(np.sum(d > 0)), losses=int(np.sum(d < 0)), ties=int(np.sum(d == 0)),
        correlation=_correlation(a, b), counts=counts,
    )  # fmt: skip


def _binary(x: FloatArray) -> bool:
    return bool(np.isin(x, (0.0, 1.0)).all())


def _mean(x: FloatArray) -> float | None:
    return float(x.mean()) if len(x) else None


def _flip_p(d: FloatArray, rng: np.random.Generator | None) -> float | None:
    try:
        return sign_flip(d, rng=rng).p_value
    except ValueError:
        return None


def _graded(ci: Interval, reach: float | None) -> tuple[Interval, float]:
    """Interval of a mean difference within ± `reach`, and the p-value of the same family."""
    if "no_variation" in ci.notes:
        return _unvaried(ci, reach)
    p = _t_test(ci, "two-sided").p_value
    if reach is None:
        return ci, p
    low = -reach if ci.low is None else max(ci.low, -reach)
    high = reach if ci.high is None else min(ci.high, reach)
    cut = (ci.low is not None and ci.low < low) or (ci.high is not None and ci.high > high)
    return replace(ci, low=low, high=high).noted(*(("clipped",) if cut else ())), p


def _unvaried(ci: Interval, reach: float | None) -> tuple[Interval, float]:
    """All differences equal: bound the share that could differ, or else go by the signs alone."""
    value, n = ci.value or 0.0, ci.clusters or ci.n
    if reach is None:
        p = _sign_p(value, n, "two-sided")
        return (ci if p < 1.0 - ci.level or value == 0.0 else replace(ci, low=None, high=None)), p
    low, high = unvaried_ends(value, (-reach, reach), n, z_two_sided(ci.level))
    p = 2.0 * z_cdf(-math.sqrt(n * abs(value) / reach))
    return replace(ci, low=low, high=high, method="bounded_wilson", df=None), p


def _effect(d: FloatArray) -> float | None:
    if len(d) < 2 or d.min() == d.max():
        return None
    return float(d.mean() / d.std(ddof=1))


def _correlation(a: FloatArray, b: FloatArray) -> float | None:
    if len(a) < 2 or a.min() == a.max() or b.min() == b.max():
        return None
    x, y = a - a.mean(), b - b.mean()
    return float(x @ y / math.sqrt(float(x @ x) * float(y @ y)))
