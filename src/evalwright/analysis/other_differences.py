"""Paired differences of figures that are no means: percentiles and corpus metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from evalwright.analysis.difference import (
    SEED,
    Difference,
    PairedValues,
    PairOptions,
    inverted_p,
    mean_difference,
)
from evalwright.analysis.frame import FloatArray, IntArray, MetricColumn
from evalwright.analysis.statistics import RowStatistic
from evalwright.stats import Interval, Replicates, combine_difference, corpus_replicates, quantile_interval

RESAMPLES = 2_000
WEIGHTED_RESAMPLES = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RowPair:
    """Scored rows of both runs, numbered by pair.

    Attributes:
        left: The baseline's rows.
        right: The candidate's rows.
        pair: The pairs, ascending.
        clusters: Cluster code per pair, None for independent cases.
    """

    left: MetricColumn
    right: MetricColumn
    pair: IntArray
    clusters: IntArray | None = None

    def codes(self, column: MetricColumn) -> IntArray | None:
        """Cluster code of each row, which also holds a case's trials together; None when rows are independent."""
        if self.clusters is not None:
            by_pair = np.zeros(int(self.pair.max(initial=-1)) + 1, dtype=np.int64)
            by_pair[self.pair] = self.clusters
            return by_pair[column.case]
        return column.case if len(np.unique(column.case)) < len(column.case) else None


def percentile_difference(rows: RowPair, q: float, options: PairOptions) -> Difference:
    """Difference of a percentile from both runs' own intervals (MOVER); ignores that they agree: a little wide.

    Args:
        rows: Scored rows of both runs.
        q: Which percentile, as a share.
        options: Levels.

    Source: Zou & Donner 2008, Statistics in Medicine 27:1693.
    """
    columns = (rows.left, rows.right)
    codes = tuple(map(rows.codes, columns))

    @cache
    def interval(level: float) -> Interval:
        left, right = (
            quantile_interval(column.value, q, level=level, clusters=code)
            for column, code in zip(columns, codes, strict=True)
        )
        if None in (left.low, left.high, right.low, right.high):
            return _open(left, right, level)
        return combine_difference(right, left, level=level)

    left, right = (None if not len(c.value) else float(np.quantile(c.value, q)) for c in columns)
    two_sided, one_sided = interval(options.level), interval(options.bound_level)
    return Difference(
        baseline=left,
        candidate=right,
        interval=two_sided,
        p=None if two_sided.value is None else inverted_p(interval),
        test="inverted_interval",
        lower=one_sided.low,
        upper=one_sided.high,
    )


def _open(left: Interval, right: Interval, level: float) -> Interval:
    value = None if left.value is None or right.value is None else right.value - left.value
    notes = tuple(dict.fromkeys(left.notes + right.notes))
    return Interval(value=value, low=None, high=None, level=level, method="mover", n=left.n + right.n, notes=notes)


def corpus_difference(rows: RowPair, options: PairOptions) -> Difference:
    """Difference of a corpus metric over the same cases.

    A metric that can say what each case contributes (`RowStatistic.influence`) gets the (clustered) t on these
    contributions; any other a bootstrap that draws the cases of both runs together.
    """
    aggregate = rows.right.aggregate
    if aggregate is None or rows.left.stats is None or rows.right.stats is None or len(rows.pair) < 2:
        return _nothing(options.level)
    if isinstance(aggregate, RowStatistic):
        return _by_influence(rows, options)
    return _by_bootstrap(rows, options)


def _nothing(level: float) -> Difference:
    empty = Interval(value=None, low=None, high=None, level=level, method="bootstrap", n=0)
    return Difference(baseline=None, candidate=None, interval=empty)


def _by_influence(rows: RowPair, options: PairOptions) -> Difference:
    left, right = _case_influence(rows.left, rows.pair), _case_influence(rows.right, rows.pair)
    if left is None or right is None:
        return _by_weights(rows, options)
    return mean_difference(PairedValues(left=left, right=right, clusters=rows.clusters), options)


def _case_influence(column: MetricColumn, pair: IntArray) -> FloatArray | None:
    """What each case contributes to the metric; their mean is the metric."""
    if column.stats is None:
        return None
    per_row = column.aggregate.influence(column.stats)
    if per_row is None:
        return None
    size = int(pair.max()) + 1
    sums = np.bincount(column.case, weights=per_row, minlength=size)[pair]
    scale = len(pair) / len(per_row)
    return np.asarray(sums * scale, dtype=np.float64)


