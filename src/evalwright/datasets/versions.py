"""Golden sets: immutable versions named by content, tags, states and approvals, in an append-only log per set.

The cases of a version are a case file in the workspace. The log's lines say which version is which; a version exists
from the moment its line is whole, so a process that dies leaves either the old state or the new one.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Literal

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import NotFound, StoreError, UsageError
from evalwright.store.logs import Logs, LogWriter

State = Literal["draft", "in_review", "approved", "retired"]
STATES: tuple[State, ...] = ("draft", "in_review", "approved", "retired")
LATEST = "latest"
FOLDER = "golden"
"""Folder of the logs of golden sets among the workspace's logs."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_NUMBER = re.compile(r"v?(\d{1,9})")
_DIGEST = re.compile(r"[0-9a-f]{6,64}")
TAG = re.compile(r"(?!v?\d+$)[A-Za-z][A-Za-z0-9._-]{0,99}")
"""What a tag may look like; nothing that reads as a version's number."""

DATE = re.compile(r"(\d{4})-(\d{2})(?:-(\d{2}))?")


class SetInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="set"):
    """What a golden set is for and who looks after it.

    Attributes:
        name: Name of the set.
        at: Seconds since the epoch.
        by: Who said so.
        owner: Who answers for it.
        purpose: What it measures.
        tier: 1 (critical) to 3.
        cadence_days: How often it should be refreshed.
        classification: Of the data, e.g. `internal`.
        retention_days: How long it may be kept.
        residency: Where it may lie.
        file: A file in a git repository whose history the versions are, from the workspace's folder; empty for none.
    """

    name: str
    at: float
    by: str = ""
    owner: str | None = None
    purpose: str = ""
    tier: int | None = None
    cadence_days: int | None = None
    classification: str = ""
    retention_days: int | None = None
    residency: str = ""
    file: str = ""


class Version(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="version"):
    """One state of the cases, for good.

    Attributes:
        number: From 1, in the order they were made.
        digest: SHA-256 of the case file, 64 hex digits: the version's name by content.
        cases: How many there are.
        at: Seconds since the epoch.
        by: Who made it.
        parent: Digest of the version it was made from; None for the first.
        message: Why, in the words of who made it.
        source: Where the cases came from: file, format, SHA-256 of the file, mapping.
        added: Cases that the parent has not.
        changed: Cases that the parent has with other content.
        removed: Cases of the parent that are gone.
    """

    number: int
    digest: str
    cases: int
    at: float
    by: str = ""
    parent: str | None = None
    message: str = ""
    source: dict[str, Json] = {}
    added: int = 0
    changed: int = 0
    removed: int = 0

    @property
    def short(self) -> str:
        """The first twelve hex digits of the digest."""
        return self.digest[:12]


class Tag(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="tag"):
    """A name for a version; the last line of a name counts."""

    name: str
    number: int
    at: float
    by: str = ""


class StateChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="state"):
    """A version was put into review, approved or retired."""

    number: int
    state: State
    at: float
    by: str = ""
    comment: str = ""


Event = SetInfo | Version | Tag | StateChange
_decoder: msgspec.json.Decoder[Event] = msgspec.json.Decoder(Event)


