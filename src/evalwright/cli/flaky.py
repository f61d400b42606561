"""`evalwright flaky`: cases that pass and fail by chance."""

from __future__ import annotations

from pathlib import Path

import click
import msgspec

from evalwright.cli.options import json_option, open_workspace, place_option

EPILOG = """\b
Examples:
  evalwright run suite.yaml --trials 5 && evalwright flaky latest
  evalwright flaky latest --history 0        # the run's own trials only
  evalwright flaky latest:support-rag --metric groundedness --json"""


@click.command(epilog=EPILOG)
@click.argument("run", default="latest")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric; may be repeated.")
@click.option("--history", type=click.IntRange(0), default=10, show_default=True, help="Earlier runs looked at.")
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Most cases shown.")
@json_option
@place_option
def flaky(
    run: str, metrics: tuple[str, ...], history: int, limit: int, workspace: Path | None, *, as_json: bool
) -> None:
    """Find the cases of a RUN whose verdict changes by chance, and those that truly changed.

    Trials of the run, and of earlier runs of the same version, are repetitions; earlier runs of other versions tell
    a changed case from a flaky one.
    """
    from evalwright.services.flakiness import FlakyPlan, find_flaky

    report = find_flaky(open_workspace(workspace), run, FlakyPlan(metrics=metrics, history=history))
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
        return
    from rich.console import Console

    from evalwright.reports.compare.flaky_tables import flaky_summary

    console = Console(highlight=False)
    console.print(flaky_summary(report, width=console.width, limit=limit))
