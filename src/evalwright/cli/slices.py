"""`evalwright slices`: where a run is worse than elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from evalwright.cli.options import find_run, json_option, open_workspace, place_option
from evalwright.store.results import RunStore

if TYPE_CHECKING:
    from rich.console import Console

EPILOG = """\b
Examples:
  evalwright slices latest
  evalwright slices latest --metric groundedness --depth 1
  evalwright slices latest --baseline baseline        # where did it change for the worse?
  evalwright slices latest --mix 'locale: de=0.3, en=0.7'
  evalwright slices latest --confusion accuracy"""


@click.command(epilog=EPILOG)
@click.argument("run")
@click.option("--metric", metavar="NAME", help="Metric to search; the suite's first by default.")
@click.option("--baseline", metavar="RUN", help="Search for slices with the worst change against this run instead.")
@click.option("--depth", type=click.IntRange(1, 2), default=2, show_default=True, help="1: slices, 2: pairs too.")
@click.option("--min-n", type=click.IntRange(5), default=20, show_default=True, help="Fewest cases of a slice.")
@click.option("--fields/--no-fields", default=True, help="Also slice by metadata, input fields, tags and length.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Confidence level.")
@click.option("--mix", metavar="TABLE", help="Metrics at a production mix: CSV, JSON, or 'locale: de=0.3, en=0.7'.")
@click.option("--confusion", metavar="METRIC", help="Classes of a metric of labels, and what is taken for what.")
@click.option("--limit", type=click.IntRange(1), default=15, show_default=True, help="Most slices shown.")
@json_option
@place_option
def slices(
    run: str,
    metric: str | None,
    baseline: str | None,
    depth: int,
    min_n: int,
    level: float,
    mix: str | None,
    confusion: str | None,
    limit: int,
    workspace: Path | None,
    *,
    fields: bool,
    as_json: bool,
) -> None:
    """Search a RUN for slices that are worse than the rest, corrected for how many were looked at.

    Slices are those of the suite, and everything cases carry: metadata, parts of the input, tags, length.
    """
    from evalwright.services.slice_search import SearchPlan, find_slices

    place = open_workspace(workspace)
    store = find_run(place, run)
    if mix is not None:
        _show_mix(store, mix, level, as_json=as_json)
        return
    if confusion is not None:
        _show_confusion(store, confusion, as_json=as_json)
        return
    plan = SearchPlan(metric=metric, depth=depth, min_n=min_n, fields=fields, level=level)
    found = find_slices(store, plan, baseline=None if baseline is None else find_run(place, baseline))
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    from evalwright.reports.compare.slice_tables import search_summary

    console = _console()
    console.print(search_summary(found, width=console.width, limit=limit))


def _console() -> Console:
    from rich.console import Console

    return Console(highlight=False)


def _show_mix(store: RunStore, mix: str, level: float, *, as_json: bool) -> None:
    from evalwright.reports.compare.slice_tables import mix_summary
    from evalwright.services.mixes import read_mix
    from evalwright.services.slice_search import reweighted

    found = reweighted(store, read_mix(mix), level=level)
    if as_json:
        rows = [{"crude": row.crude, "adjusted": row.adjusted, "outside": row.outside} for row in found]
        click.echo(msgspec.json.encode({"run": store.run_id, "metrics": rows}).decode())
        return
    console = _console()
    pairs = [(row.crude, row.adjusted) for row in found]
    console.print(mix_summary(pairs, found[0].outside if found else 0, width=console.width))


def _show_confusion(store: RunStore, metric: str, *, as_json: bool) -> None:
    from evalwright.reports.compare.slice_tables import confusion_summary
    from evalwright.services.confusions import confusion_of

    found = confusion_of(store, metric)
    confused = found.matrix.most_confused(10)
    if as_json:
        matrix = {"labels": [str(label) for label in found.matrix.labels], "counts": found.matrix.counts.tolist()}
        classes = [msgspec.to_builtins(row) for row in found.classes]
        click.echo(msgspec.json.encode({"run": store.run_id, "metric": metric, **matrix, "classes": classes}).decode())
        return
    console = _console()
    console.print(confusion_summary(found.classes, confused, width=console.width))
