"""Bootstrap intervals: of means, of corpus statistics (functions of sums), and of anything else.

None of them loops over resamples in Python. The random generator is always the caller's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from evalwright.stats._arrays import FloatArray, IntArray, as_matrix, as_vector, check_level, group_codes, seed_of
from evalwright.stats.clusters import cluster_notes
from evalwright.stats.records import Interval
from evalwright.stats.resampling import chunk_sizes, resampled_sums

Kind = Literal["percentile", "bca"]
CorpusStatistic = Callable[[FloatArray], FloatArray]
"""Maps sums of shape (..., k) to values of shape (...), vectorised over the leading axes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Replicates:
    """Bootstrap replicates of a statistic, with what an interval needs besides them.

    Attributes:
        estimate: the statistic of the data themselves.
        values: one value per resample; resamples where the statistic was undefined are left out.
        jackknife: leave-one-out values for BCa, or None.
        n: cases.
        clusters: clusters, when they were what was resampled.
        seed: seed of the generator, when it had a plain one.
        notes: codes as in `Interval.notes`.
    """

    estimate: float
    values: FloatArray
    jackknife: FloatArray | None
    n: int
    clusters: int | None = None
    seed: int | None = None
    notes: tuple[str, ...] = ()

    def interval(self, *, level: float = 0.95, kind: Kind = "percentile") -> Interval:
        """Percentile or BCa interval of these replicates.

        BCa takes the percentiles Φ(z0 + (z0+z)/(1 - a(z0+z))) with z0 from the share of replicates below the
        estimate (ties count half) and a from the jackknife.

        Source: Efron 1987, JASA 82:171.
        """
        levels = np.array([0.5 - check_level(level) / 2.0, 0.5 + level / 2.0])
        notes = self.notes
        if len(self.values) == 0 or self.values.min() == self.values.max():
            notes = (*notes, "degenerate")
        elif kind == "bca" and self.jackknife is not None:
            levels = bca_levels(self.values, self.estimate, self.jackknife, level)
        ends: list[float] = np.quantile(self.values, levels).tolist() if len(self.values) else []
        return Interval(
            value=self.estimate, low=ends[0] if ends else None, high=ends[1] if ends else None, level=level,
            n=self.n, clusters=self.clusters,
            method=("cluster_" if self.clusters else "") + f"bootstrap_{kind}", resamples=len(self.values),
            se=float(self.values.std(ddof=1)) if len(self.values) > 1 else None, seed=self.seed, notes=notes,
        )  # fmt: skip


def bca_levels(replicates: FloatArray, estimate: float, jackknife: FloatArray, level: float) -> FloatArray:
    """The two percentiles BCa reads off the replicates; plain ones when the estimate lies outside all of them."""
    share = (np.count_nonzero(replicates < estimate) + 0.5 * np.count_nonzero(replicates == estimate)) / len(replicates)
    plain = np.array([0.5 - level / 2.0, 0.5 + level / 2.0])
    if not 0.0 < share < 1.0:
        return plain
    z0 = special.ndtri(share)
    shifted = z0 + special.ndtri(plain)
    return np.asarray(special.ndtr(z0 + shifted / (1.0 - acceleration(jackknife) * shifted)), dtype=np.float64)


def acceleration(jackknife: npt.ArrayLike) -> float:
    """BCa's acceleration Σd³ / (6(Σd²)^1.5), d = mean of the leave-one-out values minus each of them.

    Source: Efron & Tibshirani 1993, eq. 14.15.

    >>> round(acceleration([1.0, 1.1, 1.2, 2.0]), 4)
    -0.0871
    """
    values = as_vector(jackknife, "jackknife")
    d = values.mean() - values
    spread = float(np.sum(d**2))
    return 0.0 if spread == 0.0 else float(np.sum(d**3)) / (6.0 * spread**1.5)


def bootstrap_mean(
    values: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 10_000,
    clusters: Any | None = None,
    kind: Kind = "percentile",
) -> Interval:
    """Bootstrap interval of a mean; of a paired difference, when `values` are differences.

    With clusters, whole clusters are drawn and the statistic is Σ sums / Σ sizes. For a mean the closed forms
    (`mean_t`, `mean_skewed`, `cluster_mean`) are as good and faster.

    Args:
        values: one score per case (average its trials first).
        rng: source of randomness.
        level: confidence level between 0 and 1.
        resamples: number of resamples, at least 1.
        clusters: one label per case, or None for independent cases.
        kind: "percentile", or "bca" below some 200 cases.

    Raises:
        ValueError: no values, NaN, lengths that differ, level or resamples out of range.

    >>> ci = bootstrap_mean([1, 0, 1, 1, 0, 1, 1, 1], rng=np.random.default_rng(1))
    >>> ci.low, ci.high
    (0.375, 1.0)
    """
    y = as_vector(values)
    if clusters is None:
        return corpus_replicates(y[:, None], lambda s: s[..., 0] / len(y), rng=rng, resamples=resamples).interval(
            level=level, kind=kind
        )
    rows = np.stack([y, np.ones(len(y))], axis=1)
    draws = corpus_replicates(rows, lambda s: s[..., 0] / s[..., 1], rng=rng, resamples=resamples, clusters=clusters)
    return draws.interval(level=level, kind=kind)


