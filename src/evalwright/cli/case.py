"""`evalwright case`: one case from a ticket, an incident or a failing run."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from evalwright.cli.options import audited, json_option, names_option, workspace_option
from evalwright.core.errors import UsageError
from evalwright.services.case_adding import Added, Behaviour, Place, Ticket, add_case, check_link, from_file, from_run
from evalwright.services.people import user_name
from evalwright.services.redacting import RedactPlan, key_from_environment
from evalwright.store.workspace import Workspace

EPILOG = """\b
Examples:
  evalwright case add --from ticket.txt --link https://tickets.acme.io/4711 \\
    --expect "Five working days" --into tickets
  evalwright case add --from-run latest q17 --contains "opening hours" --into tickets
  evalwright case add --link https://tickets.acme.io/4711 --input "Where is it?" --refuse
  evalwright case add --from mail.eml          asks what the answer should be"""


@click.group()
def case() -> None:
    """Make a case of a ticket, an incident or a failing run."""


@case.command(epilog=EPILOG)
@click.option("--from", "file", type=click.Path(path_type=Path, dir_okay=False), help="A ticket: text, .eml, JSON.")
@click.option("--from-run", nargs=2, metavar="RUN CASE", help="A case of a run, with the answer that was seen.")
@click.option("--link", help="Where the ticket or incident is; kept with the case, never fetched.")
@click.option("--input", "text", help="What was asked, instead of the source's text.")
@click.option("--expect", default="", help="The right answer.")
@click.option("--contains", multiple=True, metavar="WORDS", help="Must be in the answer; may be given several times.")
@click.option("--lacks", multiple=True, metavar="WORDS", help="Must not be in it; may be given several times.")
@click.option("--refuse/--no-refuse", default=None, help="Whether it should be refused.")
@click.option("--into", metavar="NAME", help="Golden set that gets a draft version; else a file of drafts.")
@click.option(
    "--drafts", type=click.Path(path_type=Path, dir_okay=False), default=Path("drafts.jsonl"), show_default=True
)
@click.option("--id", "case_id", default="", help="Of the case; made from its input by default.")
@click.option("--tag", "tags", multiple=True, help="A tag of the case; may be given several times.")
@click.option("--note", "-m", default="", help="Why.")
@click.option("--no-redact", is_flag=True, help="Leave personal data and secrets in.")
@click.option("--by", metavar="NAME", help="Who adds it; $EVALWRIGHT_USER or the user by default.")
@names_option
@json_option
@workspace_option
def add(
    file: Path | None,
    from_run: tuple[str, str] | None,
    link: str | None,
    text: str | None,
    expect: str,
    contains: tuple[str, ...],
    lacks: tuple[str, ...],
    refuse: bool | None,
    into: str | None,
    drafts: Path,
    case_id: str,
    tags: tuple[str, ...],
    note: str,
    by: str | None,
    names: str,
    workspace: Path | None,
    *,
    no_redact: bool,
    as_json: bool,
) -> None:
    """Add one case: redacted, as a draft, with a link back to where it comes from.

    What the right answer is like is said by --expect, --contains, --lacks or --refuse. Without any of them it is asked
    for, where there is a terminal.
    """
    place = Workspace.open(workspace)
    ticket = _ticket(place, file, from_run, link, text)
    ticket = msgspec.structs.replace(ticket, tags=(*ticket.tags, *tags))
    behaviour = Behaviour(expected=expect, contains=contains, lacks=lacks, refuse=refuse)
    if not behaviour.said and sys.stdin.isatty():
        behaviour = _asked(ticket)
    who = user_name(by)
    plan = None if no_redact else RedactPlan(key=key_from_environment(), names=names)
    where = Place(by=who, golden=into, drafts=drafts, case_id=case_id, note=note, redact=plan)
    made = add_case(place, ticket, behaviour, where)
    if made.version is not None:
        audited(place, who, "case.add", f"{into}@v{made.version.number}", case=made.case.id, link=ticket.link)
    _print(made, into, as_json=as_json)


def _ticket(
    workspace: Workspace, file: Path | None, run: tuple[str, str] | None, link: str | None, text: str | None
) -> Ticket:
    if file is not None and run:
        raise UsageError("--from and --from-run are two sources; name one")
    kept = check_link(link) if link else ""
    if file is not None:
        ticket = from_file(file)
    elif run:
        ticket = from_run(workspace, *run)
    elif kept:
        ticket = Ticket(input=text or _question("What was asked?"), origin="link", detail=kept)
    else:
        raise UsageError("say where the case comes from", hint="--from FILE, --from-run RUN CASE or --link URL")
    if text:
        ticket = msgspec.structs.replace(ticket, input=text)
    return msgspec.structs.replace(ticket, link=kept or ticket.link)


def _question(text: str) -> str:
    if not sys.stdin.isatty():
        raise UsageError("nothing says what was asked", hint="--input TEXT; a link is never fetched")
    found: str = click.prompt(text, type=str, err=True)
    return found


def _asked(ticket: Ticket) -> Behaviour:
    """The expected behaviour, in a few questions."""
    shown = ticket.input if isinstance(ticket.input, str) else msgspec.json.encode(ticket.input).decode()
    click.echo(f"the case asks: {''.join(c if c.isprintable() else ' ' for c in shown[:500])}", err=True)
    expected = _optional("The right answer (empty: there is more than one)")
    contains = _optional("What must be in it (several with ;)")
    lacks = _optional("What must not be in it (several with ;)")
    refuse = _optional("Should it be refused? (yes, no, empty: does not matter)").strip().lower()
    return Behaviour(
        expected=expected.strip(),
        contains=_parts(contains),
        lacks=_parts(lacks),
        refuse=None if not refuse else refuse in ("y", "yes"),
    )


def _optional(text: str) -> str:
    found: str = click.prompt(text, default="", show_default=False, err=True)
    return found


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";") if part.strip())


def _print(made: Added, into: str | None, *, as_json: bool) -> None:
    if as_json:
        click.echo(msgspec.json.encode(made).decode())
        return
    taken = ", ".join(f"{count} {kind.replace('_', ' ')}" for kind, count in sorted(made.redacted.replaced.items()))
    click.echo(f"case {made.case.id}; redacted: {taken or 'nothing'}")
    for left in made.redacted.leftovers:
        click.echo(f"look yourself: {left.place}, character {left.start + 1}: perhaps {left.kind} {left.shown}")
    if made.version is not None:
        number = made.version.number
        click.echo(f"{into}@v{number} is a draft with it; `evalwright proposal new {into}@v{number}` asks for approval")
    else:
        click.echo(f"it waits in {made.file}; `evalwright draft accept {made.file} {made.case.id}` takes it")
    for line in made.scorers:
        click.echo(f"a suite checks it with  {line}")
