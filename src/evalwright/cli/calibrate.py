"""`evalwright calibrate` and `evalwright card`: what is known of a scorer's own errors."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from evalwright.cli.options import find_run, json_option, open_workspace, workspace_option

if TYPE_CHECKING:
    from evalwright.services.labels import LabelFile
    from evalwright.store.cards import Card
    from evalwright.store.results import RunStore
    from evalwright.store.workspace import Workspace

EPILOG = """\b
Examples:
  evalwright calibrate suite.yaml:helpful --labels labels.jsonl
  evalwright calibrate helpful --run latest --labels labels.csv --by locale
  evalwright calibrate refusal --labels refusals.jsonl --column label=human
  evalwright calibrate judgements.jsonl --labels labels.jsonl
  evalwright calibrate suite.yaml:helpful --anchors
Labels: rows with `label` (a level of the rubric, or pass and fail) and
either `output` and `input`, or the `id` of a case of --run."""

DATA = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".pq")


class Pair(click.ParamType[tuple[str, str]]):
    """NAME=VALUE."""

    name = "NAME=VALUE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, str]:
        """Split at the first equals sign."""
        if isinstance(value, tuple):
            return value
        name, equals, rest = str(value).partition("=")
        if not equals or not name or not rest:
            self.fail(f"{value!r} is not NAME=VALUE", param, ctx)
        return name, rest


@click.command(epilog=EPILOG)
@click.argument("judge")
@click.option("--labels", "-l", type=click.Path(path_type=Path), help="File of people's labels.")
@click.option("--anchors", is_flag=True, help="Judge the judge's anchors again and tell what has changed; no card.")
@click.option("--run", "-r", "run_name", help="The labels are for this run's answers, by case id.")
@click.option(
    "--column", "-c", "columns", type=Pair(), multiple=True, help="Where a column has another name: label=human."
)
@click.option("--by", multiple=True, help="Report by this column of the labels too; repeatable.")
@click.option(
    "--probes",
    type=click.IntRange(min=0),
    default=5,
    show_default=True,
    help="Answers each probe of a judge uses (attack: 20 calls each); 0 for none.",
)
@click.option("--concurrency", type=click.IntRange(min=1), help="Calls at once; the suite's setting by default.")
@click.option("--pattern", help="Recorded replies in prose: expression whose first group is the verdict.")
@click.option(
    "--pick",
    type=click.Choice(["last", "first", "only"]),
    default="last",
    show_default=True,
    help="Which statement of a recorded reply counts.",
)
@json_option
@workspace_option
def calibrate(
    judge: str,
    labels: Path | None,
    run_name: str | None,
    columns: Sequence[tuple[str, str]],
    by: tuple[str, ...],
    workspace: Path | None,
    *,
    anchors: bool,
    as_json: bool,
    **how: Any,
) -> None:
    """Measure a scorer or JUDGE against people's labels and keep the result as its card.

    JUDGE is SUITE.yaml:METRIC, a metric of --run, the name of a scorer without options, or a file of recorded verdicts.
    """
    from evalwright.services.labels import read_labels
    from evalwright.store.cards import CardStore
    from evalwright.store.workspace import Workspace

    place = Workspace.open(workspace)
    if anchors:
        _anchors(judge, labels, place, dict(columns), as_json=as_json)
        return
    if labels is None:
        raise click.UsageError("give the labels (--labels FILE), or --anchors for a judge that has some")
    run = None if run_name is None else find_run(open_workspace(workspace), run_name)
    given = read_labels(labels, dict(columns))
    cards = CardStore(place.root)
    click.echo(f"{sum(row.label is not None for row in given.rows)} labels in {labels}", err=True)
    card = _recorded(judge, given, by, how) if _is_data(judge) else _live(judge, given, by, run, cards, how)
    place.ensure()
    path = cards.save(card)
    if run is not None:
        _correct(run, cards)
    _show(card, as_json=as_json)
    click.echo(f"card: {path}", err=True)


def _anchors(judge: str, labels: Path | None, place: Workspace, columns: dict[str, str], *, as_json: bool) -> None:
    import time

    from evalwright.core.errors import UsageError
    from evalwright.services.anchors import anchors_of, check, notes
    from evalwright.services.finding_scorers import find_scorer
    from evalwright.services.labels import read_labels

    bound, settings = find_scorer(judge)
    own = anchors_of(bound)
    path = labels or (None if own is None else own.path)
    if path is None:
        raise UsageError(
            f"`{judge}` has no anchors", hint="give it `anchors: FILE` in the suite, or --labels FILE here"
        )
    place.ensure()
    made = check(bound, read_labels(path, columns), place.root, settings, now=time.time(), of="on demand")
    if as_json:
        click.echo(msgspec.json.encode(made).decode())
        return
    for line in notes(made):
        click.echo(line)


def _is_data(judge: str) -> bool:
    name = judge.lower().removesuffix(".gz").removesuffix(".zst")
    return name.endswith(DATA)


def _live(
    judge: str, given: LabelFile, by: tuple[str, ...], run: RunStore | None, cards: Any, how: dict[str, Any]
) -> Card:
    import time

    from evalwright.services.calibration import CalibrationPlan
    from evalwright.services.calibration import calibrate as measure
    from evalwright.services.finding_scorers import find_scorer

    bound, settings = find_scorer(judge, None if run is None else run.manifest())
    if how["concurrency"]:
        settings = msgspec.structs.replace(settings, concurrency=how["concurrency"])
    plan = CalibrationPlan(labels=given, by=by, probe_cases=how["probes"], settings=settings, run=run)
    return measure(bound, plan, created_at=time.time(), before=cards.latest(bound.metric))


def _recorded(judge: str, given: LabelFile, by: tuple[str, ...], how: dict[str, Any]) -> Card:
    import time

    from evalwright.services.calibration import CalibrationPlan
    from evalwright.services.labels import read_labels
    from evalwright.services.recorded_judgements import calibrate_recorded, with_stated

    judgements = read_labels(Path(judge), {})
    if how["pattern"]:
        judgements = with_stated(judgements, how["pattern"], how["pick"])
    return calibrate_recorded(Path(judge), judgements, CalibrationPlan(labels=given, by=by), created_at=time.time())


def _correct(run: RunStore, cards: Any) -> None:
    """Put corrected figures into the run's summary, for `show` and reports."""
    from evalwright.services.corrections import with_corrections

    summary = run.summary()
    if summary is not None:
        run.write_summary(with_corrections(summary, run, cards))


CARD_EPILOG = """\b
Examples:
  evalwright card
  evalwright card helpful
  evalwright card helpful --json"""


@click.command(epilog=CARD_EPILOG)
@click.argument("metric", required=False)
@json_option
@workspace_option
def card(metric: str | None, workspace: Path | None, *, as_json: bool) -> None:
    """Show the card of a METRIC's scorer, measured here or shipped with it; without METRIC, list all cards."""
    from evalwright.services.finding_cards import find_card, known_cards
    from evalwright.store.cards import CardStore
    from evalwright.store.workspace import Workspace

    cards = CardStore(Workspace.open(workspace).root)
    if metric is not None:
        _show(find_card(cards, metric), as_json=as_json)
        return
    known = known_cards(cards)
    if as_json:
        click.echo(msgspec.json.encode(known).decode())
        return
    for name, origin in sorted(known.items()):
        click.echo(f"{name}  {origin}")


def _show(found: Card, *, as_json: bool) -> None:
    if as_json:
        from evalwright.reports.json_report import json_line

        click.echo(json_line(found))
        return
    from rich.console import Console

    from evalwright.reports.card import print_card

    print_card(Console(highlight=False), found)
