"""The card of a scorer: measured in this workspace, or shipped with the scorer."""

from __future__ import annotations

import inspect
import time
from difflib import get_close_matches

import msgspec

from evalwright.core.errors import UsageError
from evalwright.core.estimate import Estimate
from evalwright.scorers.cards import Rate, ScorerCard, shipped_card, shipped_names
from evalwright.services.vocabulary import vocabulary
from evalwright.store.cards import Card, CardStore


class AboutScorer(msgspec.Struct, frozen=True, kw_only=True):
    """A scorer in words with what is known of its errors.

    Attributes:
        name: Name of the scorer.
        does: What it does.
        origin: `shipped`, `measured here`, or empty without a card.
        card: Its card.
    """

    name: str
    does: str
    origin: str
    card: Card | None


def known_cards(cards: CardStore) -> dict[str, str]:
    """Metrics that have a card, and where it comes from."""
    shipped = dict.fromkeys(shipped_names(), "shipped")
    return shipped | dict.fromkeys(cards.metrics(), "measured here")


def find_card(cards: CardStore, metric: str) -> Card:
    """The newest card measured in this workspace, else the one that ships with the scorer.

    Raises:
        UsageError: There is none.
    """
    found = cards.latest(metric)
    if found is not None:
        return found
    shipped = shipped_card(metric)
    if shipped is None:
        known = ", ".join(sorted(known_cards(cards))) or "none yet"
        raise UsageError(f"`{metric}` has no card; there are: {known}", hint="evalwright calibrate makes one")
    return from_shipped(shipped)


def about_scorer(cards: CardStore, name: str) -> AboutScorer:
    """What a scorer does, and its card: measured here, else shipped, else none.

    Args:
        cards: The workspace's cards.
        name: Name of a scorer, or of a metric measured here.

    Raises:
        UsageError: Nobody knows it.
    """
    known = vocabulary().scorers
    measured = cards.latest(name)
    scorer = name if name in known else (measured.scorer if measured else "")
    if not scorer:
        near = get_close_matches(name, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else "evalwright list scorers shows them all"
        raise UsageError(f"there is no scorer `{name}`", hint=hint)
    shipped = shipped_card(scorer)
    words = inspect.cleandoc(known[scorer].__doc__ or "") if scorer in known else ""
    return AboutScorer(
        name=scorer,
        does=words,
        origin="measured here" if measured else "shipped" if shipped else "",
        card=measured or (from_shipped(shipped) if shipped else None),
    )


def from_shipped(card: ScorerCard) -> Card:
    """A shipped card in the form of one measured here."""
    figures = [
        _estimate(name, getattr(part, name), part.slice, card)
        for part in (card.overall, *card.slices)
        for name in ("precision", "recall", "specificity")
    ]
    return Card(
        metric=card.scorer,
        scorer=card.scorer,
        version=card.version,
        identity=card.options_hash,
        prompt_hash=card.prompt_hash or None,
        model=card.model or None,
        options=card.options,
        data=card.data,
        created_at=_seconds(card.date),
        n=card.overall.decided,
        skipped=card.overall.undecided,
        figures=tuple(figures),
        notes=(f"positive means: {card.positive}", *card.failure_modes),
    )


def _estimate(name: str, rate: Rate, slice_name: str, card: ScorerCard) -> Estimate:
    return Estimate(
        metric=name,
        value=rate.value,
        low=rate.low,
        high=rate.high,
        level=card.level,
        method=card.method,
        n=rate.n,
        slice=slice_name,
    )


def _seconds(day: str) -> float:
    return time.mktime(time.strptime(day, "%Y-%m-%d"))
