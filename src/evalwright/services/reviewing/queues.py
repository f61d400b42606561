"""Queues: made from runs, pairs, golden sets, rows or disagreements; listed, closed, counted."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import numpy as np

from evalwright.core.case import Json
from evalwright.core.errors import Conflict, UsageError
from evalwright.core.review import CHOICES, Content, Hidden, Item, Queue, QueueCounts, QueueKind
from evalwright.core.rubric import Rubric
from evalwright.review.blinding import PRIME, new_id
from evalwright.review.rules import level_of, rationale_problem
from evalwright.review.selection import Candidate, Chosen, choose_active, choose_random, strata_of
from evalwright.services.calibration import output_hash
from evalwright.services.golden import opened
from evalwright.services.reviewing.candidates import Found, candidates, of_row
from evalwright.services.reviewing.requests import MAX_ITEMS, MAX_RATERS, NewQueue
from evalwright.store import review_queues as store
from evalwright.store.cards import CardStore
from evalwright.store.workspace import Workspace

CALIBRATION_LABELS = 25
"""How many reviewers can be given an item with a known label when nobody is named."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A queue that was made.

    Attributes:
        queue: The queue.
        items: How many items, those with known labels aside.
        calibration: How many with known labels.
        eligible: How many the source held.
        chosen: How active selection chose, None with other methods.
        notes: What is worth knowing.
    """

    queue: Queue
    items: int
    calibration: int
    eligible: int
    chosen: Chosen | None = None
    notes: tuple[str, ...] = ()


def make_queue(workspace: Workspace, asked: NewQueue, *, by: str, now: float | None = None) -> Made:
    """Make a queue.

    Raises:
        UsageError: Settings that do not fit together, a source that is not there, or nothing to review in it.
    """
    _check(asked)
    found = _distinct(candidates(workspace, asked))
    if not found:
        raise UsageError("nothing fits: the source holds no answer under these conditions", hint="loosen the filters")
    seed = secrets.randbits(31) if asked.seed is None else asked.seed
    rng = np.random.default_rng(asked.sample.seed)
    strata = _strata(found)
    picked, chosen = _picked(workspace, asked, found, strata, rng)
    queue = _queue(asked, by, time.time() if now is None else now, seed)
    queue = msgspec.structs.replace(queue, source=_source(asked, found, strata))
    shuffles = np.random.default_rng([seed, 1])
    known = _calibration(workspace, queue, asked, len(picked))
    made = [_item(queue, one, strata, chosen, place) for place, one in enumerate(picked)]
    mixed = _mixed([*made, *_known_items(queue, known, made, shuffles)], shuffles)
    store.add_queue(workspace.catalog.engine, queue, mixed)
    return Made(
        queue=queue,
        items=len(made),
        calibration=len(known),
        eligible=len(found),
        chosen=chosen,
        notes=tuple(_notes(asked, found, picked, chosen)),
    )


def _check(asked: NewQueue) -> None:
    names = [rubric.name for rubric in asked.rubrics]
    problems = {
        "a queue needs a name": not asked.name.strip() or len(asked.name) > 200,
        "a queue needs a rubric": not names,
        "two rubrics have the same name": len(set(names)) < len(names),
        f"labels per item lie between 1 and {MAX_RATERS}": not 1 <= asked.raters_per_item <= MAX_RATERS,
        "a lease lasts between 1 minute and 7 days": not 1.0 <= asked.lease_minutes <= 10_080.0,
        "a sample has at least 1 item": asked.sample.size is not None and asked.sample.size < 1,
        "steps of tolerance can't be negative": asked.tolerance < 0,
        "the share of calibration items lies between 0 and 0.5": not 0.0 <= (asked.calibration_share or 0.0) <= 0.5,
        "fewer reviewers are named than labels wanted per item": asked.raters is not None
        and len(set(asked.raters)) < asked.raters_per_item,
        "active selection needs a size": asked.sample.method == "active" and asked.sample.size is None,
    }
    wrong = [message for message, is_so in problems.items() if is_so]
    if wrong:
        raise UsageError("; ".join(wrong))


def _queue(asked: NewQueue, by: str, now: float, seed: int) -> Queue:
    queue = Queue(
        id=new_id()[:12],
        name=store.storable(asked.name.strip()),
        kind=QueueKind(asked.kind),
        rubrics=asked.rubrics,
        raters_per_item=asked.raters_per_item,
        lease_minutes=asked.lease_minutes,
        raters=None if asked.raters is None else tuple(dict.fromkeys(asked.raters)),
        rationale=asked.rationale,
        show_expected=asked.show_expected,
        tolerance=asked.tolerance,
        seed=seed,
        created_by=by,
        created_at=now,
    )
    problem = rationale_problem(queue)
    if problem:
        raise UsageError(problem)
    return queue


def _source(asked: NewQueue, found: Sequence[Found], strata: Mapping[str, str]) -> dict[str, Json]:
    """Where the items come from, as kept: rows only by their number, strata with their sizes."""
    kept = {key: value for key, value in msgspec.to_builtins(asked.source).items() if key != "rows"}
    if asked.source.rows is not None:
        kept["rows"] = len(asked.source.rows)
    sizes: dict[str, int] = {}
    for name in strata.values():
        sizes[name] = sizes.get(name, 0) + 1
    return {**kept, "sample": msgspec.to_builtins(asked.sample), "eligible": len(found), "strata": sizes}


def _distinct(found: Sequence[Found]) -> list[Found]:
    """Answers of several systems to one case are several items; the same answer twice is one."""
    seen: dict[str, int] = {}
    contents: set[tuple[str, bytes]] = set()
    distinct: list[Found] = []
    for one in found:
        content = (one.key, hashlib.sha256(store.encoded(one.content).encode()).digest())
        if content in contents:
            continue
        contents.add(content)
        seen[one.key] = seen.get(one.key, 0) + 1
        number = seen[one.key]
        distinct.append(one if number == 1 else replace(one, key=f"{one.key} #{number}"))
    return distinct


# --- choosing -------------------------------------------------------------------------------------------------------


def _strata(found: Sequence[Found]) -> dict[str, str]:
    names = strata_of([one.value for one in found], [one.label for one in found])
    return {one.key: name for one, name in zip(found, names, strict=True)}


def _picked(
    workspace: Workspace,
    asked: NewQueue,
    found: Sequence[Found],
    strata: Mapping[str, str],
    rng: np.random.Generator,
) -> tuple[list[Found], Chosen | None]:
    size = min(asked.sample.size or len(found), MAX_ITEMS)
    by_key = {one.key: one for one in found}
    if asked.sample.method == "active":
        truths = _truths(workspace, asked, found)
        chosen = choose_active([Candidate(k, strata[k], truths.get(k)) for k in by_key], size, rng=rng)
        if not chosen.keys:
            raise UsageError("all cases of the source have labels already")
        return [by_key[key] for key in chosen.keys], chosen
    if asked.sample.method == "all":
        return list(by_key.values())[:size], None
    return [by_key[key] for key in choose_random(list(by_key), size, rng=rng)], None


def _truths(workspace: Workspace, asked: NewQueue, found: Sequence[Found]) -> dict[str, float]:
    """Labels there are already of exactly these answers: from the metric's card, and from queues of this run."""
    metric = asked.source.metric or asked.rubrics[0].name
    card = CardStore(workspace.root).latest(metric)
    known = {} if card is None else {(e.id, e.output_hash): e.truth_value for e in card.entries}
    truths = {
        one.key: value
        for one in found
        if one.output is not None and (value := known.get((one.key, output_hash(one.output)))) is not None
    }
    return {**truths, **_queue_truths(workspace, asked)}


