"""Two texts side by side, word by word."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec
from rapidfuzz.distance import Indel

_WORD = re.compile(r"\s+|\w+|[^\w\s]")
MAX_WORDS = 6_000
"""Above so many words and signs the texts are shown without a diff."""


class DiffPiece(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of one text: whether it is missing from the other."""

    text: str
    changed: bool = False


def word_diff(left: str, right: str) -> tuple[list[DiffPiece], list[DiffPiece]]:
    """Both texts cut into what they share and what only they have; whole when they are very long.

    Example:
        >>> [piece.text for piece in word_diff("a red car", "a blue car")[1] if piece.changed]
        ['blue']
    """
    a, b = _WORD.findall(left), _WORD.findall(right)
    if len(a) > MAX_WORDS or len(b) > MAX_WORDS:
        return [DiffPiece(text=left)], [DiffPiece(text=right)]
    first: list[DiffPiece] = []
    second: list[DiffPiece] = []
    for code in Indel.opcodes(a, b):
        equal = code.tag == "equal"
        _add(first, a[code.src_start : code.src_end], changed=not equal)
        _add(second, b[code.dest_start : code.dest_end], changed=not equal)
    return first, second


def _add(pieces: list[DiffPiece], words: Sequence[str], *, changed: bool) -> None:
    if words:
        pieces.append(DiffPiece(text="".join(words), changed=changed))
