"""Stored runs compared: what differs, by how much, for whom, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Protocol

from evalwright.analysis.comparing import (
    ROW,
    CompareSettings,
)
from evalwright.core.case_pair import CasePair
from evalwright.core.comparison import (
    Comparison,
    PairComparison,
    PairedFigure,
    Recommendation,
)
from evalwright.core.errors import UsageError
from evalwright.core.estimate import ALL
from evalwright.core.result import CaseResult
from evalwright.reports.compare.selection import shown_ids
from evalwright.services.comparison_parts import ComparePlan, compared_pairs, frontier_of, sides_of
from evalwright.services.figures import slice_specs
from evalwright.services.pairing import PairedRuns
from evalwright.services.run_columns import RunColumns
from evalwright.services.slicing import case_slices
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace


class StoredRun(Protocol):
    """Anything that knows the folder its run is kept in."""

    @property
    def folder(self) -> Path:
        """The run's folder in its workspace."""
        ...


class RunComparison:
    """Runs compared; with two runs, the questions one asks of a change.

    Attributes:
        record: Everything, as `--json` prints it.
    """

    def __init__(self, record: Comparison, runs: Sequence[PairedRuns]) -> None:
        self.record = record
        self._runs = tuple(runs)

    @property
    def pair(self) -> PairComparison:
        """The first comparison: the only one of two runs."""
        return self.record.pairs[0]

    @property
    def recommendation(self) -> Recommendation | None:
        """What it means, in words."""
        return self.pair.recommendation

    def metric(self, name: str, *, slice: str = ALL, statistic: str | None = None) -> PairedFigure:
        """The paired figure of a metric, over all cases or one slice (`locale=de`).

        Raises:
            KeyError: There is no such metric or slice; the message lists what there is.
        """
        return self.pair.metric(name, slice=slice, statistic=statistic)

    def regressions(self, metric: str = ROW) -> list[CasePair]:
        """The cases that passed in the baseline and fail now; with a metric, those that score worse on it.

        Raises:
            KeyError: The runs have no verdicts of that name in common.
        """
        return self._cases(metric, fixed=False)

    def improvements(self, metric: str = ROW) -> list[CasePair]:
        """The cases that failed in the baseline and pass now; with a metric, those that score better on it.

        Raises:
            KeyError: The runs have no verdicts of that name in common.
        """
        return self._cases(metric, fixed=True)

    def _cases(self, metric: str, *, fixed: bool) -> list[CasePair]:
        flips = next((flips for flips in self.pair.flips if flips.metric == metric), None)
        if flips is None:
            known = ", ".join(flips.metric or "(all scorers)" for flips in self.pair.flips)
            raise KeyError(f"no verdicts {metric!r}; there are: {known or 'none'}")
        ids = [flip.case_id for flip in (flips.fixed if fixed else flips.broken)]
        return list(case_pairs(self._runs[0], ids))

    def cases(self, ids: Sequence[str], *, pair: int = 0) -> Iterator[CasePair]:
        """Cases with what both runs of a pair made of them, in the order given."""
        return case_pairs(self._runs[pair], ids)

    def shown_cases(self, limit: int = 200) -> list[list[CasePair]]:
        """Per pair of runs the cases a report shows: those that got worse first, then those that got better.

        Args:
            limit: Most cases per pair.
        """
        return [list(self.cases(shown_ids(pair, limit), pair=place)) for place, pair in enumerate(self.record.pairs)]

    def report(self, path: str | Path, *, format: str | None = None) -> Path:
        """Write the comparison; the format follows the file's name unless given (`html`, `markdown`, `json`)."""
        from evalwright.services.comparison_reports import write_comparison

        return write_comparison(self, Path(path), format=format)

    def __repr__(self) -> str:
        runs = ", ".join(repr(run.run_id) for run in self.record.runs)
        advice = self.pair.recommendation.advice.value if self.pair.recommendation else ""
        return f"RunComparison({runs}, advice={advice!r}, pairs={self.pair.pairing.pairs})"


def case_pairs(runs: PairedRuns, ids: Sequence[str]) -> Iterator[CasePair]:
    """Cases both runs have, with what each made of them, in the order of the ids."""
    left, right = (_results(columns, ids) for columns in (runs.baseline, runs.candidate))
    for case_id in ids:
        yield CasePair(case=right[case_id].case, baseline=left[case_id], candidate=right[case_id])


def _results(columns: RunColumns, ids: Sequence[str]) -> dict[str, CaseResult]:
    slices = case_slices(slice_specs(columns.manifest))
    indexes = sorted({columns.run.cases.find(case_id) for case_id in ids})
    return {result.case.id: result for result in columns.run.case_results(slices=slices, only=indexes)}


def compare(
    *more: StoredRun,
    baseline: StoredRun,
    candidate: StoredRun,
    margin: float = 0.02,
    level: float = 0.95,
    plan: ComparePlan | None = None,
) -> RunComparison:
    """Compare runs case by case.

    Args:
        more: Further candidates.
        baseline: The reference run.
        candidate: The changed run.
        margin: Largest loss that does not matter (0.02 is two points).
        level: Confidence level of the intervals.
        plan: Everything else there is to choose; wins over `margin` and `level`.

    Raises:
        UsageError: A run is compared with itself.
    """
    if plan is None:
        settings = CompareSettings(margin=margin)
        plan = ComparePlan(settings=replace(settings, options=replace(settings.options, level=level)))
    return compare_runs([_store(run) for run in (baseline, candidate, *more)], plan)


def _store(run: StoredRun) -> RunStore:
    if isinstance(run, RunStore):
        return run
    return Workspace.open(run.folder.parent.parent).run(run.folder.name)


def compare_runs(runs: Sequence[RunStore], plan: ComparePlan | None = None) -> RunComparison:
    """Compare two or more stored runs; the first is the baseline.

    Raises:
        UsageError: Fewer than two different runs, or an option names what does not exist.
    """
    plan = plan or ComparePlan()
    names = [run.run_id for run in runs]
    if len(set(names)) < 2 or len(set(names)) < len(names):
        raise UsageError("a comparison needs at least two different runs", hint="evalwright list runs")
    columns = [RunColumns(run) for run in runs]
    chosen = list(combinations(columns, 2)) if plan.all_pairs else [(columns[0], other) for other in columns[1:]]
    paired = [PairedRuns(left, right) for left, right in chosen]
    sides = sides_of(columns)
    record = Comparison(
        runs=sides,
        pairs=tuple(compared_pairs(paired, sides, plan)),
        design="pair" if len(runs) == 2 else "all" if plan.all_pairs else "baseline",
        level=plan.settings.options.level,
        family=_family(len(paired)),
        margin=plan.settings.margin,
        frontier=frontier_of(columns, paired, sides, plan),
        mix={} if plan.mix is None else dict(plan.mix.shares),
    )
    return RunComparison(record, paired)


def _family(pairs: int) -> str:
    runs = "" if pairs == 1 else f" and over the {pairs} comparisons"
    return (
        f"p-values over all cases are adjusted (Holm) over the metrics of quality, and over those of time and money, "
        f"each{runs}; those of slices over all slices of the metric{runs}: the chance of any false alarm in a family "
        "stays at the stated level."
    )
