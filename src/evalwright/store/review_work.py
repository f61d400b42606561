"""Leases, labels, drafts, marks and decisions: what several reviewers do to one queue at the same time.

An item has one slot for each label wanted. A lease is one `UPDATE … WHERE slot = (SELECT …) RETURNING` statement, so
two reviewers never get the same slot; the unique index on item and rater keeps one person from holding two. Labels are
only ever added. What changes an item's state takes the item's row lock first (on SQLite the write lock).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import sqlalchemy as sa

from evalwright.core.errors import Conflict, NotAllowed, NotFound, StoreError
from evalwright.core.review import Decision, Entry, Item, ItemState, Label, Mark
from evalwright.store.database import errors, reading, writing
from evalwright.store.review_queues import DONE, FREE, LEASED, encoded, made_item, plain_id, storable
from evalwright.store.review_tables import DECISIONS, DRAFTS, ITEMS, LABELS, MARKS, SERVED, SLOTS

PRIME = 2_147_483_647
"""Orders are `(shuffle · a + b) mod PRIME` with a and b of the reviewer: the same in every database."""

ATTEMPTS = 5
SKIP, FLAG = "skip", "flag"
LABELLED = ("you have labelled this item already", "undo takes the last label back for a minute")
"""What somebody is told who hands in a second label of one item, and the hint."""
Disputed = Callable[[Sequence[dict[str, str]]], bool]
"""Whether labels of one item differ so that a lead decides."""


class Asking(NamedTuple):
    """Who asks for work, and when.

    Attributes:
        queue_id: The queue.
        rater: Who.
        order: a and b of the reviewer's own order.
        now: Seconds since the epoch.
        lease_s: How long a lease lasts.
        skipped: Whether items they have skipped are wanted.
    """

    queue_id: str
    rater: str
    order: tuple[int, int]
    now: float
    lease_s: float
    skipped: bool = False


class Lease(NamedTuple):
    """An item kept for a reviewer until a time."""

    item: Item
    until: float
    flipped: bool


def lease(engine: sa.Engine, asking: Asking, *, flip: Callable[[str], bool]) -> Lease | None:
    """The item a reviewer holds, or the next one in their order; None when nothing is left for them.

    Args:
        engine: The database.
        asking: Who asks.
        flip: Whether an item's second answer is shown to them as A.
    """
    for _ in range(ATTEMPTS):
        try:
            with engine.execution_options(writes=True).begin() as connection:
                item_id = _held(connection, asking) or _claimed(connection, asking)
                return None if item_id is None else _served(connection, asking, item_id, flip)
        except sa.exc.IntegrityError:
            continue  # they asked twice at once; the other call has the item
        except sa.exc.DBAPIError:
            with errors(engine):
                raise
    raise StoreError("no item could be leased: too many calls at once", hint="try again")


def _held(connection: sa.Connection, asking: Asking) -> str | None:
    """The item they were given or took back last, of those they hold; its lease begins anew."""
    slot = SLOTS.alias("slot")
    last = (
        sa.select(slot.c.slot_id)
        .join(ITEMS, ITEMS.c.item_id == slot.c.item_id)
        .where(
            slot.c.queue_id == asking.queue_id,
            slot.c.state == LEASED,
            slot.c.rater == asking.rater,
            ITEMS.c.state == ItemState.OPEN.value,
        )
        .order_by(slot.c.lease_until.desc(), slot.c.slot_id)
        .limit(1)
    )
    kept = (
        sa.update(SLOTS)
        .where(SLOTS.c.slot_id == last.scalar_subquery(), SLOTS.c.rater == asking.rater, SLOTS.c.state == LEASED)
        .values(lease_until=asking.now + asking.lease_s)
        .returning(SLOTS.c.item_id)
    )
    return connection.execute(kept).scalar()


def _claimed(connection: sa.Connection, asking: Asking) -> str | None:
    claim = (
        sa.update(SLOTS)
        .where(SLOTS.c.slot_id == _best(asking).scalar_subquery())
        .values(state=LEASED, rater=asking.rater, lease_until=asking.now + asking.lease_s)
        .returning(SLOTS.c.item_id)
    )
    return connection.execute(claim).scalar()


def _best(asking: Asking) -> sa.Select[tuple[str]]:
    """The first free or expired slot in the reviewer's order; on PostgreSQL slots others are just taking are passed.

    What is asked of an item is asked once an item, not once a slot: that is most of what the next item costs.
    """
    slot, own = SLOTS.alias("slot"), SLOTS.alias("own")
    free = sa.or_(slot.c.state == FREE, sa.and_(slot.c.state == LEASED, slot.c.lease_until < asking.now))
    mine = sa.exists().where(own.c.item_id == ITEMS.c.item_id, own.c.rater == asking.rater)
    passed = _passed(asking)
    a, b = asking.order
    return (
        sa.select(slot.c.slot_id)
        .join(ITEMS, ITEMS.c.item_id == slot.c.item_id)
        .where(
            ITEMS.c.queue_id == asking.queue_id,
            free,
            ITEMS.c.state == ItemState.OPEN.value,
            ~mine,
            passed if asking.skipped else ~passed,
        )
        .order_by(ITEMS.c.priority.desc(), (ITEMS.c.shuffle * a + b) % PRIME, slot.c.slot_id)
        .limit(1)
        .with_for_update(skip_locked=True, of=slot)
    )


def _passed(asking: Asking) -> sa.Exists:
    """Whether they have skipped an item."""
    return sa.exists().where(MARKS.c.item_id == ITEMS.c.item_id, MARKS.c.rater == asking.rater, MARKS.c.kind == SKIP)


def _served(connection: sa.Connection, asking: Asking, item_id: str, flip: Callable[[str], bool]) -> Lease:
    item = made_item(connection.execute(sa.select(ITEMS).where(ITEMS.c.item_id == item_id)).mappings().one())
    flipped = _note_served(connection, item_id, asking.rater, flip(item_id), asking.now)
    return Lease(item, asking.now + asking.lease_s, flipped)


def _note_served(connection: sa.Connection, item_id: str, rater: str, flipped: bool, now: float) -> bool:
    """Note on which sides the answers were shown; what was noted first stays."""
    known = sa.select(SERVED.c.flipped).where(SERVED.c.item_id == item_id, SERVED.c.rater == rater)
    before = connection.execute(known).scalar()
    if before is not None:
        return bool(before)
    connection.execute(sa.insert(SERVED).values(item_id=item_id, rater=rater, flipped=flipped, at=now))
    return flipped


def renew(engine: sa.Engine, item_id: str, rater: str, *, until: float) -> float:
    """Keep an item longer; a lease that ran out but was not taken by anybody is renewed too.

    Raises:
        Conflict: It is not theirs any more.
    """
    mine = (SLOTS.c.item_id == item_id, SLOTS.c.rater == rater, SLOTS.c.state == LEASED)
    with writing(engine) as connection:
        done = connection.execute(sa.update(SLOTS).where(*mine).values(lease_until=until))
    if not done.rowcount:
        hint = "a label you have begun can still be handed in"
        raise Conflict("the lease on this item has run out and somebody else has it", hint=hint)
    return until


def submit(engine: sa.Engine, label: Label, *, disputed: Disputed) -> tuple[Label, bool]:
    """Keep a label. The same client key again is the same submission.

    A label that comes after the lease ran out is kept all the same, in a free slot or one more.

    Returns:
        The label as kept, and whether it is new.

    Raises:
        Conflict: They were never given the item, or have labelled it already.
    """
    with writing(engine) as connection:
        return _submitted(connection, label, disputed)


def _submitted(connection: sa.Connection, label: Label, disputed: Disputed) -> tuple[Label, bool]:
    item = _locked(connection, label.item_id)
    before = _of_key(connection, label.rater, label.key)
    if before is not None:
        return same_label(before, label), False
    flipped = _side(connection, label)
    kept = msgspec.structs.replace(label, flipped=flipped)
    _fill_slot(connection, kept)
    _insert_label(connection, kept)
    connection.execute(sa.delete(DRAFTS).where(DRAFTS.c.item_id == label.item_id, DRAFTS.c.rater == label.rater))
    _settle(connection, item, disputed)
    return kept, True


def _locked(connection: sa.Connection, item_id: str) -> Item:
    row = connection.execute(sa.select(ITEMS).where(ITEMS.c.item_id == item_id).with_for_update()).mappings().first()
    if row is None:
        raise NotFound(f"there is no review item {item_id!r}")
    return made_item(row)


def _of_key(connection: sa.Connection, rater: str, key: str) -> Label | None:
    query = sa.select(LABELS.c.label).where(LABELS.c.rater == rater, LABELS.c.client_key == key)
    text = connection.execute(query).scalar()
    return None if text is None else msgspec.json.decode(text, type=Label)


def same_label(before: Label, label: Label) -> Label:
    """A label handed in before with the same key.

    Raises:
        Conflict: That was of another item.
    """
    if before.item_id != label.item_id:
        raise Conflict(f"the key {label.key!r} was used for another item", hint="each submission has its own key")
    return before


def _side(connection: sa.Connection, label: Label) -> bool:
    query = sa.select(SERVED.c.flipped).where(SERVED.c.item_id == label.item_id, SERVED.c.rater == label.rater)
    flipped = connection.execute(query).scalar()
    if flipped is None:
        raise NotAllowed("this item was not given to you", hint="ask for the next item")
    return bool(flipped)


def _fill_slot(connection: sa.Connection, label: Label) -> None:
    of_item = SLOTS.c.item_id == label.item_id
    own = sa.select(SLOTS.c.slot_id, SLOTS.c.state).where(of_item, SLOTS.c.rater == label.rater)
    held = connection.execute(own).first()
    if held is not None and held.state == DONE:
        raise Conflict(LABELLED[0], hint=LABELLED[1])
    slot_id = held.slot_id if held is not None else _spare(connection, label)
    if slot_id is not None:
        filled = {"state": DONE, "rater": label.rater, "lease_until": None, "label_id": label.id}
        connection.execute(sa.update(SLOTS).where(SLOTS.c.slot_id == slot_id).values(filled))
        return
    connection.execute(sa.insert(SLOTS).values(extra_slot(label)))


def extra_slot(label: Label) -> dict[str, Any]:
    """One slot more, for a label that comes when all are taken."""
    own = {"slot_id": f"{label.item_id}.{label.id}", "queue_id": label.queue_id, "item_id": label.item_id}
    return own | {"state": DONE, "rater": label.rater, "lease_until": None, "label_id": label.id}


def _spare(connection: sa.Connection, label: Label) -> str | None:
    spare = sa.or_(SLOTS.c.state == FREE, sa.and_(SLOTS.c.state == LEASED, SLOTS.c.lease_until < label.at))
    query = sa.select(SLOTS.c.slot_id).where(SLOTS.c.item_id == label.item_id, spare).limit(1).with_for_update()
    return connection.execute(query).scalar()


def _insert_label(connection: sa.Connection, label: Label) -> None:
    connection.execute(sa.insert(LABELS).values(label_row(label)))


def label_row(label: Label) -> dict[str, Any]:
    """A label as a row of its table."""
    plain = ("queue_id", "item_id", "rater", "at", "withdraws")
    row = {name: getattr(label, name) for name in plain}
    return row | {"label_id": label.id, "client_key": label.key, "label": encoded(label)}


def _settle(connection: sa.Connection, item: Item, disputed: Disputed) -> None:
    """Say where an item stands now; items with a known label stay open."""
    if item.calibration or item.state is ItemState.ADJUDICATED:
        return
    answers = [label.answers for label in _standing_of(connection, LABELS.c.item_id == item.id)]
    state = ItemState.OPEN
    if len(answers) >= item.wanted:
        state = ItemState.DISPUTED if disputed(answers) else ItemState.AGREED
    connection.execute(sa.update(ITEMS).where(ITEMS.c.item_id == item.id).values(state=state.value))


def _standing_of(connection: sa.Connection, which: sa.ColumnElement[bool]) -> list[Label]:
    taken_back = LABELS.alias("taken_back")
    undone = sa.exists().where(taken_back.c.withdraws == LABELS.c.label_id)
    query = sa.select(LABELS.c.label).where(which, LABELS.c.withdraws.is_(None), ~undone).order_by(LABELS.c.at)
    decoder = msgspec.json.Decoder(Label)
    return [decoder.decode(text) for text in connection.execute(query).scalars()]


def undo(engine: sa.Engine, withdrawal: Label, *, window_s: float, lease_s: float, disputed: Disputed) -> Label:
    """Take a label back by a row that says so; the item is leased to its reviewer again, the label is their draft.

    Args:
        engine: The database.
        withdrawal: The new row: who, when, and which label it `withdraws`.
        window_s: How old a label may be.
        lease_s: How long they then have.
        disputed: Whether labels differ.

    Returns:
        The label taken back.

    Raises:
        Conflict: It is not theirs, is too old, was taken back already, or a lead has decided on it.
    """
    label_id = withdrawal.withdraws or ""
    with writing(engine) as connection:
        text = connection.execute(sa.select(LABELS.c.label).where(LABELS.c.label_id == label_id)).scalar()
        label = None if text is None else msgspec.json.decode(text, type=Label)
        if label is None or label.rater != withdrawal.rater:
            raise NotFound("there is no such label of yours")
        item = _locked(connection, label.item_id)
        _check_undo(connection, item, label, withdrawal.at - window_s)
        row = msgspec.structs.replace(withdrawal, queue_id=label.queue_id, item_id=label.item_id)
        _insert_label(connection, row)
        again = {"state": LEASED, "lease_until": withdrawal.at + lease_s, "label_id": None}
        connection.execute(sa.update(SLOTS).where(SLOTS.c.label_id == label_id).values(again))
        _keep_draft(connection, item.id, label.rater, _as_entry(label), withdrawal.at)
        _settle(connection, item, disputed)
    return label


def _check_undo(connection: sa.Connection, item: Item, label: Label, since: float) -> None:
    if label.at < since:
        raise Conflict("it is too late to take this label back", hint="flag the item for the lead instead")
    if item.state is ItemState.ADJUDICATED:
        raise Conflict("a lead has decided on this item")
    if connection.execute(sa.select(LABELS.c.label_id).where(LABELS.c.withdraws == label.id)).first():
        raise Conflict("this label was taken back already")


def _as_entry(label: Label) -> Entry:
    return Entry(
        answers=label.answers,
        rationale=label.rationale,
        spans=label.spans,
        seconds=label.seconds,
        confidence=label.confidence,
    )


def save_draft(engine: sa.Engine, item_id: str, rater: str, entry: Entry, *, at: float) -> None:
    """Keep what a reviewer has filled in so far; replaces their former draft.

    Raises:
        Conflict: They were never given the item, or have labelled it.
    """
    with writing(engine) as connection:
        own = sa.select(SLOTS.c.state).where(SLOTS.c.item_id == item_id, SLOTS.c.rater == rater)
        state = connection.execute(own).scalar()
        served = sa.select(SERVED.c.at).where(SERVED.c.item_id == item_id, SERVED.c.rater == rater)
        if state == DONE or connection.execute(served).first() is None:
            raise Conflict("you are not labelling this item", hint="ask for the next item")
        _keep_draft(connection, item_id, rater, entry, at)


def _keep_draft(connection: sa.Connection, item_id: str, rater: str, entry: Entry, at: float) -> None:
    values = {"at": at, "entry": encoded(entry)}
    mine = (DRAFTS.c.item_id == item_id, DRAFTS.c.rater == rater)
    if not connection.execute(sa.update(DRAFTS).where(*mine).values(values)).rowcount:
        connection.execute(sa.insert(DRAFTS).values(item_id=item_id, rater=rater, **values))


def draft(engine: sa.Engine, item_id: str, rater: str) -> Entry | None:
    """What a reviewer has filled in and not handed in."""
    query = sa.select(DRAFTS.c.entry).where(DRAFTS.c.item_id == item_id, DRAFTS.c.rater == rater)
    with reading(engine) as connection:
        text = connection.execute(query).scalar()
    return None if text is None else msgspec.json.decode(text, type=Entry)


def skip(engine: sa.Engine, mark: Mark, *, mark_id: str) -> None:
    """Give an item back for others; its reviewer gets it again only when they ask for what they skipped.

    Raises:
        Conflict: They do not hold it.
    """
    mine = (SLOTS.c.item_id == mark.item_id, SLOTS.c.rater == mark.rater, SLOTS.c.state == LEASED)
    with writing(engine) as connection:
        freed = sa.update(SLOTS).where(*mine).values(state=FREE, rater=None, lease_until=None)
        if not connection.execute(freed).rowcount:
            raise Conflict("you do not hold this item", hint="ask for the next item")
        _insert_mark(connection, mark, mark_id)


def flag(engine: sa.Engine, mark: Mark, *, mark_id: str) -> None:
    """Note that a lead should look at an item.

    Raises:
        Conflict: They were never given the item.
    """
    served = sa.select(SERVED.c.at).where(SERVED.c.item_id == mark.item_id, SERVED.c.rater == mark.rater)
    with writing(engine) as connection:
        if connection.execute(served).first() is None:
            raise NotAllowed("this item was not given to you")
        _insert_mark(connection, mark, mark_id)


def _insert_mark(connection: sa.Connection, mark: Mark, mark_id: str) -> None:
    row = {name: getattr(mark, name) for name in Mark.__struct_fields__} | {"note": storable(mark.note)}
    connection.execute(sa.insert(MARKS).values(mark_id=mark_id, **row))


def marks(engine: sa.Engine, queue_id: str) -> list[Mark]:
    """Skips and flags of a queue, oldest first."""
    columns = [MARKS.c[name] for name in Mark.__struct_fields__]
    of_queue = MARKS.c.item_id.in_(sa.select(ITEMS.c.item_id).where(ITEMS.c.queue_id == queue_id))
    with reading(engine) as connection:
        rows = connection.execute(sa.select(*columns).where(of_queue).order_by(MARKS.c.at)).mappings()
        return [Mark(**row) for row in rows]


def labels(engine: sa.Engine, queue_id: str) -> list[Label]:
    """The labels of a queue that stand, oldest first."""
    with reading(engine) as connection:
        return _standing_of(connection, LABELS.c.queue_id == queue_id)


def item_labels(engine: sa.Engine, item_id: str) -> list[Label]:
    """The labels of an item that stand, oldest first."""
    if not plain_id(item_id):
        return []
    with reading(engine) as connection:
        return _standing_of(connection, LABELS.c.item_id == item_id)


def history(engine: sa.Engine, queue_id: str) -> list[Label]:
    """Every row of labels as written, those taken back and those that take back included."""
    query = sa.select(LABELS.c.label).where(LABELS.c.queue_id == queue_id).order_by(LABELS.c.at)
    with reading(engine) as connection:
        return [msgspec.json.decode(text, type=Label) for text in connection.execute(query).scalars()]


class Progress(NamedTuple):
    """How far one reviewer is in a queue: labelled, skipped, and what is left for them."""

    done: int
    skipped: int
    left: int


def progress(engine: sa.Engine, asking: Asking) -> Progress:
    """How far a reviewer is; items they hold are left to do."""
    done = sa.select(sa.func.count()).where(
        SLOTS.c.queue_id == asking.queue_id, SLOTS.c.rater == asking.rater, SLOTS.c.state == DONE
    )
    own = SLOTS.alias("own")
    finished = sa.exists().where(own.c.item_id == MARKS.c.item_id, own.c.rater == asking.rater, own.c.state == DONE)
    skipped = (
        sa.select(sa.func.count(sa.distinct(MARKS.c.item_id)))
        .join(ITEMS, ITEMS.c.item_id == MARKS.c.item_id)
        .where(ITEMS.c.queue_id == asking.queue_id, MARKS.c.rater == asking.rater, MARKS.c.kind == SKIP, ~finished)
    )
    with reading(engine) as connection:
        return Progress(*(int(connection.execute(query).scalar() or 0) for query in (done, skipped, _left(asking))))


def _left(asking: Asking) -> sa.Select[Any]:
    slot, own = SLOTS.alias("slot"), SLOTS.alias("own")
    held = sa.and_(slot.c.state == LEASED, sa.or_(slot.c.lease_until < asking.now, slot.c.rater == asking.rater))
    there = sa.exists().where(slot.c.item_id == ITEMS.c.item_id, sa.or_(slot.c.state == FREE, held))
    labelled = sa.exists().where(own.c.item_id == ITEMS.c.item_id, own.c.rater == asking.rater, own.c.state == DONE)
    return (
        sa.select(sa.func.count())
        .select_from(ITEMS)
        .where(
            ITEMS.c.queue_id == asking.queue_id,
            ITEMS.c.state == ItemState.OPEN.value,
            there,
            ~labelled,
            ~_passed(asking),
        )
    )


def decide(engine: sa.Engine, decision: Decision) -> None:
    """Keep a lead's decision; an earlier one stays in the log, the last counts."""
    with writing(engine) as connection:
        _locked(connection, decision.item_id)
        text = encoded(decision)
        row = {"decision_id": decision.id, "item_id": decision.item_id, "at": decision.at}
        connection.execute(sa.insert(DECISIONS).values(**row, decision=text))
        done = sa.update(ITEMS).where(ITEMS.c.item_id == decision.item_id)
        connection.execute(done.values(state=ItemState.ADJUDICATED.value))


