"""`evalwright review queue`: made, listed, shown, closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from evalwright.cli.options import audited, json_option, open_workspace, workspace_option
from evalwright.core.errors import UsageError

EPILOG = """\b
Examples:
  evalwright review queue new tone --run latest --rubric tone.yaml --size 50
  evalwright review queue new better --baseline r1 --candidate r2 --rubric better.yaml
  evalwright review queue new split --run latest --disagree judge,exact --rubric tone.yaml
  evalwright review queue new teach --run latest --metric tone --method active --size 60 --rubric tone.yaml
  evalwright review queue new again --disputed tone --rubric tone.yaml
  evalwright review queue new sheet --file answers.csv --rubric tone.yaml --raters-per-item 3"""

_file = click.Path(path_type=Path, dir_okay=False)


@click.group(name="queue")
def queue_group() -> None:
    """Review queues: new, list, show, close, open."""


@queue_group.command(epilog=EPILOG)
@click.argument("name")
@click.option("--rubric", "rubrics", type=_file, multiple=True, required=True, help="Rubric file; repeatable.")
@click.option("--run", help="Answers of this run.")
@click.option("--baseline", help="Pairs: the run whose answer is the first.")
@click.option("--candidate", help="Pairs: the run whose answer is the second.")
@click.option("--dataset", help="Cases of this golden set, NAME@VERSION.")
@click.option("--disputed", metavar="QUEUE", help="Items on which the reviewers of this queue differ.")
@click.option(
    "--file", type=_file, help="Rows with `input` and `output` (pairs: `outputs`): JSONL, JSON, CSV, Parquet."
)
@click.option("--where", help="Only where this expression over case, output and scores holds.")
@click.option("--status", type=click.Choice(["all", "passed", "failed"]), default="all", help="Only these cases.")
@click.option("--metric", help="Metric to sample and limit by.")
@click.option("--min", "least", type=float, help="Least value of --metric.")
@click.option("--max", "most", type=float, help="Largest value of --metric.")
@click.option("--disagree", metavar="A,B", help="Only where these metrics say the contrary; one: it and any other.")
@click.option("--flips", is_flag=True, help="Pairs: only where the row verdict changed.")
@click.option("--id", "ids", multiple=True, help="Only this case; repeatable.")
@click.option("--size", type=click.IntRange(1), help="How many at most.")
@click.option("--method", type=click.Choice(["random", "active", "all"]), default="random", show_default=True, help="active: where labels move the corrected figure most.")  # fmt: skip  # noqa: E501
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Of the sample and the orders.")
@click.option(
    "--raters-per-item", "-n", type=click.IntRange(1, 50), default=1, show_default=True, help="Labels wanted."
)
@click.option("--raters", help="Who may label, with commas between; anybody by default.")
@click.option("--lease-minutes", type=float, default=30.0, show_default=True, help="How long an item is kept.")
@click.option("--reason-below", multiple=True, metavar="RUBRIC=LEVEL", help="This level and worse need a reason.")
@click.option("--reason-if-contrary", is_flag=True, help="So do labels that contradict the stored verdict (tells it).")
@click.option("--reason-always", is_flag=True, help="Every label needs a reason.")
@click.option("--hide-expected", is_flag=True, help="Reviewers do not see what a case expects.")
@click.option(
    "--tolerance", type=click.IntRange(0), default=0, show_default=True, help="Levels two labels may lie apart."
)
@click.option("--calibration", type=_file, help="Rows with known labels: `input`, `output`, `gold`.")
@click.option("--calibration-set", help="Golden set of labelled answers, as `review gold` writes them.")
@click.option("--calibration-share", type=click.FloatRange(0, 0.5), help="Share they make up at most.")
@click.option("--no-priority", is_flag=True, help="Grave failures do not come first.")
@click.option("--by", metavar="NAME", help="Who makes it; $EVALWRIGHT_USER or the user by default.")
@json_option
@workspace_option
def new(name: str, by: str | None, workspace: Path | None, *, as_json: bool, **how: Any) -> None:
    """Make the queue NAME from a run, a pair of runs, a golden set, a file, or what reviewers disagreed on."""
    from evalwright.cli.review_tables import as_json as told
    from evalwright.reports.text import one_line
    from evalwright.services.people import user_name
    from evalwright.services.reviewing.queues import make_queue
    from evalwright.store.workspace import Workspace

    place = Workspace.open(workspace) if how["file"] else open_workspace(workspace)
    made = make_queue(place, _asked(name, how), by=user_name(by))
    audited(place, user_name(by), "review.queue.add", made.queue.id, name=made.queue.name, items=made.items)
    if as_json:
        click.echo(told(made))
        return
    known = f" and {made.calibration} with a known label" if made.calibration else ""
    click.echo(f"{one_line(made.queue.name, 80)} ({made.queue.id}): {made.items} of {made.eligible} items{known}")
    for note in made.notes:
        click.echo(f"note: {one_line(note, 300)}", err=True)
    click.echo(f"label them with: evalwright review label {made.queue.id}", err=True)


def _asked(name: str, how: dict[str, Any]) -> Any:
    from evalwright.core.review import QueueKind, RationaleRule
    from evalwright.services.reviewing.requests import NewQueue, SampleSpec
    from evalwright.services.reviewing.rubrics import rubric_of_file

    raters = _words(how["raters"])
    kind = QueueKind.PAIRWISE if how["candidate"] or how["baseline"] else QueueKind.POINTWISE
    rows = _rows(how["file"]) if how["file"] else None
    if rows and "outputs" in rows[0]:
        kind = QueueKind.PAIRWISE
    return NewQueue(
        name=name,
        rubrics=tuple(rubric_of_file(path) for path in how["rubrics"]),
        source=_source(how, rows),
        kind=kind,
        sample=SampleSpec(size=how["size"], method=how["method"], seed=how["seed"]),
        raters_per_item=how["raters_per_item"],
        raters=raters or None,
        lease_minutes=how["lease_minutes"],
        rationale=RationaleRule(
            required_at_or_below=_below(how["reason_below"]),
            differs_from_prior=how["reason_if_contrary"],
            always=how["reason_always"],
        ),
        show_expected=not how["hide_expected"],
        tolerance=how["tolerance"],
        calibration=_rows(how["calibration"]) if how["calibration"] else (),
        calibration_set=how["calibration_set"],
        calibration_share=how["calibration_share"],
        priority="none" if how["no_priority"] else "severity",
        seed=how["seed"] or None,
    )


def _source(how: dict[str, Any], rows: Any) -> Any:
    from evalwright.services.reviewing.requests import SourceSpec

    return SourceSpec(
        run=how["run"],
        baseline=how["baseline"],
        candidate=how["candidate"],
        dataset=how["dataset"],
        queue=how["disputed"],
        rows=rows,
        where=how["where"],
        status=how["status"],
        metric=how["metric"],
        min=how["least"],
        max=how["most"],
        disagreements=_words(how["disagree"]),
        flips=how["flips"],
        ids=how["ids"],
    )


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in (text or "").split(",") if part.strip())


def _below(given: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for text in given:
        name, equals, level = text.partition("=")
        if not equals:
            raise UsageError(f"--reason-below is RUBRIC=LEVEL, not {text!r}")
        found[name] = level
    return found


def _rows(path: Path) -> tuple[dict[str, Any], ...]:
    """Rows of a file; one that can't be read stops it, with its line."""
    from evalwright.core.errors import ConfigError, Problem
    from evalwright.core.suite import DatasetSpec
    from evalwright.datasets.reader import read_raw

    found: list[dict[str, Any]] = []
    problems: list[Problem] = []
    for row in read_raw(DatasetSpec(file=str(path)), Path()):
        if row.reason is not None or not isinstance(row.value, dict):
            problems.append(Problem(message=row.reason or "the row is no object", file=str(path), line=row.line))
        else:
            found.append(row.value)
    if problems:
        raise ConfigError(problems[:10])
    if not found:
        raise ConfigError([Problem(message=f"{path} holds no rows", file=str(path))])
    return tuple(found)


