"""Metrics over the runs of a suite."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evalwright.analysis.trends import TrendPoint, TrendRun, trend_points
from evalwright.core.errors import NotFound, UsageError
from evalwright.core.run import RunStatus
from evalwright.services.browsing.browser import Browser
from evalwright.store.catalog import RunEntry, RunFilter
from evalwright.store.figure_rows import Figure

MOST_POINTS = 200


class TrendMetric(msgspec.Struct, frozen=True, kw_only=True):
    """A metric there is a trend of."""

    metric: str
    statistic: str
    unit: str
    higher_is_better: bool | None
    slices: tuple[str, ...] = ()


class Trend(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over the runs of a suite, oldest first.

    Attributes:
        suite: The suite.
        metric: The metric shown.
        slice: The slice shown, empty for all cases.
        statistic: The statistic shown.
        unit: Unit of the values.
        higher_is_better: Direction; None when neither.
        points: Runs that have it.
        metrics: What else there is a trend of, by the latest run.
        targets: Targets the suite was run on.
    """

    suite: str
    metric: str
    slice: str
    statistic: str
    unit: str
    higher_is_better: bool | None
    points: tuple[TrendPoint, ...]
    metrics: tuple[TrendMetric, ...]
    targets: tuple[str, ...]


class TrendQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for.

    Attributes:
        suite: The suite.
        metric: The metric; the one the latest run is known by when None.
        slice: The slice as `name=value`, empty for all cases.
        statistic: `mean`, `p95`, …; the first the metric has when None.
        target: Only runs of this target.
        since: Only runs started at this time or later.
        limit: Latest runs at most.
    """

    suite: str
    metric: str | None = None
    slice: str = ""
    statistic: str | None = None
    target: str | None = None
    since: float | None = None
    limit: int = MOST_POINTS


def trend(browser: Browser, wanted: TrendQuestion) -> Trend:
    """A metric over runs; a suite without figures has a trend without points.

    Raises:
        UsageError: No run of the suite, or none has the metric.
    """
    entries = _entries(browser, wanted)
    if not entries and wanted.suite not in browser.workspace.catalog.suites():
        raise NotFound(f"there is no run of the suite {wanted.suite!r}")
    known = _latest_figures(browser, entries)
    metric = wanted.metric or next((figure.estimate.metric for figure in known if figure.headline), None)
    if metric is None:
        return _empty(wanted, known, entries)
    figures = _figures(browser, entries, metric, wanted)
    if not figures and entries:
        names = ", ".join(dict.fromkeys(figure.estimate.metric for figure in known))
        raise UsageError(f"no run has the metric {metric!r} in this slice", hint=f"the latest has: {names or 'none'}")
    points = trend_points(_run(entry, figures[entry.run_id]) for entry in entries if entry.run_id in figures)
    last = figures[points[-1].run_id].estimate if points else None
    return Trend(
        suite=wanted.suite,
        metric=metric,
        slice=wanted.slice,
        statistic=last.statistic if last else "mean",
        unit=last.unit if last else "",
        higher_is_better=last.higher_is_better if last else None,
        points=points,
        metrics=_metrics(known),
        targets=_targets(entries),
    )


def _entries(browser: Browser, wanted: TrendQuestion) -> list[RunEntry]:
    """The runs, oldest first; those that still run have no figures and are left out."""
    chosen = RunFilter(suite=wanted.suite, target=wanted.target, since=wanted.since)
    found = browser.workspace.catalog.runs(chosen, limit=min(wanted.limit, MOST_POINTS))
    return [entry for entry in reversed(found) if entry.status is not RunStatus.RUNNING]


def _latest_figures(browser: Browser, entries: Sequence[RunEntry]) -> list[Figure]:
    return browser.workspace.catalog.figures([entries[-1].run_id], slice=None) if entries else []


def _figures(browser: Browser, entries: Sequence[RunEntry], metric: str, wanted: TrendQuestion) -> dict[str, Figure]:
    ids = [entry.run_id for entry in entries]
    found = browser.workspace.catalog.figures_of(ids, metric, slice=wanted.slice, statistic=wanted.statistic)
    return {figure.run_id: figure for figure in reversed(found)}


def _run(entry: RunEntry, figure: Figure) -> TrendRun:
    return TrendRun(
        run_id=entry.run_id,
        at=entry.created_at,
        target=entry.target,
        verdict=entry.decision,
        dataset=entry.dataset_digest,
        cases=entry.cases,
        scorer=figure.scorer,
        estimate=figure.estimate,
    )


def _metrics(known: Sequence[Figure]) -> tuple[TrendMetric, ...]:
    slices: dict[tuple[str, str], list[str]] = {}
    for figure in known:
        one = figure.estimate
        slices.setdefault((one.metric, one.statistic), []).extend([one.slice] if one.slice else [])
    return tuple(
        TrendMetric(
            metric=figure.estimate.metric,
            statistic=figure.estimate.statistic,
            unit=figure.estimate.unit,
            higher_is_better=figure.estimate.higher_is_better,
            slices=tuple(slices[figure.estimate.metric, figure.estimate.statistic][:200]),
        )
        for figure in known
        if not figure.estimate.slice
    )


def _targets(entries: Sequence[RunEntry]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry.target for entry in reversed(entries)))


def _empty(wanted: TrendQuestion, known: Sequence[Figure], entries: Sequence[RunEntry]) -> Trend:
    return Trend(
        suite=wanted.suite,
        metric="",
        slice=wanted.slice,
        statistic="mean",
        unit="",
        higher_is_better=None,
        points=(),
        metrics=_metrics(known),
        targets=_targets(entries),
    )
