"""What a comparison is made of: every pair of runs with its figures, and all runs on one map."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from evalwright.analysis.comparing import (
    CompareSettings,
    PairMaterial,
    adjust_by_metric,
    adjust_family,
    flips_of,
    overall_figures,
    slice_figures,
    sort_slices,
)
from evalwright.analysis.crossing import crossed
from evalwright.analysis.frame import BoolArray
from evalwright.analysis.frontier import Aspect, aspect_value, aspects_of, frontier
from evalwright.analysis.recommendation import Findings, is_operational, recommend
from evalwright.analysis.reversals import PlainMeans, hidden_regressions, mix_reversal, weight_reversals
from evalwright.analysis.reweighting import Mix, make_mix, reweighted_figure
from evalwright.core.comparison import (
    FrontierPoint,
    PairComparison,
    PairedFigure,
    Reversal,
    RunSide,
)
from evalwright.core.errors import UsageError
from evalwright.services.comparability import mismatches
from evalwright.services.mixes import MixTable
from evalwright.services.pairing import PairedRuns
from evalwright.services.run_columns import RunColumns

PARTS = "."
"""In a metric's name: it is a part of another, shown over all cases but not per slice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePlan:
    """How runs are to be compared.

    Attributes:
        settings: Levels, margin, slices.
        all_pairs: With three or more runs compare every pair, instead of each with the first.
        quality: Metric that stands for quality on the frontier; chosen when None.
        mix: Production mix to re-weight to, None for none.
    """

    settings: CompareSettings = field(default_factory=CompareSettings)
    all_pairs: bool = False
    quality: str | None = None
    mix: MixTable | None = None


def sides_of(columns: Sequence[RunColumns]) -> tuple[RunSide, ...]:
    """The runs with their short names: the target's where these tell them apart, else the run's id."""
    targets = [_target_name(one.manifest.target_name) for one in columns]
    unique = len(set(targets)) == len(targets) and all(targets)
    return tuple(_side(one, name if unique else one.run.run_id) for one, name in zip(columns, targets, strict=True))


def _target_name(name: str) -> str:
    """The name without the endings of a file of recorded answers."""
    for ending in (".gz", ".zst", ".jsonl", ".json", ".csv", ".parquet"):
        name = name.removesuffix(ending)
    return name.rpartition("/")[2]


def _side(columns: RunColumns, label: str) -> RunSide:
    manifest, totals = columns.manifest, columns.run.totals()
    summary = columns.run.summary()
    costs = [cost for cost in (totals.cost, totals.judge_cost) if cost is not None]
    return RunSide(
        run_id=columns.run.run_id,
        label=label,
        suite=manifest.suite,
        target=manifest.target_name,
        dataset=manifest.dataset.digest[:12] if manifest.dataset else "",
        cases=len(columns.run.cases),
        errored=totals.errored,
        units=totals.done,
        cost=sum(costs) if costs else None,
        created_at=manifest.created_at,
        status=summary.status.value if summary else "running",
    )


def compared_pairs(
    paired: Sequence[PairedRuns], sides: Sequence[RunSide], plan: ComparePlan
) -> Iterator[PairComparison]:
    """Every pair, with p-values adjusted over all of them together."""
    settings = plan.settings
    materials = [_material(runs, settings) for runs in paired]
    overall = _adjusted_together([overall_figures(material, settings) for material in materials])
    sliced = _adjusted_slices([slice_figures(material, settings) for material in materials], settings.min_n)
    for runs, material, figures, slices in zip(paired, materials, overall, sliced, strict=True):
        yield _pair(_Pair(runs, material, tuple(figures), tuple(slices)), sides, plan)


def _adjusted_together(lists: Sequence[Sequence[PairedFigure]]) -> list[list[PairedFigure]]:
    """Figures adjusted over all pairs of runs: those of quality together, and those of what answers take together."""
    places = [(at, row) for at, figures in enumerate(lists) for row in range(len(figures))]
    found = [list(figures) for figures in lists]
    for operational in (False, True):
        family = [(at, row) for at, row in places if is_operational(lists[at][row]) is operational]
        adjusted = adjust_family([lists[at][row] for at, row in family])
        for (at, row), figure in zip(family, adjusted, strict=True):
            found[at][row] = figure
    return found


def _adjusted_slices(lists: Sequence[Sequence[PairedFigure]], min_n: int) -> list[list[PairedFigure]]:
    """Slices adjusted per metric over all pairs of runs; each list sorted worst first within a metric."""
    if len(lists) == 1:
        return [adjust_by_metric(lists[0], min_n=min_n)]
    p_of: dict[tuple[str, str, int], PairedFigure] = {}
    metrics = dict.fromkeys(figure.metric for figures in lists for figure in figures)
    for metric in metrics:
        rows = [(at, f) for at, figures in enumerate(lists) for f in figures if f.metric == metric]
        done = adjust_family([f for _, f in rows], min_n=min_n)
        p_of.update({(metric, f.slice, at): g for (at, f), g in zip(rows, done, strict=True)})
    return [sort_slices([p_of[f.metric, f.slice, at] for f in figures]) for at, figures in enumerate(lists)]


@dataclass(frozen=True, slots=True)
class _Pair:
    runs: PairedRuns
    material: PairMaterial
    figures: tuple[PairedFigure, ...]
    slices: tuple[PairedFigure, ...]


