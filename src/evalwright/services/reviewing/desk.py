"""A reviewer's desk: the next item, autosaved drafts, labels, undo, skip, flag; blind until handed in."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import Conflict, NotAllowed, NotFound, UsageError
from evalwright.core.review import Entry, Item, ItemState, Label, Mark, Queue
from evalwright.core.rubric import Rubric
from evalwright.review import rules
from evalwright.review.blinding import flipped, kept_entry, new_id, rater_order, shown_entry, shown_outputs
from evalwright.store import review_queues, review_work
from evalwright.store.review_work import Asking, Lease
from evalwright.store.workspace import Workspace

UNDO_S = 60.0
"""For how long the last label can be taken back."""


class ShownOutput(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer on its side: text, and passages and steps of its own."""

    side: str
    text: str
    context: tuple[dict[str, str], ...] = ()


class Position(msgspec.Struct, frozen=True, kw_only=True):
    """How far the reviewer is: items labelled, all that are theirs, items skipped."""

    done: int
    total: int
    skipped: int = 0


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """An item as its reviewer gets it: nothing that tells a system, a verdict or another's label.

    Attributes:
        id: Random id.
        queue_id: The queue.
        kind: `pointwise` or `pairwise`.
        lease_until: Until when it is theirs, seconds since the epoch.
        position: How far they are.
        input: What was asked.
        context: Passages and steps that all answers share.
        expected: What the case expects, where the queue shows it.
        outputs: One answer, or two on sides drawn at random.
        rubrics: What is asked of them.
        draft: What they had filled in.
    """

    id: str
    queue_id: str
    kind: str
    lease_until: float
    position: Position
    input: Json
    context: tuple[dict[str, str], ...]
    expected: Json
    outputs: tuple[ShownOutput, ...]
    rubrics: tuple[Rubric, ...]
    draft: Entry | None = None


class Nothing(msgspec.Struct, frozen=True, kw_only=True):
    """Why there is no next item; `code` is `done`, `waiting`, `skipped` or `closed`."""

    code: str
    reason: str


class Submitted(msgspec.Struct, frozen=True, kw_only=True):
    """A label as kept.

    Attributes:
        label_id: Its id.
        undo_until: Until when it can be taken back.
        new: False when it had been handed in before.
        position: How far the reviewer is now.
    """

    label_id: str
    undo_until: float
    new: bool
    position: Position


