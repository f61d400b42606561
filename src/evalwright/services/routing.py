"""Routing policies measured on stored runs of the models behind the router."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from evalwright.analysis.figures import value_text
from evalwright.analysis.frame import FloatArray, IntArray, MetricColumn
from evalwright.analysis.routing import (
    Recorded,
    Route,
    always,
    chance_gap,
    chosen,
    gap,
    losses,
    on_frontier,
    oracle,
    point,
    quality_difference,
    route,
    threshold_route,
    thresholds,
)
from evalwright.core.errors import UsageError
from evalwright.core.routing import Ranged, RoutedRun, RoutePoint, RoutingReport, ThresholdLoss
from evalwright.core.scorer import ScoreKind
from evalwright.expressions import case_view, compile_expression
from evalwright.services.frames import run_frame
from evalwright.services.pairing import align
from evalwright.services.run_columns import MEASURED, RunColumns
from evalwright.store.results import RunStore


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePlan:
    """What to measure.

    Attributes:
        metric: What stands for quality; the suite's first with a direction when None.
        cost: What stands for cost: `cost`, `output_tokens`, `input_tokens`, `latency` or a metric of the suite.
        policy: Expression over a case whose value names the model (its name, its run, or its number from 1).
        score: Expression over a case whose value is the routing score of a threshold.
        score_metric: Instead of that, a metric of the first run: its judge's confidence, its length …
        threshold: Scores from here on go to the second model; thresholds are only tried out when None.
        low: Low scores go to the second model, not high ones.
        cascade: Models are asked in order until one is kept: those before it are paid too.
        max_drop: Largest loss of quality allowed against the strongest model always.
        level: Confidence level.
    """

    metric: str | None = None
    cost: str = "cost"
    policy: str | None = None
    score: str | None = None
    score_metric: str | None = None
    threshold: float | None = None
    low: bool = False
    cascade: bool = False
    max_drop: float | None = None
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class _Cases:
    """The cases every model answered, with what routing needs of them."""

    recorded: Recorded
    index: IntArray
    score: FloatArray | None
    policy: IntArray | None
    left_out: dict[str, int] = field(default_factory=dict)


def measure_routing(runs: Sequence[tuple[str, RunStore]], plan: RoutePlan | None = None) -> RoutingReport:
    """Quality against cost of each way to route the cases of some runs, and the regret of a policy.

    Args:
        runs: Name and run of each model behind the router; cascades ask them in this order.
        plan: What to measure.

    Raises:
        UsageError: The runs have no metric, cost or case in common, or the policy names an unknown model.
    """
    plan = plan or RoutePlan()
    _check(runs, plan)
    columns = [RunColumns(run) for _, run in runs]
    name = _metric(columns, plan.metric)
    cases = _cases(runs, columns, name, plan)
    recorded = cases.recorded
    policy = _policy(cases, plan)
    ideal = oracle(recorded)
    tried = [] if cases.score is None else thresholds(cases.score, high=not plan.low)
    swept = _losses(cases, tried, plan)
    record = columns[0].columns[name].record
    return RoutingReport(
        runs=tuple(RoutedRun(name=label, run_id=run.run_id) for label, run in runs),
        metric=name,
        higher_is_better=record.higher_is_better is not False,
        cost=plan.cost,
        unit=columns[0].columns[plan.cost].record.unit,
        cases=recorded.size,
        clusters=None if recorded.clusters is None else len(np.unique(recorded.clusters)),
        left_out=cases.left_out,
        level=plan.level,
        cascade=plan.cascade,
        points=_points(cases, policy, ideal, tried, plan),
        gaps=()
        if policy is None
        else (*(gap(recorded, policy, other) for other in [*always(recorded), ideal]), chance_gap(recorded, policy)),
        regret=_regret(recorded, policy, ideal),
        losses=tuple(swept),
        max_drop=plan.max_drop,
        chosen=None if cases.score is None else chosen(recorded, cases.score, swept, high=not plan.low),
        notes=_notes(runs, recorded, policy, swept, plan),
    )


def _check(runs: Sequence[tuple[str, RunStore]], plan: RoutePlan) -> None:
    if len(runs) < 2:
        raise UsageError("a router has at least two models behind it", hint="name the run of each")
    names = [name for name, _ in runs]
    if len(set(names)) < len(names) or len({run.run_id for _, run in runs}) < len(runs):
        raise UsageError("the same run or name is given twice", hint="name runs like small=RUN big=RUN")
    if plan.score is not None and plan.score_metric is not None:
        raise UsageError("a routing score is an expression or a metric, not both")
    scored = plan.score is not None or plan.score_metric is not None
    if scored and len(runs) != 2:
        raise UsageError(f"a threshold divides cases between two models, not {len(runs)}", hint="use --policy")
    if plan.threshold is not None and not scored:
        raise UsageError("a threshold needs a routing score", hint="--score EXPRESSION or --score-metric NAME")
    if plan.max_drop is not None and not scored:
        raise UsageError("an allowed drop chooses among thresholds and needs a routing score", hint="--score …")
    if plan.policy is not None and plan.threshold is not None:
        raise UsageError("a policy is a field or a threshold, not both")


def _metric(columns: Sequence[RunColumns], wanted: str | None) -> str:
    fit = [
        name
        for name, column in columns[0].columns.items()
        if column.record.higher_is_better is not None
        and column.record.kind != ScoreKind.CORPUS
        and all(_same(name, column, other) for other in columns[1:])
    ]
    if wanted is None:
        own = [name for name in fit if name in columns[0].own_metrics and "." not in name]
        if own:
            return own[0]
        raise UsageError("the runs have no metric with a better and a worse in common that is scored the same way")
    if wanted not in fit:
        raise UsageError(f"the runs do not share a metric `{wanted}` of cases", hint=f"they share: {', '.join(fit)}")
    return wanted


def _same(name: str, column: MetricColumn, other: RunColumns) -> bool:
    return name in other.columns and other.columns[name].record.digest == column.record.digest


def _cases(runs: Sequence[tuple[str, RunStore]], columns: Sequence[RunColumns], metric: str, plan: RoutePlan) -> _Cases:
    first = runs[0][1]
    places = _places(runs)
    quality, cost = _table(columns, places, metric), _table(columns, places, _cost(columns, plan.cost))
    every = np.arange(len(first.cases))
    score, policy = _scores(first, columns[0], plan), _named(runs, plan)
    gone: dict[str, int] = {}
    kept = every >= 0
    for reason, fine in (
        ("not in every run", (places >= 0).all(axis=1)),
        ("without a score of every model", ~np.isnan(quality).any(axis=1)),
        (f"without {plan.cost} of every model", ~np.isnan(cost).any(axis=1)),
        ("without a routing score", ~np.isnan(score) if score is not None else kept),
        ("without a route", policy >= 0 if policy is not None else kept),
    ):
        lost = int(np.count_nonzero(kept & ~fine))
        kept = kept & fine
        if lost:
            gone[reason] = lost
    index = np.flatnonzero(kept)
    if len(index) < 2:
        raise UsageError("fewer than two cases have all that routing needs", hint=_told(gone))
    recorded = _recorded(runs, columns[0], metric, (quality[index], cost[index]), index, plan)
    return _Cases(
        recorded, index, None if score is None else score[index], None if policy is None else policy[index], gone
    )


def _told(gone: dict[str, int]) -> str:
    return "; ".join(f"{count} {reason}" for reason, count in gone.items()) or "the first run has none"


def _recorded(
    runs: Sequence[tuple[str, RunStore]],
    first: RunColumns,
    metric: str,
    values: tuple[FloatArray, FloatArray],
    index: IntArray,
    plan: RoutePlan,
) -> Recorded:
    record = first.columns[metric].record
    clusters = run_frame(first.run, first.specs).clusters
    mine = None if clusters is None else clusters[index]
    return Recorded(
        names=tuple(name for name, _ in runs),
        quality=values[0],
        cost=values[1],
        clusters=mine if mine is not None and len(np.unique(mine)) < len(mine) else None,
        higher_is_better=record.higher_is_better is not False,
        reach=None if record.low is None or record.high is None else record.high - record.low,
        cascade=plan.cascade,
        level=plan.level,
    )


def _places(runs: Sequence[tuple[str, RunStore]]) -> IntArray:
    """Case index in each run of each case of the first, -1 where the run lacks it, shape (cases, runs)."""
    first = runs[0][1]
    places = np.full((len(first.cases), len(runs)), -1, dtype=np.int64)
    places[:, 0] = np.arange(len(first.cases))
    for at, (_, run) in enumerate(runs[1:], start=1):
        found = align(first.cases, run.cases)
        places[found.baseline, at] = found.candidate
    return places


def _table(columns: Sequence[RunColumns], places: IntArray, name: str) -> FloatArray:
    """Case means of a metric in each run, shape (cases, runs); NaN where there is none."""
    table = np.full(places.shape, np.nan)
    for at, run in enumerate(columns):
        means = _case_means(run.columns[name], len(run.run.cases))
        known = places[:, at] >= 0
        table[known, at] = means[places[known, at]]
    return table


def _case_means(column: MetricColumn, size: int) -> FloatArray:
    scored = ~np.isnan(column.value)
    counts = np.bincount(column.case[scored], minlength=size)
    sums = np.bincount(column.case[scored], weights=column.value[scored], minlength=size)
    means: FloatArray = np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)
    return means


def _cost(columns: Sequence[RunColumns], name: str) -> str:
    if all(name in run.columns for run in columns):
        return name
    shared = [other for other in MEASURED if all(other in run.columns for run in columns)]
    hint = f"--cost {shared[-1]} works" if shared else "recorded answers can carry `cost` and `usage`"
    raise UsageError(f"not every run knows the {name} of its answers", hint=hint)


def _scores(run: RunStore, columns: RunColumns, plan: RoutePlan) -> FloatArray | None:
    if plan.score_metric is not None:
        if plan.score_metric not in columns.columns:
            known = ", ".join(columns.columns)
            raise UsageError(f"the run {run.run_id} has no metric `{plan.score_metric}`", hint=f"it has: {known}")
        return _case_means(columns.columns[plan.score_metric], len(run.cases))
    if plan.score is None:
        return None
    expression = compile_expression(plan.score)
    return np.array([_number(expression.value(case_view(case))) for case in run.cases], dtype=np.float64)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")


def _named(runs: Sequence[tuple[str, RunStore]], plan: RoutePlan) -> IntArray | None:
    """Index of the model the policy names for each case of the first run, -1 where it names none."""
    if plan.policy is None:
        return None
    known = {str(place): place - 1 for place in range(1, len(runs) + 1)}
    known |= {run.run_id: place for place, (_, run) in enumerate(runs)}
    known |= {name: place for place, (name, _) in enumerate(runs)}
    expression = compile_expression(plan.policy)
    found: list[int] = []
    for case in runs[0][1].cases:
        value = expression.value(case_view(case))
        text = "" if value is None else value_text(value)
        if text and text not in known:
            names = ", ".join(name for name, _ in runs)
            raise UsageError(
                f"case `{case.id}`: the policy `{plan.policy}` names the model {text[:80]!r}, which is none of {names}",
                hint=f"give the runs those names, like {text[:40]}=RUN",
            )
        found.append(known.get(text, -1))
    return np.array(found, dtype=np.int64)


def _policy(cases: _Cases, plan: RoutePlan) -> Route | None:
    if cases.policy is not None:
        return route(cases.recorded, cases.policy, name="policy", kind="policy")
    if cases.score is None or plan.threshold is None:
        return None
    found = threshold_route(cases.recorded, cases.score, plan.threshold, high=not plan.low)
    return route(cases.recorded, found.model, name="policy", kind="policy", threshold=plan.threshold)


def _points(
    cases: _Cases, policy: Route | None, ideal: Route, tried: Sequence[float], plan: RoutePlan
) -> tuple[RoutePoint, ...]:
    recorded, score = cases.recorded, cases.score
    swept = [] if score is None else [threshold_route(recorded, score, t, high=not plan.low) for t in tried]
    routes = [*always(recorded), *([] if policy is None else [policy]), *swept, ideal]
    return on_frontier([point(recorded, taken) for taken in routes], higher_is_better=recorded.higher_is_better)


def _losses(cases: _Cases, tried: Sequence[float], plan: RoutePlan) -> list[ThresholdLoss]:
    if cases.score is None:
        return []
    return losses(cases.recorded, cases.score, tried, high=not plan.low, max_drop=plan.max_drop)


def _regret(recorded: Recorded, policy: Route | None, ideal: Route) -> Ranged | None:
    if policy is None:
        return None
    if recorded.higher_is_better:
        return quality_difference(recorded, policy, ideal)
    return quality_difference(recorded, ideal, policy)


def _notes(
    runs: Sequence[tuple[str, RunStore]],
    recorded: Recorded,
    policy: Route | None,
    swept: Sequence[ThresholdLoss],
    plan: RoutePlan,
) -> tuple[str, ...]:
    notes: list[str] = []
    if all(run.manifest().settings.trials == 1 for _, run in runs):
        notes.append(
            "the oracle knows which answer turned out right: with one trial a case, part of its lead is luck "
            "that no router can have"
        )
    if policy is not None and plan.threshold is not None:
        notes.append("if the threshold was chosen on these cases, its figures are too good; measure it on others")
    if plan.max_drop is not None and not any(loss.safe for loss in swept):
        notes.append(f"no threshold surely loses at most {plan.max_drop:g} against always {_best(recorded)}")
    return tuple(notes)


def _best(recorded: Recorded) -> str:
    return recorded.names[recorded.strongest]
