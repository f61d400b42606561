"""Saved views of pages."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa

from evalwright.core.errors import NotFound
from evalwright.store.accounts.people import rows_as
from evalwright.store.database import reading, writing
from evalwright.store.schedule_tables import VIEWS


class View(msgspec.Struct, frozen=True, kw_only=True):
    """A page with its filters under a name.

    Attributes:
        id: Short id.
        project: Name of the project.
        name: What people call it.
        page: Which page.
        query: Its state, as in the address.
        owner: Whose it is.
        shared: Whether the other members see it.
        created_at: Seconds since the epoch.
    """

    id: str
    project: str
    name: str
    page: str
    query: str
    owner: str
    shared: bool = False
    created_at: float = 0.0


class ViewStore:
    """Saved views of all projects."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, view: View) -> None:
        """Keep a new view."""
        with writing(self._engine) as connection:
            connection.execute(sa.insert(VIEWS).values(msgspec.structs.asdict(view)))

    def seen_by(self, project: str, username: str) -> list[View]:
        """Somebody's own views of a project and the shared ones, by name."""
        seen = (VIEWS.c.project == project) & ((VIEWS.c.owner == username) | VIEWS.c.shared)
        with reading(self._engine) as connection:
            return rows_as(View, connection.execute(sa.select(VIEWS).where(seen).order_by(VIEWS.c.name)))

    def change(self, project: str, owner: str, view_id: str, values: dict[str, object]) -> View:
        """Change one's own view.

        Raises:
            NotFound: There is none of this id that is one's own.
        """
        mine = (VIEWS.c.id == view_id) & (VIEWS.c.project == project) & (VIEWS.c.owner == owner)
        with writing(self._engine) as connection:
            if values and not connection.execute(sa.update(VIEWS).where(mine).values(values)).rowcount:
                raise NotFound(f"you have no view {view_id!r}")
            found = rows_as(View, connection.execute(sa.select(VIEWS).where(mine)))
        if not found:
            raise NotFound(f"you have no view {view_id!r}")
        return found[0]

    def remove(self, project: str, view_id: str, *, owner: str | None) -> None:
        """Forget a view.

        Args:
            project: Name of the project.
            view_id: The view.
            owner: Whose it must be; None for anybody's.

        Raises:
            NotFound: There is none of this id.
        """
        where = (VIEWS.c.id == view_id) & (VIEWS.c.project == project)
        if owner is not None:
            where &= VIEWS.c.owner == owner
        with writing(self._engine) as connection:
            if not connection.execute(sa.delete(VIEWS).where(where)).rowcount:
                raise NotFound(f"there is no view {view_id!r} of yours")
