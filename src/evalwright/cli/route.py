"""`evalwright route`: what a router does with the models behind it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import msgspec

from evalwright.cli.options import find_run, json_option, open_workspace, workspace_option
from evalwright.core.errors import UsageError
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

EPILOG = """\b
Examples:
  evalwright route small=RUN big=RUN --policy metadata.route
  evalwright route small=RUN big=RUN --score metadata.difficulty --threshold 0.6
  evalwright route small=RUN big=RUN --score-metric confidence --low --cascade --max-drop 0.02
  evalwright route small=RUN big=RUN --score 'length(input.question)' --cost output_tokens"""


@click.command(epilog=EPILOG)
@click.argument("runs", nargs=-1, required=True, metavar="[NAME=]RUN...")
@click.option("--metric", metavar="NAME", help="What stands for quality; the suite's first metric by default.")
@click.option("--cost", default="cost", show_default=True, metavar="NAME", help="Cost: also output_tokens, latency, …")
@click.option("--policy", metavar="EXPR", help="Value of a case that names its model: metadata.route.")
@click.option("--score", metavar="EXPR", help="Value of a case that thresholds divide: metadata.difficulty.")
@click.option("--score-metric", metavar="NAME", help="Divide by a metric of the first run instead: its confidence.")
@click.option("--threshold", type=float, help="Threshold in use: scores from here on go to the second model.")
@click.option("--low", is_flag=True, help="Low scores go to the second model, not high ones.")
@click.option("--cascade", is_flag=True, help="The first model is asked, and paid, for every case.")
@click.option(
    "--max-drop", type=click.FloatRange(0.0), help="Find the cheapest threshold that surely loses at most this."
)
@click.option("--level", type=click.FloatRange(0.5, 0.9999), default=0.95, show_default=True, help="Confidence level.")
@json_option
@workspace_option
def route(runs: tuple[str, ...], workspace: Path | None, *, as_json: bool, **options: Any) -> None:
    """Measure a routing policy on recorded RUNs of the models behind it, the cheapest first.

    Shows quality against cost of each model alone, of the policy, of other thresholds and of an oracle, how far the
    policy is from the oracle, and whether it does better than chance.
    """
    from evalwright.services.routing import RoutePlan, measure_routing

    report = measure_routing(_named(open_workspace(workspace), runs), RoutePlan(**options))
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
        return
    from rich.console import Console

    from evalwright.reports.routing_tables import routing_summary

    console = Console(highlight=False)
    console.print(routing_summary(report, width=console.width))


def _named(workspace: Workspace, runs: tuple[str, ...]) -> list[tuple[str, RunStore]]:
    """Name and run of each argument; without a name, the target's, or the run's where two targets share theirs."""
    split = [text.partition("=") for text in runs]
    found = [(name if mark else "", find_run(workspace, rest if mark else name)) for name, mark, rest in split]
    if any(mark and not name for name, mark, _ in split):
        raise UsageError("a run has an empty name", hint="like small=RUN")
    targets = [run.manifest().target_name for _, run in found]
    return [
        (name or (target if target and targets.count(target) == 1 else run.run_id), run)
        for (name, run), target in zip(found, targets, strict=True)
    ]
