"""Users, for those who look after the server."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field

from evalwright.core.errors import UsageError
from evalwright.server.deps import Admin, State
from evalwright.server.wire import Body, Page, Wire
from evalwright.services.accounts import NewUser
from evalwright.services.auditing import AuditEvent, record

router = APIRouter(prefix="/users", tags=["users"])


class UserInfo(Wire):
    """A user as admins see them."""

    username: str
    name: str
    email: str
    admin: bool
    disabled: bool
    identity: str | None
    created_at: float
    password_changed_at: float | None


class UserBody(Body):
    """A new user; without a password they can only sign in elsewhere."""

    username: Annotated[str, Field(max_length=64)]
    name: Annotated[str, Field(max_length=200)] = ""
    email: Annotated[str, Field(max_length=320)] = ""
    password: Annotated[str | None, Field(max_length=512)] = None
    admin: bool = False
    identity: Annotated[str | None, Field(max_length=600, description="`issuer subject` of their sign-in.")] = None


class UserChange(Body):
    """What is to change; what is left out stays."""

    name: Annotated[str | None, Field(min_length=1, max_length=200)] = None
    email: Annotated[str | None, Field(max_length=320)] = None
    password: Annotated[str | None, Field(max_length=512)] = None
    admin: bool | None = None
    disabled: bool | None = None


@router.get("")
def list_users(_: Admin, state: State) -> Page[UserInfo]:
    """All users by name."""
    found = [UserInfo.model_validate(user) for user in state.accounts.people.users()]
    return Page[UserInfo](items=found, total=len(found))


@router.post("", status_code=201)
def add_user(body: UserBody, who: Admin, state: State) -> UserInfo:
    """Add a user."""
    user = state.accounts.add_user(NewUser(**body.model_dump()), state.now())
    event = AuditEvent(actor=who.username, action="user.add", subject=user.username, detail={"admin": user.admin})
    record(state.places.root, event, now=state.now())
    return UserInfo.model_validate(user)


@router.patch("/{username}")
def change_user(username: str, body: UserChange, who: Admin, state: State) -> UserInfo:
    """Change a user; a new password or none any more signs them out everywhere."""
    values: dict[str, Any] = {key: value for key, value in body.model_dump().items() if value is not None}
    if not values:
        raise UsageError("there is nothing to change")
    password = values.pop("password", None)
    if password is not None:
        state.accounts.set_password(username, password, state.now())
    user = state.accounts.people.user(username)
    if values:
        user = state.accounts.people.change_user(username, values, end_sessions=bool(values.get("disabled")))
    detail = {**values, **({"password": "changed"} if password is not None else {})}
    event = AuditEvent(actor=who.username, action="user.change", subject=username, detail=detail)
    record(state.places.root, event, now=state.now())
    return UserInfo.model_validate(user)
