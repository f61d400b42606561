"""Effects of factors: values known by construction, agreement with the factorial formulas, aliases named."""

import numpy as np
import pytest

from evalwright.services.experiment_effects import effects
from evalwright.stats import factorial_effects, full_design

LEVELS = {"prompt": ["long", "short"], "model": ["small", "large"]}
SETTINGS = [{"prompt": p, "model": m} for p in LEVELS["prompt"] for m in LEVELS["model"]]


def test_two_level_factors_agree_with_the_factorial_formulas():
    scores = np.random.default_rng(1).random((4, 50))
    found = {effect.name: effect for effect in effects(SETTINGS, LEVELS, scores)}
    known = factorial_effects(full_design(2), scores, ["prompt", "model"]).effects
    pairs = {
        "prompt: short": "prompt",
        "model: large": "model",
        "prompt: short × model: large": "prompt:model",
    }
    for mine, theirs in pairs.items():
        assert found[mine].value == pytest.approx(known[theirs].value)
        assert (found[mine].low, found[mine].high) == pytest.approx((known[theirs].low, known[theirs].high))


def test_a_planted_effect_is_found_and_chance_is_not():
    rng = np.random.default_rng(2)
    difficulty = rng.random(300)
    gain = {"small": 0.0, "large": 0.1}
    scores = np.array([difficulty + gain[s["model"]] + rng.normal(0, 0.1, 300) for s in SETTINGS])
    found = {effect.name: effect for effect in effects(SETTINGS, LEVELS, scores)}
    assert found["model: large"].clear
    assert found["model: large"].low < 0.1 < found["model: large"].high
    assert not found["prompt: short"].clear
    assert not found["prompt: short × model: large"].clear
    assert all(effect.p_adjusted >= effect.p for effect in found.values())


def test_three_levels_are_each_compared_with_the_first():
    levels = {"k": ["3", "5", "10"], "m": ["a", "b"]}
    settings = [{"k": k, "m": m} for k in levels["k"] for m in levels["m"]]
    base = {"3": 0.0, "5": 0.2, "10": 0.5}
    scores = np.array([np.full(10, base[s["k"]]) + np.arange(10) / 100 for s in settings])
    found = {effect.name: effect.value for effect in effects(settings, levels, scores)}
    assert found["k: 5"] == pytest.approx(0.2)
    assert found["k: 10"] == pytest.approx(0.5)
    assert found["m: b"] == pytest.approx(0.0)


def test_effects_a_half_design_can_not_tell_apart_are_named():
    half = [{"a": a, "b": b, "c": str((int(a) + int(b) + 1) % 2)} for a in "01" for b in "01"]
    levels = {name: ["0", "1"] for name in "abc"}
    found = {effect.name: effect for effect in effects(half, levels, np.random.default_rng(3).random((4, 20)))}
    assert found["a: 1"].aliased == ("b: 1 × c: 1",)
    assert found["b: 1 × c: 1"].aliased == ("a: 1",)


def test_cases_of_one_cluster_count_less():
    scores = np.repeat(np.random.default_rng(4).random((4, 10)), 5, axis=1)
    alone = effects(SETTINGS, LEVELS, scores)[0]
    grouped = effects(SETTINGS, LEVELS, scores, clusters=np.repeat(np.arange(10), 5))[0]
    assert grouped.high - grouped.low > alone.high - alone.low
