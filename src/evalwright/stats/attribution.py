"""Which component caused a change: Shapley values over runs with some components swapped."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray

Configuration = frozenset[str]
Table = Mapping[Configuration, npt.ArrayLike]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribution:
    """Shares of a total change per component.

    Attributes:
        components: names.
        shapley: Shapley value per component (a float, or an array with one value per case).
        swap_in: effect of changing only this component, from the old system.
        swap_out: effect of this component last, going back from the new system.
        interaction: Shapley interaction index per pair: how much the pair does beyond its parts.
        total: new minus old; the Shapley values add up to it.
    """

    components: tuple[str, ...]
    shapley: dict[str, FloatArray]
    swap_in: dict[str, FloatArray]
    swap_out: dict[str, FloatArray]
    interaction: dict[tuple[str, str], FloatArray]
    total: FloatArray

    @property
    def unexplained_by_swap_in(self) -> FloatArray:
        """What one-at-a-time changes leave unexplained (interactions)."""
        return np.asarray(self.total - sum(self.swap_in.values()), dtype=np.float64)


def attribute(components: Sequence[str], table: Table) -> Attribution:
    """Shapley attribution from all 2^k configurations.

    Because Shapley values are linear, give per-case scores to get a value per case: then average them with
    `estimate_mean` (clustered if need be) for an interval, and rank cases by them for triage.

    Args:
        components: names of the swapped components.
        table: score (a number, or an array over cases) of each configuration; the key is the set of components
            that are new in it.

    Raises:
        ValueError: a configuration is missing.

    Source: Shapley 1953; Grabisch & Roubens 1999 (interaction index).

    >>> f = frozenset
    >>> a = attribute("PR", {f(""): 0.8, f("P"): 0.8, f("R"): 0.7, f("PR"): 0.6})
    >>> {k: round(float(v), 3) for k, v in a.shapley.items()}
    {'P': -0.05, 'R': -0.15}
    """
    names = tuple(components)
    values = _complete(names, table)
    everything = frozenset(names)
    return Attribution(
        components=names,
        shapley={c: _shapley(c, names, values) for c in names},
        swap_in={c: values[frozenset([c])] - values[frozenset()] for c in names},
        swap_out={c: values[everything] - values[everything - {c}] for c in names},
        interaction={(a, b): _interaction(a, b, names, values) for a, b in combinations(names, 2)},
        total=values[everything] - values[frozenset()],
    )


def subsets(names: Iterable[str]) -> list[Configuration]:
    """All subsets of the components, from none to all: the configurations a full attribution runs.

    >>> [sorted(s) for s in subsets("ab")]
    [[], ['a'], ['b'], ['a', 'b']]
    """
    pool = list(names)
    return [frozenset(c) for size in range(len(pool) + 1) for c in combinations(pool, size)]


def _complete(names: tuple[str, ...], table: Table) -> dict[Configuration, FloatArray]:
    missing = [sorted(s) for s in subsets(names) if s not in table]
    if missing:
        raise ValueError(f"{len(missing)} configurations are missing, the first with {missing[0] or 'nothing'} new")
    return {s: np.asarray(table[s], dtype=np.float64) for s in subsets(names)}


def shapley_weight(size: int, players: int) -> float:
    """Weight s!(k-s-1)!/k! of a component's effect when added to s others out of k components.

    >>> shapley_weight(1, 3)
    0.16666666666666666
    """
    return math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players)


def _shapley(name: str, names: tuple[str, ...], values: dict[Configuration, FloatArray]) -> FloatArray:
    others = [c for c in names if c != name]
    terms = [shapley_weight(len(s), len(names)) * (values[s | {name}] - values[s]) for s in subsets(others)]
    return np.asarray(sum(terms), dtype=np.float64)


def _interaction(a: str, b: str, names: tuple[str, ...], values: dict[Configuration, FloatArray]) -> FloatArray:
    others = [c for c in names if c not in (a, b)]
    terms = [
        shapley_weight(len(s), len(names) - 1) * (values[s | {a, b}] - values[s | {a}] - values[s | {b}] + values[s])
        for s in subsets(others)
    ]
    return np.asarray(sum(terms), dtype=np.float64)


def shapley_sampled(
    components: Sequence[str],
    score: Callable[[Configuration], float],
    *,
    permutations: int,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Shapley values from random orders, when 2^k runs are too many. Each configuration is scored once.

    Every order starts at the old system and ends at the new one, so the values add up to the total exactly.

    Args:
        components: names.
        score: value of a configuration (the set of new components).
        permutations: number of random orders; at most permutations·(k - 1) + 2 configurations are scored.
        rng: source of randomness.

    Raises:
        ValueError: fewer than 1 permutation.

    Source: Castro, Gomez & Tejada 2009.

    >>> worth = {"a": 1.0, "b": 2.0}
    >>> shapley_sampled("ab", lambda s: sum(worth[c] for c in s), permutations=3, rng=np.random.default_rng(1))
    {'a': 1.0, 'b': 2.0}
    """
    if permutations < 1:
        raise ValueError(f"permutations must be at least 1, got {permutations}")
    names = list(components)
    known: dict[Configuration, float] = {}
    gains = dict.fromkeys(names, 0.0)
    for _ in range(permutations):
        done: Configuration = frozenset()
        for index in rng.permutation(len(names)):
            added = done.union([names[int(index)]])
            gains[names[index]] += _scored(added, score, known) - _scored(done, score, known)
            done = added
    return {name: gain / permutations for name, gain in gains.items()}


def _scored(
    configuration: Configuration, score: Callable[[Configuration], float], known: dict[Configuration, float]
) -> float:
    if configuration not in known:
        known[configuration] = score(configuration)
    return known[configuration]


def shapley_runs(components: int, *, permutations: int | None = None) -> dict[str, int]:
    """Runs each design costs: one swap at a time, both directions, all configurations (and sampled orders).

    >>> shapley_runs(5)
    {'swap_in': 7, 'both_directions': 12, 'full': 32}
    """
    k = components
    if k < 1:
        raise ValueError(f"components must be at least 1, got {k}")
    runs = {"swap_in": k + 2, "both_directions": 2 * k + 2, "full": 2**k}
    if permutations is not None:
        runs["sampled_at_most"] = permutations * (k - 1) + 2
    return runs
