"""Cards: counted right, written and read again, and those that ship still true."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from benchmarks import scorer_cards
from evalwright.core.errors import UsageError
from evalwright.core.score import Score
from evalwright.scorers import RefusalRate
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
from evalwright.scorers.cards.own import OWN_SETS, OwnSet, own_set
from evalwright.services.labels import read_labels
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
    assert shipped_names() == sorted(chosen.scorer for chosen in OWN_SETS)
    for chosen in OWN_SETS:
        card = shipped_card(chosen.scorer)
        assert card is not None
        scorer = scorer_cards.make(chosen, chosen.options)
        assert is_current(card, scorer), f"measure {card.scorer} again: python benchmarks/scorer_cards.py --write"
        assert card.failure_modes
    assert shipped_card("no_such_scorer") is None


@pytest.mark.parametrize("chosen", OWN_SETS, ids=lambda chosen: chosen.scorer)
def test_shipped_cards_are_true_on_our_own_sets(chosen: OwnSet) -> None:
    """The part of a card that is measured on the set in the package is measured again."""
    shipped = shipped_card(chosen.scorer)
    assert shipped is not None
    again = scorer_cards.measure(chosen, shipped.date, public=False)
    ours = [part for part in shipped.slices if part.slice == scorer_cards.OURS]
    assert [part for part in again.slices if part.slice == scorer_cards.OURS] == ours
    assert again.overall.decided + again.overall.undecided >= 39


@pytest.mark.shared
@pytest.mark.parametrize("name", scorer_cards.PUBLIC)
def test_shipped_cards_are_true_on_public_data(name: str) -> None:
    shared_data("data/xstest")
    shipped, chosen = shipped_card(name), own_set(name)
    assert shipped is not None
    assert chosen is not None
    again = scorer_cards.measure(chosen, shipped.date)
    assert msgspec.to_builtins(again) == msgspec.to_builtins(shipped)


def test_rows_of_our_own_sets_are_whole_and_none_is_there_twice() -> None:
    for chosen in OWN_SETS:
        rows = read_labels(chosen.path, {} if chosen.label == "label" else {"label": chosen.label}).rows
        assert {row.label for row in rows if row.label is not None} == {"yes", "no"}
        assert len({row.case.id for row in rows}) == len(rows) >= 40
        assert all(row.output is not None for row in rows)
    assert own_set("exact") is None
