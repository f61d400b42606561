"""A lead settles what reviewers disagree on; what is settled becomes gold."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.errors import NotAllowed, UsageError
from evalwright.core.review import CHOICES, Decision, Item, ItemState, Label, Mark, Queue, QueueKind
from evalwright.core.rubric import Rubric
from evalwright.review.blinding import new_id
from evalwright.review.rules import Wrong, differing, level_of
from evalwright.services.golden import Goldens
from evalwright.services.reviewing.settling import Settled, settled
from evalwright.store import review_queues, review_work
from evalwright.store.workspace import Workspace


class Dissent(msgspec.Struct, frozen=True, kw_only=True):
    """An item for a lead, with everything said of it.

    Attributes:
        item: The item, hidden part included: a lead may see which system answered.
        labels: All labels with their reasons.
        differing: Rubrics on which they differ.
        flags: What reviewers flagged.
        decision: A decision there is already.
        may: Whether the asking person may decide: not on an item they labelled themselves.
    """

    item: Item
    labels: tuple[Label, ...]
    differing: tuple[str, ...]
    flags: tuple[Mark, ...] = ()
    decision: Decision | None = None
    may: bool = True


def to_decide(workspace: Workspace, queue: Queue, *, by: str, decided: bool = False) -> list[Dissent]:
    """Items that wait for a lead: labelled differently, or flagged; gravest first.

    Args:
        workspace: Where the queue is.
        queue: The queue.
        by: Who asks.
        decided: Whether those decided already come too.
    """
    engine = workspace.catalog.engine
    labels: dict[str, list[Label]] = defaultdict(list)
    for label in review_work.labels(engine, queue.id):
        labels[label.item_id].append(label)
    flags: dict[str, list[Mark]] = defaultdict(list)
    for mark in review_work.marks(engine, queue.id):
        if mark.kind == review_work.FLAG:
            flags[mark.item_id].append(mark)
    decisions = review_work.decisions(engine, queue.id)
    found = [
        _dissent(queue, item, labels[item.id], flags[item.id], decisions.get(item.id), by)
        for item in review_queues.items(engine, queue.id)
        if item.state is ItemState.DISPUTED
        or (flags[item.id] and item.id not in decisions)
        or (decided and item.state is ItemState.ADJUDICATED)
    ]
    return sorted(found, key=lambda one: (-one.item.priority, one.item.number))


def _dissent(
    queue: Queue, item: Item, labels: list[Label], flags: list[Mark], decision: Decision | None, by: str
) -> Dissent:
    answers = [label.answers for label in labels]
    names = tuple(rubric.name for rubric in queue.rubrics if differing(queue, rubric, answers))
    own = any(label.rater == by for label in labels)
    return Dissent(item=item, labels=tuple(labels), differing=names, flags=tuple(flags), decision=decision, may=not own)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A lead's verdict.

    Attributes:
        answers: By rubric, the right level; of pairs `first`, `second` or `tie`. Rubrics on which all labels agree
            need not be named.
        reason: Why.
        by: Who decides.
        others_may: Whether somebody else may decide who has not labelled the item.
    """

    answers: dict[str, str]
    reason: str
    by: str
    others_may: bool = True


def raters_of(workspace: Workspace, item_id: str) -> set[str]:
    """Who has labelled an item."""
    return {label.rater for label in review_work.item_labels(workspace.catalog.engine, item_id)}


def adjudicate(workspace: Workspace, item_id: str, verdict: Verdict, *, now: float | None = None) -> Decision:
    """Decide on an item; a later decision takes the place of an earlier one, both stay in the log.

    Raises:
        UsageError: The reason or an answer is missing or wrong (with `fields`), or they labelled the item themselves
            while somebody else may decide.
    """
    engine = workspace.catalog.engine
    item = review_queues.item(engine, item_id)
    queue = review_queues.find_queue(engine, item.queue_id)
    if item.calibration:
        raise UsageError("the right label of this item is known: there is nothing to decide")
    labels = review_work.item_labels(engine, item_id)
    own = any(label.rater == verdict.by for label in labels)
    if own and verdict.others_may:
        raise NotAllowed("you have labelled this item yourself", hint="somebody else has to decide on it")
    decision = Decision(
        id=new_id(),
        item_id=item_id,
        answers=_complete(queue, labels, verdict),
        reason=verdict.reason.strip(),
        by=verdict.by,
        at=time.time() if now is None else now,
        own=own,
    )
    review_work.decide(engine, decision)
    return decision


def _complete(queue: Queue, labels: list[Label], verdict: Verdict) -> dict[str, str]:
    answers: dict[str, str] = {}
    problems: list[tuple[str, str]] = []
    if not verdict.reason.strip():
        problems.append(("reason", "say why: reviewers learn from it"))
    for rubric in queue.rubrics:
        level = _decided(queue, rubric, labels, verdict.answers.get(rubric.name))
        if level is None:
            allowed = ", ".join(queue.choices(rubric))
            problems.append((f"answers.{rubric.name}", f"`{rubric.name}` needs one of: {allowed}"))
        else:
            answers[rubric.name] = level
    strange = [name for name in verdict.answers if name not in {rubric.name for rubric in queue.rubrics}]
    problems += [(f"answers.{name}", f"this queue has no rubric `{name}`") for name in strange]
    if problems:
        raise Wrong(problems)
    return answers


