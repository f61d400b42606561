"""Samples that know something: of cases that fail, that systems disagree on, that differ, that foretell a score."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from evalwright.core.errors import UsageError
from evalwright.stats.items import item_statistics

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
MAX_STRATA = 64


def failing_weights(outcomes: FloatArray) -> FloatArray:
    """How likely each case is to fail, from past runs: (failures + 1)/(runs + 2), so that nothing is certain.

    Args:
        outcomes: Score of each run (rows) on each case (columns), 0 to 1; NaN where a run has none.
    """
    runs = (~np.isnan(outcomes)).sum(axis=0)
    lost: FloatArray = (np.nansum(1.0 - outcomes, axis=0) + 1.0) / (runs + 2.0)
    return lost


def uncertain_weights(outcomes: FloatArray) -> FloatArray:
    """How open each case's outcome is: variance p(1 - p) of its pass rate, Laplace's rule; .25 where no run has it.

    Args:
        outcomes: As for `failing_weights`.
    """
    lost = failing_weights(outcomes)
    return np.asarray(lost * (1.0 - lost), dtype=np.float64)


def weighted_draw(weights: FloatArray, size: int, rng: np.random.Generator) -> IntArray:
    """Indices drawn without putting back, with chances in proportion to weights, ascending, shape (size,).

    Source: Efraimidis & Spirakis 2006 (keys u^(1/w), the largest taken).
    """
    keys = np.log(rng.random(len(weights))) / np.maximum(weights, 1e-12)
    return np.sort(np.argsort(-keys, kind="stable")[:size]).astype(np.int64)


def diverse(count: int, size: int, distance: Callable[[int], FloatArray], rng: np.random.Generator) -> IntArray:
    """Indices of cases far from one another, ascending: each next one is the farthest from those taken (k-center).

    At most twice as far from the nearest chosen case as with the best choice there is (Gonzalez 1985).

    Args:
        count: How many cases there are.
        size: How many to take.
        distance: Distances of all cases from one, shape (count,).
        rng: Chooses the first.
    """
    chosen = [int(rng.integers(count))]
    nearest = distance(chosen[0])
    while len(chosen) < min(size, count):
        nearest[chosen[-1]] = -1.0
        chosen.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, distance(chosen[-1]))
    return np.sort(np.array(chosen, dtype=np.int64))


class Anchors(msgspec.Struct, frozen=True, kw_only=True):
    """A subset that foretells the score of the whole set.

    Attributes:
        index: Indices of the cases, ascending.
        weight: How much of the set each stands for; they sum to 1.
        stratum: Number of the group each stands for.
        sizes: Cases of each group.
        left_out: Cases that better systems fail more often than worse ones; not taken where there are others.
    """

    index: tuple[int, ...]
    weight: tuple[float, ...]
    stratum: tuple[int, ...]
    sizes: tuple[int, ...]
    left_out: int = 0

    def predict(self, scores: FloatArray) -> float:
        """The whole set's mean, from scores of the chosen cases in their order; NaN leaves a case out."""
        kept = ~np.isnan(scores)
        weights = np.array(self.weight)[kept]
        return float(weights @ scores[kept] / weights.sum()) if weights.sum() > 0 else float("nan")


