"""Vectors of texts without a model: hashed pieces of words."""

from __future__ import annotations

import zlib
from collections import Counter

import numpy as np
from numpy.typing import NDArray

from evalwright.scorers.text.words import runs, spaceless

Vector = NDArray[np.float32]

DIMENSIONS = 4_096
_SHORTEST, _LONGEST = 3, 5
_MOST_RUNS = 20_000


def hashed_vector(text: str) -> Vector:
    """A unit vector of shape (4096,) from the pieces of three to five letters of each word, and the words themselves.

    Counts are damped by a logarithm. Inflections and typing mistakes stay near, synonyms do not; no model is needed and
    the same text gives the same vector everywhere. A text without words gives zeros. At most 20,000 words are read.
    """
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    for piece, count in Counter(piece for run in runs(text)[:_MOST_RUNS] for piece in _pieces(run)).items():
        vector[zlib.crc32(piece.encode()) % DIMENSIONS] += np.log1p(np.float32(count))
    size = np.linalg.norm(vector)
    return vector / size if size else vector


def _pieces(run: str) -> list[str]:
    if spaceless(run):
        return [run]
    marked = f"<{run}>"
    sizes = range(_SHORTEST, min(_LONGEST, len(marked)) + 1)
    return [marked] + [marked[at : at + size] for size in sizes for at in range(len(marked) - size + 1)]


def cosine(first: Vector, second: Vector) -> float:
    """Cosine of two vectors, -1 to 1; 0 when one is all zeros."""
    sizes = float(np.linalg.norm(first)) * float(np.linalg.norm(second))
    return float(np.clip(float(np.dot(first, second)) / sizes, -1.0, 1.0)) if sizes else 0.0
