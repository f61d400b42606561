"""A metric over the runs of a suite."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from evalwright.server.routes.reading import Figures, slice_labels
from evalwright.server.wire import model_of
from evalwright.services.browsing.trends import MOST_POINTS, Trend, TrendQuestion, trend

router = APIRouter(tags=["reading"])


@router.get("/trends", response_model=model_of(Trend))
def get_trend(  # noqa: PLR0913 - one parameter of the address each
    browser: Figures,
    suite: Annotated[str, Query(max_length=200)],
    metric: Annotated[str | None, Query(max_length=200)] = None,
    slice: Annotated[str, Query(max_length=400, description="`locale:de`; empty for all cases.")] = "",
    statistic: Annotated[str | None, Query(max_length=20)] = None,
    target: Annotated[str | None, Query(max_length=500)] = None,
    since: float | None = None,
    limit: Annotated[int, Query(ge=1, le=MOST_POINTS)] = MOST_POINTS,
) -> Any:
    """A metric with its intervals over runs, oldest first, and where comparability ended."""
    label = slice_labels([slice])[0] if slice else ""
    wanted = TrendQuestion(
        suite=suite, metric=metric, slice=label, statistic=statistic, target=target, since=since, limit=limit
    )
    return trend(browser, wanted)
