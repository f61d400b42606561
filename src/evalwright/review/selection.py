"""Which cases people should label: at random, or where a label moves the corrected estimate most."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

BINS = 5
"""Strata of a graded score."""
PRIOR_LABELS = 2.0
"""How many labels the prior of a stratum's spread weighs as much as."""


class Candidate(NamedTuple):
    """A case that could be labelled.

    Attributes:
        key: Its id.
        stratum: What a judge says of it; labels are shared out among the strata.
        truth: Its label as a number between 0 and 1, None without one.
    """

    key: str
    stratum: str
    truth: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """What to label, best first.

    Attributes:
        keys: Ids, in the order in which labels help most.
        influence: By id, by how much the label is expected to lower the variance of the corrected estimate, as a
            share of what it is now.
        before: Standard error expected now; None where a stratum has no label, so that nothing bounds it.
        after: Standard error expected with all of them labelled.
    """

    keys: tuple[str, ...]
    influence: Mapping[str, float]
    before: float | None
    after: float | None


def strata_of(values: Sequence[float | None], labels: Sequence[str | None]) -> list[str]:
    """The stratum of each case: the judge's word where it has one, else its value, in quintiles where there are many.

    Example:
        >>> strata_of([1.0, 0.0, None], [None, None, None])
        ['1', '0', '']
    """
    numbers = [value for value in values if value is not None]
    few = len(set(numbers)) <= BINS
    edges = [] if few else np.quantile(numbers, np.linspace(0, 1, BINS + 1)[1:-1]).tolist()
    found: list[str] = []
    for value, label in zip(values, labels, strict=True):
        if label is not None:
            found.append(label)
        elif value is None:
            found.append("")
        else:
            found.append(f"{value:g}" if few else f"fifth {int(np.searchsorted(edges, value, side='right')) + 1}")
    return found


def choose_active(candidates: Sequence[Candidate], size: int, *, rng: np.random.Generator) -> Chosen:
    """Cases whose labels would lower the variance of the stratified estimate most.

    Its variance is Σ W²S²/n over strata of share W, spread S of the truth within and n labels. Each next label goes to
    the stratum where it lowers the sum most (Neyman's allocation, one label at a time); S is estimated from labels
    there are, shrunk to an even coin by `PRIOR_LABELS` labels. Within a stratum cases are drawn at random, so the
    estimate stays unbiased however the labels are shared out.

    Args:
        candidates: All cases of the whole, labelled ones included.
        size: How many to choose.
        rng: Source of randomness.

    Source: Neyman 1934, J. R. Stat. Soc. 97:558; Wright 2012, Am. Stat. 66:217 (one at a time is exact).

    Example:
        >>> cases = [Candidate(f"p{n}", "pass") for n in range(90)] + [Candidate(f"f{n}", "fail") for n in range(10)]
        >>> chosen = choose_active(cases, 10, rng=np.random.default_rng(1))
        >>> sorted({key[0] for key in chosen.keys}), len(chosen.keys)
        (['f', 'p'], 10)
    """
    strata = _strata(candidates, rng)
    total = len(candidates)
    before = _variance(strata, total)
    keys: list[str] = []
    influence: dict[str, float] = {}
    gains: dict[str, float] = {}
    while len(keys) < size:
        best = max((s for s in strata.values() if s.left), key=lambda s: (s.gain(total), s.name), default=None)
        if best is None:
            break
        gain = best.gain(total)
        key = best.left.pop()
        keys.append(key)
        gains[key] = gain
        best.n += 1
    finite = sum(gain for gain in gains.values() if math.isfinite(gain)) or 1.0
    for key, gain in gains.items():
        influence[key] = 1.0 if math.isinf(gain) else gain / (before if before and math.isfinite(before) else finite)
    after = _variance(strata, total)
    return Chosen(keys=tuple(keys), influence=influence, before=_root(before), after=_root(after))


class _Stratum:
    def __init__(self, name: str) -> None:
        self.name = name
        self.truths: list[float] = []
        self.left: list[str] = []
        self.n = 0
        self._spread: float | None = None

    def gain(self, total: int) -> float:
        """How much the next label lowers the variance."""
        share = self.size / total
        if self.n == 0:
            return math.inf if share else 0.0
        return share**2 * self.spread**2 * (1.0 / self.n - 1.0 / (self.n + 1))

    @property
    def size(self) -> int:
        """Cases in it, labelled, chosen and left."""
        return len(self.left) + self.n

    @property
    def spread(self) -> float:
        """Standard deviation of the truth, shrunk to that of an even coin."""
        if self._spread is None:
            n = len(self.truths)
            mean = (sum(self.truths) + 0.5 * PRIOR_LABELS) / (n + PRIOR_LABELS)
            squares = sum((x - mean) ** 2 for x in self.truths) + PRIOR_LABELS * (0.25 + (0.5 - mean) ** 2) / 2
            self._spread = math.sqrt(squares / (n + PRIOR_LABELS))
        return self._spread


def _strata(candidates: Sequence[Candidate], rng: np.random.Generator) -> dict[Hashable, _Stratum]:
    strata: dict[Hashable, _Stratum] = {}
    for position in rng.permutation(len(candidates)):
        candidate = candidates[int(position)]
        stratum = strata.setdefault(candidate.stratum, _Stratum(candidate.stratum))
        if candidate.truth is None:
            stratum.left.append(candidate.key)
        else:
            stratum.truths.append(candidate.truth)
            stratum.n += 1
    return strata


def _variance(strata: Mapping[Hashable, _Stratum], total: int) -> float:
    if not total or any(s.n == 0 for s in strata.values()):
        return math.inf
    return sum((s.size / total) ** 2 * s.spread**2 / s.n for s in strata.values())


def _root(variance: float) -> float | None:
    return math.sqrt(variance) if math.isfinite(variance) else None


def choose_random(keys: Sequence[str], size: int, *, rng: np.random.Generator) -> list[str]:
    """A simple random sample, in the order they stand."""
    if size >= len(keys):
        return list(keys)
    places = sorted(int(place) for place in rng.choice(len(keys), size=size, replace=False))
    return [keys[place] for place in places]
