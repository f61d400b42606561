"""The cases of a run: the list, one case, and the trace of an answer."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from evalwright.server.routes.reading import Limit, Mark, Texts, UnitsWanted
from evalwright.server.wire import Page, model_of
from evalwright.services.browsing.case import CasePage, case_page
from evalwright.services.browsing.cases import list_cases
from evalwright.services.browsing.trace import SpanDetail, SpanPage, span_detail, trace_of, trace_page
from evalwright.store.browse_query import ListedUnit

router = APIRouter(prefix="/runs/{run}/cases", tags=["reading"])
Trial = Annotated[int, Query(ge=0, le=1_000_000, description="Repetition, from 0.")]
SpanId = Annotated[str | None, Query(max_length=20)]


@router.get("", response_model=Page[model_of(ListedUnit)])  # type: ignore[misc]
def get_cases(run: str, browser: Texts, wanted: UnitsWanted, cursor: Mark = None, limit: Limit = 50) -> Any:
    """Units of a run, one row a case and trial, filtered and sorted by anything; texts are cut to 400 characters."""
    return list_cases(browser, run, wanted, cursor=cursor, limit=limit)


@router.get("/{case_id:path}/trace/{span}", response_model=model_of(SpanDetail))
def get_span(run: str, case_id: str, span: str, browser: Texts, trial: Trial = 0) -> Any:
    """One span of a trace with everything it holds."""
    return span_detail(trace_of(browser, run, case_id, trial), span)


@router.get("/{case_id:path}/trace", response_model=model_of(SpanPage))
def get_trace(
    run: str,
    case_id: str,
    browser: Texts,
    trial: Trial = 0,
    parent: SpanId = None,
    after: SpanId = None,
    limit: Limit = 500,
) -> Any:
    """Children of a span of a trace, or its roots."""
    return trace_page(trace_of(browser, run, case_id, trial), parent=parent, after=after, limit=limit)


@router.get("/{case_id:path}", response_model=model_of(CasePage))
def get_case(
    run: str,
    case_id: str,
    browser: Texts,
    wanted: UnitsWanted,
) -> Any:
    """A case with answers, scores, evidence, history and neighbours; the filters say which list it was opened from."""
    return case_page(browser, run, case_id, trial=wanted.trial, among=wanted)
