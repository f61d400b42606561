"""The card as a record."""

from __future__ import annotations

import msgspec

from evalwright.core.case import Json


class Rate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A share with its interval.

    Attributes:
        value: The share; None when there was nothing to count.
        low: Lower end of the interval.
        high: Upper end of the interval.
        n: What the share is of.
    """

    value: float | None
    low: float
    high: float
    n: int


class SliceCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The counts of a card, for all rows or for one slice.

    A row is positive when people say so (a refusal, a claim without support), and flagged when the scorer says so.

    Attributes:
        slice: Name of the slice, `""` for all rows.
        true_positives: Positive and flagged.
        false_positives: Flagged, but not positive: false alarms.
        false_negatives: Positive, but not flagged: misses.
        true_negatives: Neither.
        undecided: Rows the scorer skipped or could not tell; in no other count.
        precision: Share of the flagged that are positive.
        recall: Share of the positive that are flagged (sensitivity).
        specificity: Share of the others that are not flagged.
    """

    slice: str = ""
    true_positives: int
    false_positives: int
    false_negatives: int
    true_negatives: int
    undecided: int = 0
    precision: Rate
    recall: Rate
    specificity: Rate

    @property
    def decided(self) -> int:
        """Rows that the scorer decided."""
        return self.true_positives + self.false_positives + self.false_negatives + self.true_negatives

    @property
    def f1(self) -> float | None:
        """Harmonic mean of precision and recall; None when nothing is positive or flagged."""
        below = 2 * self.true_positives + self.false_positives + self.false_negatives
        return 2 * self.true_positives / below if below else None

    @property
    def accuracy(self) -> float | None:
        """Share of the decided rows that are right."""
        return (self.true_positives + self.true_negatives) / self.decided if self.decided else None


class ScorerCard(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of a scorer's errors.

    Attributes:
        scorer: Name of the scorer.
        version: Its version when measured.
        options: Its options when measured.
        options_hash: Hash of version and options; another hash is another instrument.
        positive: What a positive row is, in words (`a refusal, whole or in part`).
        data: Name and version of the labelled data, with its licence.
        labels: Who labelled and how.
        date: Day of the measurement, `YYYY-MM-DD`.
        level: Confidence level of the intervals.
        method: How the intervals were made.
        overall: All rows.
        slices: By slice.
        failure_modes: What it is known to get wrong, in sentences.
        model: The model behind it, for judges.
        prompt_hash: Hash of its prompt, for judges.
    """

    scorer: str
    version: str
    options: dict[str, Json] = {}
    options_hash: str
    positive: str
    data: str
    labels: str = ""
    date: str
    level: float = 0.95
    method: str = "wilson"
    overall: SliceCard
    slices: tuple[SliceCard, ...] = ()
    failure_modes: tuple[str, ...] = ()
    model: str = ""
    prompt_hash: str = ""