def _queue_truths(workspace: Workspace, asked: NewQueue) -> dict[str, float]:
    from evalwright.services.reviewing.settling import settled

    rubric = asked.rubrics[0]
    truths: dict[str, float] = {}
    for queue in store.queues(workspace.catalog.engine):
        same = queue.kind is asked.kind and any(r.digest == rubric.digest for r in queue.rubrics)
        if not same or queue.source.get("run") is None:
            continue
        run_id = workspace.catalog.find(asked.source.run).run_id if asked.source.run else ""
        for one in settled(workspace, queue):
            level = one.levels.get(rubric.name)
            if level is not None and one.item.hidden.origins[:1] and one.item.hidden.origins[0].run_id == run_id:
                truths[one.item.hidden.case_id] = unit_value(rubric, level)
    return truths


def unit_value(rubric: Rubric, level: str) -> float:
    """A level's value between 0 and 1 of its scale."""
    room = rubric.high - rubric.low
    return (rubric.level(level).value - rubric.low) / room if room else 0.0


def _notes(asked: NewQueue, found: Sequence[Found], picked: Sequence[Found], chosen: Chosen | None) -> list[str]:
    notes: list[str] = []
    wanted = asked.sample.size
    if wanted is not None and len(picked) < wanted:
        notes.append(f"only {len(picked)} of the {wanted} wanted: the source holds {len(found)}")
    if len(picked) == MAX_ITEMS < len(found):
        notes.append(f"cut at {MAX_ITEMS:,} items")
    if asked.sample.method == "active" and not any(one.label or one.value is not None for one in found):
        notes.append("no metric to go by: the draw was simply random; name one with `metric`")
    if chosen is not None and chosen.after is not None:
        before = "unknown" if chosen.before is None else f"{chosen.before:.3f}"
        notes.append(f"standard error of the corrected figure expected: {before} now, {chosen.after:.3f} labelled")
    return notes


