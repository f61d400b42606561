"""HTML tags of a hostile text, read leniently as a browser would, in linear time."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass

LONGEST = 4_000
"""Characters of one tag that are read."""

_OPEN = re.compile(r"<\s{0,3}(/?)([A-Za-z][A-Za-z0-9:_-]{0,40})")
_ATTRIBUTE = re.compile(
    r"([^\s=>\"'/<]{1,100})(?:\s{0,20}=\s{0,20}(?:\"([^\"]{0,3000})\"?|'([^']{0,3000})'?|([^\s\"'>]{1,3000})))?"
)


@dataclass(frozen=True, slots=True)
class Tag:
    """An opening tag.

    Attributes:
        name: In small letters.
        attributes: Names in small letters with their values, entities read.
        start: Where it begins.
        end: Where it ends.
    """

    name: str
    attributes: tuple[tuple[str, str], ...]
    start: int
    end: int


def tags(text: str) -> Iterator[Tag]:
    """Every opening tag; one that is never closed counts, as it does for a browser that gets more text."""
    at = 0
    while (found := _OPEN.search(text, at)) is not None:
        end = _end_of(text, found.end())
        at = end
        if not found[1]:
            yield Tag(found[2].lower(), tuple(_attributes(text[found.end() : end])), found.start(), end)


def _end_of(text: str, start: int) -> int:
    quote = ""
    stop = min(len(text), start + LONGEST)
    for at in range(start, stop):
        char = text[at]
        if quote:
            quote = "" if char == quote else quote
        elif char in "\"'" and text[at - 1] == "=":
            quote = char
        elif char == ">":
            return at + 1
        elif char == "<":
            return at
    return stop


def _attributes(text: str) -> Iterator[tuple[str, str]]:
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        yield name.lower(), html.unescape(double or single or bare)
