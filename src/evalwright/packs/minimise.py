"""The fewest words that still succeed: delta debugging over the pieces of a text."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence

import msgspec

from evalwright.core.case import Json

Holds = Callable[[str], Awaitable[bool]]
"""Whether an attack with this text still succeeds."""

_PIECES = re.compile(r"\S+\s*|\s+")


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One way to write an attack.

    Attributes:
        clear: Its text in clear.
        how: The disguises it is put into, joined by `+`; empty for none.
        write: From a text in clear to what is sent.
    """

    clear: str
    how: str = ""
    write: Callable[[str], str] = str

    @property
    def text(self) -> str:
        """What is sent."""
        return self.write(self.clear)


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

    async def plainest(self, text: str, forms: Sequence[Form] = ()) -> Form:
        """The first of some forms that holds, made as short as it can be in clear; disguises stay around what is left.

        Args:
            text: A text that holds, taken as it is where none of the forms does.
            forms: Plainer ways to write it, the plainest first.
        """
        best = Form(clear=text)
        try:
            for form in forms:
                if form.clear and await self._tried(form.text):
                    best = form
                    break
            left = await self._without(_PIECES.findall(best.clear), best.clear, best.write)
        except _Spent as spent:
            left = str(spent.args[0]) if spent.args else best.clear
        return msgspec.structs.replace(best, clear=left)

    async def shortest(self, text: str, instead: Sequence[str] = ()) -> str:
        """The shortest text found that holds; the text itself when nothing shorter does.

        Args:
            text: A text that holds.
            instead: Plainer texts to try first, e.g. without disguise or wrapper.
        """
        forms = [Form(clear=candidate) for candidate in sorted(set(instead), key=len)]
        return (await self.plainest(text, forms)).text

    async def _tried(self, text: str) -> bool:
        if self.calls >= self._budget:
            raise _Spent
        self.calls += 1
        return await self._holds(text)

    async def _without(self, pieces: list[str], best: str, write: Callable[[str], str]) -> str:
        """Zeller's ddmin on pieces: drop ever smaller runs of them."""
        size = max(1, len(pieces) // 2)
        try:
            while pieces:
                shorter = await self._drop_one(pieces, size, write)
                if shorter is not None:
                    pieces = shorter
                elif size == 1:
                    break
                size = max(1, min(size, len(pieces)) // 2) if shorter is None else min(size, max(1, len(pieces) // 2))
                best = "".join(pieces)
        except _Spent:
            raise _Spent("".join(pieces) or best) from None
        return best

    async def _drop_one(self, pieces: list[str], size: int, write: Callable[[str], str]) -> list[str] | None:
        for at in range(0, len(pieces), size):
            rest = pieces[:at] + pieces[at + size :]
            if rest and await self._tried(write("".join(rest))):
                return rest
        return None


def with_payload(value: Json, before: str, after: str) -> Json:
    """A case's input with the attacker's words replaced, wherever they stand."""
    if isinstance(value, str):
        return value.replace(before, after)
    if isinstance(value, dict):
        return {key: with_payload(item, before, after) for key, item in value.items()}
    return [with_payload(item, before, after) for item in value] if isinstance(value, list) else value
