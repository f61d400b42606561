"""Two-level factorial experiments: designs, main effects and interactions with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, check_level
from evalwright.stats.means import mean_t
from evalwright.stats.records import Interval


def full_design(factors: int) -> FloatArray:
    """All 2^k settings of k two-level factors as -1 and 1, shape (2^k, k), the last factor fastest.

    Raises:
        ValueError: fewer than 1 or more than 16 factors.

    >>> full_design(2).tolist()
    [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]
    """
    if not 1 <= factors <= 16:
        raise ValueError(f"factors must lie between 1 and 16, got {factors}")
    return np.array(list(product((-1.0, 1.0), repeat=factors)))


def fractional_design(base: int, generators: Sequence[Sequence[int]]) -> FloatArray:
    """A 2^(k-p) design: a full one in `base` factors, then one column per generator, the product of its columns.

    Args:
        base: factors of the full part.
        generators: for each further factor, the columns (0..base-1) it multiplies.

    Raises:
        ValueError: a generator that is empty or names a column that is not there.

    Source: Box, Hunter & Hunter 1978.

    >>> fractional_design(2, [[0, 1]]).tolist()
    [[-1.0, -1.0, 1.0], [-1.0, 1.0, -1.0], [1.0, -1.0, -1.0], [1.0, 1.0, 1.0]]
    """
    full = full_design(base)
    for generator in generators:
        if not generator or not all(0 <= c < base for c in generator):
            raise ValueError(f"generator {list(generator)}: columns must lie between 0 and {base - 1}")
    extra = [full[:, list(g)].prod(axis=1) for g in generators]
    return np.column_stack([full, *extra]) if extra else full


def half_fraction(factors: int) -> FloatArray:
    """Half of all settings with the last factor the product of the others: resolution = number of factors.

    With 5 factors main effects and pairs are clear of one another in 16 runs.

    >>> half_fraction(5).shape
    (16, 5)
    """
    if factors < 3:
        raise ValueError(f"a half fraction needs at least 3 factors, got {factors}")
    return fractional_design(factors - 1, [list(range(factors - 1))])


def aliases(design: FloatArray, names: Sequence[str], *, order: int = 2) -> list[tuple[str, str]]:
    """Pairs of effects (up to `order` factors) that this design cannot tell apart.

    >>> aliases(fractional_design(2, [[0, 1]]), "ABC")
    [('A', 'BC'), ('B', 'AC'), ('C', 'AB')]
    """
    effects = _effects(len(names), order)
    columns = {e: design[:, list(e)].prod(axis=1) for e in effects}
    same: list[tuple[str, str]] = []
    for a, b in combinations(effects, 2):
        if abs(float(columns[a] @ columns[b])) > len(design) - 0.5:
            same.append((_name(a, names), _name(b, names)))
    return same


def _effects(factors: int, order: int) -> list[tuple[int, ...]]:
    return [c for size in range(1, order + 1) for c in combinations(range(factors), size)]


def _name(effect: tuple[int, ...], names: Sequence[str]) -> str:
    parts = [names[i] for i in effect]
    return ("" if all(len(p) == 1 for p in parts) else ":").join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorialEffects:
    """Effects of a two-level experiment.

    Attributes:
        mean: grand mean.
        effects: change from low to high of each factor, and of each interaction, by name ("A", "AB" or
            "prompt:model"), with intervals when cases or replicates allow.
        aliased: pairs of effects the design cannot tell apart.
    """

    mean: float
    effects: dict[str, Interval]
    aliased: tuple[tuple[str, str], ...]


def factorial_effects(
    design: npt.ArrayLike,
    scores: npt.ArrayLike,
    names: Sequence[str],
    *,
    order: int = 2,
    level: float = 0.95,
) -> FactorialEffects:
    """Main effects and interactions, contrast Σ±score/(runs/2).

    With scores per case (every run on the same cases) the effect is computed per case and its interval is the
    paired t interval over cases: differences in difficulty cancel. With one score per run there is no interval.

    Args:
        design: settings (runs, factors) of -1 and 1.
        scores: (runs,) means, or (runs, cases) scores of the same cases.
        names: factor names.
        order: highest order of interaction.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: shapes that do not fit, a setting that is not -1 or 1, an unbalanced factor, NaN.

    Source: Box, Hunter & Hunter 1978, chapter 10.

    >>> r = factorial_effects(full_design(2), [60.0, 54.0, 72.0, 68.0], "TC")
    >>> r.effects["T"].value, r.effects["C"].value
    (13.0, -5.0)
    """
    x, y = np.asarray(design, dtype=np.float64), np.asarray(scores, dtype=np.float64)
    check_level(level)
    if x.ndim != 2 or x.shape[1] != len(names) or len(y) != len(x) or y.ndim not in (1, 2):
        raise ValueError(f"design {x.shape}, scores {y.shape} and {len(names)} names do not fit together")
    if not np.isin(x, (-1.0, 1.0)).all() or not np.isfinite(y).all():
        raise ValueError("settings must be -1 or 1 and scores finite")
    if x.sum(axis=0).any():
        raise ValueError("every factor needs as many runs at its low as at its high setting")
    found: dict[str, Interval] = {}
    for effect in _effects(len(names), min(order, len(names))):
        contrast = x[:, list(effect)].prod(axis=1) @ y / (len(x) / 2.0)
        found[_name(effect, names)] = _effect_interval(contrast, level)
    return FactorialEffects(mean=float(y.mean()), effects=found, aliased=tuple(aliases(x, names, order=order)))


def _effect_interval(contrast: npt.NDArray[np.float64] | np.float64, level: float) -> Interval:
    if np.ndim(contrast) == 0:
        return Interval(value=float(contrast), low=None, high=None, level=level, method="contrast", n=1)
    return mean_t(contrast, level=level)
