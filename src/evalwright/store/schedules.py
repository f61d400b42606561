"""Schedules and their slots in the catalog of the root workspace; who does what is decided by single updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from evalwright.core.errors import NotFound
from evalwright.store.accounts.people import rows_as
from evalwright.store.database import reading, writing
from evalwright.store.schedule_tables import SCHEDULES, SLOTS


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A suite that is run at certain times.

    Attributes:
        id: Short id.
        project: Name of the project.
        name: What people call it.
        suite: Suite file, below the project's folder of suites.
        cron: When, five fields.
        timezone: In whose time, an IANA name.
        options: Options of `evalwright run` by name.
        enabled: Whether it runs.
        created_by: Who made it.
        created_at: Seconds since the epoch.
        next_at: The next slot; None when disabled.
    """

    id: str
    project: str
    name: str
    suite: str
    cron: str
    timezone: str = "UTC"
    options: dict[str, Any] = {}
    enabled: bool = True
    created_by: str = ""
    created_at: float = 0.0
    next_at: float | None = None


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A time at which a schedule was due.

    Attributes:
        schedule_id: The schedule.
        slot_at: Seconds since the epoch.
        state: `waiting`, `running`, `done`, `failed`, `missed` (no server was there), `skipped` (the one before was
            still running), `lost` (the server that ran it died).
        server: Which server process has it.
        started_at: When the run began.
        alive_at: When its server last said so.
        finished_at: When the run ended.
        run_id: The run, once it is known.
        exit_code: Of `evalwright run`.
        note: More in words.
    """

    schedule_id: str
    slot_at: float
    state: str
    server: str = ""
    started_at: float | None = None
    alive_at: float | None = None
    finished_at: float | None = None
    run_id: str | None = None
    exit_code: int | None = None
    note: str = ""


class ScheduleStore:
    """Schedules and slots; several servers may use it at once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def add(self, schedule: Schedule) -> None:
        """Keep a new schedule."""
        with writing(self._engine) as connection:
            connection.execute(sa.insert(SCHEDULES).values(msgspec.structs.asdict(schedule)))

    def get(self, project: str, schedule_id: str) -> Schedule:
        """A schedule of a project.

        Raises:
            NotFound: There is none of this id.
        """
        query = sa.select(SCHEDULES).where(SCHEDULES.c.id == schedule_id, SCHEDULES.c.project == project)
        with reading(self._engine) as connection:
            found = rows_as(Schedule, connection.execute(query))
        if not found:
            raise NotFound(f"there is no schedule {schedule_id!r}")
        return found[0]

    def of_project(self, project: str) -> list[Schedule]:
        """Schedules of a project by name."""
        query = sa.select(SCHEDULES).where(SCHEDULES.c.project == project).order_by(SCHEDULES.c.name)
        with reading(self._engine) as connection:
            return rows_as(Schedule, connection.execute(query))

    def change(self, schedule: Schedule) -> None:
        """Keep a schedule's new state."""
        values = msgspec.structs.asdict(schedule)
        with writing(self._engine) as connection:
            connection.execute(sa.update(SCHEDULES).where(SCHEDULES.c.id == schedule.id).values(values))

    def remove(self, project: str, schedule_id: str) -> None:
        """Forget a schedule and its slots.

        Raises:
            NotFound: There is none of this id.
        """
        same = (SCHEDULES.c.id == schedule_id) & (SCHEDULES.c.project == project)
        with writing(self._engine) as connection:
            if not connection.execute(sa.delete(SCHEDULES).where(same)).rowcount:
                raise NotFound(f"there is no schedule {schedule_id!r}")

    def due(self, now: float) -> list[Schedule]:
        """Schedules with a slot that has come."""
        query = sa.select(SCHEDULES).where(SCHEDULES.c.enabled, SCHEDULES.c.next_at <= now)
        with reading(self._engine) as connection:
            return rows_as(Schedule, connection.execute(query))

    def take(self, schedule: Schedule, next_at: float | None, slots: Sequence[Slot]) -> bool:
        """Move a schedule on and note what becomes of the slots passed; False when another server did so."""
        same = (SCHEDULES.c.id == schedule.id) & (SCHEDULES.c.next_at == schedule.next_at) & SCHEDULES.c.enabled
        with writing(self._engine) as connection:
            if not connection.execute(sa.update(SCHEDULES).where(same).values(next_at=next_at)).rowcount:
                return False
            if slots:
                connection.execute(sa.insert(SLOTS), [msgspec.structs.asdict(slot) for slot in slots])
        return True

    def add_slot(self, slot: Slot) -> None:
        """Note a slot that no cron asked for."""
        with writing(self._engine) as connection:
            connection.execute(sa.insert(SLOTS).values(msgspec.structs.asdict(slot)))

    def running(self, schedule_id: str, since: float) -> bool:
        """Whether a run of this schedule is under way whose server was alive at this time or later."""
        where = (SLOTS.c.schedule_id == schedule_id) & SLOTS.c.state.in_(("waiting", "running"))
        with reading(self._engine) as connection:
            query = sa.select(SLOTS.c.slot_at).where(where, SLOTS.c.alive_at >= since).limit(1)
            return connection.execute(query).first() is not None

    def update(self, schedule_id: str, slot_at: float, **values: Any) -> None:
        """Change what is known of a slot."""
        same = (SLOTS.c.schedule_id == schedule_id) & (SLOTS.c.slot_at == slot_at)
        with writing(self._engine) as connection:
            connection.execute(sa.update(SLOTS).where(same).values(values))

    def alive(self, server: str, now: float) -> None:
        """Say that a server still has the slots it took, also those that wait for a free process."""
        mine = (SLOTS.c.server == server) & SLOTS.c.state.in_(("waiting", "running"))
        with reading(self._engine) as connection:
            if connection.execute(sa.select(SLOTS.c.slot_at).where(mine).limit(1)).first() is None:
                return
        with writing(self._engine) as connection:
            connection.execute(sa.update(SLOTS).where(mine).values(alive_at=now))

    def lose(self, before: float, now: float) -> int:
        """Mark slots whose server has not been heard of since; how many."""
        quiet = SLOTS.c.state.in_(("waiting", "running")) & (SLOTS.c.alive_at < before)
        values = {"state": "lost", "finished_at": now, "note": "its server died; `evalwright resume` may go on"}
        with writing(self._engine) as connection:
            return int(connection.execute(sa.update(SLOTS).where(quiet).values(values)).rowcount)

    def slots(self, schedule_id: str, *, limit: int) -> list[Slot]:
        """Slots of a schedule, newest first."""
        query = sa.select(SLOTS).where(SLOTS.c.schedule_id == schedule_id).order_by(SLOTS.c.slot_at.desc())
        with reading(self._engine) as connection:
            return rows_as(Slot, connection.execute(query.limit(limit)))
