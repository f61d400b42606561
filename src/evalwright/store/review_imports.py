"""Many labels from elsewhere at once: what they need is read, decided on in memory, and written, a few statements each.

The same rules as for one label (`review_work.submit`), and the same locks: the items first, in the order of their ids,
then their slots. The items' locks let rows refer to them, so that a reviewer who is just being given a slot of one does
not wait for its item while this waits for the slot.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa

from evalwright.core.errors import Conflict, EvalwrightError, NotFound, UsageError
from evalwright.core.review import ItemState, Label
from evalwright.store.database import writing
from evalwright.store.review_queues import DONE, FREE, LEASED
from evalwright.store.review_tables import DRAFTS, ITEMS, LABELS, SERVED, SLOTS
from evalwright.store.review_work import LABELLED, Disputed, extra_slot, label_row, same_label

_DECODER = msgspec.json.Decoder(Label)


def submit_many(
    engine: sa.Engine, labels: Sequence[Label], *, disputed: Disputed
) -> list[tuple[Label, bool] | EvalwrightError]:
    """Keep labels from elsewhere in one transaction; one that can't be kept does not keep the others out.

    Args:
        engine: The database.
        labels: Some hundred labels, of any items.
        disputed: Whether labels of one item differ.

    Returns:
        For each what `submit` would return or raise.
    """
    with writing(engine) as connection:
        batch = _read(connection, labels)
        found = [_tried(batch, label) for label in labels]
        _write(connection, batch, disputed)
    return found


@dataclass(slots=True)
class _Slot:
    id: str
    state: str
    rater: str | None
    lease_until: float | None

    def spare(self, at: float) -> bool:
        """Whether a label that comes now may have it."""
        return self.state == FREE or (self.state == LEASED and (self.lease_until or 0.0) < at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """An item as far as labels change it; `answers` are those of labels that stand."""

    wanted: int
    fixed: bool
    state: str
    slots: list[_Slot] = field(default_factory=list)
    answers: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """The state labels need, and the rows they come to."""

    places: dict[str, _Place]
    served: dict[tuple[str, str], bool]
    keys: dict[tuple[str, str], Label]
    new_served: list[dict[str, Any]] = field(default_factory=list)
    filled: list[dict[str, Any]] = field(default_factory=list)
    extra: list[dict[str, Any]] = field(default_factory=list)
    kept: list[Label] = field(default_factory=list)


# --- read -----------------------------------------------------------------------------------------------------------


def _read(connection: sa.Connection, labels: Sequence[Label]) -> _Batch:
    ids = sorted({label.item_id for label in labels})
    places = _places(connection, ids)
    _add_slots(connection, places, ids)
    _add_answers(connection, places, ids)
    return _Batch(places=places, served=_served(connection, ids), keys=_keys(connection, labels))


def _places(connection: sa.Connection, ids: list[str]) -> dict[str, _Place]:
    columns = (ITEMS.c.item_id, ITEMS.c.wanted, ITEMS.c.calibration, ITEMS.c.state)
    query = sa.select(*columns).where(ITEMS.c.item_id.in_(ids)).order_by(ITEMS.c.item_id)
    return {
        item_id: _Place(wanted=wanted, fixed=calibration or state == ItemState.ADJUDICATED, state=state)
        for item_id, wanted, calibration, state in connection.execute(query.with_for_update(key_share=True))
    }


def _add_slots(connection: sa.Connection, places: dict[str, _Place], ids: list[str]) -> None:
    columns = (SLOTS.c.item_id, SLOTS.c.slot_id, SLOTS.c.state, SLOTS.c.rater, SLOTS.c.lease_until)
    query = sa.select(*columns).where(SLOTS.c.item_id.in_(ids)).order_by(SLOTS.c.slot_id).with_for_update()
    for item_id, *values in connection.execute(query):
        places[item_id].slots.append(_Slot(*values))


def _add_answers(connection: sa.Connection, places: dict[str, _Place], ids: list[str]) -> None:
    texts = connection.execute(sa.select(LABELS.c.label).where(LABELS.c.item_id.in_(ids)).order_by(LABELS.c.at))
    rows = [_DECODER.decode(text) for text in texts.scalars()]
    undone = {row.withdraws for row in rows}
    for row in rows:
        if row.withdraws is None and row.id not in undone:
            places[row.item_id].answers.append(row.answers)


def _served(connection: sa.Connection, ids: list[str]) -> dict[tuple[str, str], bool]:
    query = sa.select(SERVED.c.item_id, SERVED.c.rater, SERVED.c.flipped).where(SERVED.c.item_id.in_(ids))
    return {(item_id, rater): bool(flipped) for item_id, rater, flipped in connection.execute(query)}


def _keys(connection: sa.Connection, labels: Iterable[Label]) -> dict[tuple[str, str], Label]:
    pairs = sorted({(label.rater, label.key) for label in labels})
    query = sa.select(LABELS.c.label).where(sa.tuple_(LABELS.c.rater, LABELS.c.client_key).in_(pairs))
    found = [_DECODER.decode(text) for text in connection.execute(query).scalars()]
    return {(label.rater, label.key): label for label in found}


# --- decide ---------------------------------------------------------------------------------------------------------


def _tried(batch: _Batch, label: Label) -> tuple[Label, bool] | EvalwrightError:
    try:
        return _kept(batch, label)
    except UsageError as error:
        return error


def _kept(batch: _Batch, label: Label) -> tuple[Label, bool]:
    place = batch.places.get(label.item_id)
    if place is None:
        raise NotFound(f"there is no review item {label.item_id!r}")
    before = batch.keys.get((label.rater, label.key))
    if before is not None:
        return same_label(before, label), False
    kept = msgspec.structs.replace(label, flipped=_side(batch, label))
    _fill_slot(batch, place, kept)
    place.answers.append(kept.answers)
    batch.keys[kept.rater, kept.key] = kept
    batch.kept.append(kept)
    return kept, True


def _side(batch: _Batch, label: Label) -> bool:
    """On which sides they saw the answers; what was noted first stays."""
    who = (label.item_id, label.rater)
    if who not in batch.served:
        batch.served[who] = label.flipped
        row = {"item_id": label.item_id, "rater": label.rater, "flipped": label.flipped, "at": label.at}
        batch.new_served.append(row)
    return batch.served[who]


def _fill_slot(batch: _Batch, place: _Place, label: Label) -> None:
    held = next((slot for slot in place.slots if slot.rater == label.rater), None)
    if held is not None and held.state == DONE:
        raise Conflict(LABELLED[0], hint=LABELLED[1])
    slot = held or next((slot for slot in place.slots if slot.spare(label.at)), None)
    if slot is None:
        row = extra_slot(label)
        batch.extra.append(row)
        place.slots.append(_Slot(row["slot_id"], DONE, label.rater, None))
        return
    slot.state, slot.rater, slot.lease_until = DONE, label.rater, None
    batch.filled.append({"of_slot": slot.id, "of_rater": label.rater, "of_label": label.id})


# --- write ----------------------------------------------------------------------------------------------------------

_FILL = (
    sa.update(SLOTS)
    .where(SLOTS.c.slot_id == sa.bindparam("of_slot"))
    .values(state=DONE, rater=sa.bindparam("of_rater"), lease_until=None, label_id=sa.bindparam("of_label"))
)


def _write(connection: sa.Connection, batch: _Batch, disputed: Disputed) -> None:
    """Slots are filled in the order of the labels, so that nobody has two of one item in between."""
    steps: tuple[tuple[sa.Executable, list[dict[str, Any]]], ...] = (
        (sa.insert(SERVED), batch.new_served),
        (_FILL, batch.filled),
        (sa.insert(SLOTS), batch.extra),
        (sa.insert(LABELS), [label_row(label) for label in batch.kept]),
    )
    for statement, rows in steps:
        if rows:
            connection.execute(statement, rows)
    if batch.kept:
        pairs = [(label.item_id, label.rater) for label in batch.kept]
        connection.execute(sa.delete(DRAFTS).where(sa.tuple_(DRAFTS.c.item_id, DRAFTS.c.rater).in_(pairs)))
    _settle(connection, batch, disputed)


def _settle(connection: sa.Connection, batch: _Batch, disputed: Disputed) -> None:
    """Say where the items stand now; items with a known label stay open."""
    moved: dict[str, list[str]] = defaultdict(list)
    for item_id in sorted({label.item_id for label in batch.kept}):
        place = batch.places[item_id]
        state = _state(place, disputed)
        if not place.fixed and state != place.state:
            moved[state].append(item_id)
    for state, ids in moved.items():
        connection.execute(sa.update(ITEMS).where(ITEMS.c.item_id.in_(ids)).values(state=state))


def _state(place: _Place, disputed: Disputed) -> str:
    if len(place.answers) < place.wanted:
        return ItemState.OPEN.value
    return ItemState.DISPUTED.value if disputed(place.answers) else ItemState.AGREED.value