def _pair(pair: _Pair, sides: Sequence[RunSide], plan: ComparePlan) -> PairComparison:
    runs, settings = pair.runs, plan.settings
    found = mismatches(runs)
    reweighted = _reweighted(pair, plan)
    reversals = tuple(_reversals(pair, reweighted))
    labels = {side.run_id: side.label for side in sides}
    left, right = runs.baseline.run.run_id, runs.candidate.run.run_id
    findings = Findings(
        baseline="the baseline" if labels[left] == left else labels[left],
        candidate="the candidate" if labels[right] == right else labels[right],
        pairing=runs.alignment.pairing,
        mismatches=found,
        figures=pair.figures,
        slices=pair.slices,
        reversals=reversals,
        margin=settings.margin,
    )
    return PairComparison(
        baseline=left,
        candidate=right,
        pairing=runs.alignment.pairing,
        mismatches=found,
        figures=pair.figures,
        slices=pair.slices,
        flips=tuple(flips_of(pair.material, settings, pair.slices)),
        reversals=reversals,
        reweighted=reweighted,
        recommendation=recommend(findings),
    )


def _material(runs: PairedRuns, settings: CompareSettings) -> PairMaterial:
    unknown = [name for name in settings.metrics if name not in runs.metrics and name not in runs.differently_scored]
    if unknown:
        raise UsageError(
            f"the runs have no metric `{unknown[0]}` in common", hint=f"they have: {', '.join(runs.metrics)}"
        )
    names = [name for name in runs.metrics if not settings.metrics or name in settings.metrics]
    own = runs.candidate.own_metrics
    return PairMaterial(
        rows={name: runs.rows(name) for name in names},
        frame=runs.frame,
        sliced=frozenset(name for name in names if name in own and PARTS not in name),
        case_id=runs.case_id,
        failing=_failing(runs) if not settings.metrics else None,
    )


def _failing(runs: PairedRuns) -> tuple[BoolArray, BoolArray] | None:
    """Row verdicts over all scorers, for pairs that both runs got to; others count as passing in both."""
    sides = ((runs.baseline, runs.alignment.baseline), (runs.candidate, runs.alignment.candidate))
    failed: list[BoolArray] = []
    reached = np.ones(runs.pairs, dtype=np.bool_)
    for columns, cases in sides:
        size = len(columns.run.cases)
        failed.append(_marked(columns.run.failing(), size)[cases])
        reached &= _marked(columns.units.case, size)[cases]
    return failed[0] & reached, failed[1] & reached


def _marked(indexes: np.ndarray[tuple[int, ...], np.dtype[np.int64]], size: int) -> BoolArray:
    found = np.zeros(size, dtype=np.bool_)
    found[indexes] = True
    return found


def _reversals(pair: _Pair, reweighted: Sequence[PairedFigure]) -> Iterator[Reversal]:
    yield from hidden_regressions(pair.figures, pair.slices)
    for figure in pair.figures:
        if figure.statistic == "mean" and figure.metric in pair.material.sliced:
            plain = _plain_means(pair.runs, figure.metric)
            found = None if plain is None else mix_reversal(figure, plain)
            if found is not None:
                yield found
    yield from weight_reversals(pair.figures, reweighted)


def _plain_means(runs: PairedRuns, metric: str) -> PlainMeans | None:
    """Each run's average over all the cases it scored, whether the other run has them or not."""
    aspect = Aspect(name="plain", metric=metric)
    left, right = runs.baseline.columns[metric], runs.candidate.columns[metric]
    values = [aspect_value(column, aspect) for column in (left, right)]
    if values[0] is None or values[1] is None:
        return None
    counts = [len(np.unique(column.case[~np.isnan(column.value)])) for column in (left, right)]
    return PlainMeans(baseline=values[0], candidate=values[1], left=counts[0], right=counts[1])


def _reweighted(pair: _Pair, plan: ComparePlan) -> tuple[PairedFigure, ...]:
    if plan.mix is None:
        return ()
    frame = pair.material.frame
    mix: Mix = make_mix(plan.mix.shares, list(crossed(frame, plan.mix.dimension)), frame.size)
    rows = (pair.material.rows[name] for name in pair.material.rows if name in pair.material.sliced)
    found = (reweighted_figure(one, mix, plan.settings.options) for one in rows)
    return tuple(figure for figure in found if figure is not None)


def frontier_of(
    columns: Sequence[RunColumns], paired: Sequence[PairedRuns], sides: Sequence[RunSide], plan: ComparePlan
) -> tuple[FrontierPoint, ...]:
    """The runs on one map, over the baseline's cases that every run has.

    Raises:
        UsageError: The plan names a metric for quality that the runs don't share.
    """
    common = set(columns[0].columns).intersection(*(one.columns for one in columns[1:]))
    different = {name for runs in paired for name in runs.differently_scored}
    records = {n: c.record for n, c in columns[-1].columns.items() if n in common - different}
    if plan.quality is not None and plan.quality not in records:
        raise UsageError(f"the runs have no metric `{plan.quality}` in common", hint=f"they have: {', '.join(records)}")
    aspects = aspects_of(records, quality=plan.quality)
    shared = _shared_cases(paired)
    points = [
        FrontierPoint(
            run_id=side.run_id,
            label=side.label,
            values={a.name: aspect_value(one.columns[a.metric], a, shared.get(side.run_id)) for a in aspects},
        )
        for one, side in zip(columns, sides, strict=True)
    ]
    return frontier(points, aspects)


def _shared_cases(paired: Sequence[PairedRuns]) -> dict[str, BoolArray]:
    """By run: the cases that are in every run, by way of the baseline's case indices."""
    first = paired[0].baseline
    from_first = [runs for runs in paired if runs.baseline is first]
    everywhere = np.ones(len(first.run.cases), dtype=np.bool_)
    for runs in from_first:
        everywhere &= _marked(runs.alignment.baseline, len(everywhere))
    found = {first.run.run_id: everywhere}
    for runs in from_first:
        inside = runs.alignment.candidate[everywhere[runs.alignment.baseline]]
        found[runs.candidate.run.run_id] = _marked(inside, len(runs.candidate.run.cases))
    return found
