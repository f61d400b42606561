"""Who asks: a person's browser by its cookie, or a program by its token."""

from __future__ import annotations

import secrets
from typing import Annotated
from urllib.parse import urlsplit

import msgspec
from fastapi import Depends, Request
from fastapi.security import APIKeyCookie, HTTPAuthorizationCredentials, HTTPBearer

from evalwright.server.errors import Problem
from evalwright.server.state import ServerState, state_of
from evalwright.store.accounts import Session, Token, User

COOKIE = "ew_session"
CSRF_HEADER = "X-CSRF-Token"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HOLDS = {
    "admin": {"admin", "write", "review", "read"},
    "write": {"write", "read"},
    "review": {"review", "read"},
    "read": {"read"},
    "metrics": {"metrics"},
}

_cookie = APIKeyCookie(name=COOKIE, auto_error=False, description="A browser that is signed in.")
_bearer = HTTPBearer(auto_error=False, description="A personal access token.")


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks.

    Attributes:
        user: The person.
        session: Their browser's session; None for a program.
        token: The program's token; None for a browser.
    """

    user: User
    session: Session | None = None
    token: Token | None = None

    @property
    def username(self) -> str:
        """The person's name."""
        return self.user.username

    @property
    def client(self) -> str:
        """What is counted for rate limits."""
        return f"token:{self.token.id}" if self.token else f"user:{self.username}"

    def has_scope(self, scope: str) -> bool:
        """Whether what they came with is good for this; a browser is good for all but `metrics`."""
        if self.token is None:
            return scope != "metrics" or self.user.admin
        return any(scope in _HOLDS[held] for held in self.token.scopes)


def principal(
    request: Request,
    cookie: Annotated[str | None, Depends(_cookie)] = None,
    bearer: Annotated[HTTPAuthorizationCredentials | None, Depends(_bearer)] = None,
) -> Principal:
    """Who asks.

    Raises:
        Problem: Nobody (401), a browser that does not prove the page is ours (403), or too often (429).
    """
    state = state_of(request)
    found = _by_token(state, bearer.credentials) if bearer else _by_cookie(state, request, cookie)
    wait_s = state.requests.wait_s(found.client)
    if wait_s:
        raise Problem(429, "too_many_requests", "too many requests", hint="slow down", retry_after_s=wait_s)
    request.state.principal = found
    return found


def _by_token(state: ServerState, text: str) -> Principal:
    found = state.accounts.token(text, state.now())
    if found is None:
        raise Problem(401, "unknown_token", "this token is unknown, or has ended", hint="make another in your account")
    return Principal(user=found[1], token=found[0])


def _by_cookie(state: ServerState, request: Request, cookie: str | None) -> Principal:
    found = state.accounts.session(cookie, state.now()) if cookie else None
    if found is None:
        raise Problem(401, "signed_out", "you are not signed in", hint="sign in, or send a token")
    if request.method not in SAFE:
        check_origin(request)
        _check_csrf(request, found[0])
    return Principal(user=found[1], session=found[0])


def _check_csrf(request: Request, session: Session) -> None:
    given = request.headers.get(CSRF_HEADER, "")
    if not secrets.compare_digest(given.encode(), session.csrf.encode()):
        raise Problem(403, "csrf", f"the header {CSRF_HEADER} is missing or wrong", hint="GET /api/v1/session tells it")


def check_origin(request: Request) -> None:
    """Refuse what another site's page sends.

    Raises:
        Problem: It does (403).
    """
    origin = request.headers.get("origin")
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Problem(403, "foreign_origin", "another site's page sent this")
    if origin is not None and origin not in _own_origins(request):
        raise Problem(403, "foreign_origin", f"a page of {origin[:200]} sent this")


def _own_origins(request: Request) -> set[str]:
    public = state_of(request).settings.public_url
    own = {f"{request.url.scheme}://{request.headers.get('host', '')}"}
    if public:
        parts = urlsplit(public)
        own.add(f"{parts.scheme}://{parts.netloc}")
    return own
