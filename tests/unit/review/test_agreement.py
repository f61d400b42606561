"""Agreement figures of small tables whose values are known, and of tables made to show one thing."""

from __future__ import annotations

import numpy as np
import pytest

from evalwright.core.errors import UsageError
from evalwright.review.agreement import Plan, rubric_agreement
from evalwright.review.ratings import Levels, Rating, level_text, ratings_of, ratings_of_matrix

ORDINAL = Levels(scale="ordinal")


def agreement(matrix, shape="units-by-raters", levels=None, **plan):
    table = ratings_of_matrix(matrix, shape=shape, name="t", levels=levels or Levels())
    return rubric_agreement(table, Plan(**plan))


def test_a_published_cross_table_with_gaps_of_nothing():
    found = agreement([[20, 5], [10, 15]], "contingency")
    assert found.kappa.value == pytest.approx(0.4)
    assert found.kappa.low < 0.4 < found.kappa.high
    assert found.percent.value == pytest.approx(0.7)
    assert [(d.level_a, d.level_b, d.count) for d in found.levels_in_dispute] == [("1", "2", 15.0)]


def test_every_coefficient_has_ends_around_its_value():
    rng = np.random.default_rng(5)
    truth = rng.integers(1, 5, 80)
    matrix = [
        [int(np.clip(t + rng.integers(-1, 2), 1, 4)) if rng.random() > 0.2 else None for _ in range(4)] for t in truth
    ]
    found = agreement(matrix, levels=ORDINAL)
    named = (found.percent, found.kappa, found.weighted, found.fleiss, found.alpha, found.gwet_ac, found.gwet_ac1)
    for one in (*named, found.brennan_prediger, *found.alphas.values()):
        assert one is not None
        assert one.low is not None
        assert one.high is not None
        assert one.low <= one.value <= one.high
        assert one.n > 0
    assert set(found.alphas) == {"nominal", "ordinal", "interval", "ratio"}
    assert len(found.pairs) == 6
    assert all(pair.kappa_quadratic is not None for pair in found.pairs)
    assert 0.1 < found.missing < 0.3


def test_order_and_names_of_units_and_raters_do_not_matter():
    rows = [Rating(f"u{n}", r, (n * 7 + k) % 3) for n in range(30) for k, r in enumerate("abc") if (n + k) % 4]
    one = rubric_agreement(ratings_of(rows, name="t", levels=ORDINAL), Plan(resamples=0))
    two = rubric_agreement(ratings_of(reversed(rows), name="t", levels=ORDINAL), Plan(resamples=0))
    assert one.alpha.value == pytest.approx(two.alpha.value)
    assert one.kappa.value == pytest.approx(two.kappa.value)
    assert {p.n for p in one.pairs} == {p.n for p in two.pairs}


def test_the_kappa_paradox_is_told():
    found = agreement([[118, 5], [2, 0]], "contingency")
    assert found.kappa.value == pytest.approx(-0.023392, abs=1e-6)
    assert any("kappa paradox" in warning and "0.94" in warning for warning in found.warnings)
    balanced = agreement([[60, 5], [5, 55]], "contingency")
    assert not [warning for warning in balanced.warnings if "paradox" in warning]


def test_a_lenient_rater_and_the_level_that_divides():
    rows = [Rating(str(n), rater, n % 3) for n in range(60) for rater in ("a", "b")]
    rows += [Rating(str(n), "lenient", min(n % 3 + 1, 2)) for n in range(60)]
    found = rubric_agreement(ratings_of(rows, name="t", levels=ORDINAL), Plan())
    bias = {rater.rater: rater.bias.value for rater in found.raters}
    assert bias["lenient"] == pytest.approx(2 / 3)
    assert bias["a"] == pytest.approx(-1 / 3)
    assert {(d.level_a, d.level_b) for d in found.levels_in_dispute} == {("0", "1"), ("1", "2")}
    assert max(found.levels_used, key=lambda level: level.disagreements).level == "1"


