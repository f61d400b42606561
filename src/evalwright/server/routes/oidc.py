"""Signing in elsewhere: the way there and back."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Cookie, Path, Query, Request, Response
from fastapi.responses import RedirectResponse

from evalwright.core.errors import NotFound
from evalwright.server.deps import State
from evalwright.server.errors import Problem
from evalwright.server.routes.session import OidcChoice, begin, oidc_choices
from evalwright.server.state import ServerState
from evalwright.server.wire import Page
from evalwright.services.auditing import AuditEvent, record
from evalwright.services.oidc import LASTS_S, Oidc, OidcAnswer, Refused
from evalwright.services.outgoing import OutgoingError

router = APIRouter(prefix="/oidc", tags=["oidc"])
COOKIE = "ew_oidc"

ProviderId = Annotated[str, Path(max_length=64)]
Text = Annotated[str, Query(max_length=4000)]


@router.get("/providers")
def oidc_providers(state: State) -> Page[OidcChoice]:
    """Places people may sign in at; `GET /api/v1/oidc/{id}/login` leads there."""
    return Page[OidcChoice](items=oidc_choices(state))


@router.get("/{provider}/login", response_class=RedirectResponse, status_code=302)
def oidc_login(
    provider: ProviderId,
    request: Request,
    state: State,
    back_to: Annotated[str, Query(alias="next", max_length=500)] = "/",
) -> RedirectResponse:
    """Send the browser to the provider."""
    _slow_down(request, state)
    place = _place(state, provider)
    try:
        redirect = _redirect(request, state, provider)
        started = place.start(state.accounts, redirect=redirect, back_to=back_to, now=state.now())
    except OutgoingError as error:
        return _refused(state, provider, "unreachable", error.message)
    answer = RedirectResponse(started.location, status_code=302)
    answer.set_cookie(
        COOKIE, started.browser, max_age=int(LASTS_S), path="/api/v1/oidc", secure=state.settings.secure,
        httponly=True, samesite="lax",
    )  # fmt: skip
    return answer


@router.get("/{provider}/callback", response_class=RedirectResponse, status_code=302)
def oidc_callback(
    provider: ProviderId,
    request: Request,
    state: State,
    given: Annotated[str, Query(alias="state", max_length=200)] = "",
    code: Text = "",
    error: Text = "",
    browser: Annotated[str, Cookie(alias=COOKIE, max_length=200)] = "",
) -> Response:
    """Take the provider's answer, sign the browser in, and go back to the page it came from."""
    _slow_down(request, state)
    place = _place(state, provider)
    redirect = _redirect(request, state, provider)
    brought = OidcAnswer(state=given, browser=browser, redirect=redirect, code=code, error=error)
    try:
        user, back_to = place.finish(state.accounts, brought, state.now())
    except Refused as refused:
        return _refused(state, provider, refused.code, refused.message)
    except OutgoingError as unreachable:
        return _refused(state, provider, "unreachable", unreachable.message)
    answer = RedirectResponse(back_to, status_code=302)
    answer.delete_cookie(COOKIE, path="/api/v1/oidc")
    begin(state, user, answer, how=f"oidc:{provider}", address=request.client.host if request.client else "")
    return answer


def _place(state: ServerState, provider: str) -> Oidc:
    found = state.oidc.get(provider)
    if found is None:
        raise NotFound(f"nobody can sign in at {provider!r} here")
    return found


def _slow_down(request: Request, state: ServerState) -> None:
    wait_s = state.sign_ins.wait_s(request.client.host if request.client else "")
    if wait_s:
        raise Problem(429, "too_many_requests", "too many attempts to sign in", retry_after_s=wait_s)


def _redirect(request: Request, state: ServerState, provider: str) -> str:
    base = (state.settings.public_url or str(request.base_url)).rstrip("/")
    return f"{base}/api/v1/oidc/{provider}/callback"


def _refused(state: ServerState, provider: str, code: str, message: str) -> RedirectResponse:
    event = AuditEvent(
        actor="?", action="session.refused", subject=provider, detail={"how": "oidc", "why": code, "message": message}
    )
    record(state.places.root, event, now=state.now())
    return RedirectResponse(f"/signin?{urlencode({'error': code})}", status_code=302)
