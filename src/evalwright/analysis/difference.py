"""The difference of two paired means, with interval, one-sided bounds and p-value of one family."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import special

from evalwright.analysis.frame import FloatArray, IntArray
from evalwright.stats import (
    Interval,
    PairedComparison,
    PairedCounts,
    PairedVariance,
    compare_paired,
    mcnemar_detectable,
    paired_detectable,
    tango,
)

SEED = 20_240_613
"""Seed of the sign flips and resamples of comparisons: the same runs give the same figures."""

MANY = 20_000
"""Above so many cases off the grid the sign-flip test is left out: it agrees with Student's t."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PairOptions:
    """How certain the figures are to be.

    Attributes:
        level: Confidence level of the two-sided intervals.
        confidence: One-sided confidence of the bounds, above 0.5.
        power: Power at which the smallest visible difference is stated.
        detail: Also compute what costs time with graded scores: the sign-flip test.
    """

    level: float = 0.95
    confidence: float = 0.95
    power: float = 0.8
    detail: bool = True

    @property
    def bound_level(self) -> float:
        """Level of the two-sided interval whose ends are the one-sided bounds."""
        return 2.0 * self.confidence - 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedValues:
    """The values of both runs and how they may be treated.

    Attributes:
        left: Baseline, one value per case.
        right: Candidate, the same cases in the same order.
        clusters: Cluster code per case, None for independent cases.
        reach: Largest possible size of a difference, None when unbounded.
        verdicts: Whether the values are independent 0/1 verdicts.
    """

    left: FloatArray
    right: FloatArray
    clusters: IntArray | None = None
    reach: float | None = None
    verdicts: bool = False

    @property
    def limits(self) -> tuple[float, float] | None:
        """Least and greatest possible score, shifted to start at 0; None when unbounded."""
        return None if self.reach is None else (0.0, self.reach)

    def compare(self, level: float, *, detail: bool = False) -> PairedComparison:
        """`stats.compare_paired` of these values."""
        rng = np.random.default_rng(SEED) if detail and len(self.left) <= MANY else None
        return compare_paired(self.left, self.right, clusters=self.clusters, bounds=self.limits, level=level, rng=rng)

    def interval(self, found: PairedComparison, level: float) -> Interval:
        """The interval of `found` at another level, without comparing anew where that can be spared."""
        ci = found.difference
        if ci.method == "tango" and found.counts is not None:
            return tango(found.counts, level=level)
        if ci.method == "bounded_wilson" or ci.se is None or ci.df is None or ci.value is None:
            return self.compare(level).difference
        half = float(special.stdtrit(ci.df, 0.5 + level / 2.0)) * ci.se
        low, high = ci.value - half, ci.value + half
        if self.reach is not None:
            low, high = max(low, -self.reach), min(high, self.reach)
        return Interval(value=ci.value, low=low, high=high, level=level, method=ci.method, n=ci.n, se=ci.se, df=ci.df)


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Candidate minus baseline with everything a figure needs.

    Attributes:
        baseline: Value of the baseline; None without pairs.
        candidate: Value of the candidate; None without pairs.
        interval: Two-sided interval of the difference.
        p: Two-sided p of the interval's family; None where nothing can be tested.
        test: Name of the test.
        lower: One-sided lower bound.
        upper: One-sided upper bound.
        robust_p: P-value of a test with weaker assumptions, None when there is none.
        effect: Standardised difference.
        correlation: Of the two runs over cases.
        detectable: Smallest difference seen with the asked power.
        counts: The four counts, for verdicts.
    """

    baseline: float | None
    candidate: float | None
    interval: Interval
    p: float | None = None
    test: str = ""
    lower: float | None = None
    upper: float | None = None
    robust_p: float | None = None
    effect: float | None = None
    correlation: float | None = None
    detectable: float | None = None
    counts: PairedCounts | None = None


def mean_difference(values: PairedValues, options: PairOptions) -> Difference:
    """The paired difference of two means.

    Verdicts of independent cases get Tango's interval with the score test; everything else Student's t on the
    differences of cases (with CR2 errors over clusters). See `stats.compare_paired`.
    """
    found = values.compare(options.level, detail=options.detail)
    bounds = values.interval(found, options.bound_level)
    return Difference(
        baseline=found.baseline,
        candidate=found.candidate,
        interval=found.difference,
        p=_p_value(found, values),
        test=_test_name(found),
        lower=bounds.low,
        upper=bounds.high,
        robust_p=found.robust_p,
        effect=found.effect,
        correlation=found.correlation,
        detectable=detectable(found, level=options.level, power=options.power),
        counts=found.counts if values.verdicts else None,
    )


def _p_value(found: PairedComparison, values: PairedValues) -> float | None:
    if found.difference.value is None:
        return None
    if found.difference.method == "bounded_wilson" and found.difference.value != 0.0:
        return inverted_p(lambda level: values.interval(found, level))
    return found.p_value


def _test_name(found: PairedComparison) -> str:
    method = found.difference.method
    if method == "tango":
        return "mcnemar_score"
    return "inverted_interval" if method == "bounded_wilson" else "paired_t"


def inverted_p(interval: Callable[[float], Interval]) -> float:
    """The two-sided p-value that belongs to a family of intervals: 1 minus the level at which an end reaches 0.

    Args:
        interval: The interval at a level.
    """
    inside, outside = 1.0 - 1e-9, 1e-9
    if not _excludes_zero(interval(outside)):
        return 1.0
    if _excludes_zero(interval(inside)):
        return 1.0 - inside
    for _ in range(40):
        middle = (inside + outside) / 2.0
        if _excludes_zero(interval(middle)):
            outside = middle
        else:
            inside = middle
    return 1.0 - outside


def _excludes_zero(ci: Interval) -> bool:
    return (ci.low is not None and ci.low > 0.0) or (ci.high is not None and ci.high < 0.0)


def detectable(found: PairedComparison, *, level: float, power: float) -> float | None:
    """Smallest true difference that this many pairs, changing as these did, show with the given power.

    For verdicts from the share of cases that changed (Connor 1987); where even all changes in one direction would
    not show, the smallest share that would. For grades from the standard error of the difference.
    """
    ci = found.difference
    if ci.n < 2:
        return None
    if ci.method == "tango" and found.counts is not None:
        share = found.counts.discordant / ci.n
        seen = mcnemar_detectable(ci.n, share, level=level, power=power) if share else None
        return one_way_detectable(ci.n, level=level, power=power) if seen is None else seen
    if not ci.se:
        return None
    variance = PairedVariance(between=ci.se**2 * ci.n)
    return paired_detectable(ci.n, variance, level=level, power=power)


def one_way_detectable(n: int, *, level: float, power: float) -> float | None:
    """Smallest share of cases that, all changing one way, n pairs show: ψ·n = (z + z_β·sqrt(1 - ψ))²."""
    z, z_power = float(special.ndtri(0.5 + level / 2.0)), float(special.ndtri(power))
    share = 1.0
    for _ in range(60):
        share = min(1.0, (z + z_power * math.sqrt(max(1.0 - share, 0.0))) ** 2 / n)
    return share if share < 1.0 else None
