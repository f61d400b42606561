"""`evalwright list`: runs, scorers, targets, templates."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
import msgspec

from evalwright.cli.options import json_option, open_workspace, place_option
from evalwright.core.run import RunStatus
from evalwright.store.lock import is_locked
from evalwright.store.workspace import Workspace

EPILOG = """\b
Examples:
  evalwright list runs --suite support-rag
  evalwright list scorers
  evalwright list targets --json"""


@click.command(name="list", epilog=EPILOG)
@click.argument("what", type=click.Choice(["runs", "scorers", "targets", "templates", "suites"]))
@click.option("--suite", help="Only runs of this suite.")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="How many runs.")
@json_option
@place_option
def listing(what: str, suite: str | None, limit: int, workspace: Path | None, *, as_json: bool) -> None:
    """List what there is: runs of the workspace, or what a suite may use."""
    rows = {
        "runs": lambda: _runs(workspace, suite, limit),
        "suites": lambda: _suites(workspace),
        "scorers": lambda: _components("scorers"),
        "targets": lambda: _components("targets"),
        "templates": _templates,
    }[what]()
    if as_json:
        click.echo(msgspec.json.encode(rows).decode())
        return
    _print_rows(rows, what)


def _runs(workspace: Path | None, suite: str | None, limit: int) -> list[dict[str, Any]]:
    from evalwright.store.catalog import RunFilter

    place = open_workspace(workspace)
    entries = place.catalog.runs(RunFilter(suite=suite), limit=limit)
    return [
        {
            "run": entry.run_id,
            "suite": entry.suite,
            "target": entry.target,
            "started": time.strftime("%Y-%m-%d %H:%M", time.localtime(entry.created_at)),
            "status": _standing(place, entry.run_id, entry.status),
            "decision": entry.decision,
            "cases": entry.cases,
            "errored": entry.errored,
            "cost": entry.cost,
        }
        for entry in entries
    ]


def _standing(place: Workspace, run_id: str, status: RunStatus) -> str:
    """Where a run stands; one that says `running` while no process of this machine works on it was cut off."""
    if status is RunStatus.RUNNING and type(place) is Workspace and not is_locked(place.run_dir(run_id)):
        return "cut off"
    return status.value


def _suites(workspace: Path | None) -> list[dict[str, Any]]:
    return [{"suite": name} for name in open_workspace(workspace).catalog.suites()]


def _components(kind: str) -> list[dict[str, Any]]:
    from evalwright.services.vocabulary import summary_of, vocabulary

    catalog = getattr(vocabulary(), kind)
    return [{"name": name, "summary": summary_of(catalog[name])} for name in sorted(catalog)]


def _templates() -> list[dict[str, Any]]:
    from evalwright.suites.templates import TEMPLATES

    return [{"name": name, "summary": summary} for name, summary in TEMPLATES.items()]


_IN_RUN_ID = {"suite", "started"}
"""Columns of `list runs` that a table leaves out, as the run's id begins with the time and holds the suite's name."""
_WHOLE = {"run", "status", "decision", "cases", "errored", "cost"}


def _print_rows(rows: list[dict[str, Any]], what: str) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    if not rows:
        click.echo(f"no {what}", err=True)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    if what == "runs":
        rows = [{key: value for key, value in row.items() if key not in _IN_RUN_ID} for row in rows]
    for name in rows[0]:
        table.add_column(name, overflow="fold", no_wrap=name in _WHOLE)
    for row in rows:
        table.add_row(*(Text("" if value is None else str(value)) for value in row.values()))
    console = Console(highlight=False)
    console.print(table)
