"""Accounts of a server: set-up, passwords, sessions, tokens, projects and members."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from functools import cache
from typing import TYPE_CHECKING

import msgspec

from evalwright.core.errors import Conflict, NotAllowed, NotFound, UsageError
from evalwright.core.extras import optional
from evalwright.governance.roles import Role
from evalwright.store.accounts import AccessStore, Member, PeopleStore, Project, Session, Token, User

if TYPE_CHECKING:
    import sqlalchemy as sa
    from argon2 import PasswordHasher

DEFAULT_PROJECT = "default"
MIN_PASSWORD, MAX_PASSWORD = 10, 512
DAY_S = 86_400.0
SCOPES = ("read", "write", "review", "admin", "metrics")
"""What a token may be used for: `admin` holds `write` and `review`, each of which holds `read`."""

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?")
_SETUP = "setup_code"
_HASHING = threading.Semaphore(2)
"""A hash takes 64 MiB for a moment: no more than two at once."""


class SessionRules(msgspec.Struct, frozen=True, kw_only=True):
    """How long a browser stays signed in.

    Attributes:
        lasts_s: Longest in any case.
        idle_s: Longest without being used.
        rotate_s: Age at which the cookie gets another value.
        overlap_s: How long the value before that is still good, for requests under way.
    """

    lasts_s: float = 12 * 3600.0
    idle_s: float = 2 * 3600.0
    rotate_s: float = 3600.0
    overlap_s: float = 60.0


class LockRules(msgspec.Struct, frozen=True, kw_only=True):
    """What failed sign-ins lead to: after `free` in a row a lock of `first_s`, doubled each time up to `longest_s`."""

    free: int = 5
    first_s: float = 30.0
    longest_s: float = 900.0
    forget_s: float = 3600.0

    def lock_s(self, failures: int) -> float:
        """Seconds of the lock after so many failures in a row; 0 for none."""
        if failures < self.free:
            return 0.0
        return float(min(self.longest_s, self.first_s * 2.0 ** min(failures - self.free, 20)))


class LockedOut(NotAllowed):
    """Too many failed sign-ins; `retry_after_s` says when to try again."""

    def __init__(self, retry_after_s: float) -> None:
        super().__init__("too many failed sign-ins", hint=f"try again in {max(1, round(retry_after_s))} s")
        self.retry_after_s = retry_after_s


class NewUser(msgspec.Struct, frozen=True, kw_only=True):
    """Who is to be added; without a password they sign in elsewhere only."""

    username: str
    name: str = ""
    email: str = ""
    password: str | None = None
    admin: bool = False
    identity: str | None = None


class NewToken(msgspec.Struct, frozen=True, kw_only=True):
    """A token somebody asks for: what for, with which scopes, for how long, and for which project alone."""

    name: str
    scopes: tuple[str, ...]
    days: float
    project: str | None = None


class Accounts:
    """Use cases of accounts, on the catalog of the root workspace; safe for several threads and servers."""

    def __init__(
        self, engine: sa.Engine, *, sessions: SessionRules | None = None, locks: LockRules | None = None
    ) -> None:
        self.people = PeopleStore(engine)
        self.access = AccessStore(engine)
        self.sessions = sessions or SessionRules()
        self.locks = locks or LockRules()

    # set-up

    def new_setup_code(self) -> str | None:
        """A one-time code with which the first admin is made; None once there is any user. Earlier codes end."""
        if self.people.any_user():
            return None
        code = "-".join(secrets.token_hex(3) for _ in range(3))
        self.access.set_value(_SETUP, sha256(code))
        return code

    def set_up(self, code: str, wanted: NewUser, now: float) -> User:
        """Make the first admin.

        Raises:
            NotAllowed: The code is not the one that was printed.
            Conflict: There is a user already.
            UsageError: The name or password won't do.
        """
        known = self.access.value(_SETUP)
        if self.people.any_user():
            raise Conflict("the server is set up already", hint="sign in")
        if known is None or not secrets.compare_digest(known, sha256(code.strip())):
            raise NotAllowed("this is not the set-up code", hint="the server printed it when it started")
        user = _made(msgspec.structs.replace(wanted, admin=True), now)
        self.people.add_user(user, only_first=True)
        self.access.set_value(_SETUP, None)
        return user

    # users

    def add_user(self, wanted: NewUser, now: float) -> User:
        """Add a user.

        Raises:
            Conflict: There is one of this name.
            UsageError: The name or password won't do.
        """
        user = _made(wanted, now)
        self.people.add_user(user)
        return user

    def set_password(self, username: str, password: str, now: float, *, keep_session: str = "") -> None:
        """Give somebody another password and sign them out everywhere else.

        Raises:
            NotFound: There is no such user.
            UsageError: The password won't do.
        """
        check_password(password, username)
        values = {"password_hash": _hash(password), "password_changed_at": now}
        self.people.change_user(username, values)
        self.access.end_sessions(username, but=keep_session)

    def change_password(self, username: str, old: str, new: str, now: float, *, keep_session: str = "") -> None:
        """Let somebody change their own password.

        Raises:
            NotAllowed: The old one is wrong.
            LockedOut: It was wrong too often.
            UsageError: The new one won't do.
        """
        self.check_sign_in(username, old, now)
        self.set_password(username, new, now, keep_session=keep_session)

    def check_sign_in(self, username: str, password: str, now: float) -> User:
        """The user this name and password belong to.

        Raises:
            NotAllowed: They belong to nobody, or to somebody who may no longer sign in; the message is the same.
            LockedOut: There were too many failures in a row.
        """
        who = f"user:{username[:64]}"
        wait = self.access.locked_until(who) - now
        if wait > 0:
            raise LockedOut(wait)
        user = self.people.user(username)
        if not _verified(user.password_hash if user else None, password) or user is None or user.disabled:
            lock_s = self.locks.lock_s(self.access.count_failure(who, now=now, forget_s=self.locks.forget_s))
            if lock_s:
                self.access.lock(who, now + lock_s)
            raise NotAllowed("this name and password don't belong together")
        self.access.forget_failures(who)
        return user

    # sessions

    def begin_session(self, username: str, now: float) -> tuple[str, Session]:
        """Sign a browser in: the cookie's value, which is kept nowhere, and the session."""
        value = secrets.token_urlsafe(32)
        session = Session(
            hash=sha256(value),
            username=username,
            csrf=secrets.token_urlsafe(32),
            created_at=now,
            rotated_at=now,
            seen_at=now,
            expires_at=now + self.sessions.lasts_s,
        )
        self.access.add_session(session)
        return value, session

    def session(self, value: str, now: float) -> tuple[Session, User] | None:
        """The session of a cookie's value and whose it is; None when it has ended."""
        hashed = sha256(value)
        found = self.access.session(hashed)
        if found is None or now >= found.expires_at or now - found.seen_at > self.sessions.idle_s:
            return None
        if found.hash != hashed and now - found.rotated_at > self.sessions.overlap_s:
            return None
        user = self.people.user(found.username)
        if user is None or user.disabled:
            return None
        if now - found.seen_at > 60:
            self.access.saw_session(found.hash, now)
        return found, user

    def rotated(self, session: Session, now: float) -> str | None:
        """Another value for the cookie of a session, once it is old enough; None otherwise."""
        if now - session.rotated_at < self.sessions.rotate_s:
            return None
        value = secrets.token_urlsafe(32)
        return value if self.access.rotate_session(session.hash, sha256(value), now) else None

    # tokens

    def add_token(self, username: str, wanted: NewToken, now: float) -> tuple[str, Token]:
        """Make a token: its text, shown this once, and what is kept of it.

        Raises:
            UsageError: A scope is unknown, or the time is not between a day and a year.
        """
        unknown = sorted(set(wanted.scopes) - set(SCOPES))
        if unknown or not wanted.scopes:
            raise UsageError(
                f"a token can't have the scopes {list(wanted.scopes)}", hint=f"there is {', '.join(SCOPES)}"
            )
        if not 0 < wanted.days <= 366:
            raise UsageError("a token lasts between a moment and 366 days")
        token_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        token = Token(
            id=token_id,
            username=username,
            name=wanted.name.strip()[:200],
            hash=sha256(secret),
            scopes=tuple(scope for scope in SCOPES if scope in wanted.scopes),
            project=wanted.project,
            created_at=now,
            expires_at=now + wanted.days * DAY_S,
        )
        self.access.add_token(token)
        return f"ewt_{token_id}_{secret}", token

    def token(self, text: str, now: float) -> tuple[Token, User] | None:
        """The token of this text and whose it is; None when it is unknown or has ended."""
        prefix, _, rest = text.partition("_")
        token_id, _, secret = rest.partition("_")
        found = self.access.token(token_id) if prefix == "ewt" else None
        if found is None or not secrets.compare_digest(found.hash, sha256(secret)):
            return None
        if found.revoked_at is not None or now >= found.expires_at:
            return None
        user = self.people.user(found.username)
        if user is None or user.disabled:
            return None
        if found.used_at is None or now - found.used_at > 60:
            self.access.saw_token(found.id, now)
        return found, user

    # projects and members

    def project(self, name: str) -> Project | None:
        """The project of this name; `default` is always there."""
        found = self.people.project(name)
        return Project(name=name, title="Default") if found is None and name == DEFAULT_PROJECT else found

    def projects(self) -> list[Project]:
        """All projects by name, `default` first."""
        found = {one.name: one for one in self.people.projects()}
        first = found.pop(DEFAULT_PROJECT, None) or Project(name=DEFAULT_PROJECT, title="Default")
        return [first, *found.values()]

    def add_project(self, name: str, title: str, *, by: str, now: float) -> Project:
        """Add a project.

        Raises:
            Conflict: There is one of this name.
            UsageError: The name won't do.
        """
        check_name(name, "project")
        if name == DEFAULT_PROJECT:
            raise Conflict(f"there is a project {name!r} already")
        made = Project(name=name, title=title.strip()[:200] or name, created_at=now, created_by=by)
        self.people.add_project(made)
        return made

    def role(self, project: str, user: User) -> Role | None:
        """The role somebody has in a project; None for no member. Admins of the server are admins everywhere."""
        if user.admin:
            return Role.ADMIN
        name = self.people.role(project, user.username)
        return None if name is None else Role.named(name)

    def roles(self, user: User) -> dict[str, Role]:
        """Projects somebody may see, and their role in each."""
        if user.admin:
            return {project.name: Role.ADMIN for project in self.projects()}
        return {member.project: Role.named(member.role) for member in self.people.memberships(user.username)}

    def set_member(self, member: Member) -> Member:
        """Make somebody a member, or change their role.

        Raises:
            NotFound: There is no such user.
            UsageError: There is no such role.
        """
        Role.named(member.role)
        if self.people.user(member.username) is None:
            raise NotFound(f"there is no user {member.username!r}")
        self.people.set_member(member)
        return member


