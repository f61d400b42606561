"""How far each item of a queue is, for its lead: coverage, flags, skips; no agreement while people still label."""

from __future__ import annotations

from collections import defaultdict

import msgspec

from evalwright.core.review import Mark, Queue
from evalwright.services.reviewing.label_studio import plain
from evalwright.store import review_queues, review_work
from evalwright.store.workspace import Workspace

SHOWN = 200


class ItemProgress(msgspec.Struct, frozen=True, kw_only=True):
    """One item.

    Attributes:
        id: Its id.
        number: Place in the queue.
        case_id: Id of the case.
        input: What was asked, its first characters.
        state: Where it stands.
        calibration: Whether its right label is known.
        priority: Higher comes first.
        wanted: Labels wanted.
        labels: Labels there are.
        leased_to: Who holds it now.
        flags: What was flagged.
        skips: How many passed on it.
    """

    id: str
    number: int
    case_id: str
    input: str
    state: str
    calibration: bool
    priority: int
    wanted: int
    labels: int
    leased_to: tuple[str, ...] = ()
    flags: tuple[Mark, ...] = ()
    skips: int = 0


def item_progress(workspace: Workspace, queue: Queue, *, now: float) -> list[ItemProgress]:
    """All items of a queue, in order."""
    engine = workspace.catalog.engine
    labels: dict[str, int] = defaultdict(int)
    for label in review_work.labels(engine, queue.id):
        labels[label.item_id] += 1
    flags: dict[str, list[Mark]] = defaultdict(list)
    skips: dict[str, int] = defaultdict(int)
    for mark in review_work.marks(engine, queue.id):
        if mark.kind == review_work.FLAG:
            flags[mark.item_id].append(mark)
        else:
            skips[mark.item_id] += 1
    leased = review_work.leases(engine, queue.id, now=now)
    return [
        ItemProgress(
            id=item.id,
            number=item.number,
            case_id=item.hidden.case_id,
            input=plain(item.content.input)[:SHOWN],
            state=item.state.value,
            calibration=item.calibration,
            priority=item.priority,
            wanted=item.wanted,
            labels=labels[item.id],
            leased_to=tuple(leased.get(item.id, ())),
            flags=tuple(flags[item.id]),
            skips=skips[item.id],
        )
        for item in review_queues.items(engine, queue.id)
    ]
