"""The engine of the bootstrap: sums of resampled rows, without a loop over resamples.

A resample of n rows with k distinct ones is a multinomial(n, counts/n) draw of k numbers, so 10,000 resamples of
100,000 paired verdicts (k = 3) take milliseconds. Rows that are all different are drawn by index while that is
cheap; beyond it they are grouped, the groups drawn by multinomial, and the spread inside each group added back as a
normal term (a group holds hundreds of rows). Extreme rows stay groups of their own.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evalwright.stats._arrays import FloatArray, IntArray

EXACT_DRAWS = 100_000_000
"""Most single row draws (rows x resamples) made one by one; about half a second."""
MAX_DISTINCT = 2048
"""Most distinct rows drawn by one multinomial."""
CHUNK_CELLS = 4_000_000
"""Cells of the largest temporary array."""
BINS = 384
EXTREMES = 64


@dataclass(frozen=True, slots=True)
class Sums:
    """Resampled column sums.

    Attributes:
        sums: array (resamples, k).
        binned: whether rows were grouped (see the module text).
    """

    sums: FloatArray
    binned: bool


def resampled_sums(rows: FloatArray, resamples: int, rng: np.random.Generator) -> Sums:
    """Column sums of `resamples` bootstrap samples of the rows of `rows` (shape (n, k), n >= 1)."""
    distinct, counts = _distinct(rows)
    if distinct is not None:
        return Sums(_multinomial_sums(distinct, counts, len(rows), resamples, rng), False)
    if len(rows) * resamples <= EXACT_DRAWS:
        return Sums(_index_sums(rows, resamples, rng), False)
    return Sums(_binned_sums(rows, resamples, rng), True)


def _distinct(rows: FloatArray) -> tuple[FloatArray | None, IntArray]:
    """Distinct rows and how often each occurs; None when there are too many for a multinomial."""
    probe = rows[: 4 * MAX_DISTINCT]
    if len(np.unique(probe[:, 0])) > MAX_DISTINCT:
        return None, np.empty(0, dtype=np.int64)
    values, counts = _unique_rows(rows)
    limit = min(MAX_DISTINCT, max(len(rows) // 2, 8))
    if len(values) > limit:
        return None, np.empty(0, dtype=np.int64)
    return values, counts


def _unique_rows(rows: FloatArray) -> tuple[FloatArray, IntArray]:
    if rows.shape[1] == 1:
        values, counts = np.unique(rows[:, 0], return_counts=True)
        return values[:, None], counts.astype(np.int64)
    codes = np.zeros(len(rows), dtype=np.int64)
    for column in rows.T:
        _, inverse = np.unique(column, return_inverse=True)
        _, codes = np.unique(codes * (int(inverse.max()) + 1) + inverse, return_inverse=True)
    _, first, counts = np.unique(codes, return_index=True, return_counts=True)
    return rows[first], counts.astype(np.int64)


def _multinomial_sums(
    values: FloatArray, counts: IntArray, n: int, resamples: int, rng: np.random.Generator
) -> FloatArray:
    shares = counts / counts.sum()
    return _in_chunks(resamples, len(values), lambda size: rng.multinomial(n, shares, size=size) @ values)


def _index_sums(rows: FloatArray, resamples: int, rng: np.random.Generator) -> FloatArray:
    n, width = rows.shape

    def draw(size: int) -> FloatArray:
        index = rng.integers(0, n, size=(size, n), dtype=np.int32)
        return np.stack([rows[:, j].take(index).sum(axis=1) for j in range(width)], axis=1)

    return _in_chunks(resamples, n, draw)


def _binned_sums(rows: FloatArray, resamples: int, rng: np.random.Generator) -> FloatArray:
    ordered = rows[np.argsort(_first_axis(rows), kind="stable")]
    starts = _bin_starts(len(rows))
    sizes = np.diff(np.append(starts, len(rows)))
    means = np.add.reduceat(ordered, starts, axis=0) / sizes[:, None]
    within = ordered - np.repeat(means, sizes, axis=0)
    factors = _covariance_factors(within, starts, sizes)
    shares = sizes / sizes.sum()

    def draw(size: int) -> FloatArray:
        counts = rng.multinomial(len(rows), shares, size=size)
        covariance = np.tensordot(counts, factors, axes=(1, 0))
        return counts @ means + _normal(covariance, rng)

    return _in_chunks(resamples, len(sizes) + rows.shape[1] ** 2, draw)


def _first_axis(rows: FloatArray) -> FloatArray:
    """Coordinate along which the (standardised) rows vary most."""
    if rows.shape[1] == 1:
        return rows[:, 0]
    spread = rows.std(axis=0)
    scaled = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    _, vectors = np.linalg.eigh(scaled.T @ scaled)
    return np.asarray(scaled @ vectors[:, -1], dtype=np.float64)


def _bin_starts(n: int) -> IntArray:
    """Group starts in sorted order: single rows at both ends, equal shares between."""
    inner = np.linspace(EXTREMES, n - EXTREMES, BINS + 1).astype(np.int64)[:-1]
    tail = np.arange(n - EXTREMES, n)
    return np.unique(np.concatenate([np.arange(EXTREMES), inner, tail])).astype(np.int64)


def _covariance_factors(within: FloatArray, starts: IntArray, sizes: IntArray) -> FloatArray:
    """Covariance matrix of the rows inside each group, shape (groups, k, k)."""
    products = within[:, :, None] * within[:, None, :]
    return np.asarray(np.add.reduceat(products, starts, axis=0) / sizes[:, None, None], dtype=np.float64)


def _normal(covariance: FloatArray, rng: np.random.Generator) -> FloatArray:
    """One normal vector per covariance matrix (positive semi-definite; square root by eigenvalues)."""
    width = covariance.shape[-1]
    noise = rng.standard_normal((len(covariance), width))
    if width == 1:
        return np.asarray(np.sqrt(np.maximum(covariance[:, :, 0], 0.0)) * noise, dtype=np.float64)
    values, vectors = np.linalg.eigh(covariance)
    scaled = np.sqrt(np.maximum(values, 0.0)) * noise
    return np.asarray(np.einsum("bij,bj->bi", vectors, scaled), dtype=np.float64)


def _in_chunks(resamples: int, cells: int, draw: Callable[[int], FloatArray]) -> FloatArray:
    return np.concatenate([np.asarray(draw(size), dtype=np.float64) for size in chunk_sizes(cells, resamples)])


def chunk_sizes(cells: int, resamples: int) -> list[int]:
    """Sizes of batches of resamples of `cells` numbers each that fit into one temporary array."""
    size = max(1, min(resamples, CHUNK_CELLS // max(1, cells)))
    count = math.ceil(resamples / size)
    return [size] * (count - 1) + [resamples - size * (count - 1)]
