"""Phrase lists of several languages, kept as text files and searched all at once in linear time.

A file has a section `[code]` per language and one RE2 pattern per line; `#` starts a comment line. In a pattern `{w}`
stands for a word with the space after it, `{gap}` for up to eighty characters of the same sentence, and `'` for any
apostrophe or none. A phrase starts at the start of a word and ends at the end of one, except where the line ends in `…`
(it may go on) and in scripts that put no spaces between words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from importlib import resources
from typing import Any, NamedTuple

from evalwright.scorers.patterns import compile_pattern

_SPACELESS = frozenset({"zh", "ja", "ko", "th"})
_WORD = r"(?:[\pL\pN'’-]+,?\s+)"
_MACROS = {" ": r"\s+", "'": "['’`´]?", "{w}": _WORD, "{gap}": r"[^.!?\n]{0,80}"}
_SECTION = re.compile(r"\[(\w+)\]")
_OPEN = "…"
_NEVER = r"[^\s\S]"


class Phrase(NamedTuple):
    """A phrase found: its place and its text."""

    start: int
    end: int
    text: str


class Phrases:
    """A compiled list of phrases; case does not matter."""

    def __init__(self, closed: Sequence[str], opened: Sequence[str] = (), spaceless: Sequence[str] = ()) -> None:
        whole, begun, free = ("|".join(items) or _NEVER for items in (closed, opened, spaceless))
        pattern = rf"(?:^|[^\pL\pN])(?:({whole})(?:[^\pL\pN]|$)|({begun}))|({free})"
        self._compiled: Any = compile_pattern(pattern, ignore_case=True, multiline=True)

    def find(self, text: str, start: int = 0) -> Phrase | None:
        """The first phrase in the text from a place on."""
        match = self._compiled.search(text, start)
        if match is None:
            return None
        group = match.lastindex
        return Phrase(match.start(group), match.end(group), match.group(group))

    def all(self, text: str, limit: int = 100) -> list[Phrase]:
        """The phrases in the text, in order, at most `limit`."""
        found: list[Phrase] = []
        place = self.find(text)
        while place and len(found) < limit:
            found.append(place)
            place = self.find(text, max(place.end, place.start + 1))
        return found


@lru_cache(maxsize=64)
def load_phrases(name: str, extra: tuple[str, ...] = ()) -> Phrases:
    """The phrase list of a file, with more phrases beside it.

    Args:
        name: File name without its ending.
        extra: Phrases to add, as plain text of any language.
    """
    text = resources.files(__name__).joinpath(f"{name}.txt").read_text(encoding="utf-8")
    closed, opened, spaceless = _read(text)
    return Phrases([*closed, *map(_plain, extra)], opened, spaceless)


def plain_phrases(phrases: Sequence[str]) -> Phrases:
    """Phrases given as plain text."""
    return Phrases([_plain(phrase) for phrase in phrases])


def _plain(phrase: str) -> str:
    return r"\s+".join(re.escape(word).replace("'", _MACROS["'"]) for word in phrase.split())


def _read(text: str) -> tuple[list[str], list[str], list[str]]:
    closed: list[str] = []
    opened: list[str] = []
    spaceless: list[str] = []
    kind = closed
    for line in map(str.strip, text.splitlines()):
        section = _SECTION.fullmatch(line)
        if section:
            kind = spaceless if section[1] in _SPACELESS else closed
        elif line and not line.startswith("#"):
            target = opened if kind is closed and line.endswith(_OPEN) else kind
            target.append(_pattern(line.removesuffix(_OPEN)))
    return closed, opened, spaceless


def _pattern(line: str) -> str:
    for macro, meaning in _MACROS.items():
        line = line.replace(macro, meaning)
    return line
