"""Cards: what is known of a scorer's own errors, from answers that people labelled.

A scorer that flags something is an instrument with false alarms and misses. `measure_card` counts them on labelled rows
and puts intervals to the shares; `shipped_card` gives the cards of the built-in scorers that were measured on public
data. A card belongs to one version of a scorer with one set of options: `is_current` tells whether it still does.
"""

from __future__ import annotations

from evalwright.scorers.cards.measure import Labelled, from_score, measure_card
from evalwright.scorers.cards.record import Rate, ScorerCard, SliceCard
from evalwright.scorers.cards.shipped import is_current, load_card, save_card, shipped_card, shipped_names

__all__ = [
    "Labelled",
    "Rate",
    "ScorerCard",
    "SliceCard",
    "from_score",
    "is_current",
    "load_card",
    "measure_card",
    "save_card",
    "shipped_card",
    "shipped_names",
]
