"""Intervals for the mean of independent graded scores."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_vector, check_level
from evalwright.stats._dist import t_two_sided
from evalwright.stats.records import Interval


def mean_t(values: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Student interval of a mean: m ± t(n-1)·s/√n.

    Outcomes at the edge: no values give value None without ends; one value gives no ends ("single_value");
    equal values give zero width with the note "no_variation" (`estimate_mean` knows what to do with it when the
    score has bounds).

    Args:
        values: one score per independent case.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: NaN or infinity among the values, or a level out of range.

    >>> ci = mean_t([.8, 1, .6, .9, .7, 1, .4, .85])
    >>> round(ci.low, 6), round(ci.high, 6)
    (0.608267, 0.954233)
    """
    x = as_vector(values)
    check_level(level)
    if len(x) < 2:
        return _too_few(x, level, "t")
    se = standard_error(x)
    half = t_two_sided(level, len(x) - 1) * se
    return _around(x, (-half, half), se, level=level, method="t")


def mean_skewed(values: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Second-order interval of a mean, corrected for skew: the closed form of the BCa bootstrap.

    With g the sample skewness and a = g/(6√n), the quantile q = t(n-1) of each side becomes
    w = a + (a + q) / (1 - a(a + q)) and the end is m + se·(w + a(w² - 1)). Without skew this is `mean_t`.
    Use it for large, skewed samples (latency, cost, counts); it differs from 10,000 BCa resamples by less than
    their own noise and takes a millisecond.

    Args:
        values: one score per independent case.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: NaN or infinity among the values, or a level out of range.

    Source: Efron 1987, JASA 82:171 (BCa) with the Cornish-Fisher expansion of the bootstrap distribution.

    >>> ci = mean_skewed([1, 1, 1, 2, 2, 3, 5, 9, 20, 1, 1, 2])
    >>> round(ci.low, 2), round(ci.high, 2)
    (1.7, 10.69)
    """
    x = as_vector(values)
    check_level(level)
    if len(x) < 2:
        return _too_few(x, level, "skew_corrected")
    se = standard_error(x)
    quantile = t_two_sided(level, len(x) - 1)
    shift = skewness(x) / (6.0 * math.sqrt(len(x)))
    ends = (_second_order(-quantile, shift) * se, _second_order(quantile, shift) * se)
    return _around(x, ends, se, level=level, method="skew_corrected")


def _second_order(quantile: float, shift: float) -> float:
    """Standardised end: BCa's level, then the Cornish-Fisher quantile there."""
    room = 1.0 - shift * (shift + quantile)
    w = shift + (shift + quantile) / max(room, 0.2)
    return w + shift * (w * w - 1.0)


def skewness(values: npt.ArrayLike) -> float:
    """Sample skewness m3 / m2^1.5; 0 when the values do not vary.

    >>> round(skewness([1, 1, 1, 5]), 4)
    1.1547
    """
    x = as_vector(values)
    if len(x) == 0:
        return 0.0
    centred = x - x.mean()
    m2 = float((centred**2).mean())
    scale = max(1.0, float(np.abs(x).max()))
    return 0.0 if m2 <= (1e-14 * scale) ** 2 else float((centred**3).mean()) / m2**1.5


def standard_error(values: FloatArray) -> float:
    """s/√n of at least two values, exactly 0 when all are equal."""
    return 0.0 if values.min() == values.max() else float(values.std(ddof=1)) / math.sqrt(len(values))


def _too_few(x: FloatArray, level: float, method: str) -> Interval:
    value = float(x[0]) if len(x) else None
    note = "single_value" if len(x) else "empty"
    return Interval(value=value, low=None, high=None, level=level, method=method, n=len(x), notes=(note,))


def _around(x: FloatArray, ends: tuple[float, float], se: float, *, level: float, method: str) -> Interval:
    value = float(x[0]) if se == 0.0 else float(x.mean())
    notes = ("no_variation",) if se == 0.0 else ()
    low, high = value + ends[0], value + ends[1]
    n = len(x)
    return Interval(
        value=value, low=low, high=high, level=level, method=method, n=n, se=se, df=float(n - 1), notes=notes
    )
