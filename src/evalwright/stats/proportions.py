"""Intervals for a pass rate of independent cases, one trial each."""

from __future__ import annotations

import math

from evalwright.stats._arrays import Side, check_count, check_level
from evalwright.stats._dist import beta_quantile, binom_cdf, binom_pmf, find_root, z_quantile
from evalwright.stats.records import Interval


def _tail(level: float, side: Side) -> float:
    """Error probability spent on each open side."""
    check_level(level)
    return (1.0 - level) / 2.0 if side == "two-sided" else 1.0 - level


def _result(x: int, n: int, ends: tuple[float, float], *, level: float, side: Side, method: str) -> Interval:
    low = 0.0 if side == "upper" else max(0.0, ends[0])
    high = 1.0 if side == "lower" else min(1.0, ends[1])
    p = x / n
    se = math.sqrt(p * (1.0 - p) / n)
    return Interval(value=p, low=low, high=high, level=level, method=method, n=n, side=side, se=se)


def _empty(level: float, side: Side, method: str) -> Interval:
    return Interval(value=None, low=0.0, high=1.0, level=level, method=method, n=0, side=side, notes=("empty",))


def wilson(successes: int, n: int, *, level: float = 0.95, side: Side = "two-sided") -> Interval:
    """Wilson score interval, the default for showing a pass rate.

    Centre (p + z²/2n) / (1 + z²/n), half-width z·sqrt(p(1-p)/n + z²/4n²) / (1 + z²/n). Mean coverage is close
    to the level for every n. Its one-sided bound is anti-conservative near 100 %: gate on `clopper_pearson`.

    Args:
        successes: cases that passed, 0 to n.
        n: cases. n = 0 gives value None in [0, 1].
        level: confidence level between 0 and 1.
        side: "two-sided", or one bound with all of 1 - level spent on it.

    Raises:
        ValueError: counts or level out of range.

    Source: Wilson 1927, JASA 22:209.

    >>> ci = wilson(17, 20)
    >>> round(ci.low, 6), round(ci.high, 6)
    (0.639581, 0.947631)
    """
    x, total = check_count(successes, n)
    tail = _tail(level, side)
    if total == 0:
        return _empty(level, side, "wilson")
    ends = wilson_ends(x / total, total, z_quantile(1.0 - tail))
    if x == 0:
        ends = (0.0, ends[1])
    if x == total:
        ends = (ends[0], 1.0)
    return _result(x, total, ends, level=level, side=side, method="wilson")


def wilson_ends(p: float, n: float, z: float) -> tuple[float, float]:
    """Both Wilson ends for a share `p` of a (possibly fractional, effective) sample size `n`."""
    shrink = 1.0 + z * z / n
    centre = (p + z * z / (2.0 * n)) / shrink
    half = z * math.sqrt(p * (1.0 - p) / n + z * z / (4.0 * n * n)) / shrink
    return max(0.0, centre - half), min(1.0, centre + half)


def unvaried_ends(value: float, bounds: tuple[float, float], n: float, z: float) -> tuple[float, float]:
    """Ends for the mean of a bounded score when all `n` values seen are equal.

    The share of unseen cases that differ is at most z²/(n + z²) (Wilson, none of n), and those lie within the
    bounds. At a bound this is Wilson's interval, for differences of verdicts it is Tango's.
    """
    share = z * z / (n + z * z)
    return value - share * (value - bounds[0]), value + share * (bounds[1] - value)


def clopper_pearson(successes: int, n: int, *, level: float = 0.95, side: Side = "two-sided") -> Interval:
    """Exact binomial interval: never covers less than its level, so it is the one for a safety gate.

    Ends are Beta quantiles B(tail; x, n-x+1) and B(1-tail; x+1, n-x).

    Args:
        successes: cases that passed, 0 to n.
        n: cases. n = 0 gives value None in [0, 1].
        level: confidence level between 0 and 1.
        side: "lower" is the usual choice of a gate ("at least this good").

    Raises:
        ValueError: counts or level out of range.

    Source: Clopper & Pearson 1934, Biometrika 26:404.

    >>> round(clopper_pearson(59, 59, side="lower").low, 6)
    0.950492
    """
    x, total = check_count(successes, n)
    tail = _tail(level, side)
    if total == 0:
        return _empty(level, side, "clopper_pearson")
    ends = (beta_quantile(tail, x, total - x + 1), beta_quantile(1.0 - tail, x + 1, total - x))
    return _result(x, total, ends, level=level, side=side, method="clopper_pearson")


