"""The fewest words that still succeed: delta debugging over the pieces of a text."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

from evalwright.core.case import Json

Holds = Callable[[str], Awaitable[bool]]
"""Whether an attack with this text still succeeds."""

_PIECES = re.compile(r"\S+\s*|\s+")


class _Spent(Exception):
    """No calls are left."""


class Minimiser:
    """Makes a text shorter as long as it holds.

    Args:
        holds: Asked for each candidate, at most `budget` times.
        budget: Calls at most.

    Attributes:
        calls: How often it was asked.
    """

    def __init__(self, holds: Holds, *, budget: int) -> None:
        self._holds = holds
        self._budget = budget
        self.calls = 0

    async def shortest(self, text: str, instead: Sequence[str] = ()) -> str:
        """The shortest text found that holds; the text itself when nothing shorter does.

        Args:
            text: A text that holds.
            instead: Plainer texts to try first, e.g. without disguise or wrapper.
        """
        best = text
        try:
            for candidate in sorted(set(instead), key=len):
                if candidate and await self._tried(candidate):
                    best = candidate
                    break
            best = await self._without(_PIECES.findall(best), best)
        except _Spent as spent:
            return str(spent.args[0]) if spent.args else best
        return best

    async def _tried(self, text: str) -> bool:
        if self.calls >= self._budget:
            raise _Spent
        self.calls += 1
        return await self._holds(text)

    async def _without(self, pieces: list[str], best: str) -> str:
        """Zeller's ddmin on pieces: drop ever smaller runs of them."""
        size = max(1, len(pieces) // 2)
        try:
            while pieces:
                shorter = await self._drop_one(pieces, size)
                if shorter is not None:
                    pieces = shorter
                elif size == 1:
                    break
                size = max(1, min(size, len(pieces)) // 2) if shorter is None else min(size, max(1, len(pieces) // 2))
                best = "".join(pieces)
        except _Spent:
            raise _Spent("".join(pieces) or best) from None
        return best

    async def _drop_one(self, pieces: list[str], size: int) -> list[str] | None:
        for at in range(0, len(pieces), size):
            rest = pieces[:at] + pieces[at + size :]
            if rest and await self._tried("".join(rest)):
                return rest
        return None


def with_payload(value: Json, before: str, after: str) -> Json:
    """A case's input with the attacker's words replaced, wherever they stand."""
    if isinstance(value, str):
        return value.replace(before, after)
    if isinstance(value, dict):
        return {key: with_payload(item, before, after) for key, item in value.items()}
    return [with_payload(item, before, after) for item in value] if isinstance(value, list) else value
