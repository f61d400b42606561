"""Runs: the list, one run, and its progress as it happens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse

from evalwright.core.run import RunStatus
from evalwright.server.routes.reading import Figures, Limit, Mark, Words
from evalwright.server.wire import Page, model_of
from evalwright.services.browsing.live import LiveEvent, follow
from evalwright.services.browsing.runs import ListedRun, RunDetail, list_runs, run_page
from evalwright.store.catalog import ORDERS, RunFilter

router = APIRouter(prefix="/runs", tags=["reading"])


def run_filter(  # noqa: PLR0913 - one parameter of the address each
    suite: Annotated[str | None, Query(max_length=200)] = None,
    target: Annotated[str | None, Query(max_length=500)] = None,
    status: RunStatus | None = None,
    verdict: Annotated[str | None, Query(max_length=20, description="pass, fail or inconclusive.")] = None,
    tag: Annotated[str | None, Query(max_length=200)] = None,
    since: Annotated[float | None, Query(description="Seconds since the epoch.")] = None,
    until: Annotated[float | None, Query(description="Seconds since the epoch.")] = None,
    q: Words = "",
) -> RunFilter:
    """Which runs a list shows."""
    return RunFilter(
        suite=suite, target=target, status=status, decision=verdict, tag=tag, since=since, until=until, text=q
    )


RunsWanted = Annotated[RunFilter, Depends(run_filter)]
RunOrder = Annotated[str, Query(max_length=40, description=f"One of {', '.join(ORDERS)}; `-` in front turns it.")]


@router.get("", response_model=Page[model_of(ListedRun)])  # type: ignore[misc]
def get_runs(
    browser: Figures, wanted: RunsWanted, sort: RunOrder = "-created_at", cursor: Mark = None, limit: Limit = 50
) -> Any:
    """Runs, newest first, each with its verdict and the one figure that stands for it."""
    return list_runs(browser, wanted, sort=sort, cursor=cursor, limit=limit)


@router.get("/{run}", response_model=model_of(RunDetail))
def get_run(run: str, browser: Figures) -> Any:
    """A run with its manifest, figures, decision and files."""
    return run_page(browser, run)


@router.get("/{run}/live", response_class=StreamingResponse)
def get_live(run: str, browser: Figures) -> StreamingResponse:
    """Where a running run stands, as server-sent events, until it ends."""
    browser.entry(run)

    async def events() -> AsyncIterator[bytes]:
        async for event in follow(browser, run):
            yield _event(event)

    return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def _event(event: LiveEvent) -> bytes:
    return b"event: run." + event.type.encode() + b"\ndata: " + msgspec.json.encode(event) + b"\n\n"