def jeffreys(successes: int, n: int, *, level: float = 0.95, side: Side = "two-sided") -> Interval:
    """Jeffreys interval: quantiles of Beta(x + 1/2, n - x + 1/2), with the end fixed at 0 or 1 when x = 0 or n.

    Raises:
        ValueError: counts or level out of range.

    Source: Brown, Cai & DasGupta 2001, Statistical Science 16:101.

    >>> ci = jeffreys(17, 20)
    >>> round(ci.low, 6), round(ci.high, 6)
    (0.651422, 0.955869)
    """
    x, total = check_count(successes, n)
    tail = _tail(level, side)
    if total == 0:
        return _empty(level, side, "jeffreys")
    low = 0.0 if x == 0 else beta_quantile(tail, x + 0.5, total - x + 0.5)
    high = 1.0 if x == total else beta_quantile(1.0 - tail, x + 0.5, total - x + 0.5)
    return _result(x, total, (low, high), level=level, side=side, method="jeffreys")


def mid_p(successes: int, n: int, *, level: float = 0.95, side: Side = "two-sided") -> Interval:
    """Mid-p exact interval: Clopper-Pearson with only half the probability of the observed count.

    Shorter than Clopper-Pearson; covers its level on average, not always.

    Raises:
        ValueError: counts or level out of range.

    >>> ci = mid_p(9, 10)
    >>> round(ci.low, 6), round(ci.high, 6)
    (0.596524, 0.994999)
    """
    x, total = check_count(successes, n)
    tail = _tail(level, side)
    if total == 0:
        return _empty(level, side, "mid_p")
    low = 0.0 if x == 0 else 1.0 - _mid_p_upper(total - x, total, tail)
    high = 1.0 if x == total else _mid_p_upper(x, total, tail)
    return _result(x, total, (low, high), level=level, side=side, method="mid_p")


def _mid_p_upper(x: int, n: int, tail: float) -> float:
    return find_root(lambda p: binom_cdf(x, n, p) - 0.5 * binom_pmf(x, n, p) - tail, x / n, 1.0)


def agresti_coull(successes: int, n: int, *, level: float = 0.95, side: Side = "two-sided") -> Interval:
    """Agresti-Coull interval: the plain formula after adding z²/2 successes and z²/2 failures.

    Raises:
        ValueError: counts or level out of range.

    Source: Brown, Cai & DasGupta 2001.

    >>> ci = agresti_coull(81, 263)
    >>> round(ci.low, 5), round(ci.high, 5)
    (0.25522, 0.36628)
    """
    x, total = check_count(successes, n)
    z = z_quantile(1.0 - _tail(level, side))
    if total == 0:
        return _empty(level, side, "agresti_coull")
    size = total + z * z
    centre = (x + z * z / 2.0) / size
    half = z * math.sqrt(centre * (1.0 - centre) / size)
    return _result(x, total, (centre - half, centre + half), level=level, side=side, method="agresti_coull")


def wald(successes: int, n: int, *, level: float = 0.95, side: Side = "two-sided") -> Interval:
    """Textbook interval p ± z·sqrt(p(1-p)/n), cut at 0 and 1. For comparison with other tools only.

    It has no width at 0 % and 100 % and covers far less than its level below a few hundred cases.

    Raises:
        ValueError: counts or level out of range.

    >>> wald(20, 20).width
    0.0
    """
    x, total = check_count(successes, n)
    z = z_quantile(1.0 - _tail(level, side))
    if total == 0:
        return _empty(level, side, "wald")
    p = x / total
    half = z * math.sqrt(p * (1.0 - p) / total)
    return _result(x, total, (p - half, p + half), level=level, side=side, method="wald")


def rule_of_three(n: int) -> float:
    """Quick 95 % lower bound 1 - 3/n on the pass rate after n passes of n (Hanley & Lippman-Hand 1983).

    Raises:
        ValueError: n is not positive.

    >>> rule_of_three(60)
    0.95
    """
    if n <= 0:
        raise ValueError(f"n must be positive, got {n}")
    return max(0.0, 1.0 - 3.0 / n)
