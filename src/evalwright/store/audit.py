"""The audit log's rows: each holds the hash of the one before it, so that none can be changed or taken out unseen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from evalwright.store.account_tables import AUDIT
from evalwright.store.database import reading, writing

START = "0" * 64
"""What the first row has in place of the hash of a row before it."""

_LOCK = 7_291_005
_BATCH = 2000


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that was done.

    Attributes:
        seq: 1 for the first, without gaps.
        at: Seconds since the epoch.
        actor: Who did it.
        action: What: `session.begin`, `member.set`, `waiver.approve`, …
        project: In which project; empty for the server as a whole.
        subject: What it was done to.
        detail: More, as canonical JSON.
        previous: Hash of the row before.
        hash: SHA-256 of `previous` and of all the above as canonical JSON.
    """

    seq: int
    at: float
    actor: str
    action: str
    project: str
    subject: str
    detail: str
    previous: str
    hash: str

    def expected_hash(self) -> str:
        """The hash its content ought to have."""
        return row_hash(self.previous, {name: getattr(self, name) for name in _HASHED})


_HASHED = ("seq", "at", "actor", "action", "project", "subject", "detail")


class AuditFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows a list shows; what is not set does not matter. An `action` that ends with `.` names a group."""

    actor: str | None = None
    action: str | None = None
    project: str | None = None
    since: float | None = None
    before: int | None = None


def row_hash(previous: str, content: dict[str, Any]) -> str:
    """SHA-256 over the hash before and the content as JSON with sorted keys."""
    return hashlib.sha256(previous.encode() + b"\n" + msgspec.json.encode(content, order="sorted")).hexdigest()


def append(engine: sa.Engine, content: dict[str, Any]) -> AuditRow:
    """Add a row.

    Args:
        engine: The root workspace's catalog.
        content: All columns but `seq`, `previous` and `hash`.
    """
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        last = connection.execute(sa.select(AUDIT.c.seq, AUDIT.c.hash).order_by(AUDIT.c.seq.desc()).limit(1)).first()
        previous = START if last is None else last.hash
        full = {**content, "seq": 1 if last is None else last.seq + 1}
        row = AuditRow(**full, previous=previous, hash=row_hash(previous, full))
        connection.execute(sa.insert(AUDIT).values(msgspec.structs.asdict(row)))
    return row


def last_row(engine: sa.Engine) -> AuditRow | None:
    """The newest row."""
    found = newest(engine, AuditFilter(), limit=1)
    return found[0] if found else None


def newest(engine: sa.Engine, wanted: AuditFilter, *, limit: int) -> list[AuditRow]:
    """Rows that fit, newest first."""
    query = sa.select(AUDIT).where(*_conditions(wanted)).order_by(AUDIT.c.seq.desc()).limit(limit)
    with reading(engine) as connection:
        return [_row(row) for row in connection.execute(query)]


def _conditions(wanted: AuditFilter) -> Iterator[sa.ColumnElement[bool]]:
    if wanted.actor is not None:
        yield AUDIT.c.actor == wanted.actor
    if wanted.action is not None:
        group = wanted.action.endswith(".")
        yield AUDIT.c.action.startswith(wanted.action, autoescape=True) if group else AUDIT.c.action == wanted.action
    if wanted.project is not None:
        yield AUDIT.c.project == wanted.project
    if wanted.since is not None:
        yield AUDIT.c.at >= wanted.since
    if wanted.before is not None:
        yield AUDIT.c.seq < wanted.before


def every(engine: sa.Engine) -> Iterator[AuditRow]:
    """All rows, oldest first, a batch in memory at a time."""
    after = None
    while True:
        query = sa.select(AUDIT).order_by(AUDIT.c.seq).limit(_BATCH)
        with reading(engine) as connection:
            found = [
                _row(row) for row in connection.execute(query if after is None else query.where(AUDIT.c.seq > after))
            ]
        yield from found
        if len(found) < _BATCH:
            return
        after = found[-1].seq


def _row(row: sa.Row[Any]) -> AuditRow:
    return msgspec.convert({str(name): value for name, value in row._mapping.items()}, AuditRow, strict=False)
