"""Cards: counted right, written and read again, and those that ship still true."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from benchmarks import scorer_cards
from evalwright.core.errors import UsageError
from evalwright.core.score import Score
from evalwright.scorers import Groundedness, RefusalRate
from evalwright.scorers.cards import (
    Labelled,
    from_score,
    is_current,
    load_card,
    measure_card,
    save_card,
    shipped_card,
    shipped_names,
)
from evalwright.scorers.cards.measure import Description
from tests.shared_data import shared_data

ABOUT = Description(positive="a refusal", data="made up", date="2026-01-31", failure_modes=("none known",))
ROWS = (
    [Labelled(True, True, ("de",))] * 8
    + [Labelled(True, False)] * 2
    + [Labelled(False, True, ("de",))]
    + [Labelled(False, False)] * 9
    + [Labelled(None, True)] * 5
)


def test_counts_and_shares() -> None:
    card = measure_card(RefusalRate(), ROWS, ABOUT)
    whole = card.overall
    assert (whole.true_positives, whole.false_positives, whole.false_negatives, whole.true_negatives) == (8, 2, 1, 9)
    assert (whole.undecided, whole.decided) == (5, 20)
    assert whole.precision.value == 0.8
    assert (round(whole.precision.low, 4), round(whole.precision.high, 4)) == (0.4902, 0.9433)
    assert whole.recall.value == pytest.approx(8 / 9)
    assert whole.specificity.value == pytest.approx(9 / 11)
    assert whole.f1 == pytest.approx(16 / 19)
    assert whole.accuracy == 0.85
    german = card.slices[0]
    assert (german.slice, german.decided, german.specificity.value) == ("de", 9, None)
    assert (german.specificity.low, german.specificity.high) == (0.0, 1.0)
    with pytest.raises(ValueError, match="no labelled row"):
        measure_card(RefusalRate(), [], ABOUT)


def test_what_a_score_flags() -> None:
    assert from_score(Score.of(False)) is True
    assert from_score(Score.of(True)) is False
    assert from_score(Score.of(0.4)) is True
    assert from_score(Score.of(0.4), threshold=0.3) is False
    assert from_score(Score.of(0.4), threshold=0.3, flag_low=False) is True
    assert from_score(Score.of(True), flag_low=False) is True
    assert from_score(Score.skip("can't tell")) is None
    assert from_score(Score.failure("broken")) is None


def test_a_card_belongs_to_its_options() -> None:
    card = measure_card(RefusalRate(), ROWS, ABOUT)
    assert is_current(card, RefusalRate())
    assert not is_current(card, RefusalRate(phrases=("No comment.",)))


def test_cards_are_written_and_read(tmp_path: Path) -> None:
    card = measure_card(RefusalRate(), ROWS, ABOUT)
    save_card(card, tmp_path / "card.json")
    assert load_card(tmp_path / "card.json") == card
    (tmp_path / "broken.json").write_text("{}")
    for name in ("broken.json", "absent.json"):
        with pytest.raises(UsageError, match=name):
            load_card(tmp_path / name)


def test_shipped_cards_are_of_the_scorers_as_they_are() -> None:
    assert shipped_names() == ["groundedness", "refusal"]
    for scorer in (RefusalRate(), Groundedness()):
        card = shipped_card(scorer.info.name)
        assert card is not None
        assert is_current(card, scorer), f"measure {card.scorer} again: python benchmarks/scorer_cards.py --write"
        assert card.failure_modes
    assert shipped_card("no_such_scorer") is None


@pytest.mark.shared
@pytest.mark.parametrize("name", scorer_cards.MEASURES)
def test_shipped_cards_are_true(name: str) -> None:
    shared_data("data/xstest")
    shipped = shipped_card(name)
    assert shipped is not None
    again = scorer_cards.MEASURES[name](shipped.date)
    assert msgspec.to_builtins(again) == msgspec.to_builtins(shipped)
