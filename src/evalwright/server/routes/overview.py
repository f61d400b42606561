"""The first page."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from evalwright.server.routes.reading import Figures
from evalwright.server.wire import model_of
from evalwright.services.browsing.overview import Overview, overview

router = APIRouter(tags=["reading"])


@router.get("/overview", response_model=model_of(Overview))
def get_overview(browser: Figures) -> Any:
    """May we ship: gates, quality over runs, safety failures, judges, golden sets, spend; unknown figures are null."""
    return overview(browser)
