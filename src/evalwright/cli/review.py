"""`evalwright review`: human review in the terminal, for one person or several, without a server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click

from evalwright.cli.options import audited, json_option, open_workspace, workspace_option
from evalwright.cli.review_queue import queue_group
from evalwright.core.errors import UsageError

EPILOG = """\b
Examples:
  evalwright review queue new tone --run latest --rubric tone.yaml --size 50
  evalwright review label tone
  evalwright review agreement tone
  evalwright review adjudicate tone
  evalwright review export tone labels.jsonl --what settled
  evalwright calibrate suite.yaml:tone --labels labels.jsonl
  evalwright review agreement --labels ratings.csv --scale ordinal"""

F = TypeVar("F", bound=Callable[..., Any])
_by = click.option("--by", metavar="NAME", help="Who does this; $EVALWRIGHT_USER or the user by default.")


@click.group(epilog=EPILOG)
def review() -> None:
    """Human review: queues, labels, agreement, adjudication, files to and fro."""


review.add_command(queue_group)

KEYS = """\b
Keys: 1-9 the level, a/b/t of pairs, n a reason, m mark a place as evidence,
x back one rubric, s skip, f flag for the lead, u take the last label back
(for a minute), ? this help, q quit. What is filled in is kept at each key."""


@review.command(epilog=KEYS)
@click.argument("queue")
@click.option("--skipped", is_flag=True, help="Also show items you have skipped.")
@_by
@workspace_option
def label(queue: str, by: str | None, workspace: Path | None, *, skipped: bool) -> None:
    """Label the items of QUEUE with the keyboard, one after the other."""
    from evalwright.cli.review_label import label_items
    from evalwright.services.people import user_name
    from evalwright.services.reviewing.desk import Desk

    desk = Desk(open_workspace(workspace), user_name(by), source="terminal")
    label_items(desk, desk.queue(queue), skipped=skipped)


@review.command(name="next")
@click.argument("queue")
@click.option("--skipped", is_flag=True, help="Also items you have skipped.")
@json_option
@_by
@workspace_option
def next_(queue: str, by: str | None, workspace: Path | None, *, skipped: bool, as_json: bool) -> None:
    """Lease the next item of QUEUE and print it; `submit` labels it."""
    from evalwright.cli.review_tables import as_json as told
    from evalwright.cli.review_tables import console, print_item
    from evalwright.reports.text import one_line
    from evalwright.services.reviewing.desk import Nothing

    desk = _desk(workspace, by)
    found = desk.next(desk.queue(queue), skipped=skipped)
    if as_json:
        click.echo(told({"item": None, "code": found.code, "reason": found.reason} if isinstance(found, Nothing) else {"item": found}))  # fmt: skip  # noqa: E501
    elif isinstance(found, Nothing):
        click.echo(one_line(found.reason, 300))
    else:
        print_item(console(), found)
        click.echo(f"item {found.id}")


def _desk(workspace: Path | None, by: str | None) -> Any:
    from evalwright.services.people import user_name
    from evalwright.services.reviewing.desk import Desk

    return Desk(open_workspace(workspace), user_name(by), source="terminal")


def _pairs(given: Sequence[str], option: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{option} is RUBRIC=LEVEL, not {text!r}")
        found[name] = value
    return found


@review.command()
@click.argument("item")
@click.option("--answer", "-a", "answers", multiple=True, required=True, metavar="RUBRIC=LEVEL", help="Repeatable.")
@click.option("--rationale", "-m", default="", help="Why.")
@click.option("--seconds", type=click.FloatRange(0), help="Time spent.")
@click.option("--key", help="The same key again is the same submission.")
@json_option
@_by
@workspace_option
def submit(
    item: str,
    answers: tuple[str, ...],
    rationale: str,
    seconds: float | None,
    key: str | None,
    by: str | None,
    workspace: Path | None,
    *,
    as_json: bool,
) -> None:
    """Label ITEM, which `next` gave you."""
    from evalwright.cli.review_tables import as_json as told
    from evalwright.core.review import Entry

    entry = Entry(answers=_pairs(answers, "--answer"), rationale=rationale, seconds=seconds)
    done = _desk(workspace, by).submit(item, entry, key=key)
    click.echo(told(done) if as_json else f"label {done.label_id}" + ("" if done.new else " (was there already)"))


@review.command()
@click.argument("label_id", metavar="LABEL")
@_by
@workspace_option
def undo(label_id: str, by: str | None, workspace: Path | None) -> None:
    """Take your LABEL back within a minute."""
    item = _desk(workspace, by).undo(label_id)
    click.echo(f"taken back; the item {item} is yours again")


@review.command()
@click.argument("item")
@click.option("--reason", default="", help="Why.")
@_by
@workspace_option
def skip(item: str, reason: str, by: str | None, workspace: Path | None) -> None:
    """Leave ITEM to others."""
    _desk(workspace, by).skip(item, reason)
    click.echo("skipped")


@review.command()
@click.argument("item")
@click.option("--note", "-m", required=True, help="What the lead should look at.")
@_by
@workspace_option
def flag(item: str, note: str, by: str | None, workspace: Path | None) -> None:
    """Ask the lead to look at ITEM."""
    _desk(workspace, by).flag(item, note)
    click.echo("flagged")


# --- agreement ------------------------------------------------------------------------------------------------------

LAYOUTS = ("auto", "long", "wide", "nested", "units-by-raters", "raters-by-units", "counts", "contingency")
AGREEMENT = """\b
Examples:
  evalwright review agreement tone
  evalwright review agreement --labels ratings.csv
  evalwright review agreement --labels wide.csv --raters ann,bob --scale ordinal
  evalwright review agreement --labels long.csv --column rater=who --column label=grade
  evalwright review agreement --labels table.json --layout contingency --json
