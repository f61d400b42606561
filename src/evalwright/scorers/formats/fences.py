"""Code blocks in an answer."""

from __future__ import annotations

import re

_BLOCK = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([\w+-]*)[^\n]*\n(.*?)^[ \t]*\1[ \t]*$", re.MULTILINE | re.DOTALL)
_LONGEST = 200_000


def last_block(text: str, languages: frozenset[str]) -> str | None:
    """The content of the last fenced block in one of the languages or in none named; None when there is none.

    Only the last 200,000 characters are looked at.
    """
    found = None
    for match in _BLOCK.finditer(text[-_LONGEST:]):
        if match[2].lower() in languages or not match[2]:
            found = match[3]
    return found
