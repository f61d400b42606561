"""One case from a ticket, an incident or a failing run: redacted, with what is expected, as a draft."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.errors import UsageError
from evalwright.core.identity import content_id
from evalwright.datasets.drafting import Draft
from evalwright.datasets.drafting.record import Origin
from evalwright.datasets.importers import Source
from evalwright.datasets.importers.mapping import guess_fields
from evalwright.datasets.redaction import Report
from evalwright.datasets.versions import Version
from evalwright.services.drafting import keep
from evalwright.services.golden import Goldens
from evalwright.services.redacting import RedactPlan
from evalwright.store.workspace import Workspace

MAX_TICKET = 1 << 20


class Behaviour(msgspec.Struct, frozen=True, kw_only=True):
    """What the right answer is like.

    Attributes:
        expected: The answer itself.
        contains: Words that must be in it.
        lacks: Words that must not be in it.
        refuse: Whether it should be refused; None when that does not matter.
    """

    expected: str = ""
    contains: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    refuse: bool | None = None

    @property
    def said(self) -> bool:
        """Whether anything is."""
        return bool(self.expected or self.contains or self.lacks or self.refuse is not None)

    def metadata(self) -> dict[str, Json]:
        """Where scorers look for it."""
        checks: dict[str, Json] = {"contains": list(self.contains)} if self.contains else {}
        checks |= {"not_contains": list(self.lacks)} if self.lacks else {}
        found: dict[str, Json] = {"checks": checks} if checks else {}
        return found | ({} if self.refuse is None else {"should_refuse": self.refuse})

    def scorers(self) -> list[str]:
        """Lines for a suite that check it."""
        lines = ["- exact_match"] if self.expected else []
        lines += ["- contains: { expected: metadata.checks.contains, mode: all }"] if self.contains else []
        no = "{ expected: metadata.checks.not_contains, mode: none, as: not_contains }"
        lines += [f"- contains: {no}"] if self.lacks else []
        return lines + (["- refusal_correctness"] if self.refuse is not None else [])


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """Where a case comes from.

    Attributes:
        input: What was asked.
        origin: `file`, `run` or `link`.
        detail: Name of the file, run and case, or link.
        link: Where the ticket or incident is; empty when there is none.
        expected: What the source itself says is right.
        metadata: What else is known: the answer that was seen, the case's own metadata.
        tags: Tags of the case.
    """

    input: Json
    origin: str
    detail: str = ""
    link: str = ""
    expected: Json = None
    metadata: dict[str, Json] = {}
    tags: tuple[str, ...] = ()


class Added(msgspec.Struct, frozen=True, kw_only=True):
    """What became of it.

    Attributes:
        case: The case as it was kept.
        redacted: What was taken out.
        version: The draft version of the set; None where it went into a file of drafts.
        file: The file of drafts; empty otherwise.
        scorers: Lines for a suite that check the expected behaviour.
    """

    case: Case
    redacted: Report
    version: Version | None = None
    file: str = ""
    scorers: tuple[str, ...] = ()


def from_file(path: Path) -> Ticket:
    """A ticket from a file: e-mail (`.eml`), JSON with one object, JSON Lines with one row, or any other text.

    Raises:
        UsageError: It is not there, empty, too long, or holds several rows.
        ConfigError: It can't be read.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    readers: dict[str, Callable[[Path], Ticket]] = {".eml": _mail, ".json": _row, ".jsonl": _row}
    found = readers.get(path.suffix.lower(), _text)(path)
    if found.input in (None, "", {}, []):
        raise UsageError(f"{path} holds no text to make a case of")
    return found


def _text(path: Path) -> Ticket:
    text = Source(path).data(MAX_TICKET).decode("utf-8", "replace").strip()
    return Ticket(input=text, origin="file", detail=path.name)


def _mail(path: Path) -> Ticket:
    """Subject and plain text of an e-mail; who wrote it to whom, and attachments, are left out."""
    message = email.message_from_bytes(Source(path).data(16 * MAX_TICKET), policy=email.policy.default)
    body = message.get_body(("plain",))
    text = str(body.get_content()).strip() if body is not None else ""
    subject = str(message.get("subject", "")).strip()
    return Ticket(input="\n\n".join(part for part in (subject, text) if part), origin="file", detail=path.name)


def _row(path: Path) -> Ticket:
    source = Source(path)
    rows = list(source.rows()) if path.suffix == ".jsonl" else [source.document()]
    if len(rows) != 1 or not isinstance(rows[0], dict):
        hint = "evalwright import takes files of many cases"
        raise UsageError(f"{path} holds no single case", hint=hint)
    made = Source(path, fields=guess_fields(rows[0])).case(rows[0])
    if isinstance(made, BadRow):
        raise UsageError(f"{path} holds no case: {made.reason}")
    link = next((str(made.metadata[k]) for k in ("link", "url", "web_url", "html_url") if made.metadata.get(k)), "")
    return Ticket(
        input=made.input, origin="file", detail=path.name, link=link, expected=made.expected, metadata=made.metadata
    )


