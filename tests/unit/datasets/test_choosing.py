import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.core.errors import UsageError
from evalwright.datasets.choosing import (
    anchors,
    diverse,
    failing_weights,
    held_out,
    uncertain_weights,
    weighted_draw,
)

NAN = float("nan")


def rng(seed=0):
    return np.random.default_rng(seed)


def systems(count=6, cases=400, seed=3):
    """Verdicts of systems of rising ability on cases of rising difficulty."""
    made = rng(seed)
    ability, difficulty = np.linspace(-1.5, 1.5, count)[:, None], made.normal(size=cases)
    return (made.random((count, cases)) < 1 / (1 + np.exp(-3 * (ability - difficulty)))).astype(float)


def test_weights_by_hand():
    outcomes = np.array([[1.0, 0.0, NAN], [1.0, 0.0, NAN], [1.0, 1.0, NAN]])
    assert failing_weights(outcomes).tolist() == [0.2, 0.6, 0.5]
    assert uncertain_weights(outcomes) == pytest.approx([0.16, 0.24, 0.25])


def test_a_weighted_draw_takes_heavy_cases_more_often_and_repeats_with_its_seed():
    weights = np.array([1.0] * 50 + [9.0] * 50)
    drawn = weighted_draw(weights, 20, rng())
    assert drawn.tolist() == weighted_draw(weights, 20, rng()).tolist()
    assert len(set(drawn.tolist())) == 20
    heavy = np.mean([(weighted_draw(weights, 1, rng(seed)) >= 50).mean() for seed in range(2_000)])
    assert heavy == pytest.approx(0.9, abs=0.02)


def test_diverse_takes_one_of_each_heap_before_a_second_of_any():
    points = np.concatenate([rng(n).normal(10.0 * n, 0.01, size=(30, 2)) for n in range(5)])
    chosen = diverse(len(points), 5, lambda i: np.linalg.norm(points - points[i], axis=1), rng())
    assert sorted(n // 30 for n in chosen.tolist()) == [0, 1, 2, 3, 4]


@settings(max_examples=40, deadline=None)
@given(size=st.integers(1, 60), seed=st.integers(0, 5), count=st.integers(1, 5))
def test_anchors_stand_for_the_whole_set(size, seed, count):
    outcomes = systems(count, 60, seed)
    made = anchors(outcomes, size, rng(seed))
    assert len(set(made.index)) == size
    assert list(made.index) == sorted(made.index)
    assert sum(made.sizes) == 60
    assert sum(made.weight) == pytest.approx(1.0) or size < len(made.sizes)
    assert made.predict(np.ones(size)) == pytest.approx(1.0)


def test_all_cases_as_anchors_foretell_exactly():
    outcomes = systems(4, 50)
    made = anchors(outcomes, 50, rng())
    assert made.predict(outcomes[2][list(made.index)]) == pytest.approx(outcomes[2].mean())


def test_cases_that_better_systems_fail_are_passed_over():
    outcomes = systems(8, 200)
    outcomes[:, :10] = 1.0 - outcomes[:, 10:20]
    made = anchors(outcomes, 60, rng())
    assert made.left_out >= 8
    assert sum(index < 10 for index in made.index) <= 3


def test_a_subset_foretells_a_system_it_was_made_without_better_than_chance():
    tried = held_out(systems(6, 600), list("abcdef"), 60, seed=1, draws=60)
    assert [one.run for one in tried] == list("abcdef")
    assert np.mean([one.error for one in tried]) < 0.92 * np.mean([one.plain for one in tried])
    assert all(abs(one.bias) < 0.03 for one in tried)
    assert held_out(systems(1, 60), ["a"], 10, seed=0) == []


def test_what_can_not_be_done_is_said():
    with pytest.raises(UsageError, match="needs past runs"):
        anchors(np.zeros((0, 10)), 5, rng())
    with pytest.raises(UsageError, match="can't be taken from 10"):
        anchors(np.zeros((1, 10)), 11, rng())
