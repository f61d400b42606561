"""Users, projects and members in the catalog of the root workspace."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
import sqlalchemy as sa

from evalwright.core.errors import Conflict, NotFound
from evalwright.store.account_tables import MEMBERS, PROJECTS, SESSIONS, TOKENS, USERS
from evalwright.store.accounts.records import Member, Project, User
from evalwright.store.database import reading, writing

T = TypeVar("T", bound=msgspec.Struct)


def rows_as(kind: type[T], rows: sa.CursorResult[Any]) -> list[T]:
    """Rows of a table as records."""
    return [
        msgspec.convert({str(name): value for name, value in row._mapping.items()}, kind, strict=False) for row in rows
    ]


class PeopleStore:
    """Who there is, which projects, and who is a member of which."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def user(self, username: str) -> User | None:
        """The user of this name."""
        return self._user(USERS.c.username == username)

    def user_of_identity(self, identity: str) -> User | None:
        """The user whose sign-in elsewhere this is."""
        return self._user(USERS.c.identity == identity)

    def _user(self, where: sa.ColumnElement[bool]) -> User | None:
        with reading(self._engine) as connection:
            found = rows_as(User, connection.execute(sa.select(USERS).where(where)))
        return found[0] if found else None

    def users(self) -> list[User]:
        """All users by name."""
        with reading(self._engine) as connection:
            return rows_as(User, connection.execute(sa.select(USERS).order_by(USERS.c.username)))

    def any_user(self) -> bool:
        """Whether there is a user at all."""
        with reading(self._engine) as connection:
            return connection.execute(sa.select(USERS.c.username).limit(1)).first() is not None

    def add_user(self, user: User, *, only_first: bool = False) -> None:
        """Add a user.

        Args:
            user: The new one.
            only_first: Refuse when there is any user already.

        Raises:
            Conflict: There is a user of this name, or, with `only_first`, any.
        """
        with writing(self._engine) as connection:
            if only_first:
                _lock_table(connection, USERS)
                if connection.execute(sa.select(USERS.c.username).limit(1)).first():
                    raise Conflict("the server is set up already", hint="sign in")
            if connection.execute(sa.select(USERS.c.username).where(USERS.c.username == user.username)).first():
                raise Conflict(f"there is a user {user.username!r} already")
            connection.execute(sa.insert(USERS).values(msgspec.structs.asdict(user)))

    def change_user(self, username: str, values: dict[str, Any], *, end_sessions: bool = False) -> User:
        """Change some columns of a user.

        Args:
            username: Who.
            values: New values by column.
            end_sessions: Also sign them out everywhere; with `disabled`, their tokens end too.

        Raises:
            NotFound: There is no such user.
            Conflict: Nobody would be left to look after the server.
        """
        with writing(self._engine) as connection:
            _lock_table(connection, USERS)
            done = connection.execute(sa.update(USERS).where(USERS.c.username == username).values(values))
            if not done.rowcount:
                raise NotFound(f"there is no user {username!r}")
            if end_sessions:
                connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.username == username))
            working = sa.select(USERS.c.username).where(USERS.c.admin, sa.not_(USERS.c.disabled))
            if {"admin", "disabled"} & set(values) and connection.execute(working.limit(1)).first() is None:
                raise Conflict("somebody must look after the server", hint="make another user admin first")
            return rows_as(User, connection.execute(sa.select(USERS).where(USERS.c.username == username)))[0]

    def projects(self) -> list[Project]:
        """All projects by name."""
        with reading(self._engine) as connection:
            return rows_as(Project, connection.execute(sa.select(PROJECTS).order_by(PROJECTS.c.name)))

    def project(self, name: str) -> Project | None:
        """The project of this name."""
        with reading(self._engine) as connection:
            found = rows_as(Project, connection.execute(sa.select(PROJECTS).where(PROJECTS.c.name == name)))
        return found[0] if found else None

    def add_project(self, project: Project) -> None:
        """Add a project.

        Raises:
            Conflict: There is one of this name.
        """
        with writing(self._engine) as connection:
            if connection.execute(sa.select(PROJECTS.c.name).where(PROJECTS.c.name == project.name)).first():
                raise Conflict(f"there is a project {project.name!r} already")
            connection.execute(sa.insert(PROJECTS).values(msgspec.structs.asdict(project)))

    def members(self, project: str) -> list[Member]:
        """Members of a project by name."""
        query = sa.select(MEMBERS).where(MEMBERS.c.project == project).order_by(MEMBERS.c.username)
        with reading(self._engine) as connection:
            return rows_as(Member, connection.execute(query))

    def memberships(self, username: str) -> list[Member]:
        """Projects somebody is a member of, by name."""
        query = sa.select(MEMBERS).where(MEMBERS.c.username == username).order_by(MEMBERS.c.project)
        with reading(self._engine) as connection:
            return rows_as(Member, connection.execute(query))

    def role(self, project: str, username: str) -> str | None:
        """The role somebody has in a project; None for no member."""
        query = sa.select(MEMBERS.c.role).where(MEMBERS.c.project == project, MEMBERS.c.username == username)
        with reading(self._engine) as connection:
            return connection.execute(query).scalar()

    def set_member(self, member: Member) -> None:
        """Make somebody a member, or change their role."""
        same = (MEMBERS.c.project == member.project) & (MEMBERS.c.username == member.username)
        with writing(self._engine) as connection:
            connection.execute(sa.delete(MEMBERS).where(same))
            connection.execute(sa.insert(MEMBERS).values(msgspec.structs.asdict(member)))

    def remove_member(self, project: str, username: str) -> bool:
        """Take somebody out of a project, with the tokens they made for it alone; whether they were in it."""
        same = (MEMBERS.c.project == project) & (MEMBERS.c.username == username)
        tokens = (TOKENS.c.project == project) & (TOKENS.c.username == username)
        with writing(self._engine) as connection:
            connection.execute(sa.delete(TOKENS).where(tokens))
            return bool(connection.execute(sa.delete(MEMBERS).where(same)).rowcount)


def _lock_table(connection: sa.Connection, table: sa.Table) -> None:
    """Let nobody else change a table in this transaction; SQLite has one writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.text(f'LOCK TABLE "{table.name}" IN SHARE ROW EXCLUSIVE MODE'))
