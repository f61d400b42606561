"""Golden sets: versions, cases, differences, health, cases added from runs, proposals."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Path, Query
from pydantic import Field

from evalwright.core.case import Case
from evalwright.datasets.health import Health
from evalwright.datasets.versions import LATEST, Version
from evalwright.governance.proposals import Proposal
from evalwright.governance.roles import Action
from evalwright.server.deps import EngineerProject, ReviewerProject
from evalwright.server.routes.reading import Figures, Limit, Mark, Texts, Words
from evalwright.server.wire import Body, Page, Wire, model_of
from evalwright.services.browsing.browser import browser_of
from evalwright.services.browsing.datasets import (
    NewCase,
    SetDiff,
    SetPage,
    SetView,
    add_case,
    health,
    list_sets,
    set_cases,
    set_diff,
    set_page,
)
from evalwright.services.browsing.paging import paged
from evalwright.services.proposal_files import Wanted
from evalwright.services.proposing import Proposals

router = APIRouter(tags=["datasets"])
VersionName = Annotated[str, Query(max_length=100, description="`v3`, `latest`, `approved`, a tag or a digest.")]
VersionPath = Annotated[str, Path(max_length=100, description="`v3`, `latest`, `approved`, a tag or a digest.")]
ProposalInfo = model_of(Proposal, "ProposalInfo")


class CaseBody(Body):
    """A case for a golden set: one of a run, or one written out."""

    case_id: Annotated[str, Field(min_length=1, max_length=1000)]
    run: Annotated[str | None, Field(max_length=200)] = None
    input: Any = None
    expected: Any = None
    metadata: dict[str, Any] = {}
    message: Annotated[str, Field(max_length=2000)] = ""


class AddedCase(Wire):
    """The version a case was added in; null when the set had just this case already."""

    version: model_of(Version, "VersionInfo") | None  # type: ignore[valid-type]


class ProposalBody(Body):
    """A version somebody proposes for approval."""

    subject: Annotated[str, Field(max_length=200, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*@v[0-9]+$")]
    reason: Annotated[str, Field(max_length=4000)] = ""


class DecisionBody(Body):
    """What is said about a proposal."""

    comment: Annotated[str, Field(max_length=4000)] = ""


@router.get("/datasets", response_model=Page[model_of(SetView)])  # type: ignore[misc]
def get_datasets(browser: Figures, cursor: Mark = None, limit: Limit = 200) -> Any:
    """Golden sets with their latest versions."""
    return paged(list_sets(browser), cursor, limit)


@router.get("/datasets/{name}", response_model=model_of(SetPage))
def get_dataset(name: str, browser: Figures) -> Any:
    """A golden set with all its versions."""
    return set_page(browser, name)


@router.get("/datasets/{name}/diff", response_model=model_of(SetDiff))
def get_dataset_diff(
    name: str,
    browser: Texts,
    before: Annotated[str, Query(alias="from", max_length=100)],
    after: Annotated[str, Query(alias="to", max_length=100)] = LATEST,
) -> Any:
    """What two versions do not share, field by field."""
    return set_diff(browser, name, before, after)


@router.get("/datasets/{name}/health", response_model=model_of(Health))
def get_dataset_health(name: str, browser: Texts, version: VersionName = LATEST) -> Any:
    """What is wrong with the cases of a version: doubles, contradictions, gaps, age, cases that tell nothing."""
    return health(browser, name, version)


@router.get("/datasets/{name}/{version}/cases", response_model=Page[model_of(Case)])  # type: ignore[misc]
def get_dataset_cases(
    name: str, version: VersionPath, browser: Texts, q: Words = "", cursor: Mark = None, limit: Limit = 50
) -> Any:
    """Cases of a version."""
    return set_cases(browser, name, version, text=q, cursor=cursor, limit=limit)


@router.post("/datasets/{name}/cases", status_code=201, response_model=AddedCase)
def add_dataset_case(name: str, body: CaseBody, project: EngineerProject) -> Any:
    """Add a case to a set, as a new draft version."""
    project.require(Action.ADD_CASES, owned=True)
    given = body.model_dump()
    if "expected" not in body.model_fields_set:
        given["expected"] = msgspec.UNSET
    version = add_case(browser_of(project.workspace), name, NewCase(**given), user=project.username)
    project.audit("dataset.add_case", name, case=body.case_id, run=body.run)
    return {"version": version}


@router.get("/proposals", response_model=Page[ProposalInfo])  # type: ignore[valid-type]
def get_proposals(browser: Texts, cursor: Mark = None, limit: Limit = 50) -> Any:
    """Proposed changes, the latest first."""
    return paged(Proposals(browser.workspace).all()[::-1], cursor, limit)


@router.get("/proposals/{proposal}", response_model=ProposalInfo)
def get_proposal(proposal: str, browser: Texts) -> Any:
    """A proposed change with its difference and impact."""
    return Proposals(browser.workspace).find(proposal)


@router.post("/proposals", status_code=201, response_model=ProposalInfo)
def add_proposal(body: ProposalBody, project: ReviewerProject) -> Any:
    """Propose a version of a golden set for approval."""
    project.require(Action.PROPOSE)
    wanted = Wanted(subject=body.subject, reason=body.reason, by=project.username)
    made = Proposals(project.workspace).make(wanted)
    project.audit("proposal.make", made.id, about=made.subject)
    return made


@router.post("/proposals/{proposal}/{action}", response_model=ProposalInfo)
def decide_proposal(
    proposal: str, action: Literal["approve", "reject", "withdraw"], body: DecisionBody, project: ReviewerProject
) -> Any:
    """Approve, reject or withdraw a proposal; nobody approves their own."""
    proposals = Proposals(project.workspace)
    found = proposals.find(proposal)
    if action != "withdraw":
        project.require(found.right)
    state: Any = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn"}[action]
    settled = proposals.decide(found.id, state, by=project.username, comment=body.comment)
    project.audit(f"proposal.{action}", settled.id, about=settled.subject)
    return settled
