"""What reports say of the scorers' own errors."""

from __future__ import annotations

import msgspec
import pytest

from evalwright.core.errors import UsageError
from evalwright.core.estimate import Estimate
from evalwright.core.run import ScorerRecord
from evalwright.scorers import ExactMatch, Groundedness
from evalwright.scorers.cards import shipped_card
from evalwright.services.finding_cards import about_scorer
from evalwright.services.instruments import instruments_of
from evalwright.store.cards import Card, CardStore


def record(metric, scorer, **changes):
    options = {**scorer.describe(), **changes}
    return ScorerRecord(metric=metric, name=scorer.info.name, version=scorer.info.version, digest="d1", options=options)


def test_a_shipped_card_speaks_for_the_metric_whatever_it_is_called(tmp_path):
    (found,) = instruments_of([record("faithful", Groundedness()), record("exact", ExactMatch())], CardStore(tmp_path))
    card = shipped_card("groundedness")
    assert (found.metric, found.scorer, found.origin, found.date) == ("faithful", "groundedness", "shipped", card.date)
    assert found.precision.value == card.overall.precision.value
    assert (found.n, found.undecided) == (card.overall.decided, card.overall.undecided)
    assert found.failure_modes == card.failure_modes
    assert found.remark == ""


def test_options_that_decide_verdicts_are_told_when_they_differ(tmp_path):
    moved = record("g", Groundedness(), threshold=0.5, context="input.passages")
    (found,) = instruments_of([moved], CardStore(tmp_path))
    assert found.remark == "measured with other options: threshold"
    (found,) = instruments_of([msgspec.structs.replace(moved, version="9")], CardStore(tmp_path))
    assert found.remark == "measured at version 1"


@pytest.mark.parametrize(("better", "precision", "recall"), [(True, 0.7, 0.6), (None, 0.9, 0.8)])
def test_a_card_measured_here_goes_first_in_the_words_of_flags(tmp_path, better, precision, recall):
    figures = {"flag_precision": 0.7, "specificity": 0.6, "pass_precision": 0.9, "sensitivity": 0.8}
    cards = CardStore(tmp_path)
    made = tuple(Estimate(metric=name, value=value, n=40) for name, value in figures.items())
    cards.save(Card(metric="g", identity="d1", created_at=1.0, n=40, data="labels.jsonl", figures=made))
    asked = msgspec.structs.replace(record("g", Groundedness()), higher_is_better=better)
    (found,) = instruments_of([asked], cards)
    assert (found.origin, found.data, found.n) == ("measured here", "labels.jsonl", 40)
    assert (found.precision.value, found.recall.value) == (precision, recall)


def test_what_a_scorer_does_is_told_with_its_card_or_without(tmp_path):
    cards = CardStore(tmp_path)
    found = about_scorer(cards, "groundedness")
    assert (found.origin, found.card.scorer) == ("shipped", "groundedness")
    assert found.does.startswith("How much of the answer")
    assert about_scorer(cards, "exact").card is None
    cards.save(Card(metric="mine", scorer="judge", identity="d1", created_at=1.0, n=3))
    assert about_scorer(cards, "mine").origin == "measured here"
    with pytest.raises(UsageError, match="there is no scorer `groundednes`") as caught:
        about_scorer(cards, "groundednes")
    assert "groundedness" in str(caught.value.hint)
