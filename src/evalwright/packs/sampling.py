"""A few of many combinations, so that every value of every factor is met about equally often."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

T = TypeVar("T")
MOST_CANDIDATES = 100
"""Combinations of one stratum that are weighed against one another."""


def stratified(
    items: Sequence[T], limit: int, *, stratum: Callable[[T], str], factors: Callable[[T], tuple[str, ...]], seed: int
) -> list[T]:
    """Choose at most `limit` items: strata in turn, and within one the item whose factor values were met least.

    Values met in the same stratum count first, those met anywhere decide between equals: a goal that is written in two
    languages is sent in both, however often other goals are sent in one of them.

    Args:
        items: Everything there is.
        limit: How many to choose.
        stratum: What must be covered first, e.g. the goal.
        factors: Further values to balance, e.g. wrapper and transform.
        seed: Decides between equals; the same seed chooses the same items.

    Returns:
        The chosen items, in their original order.
    """
    if len(items) <= limit:
        return list(items)
    values = [tuple(enumerate(factors(item))) for item in items]
    order = sorted(range(len(items)), key=lambda at: _draw(seed, at))
    strata: defaultdict[str, list[int]] = defaultdict(list)
    for at in order:
        strata[stratum(items[at])].append(at)
    met: Counter[tuple[int, str]] = Counter()
    met_here: defaultdict[str, Counter[tuple[int, str]]] = defaultdict(Counter)
    chosen: list[int] = []
    while len(chosen) < limit and strata:
        for name in sorted(strata):
            best = _least_met(strata[name][:MOST_CANDIDATES], values, met_here[name], met)
            strata[name].remove(best)
            for counts in (met_here[name], met):
                counts.update(values[best])
            chosen.append(best)
            if not strata[name]:
                del strata[name]
            if len(chosen) == limit:
                break
    return [items[at] for at in sorted(chosen)]


Values = tuple[tuple[int, str], ...]


def _least_met(places: Sequence[int], values: Sequence[Values], here: Counter[Any], anywhere: Counter[Any]) -> int:
    return min(places, key=lambda at: (_load(values[at], here), _load(values[at], anywhere)))


def _load(values: Values, met: Counter[Any]) -> int:
    return sum([met[pair] for pair in values])


def _draw(seed: int, at: int) -> bytes:
    return hashlib.sha256(f"{seed}/{at}".encode()).digest()
