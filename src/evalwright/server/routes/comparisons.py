"""Runs compared: the figures, and the cases as rows."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query

from evalwright.server.routes.reading import Figures, Limit, Mark, Texts, Words, slice_labels
from evalwright.server.wire import Page, model_of
from evalwright.services.browsing.compare import (
    FLIPS,
    MOST_RUNS,
    SHOWS,
    SORTS,
    CompareRow,
    CompareView,
    RowFilter,
    checked_runs,
    compare_rows,
    compare_view,
)

router = APIRouter(prefix="/compare", tags=["reading"])
Baseline = Annotated[str, Query(max_length=200, description="The reference run.")]
Candidates = Annotated[
    list[str], Query(alias="candidate", min_length=1, max_length=MOST_RUNS - 1, description="Runs held against it.")
]
Margin = Annotated[float, Query(ge=0, le=1, description="Largest loss that does not matter, as a share.")]


def row_filter(
    metric: Annotated[str, Query(max_length=200, description="Empty for the row verdict.")] = "",
    show: Annotated[str, Query(max_length=20, description=f"One of {', '.join(SHOWS)}.")] = "all",
    flip: Annotated[str, Query(max_length=20, description=f"{FLIPS[1]} or {FLIPS[2]}.")] = "",
    slice: Annotated[list[str] | None, Query(max_length=20, description="`locale:de`; all must hold.")] = None,
    q: Words = "",
    sort: Annotated[str, Query(max_length=20, description=f"One of {', '.join(SORTS)}; `-` turns it.")] = "-abs_delta",
) -> RowFilter:
    """Which rows of a comparison a list shows."""
    return RowFilter(metric=metric, show=show, flip=flip, slices=slice_labels(slice), text=q, sort=sort)


RowsWanted = Annotated[RowFilter, Depends(row_filter)]


@router.get("", response_model=model_of(CompareView))
def get_comparison(browser: Figures, baseline: Baseline, candidates: Candidates, margin: Margin = 0.02) -> Any:
    """Two to ten runs compared with a baseline: paired figures, flips, slices, what differs, what to do."""
    return compare_view(browser, baseline, candidates, margin=margin)


@router.get("/rows", response_model=Page[model_of(CompareRow)])  # type: ignore[misc]
def get_comparison_rows(
    browser: Texts,
    baseline: Baseline,
    candidates: Candidates,
    wanted: RowsWanted,
    cursor: Mark = None,
    limit: Limit = 50,
) -> Any:
    """The cases of a comparison side by side, largest difference first."""
    return compare_rows(browser, checked_runs(baseline, candidates), wanted, cursor=cursor, limit=limit)
