"""Classification metrics with intervals: confusion matrix, accuracy to MCC, ROC and PR areas."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from evalwright.stats._arrays import (
    FloatArray,
    IntArray,
    as_vector,
    check_level,
    group_codes,
    ordered_labels,
    same_length,
    seed_of,
)
from evalwright.stats._dist import z_two_sided
from evalwright.stats.bootstrap import Replicates
from evalwright.stats.clusters import cluster_notes
from evalwright.stats.records import Interval
from evalwright.stats.resampling import chunk_sizes, resampled_sums

Metric = Literal["accuracy", "balanced_accuracy", "precision", "recall", "f1", "mcc", "kappa"]
Average = Literal["binary", "micro", "macro", "weighted"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfusionMatrix:
    """Counts of true against predicted class.

    Attributes:
        labels: classes in order.
        counts: array (q, q), true class in rows.
    """

    labels: tuple[Any, ...]
    counts: IntArray

    @property
    def n(self) -> int:
        """Cases."""
        return int(self.counts.sum())

    def most_confused(self, limit: int = 10) -> list[tuple[Any, Any, int]]:
        """Most frequent mistakes as (true, predicted, count)."""
        wrong = self.counts.copy()
        np.fill_diagonal(wrong, 0)
        order = np.argsort(-wrong, axis=None, kind="stable")[:limit]
        rows, columns = np.unravel_index(order, wrong.shape)
        pairs = zip(rows.tolist(), columns.tolist(), strict=True)
        return [(self.labels[i], self.labels[j], int(wrong[i, j])) for i, j in pairs if wrong[i, j]]


def confusion_matrix(
    actual: Sequence[Any], predicted: Sequence[Any], *, labels: Sequence[Any] | None = None
) -> ConfusionMatrix:
    """Cross table of true and predicted classes.

    Args:
        actual: true class per case.
        predicted: predicted class per case.
        labels: classes in order; all that occur, in order, when None.

    Raises:
        ValueError: lengths that differ, or a class that is not among the labels.

    >>> confusion_matrix(["a", "b", "b"], ["a", "a", "b"]).counts.tolist()
    [[1, 0], [1, 1]]
    """
    names, rows, columns = _coded(actual, predicted, labels)
    q = len(names)
    counts = np.bincount(rows * q + columns, minlength=q * q).reshape(q, q)
    return ConfusionMatrix(labels=names, counts=counts.astype(np.int64))


def _coded(
    actual: Sequence[Any], predicted: Sequence[Any], labels: Sequence[Any] | None
) -> tuple[tuple[Any, ...], IntArray, IntArray]:
    if len(actual) != len(predicted):
        raise ValueError(f"actual has {len(actual)} cases but predicted has {len(predicted)}")
    names = tuple(labels) if labels is not None else tuple(ordered_labels((*actual, *predicted)))
    index = {name: i for i, name in enumerate(names)}
    unknown = [c for c in (*actual, *predicted) if c not in index]
    if unknown:
        raise ValueError(f"class {unknown[0]!r} is not among the labels")
    rows = np.fromiter((index[c] for c in actual), dtype=np.int64, count=len(actual))
    return names, rows, np.fromiter((index[c] for c in predicted), dtype=np.int64, count=len(predicted))


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassSums:
    """What every metric here depends on, possibly for many resamples at once.

    Attributes:
        hits: cases per class predicted right, shape (..., q).
        predicted: cases per class predicted, shape (..., q).
        actual: cases per class, shape (..., q).
    """

    hits: FloatArray
    predicted: FloatArray
    actual: FloatArray

    @property
    def n(self) -> FloatArray:
        """Cases, shape (...)."""
        return np.asarray(self.actual.sum(axis=-1), dtype=np.float64)

    @classmethod
    def of(cls, matrix: ConfusionMatrix) -> ClassSums:
        """Sums of one confusion matrix."""
        c = matrix.counts.astype(np.float64)
        return cls(hits=np.diag(c).copy(), predicted=c.sum(axis=0), actual=c.sum(axis=1))


def class_metric(
    sums: ClassSums, metric: Metric, *, average: Average = "macro", positive: int | None = None
) -> FloatArray:
    """A metric from class sums, vectorised over leading axes; NaN where it is undefined.

    A class that occurs neither among truths nor predictions does not count in a macro average; a class never
    predicted has precision 0 when it occurs. Binary averages look at the class `positive` only.

    Args:
        sums: from a confusion matrix or resamples.
        metric: which one.
        average: for precision, recall and F1.
        positive: index of the positive class, for "binary".

    Raises:
        ValueError: "binary" without `positive`, or an unknown metric.

    Source: scikit-learn's definitions; Gorodkin 2004 (multi-class MCC).

    >>> m = confusion_matrix([1, 1, 0, 0], [1, 0, 0, 0])
    >>> float(class_metric(ClassSums.of(m), "f1", average="binary", positive=1))
    0.6666666666666666
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if metric == "accuracy":
            return np.asarray(sums.hits.sum(axis=-1) / sums.n, dtype=np.float64)
        if metric == "balanced_accuracy":
            return np.asarray(np.nanmean(_silent(sums.hits, sums.actual), axis=-1), dtype=np.float64)
        if metric in ("mcc", "kappa"):
            return _chance_corrected(sums, metric)
        if metric in ("precision", "recall", "f1"):
            return _averaged(sums, metric, average, positive)
    raise ValueError(f"unknown metric {metric!r}")


