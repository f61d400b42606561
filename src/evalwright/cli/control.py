"""Steering running runs from another terminal: `ps`, `pause`, `set`, `cancel`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from evalwright.cli.options import find_run, json_option, open_workspace, workspace_option
from evalwright.cli.progress import progress_line
from evalwright.core.errors import UsageError
from evalwright.core.run import RunStatus
from evalwright.engine.control import Action, Command, RunState, read_state, send_command
from evalwright.store.catalog import RunFilter
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace


@click.command(epilog="\b\nExamples:\n  evalwright ps\n  evalwright ps --json")
@json_option
@workspace_option
def ps(workspace: Path | None, *, as_json: bool) -> None:
    """List the runs that are running, and those that were cut off and can be resumed."""
    place = open_workspace(workspace)
    found = [(run_id, state) for run_id in _open_runs(place) if (state := read_state(place.run_dir(run_id)))]
    if as_json:
        click.echo(msgspec.json.encode([{"run_id": r, **msgspec.to_builtins(s)} for r, s in found]).decode())
        return
    if not found:
        click.echo("nothing is running", err=True)
    for run_id, state in found:
        click.echo(f"{run_id}  {_standing(state)}")
        if state.progress is not None:
            click.echo(f"  {progress_line(state.progress)}")


def _open_runs(place: Workspace) -> list[str]:
    return [entry.run_id for entry in place.catalog.runs(RunFilter(status=RunStatus.RUNNING))]


def _standing(state: RunState) -> str:
    if not state.alive:
        return "cut off; evalwright resume goes on"
    held = "paused" if state.paused else "running"
    return f"{held}, {state.concurrency} in flight at most × {state.workers}, process {state.pid}"


def _send(run: str, workspace: Path | None, command: Command) -> RunStore:
    store = find_run(open_workspace(workspace), run)
    send_command(store.folder, command)
    return store


@click.command(epilog="\b\nExample:\n  evalwright pause latest")
@click.argument("run")
@workspace_option
def pause(run: str, workspace: Path | None) -> None:
    """Hold a running RUN: what is in flight is finished, nothing more begins. `evalwright resume` lets it go on."""
    store = _send(run, workspace, Command(action=Action.PAUSE))
    click.echo(f"{store.run_id} is held; evalwright resume {store.run_id} lets it go on", err=True)


@click.command(epilog="\b\nExample:\n  evalwright cancel latest")
@click.argument("run")
@workspace_option
def cancel(run: str, workspace: Path | None) -> None:
    """End a running RUN in good order; asked twice, at once. What is recorded is kept, and it can be resumed."""
    store = _send(run, workspace, Command(action=Action.CANCEL))
    click.echo(f"{store.run_id} ends when what is in flight is finished", err=True)


@click.command(name="set", epilog="\b\nExample:\n  evalwright set concurrency 16 --run latest")
@click.argument("name", type=click.Choice(["concurrency"]))
@click.argument("value", type=int)
@click.option("--run", default="latest", show_default=True, help="Which run.")
@workspace_option
def set_value(name: str, value: int, run: str, workspace: Path | None) -> None:
    """Change a setting of a running run: `concurrency`, the cases in flight at once per process."""
    actions: dict[str, Any] = {"concurrency": Action.CONCURRENCY}
    if value < 1:
        raise UsageError(f"{name} must be at least 1, not {value}")
    store = _send(run, workspace, Command(action=actions[name], value=value))
    click.echo(f"{store.run_id}: {name} {value}", err=True)
