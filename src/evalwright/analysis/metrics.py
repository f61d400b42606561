"""Metrics with intervals, over all cases and per slice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from evalwright.analysis.frame import BoolArray, CaseFrame, FloatArray, IntArray, MetricColumn, slice_values
from evalwright.analysis.statistics import RowStatistic
from evalwright.core.estimate import ALL, Estimate
from evalwright.core.run import ScorerRecord
from evalwright.core.scorer import ScoreKind
from evalwright.stats import NOTES, Interval, bootstrap_corpus, clopper_pearson, estimate_mean, quantile_interval

PERCENTILES = {"p50": 0.50, "p90": 0.90, "p95": 0.95, "p99": 0.99}
"""Percentiles of quantities such as latency that rules may name, by statistic name."""

REPORTED = ("p50", "p95", "p99")
"""Those that reports show."""

TAIL_UNITS = frozenset({"s", "USD", "tokens"})
"""Units of quantities whose percentiles are reported beside the mean."""

CORPUS_RESAMPLES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The scored rows of one metric in one slice, with the counts of those that have no score.

    Attributes:
        column: The metric.
        case: Case index of each scored row.
        value: Value of each scored row, finite.
        clusters: Cluster code of each scored row, None when cases are independent.
        skipped: Rows the scorer skipped.
        errors: Rows without a score because the target or the scorer failed.
        stats: Sufficient statistics of the scored rows for corpus metrics.
        binary: Whether every scored row of the metric in the whole run is 0 or 1.
    """

    column: MetricColumn
    case: IntArray
    value: FloatArray
    clusters: IntArray | None
    skipped: int
    errors: int
    stats: FloatArray | None
    binary: bool

    @property
    def is_proportion(self) -> bool:
        """Whether the metric is a share of 0/1 rows."""
        record = self.column.record
        declared = record.kind == ScoreKind.PROPORTION
        return declared or (self.binary and record.kind == ScoreKind.MEAN and (record.low, record.high) == (0.0, 1.0))


def select_rows(column: MetricColumn, frame: CaseFrame, errored: IntArray, members: IntArray | None = None) -> Rows:
    """The rows of a metric, in one slice or over all cases.

    Args:
        column: The metric's rows.
        frame: The run's cases.
        errored: Case index of each unit the target failed on; it counts as an error of every metric.
        members: Case indices of the slice; None for all cases.
    """
    mask = _mask(frame, members)
    inside = mask[column.case]
    scored = inside & ~np.isnan(column.value)
    failed = int((inside & column.error).sum()) + int(mask[errored].sum())
    everything = column.value[~np.isnan(column.value)]
    return Rows(
        column=column,
        case=column.case[scored],
        value=column.value[scored],
        clusters=None if frame.clusters is None else frame.clusters[column.case[scored]],
        skipped=int((inside & np.isnan(column.value) & ~column.error).sum()),
        errors=failed,
        stats=None if column.stats is None else column.stats[scored],
        binary=bool(np.isin(everything, (0.0, 1.0)).all()),
    )


def _mask(frame: CaseFrame, members: IntArray | None) -> BoolArray:
    if members is None:
        return np.ones(frame.size, dtype=np.bool_)
    mask = np.zeros(frame.size, dtype=np.bool_)
    mask[members] = True
    return mask


def estimate_rows(rows: Rows, *, slice_label: str = ALL, level: float = 0.95, statistic: str = "mean") -> Estimate:
    """One figure of one slice, with the interval that suits its kind (see `stats.estimate_mean`).

    Args:
        rows: The scored rows.
        slice_label: Name the estimate carries, e.g. `locale=de`.
        level: Confidence level.
        statistic: `mean`, or `p50`, `p95`, `p99` for quantities; corpus metrics ignore it.
    """
    record = rows.column.record
    interval = _interval(rows, level, statistic)
    return Estimate(
        metric=record.metric,
        value=interval.value,
        low=interval.low,
        high=interval.high,
        level=level,
        method=interval.method,
        n=len(np.unique(rows.case)),
        skipped=rows.skipped,
        errors=rows.errors,
        trials=len(rows.value),
        clusters=interval.clusters,
        se=interval.se,
        slice=slice_label,
        unit=record.unit,
        higher_is_better=record.higher_is_better,
        statistic="corpus" if record.kind == ScoreKind.CORPUS else statistic,
        note="; ".join(NOTES.get(code, code) for code in interval.notes if code not in _QUIET),
    )


_QUIET = frozenset({"capped", "clipped", "no_variation", "empty", "binned"})
"""Notes that say nothing a reader of a metrics table needs."""


def _interval(rows: Rows, level: float, statistic: str) -> Interval:
    if not len(rows.value):
        return Interval(value=None, low=None, high=None, level=level, method="", n=0)
    if statistic in PERCENTILES:
        return _percentile(rows, PERCENTILES[statistic], level)
    if rows.column.record.kind == ScoreKind.CORPUS:
        return _corpus(rows, level)
    return _mean(rows, level)


def _mean(rows: Rows, level: float) -> Interval:
    interval = estimate_mean(
        rows.value,
        kind="proportion" if rows.is_proportion else "mean",
        units=rows.case,
        clusters=rows.clusters,
        bounds=_bounds(rows),
        level=level,
    )
    return _above(interval, rows.column.record.low)


