"""Flaky and changed cases of a suite, from the trials of a run and from the runs before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from evalwright.analysis.flakiness import History, Trials, assess
from evalwright.analysis.frame import BoolArray, IntArray
from evalwright.core.errors import UsageError
from evalwright.core.flakiness import FlakyCase, FlakyReport, MetricStability, Stability
from evalwright.core.scorer import ScoreKind
from evalwright.services.pairing import align
from evalwright.services.run_columns import RunColumns
from evalwright.store.catalog import RunFilter
from evalwright.store.workspace import Workspace

HISTORY = 10
_ORDER = {Stability.CHANGED: 0, Stability.FLAKY: 1, Stability.OPEN: 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class FlakyPlan:
    """Where to look.

    Attributes:
        metrics: Only these metrics; every scorer's when empty.
        history: Most earlier runs of the suite looked at; 0 for the run's own trials only.
    """

    metrics: tuple[str, ...] = ()
    history: int = HISTORY


@dataclass(frozen=True, slots=True)
class _Source:
    """A run's columns, with the place of its cases among those of the current run."""

    columns: RunColumns
    place: IntArray
    same: bool


def find_flaky(workspace: Workspace, reference: str, plan: FlakyPlan | None = None) -> FlakyReport:
    """What trials and history say of the cases of a run.

    Trials of other runs count as repetitions where target, case content and scorer are the same; runs of other
    targets are the history to tell a changed case from a flaky one. Answers from the cache are left out.

    Raises:
        UsageError: There is no such run or metric.
    """
    plan = plan or FlakyPlan()
    entry = workspace.catalog.find(reference)
    current = RunColumns(workspace.run(entry.run_id))
    sources = [
        _Source(current, np.arange(len(current.run.cases)), True),
        *_history(workspace, current, entry.created_at, plan.history),
    ]
    names = _metrics(current, plan.metrics)
    found = [assess(_history_of(name, current, sources)) for name in names]
    cases = sorted((case for _, rows in found for case in rows), key=_key)
    return FlakyReport(
        suite=current.manifest.suite,
        run=current.run.run_id,
        same=tuple(s.columns.run.run_id for s in sources[1:] if s.same),
        before=tuple(s.columns.run.run_id for s in sources if not s.same),
        metrics=tuple(stability for stability, _ in found),
        cases=tuple(cases),
        cached=sum(int(source.columns.units.cached.sum()) for source in sources),
        notes=_notes([stability for stability, _ in found]),
    )


def _history(workspace: Workspace, current: RunColumns, created_at: float, limit: int) -> list[_Source]:
    found: list[_Source] = []
    for entry in workspace.catalog.runs(RunFilter(suite=current.manifest.suite)) if limit else ():
        if entry.run_id == current.run.run_id or entry.created_at > created_at or not entry.done:
            continue
        other = RunColumns(workspace.run(entry.run_id))
        alignment = align(current.run.cases, other.run.cases)
        place = np.full(len(other.run.cases), -1, dtype=np.int64)
        place[alignment.candidate] = alignment.baseline
        found.append(_Source(other, place, other.manifest.target_hash == current.manifest.target_hash))
        if len(found) == limit:
            break
    return found


def _metrics(current: RunColumns, wanted: Sequence[str]) -> list[str]:
    own = [
        name
        for name, column in current.columns.items()
        if name in current.own_metrics
        and "." not in name
        and column.record.kind in {ScoreKind.PROPORTION, ScoreKind.MEAN}
    ]
    unknown = [name for name in wanted if name not in own]
    if unknown:
        raise UsageError(f"the run has no metric `{unknown[0]}`", hint=f"it has: {', '.join(own)}")
    return [name for name in own if not wanted or name in wanted]


def _history_of(metric: str, current: RunColumns, sources: Sequence[_Source]) -> History:
    record = current.columns[metric].record
    usable = [
        s for s in sources if metric in s.columns.columns and s.columns.columns[metric].record.digest == record.digest
    ]
    return History(
        metric=metric,
        now=_joined([s for s in usable if s.same], metric),
        before=_joined([s for s in usable if not s.same], metric),
        size=len(current.run.cases),
        case_id=lambda index: current.run.cases[index].id,
        reach=None if record.low is None or record.high is None else record.high - record.low,
    )


def _joined(sources: Sequence[_Source], metric: str) -> Trials:
    parts = [_trials(source, metric) for source in sources]
    return Trials(
        case=np.concatenate([case for case, _ in parts]) if parts else np.empty(0, dtype=np.int64),
        value=np.concatenate([value for _, value in parts]) if parts else np.empty(0),
    )


def _trials(source: _Source, metric: str) -> tuple[IntArray, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]:
    """Scored rows that the target answered itself, numbered by the current run's cases."""
    column = source.columns.columns[metric]
    place = source.place[column.case]
    kept: BoolArray = ~np.isnan(column.value) & (place >= 0) & ~_cached(source.columns)[column.case]
    return place[kept], column.value[kept]


def _cached(columns: RunColumns) -> BoolArray:
    """Cases with an answer from the cache."""
    found = np.zeros(len(columns.run.cases), dtype=np.bool_)
    found[columns.units.case[columns.units.cached]] = True
    return found


def _key(case: FlakyCase) -> tuple[int, float, str]:
    return _ORDER[case.stability], -(case.flip_rate or case.sd or 0.0), case.case_id


def _notes(metrics: Sequence[MetricStability]) -> tuple[str, ...]:
    if metrics and all(metric.repeated == 0 for metric in metrics):
        return ("no case was tried twice on this version: run with --trials 3, or run the suite again",)
    few = [metric for metric in metrics if metric.repeated]
    return ("three equal verdicts prove little: a case that passes 9 times in 10 passes 3 of 3 in 73 %",) if few else ()
