"""Making a card from labelled rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, NamedTuple

import msgspec

from evalwright.core.score import Score, ScoreStatus
from evalwright.scorers.cards.record import Rate, ScorerCard, SliceCard
from evalwright.scorers.cards.shipped import options_hash
from evalwright.stats.proportions import wilson


class Labelled(NamedTuple):
    """One labelled row.

    Attributes:
        flagged: What the scorer says; None when it could not tell.
        positive: What people say.
        slices: Names of the slices the row is in.
    """

    flagged: bool | None
    positive: bool
    slices: tuple[str, ...] = ()


class Description(msgspec.Struct, frozen=True, kw_only=True):
    """What a card says beside its counts.

    Attributes:
        positive: What a positive row is, in words.
        data: Name and version of the labelled data, with its licence.
        date: Day of the measurement, `YYYY-MM-DD`.
        labels: Who labelled and how.
        failure_modes: What the scorer is known to get wrong.
        model: The model behind it, for judges.
        prompt_hash: Hash of its prompt, for judges.
    """

    positive: str
    data: str
    date: str
    labels: str = ""
    failure_modes: tuple[str, ...] = ()
    model: str = ""
    prompt_hash: str = ""


def from_score(score: Score, *, threshold: float | None = None, flag_low: bool = True) -> bool | None:
    """What a score says of its row: flagged, not flagged, or None when it was skipped or failed.

    Args:
        score: The score.
        threshold: A value under it flags the row; without one, the row verdict does (a failed row is flagged).
        flag_low: Whether low values are bad; when false, a value from the threshold on (or a passed row) is flagged.
    """
    if score.status is not ScoreStatus.SCORED or score.value is None:
        return None
    if threshold is None:
        passed = score.passed if score.passed is not None else score.value >= 0.5
        return passed is not flag_low
    return score.value < threshold if flag_low else score.value >= threshold


def measure_card(scorer: Any, rows: Iterable[Labelled], about: Description, *, level: float = 0.95) -> ScorerCard:
    """Count a scorer's hits and errors on labelled rows.

    Args:
        scorer: The scorer that was measured.
        rows: The labelled rows; they should not be those it was made on.
        about: What the card says beside its counts.
        level: Confidence level of the intervals (Wilson).

    Raises:
        ValueError: There is no row.
    """
    counts: dict[str, Counter[str]] = {"": Counter()}
    for row in rows:
        for name in ("", *row.slices):
            counts.setdefault(name, Counter())[_cell(row)] += 1
    if not counts[""]:
        raise ValueError("there is no labelled row to measure on")
    cards = [_slice_card(name, cells, level) for name, cells in sorted(counts.items())]
    return ScorerCard(
        scorer=scorer.info.name,
        version=scorer.info.version,
        options=scorer.describe(),
        options_hash=options_hash(scorer),
        level=level,
        overall=cards[0],
        slices=tuple(cards[1:]),
        **msgspec.structs.asdict(about),
    )


def _cell(row: Labelled) -> str:
    if row.flagged is None:
        return "undecided"
    return ("tp" if row.flagged else "fn") if row.positive else ("fp" if row.flagged else "tn")


def _slice_card(name: str, cells: Counter[str], level: float) -> SliceCard:
    right, alarms, misses, quiet = (cells[cell] for cell in ("tp", "fp", "fn", "tn"))
    return SliceCard(
        slice=name,
        true_positives=right,
        false_positives=alarms,
        false_negatives=misses,
        true_negatives=quiet,
        undecided=cells["undecided"],
        precision=_rate(right, right + alarms, level),
        recall=_rate(right, right + misses, level),
        specificity=_rate(quiet, quiet + alarms, level),
    )


def _rate(count: int, total: int, level: float) -> Rate:
    interval = wilson(count, total, level=level)
    return Rate(
        value=interval.value, low=interval.low or 0.0, high=1.0 if interval.high is None else interval.high, n=total
    )
