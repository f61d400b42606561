"""One's own account: password and tokens."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from evalwright.core.errors import NotAllowed
from evalwright.server.deps import SignedIn, State
from evalwright.server.wire import Body, Page, Wire
from evalwright.services.accounts import NewToken
from evalwright.services.auditing import AuditEvent, record

router = APIRouter(prefix="/me", tags=["me"])


class PasswordBody(Body):
    """The old password and the new one."""

    old: Annotated[str, Field(max_length=512)]
    new: Annotated[str, Field(max_length=512)]


class TokenBody(Body):
    """What a token is for, what it may do, and how long."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    scopes: Annotated[list[str], Field(min_length=1, max_length=10)]
    days: Annotated[float, Field(gt=0, le=366)] = 90
    project: Annotated[str | None, Field(max_length=63)] = None


class TokenInfo(Wire):
    """A token, without its secret."""

    id: str
    name: str
    scopes: list[str]
    project: str | None
    created_at: float
    expires_at: float
    used_at: float | None
    revoked_at: float | None


class NewTokenInfo(TokenInfo):
    """A token just made; its text is shown this once."""

    token: str


@router.post("/password", status_code=204)
def change_password(body: PasswordBody, who: SignedIn, state: State) -> None:
    """Change one's password; signs one out everywhere else."""
    if who.session is None:
        raise NotAllowed("a token can't change the password", hint="sign in with a browser")
    state.accounts.change_password(who.username, body.old, body.new, state.now(), keep_session=who.session.hash)
    event = AuditEvent(actor=who.username, action="user.password", subject=who.username)
    record(state.places.root, event, now=state.now())


@router.get("/tokens")
def list_tokens(who: SignedIn, state: State) -> Page[TokenInfo]:
    """One's tokens, newest first."""
    found = [TokenInfo.model_validate(token) for token in state.accounts.access.tokens(who.username)]
    return Page[TokenInfo](items=found, total=len(found))


@router.post("/tokens", status_code=201)
def add_token(body: TokenBody, who: SignedIn, state: State) -> NewTokenInfo:
    """Make a token; its text is in this answer and nowhere else."""
    if who.session is None:
        raise NotAllowed("a token can't make tokens", hint="sign in with a browser")
    if body.project is not None and state.accounts.role(body.project, who.user) is None:
        raise NotAllowed(f"you are no member of {body.project!r}")
    wanted = NewToken(name=body.name, scopes=tuple(body.scopes), days=body.days, project=body.project)
    text, token = state.accounts.add_token(who.username, wanted, state.now())
    detail = {"name": token.name, "scopes": token.scopes, "project": token.project, "expires_at": token.expires_at}
    event = AuditEvent(actor=who.username, action="token.make", subject=token.id, detail=detail)
    record(state.places.root, event, now=state.now())
    return NewTokenInfo(**TokenInfo.model_validate(token).model_dump(), token=text)


@router.delete("/tokens/{token_id}", status_code=204)
def revoke_token(token_id: str, who: SignedIn, state: State) -> None:
    """End a token for good."""
    if who.token is not None and who.token.id != token_id:
        raise NotAllowed("a token can end no token but itself", hint="sign in with a browser")
    state.accounts.access.revoke_token(who.username, token_id, state.now())
    event = AuditEvent(actor=who.username, action="token.revoke", subject=token_id)
    record(state.places.root, event, now=state.now())