class GoldenSet:
    """One golden set as its log tells it.

    Attributes:
        name: Name of the set.
        events: Everything that happened, oldest first.
    """

    def __init__(self, name: str, events: tuple[Event, ...]) -> None:
        self.name = name
        self.events = events

    @property
    def info(self) -> SetInfo:
        """What the set is for, as it was said last."""
        return next((e for e in reversed(self.events) if isinstance(e, SetInfo)), SetInfo(name=self.name, at=0.0))

    @property
    def versions(self) -> list[Version]:
        """All versions, oldest first."""
        return [event for event in self.events if isinstance(event, Version)]

    @property
    def tags(self) -> dict[str, int]:
        """Names of versions."""
        return {event.name: event.number for event in self.events if isinstance(event, Tag)}

    def state(self, version: Version) -> State:
        """Where a version stands; `draft` until somebody asked for a review."""
        return next((change.state for change in reversed(self.changes(version))), "draft")

    def changes(self, version: Version) -> list[StateChange]:
        """What was decided about a version, oldest first."""
        return [e for e in self.events if isinstance(e, StateChange) and e.number == version.number]

    def find(self, reference: str = LATEST) -> Version:
        """A version by number (`3`, `v3`), `latest`, `approved`, tag, beginning of the digest or commit, or date.

        A date (`2026-08`, `2026-08-15`) means the last version made by the end of that month or day (UTC).

        Raises:
            UsageError: There is none; the hint names those there are.
        """
        found = self._find(reference)
        if found is None:
            raise NotFound(f"the golden set {self.name} has no version {reference!r}", hint=self._known())
        return found

    def _find(self, reference: str) -> Version | None:
        versions = self.versions
        if reference == LATEST:
            return versions[-1] if versions else None
        if reference == "approved":
            return next((v for v in reversed(versions) if self.state(v) == "approved"), None)
        if reference in self.tags:
            return self._number(self.tags[reference])
        if number := _NUMBER.fullmatch(reference):
            return self._number(int(number[1]))
        if date := DATE.fullmatch(reference):
            return self._dated(date)
        if _DIGEST.fullmatch(reference):
            return next((v for v in reversed(versions) if _names(v, reference)), None)
        return None

    def _number(self, number: int) -> Version | None:
        return next((version for version in self.versions if version.number == number), None)

    def _dated(self, found: re.Match[str]) -> Version | None:
        year, month = int(found[1]), int(found[2])
        if not 1 <= month <= 12 or not 1 <= year <= 9998:
            return None
        last = calendar.monthrange(year, month)[1]
        day = int(found[3]) if found[3] else last
        if not 1 <= day <= last:
            return None
        end = datetime(year, month, day, tzinfo=UTC).timestamp() + 86_400
        return next((version for version in reversed(self.versions) if version.at < end), None)

    def _known(self) -> str:
        if not self.versions:
            return "it has no version yet: `evalwright dataset add` makes one"
        names = [f"v{v.number} ({v.short})" for v in self.versions[-5:]]
        return "there is " + ", ".join([*names, *list(self.tags)[-5:], LATEST])


def _names(version: Version, start: str) -> bool:
    """Whether a reference is the beginning of a version's digest, or of the commit it comes from."""
    return version.digest.startswith(start) or str(version.source.get("commit", "")).startswith(start)


class GoldenLogs:
    """The logs of a workspace's golden sets.

    Args:
        logs: The workspace's logs.
    """

    def __init__(self, logs: Logs) -> None:
        self._logs = logs

    def names(self) -> list[str]:
        """Names of the sets, sorted."""
        return self._logs.names(FOLDER)

    def read(self, name: str) -> GoldenSet:
        """A set by its name.

        Raises:
            NotFound: There is none.
            StoreError: Its log can't be read.
        """
        log = _log(name)
        lines = self._logs.lines(log)
        if not lines and not self._logs.exists(log):
            known = ", ".join(self.names()[:10])
            hint = f"there is {known}" if known else "`evalwright dataset create` makes one"
            raise NotFound(f"there is no golden set {name!r}", hint=hint)
        return GoldenSet(name, tuple(_events(self._logs.place(log), lines)))

    def exists(self, name: str) -> bool:
        """Whether there is a set of this name."""
        return self._logs.exists(_log(name))

    @contextmanager
    def writing(self, name: str) -> Iterator[GoldenWriter]:
        """Change a set while nobody else does; the others wait.

        Raises:
            UsageError: The name is no plain name.
            DiskFull: No space is left.
        """
        with self._logs.writing(_log(name)) as writer:
            yield GoldenWriter(writer, name, self._logs.place(_log(name)))


def _log(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} can't be the name of a golden set", hint="letters, digits, `.`, `_` and `-`")
    return f"{FOLDER}/{name}"


class GoldenWriter:
    """Appends to a set's log; nobody else does meanwhile."""

    def __init__(self, writer: LogWriter, name: str, place: str) -> None:
        self._writer = writer
        self._name = name
        self._place = place

    @property
    def current(self) -> GoldenSet:
        """The set as it stands now; empty when it does not exist yet."""
        return GoldenSet(self._name, tuple(_events(self._place, self._writer.lines())))

    def append(self, *events: Event) -> None:
        """Write events, all or none.

        Raises:
            DiskFull: No space is left; nothing was written.
        """
        self._writer.append(*(msgspec.json.encode(event) for event in events))


def _events(place: str, lines: Iterable[bytes]) -> Iterator[Event]:
    for number, line in enumerate(lines, start=1):
        try:
            yield _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(f"{place}:{number} can't be read: {error}", hint="mend or remove the line") from error