def bootstrap_corpus(
    rows: npt.ArrayLike,
    statistic: CorpusStatistic,
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 10_000,
    clusters: Any | None = None,
    kind: Kind = "percentile",
) -> Interval:
    """Bootstrap interval of a statistic that depends on the cases only through sums: F1, MCC, BLEU, a ratio.

    Args:
        rows: matrix (cases, k) of what each case adds to the sums, such as (tp, fp, fn).
        statistic: maps sums (..., k) to values (...), vectorised; NaN where it is undefined.
        rng: source of randomness.
        level: confidence level between 0 and 1.
        resamples: number of resamples, at least 1.
        clusters: one label per case, or None.
        kind: "percentile" or "bca".

    Raises:
        ValueError: no rows, NaN rows, a statistic undefined on the data, lengths that differ.

    >>> rows = [[1, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 0, 0], [1, 0, 0], [1, 0, 0], [0, 0, 0]]
    >>> f1 = lambda s: 2 * s[..., 0] / np.maximum(2 * s[..., 0] + s[..., 1] + s[..., 2], 1)
    >>> ci = bootstrap_corpus(rows, f1, rng=np.random.default_rng(7))
    >>> round(ci.value, 4), ci.resamples
    (0.8333, 10000)
    """
    draws = corpus_replicates(rows, statistic, rng=rng, resamples=resamples, clusters=clusters)
    return draws.interval(level=level, kind=kind)


def corpus_replicates(
    rows: npt.ArrayLike,
    statistic: CorpusStatistic,
    *,
    rng: np.random.Generator,
    resamples: int = 10_000,
    clusters: Any | None = None,
) -> Replicates:
    """The replicates behind `bootstrap_corpus`, for a caller who wants more than an interval of them.

    For the difference of two runs on the same cases put both runs' columns side by side and let `statistic`
    subtract: cases are then resampled jointly.

    Raises:
        ValueError: as `bootstrap_corpus`.
    """
    matrix = as_matrix(rows, "rows")
    _check_size(len(matrix), resamples)
    units, groups = _cluster_rows(matrix, clusters)
    total = units.sum(axis=0)
    estimate = float(statistic(total[None, :])[0])
    if not np.isfinite(estimate):
        raise ValueError("the statistic is undefined on the data themselves")
    drawn = resampled_sums(units, resamples, rng)
    values, notes = _defined(statistic(drawn.sums))
    left_out = np.asarray(statistic(total - units), dtype=np.float64) if len(units) > 1 else None
    if left_out is not None:
        left_out = left_out[np.isfinite(left_out)]
    notes += (("binned",) if drawn.binned else ()) + (cluster_notes(groups) if groups else ())
    return Replicates(
        estimate=estimate, values=values, jackknife=left_out, n=len(matrix), clusters=groups,
        seed=seed_of(rng), notes=notes,
    )  # fmt: skip


def _cluster_rows(matrix: FloatArray, clusters: Any | None) -> tuple[FloatArray, int | None]:
    if clusters is None:
        return matrix, None
    codes, groups = group_codes(clusters, len(matrix))
    columns = [np.bincount(codes, weights=column, minlength=groups) for column in matrix.T]
    return np.stack(columns, axis=1).astype(np.float64), groups


def _check_size(n: int, resamples: int) -> None:
    if n < 1:
        raise ValueError("nothing to resample: no rows")
    if resamples < 1:
        raise ValueError(f"resamples must be positive, got {resamples}")


def _defined(values: npt.ArrayLike) -> tuple[FloatArray, tuple[str, ...]]:
    array = np.asarray(values, dtype=np.float64)
    finite = np.isfinite(array)
    return (array, ()) if finite.all() else (array[finite], ("undefined_resamples",))


