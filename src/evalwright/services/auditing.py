"""The audit log: who did what and when, in a chain that shows when a row was changed, taken out or cut off."""

from __future__ import annotations

import time
from typing import Any

import msgspec

from evalwright.store.audit import AuditRow, append
from evalwright.store.workspace import Workspace


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
    """Write an event into the audit log of a root workspace; on disk when this returns.

    Args:
        workspace: The root workspace.
        event: What was done.
        now: Seconds since the epoch; the clock's when not given.
    """
    at = round(time.time() if now is None else now, 3)
    content = {
        "at": at,
        "actor": event.actor[:200],
        "action": event.action[:64],
        "project": event.project[:63],
        "subject": event.subject[:500],
        "detail": msgspec.json.encode(event.detail, order="sorted").decode() if event.detail else "{}",
    }
    return append(workspace.catalog.engine, content)