def decisions(engine: sa.Engine, queue_id: str) -> dict[str, Decision]:
    """The decision that counts, by item."""
    of_queue = DECISIONS.c.item_id.in_(sa.select(ITEMS.c.item_id).where(ITEMS.c.queue_id == queue_id))
    query = sa.select(DECISIONS.c.decision).where(of_queue).order_by(DECISIONS.c.at)
    with reading(engine) as connection:
        found = [msgspec.json.decode(text, type=Decision) for text in connection.execute(query).scalars()]
    return {decision.item_id: decision for decision in found}


def queue_of_label(engine: sa.Engine, label_id: str) -> str | None:
    """The queue a label belongs to; None when there is no such label."""
    if not plain_id(label_id):
        return None
    with reading(engine) as connection:
        return connection.execute(sa.select(LABELS.c.queue_id).where(LABELS.c.label_id == label_id)).scalar()


def leases(engine: sa.Engine, queue_id: str, *, now: float) -> dict[str, list[str]]:
    """Who holds which items of a queue now, by item."""
    live = (SLOTS.c.queue_id == queue_id, SLOTS.c.state == LEASED, SLOTS.c.lease_until >= now)
    found: dict[str, list[str]] = {}
    with reading(engine) as connection:
        for item_id, rater in connection.execute(sa.select(SLOTS.c.item_id, SLOTS.c.rater).where(*live)):
            found.setdefault(item_id, []).append(rater)
    return found
