"""The first start: whoever holds the one-time code makes the first admin."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from evalwright.server.access.principal import check_origin
from evalwright.server.deps import State
from evalwright.server.errors import Problem
from evalwright.server.routes.session import SessionInfo, begin
from evalwright.server.wire import Body, Wire
from evalwright.services.accounts import NewUser
from evalwright.services.auditing import AuditEvent, record

router = APIRouter(tags=["setup"])


class SetupNeeded(Wire):
    """Whether the server has no user yet."""

    needed: bool


class SetupBody(Body):
    """The one-time code, and who the first admin is."""

    code: Annotated[str, Field(max_length=100)]
    username: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=512)]
    name: Annotated[str, Field(max_length=200)] = ""
    email: Annotated[str | None, Field(max_length=320)] = None


@router.get("/setup")
def setup_needed(state: State) -> SetupNeeded:
    """Whether the first admin is still to be made."""
    return SetupNeeded(needed=not state.accounts.people.any_user())


@router.post("/setup", status_code=201)
def set_up(body: SetupBody, request: Request, response: Response, state: State) -> SessionInfo:
    """Make the first admin with the code the server printed, and sign them in."""
    check_origin(request)
    address = request.client.host if request.client else ""
    wait_s = state.sign_ins.wait_s(address)
    if wait_s:
        raise Problem(429, "too_many_requests", "too many attempts", retry_after_s=wait_s)
    wanted = NewUser(username=body.username, password=body.password, name=body.name, email=body.email or "")
    user = state.accounts.set_up(body.code, wanted, state.now())
    event = AuditEvent(actor=user.username, action="server.set_up", subject=user.username, detail={"address": address})
    record(state.places.root, event, now=state.now())
    return begin(state, user, response, how="setup", address=address)
