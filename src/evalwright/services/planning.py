"""What a suite can see, from its past runs or from assumptions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from evalwright.analysis.comparing import FEW
from evalwright.analysis.crossing import SliceCases, slice_cases
from evalwright.analysis.frame import FloatArray, IntArray
from evalwright.analysis.metrics import estimate_rows, select_rows
from evalwright.analysis.paired import PairRows
from evalwright.analysis.planning import (
    PowerSettings,
    Variation,
    clustering,
    power_row,
    trial_variance,
    with_floor,
)
from evalwright.core.case import Case
from evalwright.core.errors import UsageError
from evalwright.core.estimate import ALL
from evalwright.core.planning import PowerPlan, PowerRow
from evalwright.core.run import RunStatus, ScorerRecord
from evalwright.core.scorer import ScoreKind
from evalwright.services.frames import run_frame
from evalwright.services.pairing import PairedRuns
from evalwright.services.run_columns import RunColumns
from evalwright.services.slicing import slicers
from evalwright.services.sources import RunSource, scorer_record
from evalwright.services.suite_files import load_source
from evalwright.store.catalog import RunFilter
from evalwright.store.workspace import Workspace

EVERYTHING = SliceCases(dimension="", label=ALL, members=np.empty(0, dtype=np.int64))
SUITE_ENDINGS = (".yaml", ".yml", ".py")


def plan_power(
    workspace: Workspace, reference: str, settings: PowerSettings | None = None, *, baseline: str | None = None
) -> PowerPlan:
    """What comparisons on a suite can see.

    The variation comes from two past runs of the suite (their differences), else from one run (its spread, with an
    assumed correlation), else from assumptions.

    Args:
        workspace: Where past runs are.
        reference: A suite file, or a run.
        settings: What is asked.
        baseline: A run to pair the run with; the one before it by default.

    Raises:
        UsageError: There is no such run.
        ConfigError: The suite file is wrong.
    """
    settings = settings or PowerSettings()
    if _is_suite(reference):
        source = load_source(reference)
        latest = _runs_of(workspace, source.name) if workspace.root.exists() else []
        if not latest:
            return _assumed(source, settings)
        return _from_runs(workspace, latest[0], None, settings)
    entry = workspace.catalog.find(reference)
    other = None if baseline is None else workspace.catalog.find(baseline, suite=entry.suite).run_id
    return _from_runs(workspace, entry.run_id, other, settings)


def _is_suite(reference: str) -> bool:
    path = reference.partition(":")[0]
    return path.endswith(SUITE_ENDINGS) or Path(path).is_file()


def _runs_of(workspace: Workspace, suite: str) -> list[str]:
    return [entry.run_id for entry in workspace.catalog.runs(RunFilter(suite=suite, status=RunStatus.COMPLETE))]


def _from_runs(workspace: Workspace, run_id: str, baseline: str | None, settings: PowerSettings) -> PowerPlan:
    columns = RunColumns(workspace.run(run_id))
    pair = _earlier(workspace, columns, baseline)
    rows = list(_paired_rows(pair, settings)) if pair is not None else list(_single_rows(columns, settings))
    runs = (run_id,) if pair is None else (pair.baseline.run.run_id, run_id)
    return PowerPlan(
        suite=columns.manifest.suite,
        runs=runs,
        rows=_sorted(rows),
        difference=settings.difference,
        level=settings.level,
        power=settings.power,
        notes=_notes(rows, settings),
    )


def _earlier(workspace: Workspace, columns: RunColumns, baseline: str | None) -> PairedRuns | None:
    """The run to pair with: the one named, else the latest one of another target on mostly the same cases."""
    if baseline is not None:
        return PairedRuns(RunColumns(workspace.run(baseline)), columns)
    for run_id in _runs_of(workspace, columns.manifest.suite)[:10]:
        if (
            run_id != columns.run.run_id
            and workspace.run(run_id).manifest().target_hash != columns.manifest.target_hash
        ):
            pair = PairedRuns(RunColumns(workspace.run(run_id)), columns)
            if pair.pairs * 2 >= len(columns.run.cases) and set(pair.metrics) & columns.own_metrics:
                return pair
    return None


def _wanted(record: ScorerRecord) -> bool:
    return record.higher_is_better is not None and record.kind != ScoreKind.CORPUS and "." not in record.metric


def _paired_rows(pair: PairedRuns, settings: PowerSettings) -> Iterator[PowerRow]:
    names = [n for n in pair.metrics if n in pair.candidate.own_metrics and _wanted(pair.candidate.columns[n].record)]
    places = [EVERYTHING, *slice_cases(pair.frame)]
    for name in names:
        rows = pair.rows(name)
        within = _within_both(rows)
        for place in places:
            chosen = rows if place is EVERYTHING else rows.within(place.members)
            if len(chosen.pair) >= 2:
                yield power_row(_of_pair(chosen, place, within, settings), settings)


def _within_both(rows: PairRows) -> float | None:
    left, right = trial_variance(rows.baseline), trial_variance(rows.candidate)
    return None if left is None or right is None else left + right


def _of_pair(rows: PairRows, place: SliceCases, within: float | None, settings: PowerSettings) -> Variation:
    difference = rows.difference
    independent = rows.verdicts and within is None
    variance, basis = float(difference.var(ddof=1)), "two runs"
    if not variance and not independent:  # nothing changed between these two: plan on what one run shows
        variance, basis = 2.0 * float(rows.right.var(ddof=1)) * (1.0 - settings.correlation), "one run"
    return with_floor(
        Variation(
            metric=rows.record.metric,
            slice=place.label,
            n=len(rows.pair),
            trials=max(1, round(float(rows.rows.mean()) / 2)),
            changed=float(np.mean(difference != 0)) if independent else None,
            variance=variance,
            within=within,
            design_effect=clustering(difference, rows.clusters),
            share=_is_share(rows.record),
            unit=rows.record.unit,
            basis=basis,
        )
    )


def _is_share(record: ScorerRecord) -> bool:
    return (record.low, record.high) == (0.0, 1.0) and not record.unit


def _single_rows(columns: RunColumns, settings: PowerSettings) -> Iterator[PowerRow]:
    frame = run_frame(columns.run, columns.specs)
    places = [EVERYTHING, *slice_cases(frame)]
    for name, column in columns.columns.items():
        if name not in columns.own_metrics or not _wanted(column.record):
            continue
        within = trial_variance(column)
        for place in places:
            members = None if place is EVERYTHING else place.members
            rows = select_rows(column, frame, np.empty(0, dtype=np.int64), members)
            if len(np.unique(rows.case)) < 2:
                continue
            estimate = estimate_rows(rows, level=settings.level)
            case, means = _case_means(rows.case, rows.value)
            codes = None if frame.clusters is None else frame.clusters[case]
            verdicts = rows.is_proportion and within is None
            half = None if estimate.ci is None else (estimate.ci[1] - estimate.ci[0]) / 2
            yield power_row(
                Variation(
                    metric=name,
                    slice=place.label,
                    n=len(case),
                    trials=max(1, round(len(rows.value) / len(case))),
                    changed=settings.changed if verdicts else None,
                    variance=2.0 * float(means.var(ddof=1)) * (1.0 - settings.correlation),
                    within=None if within is None else 2.0 * within,
                    design_effect=clustering(means, codes),
                    half_width=half,
                    share=_is_share(column.record),
                    unit=column.record.unit,
                    basis="one run",
                ),
                settings,
            )


def _case_means(case: IntArray, value: FloatArray) -> tuple[IntArray, FloatArray]:
    found, codes = np.unique(case, return_inverse=True)
    return found, np.bincount(codes, weights=value) / np.bincount(codes)


def _assumed(source: RunSource, settings: PowerSettings) -> PowerPlan:
    sizes = _sizes(source)
    records = [r for r in map(scorer_record, source.scorers) if _wanted(r) and None not in (r.low, r.high)]
    rows = [
        power_row(_guess(record, label, n, source.settings.trials, settings), settings)
        for record in records
        for label, n in sizes.items()
        if n >= 2
    ]
    return PowerPlan(
        suite=source.name,
        rows=_sorted(rows),
        difference=settings.difference,
        level=settings.level,
        power=settings.power,
        notes=_notes(rows, settings),
    )


def _sizes(source: RunSource) -> dict[str, int]:
    """Cases over all and per slice value, from the dataset's rows."""
    cases = [row for row in source.rows if isinstance(row, Case)]
    if not cases:
        raise UsageError("the dataset has no case")
    found = slicers(source.slices)
    counts: dict[str, int] = {ALL: len(cases)}
    for case in cases:
        for name, slicer in found.items():
            for value in slicer(case):
                counts[f"{name}={value}"] = counts.get(f"{name}={value}", 0) + 1
    return counts