def sha256(text: str) -> str:
    """Hex SHA-256 of a text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def check_name(name: str, what: str) -> None:
    """Names are lower-case and short, so that they fit into addresses, folders and schemas.

    Raises:
        UsageError: This one does not.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name!r} can't be the name of a {what}", hint="up to 63 of a-z, 0-9, `-`, `_`, `.`, not at its ends"
        )


def check_password(password: str, username: str) -> None:
    """Long enough, and not the name.

    Raises:
        UsageError: It won't do.
    """
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise UsageError(f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters", hint="several words are good")
    if username.lower() in password.lower() and len(password) < len(username) + MIN_PASSWORD:
        raise UsageError("the password is hardly more than the name", hint="several words are good")
    if len(set(password)) < 4:
        raise UsageError("the password repeats itself", hint="several words are good")


def _made(wanted: NewUser, now: float) -> User:
    check_name(wanted.username, "user")
    if wanted.password is not None:
        check_password(wanted.password, wanted.username)
    return User(
        username=wanted.username,
        name=wanted.name.strip()[:200] or wanted.username,
        email=wanted.email.strip()[:320],
        password_hash=None if wanted.password is None else _hash(wanted.password),
        admin=wanted.admin,
        identity=wanted.identity,
        created_at=now,
        password_changed_at=None if wanted.password is None else now,
    )


@cache
def _hasher() -> PasswordHasher:
    made: PasswordHasher = optional("argon2", extra="server").PasswordHasher()
    return made


@cache
def _nobodys_hash() -> str:
    """Checked for names nobody has, so that these take as long as others."""
    return _hash(secrets.token_urlsafe(16))


def _hash(password: str) -> str:
    with _HASHING:
        return _hasher().hash(password)


def _verified(hashed: str | None, password: str) -> bool:
    from argon2.exceptions import VerificationError

    known = hashed or _nobodys_hash()
    try:
        with _HASHING:
            return _hasher().verify(known, password) and hashed is not None
    except VerificationError:
        return False
