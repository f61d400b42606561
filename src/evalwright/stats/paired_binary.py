"""Two runs of the same cases, pass or fail: difference of the pass rates, its interval and its tests.

Everything depends on four counts; only the cases whose verdict changed carry information about the difference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import Alternative, Side, as_vector, check_level, same_length
from evalwright.stats._dist import binom_cdf, binom_pmf, chi2_tail, find_root, z_cdf, z_quantile
from evalwright.stats.proportions import wilson_ends
from evalwright.stats.records import Interval, TestResult


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedCounts:
    """Verdicts of the same cases in two runs.

    Attributes:
        both: passed in both runs.
        gained: failed in the baseline, passed in the candidate.
        lost: passed in the baseline, failed in the candidate.
        neither: failed in both runs.
    """

    both: int
    gained: int
    lost: int
    neither: int

    def __post_init__(self) -> None:
        for name, count in (("both", self.both), ("gained", self.gained), ("lost", self.lost)):
            if count < 0 or count != int(count):
                raise ValueError(f"{name}: counts must be whole and not negative, got {count}")
        if self.neither < 0 or self.neither != int(self.neither):
            raise ValueError(f"neither: counts must be whole and not negative, got {self.neither}")

    @classmethod
    def of(cls, baseline: npt.ArrayLike, candidate: npt.ArrayLike) -> PairedCounts:
        """Counts from two arrays of 0/1 verdicts in the same order of cases.

        Raises:
            ValueError: lengths that differ, or a value that is neither 0 nor 1.

        >>> PairedCounts.of([1, 1, 0, 0], [1, 0, 1, 0])
        PairedCounts(both=1, gained=1, lost=1, neither=1)
        """
        a, b = as_vector(baseline, "baseline"), as_vector(candidate, "candidate")
        same_length(a, b, ("baseline", "candidate"))
        if not (np.isin(a, (0.0, 1.0)).all() and np.isin(b, (0.0, 1.0)).all()):
            raise ValueError("verdicts must be 0 or 1; use the functions for graded scores otherwise")
        cells = np.bincount((2 * a + b).astype(np.int64), minlength=4)
        return cls(both=int(cells[3]), gained=int(cells[1]), lost=int(cells[2]), neither=int(cells[0]))

    @property
    def n(self) -> int:
        """Pairs."""
        return self.both + self.gained + self.lost + self.neither

    @property
    def discordant(self) -> int:
        """Cases whose verdict changed."""
        return self.gained + self.lost

    @property
    def difference(self) -> float | None:
        """Pass rate of the candidate minus that of the baseline; None without pairs."""
        return (self.gained - self.lost) / self.n if self.n else None

    @property
    def correlation(self) -> float | None:
        """Phi coefficient of the two runs' verdicts; None when a run passed everything or nothing."""
        a, b, c, d = self.both, self.gained, self.lost, self.neither
        product = (a + b) * (c + d) * (a + c) * (b + d)
        return (a * d - b * c) / math.sqrt(product) if product else None


def tango_z(counts: PairedCounts, difference: float) -> float:
    """Tango's score statistic for the hypothesis that the difference is `difference`.

    z = (b - c - nδ)/sqrt(n(2q + δ(1-δ))) with q the restricted estimate of the share lost. Infinite where the
    hypothesis leaves no variance and the data contradict it; 0 where they agree.

    Source: Tango 1998, Statistics in Medicine 17:891.

    >>> round(tango_z(PairedCounts(both=43, gained=0, lost=1, neither=0), -0.1), 3)
    1.709
    """
    n, gained, lost = counts.n, counts.gained, counts.lost
    a = 2.0 * n
    b = -gained - lost + (2.0 * n - gained + lost) * difference
    c = -lost * difference * (1.0 - difference)
    q = (math.sqrt(max(b * b - 4.0 * a * c, 0.0)) - b) / (2.0 * a)
    variance = n * (2.0 * q + difference * (1.0 - difference))
    gap = gained - lost - n * difference
    if variance <= 1e-14 * n:
        return 0.0 if abs(gap) < 1e-9 else math.copysign(math.inf, gap)
    return gap / math.sqrt(variance)


def tango(counts: PairedCounts, *, level: float = 0.95, side: Side = "two-sided") -> Interval:
    """Score interval of the difference of two paired pass rates; the default for comparing two runs.

    Keeps its coverage with few or no changed verdicts, where Wald's and the bootstrap's have no width.

    Args:
        counts: the four counts.
        level: confidence level between 0 and 1.
        side: "lower" for a one-sided non-inferiority bound.

    Source: Tango 1998, Statistics in Medicine 17:891.

    >>> ci = tango(PairedCounts(both=1, gained=1, lost=7, neither=12))
    >>> round(ci.low, 4), round(ci.high, 4)
    (-0.5172, -0.026)
    """
    z = z_quantile(1.0 - _tail(level, side))
    if counts.n == 0:
        return _no_pairs(level, side, "tango")
    estimate = (counts.gained - counts.lost) / counts.n
    low = -1.0 if side == "upper" else _tango_end(counts, estimate, z)
    high = 1.0 if side == "lower" else -_tango_end(_swapped(counts), -estimate, z)
    return _difference(counts, (low, high), level=level, side=side, method="tango")


