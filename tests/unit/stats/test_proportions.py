"""Published values and invariants of the intervals of a pass rate."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.stats import agresti_coull, clopper_pearson, jeffreys, mid_p, rule_of_three, wald, wilson

# Newcombe 1998, Statistics in Medicine 17:857, Table I (methods 3 and 5), as printed.
NEWCOMBE = [
    (81, 263, (0.2553, 0.3662), (0.2527, 0.3676)),
    (15, 148, (0.0624, 0.1605), (0.0578, 0.1617)),
    (0, 20, (0.0, 0.1611), (0.0, 0.1684)),
    (1, 29, (0.0061, 0.1718), (0.0009, 0.1776)),
]
METHODS = [wilson, clopper_pearson, jeffreys, mid_p, agresti_coull, wald]


@pytest.mark.parametrize(("x", "n", "score", "exact"), NEWCOMBE)
def test_published_intervals(x, n, score, exact):
    w, cp = wilson(x, n), clopper_pearson(x, n)
    assert (round(w.low, 4), round(w.high, 4)) == score
    assert (round(cp.low, 4), round(cp.high, 4)) == exact


def test_clopper_pearson_lower_bound_after_only_passes_is_the_closed_form():
    assert clopper_pearson(59, 59, side="lower").low == pytest.approx(0.05 ** (1 / 59), abs=1e-12)
    assert clopper_pearson(59, 59, side="lower").high == 1.0


def test_an_upper_bound_mirrors_the_lower_bound_of_failures():
    upper = clopper_pearson(3, 40, side="upper")
    assert upper.high == pytest.approx(1 - clopper_pearson(37, 40, side="lower").low)
    assert (upper.low, upper.side) == (0.0, "upper")


def test_jeffreys_fixes_its_end_at_the_edge():
    assert jeffreys(0, 20).low == 0.0
    assert jeffreys(20, 20).high == 1.0


@pytest.mark.parametrize("method", METHODS)
def test_no_cases_give_no_value_and_everything_possible(method):
    empty = method(0, 0)
    assert (empty.value, empty.low, empty.high, empty.notes) == (None, 0.0, 1.0, ("empty",))


@pytest.mark.parametrize(("x", "n"), [(-1, 5), (6, 5), (2.5, 5), (1, -1)])
def test_impossible_counts_are_refused(x, n):
    with pytest.raises(ValueError, match=r"counts|successes"):
        wilson(x, n)


@pytest.mark.parametrize("level", [0.0, 1.0, 95.0])
def test_a_level_outside_0_and_1_is_refused(level):
    with pytest.raises(ValueError, match="level"):
        wilson(1, 2, level=level)


def test_rule_of_three():
    assert rule_of_three(60) == 0.95
    with pytest.raises(ValueError, match="positive"):
        rule_of_three(0)


@pytest.mark.parametrize("method", METHODS)
@given(n=st.integers(1, 400), data=st.data())
def test_ends_enclose_the_rate_inside_0_and_1(method, n, data):
    x = data.draw(st.integers(0, n))
    ci = method(x, n)
    assert 0.0 <= ci.low <= ci.value + 1e-12
    assert ci.value - 1e-12 <= ci.high <= 1.0


@pytest.mark.parametrize("method", [wilson, clopper_pearson, jeffreys, mid_p])
@given(n=st.integers(2, 300), data=st.data())
def test_more_passes_move_both_ends_up(method, n, data):
    x = data.draw(st.integers(0, n - 1))
    here, above = method(x, n), method(x + 1, n)
    assert here.low <= above.low + 1e-12
    assert here.high <= above.high + 1e-12


@pytest.mark.parametrize("method", METHODS)
@given(n=st.integers(1, 300), data=st.data())
def test_counting_failures_instead_mirrors_the_interval(method, n, data):
    x = data.draw(st.integers(0, n))
    passes, failures = method(x, n), method(n - x, n).mapped(scale=-1.0, offset=1.0)
    assert passes.low == pytest.approx(failures.low, abs=1e-9)
    assert passes.high == pytest.approx(failures.high, abs=1e-9)
