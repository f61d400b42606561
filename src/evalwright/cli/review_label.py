"""Labelling with the keyboard, and a lead's decisions, in the terminal."""

from __future__ import annotations

import time
from collections.abc import Sequence

import click
import msgspec

from evalwright.cli.keys import Keys
from evalwright.cli.options import audited
from evalwright.cli.review_tables import console, print_dissent, print_item
from evalwright.core.errors import UsageError
from evalwright.core.review import Entry, Queue, Span
from evalwright.core.rubric import Rubric
from evalwright.reports.text import one_line
from evalwright.review.blinding import new_id
from evalwright.services.reviewing.adjudicating import Dissent, Verdict, adjudicate
from evalwright.services.reviewing.desk import Desk, Nothing, Shown
from evalwright.store.workspace import Workspace

HELP = (
    "1-9 the level · a/b/t of pairs · n a reason · m mark a place · x back one rubric · s skip · f flag · "
    "u take the last label back · q quit"
)
SIDES = {"a": "A", "b": "B", "t": "tie"}


class _Left(Exception):
    """The reviewer goes on to another item."""


class _Quit(Exception):
    """The reviewer stops."""


def label_items(desk: Desk, queue: Queue, *, skipped: bool = False, keys: Keys | None = None) -> None:
    """Label item after item until nothing is left or the reviewer quits; what is filled in is kept at each key."""
    sitting = _Sitting(desk, queue, keys or Keys())
    click.echo(f"{one_line(queue.name, 80)}: {HELP}", err=True)
    while isinstance(shown := desk.next(queue, skipped=skipped), Shown):
        try:
            sitting.item(shown)
        except _Left:
            continue
        except _Quit:
            break
    if isinstance(shown, Nothing):
        click.echo(one_line(shown.reason, 300))
    click.echo(f"{sitting.done} labels", err=True)


class _Sitting:
    """One reviewer at the keyboard."""

    def __init__(self, desk: Desk, queue: Queue, keys: Keys) -> None:
        self.desk = desk
        self.queue = queue
        self.keys = keys
        self.done = 0
        self.last: str | None = None

    def item(self, shown: Shown) -> None:
        """Show an item, ask by each rubric, hand the label in."""
        print_item(console(), shown)
        begun, key = time.monotonic(), new_id()
        entry = shown.draft or Entry()
        spent = entry.seconds or 0.0
        entry = self._filled(shown, entry)
        while True:
            entry = msgspec.structs.replace(entry, seconds=round(spent + time.monotonic() - begun, 1))
            try:
                done = self.desk.submit(shown.id, entry, key=key)
            except UsageError as error:
                entry = self._mended(shown, entry, error)
                if not entry.answers:
                    entry = self._filled(shown, entry)
                continue
            self.last = done.label_id
            self.done += 1
            return

    def _filled(self, shown: Shown, entry: Entry) -> Entry:
        answered = [rubric for rubric in self.queue.rubrics if rubric.name in entry.answers]
        at = min(len(answered), len(self.queue.rubrics) - 1)
        while at < len(self.queue.rubrics):
            rubric = self.queue.rubrics[at]
            entry, step = self._ask(shown, rubric, entry)
            at = max(0, at + step)
            self.desk.save_draft(shown.id, entry)
        return entry

    def _mended(self, shown: Shown, entry: Entry, error: UsageError) -> Entry:
        """Ask for what a label lacks; anything else is told and asked anew."""
        fields = {name for name, _ in getattr(error, "fields", ())}
        click.echo(one_line(error.message, 500), err=True)
        if fields == {"rationale"}:
            reason = self.keys.line("why")
            if not reason:
                return msgspec.structs.replace(entry, answers={})
            entry = msgspec.structs.replace(entry, rationale=reason)
            self.desk.save_draft(shown.id, entry)
            return entry
        if not fields:
            raise _Left
        return msgspec.structs.replace(entry, answers={}, spans=())

    def _ask(self, shown: Shown, rubric: Rubric, entry: Entry) -> tuple[Entry, int]:
        """The entry after one key, and how many rubrics on or back it leads."""
        _print_choices(rubric, pairs=shown.kind == "pairwise", given=entry.answers.get(rubric.name))
        key = self.keys.key().lower()
        choice = _choice(rubric, key, pairs=shown.kind == "pairwise")
        if choice is not None:
            click.echo(f"  {choice}")
            return msgspec.structs.replace(entry, answers={**entry.answers, rubric.name: choice}), 1
        return self._command(shown, entry, key)

    def _command(self, shown: Shown, entry: Entry, key: str) -> tuple[Entry, int]:
        if key in ("q", "\x03", "\x04"):
            raise _Quit
        if key == "s":
            self.desk.skip(shown.id, self.keys.line("why skip (may be empty)"))
            raise _Left
        if key == "u":
            self._undo()
        elif key == "f":
            self._flag(shown)
        elif key == "n":
            return msgspec.structs.replace(entry, rationale=self.keys.line("why")), 0
        elif key == "m":
            return self._marked(shown, entry), 0
        elif key == "x":
            return entry, -1
        else:
            click.echo(HELP, err=True)
        return entry, 0

    def _undo(self) -> None:
        if self.last is None:
            click.echo("no label of this sitting to take back", err=True)
            return
        try:
            self.desk.undo(self.last)
        except UsageError as error:
            click.echo(one_line(error.message, 300), err=True)
            return
        self.last, self.done = None, self.done - 1
        click.echo("taken back", err=True)
        raise _Left

    def _flag(self, shown: Shown) -> None:
        note = self.keys.line("what should the lead look at")
        if note:
            self.desk.flag(shown.id, note)
            click.echo("flagged", err=True)

    def _marked(self, shown: Shown, entry: Entry) -> Entry:
        """A place in an answer, by the words that stand there."""
        words = self.keys.line("the words to mark")
        for one in shown.outputs:
            start = one.text.find(words) if words else -1
            if start >= 0:
                note = self.keys.line("what it shows (may be empty)")
                span = Span(side=one.side, start=start, end=start + len(words), text=words, note=note)
                return msgspec.structs.replace(entry, spans=(*entry.spans, span))
        click.echo("these words stand in no answer", err=True)
        return entry


