"""Whole runs, to and from the command line: taken in after every hash was checked, given out file by file."""

from __future__ import annotations

import tempfile
from typing import IO, Annotated, Any

import anyio.to_thread
import msgspec
from fastapi import APIRouter, Depends, Path, Request
from fastapi.responses import FileResponse, Response

from evalwright.core.errors import NotFound
from evalwright.governance.roles import Action
from evalwright.server.deps import EngineerProject, ProjectContext, project_of
from evalwright.server.wire import Cursor, Page, PageSize, Wire, model_of
from evalwright.services.accounts import sha256
from evalwright.services.transfer import (
    FileInfo,
    RunFiles,
    Taken,
    run_files,
    run_path,
    side_content,
    side_files,
    take_run,
)
from evalwright.store.catalog import Alias
from evalwright.store.results import RunStore

router = APIRouter(tags=["transfer"])

Texts = Annotated[ProjectContext, Depends(project_of("reviewer", scope="read"))]
"""Whole runs hold customers' texts."""

_MEMORY = 8 << 20


class RunRecord(Wire):
    """A run as another catalog can list it.

    Attributes:
        run_id: Name of the run.
        stamp: Changes when anything of the record does.
        manifest: What was run, as JSON.
        summary: Figures and decision, as JSON; None before there are any.
        finished_at: Seconds since the epoch.
        status: Where it stands.
    """

    run_id: str
    stamp: str
    manifest: str = ""
    summary: str | None = None
    finished_at: float | None = None
    status: str = ""


@router.post("/runs", status_code=201, response_model=model_of(Taken))
async def upload_run(request: Request, project: EngineerProject) -> Any:
    """Take in a finished run: one tar archive with `upload.json`, `run/…` and `blobs/…`; see `services.transfer`."""
    with tempfile.SpooledTemporaryFile(max_size=_MEMORY) as file:
        async for piece in request.stream():
            await anyio.to_thread.run_sync(file.write, piece)
        file.seek(0)
        return await anyio.to_thread.run_sync(_take, project, file)


def _take(project: ProjectContext, file: IO[bytes]) -> Taken:
    project.require(Action.RUN)
    taken = take_run(project.workspace, file)
    if taken.created:
        project.audit("run.upload", taken.run_id)
    return taken


@router.get("/transfer/runs")
def transfer_runs(project: Texts, limit: PageSize = 200, cursor: Cursor = None) -> Page[RunRecord]:
    """Runs with the stamps of their records, newest first."""
    start = int(cursor) if cursor is not None and cursor.isascii() and cursor.isdecimal() and len(cursor) < 10 else 0
    catalog = project.workspace.catalog
    entries = catalog.runs(limit=start + limit + 1)[start:]
    items = [RunRecord(run_id=entry.run_id, stamp=_record(project, entry.run_id).stamp) for entry in entries[:limit]]
    return Page[RunRecord](items=items, next=str(start + limit) if len(entries) > limit else None)


@router.get("/transfer/records/{reference}")
def transfer_record(reference: str, project: Texts) -> RunRecord:
    """The record of a run, by whatever a person may call it."""
    return _record(project, project.workspace.catalog.find(reference).run_id)


def _record(project: ProjectContext, run_id: str) -> RunRecord:
    catalog = project.workspace.catalog
    entry, manifest = catalog.get(run_id), catalog.manifest(run_id)
    if entry is None or manifest is None:
        raise NotFound(f"there is no run {run_id!r}")
    summary = catalog.summary(run_id)
    text = None if summary is None else msgspec.json.encode(summary).decode()
    return RunRecord(
        run_id=run_id,
        stamp=sha256(f"{entry.status.value} {text}"),
        manifest=msgspec.json.encode(manifest).decode(),
        summary=text,
        finished_at=entry.finished_at,
        status=entry.status.value,
    )


@router.get("/transfer/aliases", response_model=Page[model_of(Alias)])  # type: ignore[misc]
def transfer_aliases(project: Texts) -> Any:
    """Names of runs."""
    return {"items": project.workspace.catalog.aliases()}


@router.get("/transfer/runs/{run}/files", response_model=model_of(RunFiles))
def transfer_files(run: str, project: Texts) -> Any:
    """Files of a finished run with their hashes."""
    return run_files(_run(project, run), media=False)


def _run(project: ProjectContext, run: str) -> RunStore:
    if project.workspace.catalog.get(run) is None:
        raise NotFound(f"there is no run {run!r}")
    return project.workspace.run(run)


@router.get("/transfer/runs/{run}/files/{name}", response_class=FileResponse)
def transfer_file(run: str, name: str, project: Texts) -> FileResponse:
    """A file of a run."""
    return FileResponse(run_path(_run(project, run), name), media_type="application/octet-stream")


@router.get("/transfer/blobs/{digest}", response_class=FileResponse)
def transfer_blob(digest: Annotated[str, Path(pattern="^[0-9a-f]{64}$")], project: Texts) -> FileResponse:
    """Content by its SHA-256: cases, pictures, documents."""
    if digest not in project.workspace.blobs:
        raise NotFound(f"there is no content {digest[:12]}…")
    return FileResponse(project.workspace.blobs.path(digest), media_type="application/octet-stream")


@router.get("/transfer/side", response_model=Page[model_of(FileInfo)])  # type: ignore[misc]
def transfer_side(project: Texts) -> Any:
    """Files that say more about runs: golden sets, waivers, cards."""
    return {"items": side_files(project.workspace)}


@router.get("/transfer/side/{name:path}", response_class=Response)
def transfer_side_file(name: str, project: Texts) -> Response:
    """One of these files."""
    return Response(side_content(project.workspace, name), media_type="application/octet-stream")