def _decided(queue: Queue, rubric: Rubric, labels: list[Label], given: str | None) -> str | None:
    if given is None:
        same = {label.answers[rubric.name] for label in labels if rubric.name in label.answers}
        return same.pop() if len(same) == 1 else None
    if queue.kind is QueueKind.PAIRWISE:
        return given if given in CHOICES else None
    return level_of(queue, rubric, given)


# --- gold -----------------------------------------------------------------------------------------------------------


class GoldMade(msgspec.Struct, frozen=True, kw_only=True):
    """What became gold.

    Attributes:
        dataset: The golden set.
        version: Number of the new draft version; None when nothing changed.
        cases: Cases written.
        left_out: Items that are not settled.
        notes: What is worth knowing.
    """

    dataset: str
    version: int | None
    cases: int
    left_out: int
    notes: tuple[str, ...] = ()


BASES = ("adjudicated", "unanimous", "tolerated", "majority", "single")
"""On what a label may stand, the surest first."""


def to_gold(
    workspace: Workspace,
    queue: Queue,
    dataset: str,
    *,
    by: str,
    bases: tuple[str, ...] = BASES[:3],
    expected: bool = False,
) -> GoldMade:
    """Write settled labels into a draft version of a golden set: the labels in the cases' metadata, with the answer.

    A case the set has already keeps its own fields. The draft is approved by somebody else, as any version is.

    Args:
        workspace: Where both are.
        queue: The queue.
        dataset: The golden set; made when it does not exist.
        by: Who writes it.
        bases: On what a label must stand.
        expected: Whether the label (of a single rubric) also becomes what the case expects: for sets that test judges.

    Raises:
        UsageError: Nothing is settled, or several rubrics can't be one expected value.
    """
    if expected and len(queue.rubrics) > 1:
        raise UsageError("several rubrics can't be one expected value", hint="leave out `expected`")
    found = settled(workspace, queue)
    sure = [one for one in found if one.levels and all(basis in bases for basis in one.basis.values())]
    if not sure:
        hint = f"labels count that are {', '.join(bases)}; {len(found)} items were looked at"
        raise UsageError("no item of the queue is settled", hint=hint)
    goldens = Goldens(workspace, by=by)
    before = {case.id: case for case in _cases(goldens, dataset)}
    cases = list(_gold_cases(queue, sure, before, expected=expected))
    message = f"labels of the review queue {queue.name}"
    source: dict[str, Json] = {"review_queue": queue.id, "name": queue.name}
    version, bad = goldens.add(dataset, cases, message=message, source=source)
    notes = tuple(f"set aside: {row.reason}" for row in bad[:5])
    number = None if version is None else version.number
    return GoldMade(dataset=dataset, version=number, cases=len(cases), left_out=len(found) - len(sure), notes=notes)


def _cases(goldens: Goldens, dataset: str) -> Iterator[Case]:
    try:
        _, version = goldens.find(dataset)
    except UsageError:
        return
    cases = goldens.open(version)
    try:
        yield from cases
    finally:
        cases.close()


def _gold_cases(queue: Queue, sure: list[Settled], before: dict[str, Case], *, expected: bool) -> Iterator[Case]:
    """A case an item; answers of several systems to one case get ids of their own."""
    many: dict[str, int] = defaultdict(int)
    for one in sure:
        many[one.item.hidden.case_id] += 1
        number = many[one.item.hidden.case_id]
        name = one.item.hidden.case_id if number == 1 else f"{one.item.hidden.case_id}#{number}"
        yield _gold_case(queue, one, name, before.get(name), expected=expected)


def _gold_case(queue: Queue, one: Settled, name: str, old: Case | None, *, expected: bool) -> Case:
    content, hidden = one.item.content, one.item.hidden
    outputs: Json = [answer.text for answer in content.outputs]
    labels: dict[str, Json] = {
        "labels": dict(one.levels),
        "label_basis": dict(one.basis),
        "labelled_in": queue.name,
        "reviewers": len(one.labels),
        ("outputs" if len(content.outputs) > 1 else "output"): outputs if len(content.outputs) > 1 else outputs[0],
    }
    if one.decision is not None:
        labels |= {"adjudicated_by": one.decision.by, "adjudication": one.decision.reason}
    kept = old or Case(
        id=name,
        input=content.input,
        expected=content.expected,
        metadata=hidden.metadata,
        cluster=hidden.cluster,
    )
    wanted = next(iter(one.levels.values())) if expected else kept.expected
    return msgspec.structs.replace(kept, expected=wanted, metadata={**kept.metadata, **labels})