def _guess(record: ScorerRecord, label: str, n: int, trials: int, settings: PowerSettings) -> Variation:
    verdicts = record.kind == ScoreKind.PROPORTION and trials == 1
    reach = (record.high or 0.0) - (record.low or 0.0)
    variance = settings.changed if verdicts else 2.0 * (reach / 4) ** 2 * (1.0 - settings.correlation)
    return Variation(
        metric=record.metric,
        slice=label,
        n=n,
        trials=trials,
        changed=settings.changed if verdicts else None,
        variance=variance,
        share=_is_share(record),
        unit=record.unit,
    )


def _sorted(rows: list[PowerRow]) -> tuple[PowerRow, ...]:
    """All cases first, then slices, those that see least first within a metric."""
    metrics: Mapping[str, int] = {name: at for at, name in enumerate(dict.fromkeys(row.metric for row in rows))}
    kept = [row for row in rows if row.n >= FEW or not row.slice]

    def key(row: PowerRow) -> tuple[bool, int, float]:
        return bool(row.slice), metrics[row.metric], -(row.detectable if row.detectable is not None else float("inf"))

    return tuple(sorted(kept, key=key))


def _notes(rows: list[PowerRow], settings: PowerSettings) -> tuple[str, ...]:
    bases = {row.basis for row in rows}
    found = []
    if "assumed" in bases:
        found.append(
            f"there is no run yet: {settings.changed:.0%} of the verdicts are assumed to change between two versions; "
            "--changed says otherwise, and two runs would tell"
        )
    if "one run" in bases:
        found.append(
            f"there is one run: {settings.changed:.0%} of the verdicts are assumed to change, and graded scores to "
            f"agree with a correlation of {settings.correlation:g}; a second run would tell"
        )
    if rows and all(row.noise is None for row in rows):
        found.append("each case ran once: run with --trials 2 to learn whether more trials or more cases help more")
    return tuple(found)
