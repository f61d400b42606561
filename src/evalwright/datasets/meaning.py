"""Texts that mean nearly the same, by vectors of an embedding model."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from evalwright.datasets.embedding import Matrix

ROWS = 1_000
MAX_PAIRS = 10_000


def similar_pairs(vectors: Matrix, other: Matrix | None = None, *, at_least: float) -> Iterator[tuple[int, int, float]]:
    """Pairs of rows whose cosine similarity is at least a bound, with it; at most the first ten thousand.

    Args:
        vectors: Unit vectors, shape (texts, dimensions).
        other: Those of another set, for pairs between two sets.
        at_least: The bound, -1 to 1.
    """
    count = 0
    for start in range(0, len(vectors), ROWS):
        likeness = vectors[start : start + ROWS] @ (vectors if other is None else other).T
        for row, column in np.argwhere(likeness >= at_least):
            if other is not None or start + row < column:
                yield start + int(row), int(column), float(likeness[row, column])
                count += 1
                if count >= MAX_PAIRS:
                    return
