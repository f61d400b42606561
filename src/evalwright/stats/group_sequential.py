"""A few planned looks at a growing run, with critical values that keep the error rate over all of them.

At look k compute the usual interval with `level=plan.look_level(k)`: the verdicts read from those intervals are wrong
no more often, over all looks together, than the plan promises on each side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from scipy import special

from evalwright.stats._arrays import FloatArray
from evalwright.stats._dist import find_root, z_cdf, z_quantile

Boundary = Literal["lan_demets_obf", "lan_demets_pocock", "obrien_fleming", "pocock"]


def spent_alpha(fraction: float, *, alpha: float = 0.025, boundary: Boundary = "lan_demets_obf") -> float:
    """Error probability a spending function allows up to an information fraction.

    "lan_demets_obf": 2(1 - Φ(z_{α/2}/√t)), very strict early; "lan_demets_pocock": α·ln(1 + (e-1)t), even.

    Raises:
        ValueError: fraction outside [0, 1], or a boundary that does not spend.

    Source: Lan & DeMets 1983, Biometrika 70:659.

    >>> round(spent_alpha(0.5), 6)
    0.001525
    """
    if not 0.0 <= fraction <= 1.0:
        raise ValueError(f"fraction must lie between 0 and 1, got {fraction}")
    if boundary == "lan_demets_obf":
        return 0.0 if fraction == 0.0 else 2.0 * z_cdf(-z_quantile(1.0 - alpha / 2.0) / math.sqrt(fraction))
    if boundary == "lan_demets_pocock":
        return alpha * math.log(1.0 + (math.e - 1.0) * fraction)
    raise ValueError(f"{boundary} is not a spending function: use lan_demets_obf or lan_demets_pocock")


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialPlan:
    """Planned looks and their critical values.

    Attributes:
        fractions: share of the final number of cases at each look, increasing, the last one 1.
        critical: one-sided critical z of each look.
        spent: error probability spent up to and including each look.
        alpha: error probability per side.
        boundary: which boundary.
    """

    fractions: tuple[float, ...]
    critical: tuple[float, ...]
    spent: tuple[float, ...]
    alpha: float
    boundary: Boundary

    def look_level(self, look: int) -> float:
        """Two-sided level for the interval at look 0, 1, …: 2Φ(critical) - 1."""
        return 1.0 - 2.0 * z_cdf(-self.critical[look])

    def characteristics(self, drift: float) -> SequentialPower:
        """Probability of crossing (one side) and expected share of cases at a drift.

        Args:
            drift: expected z at the full number of cases, (true value - threshold)/(standard error there).
        """
        crossing = _crossing(self.fractions, [-math.inf] * len(self.fractions), self.critical, drift)
        stop = np.array(crossing)
        stop[-1] = 1.0 - stop[:-1].sum()
        expected = float(stop @ np.array(self.fractions))
        return SequentialPower(power=sum(crossing), expected_fraction=expected, stop_probability=tuple(crossing))


@dataclass(frozen=True, slots=True, kw_only=True)
class SequentialPower:
    """How a plan behaves for a given truth.

    Attributes:
        power: probability of crossing at some look.
        expected_fraction: expected share of the cases that is run.
        stop_probability: probability of crossing first at each look.
    """

    power: float
    expected_fraction: float
    stop_probability: tuple[float, ...]


def sequential_plan(
    fractions: Sequence[float] | int = 4, *, alpha: float = 0.025, boundary: Boundary = "lan_demets_obf"
) -> SequentialPlan:
    """Critical values for planned looks.

    Args:
        fractions: share of the final number of cases at each look (last one 1), or a number of even looks.
            Under sampling from a finite suite use `finite_information` shares.
        alpha: error probability per side; 0.025 belongs to two-sided 95 % intervals.
        boundary: Lan-DeMets spending (any looks), or the classical shapes O'Brien-Fleming and Pocock.

    Raises:
        ValueError: fractions that do not increase to 1, alpha outside (0, 0.5).

    Source: Jennison & Turnbull 2000 (recursive integration); Lan & DeMets 1983; O'Brien & Fleming 1979; Pocock 1977.

    >>> [round(z, 3) for z in sequential_plan(3).critical]
    [3.71, 2.511, 1.993]
    """
    looks = tuple((k + 1) / fractions for k in range(fractions)) if isinstance(fractions, int) else tuple(fractions)
    increasing = all(a < b for a, b in zip((0.0, *looks), looks, strict=False))
    if not looks or not increasing or abs(looks[-1] - 1.0) > 1e-12:
        raise ValueError(f"looks must increase from above 0 to 1, got {looks}")
    if not 0.0 < alpha < 0.5:
        raise ValueError(f"alpha must lie between 0 and 0.5, got {alpha}")
    return _plan(looks, alpha, boundary)


@lru_cache(maxsize=256)
def _plan(looks: tuple[float, ...], alpha: float, boundary: Boundary) -> SequentialPlan:
    if boundary in ("obrien_fleming", "pocock"):
        critical = _shaped(looks, alpha, boundary)
    else:
        critical = _spending(looks, alpha, boundary)
    crossing = _crossing(looks, [-math.inf] * len(looks), critical, 0.0)
    spent = tuple(float(x) for x in np.cumsum(crossing))
    return SequentialPlan(fractions=looks, critical=tuple(critical), spent=spent, alpha=alpha, boundary=boundary)


def _shaped(looks: tuple[float, ...], alpha: float, boundary: Boundary) -> list[float]:
    """C/√t (O'Brien-Fleming) or C (Pocock) with C solved for the level."""
    power = 0.5 if boundary == "obrien_fleming" else 0.0

    def bounds(c: float) -> list[float]:
        return [c / t**power for t in looks]

    lower = [-math.inf] * len(looks)
    c = find_root(lambda c: sum(_crossing(looks, lower, bounds(c), 0.0)) - alpha, 0.5, 8.0, tol=1e-11)
    return bounds(c)


def _spending(looks: tuple[float, ...], alpha: float, boundary: Boundary) -> list[float]:
    critical: list[float] = []
    state: _State | None = None
    before = 0.0
    for index, t in enumerate(looks):
        spent = spent_alpha(t, alpha=alpha, boundary=boundary)
        target, gap = spent - before, t - (looks[index - 1] if index else 0.0)
        z = _solve_look(state, target, t, gap)
        critical.append(z)
        state = _advance(state, (-math.inf, z * math.sqrt(t)), t, gap, 0.0)
        before = spent
    return critical


def _solve_look(state: _State | None, target: float, t: float, gap: float) -> float:
    if state is None:
        return -z_quantile(target)
    return find_root(lambda z: _above(state, z * math.sqrt(t), gap, 0.0) - target, 0.0, 12.0, tol=1e-12)


@dataclass(frozen=True, slots=True)
class _State:
    """Density of the score process on a grid inside the continuation region, times the quadrature weights."""

    points: FloatArray
    mass: FloatArray


def _crossing(looks: Sequence[float], lower: Sequence[float], upper: Sequence[float], drift: float) -> list[float]:
    """Probability of crossing `upper` (z scale) first at each look, staying above `lower` before."""
    state: _State | None = None
    result: list[float] = []
    previous = 0.0
    for t, low, high in zip(looks, lower, upper, strict=True):
        gap, root = t - previous, math.sqrt(t)
        result.append(_above(state, high * root, gap, drift))
        state = _advance(state, (low * root, high * root), t, gap, drift)
        previous = t
    return result


def _above(state: _State | None, bound: float, gap: float, drift: float) -> float:
    """P(score > bound) one step on."""
    if state is None:
        return z_cdf((drift * gap - bound) / math.sqrt(gap))
    return float(state.mass @ special.ndtr((state.points + drift * gap - bound) / math.sqrt(gap)))


def _advance(state: _State | None, region: tuple[float, float], t: float, gap: float, drift: float) -> _State:
    """Density inside `region` one step on."""
    points, weights = _grid(region, t, gap, drift)
    origin = np.zeros(1) if state is None else state.points
    mass = np.ones(1) if state is None else state.mass
    kernel = np.exp(-((points[:, None] - origin[None, :] - drift * gap) ** 2) / (2.0 * gap))
    density = kernel @ mass / math.sqrt(2.0 * math.pi * gap)
    return _State(points, density * weights)


def _grid(region: tuple[float, float], t: float, gap: float, drift: float) -> tuple[FloatArray, FloatArray]:
    """Gauss-Legendre nodes on the region, cut at 9 standard deviations."""
    reach = 9.0 * math.sqrt(t)
    low, high = max(region[0], drift * t - reach), min(region[1], drift * t + reach)
    high = max(high, low + 1e-9)
    count = min(1200, max(80, math.ceil(6.0 * (high - low) / math.sqrt(gap))))
    nodes, weights = _legendre(count)
    return low + (nodes + 1.0) * (high - low) / 2.0, weights * (high - low) / 2.0


@lru_cache(maxsize=64)
def _legendre(count: int) -> tuple[FloatArray, FloatArray]:
    nodes, weights = np.polynomial.legendre.leggauss(count)
    return np.asarray(nodes, dtype=np.float64), np.asarray(weights, dtype=np.float64)


def peeking_error(looks: int, *, level: float = 0.95) -> float:
    """Chance that a true null is "significant" at one of several even looks at an ordinary two-sided test.

    Source: Armitage, McPherson & Rowe 1969, JRSS-A 132:235.

    >>> [round(peeking_error(k), 3) for k in (1, 2, 5)]
    [0.05, 0.083, 0.142]
    """
    if looks < 1:
        raise ValueError(f"looks must be at least 1, got {looks}")
    z = z_quantile(0.5 + level / 2.0)
    fractions = [(k + 1) / looks for k in range(looks)]
    return 2.0 * sum(_crossing(fractions, [-z] * looks, [z] * looks, 0.0))
