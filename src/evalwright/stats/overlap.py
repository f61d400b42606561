"""Likeness of texts as sets of n-grams, and what a MinHash index will find."""

from __future__ import annotations

from collections.abc import Set
from typing import Literal


def shingles(text: str, n: int, *, unit: Literal["word", "char"] = "word") -> frozenset[str]:
    """The set of n-grams of a text; the whole text when it is shorter than n.

    Raises:
        ValueError: n below 1.

    >>> sorted(shingles("a b c", 2))
    ['a b', 'b c']
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    parts: list[str] = text.split() if unit == "word" else list(text)
    glue = " " if unit == "word" else ""
    if len(parts) <= n:
        return frozenset([glue.join(parts)]) if parts else frozenset()
    return frozenset(glue.join(parts[i : i + n]) for i in range(len(parts) - n + 1))


def jaccard(first: Set[str], second: Set[str]) -> float:
    """Shared share of two sets, |A ∩ B|/|A ∪ B|; 1 for two empty sets.

    Source: Broder 1997.

    >>> jaccard(shingles("a b c", 1), shingles("a b d", 1))
    0.5
    """
    union = len(first | second)
    return len(first & second) / union if union else 1.0


def lsh_probability(similarity: float, *, bands: int, rows: int) -> float:
    """Chance that two texts of this Jaccard likeness become a candidate pair: 1 - (1 - s^r)^b.

    Raises:
        ValueError: similarity outside [0, 1], bands or rows below 1.

    Source: Leskovec, Rajaraman & Ullman, Mining of Massive Datasets, chapter 3.

    >>> round(lsh_probability(0.5, bands=32, rows=4), 3)
    0.873
    """
    if not 0.0 <= similarity <= 1.0 or bands < 1 or rows < 1:
        raise ValueError(f"need similarity in [0, 1] and bands, rows >= 1, got {similarity}, {bands}, {rows}")
    return float(1.0 - (1.0 - similarity**rows) ** bands)
