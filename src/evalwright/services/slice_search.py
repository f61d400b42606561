"""Slices of a stored run: worst first, searched for, and re-weighted to a production mix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evalwright.analysis.crossing import crossed
from evalwright.analysis.frame import CaseFrame, FloatArray, IntArray
from evalwright.analysis.metrics import estimate_rows, select_rows
from evalwright.analysis.reweighting import make_mix, reweighted_interval
from evalwright.analysis.slice_search import SearchValues, candidates, field_slices, search
from evalwright.core.errors import UsageError
from evalwright.core.estimate import Estimate
from evalwright.core.slice_search import SliceSearch
from evalwright.services.frames import run_frame
from evalwright.services.mixes import MixTable
from evalwright.services.pairing import PairedRuns
from evalwright.services.run_columns import RunColumns
from evalwright.stats import estimate_mean
from evalwright.store.results import RunStore


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPlan:
    """What to search.

    Attributes:
        metric: The metric; the suite's first with a direction when None.
        depth: 1 for single slices, 2 for pairs of them too.
        min_n: Fewest cases a slice is tested with.
        fields: Also make slices from metadata, parts of the input, tags and length.
        level: Confidence level.
    """

    metric: str | None = None
    depth: int = 2
    min_n: int = 20
    fields: bool = True
    level: float = 0.95


def find_slices(run: RunStore, plan: SearchPlan | None = None, *, baseline: RunStore | None = None) -> SliceSearch:
    """Slices that are worse than the rest, or, with a baseline, whose change is worse than that of the rest.

    Raises:
        UsageError: There is no such metric, or it has no direction.
    """
    plan = plan or SearchPlan()
    if baseline is not None:
        return _of_change(PairedRuns.of(baseline, run), plan)
    columns = RunColumns(run)
    name = _metric(columns, plan.metric)
    frame = _frame(run, columns, plan)
    column = columns.columns[name]
    rows = select_rows(column, frame, np.empty(0, dtype=np.int64))
    counts = np.bincount(rows.case, minlength=frame.size)
    case = np.flatnonzero(counts)
    means = np.bincount(rows.case, weights=rows.value, minlength=frame.size)[case] / counts[case]
    values = SearchValues(
        metric=name,
        case=case,
        value=means,
        clusters=None if frame.clusters is None else frame.clusters[case],
        verdicts=rows.is_proportion and int(counts.max(initial=0)) <= 1,
        sign=-1.0 if column.record.higher_is_better is False else 1.0,
        level=plan.level,
        size=frame.size,
    )
    whole = estimate_rows(rows, level=plan.level)
    return _searched(values, frame, plan, SliceSearch(run=run.run_id, metric=name, whole=whole))


def _metric(columns: RunColumns, wanted: str | None) -> str:
    known = {n: c for n, c in columns.columns.items() if c.record.higher_is_better is not None}
    if wanted is None:
        own = [name for name in known if name in columns.own_metrics and "." not in name]
        if not own:
            raise UsageError("the run has no metric with a better and a worse", hint="name one with --metric")
        return own[0]
    if wanted not in known:
        raise UsageError(
            f"the run has no metric `{wanted}` with a better and a worse", hint=f"it has: {', '.join(known)}"
        )
    return wanted


def _frame(run: RunStore, columns: RunColumns, plan: SearchPlan) -> CaseFrame:
    frame = run_frame(run, columns.specs)
    if not plan.fields:
        return frame
    declared = {members.tobytes() for by in frame.slices.values() for members in by.values()}
    found = field_slices(enumerate(run.cases))
    extra = {
        name: kept
        for name, by in found.items()
        if (kept := {value: m for value, m in by.items() if m.tobytes() not in declared})
    }
    return CaseFrame(size=frame.size, clusters=frame.clusters, slices={**frame.slices, **extra})


def _of_change(runs: PairedRuns, plan: SearchPlan) -> SliceSearch:
    name = _metric(runs.candidate, plan.metric)
    if name not in runs.metrics:
        raise UsageError(f"the runs do not score `{name}` the same way", hint="evalwright compare says how they differ")
    rows = runs.rows(name)
    frame = _frame(runs.candidate.run, runs.candidate, plan)
    back: IntArray = runs.alignment.candidate
    values = SearchValues(
        metric=name,
        case=back[rows.pair],
        value=rows.gain,
        clusters=rows.clusters,
        level=plan.level,
        size=frame.size,
    )
    ci = estimate_mean(rows.gain, clusters=rows.clusters, level=plan.level)
    whole = Estimate(metric=name, value=ci.value, low=ci.low, high=ci.high, method=ci.method, n=ci.n, level=plan.level)
    start = SliceSearch(run=runs.candidate.run.run_id, metric=name, whole=whole, baseline=runs.baseline.run.run_id)
    return _searched(values, frame, plan, start, share=_is_share(runs.candidate, name))


def _searched(
    values: SearchValues, frame: CaseFrame, plan: SearchPlan, start: SliceSearch, *, share: bool | None = None
) -> SliceSearch:
    places, small = candidates(frame, depth=plan.depth, min_n=plan.min_n)
    rows, tested, repeats = search(values, places, min_n=plan.min_n)
    return SliceSearch(
        run=start.run,
        metric=start.metric,
        baseline=start.baseline,
        whole=start.whole,
        fields=tuple(frame.slices),
        tested=tested,
        small=small,
        min_n=plan.min_n,
        rows=tuple(rows),
        repeats=repeats,
        higher_is_better=values.sign > 0,
        unit=start.whole.unit,
        share=values.verdicts if share is None else share,
        level=plan.level,
    )


def _is_share(columns: RunColumns, name: str) -> bool:
    record = columns.columns[name].record
    return (record.low, record.high) == (0.0, 1.0) and not record.unit


@dataclass(frozen=True, slots=True, kw_only=True)
class MixFigure:
    """A metric over the suite's cases as they are, and at the production mix.

    Attributes:
        crude: As they are.
        adjusted: At the mix; None where a part of the mix has no scored case.
        outside: Cases no part of the mix covers.
    """

    crude: Estimate
    adjusted: Estimate | None
    outside: int


def reweighted(run: RunStore, table: MixTable, *, level: float = 0.95) -> list[MixFigure]:
    """The run's metrics at a production mix.

    Raises:
        UsageError: The mix names a slice or a value the run does not have.
    """
    columns = RunColumns(run)
    frame = run_frame(run, columns.specs)
    mix = make_mix(table.shares, list(crossed(frame, table.dimension)), frame.size)
    codes = np.full(frame.size, -1, dtype=np.int64)
    for number, stratum in enumerate(mix.strata):
        codes[stratum.members] = number
    shares = np.array([mix.shares[stratum.label] for stratum in mix.strata])
    names = [name for name in columns.columns if name in columns.own_metrics and "." not in name]
    return [
        _mixed(name, columns, frame, (codes, shares, mix.outside), level)
        for name in names
        if columns.columns[name].stats is None
    ]


def _mixed(
    name: str, columns: RunColumns, frame: CaseFrame, mix: tuple[IntArray, FloatArray, int], level: float
) -> MixFigure:
    codes, shares, outside = mix
    rows = select_rows(columns.columns[name], frame, np.empty(0, dtype=np.int64))
    crude = estimate_rows(rows, level=level)
    counts = np.bincount(rows.case, minlength=frame.size)
    case = np.flatnonzero((counts > 0) & (codes >= 0))
    means = np.bincount(rows.case, weights=rows.value, minlength=frame.size)[case] / counts[case]
    clusters = None if frame.clusters is None else frame.clusters[case]
    ci = reweighted_interval(means, codes[case], shares, level=level, clusters=clusters)
    if ci is None:
        return MixFigure(crude=crude, adjusted=None, outside=outside)
    adjusted = Estimate(
        metric=name, value=ci.value, low=ci.low, high=ci.high, level=level, method=ci.method, n=ci.n, se=ci.se,
        unit=crude.unit, higher_is_better=crude.higher_is_better, note="at the production mix",
    )  # fmt: skip
    return MixFigure(crude=crude, adjusted=adjusted, outside=outside)
