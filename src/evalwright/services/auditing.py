"""The audit log: who did what and when, in a chain that shows when a row was changed, taken out or cut off."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from evalwright.core.errors import UsageError
from evalwright.services.audit_checks import make_checkpoint
from evalwright.store.audit import AuditFilter, AuditRow, append, every, newest
from evalwright.store.files import atomic_file
from evalwright.store.workspace import Workspace

CHECKPOINT_EVERY = 100
"""Rows after which a checkpoint is signed."""

EXPORT_FORMATS = ("jsonl", "csv")


class AuditEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was done.

    Attributes:
        actor: Who did it.
        action: What, as `thing.verb`: `member.set`, `waiver.approve`, `label.submit`, …
        subject: What it was done to.
        project: In which project; empty for the server as a whole.
        detail: More; never a secret, never a customer's text.
    """

    actor: str
    action: str
    subject: str = ""
    project: str = ""
    detail: dict[str, Any] = {}


def record(workspace: Workspace, event: AuditEvent, *, now: float | None = None) -> AuditRow:
    """Write an event into the audit log of a root workspace; kept when this returns.

    Args:
        workspace: The root workspace.
        event: What was done.
        now: Seconds since the epoch; the clock's when not given.
    """
    at = round(float(time.time() if now is None else now), 3)
    content = {
        "at": at,
        "actor": event.actor[:200],
        "action": event.action[:64],
        "project": event.project[:63],
        "subject": event.subject[:500],
        "detail": msgspec.json.encode(event.detail, order="sorted").decode(),
    }
    row = append(workspace.catalog.engine, {key: _storable(value) for key, value in content.items()})
    if row.seq % CHECKPOINT_EVERY == 0 and can_sign():
        make_checkpoint(workspace, now=at)
    return row


def _storable(value: Any) -> Any:
    """Text that every database takes: PostgreSQL has no NUL, UTF-8 no half characters."""
    if not isinstance(value, str):
        return value
    return value.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def can_sign() -> bool:
    """Whether the package that signs checkpoints is installed."""
    return importlib.util.find_spec("cryptography") is not None


def audit_rows(workspace: Workspace, wanted: AuditFilter, *, limit: int) -> list[AuditRow]:
    """Rows that fit, newest first."""
    return newest(workspace.catalog.engine, wanted, limit=limit)


def export_audit(workspace: Workspace, path: Path, kind: str) -> int:
    """Write the whole log, oldest row first; how many rows.

    Raises:
        UsageError: The format is unknown.
        DiskFull: No space is left.
    """
    if kind not in EXPORT_FORMATS:
        raise UsageError(f"there is no format {kind!r}", hint=f"there is {', '.join(EXPORT_FORMATS)}")
    lines = jsonl_lines(workspace) if kind == "jsonl" else csv_lines(workspace)
    rows = -1 if kind == "csv" else 0
    with atomic_file(path) as file:
        for line in lines:
            file.write(line)
            rows += 1
    return rows


def jsonl_lines(workspace: Workspace) -> Iterator[bytes]:
    """The log as lines of JSON."""
    for row in every(workspace.catalog.engine):
        yield msgspec.json.encode(row) + b"\n"


def csv_lines(workspace: Workspace) -> Iterator[bytes]:
    """The log as lines of CSV with a head; what a spreadsheet would take for a formula gets a quote before it."""
    yield _csv_line(AuditRow.__struct_fields__)
    for row in every(workspace.catalog.engine):
        yield _csv_line(msgspec.structs.astuple(row))


def _csv_line(values: tuple[Any, ...]) -> bytes:
    import csv
    import io

    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow([_inert(value) for value in values])
    return line.getvalue().encode()


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value
