"""When the suite itself is the population: stopping early says what the rest of it would have shown."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy.typing as npt
from scipy import special

from evalwright.stats._arrays import Side, as_vector, check_count, check_level, same_length
from evalwright.stats._dist import t_two_sided
from evalwright.stats.group_sequential import Boundary, spent_alpha
from evalwright.stats.records import Interval


def hypergeometric_interval(
    successes: int, n: int, population: int, *, level: float = 0.95, side: Side = "two-sided"
) -> Interval:
    """Exact interval of the suite's own pass rate after n of its cases in random order.

    Inverts the hypergeometric distribution: the least (greatest) number of passing cases in the suite under which
    the passes seen are not too many (few). Sharper than a binomial interval; no width once every case was run.

    Args:
        successes: cases that passed among those run.
        n: cases run, in a random order fixed beforehand.
        population: cases of the suite.
        level: confidence level between 0 and 1.
        side: "lower" for a gate.

    Raises:
        ValueError: counts out of range, or a population smaller than n.

    Source: Cochran 1977, chapter 3; exact inversion.

    >>> hypergeometric_interval(190, 200, 1000, side="lower").low
    0.921
    """
    x, total = check_count(successes, n)
    check_level(level)
    size = int(population)
    if size != population or size < max(total, 1):
        raise ValueError(f"population must be a whole number of at least {max(total, 1)}, got {population}")
    tail = (1.0 - level) / 2.0 if side == "two-sided" else 1.0 - level
    least = 0 if side == "upper" else _least(x, total, size, tail)
    most = size if side == "lower" else size - _least(total - x, total, size, tail)
    value = x / total if total else None
    notes = () if total else ("empty",)
    se = finite_standard_error(math.sqrt(value * (1.0 - value) / total), total, size) if value is not None else None
    return Interval(
        value=value, low=least / size, high=most / size, level=level, method="hypergeometric", n=total, side=side,
        se=se, notes=notes,
    )  # fmt: skip


def _least(x: int, n: int, size: int, tail: float) -> int:
    """Least number K of passing cases with P(X >= x | K) > tail, by bisection (the probability grows with K)."""
    low, high = x, size - (n - x)
    while low < high:
        middle = (low + high) // 2
        if _at_least(x, n, size, middle) > tail:
            high = middle
        else:
            low = middle + 1
    return low


def _at_least(x: int, n: int, size: int, good: int) -> float:
    """P(X >= x) of passes among n drawn from `size` cases, `good` of which pass."""
    first, last = max(x, n - (size - good)), min(n, good)
    if first > last:
        return 0.0
    if x <= max(0, n - (size - good)):
        return 1.0
    return _tail_sum(first, last, (n, size, good))


def _tail_sum(first: int, last: int, shape: tuple[int, int, int]) -> float:
    """Sum of the hypergeometric probabilities first..last by their ratio, from the first one."""
    n, size, good = shape
    log = _log_choose(good, first) + _log_choose(size - good, n - first) - _log_choose(size, n)
    term, total = 1.0, 1.0
    for k in range(first, last):
        term *= (good - k) * (n - k) / ((k + 1.0) * (size - good - n + k + 1.0))
        total += term
        if term < 1e-17 * total:
            break
    return math.exp(log + math.log(total))


def _log_choose(n: int, k: int) -> float:
    return float(special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0))


def finite_standard_error(standard_error: float, n: int, population: int) -> float:
    """Standard error of a suite's own mean from n of its cases: se·sqrt(1 - n/N).

    Raises:
        ValueError: unless 0 < n <= population.

    Source: Cochran 1977, section 2.6.

    >>> round(finite_standard_error(0.02, 500, 1000), 5)
    0.01414
    """
    if not 0 < n <= population:
        raise ValueError(f"need 0 < n <= population, got {n} and {population}")
    return standard_error * math.sqrt(1.0 - n / population)


def finite_information(n: int, population: int) -> float:
    """Information about the suite's own mean after n cases, n/(1 - n/N); infinite at n = N.

    Shares of it at planned looks (before the whole suite) are fractions for `sequential_plan`.

    Raises:
        ValueError: unless 0 < n <= population.

    >>> finite_information(500, 1000)
    1000.0
    """
    if not 0 < n <= population:
        raise ValueError(f"need 0 < n <= population, got {n} and {population}")
    return math.inf if n == population else n / (1.0 - n / population)


def finite_look_levels(
    fractions: Sequence[float], *, level: float = 0.95, boundary: Boundary = "lan_demets_obf"
) -> list[float]:
    """Two-sided levels for exact intervals at planned looks at a suite that is itself the population.

    Each look may err with the spending function's increment, so by the union bound the whole procedure errs no more
    than 1 - level, at any size. A look at the whole suite needs no level (nothing is left to chance) and is
    given `level`.

    Args:
        fractions: share of the suite run at each look, increasing, at most 1.
        level: confidence level over all looks.
        boundary: a spending function.

    Raises:
        ValueError: fractions that do not increase within (0, 1].

    >>> [round(x, 4) for x in finite_look_levels([0.25, 0.5, 0.75])]
    [1.0, 0.997, 0.9838]
    """
    if any(b <= a for a, b in zip((0.0, *fractions), fractions, strict=False)) or (fractions and fractions[-1] > 1.0):
        raise ValueError(f"looks must increase within (0, 1], got {list(fractions)}")
    alpha = (1.0 - level) / 2.0
    spent = [0.0] + [spent_alpha(t, alpha=alpha, boundary=boundary) for t in fractions]
    return [
        level if t == 1.0 else 1.0 - 2.0 * (now - before)
        for t, before, now in zip(fractions, spent, spent[1:], strict=False)
    ]


def subset_estimate(
    scores: npt.ArrayLike,
    history: npt.ArrayLike,
    all_history: npt.ArrayLike,
    *,
    slope: float | None = None,
    level: float = 0.95,
) -> Interval:
    """Whole-suite mean from a random subset, helped by the historical pass rate of every case.

    Regression estimator m_y + b·(H - m_h): unbiased for large samples whatever the history is worth, narrower by
    sqrt(1 - ρ²). With `slope=1` it is the difference estimator, exactly unbiased.

    Args:
        scores: new scores of the sampled cases.
        history: historical mean score of the same cases.
        all_history: historical mean score of every case of the suite, sampled ones included.
        slope: b, or None to fit it.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: fewer than 3 sampled cases, lengths that differ, more samples than cases, NaN.

    Source: Cochran 1977, chapter 7.

    >>> ci = subset_estimate([1, 0, 1, 1], [0.9, 0.2, 0.8, 0.7], [0.9, 0.2, 0.8, 0.7, 0.5, 0.6])
    >>> round(ci.value, 4)
    0.6983
    """
    y, h, everything = as_vector(scores, "scores"), as_vector(history, "history"), as_vector(all_history, "all_history")
    same_length(y, h, ("scores", "history"))
    n, size = len(y), len(everything)
    if n < 3 or size < n:
        raise ValueError(f"need at least 3 sampled cases of a suite at least as large, got {n} of {size}")
    centred = h - h.mean()
    spread = float(centred @ centred)
    b = slope if slope is not None else (float(centred @ y) / spread if spread > 0.0 else 0.0)
    residual = y - y.mean() - b * centred
    df = n - 1 if slope is not None else n - 2
    se = finite_standard_error(math.sqrt(float(residual @ residual) / df / n), n, size)
    value = float(y.mean()) + b * float(everything.mean() - h.mean())
    half = t_two_sided(check_level(level), df) * se
    notes = ("no_variation",) if se == 0.0 and n < size else ()
    return Interval(
        value=value, low=value - half, high=value + half, level=level, method="subset_regression", n=n, se=se,
        df=float(df), notes=notes,
    )  # fmt: skip
