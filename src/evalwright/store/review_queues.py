"""Review queues and their items in the catalog's database: made, listed, counted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from evalwright.core.errors import NotFound
from evalwright.core.review import Content, Hidden, Item, ItemState, Queue, QueueCounts
from evalwright.store.database import reading, writing
from evalwright.store.review_tables import ITEMS, LABELS, QUEUES, SLOTS

BATCH = 500
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_ID = re.compile("[0-9a-z]{1,40}")
FREE, LEASED, DONE = "free", "leased", "done"


def storable(text: str) -> str:
    """A text any database keeps: lone surrogates and NUL become the replacement character."""
    return _UNSTORABLE.sub("\ufffd", text)


def plain_id(text: str) -> bool:
    """Whether a text can be an id; anything else is not looked for."""
    return _ID.fullmatch(text) is not None


def encoded(record: msgspec.Struct) -> str:
    """A record as JSON; lone surrogates become the replacement character."""
    try:
        return msgspec.json.encode(record).decode()
    except UnicodeEncodeError:
        return msgspec.json.encode(_clean(msgspec.to_builtins(record))).decode()


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(key): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list | tuple) else value


def add_queue(engine: sa.Engine, queue: Queue, items: Iterable[Item]) -> int:
    """Keep a new queue with its items and a slot for each label wanted; all of it or nothing.

    Returns:
        How many items it has.
    """
    with writing(engine) as connection:
        settings = encoded(queue)
        row = {"queue_id": queue.id, "name": queue.name, "state": queue.state, "created_at": queue.created_at}
        connection.execute(sa.insert(QUEUES).values(**row, settings=settings))
        return _insert_items(connection, items, queue.created_at)


def add_items(engine: sa.Engine, items: Iterable[Item], *, at: float) -> int:
    """Append items to a queue."""
    with writing(engine) as connection:
        return _insert_items(connection, items, at)


def _insert_items(connection: sa.Connection, items: Iterable[Item], at: float) -> int:
    count = 0
    for batch in _batches(items):
        connection.execute(sa.insert(ITEMS), [_item_row(item, at) for item in batch])
        slots = [
            {"slot_id": f"{item.id}.{n}", "queue_id": item.queue_id, "item_id": item.id, "state": FREE}
            for item in batch
            for n in range(item.wanted)
        ]
        connection.execute(sa.insert(SLOTS), slots)
        count += len(batch)
    return count


def _batches(items: Iterable[Item]) -> Iterator[list[Item]]:
    batch: list[Item] = []
    for item in items:
        batch.append(item)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _item_row(item: Item, at: float) -> dict[str, object]:
    plain = ("queue_id", "number", "priority", "shuffle", "calibration", "wanted")
    return {
        "item_id": item.id,
        "state": item.state.value,
        "created_at": at,
        "content": encoded(item.content),
        "hidden": encoded(item.hidden),
        **{name: getattr(item, name) for name in plain},
    }


def save_queue(engine: sa.Engine, queue: Queue) -> None:
    """Keep changed settings of a queue."""
    with writing(engine) as connection:
        settings = encoded(queue)
        row = sa.update(QUEUES).where(QUEUES.c.queue_id == queue.id)
        connection.execute(row.values(name=queue.name, state=queue.state, settings=settings))


def queues(engine: sa.Engine) -> list[Queue]:
    """All queues, newest first."""
    query = sa.select(QUEUES.c.settings).order_by(QUEUES.c.created_at.desc(), QUEUES.c.queue_id)
    with reading(engine) as connection:
        return [msgspec.json.decode(text, type=Queue) for text in connection.execute(query).scalars()]


def find_queue(engine: sa.Engine, reference: str) -> Queue:
    """A queue by its id, or the newest of a name.

    Raises:
        NotFound: There is none; the hint names those there are.
    """
    found = queues(engine)
    for queue in found:
        if reference == queue.id:
            return queue
    for queue in found:
        if reference == queue.name:
            return queue
    names = ", ".join(f"`{queue.name}`" for queue in found[:8])
    hint = f"there are: {names}" if names else "`evalwright review queue new` makes one"
    raise NotFound(f"there is no review queue {reference!r}", hint=hint)


def item(engine: sa.Engine, item_id: str) -> Item:
    """An item by its id.

    Raises:
        NotFound: There is none.
    """
    row = None
    if plain_id(item_id):
        with reading(engine) as connection:
            row = connection.execute(sa.select(ITEMS).where(ITEMS.c.item_id == item_id)).mappings().first()
    if row is None:
        raise NotFound(f"there is no review item {item_id!r}")
    return made_item(row)


def items(engine: sa.Engine, queue_id: str, *, states: Sequence[ItemState] = ()) -> list[Item]:
    """Items of a queue in the order they were made.

    Args:
        engine: The database.
        queue_id: The queue.
        states: Only items that stand there; all when empty.
    """
    query = sa.select(ITEMS).where(ITEMS.c.queue_id == queue_id).order_by(ITEMS.c.number)
    if states:
        query = query.where(ITEMS.c.state.in_([state.value for state in states]))
    with reading(engine) as connection:
        return [made_item(row) for row in connection.execute(query).mappings()]


def made_item(row: sa.RowMapping) -> Item:
    """A row of the table as an item."""
    plain = ("queue_id", "number", "priority", "shuffle", "calibration", "wanted")
    return Item(
        id=row["item_id"],
        state=ItemState(row["state"]),
        content=msgspec.json.decode(row["content"], type=Content),
        hidden=msgspec.json.decode(row["hidden"], type=Hidden),
        **{name: row[name] for name in plain},
    )


def counts(engine: sa.Engine, queue_ids: Sequence[str], *, now: float) -> dict[str, QueueCounts]:
    """How far queues are, by id; in five queries whatever their size."""
    if not queue_ids:
        return {}
    with reading(engine) as connection:
        states = _states(connection, queue_ids)
        begun = dict(_pairs(connection, _begun(queue_ids, now)))
        labels = dict(_pairs(connection, _standing(queue_ids)))
    return {
        queue_id: QueueCounts(
            items=sum(n for n, _ in found.values()),
            done=sum(n for state, (n, _) in found.items() if state != ItemState.OPEN),
            in_progress=begun.get(queue_id, 0),
            adjudication=found.get(ItemState.DISPUTED, (0, None))[0],
            labels=labels.get(queue_id, 0),
            oldest_at=min((at for state, (_, at) in found.items() if state in _WAITING and at), default=None),
        )
        for queue_id in queue_ids
        for found in [states.get(queue_id, {})]
    }


_WAITING = (ItemState.OPEN, ItemState.DISPUTED)


def _states(
    connection: sa.Connection, queue_ids: Sequence[str]
) -> dict[str, dict[ItemState, tuple[int, float | None]]]:
    query = (
        sa.select(ITEMS.c.queue_id, ITEMS.c.state, sa.func.count(), sa.func.min(ITEMS.c.created_at))
        .where(ITEMS.c.queue_id.in_(queue_ids), ITEMS.c.calibration.is_(False))
        .group_by(ITEMS.c.queue_id, ITEMS.c.state)
    )
    found: dict[str, dict[ItemState, tuple[int, float | None]]] = {}
    for queue_id, state, count, oldest in connection.execute(query):
        found.setdefault(queue_id, {})[ItemState(state)] = (count, oldest)
    return found


def _begun(queue_ids: Sequence[str], now: float) -> sa.Select[Any]:
    """Open items that somebody has labelled or holds."""
    live = sa.or_(SLOTS.c.state == DONE, sa.and_(SLOTS.c.state == LEASED, SLOTS.c.lease_until >= now))
    return (
        sa.select(SLOTS.c.queue_id, sa.func.count(sa.distinct(SLOTS.c.item_id)))
        .join(ITEMS, ITEMS.c.item_id == SLOTS.c.item_id)
        .where(
            SLOTS.c.queue_id.in_(queue_ids),
            live,
            ITEMS.c.state == ItemState.OPEN.value,
            ITEMS.c.calibration.is_(False),
        )
        .group_by(SLOTS.c.queue_id)
    )


def _standing(queue_ids: Sequence[str]) -> sa.Select[Any]:
    taken_back = LABELS.alias("taken_back")
    undone = sa.exists().where(taken_back.c.withdraws == LABELS.c.label_id)
    return (
        sa.select(LABELS.c.queue_id, sa.func.count())
        .where(LABELS.c.queue_id.in_(queue_ids), LABELS.c.withdraws.is_(None), ~undone)
        .group_by(LABELS.c.queue_id)
    )


def _pairs(connection: sa.Connection, query: sa.Select[Any]) -> list[tuple[str, int]]:
    return [(str(key), int(count)) for key, count in connection.execute(query)]
