"""Flaky and changed cases: told apart, corrected, and counted only where there is something to count."""

import numpy as np
import pytest

from evalwright.analysis.flakiness import History, Trials, assess
from evalwright.core.flakiness import Stability


def trials(table):
    """{case: scores} as trials."""
    case = np.array([c for c, scores in table.items() for _ in scores], dtype=np.int64)
    return Trials(case=case, value=np.array([s for scores in table.values() for s in scores], dtype=float))


def history(now, before=None, size=10, **more):
    return History(
        metric="exact", now=trials(now), before=trials(before or {}), size=size, case_id=lambda i: f"c{i}", **more
    )


def test_mixed_verdicts_are_flaky_and_a_turned_one_has_changed():
    now = {0: [1] * 6, 1: [1, 0, 1, 0, 1, 0], 2: [0] * 6}
    before = {0: [1] * 6, 1: [1, 1, 0, 0, 1, 0], 2: [1] * 6}
    stability, cases = assess(history(now, before))
    assert {case.case_id: case.stability for case in cases} == {"c2": Stability.CHANGED, "c1": Stability.FLAKY}
    assert cases[0].case_id == "c2"
    assert cases[0].p < 0.05
    assert cases[1].flip_rate == pytest.approx(0.6)
    assert (stability.flaky, stability.changed, stability.open) == (1, 1, 0)
    assert stability.flip_rate == pytest.approx(0.2)
    assert stability.expected_flips == pytest.approx(0.6)


def test_one_trial_before_and_after_cant_tell():
    stability, cases = assess(history({0: [0], 1: [1]}, {0: [1], 1: [1]}))
    assert [(case.case_id, case.stability) for case in cases] == [("c0", Stability.OPEN)]
    assert stability.flip_rate is None
    assert stability.repeated == 0


def test_many_cases_looked_at_are_corrected_for():
    now = {i: [1] * 4 for i in range(200)}
    before = {i: [1] * 4 for i in range(200)} | {0: [0] * 4}
    _, cases = assess(history(now, before, size=200))
    assert cases[0].stability is Stability.OPEN  # 4 of 4 against 0 of 4 has p .014: not beyond 200 looks
    strong = {i: [1] * 12 for i in range(200)}
    _, cases = assess(history(strong, {i: [1] * 12 for i in range(200)} | {0: [0] * 12}, size=200))
    assert cases[0].stability is Stability.CHANGED


def test_steady_cases_are_not_listed():
    stability, cases = assess(history({0: [1, 1, 1], 1: [0, 0, 0]}))
    assert cases == []
    assert (stability.flip_rate, stability.noise) == (0.0, 0.0)


def test_grades_tell_their_spread_and_wide_ones_are_flaky():
    stability, cases = assess(history({0: [0.2, 0.9, 0.1], 1: [0.5, 0.52, 0.48], 2: [0.9, 0.91, 0.9]}))
    assert [case.case_id for case in cases] == ["c0"]
    assert cases[0].mean == pytest.approx(0.4)
    assert not stability.verdicts
    assert 0 < stability.noise < 1
    unbounded, listed = assess(history({0: [1.0, 90.0], 1: [3.5, 4.0]}, reach=None))
    assert listed == []
    assert unbounded.sd > 10