class Desk:
    """One reviewer at the queues of a workspace.

    Args:
        workspace: The workspace.
        rater: Who.
        clock: The time; seconds since the epoch.
        source: Where labels come from: `web`, `terminal`, `api`.
    """

    def __init__(
        self, workspace: Workspace, rater: str, *, clock: Callable[[], float] = time.time, source: str = "api"
    ) -> None:
        self._engine = workspace.catalog.engine
        self.rater = rater
        self._clock = clock
        self._source = source

    def queue(self, reference: str) -> Queue:
        """A queue they may label.

        Raises:
            UsageError: There is none, or it is for others.
        """
        queue = review_queues.find_queue(self._engine, reference)
        if queue.raters is not None and self.rater not in queue.raters:
            raise NotAllowed(f"{self.rater} is none of the reviewers of `{queue.name}`", hint="a lead can add them")
        return queue

    def _asking(self, queue: Queue, *, skipped: bool = False) -> Asking:
        order = rater_order(queue.seed, self.rater)
        return Asking(queue.id, self.rater, order, self._clock(), queue.lease_minutes * 60.0, skipped)

    def next(self, queue: Queue, *, skipped: bool = False) -> Shown | Nothing:
        """The item they hold, or the next in their own order.

        Args:
            queue: The queue.
            skipped: Whether they want back what they skipped.
        """
        if queue.state != "open":
            return Nothing(code="closed", reason=f"the queue `{queue.name}` is closed")
        asking = self._asking(queue, skipped=skipped)
        lease = review_work.lease(self._engine, asking, flip=functools.partial(self._flip, queue))
        return self._nothing(queue) if lease is None else self._shown(queue, lease)

    def _nothing(self, queue: Queue) -> Nothing:
        here = review_work.progress(self._engine, self._asking(queue))
        counts = review_queues.counts(self._engine, [queue.id], now=self._clock())[queue.id]
        if here.skipped:
            reason = f"only items you skipped are left: {here.skipped}"
            return Nothing(code="skipped", reason=reason)
        if counts.items > counts.done:
            return Nothing(code="waiting", reason="you have labelled all you can; other items wait for other reviewers")
        return Nothing(code="done", reason=f"all items of `{queue.name}` have their labels")

    def position(self, queue: Queue) -> Position:
        """How far they are."""
        here = review_work.progress(self._engine, self._asking(queue))
        return Position(done=here.done, total=here.done + here.left, skipped=here.skipped)

    def _shown(self, queue: Queue, lease: Lease) -> Shown:
        content, flip = lease.item.content, lease.flipped
        draft = review_work.draft(self._engine, lease.item.id, self.rater)
        return Shown(
            id=lease.item.id,
            queue_id=queue.id,
            kind=queue.kind.value,
            lease_until=lease.until,
            position=self.position(queue),
            input=content.input,
            context=tuple(msgspec.to_builtins(part) for part in content.context),
            expected=content.expected,
            outputs=tuple(
                ShownOutput(side=side, text=one.text, context=tuple(msgspec.to_builtins(part) for part in one.context))
                for side, one in shown_outputs(content, flip=flip)
            ),
            rubrics=queue.rubrics,
            draft=None if draft is None else shown_entry(queue, draft, flip=flip),
        )

    def _item(self, item_id: str) -> tuple[Item, Queue, bool]:
        item = review_queues.item(self._engine, item_id)
        queue = self.queue(item.queue_id)
        return item, queue, self._flip(queue, item.id)

    def _flip(self, queue: Queue, item_id: str) -> bool:
        return queue.kind == "pairwise" and flipped(queue.seed, self.rater, item_id)

    def save_draft(self, item_id: str, entry: Entry) -> None:
        """Keep what they have filled in so far.

        Raises:
            UsageError: They are not labelling this item.
        """
        _, queue, flip = self._item(item_id)
        kept = kept_entry(queue, entry, flip=flip)
        review_work.save_draft(self._engine, item_id, self.rater, kept, at=self._clock())

    def submit(self, item_id: str, entry: Entry, *, key: str | None = None) -> Submitted:
        """Hand in a label; the same key again is the same submission.

        Raises:
            UsageError: It does not fit the rubrics (then with `fields`), or the item was never theirs.
        """
        item, queue, flip = self._item(item_id)
        outputs = dict(zip(("first", "second"), item.content.outputs, strict=False))
        kept = rules.checked(queue, item.hidden, outputs, kept_entry(queue, entry, flip=flip))
        label = Label(
            id=new_id(),
            queue_id=queue.id,
            item_id=item.id,
            rater=self.rater,
            answers=kept.answers,
            rationale=kept.rationale,
            spans=kept.spans,
            seconds=kept.seconds,
            confidence=kept.confidence,
            flipped=flip,
            source=self._source,
            key=review_queues.storable(key) if key else new_id(),
            at=self._clock(),
        )
        disputed = functools.partial(rules.disputed, queue)
        done, new = review_work.submit(self._engine, label, disputed=disputed)
        return Submitted(label_id=done.id, undo_until=done.at + UNDO_S, new=new, position=self.position(queue))

    def undo(self, label_id: str) -> str:
        """Take back their label within a minute; the item is theirs again, the label its draft.

        Returns:
            The item.

        Raises:
            UsageError: It is too late, it is not theirs, or a lead has decided.
        """
        queue = self._queue_of(label_id)
        withdrawal = Label(
            id=new_id(),
            queue_id="",
            item_id="",
            rater=self.rater,
            key=f"undo {label_id}",
            at=self._clock(),
            withdraws=label_id,
            source=self._source,
        )
        taken = review_work.undo(
            self._engine,
            withdrawal,
            window_s=UNDO_S,
            lease_s=queue.lease_minutes * 60.0,
            disputed=functools.partial(rules.disputed, queue),
        )
        return taken.item_id

    def _queue_of(self, label_id: str) -> Queue:
        queue_id = review_work.queue_of_label(self._engine, label_id)
        if queue_id is None:
            raise NotFound("there is no such label of yours")
        return review_queues.find_queue(self._engine, queue_id)

    def skip(self, item_id: str, reason: str = "") -> None:
        """Leave an item to others.

        Raises:
            UsageError: They do not hold it.
        """
        self._item(item_id)
        mark = Mark(item_id=item_id, rater=self.rater, kind=review_work.SKIP, note=reason, at=self._clock())
        review_work.skip(self._engine, mark, mark_id=new_id())

    def flag(self, item_id: str, note: str) -> None:
        """Ask a lead to look at an item; it stays theirs.

        Raises:
            UsageError: They were never given it, or the note is empty.
        """
        self._item(item_id)
        if not note.strip():
            raise UsageError("say what the lead should look at")
        mark = Mark(item_id=item_id, rater=self.rater, kind=review_work.FLAG, note=note.strip(), at=self._clock())
        review_work.flag(self._engine, mark, mark_id=new_id())

    def renew(self, item_id: str) -> float:
        """Keep an item longer.

        Returns:
            Until when, seconds since the epoch.

        Raises:
            UsageError: Somebody else has it by now.
        """
        item, queue, _ = self._item(item_id)
        if item.state is not ItemState.OPEN:
            raise Conflict("this item needs no more labels")
        until = self._clock() + queue.lease_minutes * 60.0
        return review_work.renew(self._engine, item_id, self.rater, until=until)
