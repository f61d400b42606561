"""`evalwright experiment`: several runs planned together, and what each setting does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from evalwright.cli.options import json_option, open_workspace, workspace_option

if TYPE_CHECKING:
    from evalwright.services.experiment_effects import Effect, Setting
    from evalwright.services.experiments import Configuration, ExperimentResult

EPILOG = """\b
Examples:
  evalwright experiment plan experiment.yaml
  evalwright experiment run experiment.yaml --limit 100
  evalwright experiment show prompt-and-model --json
\b
An experiment.yaml:
  experiment: prompt-and-model
  suite: suite.yaml
  metric: exact
  factors:
    prompt: { key: target.messages.0.content, levels: { long: "Think first.", short: "Be brief." } }
    model: { key: target.model, levels: [small-1, large-1] }"""


@click.group(epilog=EPILOG)
def experiment() -> None:
    """Vary settings of a suite together: which matter, which work together, which configuration is best.

    Varied one after the other, settings that only work together are missed; here every run tells of every setting.
    """


@experiment.command("plan")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
def plan(file: Path) -> None:
    """List the runs of an experiment and check each of them. Nothing is run."""
    from evalwright.services.experiments import planned_settings, sources_of
    from evalwright.services.overrides import Overrides
    from evalwright.suites.experiment_file import read_experiment

    wanted = read_experiment(file)
    settings = planned_settings(wanted)
    sources_of(wanted, settings, Overrides())
    for setting in settings:
        click.echo(_words(setting))
    click.echo(f"{len(settings)} runs", err=True)


@experiment.command("run")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--limit", type=int, metavar="N", help="Use a seeded random sample of N cases in every run.")
@click.option("--seed", type=int, metavar="N", help="Seed of the order of work and of samples.")
@json_option
@workspace_option
def run(file: Path, limit: int | None, seed: int | None, workspace: Path | None, *, as_json: bool) -> None:
    """Run an experiment and print what each setting does. Answers are kept and used again."""
    from evalwright.reports.json_report import json_line
    from evalwright.services.evaluation import RunContext
    from evalwright.services.experiments import run_experiment
    from evalwright.services.overrides import Overrides
    from evalwright.store.workspace import Workspace
    from evalwright.suites.experiment_file import read_experiment

    def told(number: int, count: int, setting: Setting) -> None:
        click.echo(f"run {number} of {count}: {_words(setting)}", err=True)

    context = RunContext(workspace=Workspace.open(workspace), command=f"evalwright experiment run {file}")
    found = run_experiment(read_experiment(file), context, Overrides(limit=limit, seed=seed), on_run=told)
    click.echo(json_line(found) if as_json else "\n".join(result_lines(found)))


@experiment.command("show")
@click.argument("name")
@json_option
@workspace_option
def show(name: str, workspace: Path | None, *, as_json: bool) -> None:
    """Show the kept result of the experiment NAME."""
    from evalwright.reports.json_report import json_line
    from evalwright.services.experiments import stored_result

    found = stored_result(open_workspace(workspace).root, name)
    click.echo(json_line(found) if as_json else "\n".join(result_lines(found)))


def result_lines(found: ExperimentResult) -> list[str]:
    """An experiment's result for a terminal."""
    best = found.configurations[0]
    also = sum(one.close for one in found.configurations) - 1
    lines = [
        f"{found.name}: {found.metric} on {found.cases:,} cases in {len(found.configurations)} runs",
        "",
        f"Best: {_words(best.setting)}" + (f"; {also} more can't be told apart from it" if also else ""),
        "",
        "Configurations, best first",
        *(_configuration_line(one) for one in found.configurations),
        "",
        "What each setting does, the others averaged over (* shown, after correction for looking at all of them)",
        *(_effect_line(one) for one in found.effects),
    ]
    free = [point.label for point in found.frontier if not point.dominated_by]
    lines += ["", f"Nothing is better in every respect than: {', '.join(free)}"] if free else []
    return lines + [f"note: {note}" for note in found.notes]


def _configuration_line(one: Configuration) -> str:
    figure = one.figure
    value = "–" if figure.value is None else f"{figure.value:.3f}"
    interval = "" if figure.ci is None else f" [{figure.ci[0]:.3f}, {figure.ci[1]:.3f}]"
    mark = "" if one.close else "  worse than the best"
    return f"  {value}{interval}  {_words(one.setting)}  {one.run_id}{mark}"


def _effect_line(one: Effect) -> str:
    interval = "" if one.low is None or one.high is None else f" [{one.low:+.3f}, {one.high:+.3f}]"
    return f"  {'*' if one.clear else ' '} {one.value:+.3f}{interval}  {one.name}"


def _words(setting: Setting) -> str:
    return ", ".join(f"{factor}={level}" for factor, level in setting.items())
