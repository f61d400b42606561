"""`evalwright baseline`: the run that later ones are compared with."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

import click

from evalwright.cli.options import json_option, open_workspace, place_option, workspace_option
from evalwright.store.catalog import Alias, RunEntry

EPILOG = """\b
Examples:
  evalwright baseline set latest
  evalwright baseline set 20261123-1715 --name release-7
  evalwright baseline show
  evalwright baseline list"""


@click.group(epilog=EPILOG)
def baseline() -> None:
    """Say which run of a suite later ones are compared with.

    A suite's baseline is used by every rule with `max_drop`, `min_gain` or `newly_failing`, unless --baseline names
    another run.
    """


@baseline.command("set")
@click.argument("run")
@click.option("--name", default="baseline", show_default=True, help="Give the run another name, such as release-7.")
@workspace_option
def set_(run: str, name: str, workspace: Path | None) -> None:
    """Make RUN the baseline of its suite."""
    from evalwright.services.baselines import set_baseline

    made = set_baseline(open_workspace(workspace), run, name=name)
    click.echo(f"{made.run_id} is now `{made.name}` of the suite {made.suite}")


@baseline.command("show")
@click.argument("suite", required=False)
@click.option("--name", default="baseline", show_default=True, help="Another name than baseline.")
@json_option
@place_option
def show(suite: str | None, name: str, workspace: Path | None, *, as_json: bool) -> int:
    """Show the figures of a SUITE's baseline run; of all suites when none is named. Exit code 1 when there is none."""
    from evalwright.services.baselines import baselines

    found = [pair for pair in baselines(open_workspace(workspace)) if pair[0].name == name]
    found = [pair for pair in found if suite is None or pair[0].suite == suite]
    if not found:
        click.echo(f"no run has the name `{name}`{f' in the suite {suite}' if suite else ''}", err=True)
        click.echo("hint: evalwright baseline set RUN", err=True)
        return 1
    _print(found, as_json=as_json)
    return 0


@baseline.command("list")
@json_option
@place_option
def list_(workspace: Path | None, *, as_json: bool) -> None:
    """List all named runs."""
    from evalwright.services.baselines import baselines

    _print(baselines(open_workspace(workspace)), as_json=as_json)


def _print(found: Sequence[tuple[Alias, RunEntry | None]], *, as_json: bool) -> None:
    from evalwright.reports.json_report import json_line

    if as_json:
        click.echo(json_line([{"alias": alias, "run": entry} for alias, entry in found]))
        return
    for alias, entry in found:
        since = time.strftime("%Y-%m-%d %H:%M", time.localtime(alias.updated_at))
        what = "gone" if entry is None else f"{entry.cases} cases, gate {entry.decision or 'not asked'}"
        click.echo(f"{alias.suite:24} {alias.name:16} {alias.run_id}  {what}  since {since}")