def from_run(workspace: Workspace, run_id: str, case_id: str) -> Ticket:
    """A ticket from a case of a run, with the answer that was seen.

    Raises:
        UsageError: There is no such run or case.
    """
    entry = workspace.catalog.find(run_id)
    with workspace.run(entry.run_id) as run:
        found = run.case(case_id)
        output = next((record.output for record in found.trials if record.output is not None), None)
    case = found.case
    observed: dict[str, Json] = {"observed": output.text} if output is not None else {}
    return Ticket(
        input=case.input,
        origin="run",
        detail=f"{entry.run_id} {case_id}",
        expected=case.expected,
        metadata={**case.metadata, **observed},
        tags=case.tags,
    )


def check_link(link: str) -> str:
    """A link as it is kept.

    Raises:
        UsageError: It is no http or https address.
    """
    parts = urlsplit(link.strip())
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise UsageError(f"{link!r} is no link", hint="e.g. https://tickets.acme.io/4711")
    return link.strip()


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a case goes.

    Attributes:
        golden: Golden set that gets a draft version; None for a file of drafts.
        drafts: The file of drafts.
        case_id: Id of the case; made from its input when empty.
        by: Who adds it.
        note: Why.
        redact: How personal data is taken out; None leaves it.
    """

    by: str
    golden: str | None = None
    drafts: Path = Path("drafts.jsonl")
    case_id: str = ""
    note: str = ""
    redact: RedactPlan | None = RedactPlan()


def add_case(workspace: Workspace, ticket: Ticket, behaviour: Behaviour, place: Place) -> Added:
    """Keep a ticket as a case: a draft version of a golden set, or a draft in a file that waits for a person.

    Raises:
        UsageError: Nothing is expected, or the set has the case already.
    """
    if not behaviour.said and ticket.expected is None:
        raise UsageError("nothing says what the right answer is", hint="--expect, --contains, --lacks or --refuse")
    case, report = _redacted(_case(ticket, behaviour, place), place)
    if place.golden is None:
        _check_drafts(keep([Draft(draft=case, origin=_origin(ticket))], place.drafts), case.id, place.drafts)
        return Added(case=case, redacted=report, file=str(place.drafts), scorers=tuple(behaviour.scorers()))
    version = _into_set(workspace, place.golden, case, ticket, place)
    return Added(case=case, redacted=report, version=version, scorers=tuple(behaviour.scorers()))


def _case(ticket: Ticket, behaviour: Behaviour, place: Place) -> Case:
    origin: dict[str, Json] = {"from": ticket.origin, "detail": ticket.detail, "added_by": place.by}
    origin |= {"note": place.note} if place.note else {}
    metadata = {**ticket.metadata, **behaviour.metadata(), "origin": origin}
    metadata |= {"link": ticket.link} if ticket.link else {}
    return Case(
        id=place.case_id or content_id(ticket.input),
        input=ticket.input,
        expected=behaviour.expected or ticket.expected,
        metadata=metadata,
        tags=ticket.tags,
    )


def _redacted(case: Case, place: Place) -> tuple[Case, Report]:
    """The case without personal data; an id made from the input is made anew, and the link stays."""
    if place.redact is None:
        return case, Report()
    redactor = place.redact.redactor()
    clean = redactor.case(case)
    case_id = clean.id if place.case_id else content_id(clean.input)
    return msgspec.structs.replace(clean, id=case_id), redactor.report


def _origin(ticket: Ticket) -> Origin:
    return Origin(kind=f"case {ticket.origin}", file=ticket.detail, detail=ticket.link)


def _check_drafts(new: int, case_id: str, path: Path) -> None:
    if not new:
        raise UsageError(f"{path} has the draft {case_id} already", hint="name another --id, or edit the file")


def _into_set(workspace: Workspace, name: str, case: Case, ticket: Ticket, place: Place) -> Version:
    goldens = Goldens(workspace, by=place.by)
    if goldens.logs.exists(name) and (versions := goldens.get(name).versions):
        cases = goldens.open(versions[-1])
        try:
            cases.find(case.id)
        except KeyError:
            pass
        else:
            raise UsageError(f"{name} has the case {case.id} already", hint="name another --id")
        finally:
            cases.close()
    link = case.metadata.get("link", "")
    source: dict[str, Json] = {"case": case.id, "from": ticket.origin, "link": link}
    message = place.note or f"case {case.id} from {link or ticket.detail}"
    version, bad = goldens.add(name, [case], message=message, source=source)
    if version is None:
        raise UsageError(f"the case was not taken: {bad[0].reason if bad else 'the set has it'}")
    return version
