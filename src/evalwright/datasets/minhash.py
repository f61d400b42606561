"""Texts that are nearly the same, found among many: MinHash signatures, banded (Broder 1997; Leskovec et al., ch. 3).

A text becomes the set of its runs of five characters (letters and digits, in small letters). Two texts that share a
share J of these (Jaccard) have a signature value in common with probability J, and fall into a common band of four
with probability 1 - (1 - J^4)^16: .9998 at J = .8, .65 at .5, .12 at .3. Candidates are then compared exactly.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt

ROWS, BANDS = 4, 16
SHINGLE = 5
MAX_CHARACTERS = 20_000
MAX_BUCKET = 200

Signatures = npt.NDArray[np.uint32]
_WORD = re.compile(r"[^\W_]+")
_rng = np.random.Generator(np.random.PCG64(20_260_801))
_FACTORS = _rng.integers(1, 2**32 - 1, size=ROWS * BANDS, dtype=np.uint64) | np.uint64(1)
_SHIFTS = _rng.integers(0, 2**32 - 1, size=ROWS * BANDS, dtype=np.uint64)
_PRIME = np.uint64(4_294_967_311)


def normal_text(text: str) -> str:
    """A text as it is compared: words in small letters with single spaces, at most 20,000 characters.

    Example:
        >>> normal_text("  Where is   my ORDER?! ")
        'where is my order'
    """
    return " ".join(_WORD.findall(text[: 2 * MAX_CHARACTERS].casefold()))[:MAX_CHARACTERS]


def shingles(text: str) -> set[bytes]:
    """The runs of five characters of a normal text; the text itself when it is shorter."""
    data = text.encode("utf-8", "replace")
    return {data[n : n + SHINGLE] for n in range(max(1, len(data) - SHINGLE + 1))}


def jaccard(one: set[bytes], other: set[bytes]) -> float:
    """Share of what two sets have in common, 0 to 1; 0 when both are empty."""
    union = len(one | other)
    return len(one & other) / union if union else 0.0


def signature(text: str) -> Signatures:
    """MinHash values of a normal text, shape (64,)."""
    hashes = np.fromiter((zlib.crc32(piece) for piece in shingles(text)), dtype=np.uint64)
    mixed = (np.multiply.outer(hashes, _FACTORS >> np.uint64(1)) + _SHIFTS) % _PRIME
    made: Signatures = mixed.min(axis=0).astype(np.uint32)
    return made


def signatures(texts: Iterable[str], count: int) -> Signatures:
    """Signatures of normal texts, shape (count, 64): 256 bytes a text."""
    made = np.zeros((count, ROWS * BANDS), dtype=np.uint32)
    for row, text in enumerate(texts):
        made[row] = signature(text)
    return made


def candidate_pairs(left: Signatures, right: Signatures | None = None) -> Iterator[tuple[int, int]]:
    """Pairs of rows that share a band, each once; within `left`, or between `left` and `right`.

    Of a bucket of more than 200 rows only neighbours are paired.
    """
    seen: set[tuple[int, int]] = set()
    for band in range(BANDS):
        for pair in _band_pairs(_keys(left, band), None if right is None else _keys(right, band)):
            if pair not in seen:
                seen.add(pair)
                yield pair


def _keys(made: Signatures, band: int) -> npt.NDArray[np.uint64]:
    part = made[:, band * ROWS : (band + 1) * ROWS].astype(np.uint64)
    key = np.full(len(made), band, dtype=np.uint64)
    for column in range(ROWS):
        key = (key ^ part[:, column]) * np.uint64(0x9E3779B97F4A7C15)
        key ^= key >> np.uint64(29)
    return key


def _band_pairs(left: npt.NDArray[np.uint64], right: npt.NDArray[np.uint64] | None) -> Iterator[tuple[int, int]]:
    keys = left if right is None else np.concatenate([left, right])
    order = np.argsort(keys, kind="stable")
    edges = np.flatnonzero(np.diff(keys[order])) + 1
    for bucket in np.split(order, edges):
        if len(bucket) < 2:
            continue
        members = [int(n) for n in bucket]
        yield from _within(members) if right is None else _between(members, len(left))


def _within(members: list[int]) -> Iterator[tuple[int, int]]:
    if len(members) > MAX_BUCKET:
        yield from pairwise(members)
        return
    for place, one in enumerate(members):
        for other in members[place + 1 :]:
            yield (one, other)


def _between(members: list[int], count: int) -> Iterator[tuple[int, int]]:
    ours = [n for n in members if n < count][:MAX_BUCKET]
    theirs = [n - count for n in members if n >= count][:MAX_BUCKET]
    for one in ours:
        for other in theirs:
            yield (one, other)


def near_pairs(
    text_of: Callable[[int], str],
    made: Signatures,
    *,
    other: Callable[[int], str] | None = None,
    other_made: Signatures | None = None,
    at_least: float = 0.8,
) -> Iterator[tuple[int, int, float]]:
    """Pairs whose exact Jaccard similarity is at least a bound, with it.

    Args:
        text_of: The normal text of a row.
        made: Signatures of the rows.
        other: The normal text of a row of the other set, for pairs between two sets.
        other_made: Signatures of the other set.
        at_least: The bound.
    """
    for one, two in candidate_pairs(made, other_made):
        second = text_of(two) if other is None else other(two)
        similarity = jaccard(shingles(text_of(one)), shingles(second))
        if similarity >= at_least:
            yield one, two, similarity
