"""Characters that steer a terminal, hide text or turn its order round."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST = 50
"""Findings listed at most."""


@dataclass(frozen=True, slots=True)
class Spot:
    """Something found in a text.

    Attributes:
        kind: What it is, e.g. `terminal escape`.
        start: First character.
        end: Character after it.
        text: What stands there, made visible.
    """

    kind: str
    start: int
    end: int
    text: str


_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]{1,7}\U000e007f")
_PATTERNS = (
    ("clipboard write", re.compile("(?:\x1b\\]|\x9d)52;")),
    ("terminal link", re.compile("(?:\x1b\\]|\x9d)8;")),
    ("terminal escape", re.compile("\x1b[\\[\\]PX^_()#=>c78NODEHMZ]|[\x90\x9b\x9d\x9e\x9f]")),
    ("control character", re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f]")),
    ("direction control", re.compile("[\u202a-\u202e\u2066-\u2069]")),
    ("tag characters", re.compile("[\U000e0001\U000e0020-\U000e007f]+")),
    ("variation selectors", re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]{2,}|[\U000e0100-\U000e01ef]")),
    ("zero-width run", re.compile("[\u200b-\u200d\u2060\ufeff]{3,}")),
    ("invisible operators", re.compile("[\u2061-\u2064]{2,}")),
    ("invisible filler", re.compile("[\u115f\u1160\u3164\uffa0]")),
)
"""Single joiners (emoji, Persian, Hindi), one selector after a symbol and flags made of tags are ordinary text."""


def control_spots(text: str) -> Iterator[Spot]:
    """Terminal escapes, other control characters, direction controls and invisible runs, by kind and place."""
    if text.isascii() and text.isprintable():
        return
    plain = _FLAG.sub(lambda found: " " * len(found[0]), text)
    taken: set[int] = set()
    for kind, pattern in _PATTERNS:
        for found in pattern.finditer(plain):
            if found.start() not in taken:
                taken.update(range(found.start(), min(found.end(), found.start() + 64)))
                yield Spot(kind, found.start(), found.end(), visible(found[0]))


def visible(text: str, *, most: int = 80) -> str:
    """A text with everything that does not show written out as `⟨U+202E⟩`, at most `most` characters of it."""
    cut = text[:most] + ("…" if len(text) > most else "")
    return "".join(char if char.isprintable() else f"⟨U+{ord(char):04X}⟩" for char in cut)
