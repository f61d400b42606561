"""Betting confidence sequences: the tightest known ones for bounded scores, valid at any look and any size."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_vector, check_level
from evalwright.stats._dist import find_root
from evalwright.stats.records import Interval

TRUNCATION = 0.5
"""Largest share of the capital a bet may lose."""


def betting_cs(
    values: npt.ArrayLike,
    *,
    bounds: tuple[float, float] = (0.0, 1.0),
    level: float = 0.95,
    population: int | None = None,
) -> Interval:
    """Confidence sequence of the mean of a bounded score after the values so far, by hedged betting.

    All m whose hedged capital max(½K⁺, ½K⁻) stays below 1/alpha, where K± multiply 1 ± λ_i(x_i - m) with
    λ_i = sqrt(2ln(2/α)/(i·ln(1+i)·σ²_{i-1})), truncated at ½/m and ½/(1-m). With `population` the estimand is the
    mean of that finite suite, sampled without replacement.

    Args:
        values: scores in planned random order; for paired differences give bounds (-1, 1).
        bounds: least and greatest possible score.
        level: confidence level over all looks.
        population: number of cases of the suite when the suite itself is the population.

    Raises:
        ValueError: a value outside the bounds, NaN, more values than the population, level out of range.

    Source: Waudby-Smith & Ramdas 2024, JRSS-B 86:1, section 4 (and 5 without replacement).

    >>> ci = betting_cs([1, 0, 1, 1, 1, 0, 1, 1, 1, 1])
    >>> round(ci.low, 3), ci.high
    (0.361, 1.0)
    """
    x = _unit(as_vector(values), bounds)
    check_level(level)
    _check_population(len(x), population)
    low, high = bounds
    if len(x) == 0:
        return Interval(value=None, low=low, high=high, level=level, method="betting_cs", n=0, notes=("empty",))
    bets = plug_in_bets(x, 1.0 - level)
    ends = _ends(x, bets, 1.0 - level, population)
    method = "betting_cs" if population is None else "betting_cs_finite"
    return Interval(
        value=low + (high - low) * float(x.mean()), low=low + (high - low) * ends[0],
        high=low + (high - low) * ends[1], level=level, method=method, n=len(x),
    )  # fmt: skip


def _unit(x: FloatArray, bounds: tuple[float, float]) -> FloatArray:
    low, high = bounds
    if not low < high:
        raise ValueError(f"bounds: the lower must be below the upper, got {bounds}")
    if len(x) and (x.min() < low or x.max() > high):
        raise ValueError(f"a value lies outside the bounds {bounds}: found {x.min()} to {x.max()}")
    return (x - low) / (high - low)


def _check_population(n: int, population: int | None) -> None:
    if population is not None and n > population:
        raise ValueError(f"{n} values from a population of {population}: sampled without replacement there are no more")


def plug_in_bets(x: FloatArray, alpha: float) -> FloatArray:
    """The predictable plug-in bets λ_i, which use only the values before each."""
    t = np.arange(1, len(x) + 1, dtype=np.float64)
    means = (0.5 + np.cumsum(x)) / (t + 1.0)
    variances = (0.25 + np.cumsum((x - means) ** 2)) / (t + 1.0)
    before = np.append(0.25, variances[:-1])
    return np.asarray(np.sqrt(2.0 * math.log(2.0 / alpha) / (t * np.log(1.0 + t) * before)), dtype=np.float64)


def betting_log_capital(
    x: FloatArray, bets: FloatArray, mean: float, population: int | None = None
) -> tuple[float, float]:
    """Log capital (K⁺, K⁻) of betting that the true mean is above, below `mean`; infinite when `mean` is impossible."""
    if population is None:
        centre: FloatArray = np.full(len(x), mean)
    else:
        seen = np.append(0.0, np.cumsum(x)[:-1])
        centre = (population * mean - seen) / (population - np.arange(len(x)))
        if centre.min() < -1e-12:
            return math.inf, -math.inf
        if centre.max() > 1.0 + 1e-12:
            return -math.inf, math.inf
        centre = np.clip(centre, 0.0, 1.0)
    with np.errstate(divide="ignore"):
        up = np.minimum(bets, TRUNCATION / centre)
        down = np.minimum(bets, TRUNCATION / (1.0 - centre))
    gap = x - centre
    return float(np.log1p(up * gap).sum()), float(np.log1p(-down * gap).sum())


def _ends(x: FloatArray, bets: FloatArray, alpha: float, population: int | None) -> tuple[float, float]:
    limit = math.log(2.0 / alpha)

    def above(m: float) -> float:
        return betting_log_capital(x, bets, m, population)[0] - limit

    def below(m: float) -> float:
        return betting_log_capital(x, bets, m, population)[1] - limit

    floor, ceiling = _possible(x, population)
    centre = min(max(float(x.mean()), floor), ceiling)
    low = find_root(above, floor, ceiling, tol=1e-10) if above(floor) > 0.0 > above(ceiling) else floor
    high = find_root(below, floor, ceiling, tol=1e-10) if below(floor) < 0.0 < below(ceiling) else ceiling
    return (min(low, centre), max(high, centre)) if population is not None else (low, high)


def _possible(x: FloatArray, population: int | None) -> tuple[float, float]:
    """Least and greatest mean that the values seen still allow."""
    if population is None:
        return 0.0, 1.0
    total = float(x.sum())
    return total / population, (total + population - len(x)) / population


def empirical_bernstein_cs(
    values: npt.ArrayLike, *, bounds: tuple[float, float] = (0.0, 1.0), level: float = 0.95
) -> Interval:
    """Closed-form confidence sequence of a bounded mean (predictable plug-in empirical Bernstein).

    Wider than `betting_cs`, and costs one pass.

    Raises:
        ValueError: a value outside the bounds, NaN, level out of range.

    Source: Waudby-Smith & Ramdas 2024, JRSS-B 86:1, section 3.

    >>> ci = empirical_bernstein_cs([1, 0, 1, 1, 1, 0, 1, 1, 1, 1] * 5)
    >>> round(ci.low, 2), ci.high
    (0.57, 1.0)
    """
    x = _unit(as_vector(values), bounds)
    check_level(level)
    low, high = bounds
    if len(x) == 0:
        return Interval(
            value=None, low=low, high=high, level=level, method="empirical_bernstein_cs", n=0, notes=("empty",)
        )
    ends = _bernstein_lower(x, 1.0 - level), 1.0 - _bernstein_lower(1.0 - x, 1.0 - level)
    return Interval(
        value=low + (high - low) * float(x.mean()), low=low + (high - low) * ends[0],
        high=low + (high - low) * ends[1], level=level, method="empirical_bernstein_cs", n=len(x),
    )  # fmt: skip


def _bernstein_lower(x: FloatArray, alpha: float) -> float:
    """Lower end; each value is compared with the mean of those before it, the first with 0."""
    bets = np.minimum(plug_in_bets(x, alpha), TRUNCATION)
    before = np.append(0.0, (np.cumsum(x) / np.arange(1, len(x) + 1))[:-1])
    cost = float(((x - before) ** 2) @ (-np.log1p(-bets) - bets))
    return max(0.0, (float(bets @ x) - math.log(2.0 / alpha) - cost) / float(bets.sum()))
