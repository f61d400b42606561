"""Runs on the map of quality, safety, cost and latency: which of them is beaten on every side by another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evalwright.analysis.frame import BoolArray, MetricColumn
from evalwright.core.comparison import FrontierPoint
from evalwright.core.run import ScorerRecord
from evalwright.core.scorer import ScoreKind

SEVERE = ("block", "high", "medium", "low")


@dataclass(frozen=True, slots=True, kw_only=True)
class Aspect:
    """One axis of the map.

    Attributes:
        name: `quality`, `safety`, `cost` or `latency`.
        metric: The metric it stands for.
        statistic: `mean` or a percentile.
        higher_is_better: Direction.
    """

    name: str
    metric: str
    statistic: str = "mean"
    higher_is_better: bool = True

    @property
    def title(self) -> str:
        """The metric as tables name it."""
        return self.metric if self.statistic == "mean" else f"{self.metric} {self.statistic}"


def aspects_of(records: Mapping[str, ScorerRecord], *, quality: str | None = None) -> list[Aspect]:
    """Which metrics stand for quality, safety, cost and latency.

    Quality is the metric asked for, else `overall`, else the first metric of the suite with a higher-is-better share
    or grade; safety the metric of the gravest declared severity; cost and latency their measurements.

    Args:
        records: Metrics both runs have, in the suite's order.
        quality: Metric that stands for quality, where a person named it.
    """
    found: list[Aspect] = []
    chosen = quality or _quality(records)
    if chosen is not None and chosen in records:
        found.append(_aspect("quality", records[chosen]))
    safety = _safety(records, chosen)
    if safety is not None:
        found.append(_aspect("safety", records[safety]))
    if "cost" in records:
        found.append(Aspect(name="cost", metric="cost", higher_is_better=False))
    if "latency" in records:
        found.append(Aspect(name="latency", metric="latency", statistic="p95", higher_is_better=False))
    return found


def _aspect(name: str, record: ScorerRecord) -> Aspect:
    return Aspect(name=name, metric=record.metric, higher_is_better=record.higher_is_better is not False)


def _quality(records: Mapping[str, ScorerRecord]) -> str | None:
    if "overall" in records:
        return "overall"
    fit = (
        name for name, r in records.items() if r.kind != ScoreKind.QUANTITY and r.higher_is_better and "." not in name
    )
    return next(fit, None)


def _safety(records: Mapping[str, ScorerRecord], quality: str | None) -> str | None:
    for severity in SEVERE:
        for name, record in records.items():
            if record.severity == severity and record.higher_is_better is not None and name != quality:
                return name
    return None


def aspect_value(column: MetricColumn, aspect: Aspect, shared: BoolArray | None = None) -> float | None:
    """The value of an aspect over a run's scored rows; case means first, percentiles over rows.

    Args:
        column: The metric's rows.
        aspect: Which statistic.
        shared: By case index, whether the case counts; all when None.
    """
    kept = ~np.isnan(column.value)
    if shared is not None:
        kept &= shared[column.case]
    value, case = column.value[kept], column.case[kept]
    if not len(value):
        return None
    if aspect.statistic != "mean":
        return float(np.quantile(value, int(aspect.statistic[1:]) / 100))
    counts = np.bincount(case)
    means = np.bincount(case, weights=value)[counts > 0] / counts[counts > 0]
    return float(means.mean())


def frontier(points: Sequence[FrontierPoint], aspects: Sequence[Aspect]) -> tuple[FrontierPoint, ...]:
    """The points with the runs that beat them: at least as good wherever both are known, and better somewhere."""
    found: list[FrontierPoint] = []
    for point in points:
        beaten_by = tuple(other.run_id for other in points if other is not point and _beats(other, point, aspects))
        found.append(
            FrontierPoint(
                run_id=point.run_id,
                label=point.label,
                values=point.values,
                metrics={aspect.name: aspect.title for aspect in aspects},
                dominated_by=beaten_by,
            )
        )
    return tuple(found)


def _beats(one: FrontierPoint, other: FrontierPoint, aspects: Sequence[Aspect]) -> bool:
    gains = [
        (a - b) if aspect.higher_is_better else (b - a)
        for aspect in aspects
        if (a := one.values.get(aspect.name)) is not None and (b := other.values.get(aspect.name)) is not None
    ]
    return bool(gains) and min(gains) >= 0.0 and max(gains) > 0.0
