"""When a series of measurements changed: one change, several, or an alarm while it happens."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_vector


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePoint:
    """The best single change of level.

    Attributes:
        index: position of the first value of the new level.
        before: mean before.
        after: mean from there on.
        p_value: Pettitt's test that there is no change.
        pettitt: Pettitt's statistic K.
    """

    index: int
    before: float
    after: float
    p_value: float
    pettitt: float


def change_point(values: npt.ArrayLike) -> ChangePoint:
    """Single change of level: position by least squares, evidence by Pettitt's rank test.

    Values should be independent; a trending or autocorrelated series "changes" everywhere.

    Args:
        values: measurements in time order, at least 2.

    Raises:
        ValueError: fewer than 2 values, NaN.

    Source: Pettitt 1979, JRSS-C 28:126.

    >>> change_point([1.0, 1.1, 0.9, 1.0, 3.0, 3.1, 2.9, 3.0]).index
    4
    """
    x = as_vector(values)
    n = len(x)
    if n < 2:
        raise ValueError(f"need at least 2 values, got {n}")
    k = np.arange(1, n)
    left = np.cumsum(x)[:-1]
    gain = left**2 / k + (x.sum() - left) ** 2 / (n - k)
    index = int(k[np.argmax(gain)])
    u = np.cumsum(np.sign(x[:, None] - x[None, :]).sum(axis=1))
    statistic = float(np.abs(u).max())
    p = min(1.0, 2.0 * math.exp(-6.0 * statistic**2 / (n**3 + n**2)))
    return ChangePoint(
        index=index, before=float(x[:index].mean()), after=float(x[index:].mean()), p_value=p, pettitt=statistic
    )


def change_points(values: npt.ArrayLike, *, penalty: float | None = None, min_size: int = 2) -> list[int]:
    """Several changes of level, by exact least squares with a penalty per change (PELT).

    Args:
        values: measurements in time order.
        penalty: cost of one change; 2·ln(n)·σ² when None, with σ from first differences (robust to the changes).
        min_size: least number of values between changes.

    Returns:
        Positions of the first value of each new level, increasing.

    Raises:
        ValueError: min_size below 1, NaN.

    Source: Killick, Fearnhead & Eckley 2012, JASA 107:1590.

    >>> change_points([0.0, 0.1, 0.0, 5.0, 5.1, 5.0, 1.0, 1.1, 1.0])
    [3, 6]
    """
    x = as_vector(values)
    n = len(x)
    if min_size < 1:
        raise ValueError(f"min_size must be at least 1, got {min_size}")
    if n < 2 * min_size:
        return []
    beta = 2.0 * math.log(n) * _noise_variance(x) if penalty is None else penalty
    sums, squares = np.append(0.0, np.cumsum(x)), np.append(0.0, np.cumsum(x**2))
    best = np.full(n + 1, math.inf)
    best[0] = -beta
    last = np.zeros(n + 1, dtype=np.int64)
    drop = np.full(n + 1, n + 1)
    for end in range(min_size, n + 1):
        starts = np.flatnonzero(drop[: end - min_size + 1] > end)
        cost = squares[end] - squares[starts] - (sums[end] - sums[starts]) ** 2 / (end - starts)
        total = best[starts] + cost + beta
        choice = int(np.argmin(total))
        best[end], last[end] = total[choice], starts[choice]
        beaten = starts[total - beta > best[end]]
        drop[beaten] = np.minimum(drop[beaten], end + min_size)
    return _backtrack(last, n)


def _noise_variance(x: FloatArray) -> float:
    """Variance of the noise from the median absolute first difference."""
    gaps = np.abs(np.diff(x))
    robust = float(np.median(gaps)) / (0.6744897501960817 * math.sqrt(2.0))
    return robust**2 if robust > 0.0 else float(np.mean(gaps**2)) / 2.0


def _backtrack(last: npt.NDArray[np.int64], n: int) -> list[int]:
    found: list[int] = []
    at = int(last[n])
    while at > 0:
        found.append(at)
        at = int(last[at])
    return found[::-1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cusum:
    """A one-sided CUSUM chart.

    Attributes:
        path: cumulative deviation after each value, in standard deviations.
        alarm: index of the first value at which the path exceeded the limit; None if it never did.
    """

    path: FloatArray
    alarm: int | None


def cusum(
    values: npt.ArrayLike,
    *,
    target: float,
    sigma: float,
    slack: float = 0.5,
    limit: float = 4.0,
    downward: bool = True,
) -> Cusum:
    """Tabular CUSUM: S_t = max(0, S_{t-1} + deviation - slack), alarm when S_t > limit.

    Args:
        values: measurements in time order.
        target: mean while all is well.
        sigma: standard deviation of one value while all is well, above 0.
        slack: deviation tolerated, in sigmas; half the shift to detect.
        limit: alarm limit in sigmas (4 to 5 give few false alarms).
        downward: watch for drops; False for rises.

    Raises:
        ValueError: sigma not positive, NaN.

    Source: Page 1954, Biometrika 41:100.

    >>> cusum([0.0, -2.0, -3.0, -3.0], target=0.0, sigma=1.0).alarm
    3
    """
    if not sigma > 0.0:
        raise ValueError(f"sigma must be positive, got {sigma}")
    x = as_vector(values)
    steps = ((target - x) if downward else (x - target)) / sigma - slack
    total = np.cumsum(steps)
    floor = np.minimum.accumulate(np.minimum(total, 0.0))
    path = total - floor
    over = np.flatnonzero(path > limit)
    return Cusum(path=np.asarray(path, dtype=np.float64), alarm=int(over[0]) if len(over) else None)
