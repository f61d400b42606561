"""Pairwise judgements in both orders: accuracy in each, agreement between them, and the share the first place gets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from evalwright.core.estimate import Estimate
from evalwright.services.agreement import figure
from evalwright.stats import SwapConsistency, estimate_mean, swap_consistency, wilson
from evalwright.stats.judges import Verdict
from evalwright.store.cards import Bias

Winner = Literal["1", "2", "tie"]

_WORDS: dict[str, Verdict] = {
    "a": "first", "first": "first", "b": "second", "second": "second", "tie": "tie", "0": "tie", "both": "tie",
    "neither": "tie",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderedPair:
    """A pair of answers judged in both orders.

    Attributes:
        id: Id of the case.
        label: Which answer people prefer, in the original numbering; None when there is no label.
        straight: Winner when answer 1 stood first; None when the judge's reply could not be read.
        swapped: Winner when answer 2 stood first, in the original numbering too.
    """

    id: str
    label: Winner | None = None
    straight: Winner | None = None
    swapped: Winner | None = None

    @property
    def errors(self) -> int:
        """Replies that could not be read."""
        return (self.straight is None) + (self.swapped is None)

    @property
    def places(self) -> tuple[Verdict, Verdict] | None:
        """Places named in the two orders; None when one reply could not be read."""
        if self.straight is None or self.swapped is None:
            return None
        return place_of(self.straight, order="AB"), place_of(self.swapped, order="BA")

    @property
    def settled(self) -> Winner | None:
        """The verdict of both orders together: a tie where they disagree."""
        if self.straight is None or self.swapped is None:
            return None
        return self.straight if self.straight == self.swapped else "tie"


def place_of(winner: Winner, *, order: str) -> Verdict:
    """The place an answer stood at.

    Example:
        >>> place_of("1", order="AB"), place_of("1", order="BA")
        ('first', 'second')
    """
    if winner == "tie":
        return "tie"
    return "first" if (winner == "1") == (order.upper() == "AB") else "second"


def winner_of(word: str, *, order: str) -> Winner | None:
    """A recorded verdict as the answer it names: `1` and `2` are answers, `A` and `B` are places.

    Args:
        word: The verdict as it was recorded.
        order: `AB` when answer 1 stood first, `BA` when answer 2 did.

    Returns:
        None for anything else.

    Example:
        >>> winner_of("b", order="AB"), winner_of("b", order="BA"), winner_of("1", order="BA")
        ('2', '1', '1')
    """
    folded = word.strip().casefold()
    if folded in {"1", "2"}:
        return "1" if folded == "1" else "2"
    place = _WORDS.get(folded)
    if place is None:
        return None
    if place == "tie":
        return "tie"
    return "1" if (place == "first") == (order.upper() == "AB") else "2"


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReport:
    """A pairwise judge in both orders.

    Attributes:
        pairs: Pairs.
        errors: Replies that could not be read; they count as no verdict, never as a wrong one.
        right_straight: Pairs judged right with answer 1 first.
        right_swapped: Pairs judged right with answer 2 first.
        right_both: Pairs judged right in both orders.
        same: Pairs with the same winner in both orders.
        first: Replies, of either order, that named the first place.
        readable: Replies that could be read.
        estimates: Figures over what could be read, with intervals.
        consistency: Test of position bias; None without a pair read in both orders.
    """

    pairs: int
    errors: int
    right_straight: int
    right_swapped: int
    right_both: int
    same: int
    first: int
    readable: int
    estimates: tuple[Estimate, ...]
    consistency: SwapConsistency | None

    def bias(self) -> Bias | None:
        """Position bias for a card: of the pairs where position decided, the share that went to the first place."""
        found = self.consistency
        if found is None:
            return None
        detail = {"both_first": found.both_first, "both_second": found.both_second, "conflict": found.conflict}
        question = "of the pairs decided by position alone, the share that went to the first place (0.5 is none)"
        estimate = figure("position", found.first_share, higher_is_better=None)
        return Bias(name="position", question=question, estimate=estimate, p_value=found.p_value, detail=detail)


def order_report(pairs: Sequence[OrderedPair], *, level: float = 0.95) -> OrderReport:
    """Figures of a pairwise judge asked in both orders.

    Args:
        pairs: The pairs, labels where there are some.
        level: Confidence level.

    Example:
        >>> pair = OrderedPair(id="a", label="1", straight="1", swapped="2")
        >>> report = order_report([pair])
        >>> report.right_straight, report.same, report.first
        (1, 0, 2)
    """
    named = [pair.places for pair in pairs if pair.places is not None]
    replies = [place_of(p.straight, order="AB") for p in pairs if p.straight is not None]
    replies += [place_of(p.swapped, order="BA") for p in pairs if p.swapped is not None]
    labelled = [pair for pair in pairs if pair.label is not None]
    return OrderReport(
        pairs=len(pairs),
        errors=sum(pair.errors for pair in pairs),
        right_straight=sum(pair.straight == pair.label for pair in labelled),
        right_swapped=sum(pair.swapped == pair.label for pair in labelled),
        right_both=sum(pair.straight == pair.label == pair.swapped for pair in labelled),
        same=sum(pair.straight is not None and pair.straight == pair.swapped for pair in pairs),
        first=replies.count("first"),
        readable=len(replies),
        estimates=tuple(_estimates(pairs, labelled, level)),
        consistency=swap_consistency(Counter(named), level=level) if named else None,
    )


def _estimates(pairs: Sequence[OrderedPair], labelled: Sequence[OrderedPair], level: float) -> Iterable[Estimate]:
    for name, side in (("accuracy_original_order", "straight"), ("accuracy_swapped_order", "swapped")):
        read = [pair for pair in labelled if getattr(pair, side) is not None]
        right = sum(getattr(pair, side) == pair.label for pair in read)
        yield figure(name, wilson(right, len(read), level=level))
    both = [pair for pair in labelled if pair.places is not None]
    if both:
        values = [float(w == pair.label) for pair in both for w in (pair.straight, pair.swapped)]
        units = [pair.id for pair in both for _ in range(2)]
        yield figure("accuracy", estimate_mean(values, kind="proportion", units=units, level=level))
    right = sum(pair.straight == pair.label == pair.swapped for pair in both)
    yield figure("accuracy_both_orders", wilson(right, len(both), level=level))
    read = [pair for pair in pairs if pair.places is not None]
    same = sum(pair.straight == pair.swapped for pair in read)
    yield figure("order_agreement", wilson(same, len(read), level=level))