# --- items ----------------------------------------------------------------------------------------------------------

TIERS = 10


def _item(queue: Queue, one: Found, strata: Mapping[str, str], chosen: Chosen | None, place: int) -> Item:
    """An item; those whose labels help most come in ten tiers, best first, below how grave they are."""
    influence = None if chosen is None else chosen.influence.get(one.key)
    tier = 0 if chosen is None else TIERS - 1 - place * TIERS // max(len(chosen.keys), 1)
    hidden = msgspec.structs.replace(one.hidden, stratum=strata[one.key], influence=influence)
    return Item(
        id=new_id(),
        queue_id=queue.id,
        number=0,
        content=one.content,
        hidden=hidden,
        priority=one.severity * TIERS + tier,
        wanted=queue.raters_per_item,
    )


def _mixed(items: list[Item], rng: np.random.Generator) -> list[Item]:
    """Items numbered and shuffled, so that neither place nor number tells which have known labels."""
    order = rng.permutation(len(items))
    shuffles = rng.integers(0, PRIME, size=len(items))
    return [
        msgspec.structs.replace(items[int(where)], number=number, shuffle=int(shuffles[number]))
        for number, where in enumerate(order)
    ]


@dataclass(frozen=True, slots=True)
class _Known:
    content: Content
    hidden: Hidden


def _calibration(workspace: Workspace, queue: Queue, asked: NewQueue, items: int) -> list[_Known]:
    rows = [*asked.calibration, *_labelled_cases(workspace, asked.calibration_set)]
    known = [_known(queue, asked, row, number) for number, row in enumerate(rows, start=1)]
    if asked.calibration_share is None or not known:
        return known
    share = asked.calibration_share
    return known[: max(1, round(share / (1.0 - share) * items))] if share else []


def _labelled_cases(workspace: Workspace, reference: str | None) -> list[dict[str, Json]]:
    """Labelled answers of a golden set as rows with known labels."""
    if reference is None:
        return []
    with opened(reference, workspace) as cases:
        rows: list[dict[str, Json]] = [
            {"id": case.id, "input": case.input, "expected": case.expected, "cluster": case.cluster, **case.metadata}
            for case in cases
            if "labels" in case.metadata
        ]
    if not rows:
        raise UsageError(f"no case of {reference} has labels", hint="`evalwright review gold` writes such sets")
    return rows


def _known(queue: Queue, asked: NewQueue, row: Mapping[str, Json], number: int) -> _Known:
    where = f"calibration row {number}"
    given = next((row[name] for name in ("gold", "labels", "label") if row.get(name) is not None), None)
    if given is None:
        raise UsageError(f"{where} has no `gold`", hint="the right level, or one by rubric")
    stated: dict[str, Any] = given if isinstance(given, dict) else dict.fromkeys((r.name for r in queue.rubrics), given)
    gold: dict[str, str] = {}
    for rubric in queue.rubrics:
        if rubric.name not in stated:
            continue
        text = str(stated[rubric.name])
        level = text if queue.kind is QueueKind.PAIRWISE and text in CHOICES else level_of(queue, rubric, text)
        if level is None:
            raise UsageError(f"{where}: `{text}` is no level of `{rubric.name}`: {', '.join(queue.choices(rubric))}")
        gold[rubric.name] = level
    if not gold:
        raise UsageError(f"{where}: its `gold` names none of the rubrics {', '.join(r.name for r in queue.rubrics)}")
    found = of_row(asked, row, where)
    reason = str(row.get("reason") or "")
    return _Known(found.content, msgspec.structs.replace(found.hidden, gold=gold, reason=reason))


def _known_items(queue: Queue, known: Sequence[_Known], others: Sequence[Item], rng: np.random.Generator) -> list[Item]:
    """Items with known labels, of priorities drawn from the others', so that they come at no special time."""
    wanted = len(queue.raters) if queue.raters else max(queue.raters_per_item, CALIBRATION_LABELS)
    priorities: list[int] = rng.choice([item.priority for item in others], size=len(known)).tolist() if known else []
    return [
        Item(
            id=new_id(),
            queue_id=queue.id,
            number=0,
            content=one.content,
            hidden=one.hidden,
            priority=priority,
            calibration=True,
            wanted=wanted,
        )
        for one, priority in zip(known, priorities, strict=True)
    ]


