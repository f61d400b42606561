"""Gates as they stand, and waivers."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter
from pydantic import Field

from evalwright.governance.roles import Action
from evalwright.server.deps import EngineerProject, ReviewerProject
from evalwright.server.routes.reading import Figures, Limit, Mark
from evalwright.server.wire import Body, Page, model_of
from evalwright.services.browsing.browser import browser_of
from evalwright.services.browsing.gates import (
    Exemption,
    GateView,
    ListedWaiver,
    ask_waiver,
    list_gates,
    list_waivers,
    settle_waiver,
)
from evalwright.services.browsing.paging import paged

router = APIRouter(tags=["gates"])
WaiverInfo = model_of(ListedWaiver, "WaiverInfo")


class WaiverBody(Body):
    """A waiver somebody asks for."""

    run: Annotated[str, Field(max_length=200)]
    rule: Annotated[str, Field(max_length=1000, description="The rule by its name, or its number from 1.")]
    reason: Annotated[str, Field(min_length=1, max_length=4000)]
    expires_days: Annotated[float, Field(gt=0, le=366)]
    ticket: Annotated[str, Field(max_length=500)] = ""


@router.get("/gates", response_model=Page[model_of(GateView)])  # type: ignore[misc]
def get_gates(browser: Figures, cursor: Mark = None, limit: Limit = 200) -> Any:
    """The decision on each suite's latest finished run, with every rule."""
    return paged(list_gates(browser), cursor, limit)


@router.get("/waivers", response_model=Page[WaiverInfo])  # type: ignore[valid-type]
def get_waivers(browser: Figures, cursor: Mark = None, limit: Limit = 50) -> Any:
    """All waivers, the latest first."""
    return paged(list_waivers(browser), cursor, limit)


@router.post("/waivers", status_code=201, response_model=WaiverInfo)
def add_waiver(body: WaiverBody, project: EngineerProject) -> Any:
    """Ask for a waiver of one rule for one run; another person must agree."""
    project.require(Action.REQUEST_EXCEPTION)
    now = project.state.now()
    made = ask_waiver(browser_of(project.workspace), Exemption(**body.model_dump()), user=project.username, now=now)
    project.audit("waiver.request", made.id, run=made.run_id, rule=made.rule, reason=made.reason)
    return made


@router.post("/waivers/{waiver}/{action}", response_model=WaiverInfo)
def change_waiver(waiver: str, action: Literal["approve", "revoke"], project: ReviewerProject) -> Any:
    """Agree to a waiver, or take it back; the gate of its run is decided anew."""
    browser = browser_of(project.workspace)
    if action == "approve" or not _own(list_waivers(browser), waiver, project.username):
        project.require(Action.GRANT_EXCEPTION)
    settled = settle_waiver(browser, waiver, action, user=project.username, now=project.state.now())
    project.audit(f"waiver.{action}", settled.id, run=settled.run_id, rule=settled.rule)
    return settled


def _own(known: list[ListedWaiver], waiver: str, user: str) -> bool:
    return any(one.id == waiver and one.requested_by == user for one in known)
