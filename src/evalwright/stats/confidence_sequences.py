"""Intervals that stay valid however often one looks, and e-values to go with them.

A confidence sequence covers the truth at all times at once with the stated level; stop whenever you like. It costs
width against a fixed-size interval; when only a few looks are planned, `sequential_plan` is sharper.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy.typing as npt
from scipy import special

from evalwright.stats._arrays import as_vector, check_count, check_level
from evalwright.stats._dist import find_root
from evalwright.stats.paired_binary import PairedCounts
from evalwright.stats.records import Interval


def mcnemar_e_value(
    counts: PairedCounts, *, prior: float = 0.5, alternative: Literal["two-sided", "worse", "better"] = "two-sided"
) -> float:
    """Evidence against "gains and losses are equally likely", valid at any time: reject when >= 1/alpha.

    E = 2^(b+c)·B(a+b, a+c)/B(a, a) with b gained, c lost and a Beta(a, a) mixture; one-sided, twice that times the
    posterior probability of the side.

    Args:
        counts: counts so far.
        prior: a of the mixture, above 0.
        alternative: "worse" watches for regressions only.

    Raises:
        ValueError: prior not positive.

    Source: Robbins 1970; Grünwald, de Heide & Koolen 2024, JRSS-B (safe testing).

    >>> round(mcnemar_e_value(PairedCounts(both=90, gained=0, lost=5, neither=5)), 6)
    7.875
    """
    if prior <= 0.0:
        raise ValueError(f"prior must be positive, got {prior}")
    b, c = prior + counts.gained, prior + counts.lost
    log = counts.discordant * math.log(2.0) + float(special.betaln(b, c) - special.betaln(prior, prior))
    e = math.exp(min(log, 700.0))
    if alternative == "two-sided":
        return e
    side = special.betainc(b, c, 0.5) if alternative == "worse" else special.betainc(c, b, 0.5)
    return 2.0 * e * float(side)


def normal_mixture_bound(
    variance_time: float, *, best_at: float, alpha: float = 0.05, sides: Literal[1, 2] = 2
) -> float:
    """Howard's normal-mixture boundary: |S_t| stays below u(V_t) for all t with probability 1 - alpha.

    Two-sided u(v) = sqrt((v+ρ)·ln((v+ρ)/(ρα²))); one-sided the half-normal mixture. S is a sum of sub-Gaussian
    (or, asymptotically, any) increments with variance process V.

    Args:
        variance_time: intrinsic time v > 0.
        best_at: v at which the bound should be tightest.
        alpha: error probability over all time.
        sides: 2, or 1 for an upper bound only.

    Raises:
        ValueError: v or best_at not positive, alpha outside (0, 1).

    Source: Howard, Ramdas, McAuliffe & Sekhon 2021, Annals of Statistics 49:1055.

    >>> round(normal_mixture_bound(100, best_at=100), 6)
    30.35209
    """
    if variance_time <= 0.0 or best_at <= 0.0 or not 0.0 < alpha < 1.0:
        raise ValueError(f"need v > 0, best_at > 0, alpha in (0, 1); got {variance_time}, {best_at}, {alpha}")
    rho = _best_rho(best_at, alpha if sides == 2 else 2.0 * alpha)
    v = variance_time
    if sides == 2:
        return math.sqrt((v + rho) * math.log((v + rho) / (rho * alpha**2)))

    def excess(s: float) -> float:
        log_martingale = 0.5 * math.log(4.0 * rho / (v + rho)) + s * s / (2.0 * (v + rho))
        return log_martingale + float(special.log_ndtr(s / math.sqrt(v + rho))) + math.log(alpha)

    return find_root(excess, 0.0, 10.0 * math.sqrt((v + rho) * math.log((v + rho) / (rho * alpha**2))))


def _best_rho(v: float, alpha: float) -> float:
    return v / (2.0 * math.log(1.0 / alpha) + math.log(1.0 + 2.0 * math.log(1.0 / alpha)))


def asymptotic_cs_half_width(sd: float, t: int, *, best_at: int, alpha: float = 0.05) -> float:
    """Half-width σ·sqrt(2(tρ²+1)/(t²ρ²)·ln(sqrt(tρ²+1)/α)), ρ tuned to be tightest at `best_at` cases.

    Raises:
        ValueError: a negative sd, counts below 1, alpha outside (0, 1).

    Source: Waudby-Smith et al. 2024, Annals of Statistics (asymptotic confidence sequences), theorem 2.2.

    >>> round(asymptotic_cs_half_width(0.4, 500, best_at=500), 6)
    0.054295
    """
    if sd < 0.0 or t < 1 or best_at < 1 or not 0.0 < alpha < 1.0:
        raise ValueError(f"need sd >= 0, t >= 1, best_at >= 1, alpha in (0, 1); got {sd}, {t}, {best_at}, {alpha}")
    log = -2.0 * math.log(alpha)
    rho2 = (log + math.log(log + 1.0)) / best_at
    grown = t * rho2 + 1.0
    return sd * math.sqrt(2.0 * grown / (t * t * rho2) * math.log(math.sqrt(grown) / alpha))


def asymptotic_cs(values: npt.ArrayLike, *, best_at: int, level: float = 0.95) -> Interval:
    """Confidence sequence of a mean at the present number of cases, valid at any look (for large samples).

    Args:
        values: scores (or paired differences, or cluster means) in the seeded random order they were planned in;
            evaluate it on the prefix of the plan, not on whatever arrived first.
        best_at: number of cases at which it should be tightest, such as half the suite.
        level: confidence level over all looks.

    Raises:
        ValueError: NaN, level out of range, best_at below 1.

    >>> ci = asymptotic_cs([0.0, 1.0] * 100, best_at=200)
    >>> round(ci.low, 3), round(ci.high, 3)
    (0.393, 0.607)
    """
    x = as_vector(values)
    check_level(level)
    if len(x) < 2:
        value = float(x[0]) if len(x) else None
        note = "single_value" if len(x) else "empty"
        return Interval(value=value, low=None, high=None, level=level, method="asymptotic_cs", n=len(x), notes=(note,))
    sd, mean = float(x.std(ddof=0)), float(x.mean())
    half = asymptotic_cs_half_width(sd, len(x), best_at=best_at, alpha=1.0 - level)
    notes = ("no_variation",) if x.min() == x.max() else ()
    return Interval(
        value=mean, low=mean - half, high=mean + half, level=level, method="asymptotic_cs", n=len(x),
        se=sd / math.sqrt(len(x)), notes=notes,
    )  # fmt: skip


def bernoulli_cs(successes: int, n: int, *, level: float = 0.95, prior: float = 0.5) -> Interval:
    """Confidence sequence of a pass rate for independent cases, valid at any look and any size.

    All p with B(a+x, a+n-x)/B(a, a) < p^x(1-p)^(n-x)/alpha: Robbins' beta-binomial mixture.

    Args:
        successes: passes so far.
        n: cases so far.
        level: confidence level over all looks.
        prior: a of the Beta(a, a) mixture.

    Raises:
        ValueError: counts, level or prior out of range.

    Source: Robbins 1970, Annals of Mathematical Statistics 41:1397.

    >>> ci = bernoulli_cs(80, 100)
    >>> round(ci.low, 3), round(ci.high, 3)
    (0.648, 0.909)
    """
    x, total = check_count(successes, n)
    check_level(level)
    if prior <= 0.0:
        raise ValueError(f"prior must be positive, got {prior}")
    if total == 0:
        return Interval(value=None, low=0.0, high=1.0, level=level, method="bernoulli_cs", n=0, notes=("empty",))
    marginal = float(special.betaln(prior + x, prior + total - x) - special.betaln(prior, prior))

    def excess(p: float) -> float:
        likelihood = special.xlogy(x, p) + special.xlog1py(total - x, -p)
        return marginal - float(likelihood) + math.log(1.0 - level)

    rate = x / total
    low = 0.0 if x == 0 else find_root(excess, 1e-300, rate)
    high = 1.0 if x == total else find_root(excess, rate, 1.0 - 1e-16)
    return Interval(value=rate, low=low, high=high, level=level, method="bernoulli_cs", n=total)


def running_intersection(intervals: list[Interval]) -> Interval:
    """The latest of a confidence sequence, narrowed by all earlier ones (they hold simultaneously).

    When they do not meet, the smallest possible interval next to the latest is returned with "disjoint".

    Raises:
        ValueError: no intervals.

    >>> a = Interval(value=0.5, low=0.2, high=0.8, level=0.95, method="cs", n=10)
    >>> b = Interval(value=0.7, low=0.3, high=0.9, level=0.95, method="cs", n=20)
    >>> running_intersection([a, b]).high
    0.8
    """
    if not intervals:
        raise ValueError("no intervals to intersect")
    last = intervals[-1]
    lows = [ci.low for ci in intervals if ci.low is not None]
    highs = [ci.high for ci in intervals if ci.high is not None]
    low, high = max(lows) if lows else None, min(highs) if highs else None
    disjoint = low is not None and high is not None and low > high
    if disjoint:
        low = high = last.low if last.low is not None and last.low >= max(lows) else last.high
    narrowed = Interval(
        value=last.value, low=low, high=high, level=last.level, method=last.method, n=last.n, side=last.side,
        clusters=last.clusters, trials=last.trials, se=last.se, df=last.df, notes=last.notes,
    )  # fmt: skip
    return narrowed.noted("disjoint") if disjoint else narrowed
