"""Routes over recorded answers: exact figures on small tables, the order of tests, and how often a claim is wrong."""

import numpy as np
import pytest

from evalwright.analysis.routing import (
    Recorded,
    always,
    chance_gap,
    chosen,
    gap,
    losses,
    on_frontier,
    oracle,
    point,
    route,
    threshold_route,
    thresholds,
)


def recorded(small, big, *, costs=(1.0, 10.0), **more):
    quality = np.column_stack([small, big]).astype(float)
    return Recorded(names=("small", "big"), quality=quality, cost=np.tile(costs, (len(quality), 1)), reach=1.0, **more)


EIGHT = recorded([1, 1, 1, 0, 0, 0, 1, 0], [1, 1, 1, 1, 1, 1, 0, 0])


def test_the_oracle_takes_the_best_answer_and_the_cheapest_of_equals():
    found = oracle(EIGHT)
    assert found.model.tolist() == [0, 0, 0, 1, 1, 1, 0, 0]
    assert (found.quality.mean(), found.cost.mean()) == (7 / 8, (5 + 30) / 8)


def test_where_less_is_better_the_oracle_takes_the_least():
    found = oracle(recorded([0.2, 0.5], [0.4, 0.1], higher_is_better=False))
    assert found.model.tolist() == [0, 1]


def test_each_route_has_its_means_shares_and_intervals():
    policy = route(EIGHT, np.array([0, 0, 0, 1, 1, 0, 1, 0]), name="policy", kind="policy")
    found = point(EIGHT, policy)
    assert found.quality.value == 5 / 8
    assert found.quality.low < 5 / 8 < found.quality.high
    assert found.cost.value == (5 + 30) / 8
    assert found.shares == {"small": 5 / 8, "big": 3 / 8}


def test_a_cascade_pays_the_models_before_the_one_that_answers():
    table = recorded([1, 0], [1, 1], cascade=True)
    model = np.array([0, 1])
    assert route(table, model, name="policy", kind="policy").cost.tolist() == [1.0, 11.0]
    assert route(table, model, name="oracle", kind="oracle").cost.tolist() == [1.0, 10.0]


def test_gaps_are_paired_and_chance_has_the_same_shares():
    policy = route(EIGHT, np.array([0, 0, 0, 1, 1, 1, 0, 0]), name="policy", kind="policy")
    against = {g.against: g for g in [gap(EIGHT, policy, other) for other in always(EIGHT)]}
    assert against["always small"].quality.value == pytest.approx(3 / 8)
    assert against["always big"].cost.value == pytest.approx(35 / 8 - 10)
    chance = chance_gap(EIGHT, policy)
    assert chance.quality.value == pytest.approx(7 / 8 - (5 / 8 * 4 / 8 + 3 / 8 * 6 / 8))
    assert chance.cost.value == pytest.approx(0.0)


def test_points_are_beaten_by_those_as_good_and_as_cheap_but_not_by_the_oracle():
    bad = route(EIGHT, np.array([1, 1, 1, 0, 0, 0, 0, 0]), name="bad", kind="policy")
    points = on_frontier([point(EIGHT, taken) for taken in [*always(EIGHT), bad, oracle(EIGHT)]])
    assert [p.dominated_by for p in points] == [(), (), ("always small",), ()]


def test_thresholds_run_from_all_to_few():
    score = np.array([0.1, 0.4, 0.4, 0.9])
    assert thresholds(score) == [0.1, 0.4, 0.9]
    assert thresholds(score, high=False) == [0.9, 0.4, 0.1]
    assert len(thresholds(np.arange(1000.0), most=7)) == 7
    table = recorded([0, 0, 0, 0], [1, 1, 1, 1])
    assert threshold_route(table, score, 0.4).model.tolist() == [0, 1, 1, 1]
    assert threshold_route(table, score, 0.4, high=False).model.tolist() == [1, 1, 1, 0]
    three = Recorded(names=("a", "b", "c"), quality=np.ones((2, 3)), cost=np.ones((2, 3)))
    with pytest.raises(ValueError, match="between two models, not 3"):
        threshold_route(three, score[:2], 0.4)


def test_the_cheapest_safe_threshold_is_found_and_tests_stop_at_the_first_failure():
    rng = np.random.default_rng(5)
    score = rng.random(2000)
    small = (rng.random(2000) < np.where(score < 0.5, 0.95, 0.3)).astype(int)
    table = recorded(small, (rng.random(2000) < 0.95).astype(int))
    tried = thresholds(score)
    found = losses(table, score, tried, max_drop=0.03)
    safe = [loss.safe for loss in found]
    assert safe == sorted(safe, reverse=True)
    assert found[0].loss.value == 0.0
    assert 0.4 < chosen(table, score, found) < 0.6
    assert chosen(table, score, losses(table, score, tried, max_drop=None)) is None


def test_a_threshold_too_low_is_rarely_called_safe():
    """Where every threshold but the first loses more than allowed, it is called safe in at most 5 % of runs."""
    wrong = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        score = np.repeat([0.0, 1.0], 150)
        small = rng.random(300) < 0.72
        table = recorded(small, rng.random(300) < 0.80)
        found = losses(table, score, thresholds(score), max_drop=0.04)
        wrong += chosen(table, score, found) != 0.0
    assert wrong <= 20


def test_the_interval_against_chance_covers_no_knowledge():
    outside = 0
    for seed in range(200):
        rng = np.random.default_rng(seed)
        table = recorded(rng.random(120) < 0.6, rng.random(120) < 0.9)
        found = chance_gap(table, route(table, rng.integers(0, 2, 120), name="policy", kind="policy")).quality
        outside += not found.low <= 0.0 <= found.high
    assert outside <= 20


def test_clusters_widen_the_intervals():
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(20), 10)
    easy = rng.random(20) < 0.6
    quality = np.column_stack([easy[group], np.ones(200)]).astype(float)
    plain = Recorded(names=("small", "big"), quality=quality, cost=np.ones((200, 2)), reach=1.0)
    clustered = Recorded(names=("small", "big"), quality=quality, cost=np.ones((200, 2)), reach=1.0, clusters=group)
    width = [(p.quality.high - p.quality.low) for p in (point(t, always(t)[0]) for t in (plain, clustered))]
    assert width[1] > 2 * width[0]