@queue_group.command(name="list")
@json_option
@workspace_option
def list_(workspace: Path | None, *, as_json: bool) -> None:
    """List the review queues, newest first, with how far they are."""
    from evalwright.cli.review_tables import as_json as told
    from evalwright.cli.review_tables import console, print_queues
    from evalwright.services.reviewing.queues import all_queues

    found = all_queues(open_workspace(workspace))
    if as_json:
        click.echo(told({"queues": [{"queue": queue, "counts": counts} for queue, counts in found]}))
    else:
        print_queues(console(), found)


@queue_group.command()
@click.argument("queue")
@json_option
@workspace_option
def show(queue: str, workspace: Path | None, *, as_json: bool) -> None:
    """Show QUEUE: settings, rubrics with their anchors, how far it is."""
    from evalwright.cli.review_tables import as_json as told
    from evalwright.cli.review_tables import console, print_queue
    from evalwright.services.reviewing.queues import counts_of, find

    place = open_workspace(workspace)
    found = find(place, queue)
    counts = counts_of(place, found)
    if as_json:
        click.echo(told({"queue": found, "counts": counts}))
    else:
        print_queue(console(), found, counts)


def _state(state: str) -> Any:
    @click.argument("queue")
    @click.option("--by", metavar="NAME", help="Who does it; $EVALWRIGHT_USER or the user by default.")
    @workspace_option
    def change(queue: str, by: str | None, workspace: Path | None) -> None:
        from evalwright.reports.text import one_line
        from evalwright.services.people import user_name
        from evalwright.services.reviewing.queues import QueueChange, find
        from evalwright.services.reviewing.queues import change as changed

        place = open_workspace(workspace)
        made = changed(place, find(place, queue), QueueChange(state=state))
        audited(place, user_name(by), "review.queue.change", made.id, state=state)
        click.echo(f"{one_line(made.name, 80)} is {state}")

    return change


queue_group.command("close", help="Close QUEUE: nobody gets further items; labels stay.")(_state("closed"))
queue_group.command("open", help="Open QUEUE again.")(_state("open"))
