"""Waivers and quarantined cases: append-only logs in the workspace, so that who did what and when stays readable.

Each line is the whole state of a record after a change; the last line of an id is its present state.
"""

from __future__ import annotations

from typing import Protocol, TypeVar

import msgspec

from evalwright.core.errors import StoreError
from evalwright.store.workspace import Workspace

FOLDER = "governance"
DAY_S = 86_400.0


class Waiver(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An exception to one rule of the gate for one run.

    Attributes:
        id: Short id.
        suite: Name of the suite.
        rule: The rule it sets aside, by its name.
        policy_hash: Hash of the rules it was asked under; under others it does not hold.
        run_id: The run it was asked for.
        run_digest: Content hash of that run's results; for others it does not hold.
        reason: Why.
        ticket: Where the remedy is followed up.
        requested_by: Who asked.
        requested_at: Seconds since the epoch.
        expires_at: When it ends, seconds since the epoch.
        approved_by: Who agreed; never who asked. None while nobody has.
        approved_at: Seconds since the epoch.
        revoked_by: Who took it back.
        revoked_at: Seconds since the epoch.
    """

    id: str
    suite: str
    rule: str
    policy_hash: str
    run_id: str
    run_digest: str
    reason: str
    requested_by: str
    requested_at: float
    expires_at: float
    ticket: str = ""
    approved_by: str | None = None
    approved_at: float | None = None
    revoked_by: str | None = None
    revoked_at: float | None = None

    def state(self, now: float) -> str:
        """`revoked`, `expired`, `requested` (nobody agreed yet) or `active`."""
        if self.revoked_at is not None:
            return "revoked"
        if now >= self.expires_at:
            return "expired"
        return "active" if self.approved_by is not None else "requested"


class QuarantinedCase(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case that is run and shown but decides nothing for a while.

    Attributes:
        id: `<suite>/<case id>`.
        suite: Name of the suite.
        case_id: Id of the case.
        owner: Who looks after it.
        reason: Why.
        since: Seconds since the epoch.
        expires_at: When it counts again, seconds since the epoch.
        added_by: Who put it there.
        released_by: Who let it out.
        released_at: Seconds since the epoch.
    """

    id: str
    suite: str
    case_id: str
    owner: str
    reason: str
    since: float
    expires_at: float
    added_by: str = ""
    released_by: str | None = None
    released_at: float | None = None

    def state(self, now: float) -> str:
        """`released`, `expired` or `active`."""
        if self.released_at is not None:
            return "released"
        return "expired" if now >= self.expires_at else "active"


class _Record(Protocol):
    @property
    def id(self) -> str: ...


R = TypeVar("R", bound=_Record)


def _append(workspace: Workspace, name: str, record: _Record) -> None:
    workspace.ensure()
    with workspace.logs.writing(f"{FOLDER}/{name}") as log:
        log.append(msgspec.json.encode(record))


def _read(workspace: Workspace, name: str, kind: type[R]) -> list[R]:
    log = f"{FOLDER}/{name}"
    found: dict[str, R] = {}
    for number, line in enumerate(workspace.logs.lines(log), start=1):
        try:
            record = msgspec.json.decode(line, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            place = f"{workspace.logs.place(log)}:{number}"
            raise StoreError(f"{place} can't be read: {error}", hint="mend or remove the line") from error
        found[record.id] = record
    return list(found.values())


def save_waiver(workspace: Workspace, waiver: Waiver) -> None:
    """Keep the present state of a waiver; former states stay in the log.

    Raises:
        DiskFull: No space is left.
    """
    _append(workspace, "waivers", waiver)


def waivers(workspace: Workspace) -> list[Waiver]:
    """All waivers in their present state, oldest first.

    Raises:
        StoreError: The log can't be read.
    """
    return _read(workspace, "waivers", Waiver)


def save_quarantined(workspace: Workspace, case: QuarantinedCase) -> None:
    """Keep the present state of a quarantined case; former states stay in the log.

    Raises:
        DiskFull: No space is left.
    """
    _append(workspace, "quarantine", case)


def quarantine(workspace: Workspace) -> list[QuarantinedCase]:
    """All cases that were ever quarantined, in their present state.

    Raises:
        StoreError: The log can't be read.
    """
    return _read(workspace, "quarantine", QuarantinedCase)
