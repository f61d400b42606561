"""Metrics of a whole run that are no function of summed rows: areas under curves, calibration, gaps of groups."""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

from evalwright.analysis.frame import FloatArray, IntArray
from evalwright.stats import Interval


@runtime_checkable
class RowStatistic(Protocol):
    """What a scorer of kind `corpus` may offer as `aggregate` instead of a function of sums.

    `stats` are the rows' `Score.stats` as a matrix of shape (rows, k).
    """

    def estimate(self, stats: FloatArray, *, level: float, clusters: IntArray | None, rng: Any) -> Interval:
        """The metric with its interval.

        Args:
            stats: The scored rows.
            level: Confidence level.
            clusters: Cluster code of each row, None when rows are independent.
            rng: Source of randomness.
        """
        ...

    def influence(self, stats: FloatArray) -> FloatArray | None:
        """What each row contributes, with the metric as the mean, shape (rows,); None where that can't be said."""
        ...

    def weighted(self, stats: FloatArray, weights: FloatArray) -> FloatArray:
        """The metric when rows count `weights` times, shape (B, rows) to (B,); NaN where it is undefined."""
        ...