def _by_weights(rows: RowPair, options: PairOptions) -> Difference:
    """A bootstrap that draws cases (or clusters) of both runs together, for metrics that accept weights."""
    place = np.zeros(int(rows.pair.max()) + 1, dtype=np.int64)
    place[rows.pair] = np.arange(len(rows.pair))
    codes = np.arange(len(rows.pair)) if rows.clusters is None else np.unique(rows.clusters, return_inverse=True)[1]
    columns = [(column.aggregate, column.stats, codes[place[column.case]]) for column in (rows.left, rows.right)]

    def values(weights: FloatArray) -> tuple[FloatArray, FloatArray]:
        left, right = (one.weighted(stats, weights[:, code]) for one, stats, code in columns)
        return left, right

    groups = int(codes.max()) + 1
    before, after = (float(side[0]) for side in values(np.ones((1, groups))))
    if not np.isfinite(after - before):
        return _nothing(options.level)
    draws = _weighted_draws(values, groups, (after - before, len(rows.pair)))
    return _of_draws(draws, (before, after), options)


def _weighted_draws(
    values: Callable[[FloatArray], tuple[FloatArray, FloatArray]], groups: int, known: tuple[float, int]
) -> Replicates:
    rng = np.random.default_rng(SEED)
    shares = np.full(groups, 1.0 / groups)
    chunk = max(1, 4_000_000 // groups)
    found: list[FloatArray] = []
    for start in range(0, WEIGHTED_RESAMPLES, chunk):
        size = min(chunk, WEIGHTED_RESAMPLES - start)
        left, right = values(rng.multinomial(groups, shares, size=size).astype(np.float64))
        found.append(right - left)
    drawn = np.concatenate(found)
    return Replicates(estimate=known[0], values=drawn[np.isfinite(drawn)], jackknife=None, n=known[1], seed=SEED)


def _of_draws(draws: Replicates, values: tuple[float, float], options: PairOptions) -> Difference:
    one_sided = draws.interval(level=options.bound_level)
    return Difference(
        baseline=values[0],
        candidate=values[1],
        interval=draws.interval(level=options.level),
        p=bootstrap_p(draws),
        test="bootstrap",
        lower=one_sided.low,
        upper=one_sided.high,
    )


def _by_bootstrap(rows: RowPair, options: PairOptions) -> Difference:
    left, right = _case_sums(rows.left, rows.pair), _case_sums(rows.right, rows.pair)
    width, aggregate = left.shape[1], rows.right.aggregate

    def difference(sums: FloatArray) -> FloatArray:
        return np.asarray(aggregate(sums[..., width:]) - aggregate(sums[..., :width]), dtype=np.float64)

    rng = np.random.default_rng(SEED)
    try:
        both = np.hstack([left, right])
        draws = corpus_replicates(both, difference, rng=rng, resamples=RESAMPLES, clusters=rows.clusters)
    except ValueError:
        return _nothing(options.level)
    values = float(aggregate(left.sum(axis=0))), float(aggregate(right.sum(axis=0)))
    return _of_draws(draws, values, options)


def bootstrap_p(draws: Replicates) -> float:
    """Two-sided p of 0 from percentile replicates: twice the smaller share on the far side of 0, ties counted half."""
    values = draws.values
    if not len(values):
        return 1.0
    below = float(np.count_nonzero(values < 0.0)) + 0.5 * float(np.count_nonzero(values == 0.0))
    share = min(below, len(values) - below)
    return min(1.0, 2.0 * (share + 0.5) / (len(values) + 1.0))


def _case_sums(column: MetricColumn, pair: IntArray) -> FloatArray:
    """Statistics of each case, averaged over its trials, shape (pairs, k)."""
    stats = column.stats if column.stats is not None else np.empty((0, 0))
    size = int(pair.max()) + 1
    counts = np.bincount(column.case, minlength=size)[pair]
    sums = np.stack([np.bincount(column.case, weights=part, minlength=size)[pair] for part in stats.T], axis=1)
    return np.asarray(sums / np.maximum(counts, 1)[:, None], dtype=np.float64)
