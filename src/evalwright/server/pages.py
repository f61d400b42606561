"""The built pages: files as they are, one page for every address of the app, a clear word when they are not built."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from evalwright.server.errors import Problem

NOT_BUILT = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Evalwright</title></head>
<body><h1>Evalwright</h1>
<p>The server runs, but its pages are not built.</p>
<p>In a checkout of the project: <code>make ui</code>, then load this again.
A package from the index holds them already.</p>
<p>The API is at <code>/api/v1</code>.</p></body></html>
"""
_FOREVER = {"cache-control": "public, max-age=31536000, immutable"}
_FRESH = {"cache-control": "no-cache"}


def pages_router(folder: Path) -> APIRouter:
    """Routes of the pages: files as they are, and the app's page for everything else that is no API."""
    router = APIRouter(include_in_schema=False)
    root = folder.resolve()

    @router.api_route("/{path:path}", methods=["GET", "HEAD"])
    def page(path: str, request: Request) -> Response:
        if path.startswith(("api/", "metrics")) or path == "api":
            raise Problem(404, "not_found", f"there is nothing at {request.url.path}")
        file = _file(root, path)
        if file is not None:
            return FileResponse(file, headers=_FOREVER if path.startswith("assets/") else _FRESH)
        if "." in path.rpartition("/")[2] and not path.startswith("p/"):
            raise Problem(404, "not_found", f"there is nothing at {request.url.path}")
        index = root / "index.html"
        if not index.is_file():
            return HTMLResponse(NOT_BUILT, status_code=503, headers=_FRESH)
        return FileResponse(index, headers=_FRESH)

    return router


def _file(root: Path, path: str) -> Path | None:
    """A file below the folder; None for what is none, is hidden, or lies elsewhere."""
    if not path or "\0" in path or any(part.startswith(".") for part in path.split("/")):
        return None
    found = (root / path).resolve()
    return found if found.is_relative_to(root) and found.is_file() else None
