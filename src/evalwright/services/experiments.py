"""Experiments: several runs of one suite, planned together, run with shared answers, and analysed as one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from pathlib import Path

import msgspec
import numpy as np

from evalwright.analysis.frame import FloatArray, MetricColumn
from evalwright.core.comparison import FrontierPoint
from evalwright.core.errors import UsageError
from evalwright.core.estimate import Estimate
from evalwright.core.run import CacheMode
from evalwright.services.comparing import compare_runs
from evalwright.services.comparison_parts import ComparePlan
from evalwright.services.evaluation import RunContext, start_run
from evalwright.services.experiment_effects import Effect, Setting, effects
from evalwright.services.figures import slice_specs
from evalwright.services.frames import run_frame
from evalwright.services.overrides import Overrides, apply_overrides
from evalwright.services.run_columns import RunColumns
from evalwright.services.sources import RunSource, scorer_record
from evalwright.services.suite_files import load_source
from evalwright.stats import half_fraction
from evalwright.store.files import write_atomic
from evalwright.store.results import RunStore
from evalwright.suites.experiment_file import Experiment, changed_suite

MOST_RUNS = 128


class Configuration(msgspec.Struct, frozen=True, kw_only=True):
    """One run of an experiment.

    Attributes:
        setting: Level by factor.
        run_id: The run.
        figure: The metric.
        cost: Of the run, None when unknown.
        close: Whether it can't be told apart from the best configuration.
    """

    setting: Setting
    run_id: str
    figure: Estimate
    cost: float | None = None
    close: bool = False


class ExperimentResult(msgspec.Struct, frozen=True, kw_only=True):
    """What an experiment showed.

    Attributes:
        name: Name of the experiment.
        metric: The metric it is about.
        configurations: The runs, best first.
        effects: Main effects and interactions.
        frontier: Runs on the map of quality, safety, cost and latency.
        cases: Cases that every run scored, which the effects rest on.
        notes: What a reader must know.
    """

    name: str
    metric: str
    configurations: tuple[Configuration, ...]
    effects: tuple[Effect, ...]
    frontier: tuple[FrontierPoint, ...] = ()
    cases: int = 0
    notes: tuple[str, ...] = ()


def planned_settings(experiment: Experiment) -> list[Setting]:
    """The settings of the runs: all of them, or the half in which main effects are clear of pairs.

    Raises:
        UsageError: There are more than 128.
    """
    names = [factor.name for factor in experiment.factors]
    levels = [list(factor.levels) for factor in experiment.factors]
    if experiment.design == "half":
        design = half_fraction(len(names))
        chosen = [[pair[int(sign > 0)] for pair, sign in zip(levels, row, strict=True)] for row in design]
    else:
        if np.prod([len(one) for one in levels]) > MOST_RUNS:
            raise UsageError(f"the experiment has more than {MOST_RUNS} settings", hint="give fewer levels")
        chosen = [list(row) for row in product(*levels)]
    return [dict(zip(names, row, strict=True)) for row in chosen]


def sources_of(experiment: Experiment, settings: Sequence[Setting], overrides: Overrides) -> list[RunSource]:
    """The suite with each setting.

    Raises:
        ConfigError: The suite is wrong with a setting.
        UsageError: The suite has no such metric, or a setting changes how it is scored.
    """
    sources = [source_of(experiment, setting, overrides) for setting in settings]
    scored = {
        scorer_record(bound).digest
        for source in sources
        for bound in source.scorers
        if bound.metric == experiment.metric
    }
    if len(scored) > 1:
        raise UsageError(
            f"the settings change how `{experiment.metric}` is scored, so that their runs can't be compared",
            hint="vary the target, not the scorer of the metric",
        )
    return sources


def source_of(experiment: Experiment, setting: Setting, overrides: Overrides) -> RunSource:
    """The suite with one setting; answers are shared with other runs, and the run is tagged with its levels.

    Raises:
        ConfigError: The suite is wrong with this setting.
        UsageError: The suite has no such metric.
    """
    changes = {factor.key: factor.levels[setting[factor.name]] for factor in experiment.factors}
    source = load_source(str(experiment.suite), text=changed_suite(experiment.suite, changes))
    if experiment.metric not in {bound.metric for bound in source.scorers}:
        known = ", ".join(bound.metric for bound in source.scorers)
        raise UsageError(f"the suite has no metric `{experiment.metric}`", hint=f"its metrics: {known}")
    source = apply_overrides(source, overrides)
    settings = source.settings
    if settings.cache is CacheMode.OFF:
        settings = msgspec.structs.replace(settings, cache=CacheMode.ON)
    tags = (f"experiment:{experiment.name}", *(f"{factor}={level}" for factor, level in setting.items()))
    return msgspec.structs.replace(source, settings=settings, tags=(*source.tags, *tags))


def run_experiment(
    experiment: Experiment,
    context: RunContext,
    overrides: Overrides | None = None,
    *,
    on_run: Callable[[int, int, Setting], None] | None = None,
) -> ExperimentResult:
    """Run every setting and analyse them together; the result is kept in the workspace's folder `experiments`.

    Args:
        experiment: What to run.
        context: Where and for whom.
        overrides: Settings of the runs that win over the suite's.
        on_run: Told before each run: its number from 1, how many there are, and its setting.

    Raises:
        ConfigError: The suite is wrong with a setting; nothing was run then.
        UsageError: The suite has no such metric, or there are too many settings; nothing was run then.
    """
    settings = planned_settings(experiment)
    sources = sources_of(experiment, settings, overrides or Overrides())
    runs = []
    for place, (setting, source) in enumerate(zip(settings, sources, strict=True), start=1):
        if on_run is not None:
            on_run(place, len(settings), setting)
        runs.append(context.workspace.run(start_run(source, context).manifest.run_id))
    result = analyse(experiment, settings, runs)
    path = context.workspace.root / "experiments" / f"{_file_name(experiment.name)}.json"
    path.parent.mkdir(exist_ok=True)
    write_atomic(path, msgspec.json.format(msgspec.json.encode(result), indent=2))
    return result


def _file_name(name: str) -> str:
    return "".join(char if char.isalnum() or char in "-_." else "-" for char in name).lstrip(".") or "experiment"


def analyse(experiment: Experiment, settings: Sequence[Setting], runs: Sequence[RunStore]) -> ExperimentResult:
    """Effects, the best setting, and the frontier, from finished runs of the same cases.

    Raises:
        UsageError: The runs have different cases, or no case was scored in all of them.
    """
    metric = experiment.metric
    if len({run.cases.digest for run in runs}) > 1:
        raise UsageError("the settings changed the cases, so that their runs can't be compared", hint="vary other keys")
    table = np.array([_case_means(RunColumns(run).columns[metric], len(run.cases)) for run in runs])
    shared = np.flatnonzero(np.isfinite(table).all(axis=0))
    if len(shared) < 2:
        raise UsageError(f"`{metric}` scored fewer than two cases in all runs", hint="look at the runs' errors")
    frame = run_frame(runs[0], slice_specs(runs[0].manifest()))
    levels = {factor.name: list(factor.levels) for factor in experiment.factors}
    clusters = None if frame.clusters is None else frame.clusters[shared]
    found = effects(settings, levels, table[:, shared], clusters=clusters)
    notes = [f"{len(runs[0].cases) - len(shared)} cases that some run did not score are left out of the effects"]
    aliased = [effect.name for effect in found if effect.aliased and effect.order == 1]
    return ExperimentResult(
        name=experiment.name,
        metric=metric,
        configurations=_ranked(metric, settings, runs),
        effects=found,
        frontier=_frontier(runs, metric),
        cases=len(shared),
        notes=(
            *(notes if len(shared) < len(runs[0].cases) else ()),
            *(f"`{name}` can't be told apart from other effects in this design" for name in aliased),
        ),
    )


def _case_means(column: MetricColumn, size: int) -> FloatArray:
    scored = ~np.isnan(column.value)
    counts = np.bincount(column.case[scored], minlength=size)
    sums = np.bincount(column.case[scored], weights=column.value[scored], minlength=size)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _ranked(metric: str, settings: Sequence[Setting], runs: Sequence[RunStore]) -> tuple[Configuration, ...]:
    rows = []
    for setting, run in zip(settings, runs, strict=True):
        summary = run.summary()
        assert summary is not None
        row = Configuration(setting=setting, run_id=run.run_id, figure=summary.metric(metric), cost=summary.totals.cost)
        rows.append((row, run))
    rows.sort(key=lambda pair: _goodness(pair[0].figure), reverse=True)
    best = rows[0][1]
    others = [run for _, run in rows[1:]]
    clear = _clearly_worse(best, others, metric)
    return tuple(msgspec.structs.replace(row, close=row.run_id not in clear) for row, _ in rows)


def _goodness(figure: Estimate) -> float:
    if figure.value is None:
        return -np.inf
    return -figure.value if figure.higher_is_better is False else figure.value


def _clearly_worse(best: RunStore, others: Sequence[RunStore], metric: str) -> set[str]:
    """Runs that the comparison with the best, case by case and corrected for their number, shows to be worse."""
    if not others:
        return set()
    pairs = compare_runs([best, *others], ComparePlan(quality=metric)).record.pairs
    return {pair.candidate for pair in pairs for figure in pair.figures if figure.metric == metric and figure.clear}


def _frontier(runs: Sequence[RunStore], metric: str) -> tuple[FrontierPoint, ...]:
    return compare_runs(runs, ComparePlan(quality=metric)).record.frontier if len(runs) > 1 else ()


def stored_result(root: Path, name: str) -> ExperimentResult:
    """The kept result of an experiment.

    Raises:
        UsageError: There is none of this name.
    """
    path = root / "experiments" / f"{_file_name(name)}.json"
    if not path.is_file():
        known = ", ".join(sorted(one.stem for one in path.parent.glob("*.json"))) if path.parent.is_dir() else ""
        raise UsageError(f"there is no result of an experiment {name!r}", hint=f"there are: {known or 'none'}")
    return msgspec.json.decode(path.read_bytes(), type=ExperimentResult)
