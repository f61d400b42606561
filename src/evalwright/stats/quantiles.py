"""Intervals for percentiles such as p95 latency, from order statistics: no distribution is assumed."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from evalwright.stats._arrays import FloatArray, as_vector, check_level
from evalwright.stats.clusters import korn_graubard
from evalwright.stats.records import Interval


def quantile_interval(values: npt.ArrayLike, q: float, *, level: float = 0.95, clusters: Any | None = None) -> Interval:
    """Interval of the q-th quantile (q = 0.95 for p95).

    Independent cases: ends are the order statistics whose ranks enclose the quantile with binomial probability of
    at least `level`. Clustered cases: Woodruff's interval, the quantiles at the Korn-Graubard ends of the share
    of values at or below the estimate. When the sample does not reach far enough (p99 of 50 cases) the end is
    None with the note "open_high" or "open_low".

    Args:
        values: one number per case, such as latency in seconds.
        q: which quantile, strictly between 0 and 1.
        level: confidence level between 0 and 1.
        clusters: one label per case, or None.

    Raises:
        ValueError: q or level out of range, NaN, labels of another length.

    Source: David & Nagaraja 2003, chapter 7; Woodruff 1952, JASA 47:635.

    >>> ci = quantile_interval(range(1, 101), 0.5)
    >>> ci.value, ci.low, ci.high
    (50.5, 40.0, 61.0)
    """
    x = np.sort(as_vector(values))
    check_level(level)
    if not 0.0 < q < 1.0:
        raise ValueError(f"q must lie strictly between 0 and 1 (0.95 for p95), got {q}")
    if len(x) == 0:
        return Interval(value=None, low=None, high=None, level=level, method="quantile", n=0, notes=("empty",))
    if clusters is not None:
        return _woodruff(as_vector(values), x, q, level, clusters)
    low, high = _ranks(len(x), q, level)
    return _between(x, q, (low, high), level=level, method="quantile_order_statistics")


def _ranks(n: int, q: float, level: float) -> tuple[int, int]:
    """1-based ranks of the two ends; 0 or n + 1 where no order statistic is far enough out."""
    tail = (1.0 - level) / 2.0
    cumulative = special.bdtr(np.arange(n, dtype=np.float64), n, q)
    low = int(np.searchsorted(cumulative, tail, side="right"))
    high = int(np.searchsorted(cumulative, 1.0 - tail, side="left")) + 1
    return low, high


def _between(x: FloatArray, q: float, ranks: tuple[int, int], *, level: float, method: str) -> Interval:
    value = float(np.quantile(x, q))
    low = min(float(x[ranks[0] - 1]), value) if ranks[0] >= 1 else None
    high = max(float(x[ranks[1] - 1]), value) if ranks[1] <= len(x) else None
    notes = (() if low is not None else ("open_low",)) + (() if high is not None else ("open_high",))
    return Interval(value=value, low=low, high=high, level=level, method=method, n=len(x), notes=notes)


def _woodruff(values: FloatArray, ordered: FloatArray, q: float, level: float, clusters: Any) -> Interval:
    threshold = float(np.quantile(ordered, q, method="inverted_cdf"))
    share = korn_graubard((values <= threshold).astype(np.float64), clusters, level=level)
    at = share.value if share.value is not None else q
    n = len(ordered)
    low = math.floor(n * max(0.0, (share.low or 0.0) - at + q))
    high = math.ceil(n * min(1.0, (1.0 if share.high is None else share.high) - at + q)) + 1
    result = _between(ordered, q, (low, high), level=level, method="quantile_woodruff")
    return Interval(
        value=result.value, low=result.low, high=result.high, level=level, method=result.method, n=n,
        clusters=share.clusters, df=share.df, notes=result.notes + share.notes,
    )  # fmt: skip
