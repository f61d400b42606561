"""Metrics of whole runs of classifiers and forecasters: values, intervals, and what each row contributes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evalwright.stats import (
    ClassSums,
    Interval,
    MetricChoice,
    average_precision,
    bootstrap_weighted,
    class_metric,
    cluster_mean,
    estimate_classification,
    roc_auc,
    sensible_bins,
)

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Binning = Literal["mass", "width"]

RESAMPLES = 1_000
_STEP = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassStatistic:
    """A metric of a confusion matrix; rows are (code of the true label, code of the predicted one).

    Attributes:
        choice: Which metric.
    """

    choice: MetricChoice

    def estimate(self, stats: FloatArray, *, level: float, clusters: IntArray | None, rng: Any) -> Interval:
        """The metric with a bootstrap interval over cases or clusters."""
        actual, predicted = stats[:, 0].tolist(), stats[:, 1].tolist()
        return estimate_classification(actual, predicted, self.choice, rng=rng, clusters=clusters, level=level)

    def influence(self, stats: FloatArray) -> FloatArray | None:
        """θ + n·∇θ·s_i per row, by the delta method on the sums of hits, predictions and truths per class.

        The metrics depend on shares only, so these contributions have the metric as their mean. None where the metric
        is undefined.
        """
        labels, codes = np.unique(stats, return_inverse=True)
        actual, predicted = codes.reshape(stats.shape).T
        sums = _class_sums(actual, predicted, len(labels))
        positive = self._positive(labels)
        value, gradient = _gradient(sums, lambda parts: self._value(parts, positive))
        if value is None:
            return None
        q = len(labels)
        row = gradient[q + predicted] + gradient[2 * q + actual] + np.where(actual == predicted, gradient[actual], 0.0)
        return np.asarray(value + len(stats) * (row - row.mean()), dtype=np.float64)

    def weighted(self, stats: FloatArray, weights: FloatArray) -> FloatArray:
        """The metric under weights of the rows, shape (B,)."""
        labels, codes = np.unique(stats, return_inverse=True)
        actual, predicted = codes.reshape(stats.shape).T
        positive = self._positive(labels)
        sums = np.stack([_class_sums(actual, predicted, len(labels), one) for one in weights])
        return self._value(sums, positive)

    def _positive(self, labels: FloatArray) -> int | None:
        if self.choice.positive is None:
            return None
        found = np.flatnonzero(labels == self.choice.positive)
        return int(found[0]) if len(found) else None

    def _value(self, sums: FloatArray, positive: int | None) -> FloatArray:
        q = sums.shape[-1] // 3
        parts = ClassSums(hits=sums[..., :q], predicted=sums[..., q : 2 * q], actual=sums[..., 2 * q :])
        if self.choice.average == "binary" and positive is None:
            return np.full(sums.shape[:-1], np.nan)
        return class_metric(parts, self.choice.metric, average=self.choice.average, positive=positive)


def _class_sums(actual: IntArray, predicted: IntArray, q: int, weights: FloatArray | None = None) -> FloatArray:
    """Hits, predictions and truths per class, one after the other, shape (3q,)."""
    right = actual == predicted
    inside = None if weights is None else weights[right]
    parts = (
        np.bincount(actual[right], weights=inside, minlength=q),
        np.bincount(predicted, weights=weights, minlength=q),
        np.bincount(actual, weights=weights, minlength=q),
    )
    return np.concatenate(parts).astype(np.float64)


def _gradient(sums: FloatArray, value: Callable[[FloatArray], FloatArray]) -> tuple[float | None, FloatArray]:
    """The metric and its gradient by central differences, one-sided where a sum is 0."""
    here = float(value(sums[None, :])[0])
    if not np.isfinite(here):
        return None, np.zeros(0)
    step = np.full(len(sums), _STEP)
    down = np.where(sums > _STEP, _STEP, 0.0)
    above, below = (value(sums + np.diag(step)), value(sums - np.diag(down)))
    gradient = (above - below) / (step + down)
    return here, np.nan_to_num(gradient)


@dataclass(frozen=True, slots=True)
class RocArea:
    """Area under the ROC curve; rows are (score, 1 for a positive case or 0)."""

    def estimate(self, stats: FloatArray, *, level: float, clusters: IntArray | None, rng: Any) -> Interval:
        """DeLong's interval; over clusters the CR2 interval of the rows' contributions."""
        del rng
        if clusters is None:
            return roc_auc(stats[:, 0], stats[:, 1], level=level)
        contributions = self.influence(stats)
        if contributions is None:
            raise ValueError("an area needs cases of both kinds")
        return cluster_mean(contributions, clusters, level=level)

    def influence(self, stats: FloatArray) -> FloatArray | None:
        """The area plus each row's weighted placement value; their variance is DeLong's."""
        score, positive = stats[:, 0], stats[:, 1] == 1.0
        m, n = int(positive.sum()), int((~positive).sum())
        if not m or not n:
            return None
        placed = np.empty(len(stats))
        placed[positive] = _share_below(score[~positive], score[positive])
        placed[~positive] = 1.0 - _share_below(score[positive], score[~positive])
        area = float(placed[positive].mean())
        return area + len(stats) * (placed - area) / np.where(positive, m, n)

    def weighted(self, stats: FloatArray, weights: FloatArray) -> FloatArray:
        """The area under weights of the rows, shape (B,); NaN where one kind was not drawn."""
        order = np.argsort(stats[:, 0], kind="stable")
        score, positive = stats[order, 0], stats[order, 1]
        drawn = weights[:, order]
        starts = np.flatnonzero(np.diff(score, prepend=-np.inf))
        ups, downs = (np.add.reduceat(drawn * part, starts, axis=1) for part in (positive, 1.0 - positive))
        below = np.cumsum(downs, axis=1) - downs / 2.0
        with np.errstate(divide="ignore", invalid="ignore"):
            area = (ups * below).sum(axis=1) / (ups.sum(axis=1) * downs.sum(axis=1))
        return np.asarray(area, dtype=np.float64)


def _share_below(others: FloatArray, values: FloatArray) -> FloatArray:
    """Share of `others` below each value, ties half."""
    ordered = np.sort(others)
    ranks = np.searchsorted(ordered, values, side="left") + np.searchsorted(ordered, values, side="right")
    return np.asarray(ranks / (2.0 * len(ordered)), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class PrecisionRecallArea:
    """Area under the precision-recall curve (average precision); rows as for `RocArea`."""

    def estimate(self, stats: FloatArray, *, level: float, clusters: IntArray | None, rng: Any) -> Interval:
        """The area with a bootstrap interval over cases or clusters."""
        return bootstrap_weighted(
            len(stats),
            lambda weights: self.weighted(stats, weights),
            rng=rng, level=level, clusters=clusters, resamples=RESAMPLES,
        )  # fmt: skip

    def influence(self, stats: FloatArray) -> FloatArray | None:
        """None: the area has no simple contributions; comparisons draw cases instead."""
        del stats
        return None

    def weighted(self, stats: FloatArray, weights: FloatArray) -> FloatArray:
        """The area under weights of the rows, shape (B,)."""
        return average_precision(stats[:, 0], stats[:, 1], weights=weights)


@dataclass(frozen=True, slots=True, kw_only=True)
class CalibrationGap:
    """Expected calibration error; rows are (stated probability, 1 if it came true or 0).

    Attributes:
        bins: Number of bins, about n^(1/3) and at most 15 when None.
        binning: `mass` for equal numbers of cases, `width` for equal width.
    """

    bins: int | None = None
    binning: Binning = "mass"

    def estimate(self, stats: FloatArray, *, level: float, clusters: IntArray | None, rng: Any) -> Interval:
        """The error with a bootstrap interval over cases or clusters, bins held fixed."""
        return bootstrap_weighted(
            len(stats),
            lambda weights: self.weighted(stats, weights),
            rng=rng, level=level, clusters=clusters, resamples=RESAMPLES,
        )  # fmt: skip

    def influence(self, stats: FloatArray) -> FloatArray | None:
        """None: absolute values have no contributions near zero; comparisons draw cases instead."""
        del stats
        return None

    def weighted(self, stats: FloatArray, weights: FloatArray) -> FloatArray:
        """Σ_b |Σ w(p - y)| / Σ w under weights of the rows, shape (B,)."""
        code = self._codes(stats[:, 0])
        member = np.zeros((len(stats), int(code.max(initial=0)) + 1))
        member[np.arange(len(stats)), code] = stats[:, 0] - stats[:, 1]
        return np.asarray(np.abs(weights @ member).sum(axis=1) / weights.sum(axis=1), dtype=np.float64)

    def _codes(self, stated: FloatArray) -> IntArray:
        bins = self.bins or sensible_bins(len(stated))
        edges = np.linspace(0.0, 1.0, bins + 1)
        if self.binning == "mass":
            edges = np.unique(np.quantile(stated, edges))
        last = max(len(edges) - 2, 0)
        return np.clip(np.searchsorted(edges, stated, side="left") - 1, 0, last).astype(np.int64)
