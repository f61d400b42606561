"""What is known of the scorers of a run: the card measured in this workspace, else the one that ships."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from evalwright.core.case import Json
from evalwright.core.estimate import Estimate
from evalwright.core.result import Instrument
from evalwright.core.run import ScorerRecord
from evalwright.scorers.cards import ScorerCard, shipped_card
from evalwright.services.finding_cards import from_shipped
from evalwright.store.cards import Card, CardStore

_PLACES = frozenset({"field", "context", "question", "expected", "contexts", "from_case", "as"})
"""Options that say where something stands, not how it is judged."""

_SHOWN = 3


def instruments_of(records: Sequence[ScorerRecord], cards: CardStore) -> tuple[Instrument, ...]:
    """One for each metric whose scorer has a card, in the order of the metrics."""
    return tuple(_instruments(records, cards))


def _instruments(records: Sequence[ScorerRecord], cards: CardStore) -> Iterator[Instrument]:
    for record in records:
        own = cards.of(record.metric, record.digest)
        if own is not None:
            yield measured_here(record, own)
            continue
        shipped = shipped_card(record.name)
        if shipped is not None:
            yield _shipped(record, shipped)


def measured_here(record: ScorerRecord, card: Card) -> Instrument:
    """The figures of a card of this workspace, in the words of flags.

    A scorer without a direction (`refusal`) flags what it says yes to; every other one flags what it fails.
    """
    yes = record.higher_is_better is None
    precision, recall, specificity = (
        ("pass_precision", "sensitivity", "specificity") if yes else ("flag_precision", "specificity", "sensitivity")
    )
    return Instrument(
        metric=record.metric,
        scorer=record.name,
        version=card.version,
        origin="measured here",
        data=card.data,
        date=time.strftime("%Y-%m-%d", time.localtime(card.created_at)),
        n=card.n,
        undecided=card.skipped,
        precision=_named(card, precision, "precision"),
        recall=_named(card, recall, "recall"),
        specificity=_named(card, specificity, "specificity"),
        failure_modes=card.notes,
    )


def _shipped(record: ScorerRecord, card: ScorerCard) -> Instrument:
    found = from_shipped(card)
    return Instrument(
        metric=record.metric,
        scorer=record.name,
        version=card.version,
        data=card.data,
        date=card.date,
        n=found.n,
        undecided=found.skipped,
        precision=found.figure("precision"),
        recall=found.figure("recall"),
        specificity=found.figure("specificity"),
        failure_modes=card.failure_modes,
        remark=_difference(record, card),
    )


def _named(card: Card, figure: str, name: str) -> Estimate | None:
    found = card.figure(figure)
    return None if found is None else msgspec.structs.replace(found, metric=name)


def _difference(record: ScorerRecord, card: ScorerCard) -> str:
    """What is other than when it was measured, in words."""
    if record.version != card.version:
        return f"measured at version {card.version}"
    changed = list(_changed(record.options, card.options))
    more = f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else ""
    return f"measured with other options: {', '.join(changed[:_SHOWN])}{more}" if changed else ""


def _changed(now: Mapping[str, Json], then: Mapping[str, Json]) -> Iterator[str]:
    return (name for name in sorted(then) if name not in _PLACES and name in now and now[name] != then[name])
