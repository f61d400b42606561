"""Human review as data: queues, what a reviewer is shown, what stays hidden, labels, decisions."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from evalwright.core.case import Json
from evalwright.core.rubric import Rubric


class QueueKind(StrEnum):
    """What a reviewer is asked."""

    POINTWISE = "pointwise"
    """One answer, marked by each rubric."""
    PAIRWISE = "pairwise"
    """Two answers: which is better by each rubric."""


class ItemState(StrEnum):
    """Where an item stands."""

    OPEN = "open"
    """Labels are missing."""
    AGREED = "agreed"
    """All labels are there and alike."""
    DISPUTED = "disputed"
    """All labels are there and differ: a lead decides."""
    ADJUDICATED = "adjudicated"
    """A lead has decided."""


FIRST, SECOND, TIE = "first", "second", "tie"
CHOICES = (FIRST, TIE, SECOND)
"""Answers of a pairwise queue as they are kept: about the answers, not about the sides they were shown on."""


class RationaleRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a reviewer has to say why.

    Attributes:
        required_at_or_below: By rubric, the highest level that needs a reason; of pairs only `tie`.
        differs_from_prior: A label that contradicts the stored verdict needs a reason. Being asked for one tells the
            reviewer what the verdict was, so it is off unless somebody wants it.
        always: Every label needs a reason.
    """

    required_at_or_below: dict[str, str] = {}
    differs_from_prior: bool = False
    always: bool = False


class Queue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A queue of items to label.

    Attributes:
        id: Short id.
        name: Name as people gave it.
        kind: What is asked.
        rubrics: The rubrics, one per dimension.
        raters_per_item: Labels wanted for each item.
        lease_minutes: How long an item is kept for a reviewer who has it before them.
        raters: Who may label; None for everybody with the right.
        source: Where the items come from, as it was asked.
        rationale: When reasons are needed.
        show_expected: Whether reviewers see what the case expects.
        tolerance: Steps on an ordered scale that two labels may lie apart without a lead deciding.
        calibration_share: Share of items whose right label is known.
        seed: What the random orders are made from.
        state: `open` or `closed`.
        created_by: Who made it.
        created_at: Seconds since the epoch.
    """

    id: str
    name: str
    kind: QueueKind = QueueKind.POINTWISE
    rubrics: tuple[Rubric, ...]
    raters_per_item: int = 1
    lease_minutes: float = 30.0
    raters: tuple[str, ...] | None = None
    source: dict[str, Json] = {}
    rationale: RationaleRule = RationaleRule()
    show_expected: bool = True
    tolerance: int = 0
    calibration_share: float = 0.0
    seed: int = 0
    state: str = "open"
    created_by: str = ""
    created_at: float = 0.0

    def rubric(self, name: str) -> Rubric:
        """The rubric of a name.

        Raises:
            KeyError: There is none.
        """
        for rubric in self.rubrics:
            if rubric.name == name:
                return rubric
        raise KeyError(name)

    def choices(self, rubric: Rubric) -> tuple[str, ...]:
        """What may be answered for a rubric, worst first; of pairs: first, tie, second."""
        return CHOICES if self.kind is QueueKind.PAIRWISE else rubric.names


class ContextPart(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A passage the answer stands on, or a message or tool call on the way to it: kind, heading, text."""

    kind: str
    text: str
    title: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer as reviewers see it: its text, and what led to it."""

    text: str
    context: tuple[ContextPart, ...] = ()


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """All of an item that a reviewer may see; nothing in it tells which system answered or what others say.

    Attributes:
        input: What was asked.
        context: Passages and steps, where all answers share them.
        expected: What the case expects.
        outputs: One answer, or the first and the second of a pair.
    """

    input: Json = None
    context: tuple[ContextPart, ...] = ()
    expected: Json = None
    outputs: tuple[Answer, ...] = ()


class Origin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which system an answer is from: run, trial, model, target."""

    run_id: str = ""
    trial: int = 0
    model: str = ""
    target: str = ""


