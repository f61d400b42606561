"""The registry of suites."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter

from evalwright.server.routes.reading import Figures
from evalwright.server.wire import Page, model_of
from evalwright.services.browsing.paging import paged
from evalwright.services.browsing.suites import SuiteRow, list_suites

router = APIRouter(tags=["reading"])


@router.get("/suites", response_model=Page[model_of(SuiteRow)])  # type: ignore[misc]
def get_suites(browser: Figures) -> Any:
    """Every suite that was ever run here: who answers for it, and what is missing."""
    return paged(list_suites(browser), None, 500)