def send(workspace: Workspace, queue: Queue, asked: NewQueue, *, now: float | None = None) -> int:
    """Put further items into a queue, those it has already left out.

    Args:
        workspace: Where it is.
        queue: The queue.
        asked: The source; its other settings are the queue's own.
        now: Seconds since the epoch.

    Returns:
        How many are new.

    Raises:
        UsageError: The queue is closed, or the source holds nothing.
    """
    if queue.state != "open":
        raise Conflict(f"the queue `{queue.name}` is closed")
    like = msgspec.structs.replace(
        asked, name=queue.name, kind=queue.kind, rubrics=queue.rubrics, show_expected=queue.show_expected
    )
    found = _distinct(candidates(workspace, like))
    if not found:
        raise UsageError("nothing fits: the source holds no answer under these conditions", hint="loosen the filters")
    before = store.items(workspace.catalog.engine, queue.id)
    known = {(item.hidden.case_id, item.hidden.origins) for item in before}
    fresh = [one for one in found if (one.hidden.case_id, one.hidden.origins) not in known]
    strata = _strata(found)
    rng = np.random.default_rng([queue.seed, len(before)])
    made = _mixed([_item(queue, one, strata, None, place) for place, one in enumerate(fresh)], rng)
    numbered = [msgspec.structs.replace(item, number=item.number + len(before)) for item in made]
    return store.add_items(workspace.catalog.engine, numbered, at=time.time() if now is None else now)


# --- afterwards -----------------------------------------------------------------------------------------------------


def all_queues(workspace: Workspace, *, now: float | None = None) -> list[tuple[Queue, QueueCounts]]:
    """Queues with how far they are, newest first."""
    engine = workspace.catalog.engine
    found = store.queues(engine)
    counts = store.counts(engine, [queue.id for queue in found], now=time.time() if now is None else now)
    return [(queue, counts[queue.id]) for queue in found]


def counts_of(workspace: Workspace, queue: Queue, *, now: float | None = None) -> QueueCounts:
    """How far a queue is."""
    return store.counts(workspace.catalog.engine, [queue.id], now=time.time() if now is None else now)[queue.id]


def find(workspace: Workspace, reference: str) -> Queue:
    """A queue by id or name.

    Raises:
        UsageError: There is none.
    """
    return store.find_queue(workspace.catalog.engine, reference)


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueChange:
    """What to change of a queue: its state, and reviewers to add."""

    state: str | None = None
    add_raters: tuple[str, ...] = ()
    lease_minutes: float | None = None


def change(workspace: Workspace, queue: Queue, wanted: QueueChange) -> Queue:
    """Close or open a queue, let more reviewers in, change its leases.

    Raises:
        UsageError: The state or the lease is none.
    """
    if wanted.state not in (None, "open", "closed"):
        raise UsageError(f"a queue is open or closed, not {wanted.state!r}")
    if wanted.lease_minutes is not None and not 1.0 <= wanted.lease_minutes <= 10_080.0:
        raise UsageError("a lease lasts between 1 minute and 7 days")
    raters = queue.raters
    if raters is not None and wanted.add_raters:
        raters = tuple(dict.fromkeys((*raters, *wanted.add_raters)))
    changed = msgspec.structs.replace(
        queue,
        state=wanted.state or queue.state,
        raters=raters,
        lease_minutes=wanted.lease_minutes or queue.lease_minutes,
    )
    store.save_queue(workspace.catalog.engine, changed)
    return changed


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits for people in a workspace.

    Attributes:
        queues: Open queues.
        open: Items nobody has begun.
        in_progress: Items begun.
        adjudication: Items a lead has to decide on.
        oldest_at: When the oldest of them was put there; None when none waits.
    """

    queues: int = 0
    open: int = 0
    in_progress: int = 0
    adjudication: int = 0
    oldest_at: float | None = None


def backlog(workspace: Workspace, *, now: float | None = None) -> Backlog:
    """What waits for people in a workspace, over its open queues."""
    found = Backlog()
    for queue, counts in all_queues(workspace, now=now):
        if queue.state != "open":
            continue
        oldest = [at for at in (found.oldest_at, counts.oldest_at) if at is not None]
        found = replace(
            found,
            queues=found.queues + 1,
            open=found.open + counts.items - counts.done - counts.in_progress,
            in_progress=found.in_progress + counts.in_progress,
            adjudication=found.adjudication + counts.adjudication,
            oldest_at=min(oldest, default=None),
        )
    return found
