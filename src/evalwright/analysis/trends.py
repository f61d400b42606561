"""A metric over runs: its points, and where comparability ended."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from evalwright.core.estimate import Estimate


class TrendRun(msgspec.Struct, frozen=True, kw_only=True):
    """A run on a trend.

    Attributes:
        run_id: The run.
        at: When it was started, seconds since the epoch.
        target: Name of the target.
        verdict: The gate's verdict, None when there was none.
        dataset: Content hash of the cases.
        cases: How many there are.
        scorer: Digest of the scorer of the metric, empty for combined metrics.
        estimate: The metric.
    """

    run_id: str
    at: float
    target: str
    verdict: str | None
    dataset: str
    cases: int
    scorer: str
    estimate: Estimate


class TrendPoint(msgspec.Struct, frozen=True, kw_only=True):
    """A point of a trend.

    Attributes:
        run_id: The run.
        at: Seconds since the epoch.
        value: The metric; None when no case was scored.
        low: Lower end of its interval.
        high: Upper end.
        level: Level of the interval.
        n: Cases scored.
        verdict: The gate's verdict.
        target: Name of the target.
        dataset_version: The first digits of the cases' content hash.
        comparable_with_previous: Whether a difference from the point before can be the system's.
        break_reason: Why not; empty when it can.
    """

    run_id: str
    at: float
    value: float | None
    low: float | None
    high: float | None
    level: float
    n: int
    verdict: str | None
    target: str
    dataset_version: str
    comparable_with_previous: bool
    break_reason: str = ""


def trend_points(runs: Iterable[TrendRun]) -> tuple[TrendPoint, ...]:
    """The points of runs in order of time, with the breaks between them.

    A point is not comparable with the one before when the metric was scored in another way, or over other cases. The
    first point has nothing before it and counts as comparable.
    """
    found: list[TrendPoint] = []
    before: TrendRun | None = None
    for run in runs:
        found.append(_point(run, "" if before is None else break_between(before, run)))
        before = run
    return tuple(found)


def break_between(before: TrendRun, after: TrendRun) -> str:
    """Why two runs can't be compared on this metric; empty when they can.

    Example:
        >>> one = TrendRun(run_id="a", at=1, target="t", verdict=None, dataset="d1", cases=5, scorer="s",
        ...                estimate=Estimate(metric="m", value=1.0))
        >>> break_between(one, msgspec.structs.replace(one, dataset="d2", cases=7))
        'the cases changed (5 → 7)'
    """
    reasons = []
    if before.scorer != after.scorer:
        reasons.append("the metric is scored in another way")
    if before.dataset != after.dataset:
        counts = "" if before.cases == after.cases else f" ({before.cases:,} → {after.cases:,})"
        reasons.append(f"the cases changed{counts}")
    return "; ".join(reasons)


def _point(run: TrendRun, reason: str) -> TrendPoint:
    estimate = run.estimate
    return TrendPoint(
        run_id=run.run_id,
        at=run.at,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        level=estimate.level,
        n=estimate.n,
        verdict=run.verdict,
        target=run.target,
        dataset_version=run.dataset[:12],
        comparable_with_previous=not reason,
        break_reason=reason,
    )