def _print_choices(rubric: Rubric, *, pairs: bool, given: str | None) -> None:
    click.echo()
    click.secho(f"{rubric.name}: {one_line(rubric.criterion, 200)}", bold=True)
    if pairs:
        click.echo("  a  A is better\n  b  B is better\n  t  neither")
    else:
        for number, level in enumerate(rubric.levels, start=1):
            click.echo(f"  {number}  {level.name}  {one_line(level.anchor, 160)}".rstrip())
    if given is not None:
        click.echo(f"  now: {given}")


def _choice(rubric: Rubric, key: str, *, pairs: bool) -> str | None:
    if pairs:
        return SIDES.get(key) or {"1": "A", "2": "B", "0": "tie", "3": "tie"}.get(key)
    if key.isdecimal() and 1 <= int(key) <= len(rubric.levels):
        return rubric.levels[int(key) - 1].name
    return None


# --- decisions ------------------------------------------------------------------------------------------------------


def decide_items(
    workspace: Workspace,
    queue: Queue,
    waiting: Sequence[Dissent],
    *,
    by: str,
    alone: bool = False,
    keys: Keys | None = None,
) -> None:
    """Ask a lead about each item that waits."""
    asked = keys or Keys()
    if not waiting:
        click.echo("nothing to decide: no labels differ and nothing is flagged")
        return
    count = 0
    for one in waiting:
        print_dissent(console(), one, queue)
        if not one.may and not alone:
            click.echo("you have labelled this item yourself: somebody else decides (or --alone)", err=True)
            continue
        answers = _answers(queue, one, asked)
        if answers is None:
            break
        reason = asked.line("why (empty leaves the item)") if answers else ""
        if not answers or not reason:
            continue
        made = adjudicate(workspace, one.item.id, Verdict(answers=answers, reason=reason, by=by, others_may=not alone))
        audited(workspace, by, "review.adjudicate", one.item.id, decision=made.id, own=made.own)
        count += 1
    click.echo(f"{count} decided, {len(waiting) - count} left")


def _answers(queue: Queue, one: Dissent, keys: Keys) -> dict[str, str] | None:
    """The right labels of an item; empty when it is passed over, None when the lead stops."""
    found: dict[str, str] = {}
    for rubric in queue.rubrics:
        if one.labels and rubric.name not in one.differing and not one.flags:
            continue
        choices = queue.choices(rubric)
        click.secho(f"{rubric.name}: what is right?", bold=True)
        for number, name in enumerate(choices, start=1):
            click.echo(f"  {number}  {name}")
        click.echo("  s  leave this item   q  stop", err=True)
        key = keys.key().lower()
        if key in ("q", "\x03", "\x04"):
            return None
        if not key.isdecimal() or not 1 <= int(key) <= len(choices):
            return {}
        found[rubric.name] = choices[int(key) - 1]
        click.echo(f"  {choices[int(key) - 1]}")
    return found