def anchors(outcomes: FloatArray, size: int, rng: np.random.Generator) -> Anchors:
    """Anchor cases by past runs: cases with the same outcomes form groups, and each group is stood for by some of it.

    Groups get places in proportion to their number of cases times how open their outcome is (Neyman's allocation), at
    least one each. Within a group cases are drawn at random, so that a new system's score is foretold without bias
    whatever the groups are worth; the more past runs tell, the smaller the error. Cases with a negative item-rest
    correlation (better systems fail them) are passed over where the group has others.

    Args:
        outcomes: Score of each run (rows) on each case (columns), 0 to 1, without gaps.
        size: Cases to take.
        rng: Chooses within the groups.

    Raises:
        UsageError: No run, or a size that is not between 1 and the number of cases.

    Source: Polo et al. 2024 (anchor points); Neyman 1934.
    """
    runs, cases = outcomes.shape
    if not runs:
        raise UsageError("a smoke subset needs past runs that scored the set", hint="run a suite on it first")
    if not 1 <= size <= cases:
        raise UsageError(f"a smoke subset of {size:,} cases can't be taken from {cases:,}")
    groups = _groups(outcomes, min(MAX_STRATA, max(1, size // 2)))
    wary = _negative(outcomes)
    shares = np.array([len(g) * _spread(outcomes[:, g]) for g in groups])
    wanted = _allocated(shares, np.array([len(g) for g in groups]), size)
    taken = [_taken(group, int(n), wary, rng) for group, n in zip(groups, wanted, strict=True)]
    pairs = sorted((int(i), number) for number, some in enumerate(taken) for i in some)
    weight = {number: len(groups[number]) / cases / len(some) for number, some in enumerate(taken) if len(some)}
    return Anchors(
        index=tuple(index for index, _ in pairs),
        weight=tuple(weight[number] for _, number in pairs),
        stratum=tuple(number for _, number in pairs),
        sizes=tuple(len(group) for group in groups),
        left_out=int(wary.sum()),
    )


def _groups(outcomes: FloatArray, most: int) -> list[IntArray]:
    """Cases with the same outcomes together; where these are too many, cases of like difficulty, in equal heaps."""
    patterns, member = np.unique(np.round(outcomes.T, 1), axis=0, return_inverse=True)
    if len(patterns) <= most:
        return [np.flatnonzero(member.ravel() == number) for number in range(len(patterns))]
    order = np.argsort(outcomes.mean(axis=0), kind="stable")
    return [np.sort(heap) for heap in np.array_split(order, most)]


def _spread(outcomes: FloatArray) -> float:
    """Expected standard deviation of a new system's verdicts on a group, by Laplace's rule."""
    rate = (float(outcomes.mean(axis=1).sum()) + 1.0) / (len(outcomes) + 2.0)
    return float(np.sqrt(rate * (1.0 - rate)))


def _negative(outcomes: FloatArray) -> npt.NDArray[np.bool_]:
    """Cases that better systems fail more often than worse ones; none is told by fewer than three systems."""
    if len(outcomes) < 3 or outcomes.shape[1] < 2:
        return np.zeros(outcomes.shape[1], dtype=np.bool_)
    rest = item_statistics(outcomes).item_rest
    return np.array([value is not None and value < 0 for value in rest], dtype=np.bool_)


def _allocated(shares: FloatArray, room: IntArray, size: int) -> IntArray:
    """Places of each group: one each, the rest by shares, none above its room."""
    given = np.minimum(1, room).astype(np.int64)
    order = np.argsort(-shares, kind="stable")
    if given.sum() > size:
        given[:] = 0
        given[order[:size]] = 1
    while given.sum() < size:
        open_ = np.flatnonzero(given < room)
        given[open_[np.argmax(shares[open_] / (given[open_] + 1))]] += 1
    return given


def _taken(group: IntArray, count: int, wary: npt.NDArray[np.bool_], rng: np.random.Generator) -> IntArray:
    good = group[~wary[group]]
    if len(good) >= count:
        return rng.choice(good, size=count, replace=False)
    rest = rng.choice(group[wary[group]], size=count - len(good), replace=False)
    return np.concatenate([good, rest])


class HeldOut(msgspec.Struct, frozen=True, kw_only=True):
    """How well a subset foretells a run it was made without.

    Attributes:
        run: Name of the run.
        actual: Its mean over all cases.
        bias: Mean of (foretold - actual) over the draws.
        error: Root mean square of the same.
        plain: What it is for as many cases drawn at random.
    """

    run: str
    actual: float
    bias: float
    error: float
    plain: float


def held_out(outcomes: FloatArray, names: list[str], size: int, *, seed: int, draws: int = 50) -> list[HeldOut]:
    """Leave each run out in turn, take anchors from the others, and foretell it; needs two runs.

    Args:
        outcomes: As for `anchors`.
        names: Of the runs.
        size: Cases of the subset.
        seed: Of the draws.
        draws: Subsets taken for each run.
    """
    found = []
    rng = np.random.default_rng([seed, 1])
    cases = outcomes.shape[1]
    for row, name in enumerate(names) if len(outcomes) > 1 else ():
        others, mine = np.delete(outcomes, row, axis=0), outcomes[row]
        actual = float(mine.mean())
        made = [anchors(others, size, rng) for _ in range(draws)]
        off = np.array([one.predict(mine[list(one.index)]) - actual for one in made])
        plain = float(mine.std(ddof=1)) * np.sqrt((1.0 - size / cases) / size) if cases > 1 else 0.0
        bias, error = float(off.mean()), float(np.sqrt((off**2).mean()))
        found.append(HeldOut(run=name, actual=actual, bias=bias, error=error, plain=float(plain)))
    return found