class Hidden(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of an item and never shown to a reviewer.

    Attributes:
        case_id: Id of the case.
        origins: Of each answer.
        prior: By rubric, what a judge or rule says; `pass` and `fail` where the rubric has no such level.
        values: By metric, the stored scores of the (first) answer.
        gold: By rubric, the right label of a calibration item.
        reason: Why that is right.
        stratum: Which part of the whole it was drawn from.
        influence: How far its label was expected to narrow the corrected figure, relative to the others.
        weight: How many cases of the whole it stands for.
        cluster: Key of cases that are not independent.
        metadata: The case's own.
        case_input: The case's input, where the shown one differs.
    """

    case_id: str = ""
    origins: tuple[Origin, ...] = ()
    prior: dict[str, str] = {}
    values: dict[str, float] = {}
    gold: dict[str, str] = {}
    reason: str = ""
    stratum: str = ""
    influence: float | None = None
    weight: float = 1.0
    cluster: str | None = None
    metadata: dict[str, Json] = {}


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One thing to label.

    Attributes:
        id: Random id that says nothing.
        queue_id: Its queue.
        number: Place in the queue as it was made.
        priority: Higher comes first.
        shuffle: Random number the reviewers' orders are made from.
        calibration: Whether the right label is known.
        wanted: Labels wanted.
        state: Where it stands.
        content: What is shown.
        hidden: What is not.
    """

    id: str
    queue_id: str
    number: int
    content: Content
    hidden: Hidden
    priority: int = 0
    shuffle: int = 0
    calibration: bool = False
    wanted: int = 1
    state: ItemState = ItemState.OPEN


class Span(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place in an answer, as evidence.

    Attributes:
        side: `A` or `B` as shown when given; `first` or `second` as kept.
        start: First character.
        end: Character after the last.
        text: What stands there.
        note: What it shows.
    """

    start: int
    end: int
    side: str = "A"
    text: str = ""
    note: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a reviewer hands in, or has half filled in.

    Attributes:
        answers: By rubric, a level's name; of pairs `A`, `B` or `tie`.
        rationale: Why.
        spans: Where it shows.
        seconds: Time spent, as the reviewer's screen measured it.
        confidence: How sure, 0 to 1.
    """

    answers: dict[str, str] = {}
    rationale: str = ""
    spans: tuple[Span, ...] = ()
    seconds: float | None = None
    confidence: float | None = None


class Label(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reviewer's verdict, as kept; never changed, at most withdrawn by a later row.

    Attributes:
        id: Id.
        queue_id: The queue.
        item_id: The item.
        rater: Who.
        answers: By rubric, a level's name; of pairs `first`, `second` or `tie`.
        rationale: Why.
        spans: Where it shows.
        seconds: Time spent on it.
        confidence: How sure, 0 to 1.
        flipped: Whether the second answer was shown as A.
        source: `web`, `terminal`, `import` or `api`.
        key: The client's key: the same one again is the same submission.
        at: Seconds since the epoch.
        withdraws: The label this row takes back; such a row has no answers.
    """

    id: str
    queue_id: str
    item_id: str
    rater: str
    answers: dict[str, str] = {}
    rationale: str = ""
    spans: tuple[Span, ...] = ()
    seconds: float | None = None
    confidence: float | None = None
    flipped: bool = False
    source: str = ""
    key: str = ""
    at: float = 0.0
    withdraws: str | None = None


class Mark(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A reviewer skipped an item, or flagged it for the lead."""

    item_id: str
    rater: str
    kind: str
    note: str = ""
    at: float = 0.0


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A lead's decision on an item.

    Attributes:
        id: Id.
        item_id: The item.
        answers: By rubric, the right label.
        reason: Why.
        by: Who decided.
        at: Seconds since the epoch.
        own: Whether they had labelled the item themselves, because nobody else may decide.
    """

    id: str
    item_id: str
    answers: dict[str, str]
    reason: str
    by: str
    at: float = 0.0
    own: bool = False


class QueueCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How far a queue is; items with a known label are not counted.

    Attributes:
        items: Items.
        done: With all labels wanted.
        in_progress: With a label or a live lease, but not all.
        adjudication: Waiting for a lead.
        labels: Labels that stand.
        oldest_at: When the oldest item that waits was put there; None when none waits.
    """

    items: int = 0
    done: int = 0
    in_progress: int = 0
    adjudication: int = 0
    labels: int = 0
    oldest_at: float | None = None