def _tango_end(counts: PairedCounts, estimate: float, z: float) -> float:
    """Lower end: where the score statistic equals z."""
    if tango_z(counts, -1.0 + 1e-12) <= z:
        return -1.0
    return find_root(lambda delta: tango_z(counts, delta) - z, -1.0 + 1e-12, estimate)


def _swapped(counts: PairedCounts) -> PairedCounts:
    return PairedCounts(both=counts.both, gained=counts.lost, lost=counts.gained, neither=counts.neither)


def _tail(level: float, side: Side) -> float:
    check_level(level)
    return (1.0 - level) / 2.0 if side == "two-sided" else 1.0 - level


def _no_pairs(level: float, side: Side, method: str) -> Interval:
    return Interval(value=None, low=-1.0, high=1.0, level=level, method=method, n=0, side=side, notes=("empty",))


def _difference(
    counts: PairedCounts, ends: tuple[float, float], *, level: float, side: Side = "two-sided", method: str
) -> Interval:
    n = counts.n
    d = (counts.gained - counts.lost) / n
    se = math.sqrt(max(counts.discordant / n - d * d, 0.0) / n)
    low, high = max(-1.0, ends[0]), min(1.0, ends[1])
    notes = ("no_variation",) if counts.discordant == 0 else ()
    return Interval(value=d, low=low, high=high, level=level, method=method, n=n, side=side, se=se, notes=notes)


def newcombe_paired(counts: PairedCounts, *, level: float = 0.95) -> Interval:
    """Newcombe's square-and-add interval (method 10) of the paired difference.

    Source: Newcombe 1998, Statistics in Medicine 17:2635.

    >>> ci = newcombe_paired(PairedCounts(both=1, gained=1, lost=7, neither=12))
    >>> round(ci.low, 4), round(ci.high, 4)
    (-0.5069, -0.0256)
    """
    z = z_quantile(1.0 - _tail(level, "two-sided"))
    n = counts.n
    if n == 0:
        return _no_pairs(level, "two-sided", "newcombe_paired")
    p1, p2 = (counts.both + counts.gained) / n, (counts.both + counts.lost) / n
    low1, high1 = wilson_ends(p1, n, z)
    low2, high2 = wilson_ends(p2, n, z)
    phi = _newcombe_phi(counts)
    below = _square_and_add(p1 - low1, high2 - p2, phi)
    above = _square_and_add(high1 - p1, p2 - low2, phi)
    return _difference(counts, (p1 - p2 - below, p1 - p2 + above), level=level, method="newcombe_paired")


def _square_and_add(one: float, other: float, phi: float) -> float:
    return math.sqrt(max(one * one - 2.0 * phi * one * other + other * other, 0.0))


def _newcombe_phi(counts: PairedCounts) -> float:
    """Phi with Newcombe's continuity reduction of a positive ad - bc."""
    a, b, c, d = counts.both, counts.gained, counts.lost, counts.neither
    product = (a + b) * (c + d) * (a + c) * (b + d)
    if product == 0:
        return 0.0
    numerator = float(a * d - b * c)
    if numerator > 0:
        numerator = max(numerator - counts.n / 2.0, 0.0)
    return numerator / math.sqrt(product)


def bonett_price(counts: PairedCounts, *, level: float = 0.95) -> Interval:
    """Bonett-Price interval: Wald's after adding one case to each kind of change. A little wide, never short.

    Source: Bonett & Price 2012, JEBS 37:479.

    >>> ci = bonett_price(PairedCounts(both=1, gained=1, lost=7, neither=12))
    >>> round(ci.low, 4), round(ci.high, 4)
    (-0.5084, -0.0134)
    """
    return _adjusted_wald(counts, level, (1.0, 2.0), "bonett_price")


def agresti_min(counts: PairedCounts, *, level: float = 0.95) -> Interval:
    """Agresti-Min interval: Wald's after adding half a case to each of the four counts.

    Source: Agresti & Min 2005, Statistics in Medicine 24:729.

    >>> ci = agresti_min(PairedCounts(both=1, gained=1, lost=7, neither=12))
    >>> round(ci.low, 4), round(ci.high, 4)
    (-0.4932, -0.0285)
    """
    return _adjusted_wald(counts, level, (0.5, 2.0), "agresti_min")


def wald_paired(counts: PairedCounts, *, level: float = 0.95) -> Interval:
    """Wald's interval of the paired difference, cut at -1 and 1. For comparison with other tools only.

    >>> wald_paired(PairedCounts(both=10, gained=0, lost=0, neither=0)).width
    0.0
    """
    return _adjusted_wald(counts, level, (0.0, 0.0), "wald_paired")