def _above(interval: Interval, least: float | None) -> Interval:
    """An amount bounded below only, such as seconds: its interval does not reach under the bound."""
    if least is None or interval.low is None or interval.low >= least:
        return interval
    return replace(interval, low=least).noted("clipped")


def _bounds(rows: Rows) -> tuple[float, float] | None:
    low, high = rows.column.record.low, rows.column.record.high
    if low is None or high is None:
        return None
    return (min(low, float(rows.value.min())), max(high, float(rows.value.max())))


def _percentile(rows: Rows, q: float, level: float) -> Interval:
    return quantile_interval(rows.value, q, level=level, clusters=_repeat_clusters(rows))


def _repeat_clusters(rows: Rows) -> IntArray | None:
    """Cluster codes that also hold a case's trials together; None when all rows are independent."""
    if rows.clusters is not None:
        return rows.clusters
    return rows.case if len(np.unique(rows.case)) < len(rows.case) else None


def _corpus(rows: Rows, level: float) -> Interval:
    if rows.stats is None or rows.column.aggregate is None:
        return Interval(value=None, low=None, high=None, level=level, method="bootstrap", n=0)
    rng = np.random.default_rng(0)
    codes = _repeat_clusters(rows)
    if isinstance(rows.column.aggregate, RowStatistic):
        return _of_statistic(rows, rows.column.aggregate, codes, level)
    if len(np.unique(rows.case if codes is None else codes)) < 2:
        value = float(rows.column.aggregate(rows.stats.sum(axis=0)))
        return Interval(value=value, low=None, high=None, level=level, method="bootstrap", n=1)
    return bootstrap_corpus(
        rows.stats, rows.column.aggregate, rng=rng, level=level, resamples=CORPUS_RESAMPLES, clusters=codes
    )


def _of_statistic(rows: Rows, statistic: RowStatistic, codes: IntArray | None, level: float) -> Interval:
    """A metric of the whole run; no value where it is undefined on these rows (an area with cases of one kind)."""
    try:
        return statistic.estimate(rows.stats, level=level, clusters=codes, rng=np.random.default_rng(0))  # type: ignore[arg-type]
    except ValueError:
        return Interval(value=None, low=None, high=None, level=level, method="undefined", n=0)


def one_sided_bounds(
    rows: Rows, *, confidence: float, statistic: str = "mean"
) -> tuple[float | None, float | None, str]:
    """Lower and upper confidence bounds, each at `confidence`, and the method: what a gate decides on.

    Independent 0/1 rows get Clopper-Pearson bounds, which never promise too much; everything else the interval of
    the metric at level `2 * confidence - 1`, whose ends are such bounds.
    """
    plain = statistic == "mean" and rows.is_proportion and _repeat_clusters(rows) is None
    if plain and len(rows.value):
        passes, n = int(rows.value.sum()), len(rows.value)
        lower = clopper_pearson(passes, n, level=confidence, side="lower")
        upper = clopper_pearson(passes, n, level=confidence, side="upper")
        return lower.low, upper.high, lower.method
    interval = _interval(rows, 2 * confidence - 1, statistic)
    return interval.low, interval.high, interval.method


def statistics_of(column: MetricColumn) -> tuple[str, ...]:
    """Which statistics a metric is reported by: the mean, and percentiles where the tail is what hurts."""
    if column.record.kind == ScoreKind.QUANTITY and column.record.unit in TAIL_UNITS:
        return ("mean", *REPORTED)
    return ("mean",)


def estimate_all(
    columns: Sequence[MetricColumn], frame: CaseFrame, errored: IntArray, *, level: float = 0.95
) -> tuple[Estimate, ...]:
    """Every metric over all cases, then per slice, worst slice first within a metric."""
    overall: list[Estimate] = []
    sliced: list[Estimate] = []
    for column in columns:
        rows = select_rows(column, frame, errored)
        overall.extend(estimate_rows(rows, level=level, statistic=name) for name in statistics_of(column))
        by_slice = [
            estimate_rows(select_rows(column, frame, errored, members), slice_label=f"{name}={value}", level=level)
            for name, value, members in slice_values(frame)
        ]
        sliced.extend(sorted(by_slice, key=_worst_first))
    return (*overall, *sliced)


def _worst_first(estimate: Estimate) -> tuple[bool, float]:
    if estimate.value is None:
        return (True, 0.0)
    return (False, -estimate.value if estimate.higher_is_better is False else estimate.value)


def overall_column(columns: Sequence[MetricColumn], weights: Mapping[str, float]) -> MetricColumn | None:
    """The metric `overall`: per row the weighted mean of the weighted metrics' values in [0, 1].

    A row counts when every weighted metric has a value for it; a metric that says lower is better counts as
    1 - value. None when no metric has a weight.
    """
    weighted = [column for column in columns if weights.get(column.record.metric)]
    if not weighted:
        return None
    first = weighted[0]
    total = sum(weights[column.record.metric] for column in weighted)
    value = sum(weights[c.record.metric] / total * _goodness(c) for c in weighted)
    error = np.logical_or.reduce([column.error for column in weighted])
    record = ScorerRecord(metric="overall", name="overall", version="1", digest="")
    return MetricColumn(record=record, case=first.case, value=np.asarray(value, dtype=np.float64), error=error)


def _goodness(column: MetricColumn) -> FloatArray:
    return 1.0 - column.value if column.record.higher_is_better is False else column.value
