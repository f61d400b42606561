"""Any list as a file: the same filters as the list, all of its rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from evalwright.server.deps import ViewerProject
from evalwright.server.routes.comparisons import Baseline, Candidates, RowsWanted
from evalwright.server.routes.reading import Figures, Texts, UnitsWanted, Words, slice_labels
from evalwright.server.routes.runs import RunOrder, RunsWanted
from evalwright.services.browsing.cases import list_cases
from evalwright.services.browsing.compare import checked_runs, compare_rows
from evalwright.services.browsing.datasets import set_cases
from evalwright.services.browsing.exporting import FORMATS, rows_of, written
from evalwright.services.browsing.gates import list_waivers
from evalwright.services.browsing.runs import list_runs, run_page
from evalwright.services.browsing.suites import list_suites
from evalwright.services.browsing.trends import TrendQuestion, trend


def noted(request: Request, project: ViewerProject) -> Iterator[None]:
    """Write into the audit log that a list was taken out, once it was."""
    yield
    project.audit("export", request.url.path.rpartition("/")[2], query=str(request.url.query)[:300])


router = APIRouter(prefix="/export", tags=["exports"], dependencies=[Depends(noted)])
Format = Annotated[Literal["csv", "jsonl"], Query(description="CSV has formulas made harmless.")]


def _file(name: str, kind: str, rows: Iterable[object]) -> StreamingResponse:
    safe = "".join(char if char.isascii() and (char.isalnum() or char in "-_.") else "_" for char in name)[:100]
    headers = {"Content-Disposition": f'attachment; filename="{safe}.{kind}"', "Cache-Control": "no-store"}
    return StreamingResponse(written(rows, kind), media_type=FORMATS[kind], headers=headers)


@router.get("/runs", response_class=StreamingResponse)
def export_runs(
    browser: Figures, wanted: RunsWanted, sort: RunOrder = "-created_at", format: Format = "csv"
) -> StreamingResponse:
    """The list of runs as a file."""
    list_runs(browser, wanted, sort=sort, limit=1)
    rows = rows_of(lambda cursor, limit: list_runs(browser, wanted, sort=sort, cursor=cursor, limit=limit))
    return _file("runs", format, rows)


@router.get("/cases", response_class=StreamingResponse)
def export_cases(
    browser: Texts, run: Annotated[str, Query(max_length=200)], wanted: UnitsWanted, format: Format = "csv"
) -> StreamingResponse:
    """The cases of a run as a file; texts are cut as in the list (`evalwright export` writes them whole)."""
    list_cases(browser, run, wanted, limit=1)
    rows = rows_of(lambda cursor, limit: list_cases(browser, run, wanted, cursor=cursor, limit=limit))
    return _file(f"{run}-cases", format, rows)


@router.get("/estimates", response_class=StreamingResponse)
def export_estimates(
    browser: Figures, run: Annotated[str, Query(max_length=200)], format: Format = "csv"
) -> StreamingResponse:
    """All figures of a run, over all cases and per slice, as a file."""
    page = run_page(browser, run)
    rows = [*page.estimates, *(value for group in page.slices for value in group.values)]
    return _file(f"{run}-estimates", format, rows)


@router.get("/compare", response_class=StreamingResponse)
def export_comparison(
    browser: Texts, baseline: Baseline, candidates: Candidates, wanted: RowsWanted, format: Format = "csv"
) -> StreamingResponse:
    """The rows of a comparison as a file."""
    runs = checked_runs(baseline, candidates)
    compare_rows(browser, runs, wanted, limit=1)
    rows = rows_of(lambda cursor, limit: compare_rows(browser, runs, wanted, cursor=cursor, limit=limit))
    return _file("comparison", format, rows)


@router.get("/trends", response_class=StreamingResponse)
def export_trend(
    browser: Figures,
    suite: Annotated[str, Query(max_length=200)],
    metric: Annotated[str | None, Query(max_length=200)] = None,
    slice: Annotated[str, Query(max_length=400)] = "",
    format: Format = "csv",
) -> StreamingResponse:
    """The points of a trend as a file."""
    label = slice_labels([slice])[0] if slice else ""
    found = trend(browser, TrendQuestion(suite=suite, metric=metric, slice=label))
    return _file(f"{suite}-{found.metric}", format, found.points)


@router.get("/datasets", response_class=StreamingResponse)
def export_dataset(
    browser: Texts,
    name: Annotated[str, Query(max_length=100)],
    version: Annotated[str, Query(max_length=100)] = "latest",
    q: Words = "",
    format: Format = "jsonl",
) -> StreamingResponse:
    """The cases of a golden set as a file."""
    set_cases(browser, name, version, text=q, limit=1)
    rows = rows_of(lambda cursor, limit: set_cases(browser, name, version, text=q, cursor=cursor, limit=limit))
    return _file(f"{name}-{version}", format, rows)


@router.get("/suites", response_class=StreamingResponse)
def export_suites(browser: Figures, format: Format = "csv") -> StreamingResponse:
    """The registry of suites as a file."""
    return _file("suites", format, list_suites(browser))


@router.get("/waivers", response_class=StreamingResponse)
def export_waivers(browser: Figures, format: Format = "csv") -> StreamingResponse:
    """All waivers as a file."""
    return _file("waivers", format, list_waivers(browser))