Layouts: long has a row a rating, wide a column a rater, nested a column with
{rater: level} or {dimension: {rater: level}}; bare tables are units-by-raters,
raters-by-units, counts (units by levels) or contingency (two raters)."""


@review.command(epilog=AGREEMENT)
@click.argument("queue", required=False)
@click.option("--labels", "-l", type=click.Path(path_type=Path, dir_okay=False), help="File of ratings from elsewhere.")
@click.option("--layout", type=click.Choice(LAYOUTS), default="auto", show_default=True, help="Layout of the file.")
@click.option("--column", "-c", "columns", multiple=True, metavar="WHAT=NAME", help="unit, rater, label, rubric, at, ratings.")  # fmt: skip  # noqa: E501
@click.option("--raters", help="Of wide files: the raters' columns, with commas between.")
@click.option(
    "--rubric", "rubrics", multiple=True, help="Only this dimension; of long files also a column. Repeatable."
)
@click.option("--rubric-file", type=click.Path(path_type=Path, dir_okay=False), help="Rubric the ratings follow.")
@click.option("--scale", type=click.Choice(["nominal", "ordinal", "interval", "ratio"]), help="Scale of the ratings.")
@click.option("--levels", help="The levels, worst first, with commas between.")
@click.option("--level", "confidence", type=click.FloatRange(0.5, 0.999), default=0.95, show_default=True, help="Of the intervals.")  # fmt: skip  # noqa: E501
@json_option
@workspace_option
def agreement(
    queue: str | None, labels: Path | None, confidence: float, workspace: Path | None, *, as_json: bool, **how: Any
) -> None:
    """How far the reviewers of QUEUE, or of a file of ratings, agree: every coefficient with its interval."""
    if (queue is None) == (labels is None):
        raise UsageError("name a QUEUE, or a file with --labels")
    report = _of_file(labels, how, confidence) if labels is not None else _of_queue(workspace, queue or "", how, confidence)  # fmt: skip  # noqa: E501
    from evalwright.cli.review_tables import as_json as told
    from evalwright.cli.review_tables import console, print_agreement

    if as_json:
        click.echo(told(report))
    else:
        print_agreement(console(), report)


def _of_queue(workspace: Path | None, reference: str, how: dict[str, Any], confidence: float) -> Any:
    from evalwright.services.reviewing.agreement import queue_agreement
    from evalwright.services.reviewing.queues import find

    place = open_workspace(workspace)
    only = how["rubrics"][0] if how["rubrics"] else None
    return queue_agreement(place, find(place, reference), rubric=only, level=confidence)


def _of_file(path: Path, how: dict[str, Any], confidence: float) -> Any:
    from evalwright.review.agreement import Plan
    from evalwright.services.reviewing.agreement import table_agreement
    from evalwright.services.reviewing.rubrics import rubric_of_file
    from evalwright.services.reviewing.tables import TableOptions, read_tables

    options = TableOptions(
        layout=how["layout"],
        columns=_pairs(how["columns"], "--column"),
        raters=_words(how["raters"]),
        rubrics=tuple(how["rubrics"]),
        scale=how["scale"],
        levels=_words(how["levels"]),
        rubric=rubric_of_file(how["rubric_file"]) if how["rubric_file"] else None,
        name=str(path),
    )
    found = read_tables(path, options)
    return table_agreement(found.tables, notes=found.notes, plan=Plan(level=confidence))


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


@review.command()
@click.argument("queue")
@json_option
@workspace_option
def estimate(queue: str, workspace: Path | None, *, as_json: bool) -> None:
    """What the labels of QUEUE say of the whole they were drawn from, with an interval."""
    from evalwright.cli.review_tables import as_json as told
    from evalwright.services.reviewing.estimates import queue_estimates
    from evalwright.services.reviewing.queues import find

    place = open_workspace(workspace)
    found = queue_estimates(place, find(place, queue))
    if as_json:
        click.echo(told({"estimates": found}))
        return
    for one in found:
        click.echo(
            f"{one.rubric}: {_figure(one.estimate)}" + (f"; passing {_figure(one.passing)}" if one.passing else "")
        )
        if one.judged is not None:
            click.echo(f"  the stored verdicts say {one.judged:.3f} of the labelled cases")
        for stratum in one.strata:
            mean = "–" if stratum.mean is None else f"{stratum.mean:.3f}"
            click.echo(f"  {stratum.name or 'no verdict'}: {stratum.labelled} of {stratum.cases} labelled, mean {mean}")
        click.echo(f"  {one.note}")


def _figure(one: Any) -> str:
    if one is None or one.value is None:
        return "not known yet"
    return f"{one.value:.3f}" + ("" if one.ci is None else f" [{one.ci[0]:.3f}, {one.ci[1]:.3f}]")


# --- adjudication ---------------------------------------------------------------------------------------------------


@review.command()
@click.argument("queue")
@click.option("--item", help="Decide on this item without being asked.")
@click.option("--answer", "-a", "answers", multiple=True, metavar="RUBRIC=LEVEL", help="The right label. Repeatable.")
@click.option("--reason", "-m", default="", help="Why.")
@click.option("--alone", is_flag=True, help="Nobody else may decide: also on items you labelled; this is recorded.")
@click.option("--decided", is_flag=True, help="Also show what is decided already.")
@json_option
@_by
@workspace_option
def adjudicate(
    queue: str,
    item: str | None,
    answers: tuple[str, ...],
    reason: str,
    by: str | None,
    workspace: Path | None,
    *,
    alone: bool,
    decided: bool,
    as_json: bool,
) -> None:
    """Settle what reviewers of QUEUE disagree on, or flagged: with all labels and reasons in view.

    Asks for each item in turn; with --item and --answer it decides on one, with --json it only lists them.
    """
    from evalwright.cli.review_label import decide_items
    from evalwright.cli.review_tables import as_json as told
    from evalwright.governance.members import Members
    from evalwright.governance.roles import Action
    from evalwright.services.people import user_name
    from evalwright.services.reviewing import adjudicating
    from evalwright.services.reviewing.queues import find

    place, who = open_workspace(workspace), user_name(by)
    Members(place).check(who, Action.ADJUDICATE)
    if item is not None:
        verdict = adjudicating.Verdict(answers=_pairs(answers, "--answer"), reason=reason, by=who, others_may=not alone)
        made = adjudicating.adjudicate(place, item, verdict)
        audited(place, who, "review.adjudicate", item, decision=made.id, own=made.own)
        click.echo(told(made) if as_json else f"decided: {', '.join(f'{k} {v}' for k, v in made.answers.items())}")
        return
    found = find(place, queue)
    waiting = adjudicating.to_decide(place, found, by=who, decided=decided)
    if as_json:
        click.echo(told({"items": waiting}))
        return
    decide_items(place, found, waiting, by=who, alone=alone)


@review.command()
@click.argument("queue")
@click.argument("dataset")
@click.option("--majority", is_flag=True, help="Labels of a majority, and single ones, count too.")
@click.option("--expected", is_flag=True, help="The label becomes what the case expects: for sets that test judges.")
@json_option
@_by
@workspace_option
def gold(
    queue: str, dataset: str, by: str | None, workspace: Path | None, *, majority: bool, expected: bool, as_json: bool
) -> None:
    """Write settled labels of QUEUE into a draft version of the golden set DATASET."""
    from evalwright.cli.review_tables import as_json as told
    from evalwright.services.people import user_name
    from evalwright.services.reviewing.adjudicating import BASES, to_gold
    from evalwright.services.reviewing.queues import find

    place, who = open_workspace(workspace), user_name(by)
    bases = BASES if majority else BASES[:3]
    made = to_gold(place, find(place, queue), dataset, by=who, bases=bases, expected=expected)
    audited(place, who, "review.gold", queue, dataset=dataset, cases=made.cases)
    if as_json:
        click.echo(told(made))
        return
    version = "nothing new" if made.version is None else f"draft version v{made.version}"
    click.echo(f"{dataset}: {version}, {made.cases} cases; {made.left_out} items are not settled")


# --- files ----------------------------------------------------------------------------------------------------------

_format = click.option("--format", "kind", type=click.Choice(["labelstudio", "csv", "xlsx", "jsonl"]), help="Told from the suffix by default.")  # fmt: skip  # noqa: E501


@review.command(name="export")
@click.argument("queue")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--what",
    type=click.Choice(["tasks", "labels", "settled"]),
    default="labels",
    show_default=True,
    help="tasks: to be labelled elsewhere, blind; labels: a row a label; settled: for `evalwright calibrate --labels`.",
)
@click.option("--rubric", help="Of settled labels: which rubric.")
@click.option("--interface", type=click.Path(path_type=Path, dir_okay=False), help="Also write Label Studio's interface here.")  # fmt: skip  # noqa: E501
@_format
@workspace_option
def export_(
    queue: str,
    out: Path,
    what: Any,
    rubric: str | None,
    interface: Path | None,
    kind: str | None,
    workspace: Path | None,
) -> None:
    """Write QUEUE to OUT: Label Studio tasks, CSV, Excel or JSON Lines; formulas are made harmless."""
    from evalwright.services.reviewing import exchange, label_studio
    from evalwright.services.reviewing.queues import find
    from evalwright.store.files import write_atomic

    place = open_workspace(workspace)
    found = find(place, queue)
    write_atomic(out, exchange.export(place, found, exchange.format_of(out, kind), what, rubric=rubric))
    if interface is not None:
        write_atomic(interface, label_studio.interface(found).encode())
        click.echo(f"labelling interface: {interface}", err=True)
    click.echo(f"wrote {out}")


@review.command(name="import")
@click.argument("queue")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--rater", help="Who labelled rows that do not say.")
@_format
@json_option
@_by
@workspace_option
def import_(
    queue: str,
    file: Path,
    rater: str | None,
    kind: str | None,
    by: str | None,
    workspace: Path | None,
    *,
    as_json: bool,
) -> None:
    """Read labels of QUEUE back from FILE.

    Rows that do not fit are told one by one; the same file again adds nothing.
    """
    from evalwright.cli.review_tables import as_json as told
    from evalwright.reports.text import one_line
    from evalwright.services.people import user_name
    from evalwright.services.reviewing import exchange
    from evalwright.services.reviewing.queues import find

    place, who = open_workspace(workspace), user_name(by)
    found = find(place, queue)
    incoming = exchange.read_incoming(found, file.read_bytes(), exchange.format_of(file, kind), rater=rater)
    made = exchange.import_labels(place, found, incoming, by=who)
    audited(place, who, "review.import", found.id, added=made.added, problems=len(made.problems))
    if as_json:
        click.echo(told(made))
    else:
        click.echo(f"{made.added} labels added, {made.known} known already")
        for problem in made.problems[:50]:
            click.echo(f"  {one_line(problem['where'], 60)}: {one_line(problem['message'], 200)}", err=True)
        if len(made.problems) > 50:
            click.echo(f"  … {len(made.problems) - 50} more", err=True)
    if made.problems and not made.added and not made.known:
        raise UsageError(f"no row of {file} became a label")
