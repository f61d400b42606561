"""Records of accounts as the catalog keeps them."""

from __future__ import annotations

import msgspec


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person or a machine that may sign in.

    Attributes:
        username: What they sign in with; never changes.
        name: What others see.
        email: Where messages go; empty when unknown.
        password_hash: Argon2 hash; None for people who only sign in elsewhere.
        admin: Whether they look after the server: every project, and users.
        disabled: Whether they may no longer sign in.
        identity: `issuer subject` of the sign-in elsewhere that is theirs.
        created_at: Seconds since the epoch.
        password_changed_at: Seconds since the epoch; None when there is no password.
    """

    username: str
    name: str
    email: str = ""
    password_hash: str | None = None
    admin: bool = False
    disabled: bool = False
    identity: str | None = None
    created_at: float = 0.0
    password_changed_at: float | None = None


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """A workspace of the server, with members of its own."""

    name: str
    title: str
    created_at: float = 0.0
    created_by: str = ""


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """Who has which role in which project."""

    project: str
    username: str
    role: str
    added_at: float = 0.0
    added_by: str = ""


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A browser that is signed in.

    Attributes:
        hash: SHA-256 of the cookie's value, which is kept nowhere.
        username: Who.
        csrf: What unsafe requests must bring in a header.
        created_at: Seconds since the epoch.
        rotated_at: When the cookie's value last changed.
        seen_at: When it was last used, to the minute.
        expires_at: When it ends in any case.
        previous_hash: Of the value before the last change, good for a short while after it.
    """

    hash: str
    username: str
    csrf: str
    created_at: float
    rotated_at: float
    seen_at: float
    expires_at: float
    previous_hash: str | None = None


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """A personal access token.

    Attributes:
        id: Public part.
        username: Whose.
        name: What it is for.
        hash: SHA-256 of the secret part, which is kept nowhere.
        scopes: What it may be used for.
        project: The only project it is good for; None for all of its owner's.
        created_at: Seconds since the epoch.
        expires_at: Seconds since the epoch.
        used_at: When it was last used, to the minute.
        revoked_at: When it was revoked.
    """

    id: str
    username: str
    name: str
    hash: str
    scopes: tuple[str, ...]
    created_at: float
    expires_at: float
    project: str | None = None
    used_at: float | None = None
    revoked_at: float | None = None


class PendingSignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in elsewhere that was begun: what the answer must fit, and where to go afterwards."""

    state_hash: str
    provider: str
    nonce: str
    verifier: str
    browser_hash: str
    next: str
    expires_at: float
