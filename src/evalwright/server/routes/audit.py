"""The audit log: all of it for admins of the server, a project's part for its leads."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from evalwright.core.errors import UsageError
from evalwright.governance.roles import Action
from evalwright.server.deps import Admin, LeadProject, State
from evalwright.server.wire import Cursor, Page, PageSize, Wire, model_of
from evalwright.services.audit_checks import AuditReport, verify
from evalwright.services.auditing import AuditEvent, audit_rows, csv_lines, jsonl_lines, record
from evalwright.store.audit import AuditFilter, AuditRow
from evalwright.store.workspace import Workspace

router = APIRouter(tags=["audit"])
project_router = APIRouter(tags=["audit"])


class AuditItem(Wire):
    """One thing that was done."""

    seq: int
    at: float
    actor: str
    action: str
    project: str
    subject: str
    detail: dict[str, Any]
    hash: str


class AuditQuery(Wire):
    """Which rows are asked for."""

    actor: Annotated[str | None, Query(max_length=200)] = None
    action: Annotated[str | None, Query(max_length=64, description="With a dot at its end a group.")] = None
    since: Annotated[float | None, Query(description="Seconds since the epoch.")] = None


class AuditState(model_of(AuditReport)):  # type: ignore[misc]
    """What a look at the whole log found."""

    whole: bool


_FILES: dict[str, Any] = {"application/x-ndjson": {}, "text/csv": {}}

Asked = Annotated[AuditQuery, Depends()]


@router.get("/audit")
def list_audit(
    _: Admin, state: State, asked: Asked, project: str | None = None, limit: PageSize = 50, cursor: Cursor = None
) -> Page[AuditItem]:
    """What was done on the server, newest first."""
    return _page(state.places.root, _filter(asked, project, cursor), limit)


@router.get("/audit/verify")
def verify_audit(who: Admin, state: State) -> AuditState:
    """Check every row and checkpoint."""
    report = verify(state.places.root)
    event = AuditEvent(actor=who.username, action="audit.verify", detail={"whole": report.whole, "rows": report.rows})
    record(state.places.root, event, now=state.now())
    return AuditState(**msgspec.to_builtins(report), whole=report.whole)


@router.get("/audit/export", response_class=StreamingResponse, responses={200: {"content": _FILES}})
def export_audit_log(
    who: Admin, state: State, format: Annotated[str, Query(pattern="^(jsonl|csv)$")] = "jsonl"
) -> StreamingResponse:
    """The whole log as a file."""
    root = state.places.root
    event = AuditEvent(actor=who.username, action="audit.export", detail={"format": format})
    record(root, event, now=state.now())
    lines = jsonl_lines(root) if format == "jsonl" else csv_lines(root)
    kind = "application/x-ndjson" if format == "jsonl" else "text/csv; charset=utf-8"
    return StreamingResponse(
        lines, media_type=kind, headers={"content-disposition": f'attachment; filename="audit.{format}"'}
    )


@project_router.get("/audit")
def list_project_audit(
    project: LeadProject, asked: Asked, limit: PageSize = 50, cursor: Cursor = None
) -> Page[AuditItem]:
    """What was done in a project, newest first."""
    project.require(Action.READ_AUDIT)
    return _page(project.state.places.root, _filter(asked, project.name, cursor), limit)


def _filter(asked: AuditQuery, project: str | None, cursor: str | None) -> AuditFilter:
    if cursor is not None and not (cursor.isascii() and cursor.isdecimal() and len(cursor) < 19):
        raise UsageError(f"{cursor!r} is no cursor of this list")
    before = None if cursor is None else int(cursor)
    return AuditFilter(actor=asked.actor, action=asked.action, since=asked.since, project=project, before=before)


def _page(root: Workspace, wanted: AuditFilter, limit: int) -> Page[AuditItem]:
    rows = audit_rows(root, wanted, limit=limit + 1)
    more = len(rows) > limit
    return Page[AuditItem](items=[_item(row) for row in rows[:limit]], next=str(rows[limit - 1].seq) if more else None)


def _item(row: AuditRow) -> AuditItem:
    values = msgspec.structs.asdict(row)
    return AuditItem(**{**values, "detail": msgspec.json.decode(row.detail)})
