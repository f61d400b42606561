"""Intervals cover and tests keep their level, in simulations whose truth is known."""

from __future__ import annotations

import math

import pytest

from .simulations import SCENARIOS, rate

SIMULATIONS = 400
WRONG = [s for s in SCENARIOS if "wrong on purpose" in s.name]
RIGHT = [s for s in SCENARIOS if s not in WRONG]


@pytest.mark.slow
@pytest.mark.parametrize("scenario", RIGHT, ids=lambda s: s.name)
def test_the_promise_is_kept(scenario):
    """Within four binomial standard errors of the promise, and the slack the scenario declares."""
    observed, n = rate(scenario, SIMULATIONS, seed=1)
    noise = 4 * math.sqrt(scenario.target * (1 - scenario.target) / n)
    if scenario.kind == "coverage":
        assert observed >= scenario.target - scenario.slack - noise
    else:
        assert observed <= scenario.target + scenario.slack + noise


@pytest.mark.slow
@pytest.mark.parametrize("scenario", WRONG, ids=lambda s: s.name)
def test_the_wrong_way_is_visibly_wrong(scenario):
    """If the simulation could not tell a bad method from a good one, the tests above would mean nothing."""
    observed, n = rate(scenario, 2 * SIMULATIONS, seed=2)
    noise = 3 * math.sqrt(scenario.target * (1 - scenario.target) / n)
    assert observed < scenario.target - noise if scenario.kind == "coverage" else observed > scenario.target + noise
