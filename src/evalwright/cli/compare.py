"""`evalwright compare`: two or more runs, case by case."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from evalwright.cli.options import json_option, open_workspace, place_option
from evalwright.core.comparison import Advice
from evalwright.core.errors import UsageError
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

if TYPE_CHECKING:
    from evalwright.services.comparing import RunComparison
    from evalwright.services.comparison_parts import ComparePlan

INCONCLUSIVE = 3

EPILOG = """\b
Examples:
  evalwright compare baseline latest
  evalwright compare latest                      # with the run named `baseline`
  evalwright compare 20261123-17 20261123-18 --html change.html
  evalwright compare old a b c --all-pairs
  evalwright compare old new --by 'locale & tier' --mix traffic.csv
Exit codes: 0 compared, 2 wrong usage, 3 the runs can't be compared."""


@click.command(epilog=EPILOG)
@click.argument("runs", nargs=-1, required=True)
@click.option("--baseline", metavar="RUN", help="The reference; by default the first RUN, or the name `baseline`.")
@click.option("--all-pairs", is_flag=True, help="With three or more runs compare every pair, not each to the first.")
@click.option("--margin", type=float, default=0.02, show_default=True, help="Largest loss that does not matter.")
@click.option("--level", type=float, default=0.95, show_default=True, help="Confidence level of the intervals.")
@click.option("--metric", "metrics", multiple=True, metavar="NAME", help="Only this metric; may be repeated.")
@click.option("--by", "combinations", multiple=True, metavar="'A & B'", help="Also slice by this combination.")
@click.option("--min-n", type=int, default=5, show_default=True, help="Slices with fewer pairs are not judged.")
@click.option("--mix", metavar="TABLE", help="Production mix to re-weight to: CSV, JSON, or 'locale: de=0.3, en=0.7'.")
@click.option("--quality", metavar="METRIC", help="The metric that stands for quality on the frontier.")
@click.option("--html", type=click.Path(path_type=Path, dir_okay=False), help="Write the comparison for a browser.")
@click.option("--markdown", type=click.Path(path_type=Path, dir_okay=False), help="Write it for a pull request.")
@json_option
@place_option
def compare(
    runs: Sequence[str],
    baseline: str | None,
    html: Path | None,
    markdown: Path | None,
    workspace: Path | None,
    *,
    as_json: bool,
    **options: Any,
) -> int:
    """Compare RUNS case by case: the first is the baseline, the others are candidates.

    Says whether they are comparable, what changed by how much and how surely, for which slices and cases, and what
    that means.
    """
    from evalwright.services.comparing import compare_runs

    stores = _stores(open_workspace(workspace), runs, baseline)
    found = compare_runs(stores, _plan(options))
    written = _written(found, html, markdown)
    _show(found, written, as_json=as_json)
    advices = {pair.recommendation.advice for pair in found.record.pairs if pair.recommendation}
    return INCONCLUSIVE if advices == {Advice.INCOMPARABLE} else 0


def _stores(workspace: Workspace, names: Sequence[str], baseline: str | None) -> list[RunStore]:
    entries = [workspace.catalog.find(name) for name in names]
    if baseline is not None:
        entries = [workspace.catalog.find(baseline, suite=entries[0].suite), *entries]
    elif len(entries) == 1:
        entries = [_named_baseline(workspace, entries[0].suite), *entries]
    return [workspace.run(entry.run_id) for entry in entries]


def _named_baseline(workspace: Workspace, suite: str) -> Any:
    try:
        return workspace.catalog.find("baseline", suite=suite)
    except UsageError as error:
        raise UsageError(
            "there is nothing to compare the run with: no run is named `baseline`",
            hint="name both runs: evalwright compare BASE CANDIDATE",
        ) from error


def _plan(options: dict[str, Any]) -> ComparePlan:
    from evalwright.analysis.comparing import CompareSettings
    from evalwright.analysis.difference import PairOptions
    from evalwright.services.comparison_parts import ComparePlan
    from evalwright.services.mixes import read_mix

    for name, fits in (("level", 0 < options["level"] < 1), ("margin", options["margin"] >= 0)):
        if not fits:
            raise UsageError(f"--{name} can't be {options[name]}")
    settings = CompareSettings(
        options=PairOptions(level=options["level"]),
        margin=options["margin"],
        combinations=tuple(options["combinations"]),
        min_n=options["min_n"],
        metrics=tuple(options["metrics"]),
    )
    mix = read_mix(options["mix"]) if options["mix"] else None
    return ComparePlan(settings=settings, all_pairs=options["all_pairs"], quality=options["quality"], mix=mix)


def _written(found: RunComparison, html: Path | None, markdown: Path | None) -> dict[str, str]:
    wanted = {"html": html, "markdown": markdown}
    return {name: str(found.report(path, format=name)) for name, path in wanted.items() if path is not None}


def _show(found: RunComparison, written: dict[str, str], *, as_json: bool) -> None:
    from rich.console import Console

    from evalwright.reports.compare.json_report import comparison_object
    from evalwright.reports.compare.terminal import print_comparison
    from evalwright.reports.json_report import json_line

    if as_json:
        click.echo(json_line(comparison_object(found.record, written)))
    else:
        print_comparison(Console(highlight=False), found.record, reports=written)
