"""What the user may have meant."""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process
from rapidfuzz.distance import DamerauLevenshtein

_SHOWN = 12


def closest(word: str, known: Iterable[str]) -> str | None:
    """The known word most like a given one, None when nothing is near.

    Example:
        >>> closest("groundednes", ["relevance", "groundedness"])
        'groundedness'
    """
    names = list(known)
    folded = {name.lower().replace("-", "_"): name for name in reversed(names)}
    asked = word.lower().replace("-", "_")
    if asked in folded:
        return folded[asked]
    near = [
        name for name in folded if DamerauLevenshtein.distance(asked, name) <= max(1, min(len(asked), len(name)) // 3)
    ]
    found = process.extractOne(asked, near or list(folded), scorer=fuzz.ratio, score_cutoff=50 if near else 75)
    return None if found is None else folded[found[0]]


def suggestion(word: str, known: Iterable[str], *, rest: str = "") -> str:
    """A hint: "did you mean `x`?" where something is near, then `rest`, or the known words when there is no rest.

    Example:
        >>> suggestion("ur", ["url", "method"])
        'did you mean `url`? allowed: method, url'
    """
    names = sorted(known)
    near = closest(word, names)
    tail = rest or f"allowed: {listed(names)}"
    return f"did you mean `{near}`? {tail}" if near else tail


def listed(names: Iterable[str]) -> str:
    """Words for a message, the first dozen of a long list.

    Example:
        >>> listed(["b", "a"])
        'b, a'
    """
    words = list(names)
    if not words:
        return "none"
    more = f" and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return ", ".join(words[:_SHOWN]) + more
