"""Effects of the factors of an experiment, from scores of the same cases in every run."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import msgspec
import numpy as np
from scipy import special

from evalwright.analysis.frame import FloatArray, IntArray
from evalwright.stats import adjust_p, estimate_mean, mean_t

Setting = dict[str, str]
"""Level by factor: what one run was made with."""


class Effect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What changing a setting does to the metric, the other settings averaged over.

    Attributes:
        name: `model: large` (a main effect, against the first level), `prompt: short × model: large` (an interaction).
        value: The change; for an interaction half the difference between the changes at the two levels.
        low: Lower end of the interval.
        high: Upper end.
        level: Confidence level.
        p: Two-sided p-value; None where nothing varies.
        p_adjusted: The same after correction for the number of effects looked at (Holm).
        n: Cases.
        order: 1 for main effects, 2 for interactions.
        aliased: Effects that this design can't tell it apart from.
    """

    name: str
    value: float
    low: float | None
    high: float | None
    level: float
    n: int
    order: int
    p: float | None = None
    p_adjusted: float | None = None
    aliased: tuple[str, ...] = ()

    @property
    def clear(self) -> bool:
        """Whether the effect is shown, after correction."""
        return self.p_adjusted is not None and self.p_adjusted < 1.0 - self.level


def effects(
    settings: Sequence[Setting],
    levels: dict[str, list[str]],
    scores: FloatArray,
    *,
    clusters: IntArray | None = None,
    level: float = 0.95,
) -> tuple[Effect, ...]:
    """Main effects of every level against its factor's first, and interactions of two factors.

    Each effect is worked out per case, so that differences in difficulty cancel; its interval is Student's t over cases
    (CR2 over clusters).

    Args:
        settings: Of each run.
        levels: Levels by factor, the first being the one to compare with.
        scores: Mean score of each case in each run, shape (runs, cases), finite.
        clusters: Cluster code of each case, None for independent ones.
        level: Confidence level.
    """
    signs = [*_main(settings, levels), *_pairs(settings, levels)]
    found = [_effect(name, order, weights, scores, clusters, level) for name, order, weights in signs]
    known = [effect.p for effect in found if effect.p is not None]
    adjusted = iter(adjust_p(known).tolist() if known else ())
    aliased = _aliased([(name, weights) for name, _, weights in signs])
    return tuple(
        msgspec.structs.replace(
            effect, p_adjusted=None if effect.p is None else float(next(adjusted)), aliased=aliased[effect.name]
        )
        for effect in found
    )


Weighted = tuple[str, int, FloatArray]


def _main(settings: Sequence[Setting], levels: dict[str, list[str]]) -> list[Weighted]:
    return [
        (f"{factor}: {name}", 1, _contrast(settings, factor, names[0], name))
        for factor, names in levels.items()
        for name in names[1:]
    ]


def _contrast(settings: Sequence[Setting], factor: str, first: str, other: str) -> FloatArray:
    """Weight of each run in "mean with the other level minus mean with the first"."""
    at = np.array([1.0 if s[factor] == other else -1.0 if s[factor] == first else 0.0 for s in settings])
    up, down = at > 0, at < 0
    return np.where(up, 1.0 / max(1, up.sum()), np.where(down, -1.0 / max(1, down.sum()), 0.0))


def _pairs(settings: Sequence[Setting], levels: dict[str, list[str]]) -> list[Weighted]:
    found = []
    for (one, ones), (two, twos) in combinations(levels.items(), 2):
        for a in ones[1:]:
            for b in twos[1:]:
                product = np.sign(_contrast(settings, one, ones[0], a)) * np.sign(_contrast(settings, two, twos[0], b))
                up, down = product > 0, product < 0
                if up.any() and down.any():
                    weights = np.where(up, 1.0 / up.sum(), np.where(down, -1.0 / down.sum(), 0.0))
                    found.append((f"{one}: {a} × {two}: {b}", 2, weights))
    return found


def _effect(
    name: str, order: int, weights: FloatArray, scores: FloatArray, clusters: IntArray | None, level: float
) -> Effect:
    values = weights @ scores
    plain = clusters is None or len(np.unique(clusters)) == len(values)
    interval = (
        mean_t(values, level=level) if plain else estimate_mean(values, kind="mean", clusters=clusters, level=level)
    )
    p = None
    if interval.se and interval.value is not None:
        p = float(2.0 * special.stdtr(interval.df or len(values) - 1, -abs(interval.value) / interval.se))
    return Effect(
        name=name,
        value=interval.value or 0.0,
        low=interval.low,
        high=interval.high,
        level=level,
        p=p,
        n=len(values),
        order=order,
    )


def _aliased(weighted: Sequence[tuple[str, FloatArray]]) -> dict[str, tuple[str, ...]]:
    """For each effect the others that are the same contrast, up to its sign."""
    found: dict[str, tuple[str, ...]] = {}
    for name, weights in weighted:
        same = [
            other
            for other, others in weighted
            if other != name and (np.allclose(weights, others) or np.allclose(weights, -others))
        ]
        found[name] = tuple(same)
    return found