def bootstrap(
    data: npt.ArrayLike | tuple[npt.ArrayLike, ...],
    statistic: Callable[..., npt.ArrayLike],
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 10_000,
    kind: Kind = "percentile",
) -> Interval:
    """Bootstrap interval of any statistic of independent cases.

    Args:
        data: an array whose first axis is cases, or a tuple of such arrays resampled jointly (so paired).
        statistic: receives each array with a leading axis of resamples, shape (B, n, ...), and returns B values;
            for numpy reductions that means `axis=1`. NaN where it is undefined.
        rng: source of randomness.
        level: confidence level between 0 and 1.
        resamples: number of resamples, at least 1.
        kind: "percentile" or "bca"; the latter computes n leave-one-out values.

    Raises:
        ValueError: no cases, arrays of different lengths, a statistic of the wrong shape or undefined on the data.

    >>> x = np.arange(20.0)
    >>> ci = bootstrap(x, lambda s: np.median(s, axis=1), rng=np.random.default_rng(3), resamples=500)
    >>> ci.value
    9.5
    """
    arrays = tuple(np.asarray(part) for part in (data if isinstance(data, tuple) else (data,)))
    n = _common_length(arrays)
    _check_size(n, resamples)
    width = sum(max(1, part[0].size) for part in arrays)

    def apply(index: IntArray) -> FloatArray:
        values = np.asarray(statistic(*(part[index] for part in arrays)), dtype=np.float64)
        if values.shape != (len(index),):
            raise ValueError(f"statistic: expected {len(index)} values, one per resample, got shape {values.shape}")
        return values

    estimate = float(apply(np.arange(n, dtype=np.int64)[None, :])[0])
    if not np.isfinite(estimate):
        raise ValueError("the statistic is undefined on the data themselves")
    parts = [apply(rng.integers(0, n, size=(size, n))) for size in chunk_sizes(n * width, resamples)]
    values, notes = _defined(np.concatenate(parts))
    left_out = _leave_one_out(n, width, apply) if kind == "bca" and n > 2 else None
    draws = Replicates(estimate=estimate, values=values, jackknife=left_out, n=n, seed=seed_of(rng), notes=notes)
    return draws.interval(level=level, kind=kind)


def _common_length(arrays: Sequence[npt.NDArray[Any]]) -> int:
    lengths = {len(part) for part in arrays}
    if len(lengths) != 1:
        raise ValueError(f"arrays of paired data must have one length, got {sorted(lengths)}")
    return lengths.pop()


def _leave_one_out(n: int, width: int, apply: Callable[[IntArray], FloatArray]) -> FloatArray:
    keep = np.arange(n - 1, dtype=np.int64)
    parts: list[FloatArray] = []
    start = 0
    for size in chunk_sizes(n * width, n):
        omitted = np.arange(start, start + size)[:, None]
        parts.append(apply(keep[None, :] + (keep[None, :] >= omitted)))
        start += size
    values = np.concatenate(parts)
    return values[np.isfinite(values)]


def bootstrap_weighted(
    n: int,
    statistic: Callable[[FloatArray], npt.ArrayLike],
    *,
    rng: np.random.Generator,
    level: float = 0.95,
    resamples: int = 2_000,
    clusters: Any | None = None,
    kind: Kind = "percentile",
) -> Interval:
    """Bootstrap interval of a statistic that accepts weights; the way to resample clusters for any statistic.

    Args:
        n: cases.
        statistic: receives weights (B, n), how often each case was drawn, and returns B values.
        rng: source of randomness.
        level: confidence level between 0 and 1.
        resamples: number of resamples, at least 1.
        clusters: one label per case; whole clusters are drawn.
        kind: "percentile" or "bca".

    Raises:
        ValueError: no cases, labels of another length, a statistic undefined with unit weights.

    >>> y = np.array([1.0, 2.0, 3.0, 4.0, 10.0])
    >>> ci = bootstrap_weighted(5, lambda w: w @ y / w.sum(axis=1), rng=np.random.default_rng(2))
    >>> ci.value
    4.0
    """
    _check_size(n, resamples)
    codes, groups = (np.arange(n), n) if clusters is None else group_codes(clusters, n)
    shares = np.full(groups, 1.0 / groups)
    estimate = float(np.asarray(statistic(np.ones((1, n))))[0])
    if not np.isfinite(estimate):
        raise ValueError("the statistic is undefined on the data themselves")

    def draw(size: int) -> FloatArray:
        counts = rng.multinomial(groups, shares, size=size).astype(np.float64)
        return np.asarray(statistic(counts[:, codes]), dtype=np.float64)

    values, notes = _defined(np.concatenate([draw(size) for size in chunk_sizes(n, resamples)]))
    left_out = _weights_jackknife(codes, groups, statistic) if kind == "bca" else None
    draws = Replicates(
        estimate=estimate, values=values, jackknife=left_out, n=n, clusters=None if clusters is None else groups,
        seed=seed_of(rng), notes=notes + (cluster_notes(groups) if clusters is not None else ()),
    )  # fmt: skip
    return draws.interval(level=level, kind=kind)


def _weights_jackknife(codes: IntArray, groups: int, statistic: Callable[[FloatArray], npt.ArrayLike]) -> FloatArray:
    parts: list[FloatArray] = []
    start = 0
    for size in chunk_sizes(len(codes), groups):
        omitted = np.arange(start, start + size)[:, None]
        parts.append(np.asarray(statistic((codes[None, :] != omitted).astype(np.float64)), dtype=np.float64))
        start += size
    values = np.concatenate(parts)
    return values[np.isfinite(values)]