def _silent(top: FloatArray, bottom: FloatArray) -> FloatArray:
    empty = np.full(np.broadcast(top, bottom).shape, np.nan)
    return np.asarray(np.divide(top, bottom, out=empty, where=bottom > 0), dtype=np.float64)


def _chance_corrected(sums: ClassSums, metric: str) -> FloatArray:
    n, right = sums.n, sums.hits.sum(axis=-1)
    chance = (sums.predicted * sums.actual).sum(axis=-1)
    if metric == "kappa":
        return np.asarray((right * n - chance) / (n * n - chance), dtype=np.float64)
    spread = (n**2 - (sums.predicted**2).sum(axis=-1)) * (n**2 - (sums.actual**2).sum(axis=-1))
    return np.asarray(np.where(spread > 0, (right * n - chance) / np.sqrt(spread), 0.0), dtype=np.float64)


def _averaged(sums: ClassSums, metric: str, average: Average, positive: int | None) -> FloatArray:
    hits, bottoms = sums.hits, {"precision": sums.predicted, "recall": sums.actual}
    bottom = bottoms[metric] if metric in bottoms else (sums.predicted + sums.actual) / 2.0
    if average == "micro":
        return _silent(hits.sum(axis=-1), bottom.sum(axis=-1))
    occurs = (sums.predicted + sums.actual) > 0
    per_class = np.where(occurs, np.nan_to_num(_silent(hits, bottom), nan=0.0), np.nan)
    if average == "binary":
        if positive is None:
            raise ValueError("average 'binary' needs the index of the positive class")
        return np.asarray(per_class[..., positive], dtype=np.float64)
    if average == "weighted":
        return np.asarray(np.nansum(per_class * sums.actual, axis=-1) / sums.n, dtype=np.float64)
    return np.asarray(np.nanmean(per_class, axis=-1), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricChoice:
    """Which classification metric.

    Attributes:
        metric: its name.
        average: over classes, for precision, recall and F1.
        positive: the positive class, for "binary".
    """

    metric: Metric
    average: Average = "macro"
    positive: Any = None


def estimate_classification(
    actual: Sequence[Any],
    predicted: Sequence[Any],
    choice: MetricChoice,
    *,
    rng: np.random.Generator,
    clusters: Any | None = None,
    resamples: int = 2_000,
    level: float = 0.95,
) -> Interval:
    """A classification metric with a bootstrap interval over cases (or clusters).

    Cases enter only through the cells of the confusion matrix, so a resample is one multinomial draw over the cells
    that occur, whatever the number of cases.

    Args:
        actual: true class per case.
        predicted: predicted class per case.
        choice: which metric.
        rng: source of randomness.
        clusters: cluster label per case, or None.
        resamples: number of resamples.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: no cases, lengths that differ, a metric undefined on the data.

    >>> choice = MetricChoice(metric="f1", average="binary", positive=1)
    >>> ci = estimate_classification([1, 1, 0, 0] * 25, [1, 0, 0, 0] * 25, choice, rng=np.random.default_rng(1))
    >>> round(ci.value, 4), ci.n
    (0.6667, 100)
    """
    names, rows, columns = _coded(actual, predicted, None)
    if len(rows) == 0:
        raise ValueError("no cases")
    q = len(names)
    if choice.average == "binary" and choice.positive not in names:
        raise ValueError(f"the positive class {choice.positive!r} is not among {list(names)}")
    positive = names.index(choice.positive) if choice.average == "binary" else None

    def statistic(sums: FloatArray) -> FloatArray:
        parts = ClassSums(hits=sums[..., :q], predicted=sums[..., q : 2 * q], actual=sums[..., 2 * q :])
        return class_metric(parts, choice.metric, average=choice.average, positive=positive)

    drawn, total, groups, binned = _resample_cells(rows * q + columns, q, clusters, (resamples, rng))
    estimate = float(statistic(total[None, :])[0])
    if not math.isfinite(estimate):
        raise ValueError(f"{choice.metric} is undefined on these cases")
    values = _by_batches(statistic, drawn)
    notes = (("undefined_resamples",) if len(values) < len(drawn) else ()) + (("binned",) if binned else ())
    if groups is not None:
        notes += cluster_notes(groups)
    replicates = Replicates(
        estimate=estimate, values=values, jackknife=None, n=len(rows), clusters=groups, seed=seed_of(rng), notes=notes
    )
    return replicates.interval(level=level)


def _by_batches(statistic: Any, drawn: FloatArray) -> FloatArray:
    size = max(1, 4_000_000 // drawn.shape[1])
    parts = [np.asarray(statistic(drawn[i : i + size])) for i in range(0, len(drawn), size)]
    values = np.concatenate(parts)
    return np.asarray(values[np.isfinite(values)], dtype=np.float64)


def _cell_contributions(cells: IntArray, q: int) -> FloatArray:
    """What one case of each confusion cell adds to (hits, predicted, actual), shape (cells, 3q)."""
    true, said = cells // q, cells % q
    rows = np.zeros((len(cells), 3 * q))
    index = np.arange(len(cells))
    rows[index, true] += (true == said).astype(np.float64)
    rows[index, q + said] += 1.0
    rows[index, 2 * q + true] += 1.0
    return rows


def _class_sums(draws: IntArray, used: IntArray, q: int) -> FloatArray:
    """(hits, predicted, actual) per class from counts of the confusion cells `used` (increasing), shape (B, 3q)."""
    true, said = used // q, used % q
    sums = np.zeros((len(draws), 3 * q))
    right = true == said
    sums[:, true[right]] = draws[:, right]
    by_said = np.argsort(said, kind="stable")
    for offset, codes, order in ((q, said[by_said], by_said), (2 * q, true, None)):
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        ordered = draws if order is None else draws[:, order]
        sums[:, offset + codes[starts]] = np.add.reduceat(ordered, starts, axis=1)
    return sums


def _resample_cells(
    cells: IntArray, q: int, clusters: Any | None, plan: tuple[int, np.random.Generator]
) -> tuple[FloatArray, FloatArray, int | None, bool]:
    """Resampled sums, observed sums, number of clusters, whether rows were grouped."""
    resamples, rng = plan
    used, inverse, counts = np.unique(cells, return_inverse=True, return_counts=True)
    contributions = _cell_contributions(used, q)
    total = counts @ contributions
    if clusters is None:
        shares = counts / len(cells)
        sizes = chunk_sizes(len(used), resamples)
        parts = [_class_sums(rng.multinomial(len(cells), shares, size=size), used, q) for size in sizes]
        return np.concatenate(parts), total, None, False
    codes, groups = group_codes(clusters, len(cells))
    rows = np.zeros((groups, 3 * q))
    np.add.at(rows, codes, contributions[inverse])
    drawn = resampled_sums(rows, resamples, rng)
    return drawn.sums, total, groups, drawn.binned


def roc_auc(scores: npt.ArrayLike, outcomes: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Area under the ROC curve with DeLong's interval on the logit scale.

    The probability that a positive case scores above a negative one (ties count half). All positives above all
    negatives leave no variance: the far end is then the exact bound for one more pair, tail^(1/min(m, n)).

    Args:
        scores: higher means more likely positive.
        outcomes: 0 or 1.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: lengths that differ, outcomes of one kind only or not 0/1, NaN.

    Source: DeLong, DeLong & Clarke-Pearson 1988, Biometrics 44:837; Sun & Xu 2014 (by ranks).

    >>> round(roc_auc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1]).value, 4)
    0.75
    """
    s, y = as_vector(scores, "scores"), as_vector(outcomes, "outcomes")
    same_length(s, y, ("scores", "outcomes"))
    positive = y == 1.0
    m, n = int(positive.sum()), int((y == 0.0).sum())
    if m == 0 or n == 0 or m + n != len(y):
        raise ValueError(f"outcomes must be 0 or 1 with both kinds present, got {m} positive and {n} negative")
    check_level(level)
    above, below = _placements(s[positive], s[~positive])
    auc = float(above.mean())
    variance = _variance(above) / m + _variance(below) / n
    se = math.sqrt(variance)
    low, high = _auc_ends(auc, se, min(m, n), level)
    notes = ("no_variation",) if se == 0.0 else ()
    return Interval(value=auc, low=low, high=high, level=level, method="delong_logit", n=m + n, se=se, notes=notes)


def _variance(x: FloatArray) -> float:
    return float(x.var(ddof=1)) if len(x) > 1 else 0.0


def _auc_ends(auc: float, se: float, size: int, level: float) -> tuple[float, float]:
    if se == 0.0:
        edge = (1.0 - level) ** (1.0 / size)
        return (edge, 1.0) if auc == 1.0 else (0.0, 1.0 - edge) if auc == 0.0 else (0.0, 1.0)
    centre, half = float(special.logit(auc)), z_two_sided(level) * se / (auc * (1.0 - auc))
    return float(special.expit(centre - half)), float(special.expit(centre + half))


def _placements(positives: FloatArray, negatives: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share of negatives below each positive, and of positives above each negative (ties half)."""
    n_sorted, p_sorted = np.sort(negatives), np.sort(positives)
    lower = np.searchsorted(n_sorted, positives, side="left") + np.searchsorted(n_sorted, positives, side="right")
    upper = np.searchsorted(p_sorted, negatives, side="left") + np.searchsorted(p_sorted, negatives, side="right")
    above = lower / (2.0 * len(negatives))
    return above, 1.0 - upper / (2.0 * len(positives))


def average_precision(
    scores: npt.ArrayLike, outcomes: npt.ArrayLike, *, weights: FloatArray | None = None
) -> FloatArray:
    """Area under the precision-recall curve by steps, Σ (R_i - R_{i-1})·P_i; tied scores enter together.

    For an interval hand it to `bootstrap_weighted`: `lambda w: average_precision(s, y, weights=w)`.

    Args:
        scores: higher means more likely positive.
        outcomes: 0 or 1.
        weights: resampling weights (B, n); one unit weight per case when None.

    Returns:
        B values (one when weights is None), NaN where no positive was drawn.

    Raises:
        ValueError: lengths that differ, NaN.

    >>> round(float(average_precision([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])[0]), 4)
    0.8333
    """
    s, y = as_vector(scores, "scores"), as_vector(outcomes, "outcomes")
    same_length(s, y, ("scores", "outcomes"))
    order = np.argsort(-s, kind="stable")
    w = (np.ones((1, len(s))) if weights is None else weights)[:, order]
    ends = np.append(np.flatnonzero(np.diff(s[order])), len(s) - 1)
    hits = np.cumsum(w * y[order], axis=1)[:, ends]
    seen = np.cumsum(w, axis=1)[:, ends]
    with np.errstate(divide="ignore", invalid="ignore"):
        precision = np.where(seen > 0, hits / np.maximum(seen, 1e-300), 0.0)
        gained = np.diff(hits, axis=1, prepend=0.0)
        return np.asarray((gained * precision).sum(axis=1) / hits[:, -1], dtype=np.float64)
