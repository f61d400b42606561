"""Word lists written as plain text."""

from __future__ import annotations


def lexicon(text: str) -> frozenset[str]:
    """The words of a text as a set; a phrase is written with underscores for its spaces.

    Example:
        >>> sorted(lexicon("no not in_no_way"))
        ['in no way', 'no', 'not']
    """
    return frozenset(word.replace("_", " ") for word in text.split())
