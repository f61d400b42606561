"""Webhooks, what is to be delivered to them, notices of what was told already, and saved views."""

from __future__ import annotations

from typing import Any

import msgspec
import sqlalchemy as sa

from evalwright.core.errors import NotFound
from evalwright.store.accounts.people import rows_as
from evalwright.store.database import reading, writing
from evalwright.store.schedule_tables import DELIVERIES, NOTICES, WEBHOOKS

_REMEMBERED = 100_000


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """Where a project's events are told.

    Attributes:
        id: Short id.
        project: Name of the project.
        name: What people call it.
        kind: `webhook` (signed JSON), `slack`, `teams` or `email`.
        address: Where to: a URL, a reference `${NAME}` to one, or e-mail addresses with commas between them.
        secret: Reference `${NAME}` to the secret bodies are signed with.
        events: Which events.
        enabled: Whether anything is sent.
        created_by: Who made it.
        created_at: Seconds since the epoch.
    """

    id: str
    project: str
    name: str
    kind: str
    address: str
    secret: str = ""
    events: tuple[str, ...] = ()
    enabled: bool = True
    created_by: str = ""
    created_at: float = 0.0


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """One event for one webhook.

    Attributes:
        id: Id, which stays the same over attempts.
        webhook_id: The webhook.
        event: Kind of event.
        payload: The event as JSON.
        state: `waiting`, `delivered` or `failed` (given up).
        attempts: How many there were.
        next_at: When the next attempt is due.
        claimed_until: Until when a server has it.
        created_at: Seconds since the epoch.
        finished_at: When it was delivered or given up.
        status: HTTP status of the last attempt.
        error: What went wrong at the last attempt.
    """

    id: str
    webhook_id: str
    event: str
    payload: str
    state: str = "waiting"
    attempts: int = 0
    next_at: float = 0.0
    claimed_until: float = 0.0
    created_at: float = 0.0
    finished_at: float | None = None
    status: int | None = None
    error: str = ""