def test_all_the_same_has_no_coefficient_and_says_so():
    found = agreement([["yes", "yes"]] * 12)
    assert found.alpha.value is None
    assert found.percent.value == 1.0
    assert any("not defined" in warning for warning in found.warnings)


def test_units_with_one_rating_say_nothing_of_agreement():
    found = agreement([["a", None], ["b", None]])
    assert found.pairable == 0
    assert found.percent.value is None
    assert any("nothing can be said" in warning for warning in found.warnings)


def test_over_time_in_order():
    rows = [
        Rating(str(n), rater, n % 2 if n < 30 or rater == "a" else 1, float(n)) for n in range(60) for rater in "ab"
    ]
    found = rubric_agreement(ratings_of(rows, name="t", levels=Levels()), Plan())
    assert len(found.over_time) == 4
    assert found.over_time[0].percent.value == 1.0
    assert found.over_time[-1].percent.value < 0.6


def test_a_rater_who_rates_again_is_told_of_and_the_last_counts():
    table = ratings_of([Rating("u", "a", 1), Rating("u", "a", 2), Rating("u", "b", 2)], name="t", levels=Levels())
    assert table.notes
    assert table.levels == ("2",)


@pytest.mark.parametrize(
    ("matrix", "shape", "levels", "words"),
    [
        ([[1, 2], [1]], "units-by-raters", Levels(), "different lengths"),
        ([], "units-by-raters", Levels(), "no table"),
        ([[1, 0.5]], "counts", Levels(), "whole numbers"),
        ([["a", "b"]], "counts", Levels(), "not all its cells are numbers"),
        ([[1, 2, 3], [1, 2, 3]], "contingency", Levels(), "not square"),
        ([[0, 0], [0, 0]], "counts", Levels(), "not one rating"),
        ([["good", "bad"]], "units-by-raters", ORDINAL, "whose order is not known"),
        ([["good", "great"]], "units-by-raters", Levels(names=("bad", "good")), "`great` is no level"),
        ([[None, None]], "units-by-raters", Levels(), "not one rating"),
    ],
)
def test_tables_that_are_none(matrix, shape, levels, words):
    with pytest.raises(UsageError, match=words):
        ratings_of_matrix(matrix, shape=shape, name="t", levels=levels)


def test_levels_of_a_rubric_that_nobody_used_count_as_levels():
    levels = Levels(scale="ordinal", names=("bad", "fair", "good"), values=(0.0, 0.5, 1.0))
    found = agreement([["bad", "good"], ["good", "good"]] * 10, levels=levels)
    assert found.levels == ("bad", "fair", "good")
    assert "nobody used `fair`" in found.warnings


def test_ratings_in_any_spelling_are_one_level():
    assert [level_text(x) for x in (3, 3.0, "3", " 3.0 ", "x", "", None, "NA", False)] == [
        "3", "3", "3", "3", "x", None, None, None, "false",
    ]  # fmt: skip


def test_many_raters_are_compared_in_reasonable_time_and_said_so():
    rng = np.random.default_rng(3)
    rows = [
        Rating(str(n), f"r{r}", int(rng.integers(0, 2))) for n in range(200) for r in rng.choice(300, 3, replace=False)
    ]
    found = rubric_agreement(ratings_of(rows, name="t", levels=Levels()), Plan(resamples=50))
    assert found.raters_n > 60
    assert any("60 raters" in warning for warning in found.warnings)


@pytest.mark.parametrize("matrix", [[[1e9, 1e9], [1e9, 1e9]], [[2e308, 1], [1, 1]]])
def test_a_small_request_does_not_become_a_huge_table(matrix):
    with pytest.raises(UsageError, match=r"more than 1,000,000|whole numbers"):
        ratings_of_matrix(matrix, shape="contingency", name="t", levels=Levels())


def test_levels_in_another_spelling_are_the_same():
    levels = Levels(scale="ordinal", names=("1.0", "2.0", "3"))
    assert agreement([[1, 2], [3, 3]], levels=levels).levels == ("1", "2", "3")
    with pytest.raises(UsageError, match="named twice"):
        agreement([[1, 2]], levels=Levels(names=("1", "1.0")))
