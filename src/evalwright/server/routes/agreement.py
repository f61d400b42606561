"""How far reviewers agree: of a queue, and of any table of ratings."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi import Body as RawBody
from pydantic import Field

from evalwright.core.errors import NotAllowed
from evalwright.server.deps import ReviewerProject
from evalwright.server.routes.review import is_lead, visible_queue
from evalwright.server.wire import Body, JsonAnswer, model_of
from evalwright.services.reviewing.agreement import AgreementReport, queue_agreement, table_agreement
from evalwright.services.reviewing.tables import TableOptions, tables_of, uploaded_tables

router = APIRouter(prefix="/review", tags=["agreement"])

Layout = Literal["auto", "long", "wide", "nested", "units-by-raters", "raters-by-units", "counts", "contingency"]
Scale = Literal["nominal", "ordinal", "interval", "ratio"]
Words = Annotated[list[str], Query(max_length=500)]


class TableBody(Body):
    """A table of ratings: rows with columns, or a bare matrix."""

    table: Annotated[list[Any], Field(min_length=1, max_length=200_000)]
    layout: Layout = "auto"
    scale: Scale | None = None
    levels: Annotated[list[str], Field(max_length=200, description="Worst first.")] = []
    raters: Annotated[list[str], Field(max_length=500, description="Of wide tables: the raters' columns.")] = []
    rubrics: Annotated[list[str], Field(max_length=50, description="Dimensions.")] = []
    columns: Annotated[dict[str, str], Field(description="`unit`, `rater`, `label`, `rubric`, `at`, `ratings`.")] = {}


@router.get("/queues/{queue_id}/agreement", response_model=model_of(AgreementReport))
def get_review_agreement(
    queue_id: str, project: ReviewerProject, rubric: Annotated[str | None, Query(max_length=200)] = None
) -> Any:
    """Agreement of a queue's reviewers; while it is open, for leads only, so that nobody is led by it."""
    queue = visible_queue(project, queue_id)
    if not is_lead(project) and queue.state == "open":
        raise NotAllowed("agreement is shown to reviewers once the queue is closed")
    return JsonAnswer(queue_agreement(project.workspace, queue, rubric=rubric))


@router.post("/agreement", response_model=model_of(AgreementReport))
def measure_agreement(body: TableBody, project: ReviewerProject) -> Any:
    """Agreement of any table of ratings."""
    del project
    options = TableOptions(
        layout=body.layout,
        scale=body.scale,
        levels=tuple(body.levels),
        raters=tuple(body.raters),
        rubrics=tuple(body.rubrics),
        columns=body.columns,
    )
    found = tables_of(body.table, options)
    return JsonAnswer(table_agreement(found.tables, notes=found.notes))


@router.post("/agreement/file", response_model=model_of(AgreementReport))
def measure_agreement_of_file(
    project: ReviewerProject,
    data: Annotated[bytes, RawBody(media_type="application/octet-stream")],
    format: Literal["csv", "json", "jsonl", "parquet"] = "csv",
    layout: Layout = "auto",
    scale: Scale | None = None,
    level: Words = [],  # noqa: B006  FastAPI copies it
    rater: Words = [],  # noqa: B006
) -> Any:
    """Agreement of an uploaded file of ratings."""
    del project
    options = TableOptions(layout=layout, scale=scale, levels=tuple(level), raters=tuple(rater), name="the file")
    found = uploaded_tables(data, format, options)
    return JsonAnswer(table_agreement(found.tables, notes=found.notes))
