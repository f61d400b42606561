"""Signing in and out, and what a page needs to know of who is there."""

from __future__ import annotations

from importlib.metadata import version
from typing import Annotated

from fastapi import APIRouter, Request, Response
from pydantic import Field

from evalwright.core.errors import NotAllowed
from evalwright.server.access.cookies import drop_cookie, set_cookie
from evalwright.server.access.principal import check_origin
from evalwright.server.deps import SignedIn, State
from evalwright.server.errors import Problem
from evalwright.server.state import ServerState
from evalwright.server.wire import Body, Wire
from evalwright.services.accounts import LockedOut
from evalwright.services.auditing import AuditEvent, record
from evalwright.store.accounts import Session, User

open_router = APIRouter(tags=["session"])
router = APIRouter(tags=["session"])


class SignInBody(Body):
    """Name and password."""

    username: Annotated[str, Field(max_length=64)]
    password: Annotated[str, Field(max_length=512)]


class Me(Wire):
    """Who is signed in."""

    username: str
    name: str
    email: str
    admin: bool


class MyProject(Wire):
    """A project one may see, and one's role in it."""

    name: str
    title: str
    role: str


class OidcChoice(Wire):
    """A place people may sign in at; `GET /api/v1/oidc/{id}/login` leads there."""

    id: str
    title: str


class ServerInfo(Wire):
    """The server itself."""

    version: str
    oidc: list[OidcChoice]


class SessionInfo(Wire):
    """Who is signed in, what unsafe requests must bring, and where they may go."""

    user: Me
    csrf: str
    projects: list[MyProject]
    scopes: list[str] | None = None
    server: ServerInfo


@open_router.post("/session")
def sign_in(body: SignInBody, request: Request, response: Response, state: State) -> SessionInfo:
    """Sign in with name and password; sets the cookie."""
    check_origin(request)
    address = request.client.host if request.client else ""
    wait_s = state.sign_ins.wait_s(address)
    if wait_s:
        raise Problem(429, "too_many_requests", "too many attempts to sign in", retry_after_s=wait_s)
    user = _checked(state, body, address)
    return begin(state, user, response, how="password", address=address)


def _checked(state: ServerState, body: SignInBody, address: str) -> User:
    try:
        return state.accounts.check_sign_in(body.username, body.password, state.now())
    except NotAllowed as error:
        detail = {"address": address, "locked": isinstance(error, LockedOut)}
        _audit(state, AuditEvent(actor=body.username, action="session.refused", subject=body.username, detail=detail))
        if isinstance(error, LockedOut):
            raise
        raise Problem(401, "wrong_password", error.message) from error


def begin(state: ServerState, user: User, response: Response, *, how: str, address: str) -> SessionInfo:
    """Sign a browser in as somebody: a new session, its cookie, a line in the audit log."""
    value, session = state.accounts.begin_session(user.username, state.now())
    set_cookie(response, state, value)
    detail = {"how": how, "address": address}
    _audit(state, AuditEvent(actor=user.username, action="session.begin", subject=user.username, detail=detail))
    return session_info(state, user, session)


def _audit(state: ServerState, event: AuditEvent) -> None:
    record(state.places.root, event, now=state.now())


@router.get("/session")
def get_session(who: SignedIn, response: Response, state: State) -> SessionInfo:
    """Who is signed in; now and then the cookie gets another value."""
    if who.session is not None:
        value = state.accounts.rotated(who.session, state.now())
        if value is not None:
            set_cookie(response, state, value)
    info = session_info(state, who.user, who.session)
    if who.token is not None:
        info.scopes = list(who.token.scopes)
        if who.token.project is not None:
            info.projects = [project for project in info.projects if project.name == who.token.project]
    return info


@router.delete("/session", status_code=204)
def sign_out(who: SignedIn, response: Response, state: State) -> None:
    """Sign this browser out."""
    if who.session is not None:
        state.accounts.access.end_session(who.session.hash)
        drop_cookie(response, state)
        _audit(state, AuditEvent(actor=who.username, action="session.end", subject=who.username))


def session_info(state: ServerState, user: User, session: Session | None) -> SessionInfo:
    """What a page needs to know of who is there."""
    roles = state.accounts.roles(user)
    projects = [
        MyProject(name=project.name, title=project.title, role=roles[project.name].value)
        for project in state.accounts.projects()
        if project.name in roles
    ]
    return SessionInfo(
        user=Me.model_validate(user),
        csrf=session.csrf if session else "",
        projects=projects,
        server=_server_info(state),
    )


def _server_info(state: ServerState) -> ServerInfo:
    return ServerInfo(version=version("evalwright"), oidc=oidc_choices(state))


def oidc_choices(state: ServerState) -> list[OidcChoice]:
    """Places people may sign in at."""
    return [OidcChoice(id=one.id, title=one.title or one.id) for one in state.settings.oidc]
