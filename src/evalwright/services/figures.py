"""A run's figures: from the stored rows to metrics, slices and the gate's decision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np

from evalwright.analysis.frame import CaseFrame, IntArray, MetricColumn
from evalwright.analysis.metrics import estimate_all, overall_column
from evalwright.core.estimate import ALL, Estimate
from evalwright.core.gate import Decision
from evalwright.core.result import Summary
from evalwright.core.run import Manifest, RunStatus, ScorerRecord
from evalwright.core.scorer import BoundScorer, ScoreKind
from evalwright.core.suite import SliceSpec
from evalwright.gates.explain import exceptions
from evalwright.services.frames import run_frame
from evalwright.services.run_notes import bad_row_notes, failure_notes
from evalwright.services.stopping import as_sequential, stopping_record
from evalwright.store.columns import ScoreColumns
from evalwright.store.results import RunStore

Aggregates = Mapping[str, Callable[[Any], Any]]
"""By corpus metric: from summed statistics to the metric."""

SHOWN_BAD_ROWS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFigures:
    """The columns of a run, ready for figures.

    Attributes:
        columns: One per metric, parts and `overall` included.
        frame: Clusters and slices of the cases.
        errored: Case index of each unit the target failed on.
        level: Confidence level the intervals are computed at.
        shown_level: For a run that was stopped early: the level these intervals have over all the looks at it.
    """

    columns: tuple[MetricColumn, ...]
    frame: CaseFrame
    errored: IntArray
    level: float
    shown_level: float | None = None

    def estimates(self) -> tuple[Estimate, ...]:
        """Every metric, over all cases and per slice."""
        return tuple(map(self.labelled, estimate_all(self.columns, self.frame, self.errored, level=self.level)))

    def labelled(self, estimate: Estimate) -> Estimate:
        """An estimate with the level its interval really has."""
        return estimate if self.shown_level is None else as_sequential(estimate, self.shown_level)


def run_figures(
    run: RunStore,
    *,
    aggregates: Aggregates | None = None,
    manifest: Manifest | None = None,
    look_level: float | None = None,
) -> RunFigures:
    """Read the columns of a run.

    Args:
        run: The run.
        aggregates: Of corpus metrics; one that is not given has no figure.
        manifest: With other slices than the run's own, where those have changed.
        look_level: Level of the intervals at a look at a run that goes on; that of a run which was stopped early is
            known.
    """
    manifest = manifest or run.manifest()
    level = manifest.settings.level
    looks = stopping_record(run.folder) if look_level is None else None
    if looks is not None and looks.stopped:
        look_level = looks.look_level
    units = run.unit_columns()
    specs = slice_specs(manifest)
    columns = metric_columns(run, aggregates or {})
    weights = {record.metric: record.weight for record in run.scorers() if record.weight is not None}
    overall = overall_column(columns, weights)
    return RunFigures(
        columns=columns if overall is None else (*columns, overall),
        frame=run_frame(run, specs),
        errored=units.case[units.errored],
        level=level if look_level is None else look_level,
        shown_level=None if look_level is None else level,
    )


def slice_specs(manifest: Manifest) -> dict[str, SliceSpec]:
    """The slice definitions a manifest keeps."""
    return {name: msgspec.convert(spec, SliceSpec) for name, spec in manifest.slices.items()}


def metric_columns(run: RunStore, aggregates: Aggregates) -> tuple[MetricColumn, ...]:
    """The scored rows of every metric of a run, its parts after it."""
    present = set(run.metrics())
    found: list[MetricColumn] = []
    for record in run.scorers():
        if record.metric not in present:
            found.append(_empty(record))
            continue
        found.append(_column(record, run.columns(record.metric), aggregates.get(record.metric)))
        found.extend(_part(record, part, run.columns(f"{record.metric}.{part}")) for part in run.parts(record.metric))
    return tuple(found)


def _column(record: ScorerRecord, scores: ScoreColumns, aggregate: Callable[[Any], Any] | None) -> MetricColumn:
    stats = scores.stats if record.kind == ScoreKind.CORPUS else None
    return MetricColumn(
        record=record,
        case=scores.case,
        value=scores.value,
        error=scores.failed,
        stats=None if stats is None else np.nan_to_num(stats),
        aggregate=aggregate,
    )


def _empty(record: ScorerRecord) -> MetricColumn:
    """A metric nothing was scored on, so that it shows with n = 0 instead of being absent."""
    return MetricColumn(
        record=record, case=np.empty(0, dtype=np.int64), value=np.empty(0), error=np.empty(0, dtype=np.bool_)
    )


def _part(record: ScorerRecord, part: str, scores: ScoreColumns) -> MetricColumn:
    """A part as a metric of its own: a proportion where all its rows are 0 or 1, else a mean without bounds."""
    values = scores.value[scores.scored]
    verdicts = bool(len(values)) and bool(np.isin(values, (0.0, 1.0)).all())
    low, high = (0.0, 1.0) if verdicts else (None, None)
    kind = ScoreKind.PROPORTION if verdicts else ScoreKind.MEAN
    name = f"{record.metric}.{part}"
    made = msgspec.structs.replace(record, metric=name, kind=kind.value, low=low, high=high, weight=None)
    return _column(made, scores, None)


def aggregates_of(scorers: tuple[BoundScorer, ...]) -> dict[str, Callable[[Any], Any]]:
    """The aggregate functions of a suite's corpus metrics."""
    return {b.metric: b.scorer.aggregate for b in scorers if b.info.kind is ScoreKind.CORPUS}


@dataclass(frozen=True, slots=True, kw_only=True)
class RunEnd:
    """What only the engine knows of how a run ended.

    Attributes:
        status: How it ended.
        notes: What a reader of the figures must know.
        limits: Changes of rate limits.
    """

    status: RunStatus
    notes: tuple[str, ...] = ()
    limits: tuple[dict[str, Any], ...] = ()


Judge = Callable[[RunFigures], Decision | None]
"""Decides the gate of a run from its figures."""


def summarise(
    run: RunStore,
    judge: Judge,
    end: RunEnd,
    *,
    aggregates: Aggregates | None = None,
    manifest: Manifest | None = None,
) -> Summary:
    """Figures, decision and counts of a run, recomputed from its rows; `manifest` as for `run_figures`."""
    figures = run_figures(run, aggregates=aggregates, manifest=manifest)
    estimates = figures.estimates()
    decision = judge(figures)
    return Summary(
        manifest=manifest or run.manifest(),
        status=end.status,
        totals=run.totals(),
        estimates=estimates,
        decision=decision,
        bad_rows=run.bad_rows()[:SHOWN_BAD_ROWS],
        failing=len(run.failing()),
        notes=(
            *end.notes,
            *bad_row_notes(run),
            *failure_notes(run),
            *_unscored(run, estimates),
            *([] if decision is None else exceptions(decision)),
        ),
        limits=end.limits,
    )


def _unscored(run: RunStore, estimates: tuple[Estimate, ...]) -> list[str]:
    """A note for each metric without a single scored case, with the reason of one of its rows."""
    empty = [e for e in estimates if e.slice == ALL and e.n == 0 and e.skipped + e.errors]
    wanted = {e.metric: e for e in empty}
    if not wanted:
        return []
    reasons: dict[str, str] = {}
    for _, record in run.units():
        for metric, score in record.scores.items():
            reasons.setdefault(metric, score.reason)
        if wanted.keys() <= reasons.keys():
            break
    return [
        f"`{name}` scored no case ({e.skipped} skipped, {e.errors} errors): {reasons.get(name) or 'no answer to score'}"
        for name, e in wanted.items()
    ]