def _adjusted_wald(counts: PairedCounts, level: float, added: tuple[float, float], method: str) -> Interval:
    """Wald's interval with `added` = (to each kind of change, to the number of pairs)."""
    z = z_quantile(1.0 - _tail(level, "two-sided"))
    if counts.n == 0:
        return _no_pairs(level, "two-sided", method)
    size = counts.n + added[1]
    up, down = (counts.gained + added[0]) / size, (counts.lost + added[0]) / size
    half = z * math.sqrt(max(up + down - (up - down) ** 2, 0.0) / size)
    return _difference(counts, (up - down - half, up - down + half), level=level, method=method)


def mcnemar(counts: PairedCounts, *, alternative: Alternative = "two-sided") -> TestResult:
    """McNemar's mid-p test, the recommended one: close to its level, never far above it.

    Two-sided: 2·P(X <= min(gained, lost)) - P(X = min) for X binomial(changed, 1/2). "greater" asks whether the
    candidate is better.

    Source: Fagerland, Lydersen & Laake 2013, BMC Medical Research Methodology 13:91.

    >>> round(mcnemar(PairedCounts(both=1, gained=1, lost=7, neither=12)).p_value, 7)
    0.0390625
    """
    p = _binomial_sign_p(counts, alternative, half_point=True)
    return _test(counts, p, "mcnemar_mid_p", alternative)


def mcnemar_exact(counts: PairedCounts, *, alternative: Alternative = "two-sided") -> TestResult:
    """McNemar's exact conditional test (the sign test of the changed cases); conservative.

    >>> mcnemar_exact(PairedCounts(both=1, gained=1, lost=7, neither=12)).p_value
    0.0703125
    """
    p = _binomial_sign_p(counts, alternative, half_point=False)
    return _test(counts, p, "mcnemar_exact", alternative)


def _binomial_sign_p(counts: PairedCounts, alternative: Alternative, *, half_point: bool) -> float:
    m, gained, lost = counts.discordant, counts.gained, counts.lost
    share = 0.5 if half_point else 0.0
    if alternative != "two-sided":
        few = lost if alternative == "greater" else gained
        return binom_cdf(few, m, 0.5) - share * binom_pmf(few, m, 0.5)
    few = min(gained, lost)
    if half_point and gained == lost:
        return 1.0 - 0.5 * binom_pmf(few, m, 0.5) if m else 1.0
    return min(1.0, 2.0 * binom_cdf(few, m, 0.5) - (binom_pmf(few, m, 0.5) if half_point else 0.0))


def mcnemar_asymptotic(counts: PairedCounts, *, corrected: bool = False) -> TestResult:
    """McNemar's chi-square test (b-c)²/(b+c): the test of the same family as `tango`, two-sided.

    p < 1 - level exactly when the Tango interval excludes 0.

    Args:
        counts: the four counts.
        corrected: with Edwards' continuity correction (|b-c| - 1)²; conservative, not recommended.

    >>> round(mcnemar_asymptotic(PairedCounts(both=1, gained=1, lost=7, neither=12)).p_value, 4)
    0.0339
    """
    m, gap = counts.discordant, abs(counts.gained - counts.lost)
    method = "mcnemar_corrected" if corrected else "mcnemar_score"
    if m == 0:
        return TestResult(p_value=1.0, statistic=0.0, method=method, alternative="two-sided", n=counts.n)
    chi2 = max(gap - (1.0 if corrected else 0.0), 0.0) ** 2 / m
    return TestResult(p_value=chi2_tail(chi2, 1), statistic=chi2, method=method, alternative="two-sided", n=counts.n)


def _test(counts: PairedCounts, p: float, method: str, alternative: Alternative) -> TestResult:
    notes = ("too_few_pairs",) if counts.n < 5 else ()
    return TestResult(
        p_value=min(1.0, p), statistic=float(counts.gained), method=method, alternative=alternative, n=counts.n,
        notes=notes,
    )  # fmt: skip


def noninferiority_score(counts: PairedCounts, margin: float) -> TestResult:
    """Score test that the candidate is not worse by `margin` or more: H0 difference <= -margin.

    p < (1 - level)/2 exactly when the lower end of the two-sided `tango` interval lies above -margin.

    Args:
        counts: the four counts.
        margin: the largest tolerable loss, above 0 and below 1, such as 0.02.

    Raises:
        ValueError: a margin outside (0, 1), or no pairs.

    Source: Tango 1998; Nam 1997, Biometrics 53:1422.

    >>> r = noninferiority_score(PairedCounts(both=43, gained=0, lost=1, neither=0), 0.1)
    >>> round(r.statistic, 3), round(r.p_value, 3)
    (1.709, 0.044)
    """
    if not 0.0 < margin < 1.0:
        raise ValueError(f"margin must lie strictly between 0 and 1, got {margin}")
    if counts.n == 0:
        raise ValueError("no pairs to test")
    z = tango_z(counts, -margin)
    return TestResult(p_value=z_cdf(-z), statistic=z, method="noninferiority_score", alternative="greater", n=counts.n)


def discordant_share(counts: PairedCounts) -> float:
    """Share of cases whose verdict changed (ψ), the planning quantity of `power`; 0 without pairs."""
    return counts.discordant / counts.n if counts.n else 0.0