class WebhookStore:
    """Webhooks and deliveries; several servers may use it at once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._known: set[str] = set()

    def add(self, webhook: Webhook) -> None:
        """Keep a new webhook."""
        with writing(self._engine) as connection:
            connection.execute(sa.insert(WEBHOOKS).values(msgspec.structs.asdict(webhook)))

    def get(self, project: str, webhook_id: str) -> Webhook:
        """A webhook of a project.

        Raises:
            NotFound: There is none of this id.
        """
        query = sa.select(WEBHOOKS).where(WEBHOOKS.c.id == webhook_id, WEBHOOKS.c.project == project)
        with reading(self._engine) as connection:
            found = rows_as(Webhook, connection.execute(query))
        if not found:
            raise NotFound(f"there is no webhook {webhook_id!r}")
        return found[0]

    def of_project(self, project: str) -> list[Webhook]:
        """Webhooks of a project by name."""
        query = sa.select(WEBHOOKS).where(WEBHOOKS.c.project == project).order_by(WEBHOOKS.c.name)
        with reading(self._engine) as connection:
            return rows_as(Webhook, connection.execute(query))

    def change(self, webhook: Webhook) -> None:
        """Keep a webhook's new state."""
        with writing(self._engine) as connection:
            same = WEBHOOKS.c.id == webhook.id
            connection.execute(sa.update(WEBHOOKS).where(same).values(msgspec.structs.asdict(webhook)))

    def remove(self, project: str, webhook_id: str) -> None:
        """Forget a webhook and its deliveries.

        Raises:
            NotFound: There is none of this id.
        """
        same = (WEBHOOKS.c.id == webhook_id) & (WEBHOOKS.c.project == project)
        with writing(self._engine) as connection:
            if not connection.execute(sa.delete(WEBHOOKS).where(same)).rowcount:
                raise NotFound(f"there is no webhook {webhook_id!r}")

    def enqueue(self, deliveries: list[Delivery]) -> None:
        """Keep what is to be delivered."""
        if deliveries:
            with writing(self._engine) as connection:
                connection.execute(sa.insert(DELIVERIES), [msgspec.structs.asdict(one) for one in deliveries])

    def claim(self, now: float, *, lasts_s: float, limit: int) -> list[tuple[Delivery, Webhook]]:
        """Deliveries that are due, each given to one server for a while."""
        ready = (DELIVERIES.c.state == "waiting") & (DELIVERIES.c.next_at <= now) & (DELIVERIES.c.claimed_until <= now)
        with reading(self._engine) as connection:
            query = sa.select(DELIVERIES.c.id).where(ready).order_by(DELIVERIES.c.next_at).limit(limit)
            ids = [row.id for row in connection.execute(query)]
        return [pair for one in ids if (pair := self._claimed(one, ready, now, lasts_s)) is not None]

    def _claimed(
        self, delivery_id: str, ready: sa.ColumnElement[bool], now: float, lasts_s: float
    ) -> tuple[Delivery, Webhook] | None:
        mine = (DELIVERIES.c.id == delivery_id) & ready
        values = {"claimed_until": now + lasts_s, "attempts": DELIVERIES.c.attempts + 1}
        with writing(self._engine) as connection:
            if not connection.execute(sa.update(DELIVERIES).where(mine).values(values)).rowcount:
                return None
            delivery = rows_as(
                Delivery, connection.execute(sa.select(DELIVERIES).where(DELIVERIES.c.id == delivery_id))
            )
            same = WEBHOOKS.c.id == delivery[0].webhook_id
            return delivery[0], rows_as(Webhook, connection.execute(sa.select(WEBHOOKS).where(same)))[0]

    def settle(self, delivery_id: str, **values: Any) -> None:
        """Note what became of an attempt."""
        with writing(self._engine) as connection:
            same = DELIVERIES.c.id == delivery_id
            connection.execute(sa.update(DELIVERIES).where(same).values({**values, "claimed_until": 0.0}))

    def deliveries(self, webhook_id: str, *, limit: int) -> list[Delivery]:
        """Deliveries of a webhook, newest first."""
        query = sa.select(DELIVERIES).where(DELIVERIES.c.webhook_id == webhook_id)
        with reading(self._engine) as connection:
            rows = connection.execute(query.order_by(DELIVERIES.c.created_at.desc(), DELIVERIES.c.id).limit(limit))
            return rows_as(Delivery, rows)

    def counts(self) -> dict[str, int]:
        """How many deliveries there are by state."""
        query = sa.select(DELIVERIES.c.state, sa.func.count()).group_by(DELIVERIES.c.state)
        with reading(self._engine) as connection:
            return {str(state): int(count) for state, count in connection.execute(query)}

    def first_notice(self, key: str, now: float, value: str = "") -> bool:
        """Whether nobody was told of this before; of several servers that ask at once, one hears yes.

        What was noted once is remembered, so that asking again and again takes no query.
        """
        if key in self._known:
            return False
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        self._known.add(key)
        try:
            with writing(self._engine) as connection:
                if connection.execute(sa.select(NOTICES.c.key).where(NOTICES.c.key == key)).first():
                    return False
                connection.execute(sa.insert(NOTICES).values(key=key, value=value, at=now))
        except sa.exc.IntegrityError:
            return False
        return True

    def notice(self, key: str) -> str | None:
        """What was noted under a key."""
        with reading(self._engine) as connection:
            return connection.execute(sa.select(NOTICES.c.value).where(NOTICES.c.key == key)).scalar()

    def note(self, key: str, value: str, now: float) -> str | None:
        """Note something under a key; what was noted before."""
        with writing(self._engine) as connection:
            before = connection.execute(sa.select(NOTICES.c.value).where(NOTICES.c.key == key)).scalar()
            connection.execute(sa.delete(NOTICES).where(NOTICES.c.key == key))
            connection.execute(sa.insert(NOTICES).values(key=key, value=value, at=now))
        return before
