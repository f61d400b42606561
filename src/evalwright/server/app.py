"""The app: routes denied by default, one shape of errors, security headers, pages."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from importlib.metadata import version
from typing import Any

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import JSONResponse, Response
from fastapi.routing import APIRoute

from evalwright.server.access.headers import BodyLimit, Headers, Hosts
from evalwright.server.access.principal import principal
from evalwright.server.deps import scoped
from evalwright.server.errors import ErrorBody, handle_errors
from evalwright.server.metrics import CONTENT_TYPE, Meter, Timed
from evalwright.server.pages import pages_router
from evalwright.server.routes import IN_PROJECT, OPEN, SIGNED_IN
from evalwright.server.settings import ServerSettings
from evalwright.server.state import ServerState

PREFIX = "/api/v1"
_ERRORS: dict[int | str, dict[str, Any]] = {
    code: {"model": ErrorBody, "description": meaning}
    for code, meaning in ((401, "Nobody is signed in."), (403, "Not allowed."), (429, "Too often."))
}
_COMMON: dict[int | str, dict[str, Any]] = {
    code: {"model": ErrorBody, "description": meaning}
    for code, meaning in ((404, "Not there, or not for you."), (409, "In conflict."), (422, "Not as it should be."))
}


def create_app(settings: ServerSettings, *, state: ServerState | None = None) -> FastAPI:
    """The workbench as an ASGI app.

    Args:
        settings: How it is set up.
        state: What it works with; made from the settings when not given.
    """
    app = FastAPI(
        title="Evalwright",
        version=version("evalwright"),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_lifespan,
        generate_unique_id_function=_operation_id,
    )
    app.state.server = state or ServerState(settings)
    app.openapi = partial(_openapi, app, app.openapi)  # type: ignore[method-assign]
    meter = Meter(app.state.server)
    handle_errors(app)
    app.include_router(_api())
    app.include_router(_described(app))
    app.include_router(_health())
    app.include_router(_metrics(meter))
    app.include_router(pages_router(settings.pages))
    app.add_middleware(Timed, meter=meter)
    for layer in (BodyLimit, Hosts, Headers):
        app.add_middleware(layer, settings=settings)
    return app


def description() -> dict[str, Any]:
    """The OpenAPI description of the API, without a workspace."""
    import tempfile
    from pathlib import Path

    with tempfile.TemporaryDirectory() as folder:
        app = create_app(ServerSettings(workspace=Path(folder) / "workspace"))
        found = app.openapi()
        app.state.server.close()
    return found


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    yield
    app.state.server.close()


def _openapi(app: FastAPI, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The description; errors are JSON also where a route answers with a file or text."""
    if app.openapi_schema is None:
        for operations in make()["paths"].values():
            for operation in operations.values():
                for status, answer in operation["responses"].items():
                    if status.startswith(("4", "5")) and answer.get("content"):
                        answer["content"] = {"application/json": next(iter(answer["content"].values()))}
    return make()


def _operation_id(route: APIRoute) -> str:
    return route.name


def _api() -> APIRouter:
    """All routes of the API; those not in `OPEN` need somebody who is signed in."""
    api = APIRouter(prefix=PREFIX, responses=_COMMON)
    known = [Depends(principal)]
    for router in OPEN:
        api.include_router(router, responses=_ERRORS)
    for router in SIGNED_IN:
        api.include_router(router, dependencies=known, responses=_ERRORS)
    for router in IN_PROJECT:
        api.include_router(router, prefix="/projects/{project}", dependencies=known, responses=_ERRORS)
    return api


def _described(app: FastAPI) -> APIRouter:
    """The description of the API, for those who are signed in."""
    router = APIRouter(prefix=PREFIX, dependencies=[Depends(principal)], include_in_schema=False)

    @router.get("/openapi.json")
    def openapi() -> JSONResponse:
        return JSONResponse(app.openapi())

    return router


def _metrics(meter: Meter) -> APIRouter:
    """Figures for monitoring, for tokens with the scope `metrics`."""
    router = APIRouter(include_in_schema=False)

    @router.get("/metrics", dependencies=[Depends(scoped("metrics"))])
    def metrics() -> Response:
        return Response(meter.text(), media_type=CONTENT_TYPE)

    return router


def _health() -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    return router
