"""A look at an expression's text before and after the parser: limits, names and their places.

This is no parser: the CEL library reads the language. It finds where a name stands, so that messages can point at it,
and it refuses texts whose nesting would cost too much.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec
import re2

from evalwright.expressions.failures import ExpressionError

MAX_CHARACTERS = 2_000
MAX_NESTING = 32
MAX_LOOPS = 2
MACROS = frozenset({"map", "filter", "all", "exists", "exists_one"})

_TOKEN = re2.compile(
    r"(?s)(?P<text>[rRbB]{0,2}(?:\"\"\".*?\"\"\"|'''.*?'''|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'))"
    r"|(?P<comment>//[^\n]*)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<number>[0-9][0-9A-Za-z_.]*)"
    r"|(?P<mark>[()\[\]{}.,])"
)


class Token(msgspec.Struct, frozen=True):
    """A name or a punctuation mark of an expression, and where it starts (from 0)."""

    kind: str
    text: str
    start: int


def tokens(text: str) -> Iterator[Token]:
    """Names and marks in order; texts, comments and numbers are passed over."""
    for match in _TOKEN.finditer(text):
        if match.lastgroup in ("name", "mark"):
            yield Token(str(match.lastgroup), str(match.group()), int(match.start()))


def check_limits(text: str) -> int:
    """How deep loops (`map`, `filter`, `all`, `exists`) stand inside one another: 0, 1 or 2.

    Raises:
        ExpressionError: The text is empty, too long, or nests too deep.
    """
    if not text.strip():
        raise ExpressionError("the expression is empty", text=text, hint="e.g. `metadata.locale`")
    if len(text) > MAX_CHARACTERS:
        raise ExpressionError(
            f"the expression has {len(text):,} characters; at most {MAX_CHARACTERS:,} are allowed",
            text="",
            hint="put the condition into a field of the cases instead",
        )
    return _loops(text)


def _loops(text: str) -> int:
    deepest = 0
    open_marks: list[bool] = []
    previous = ""
    for token in tokens(text):
        if token.text in ("(", "[", "{"):
            open_marks.append(token.text == "(" and previous in MACROS)
            deepest = max(deepest, sum(open_marks))
            _check_depth(text, token.start, len(open_marks), deepest)
        elif token.text in (")", "]", "}") and open_marks:
            open_marks.pop()
        previous = token.text
    return deepest


def _check_depth(text: str, start: int, nesting: int, loops: int) -> None:
    line, column = place(text, start)
    if nesting > MAX_NESTING:
        raise ExpressionError(
            f"brackets stand more than {MAX_NESTING} deep in the expression", text=text, line=line, column=column
        )
    if loops > MAX_LOOPS:
        raise ExpressionError(
            f"loops stand more than {MAX_LOOPS} deep in the expression", text=text, line=line, column=column
        )


def place(text: str, start: int) -> tuple[int, int]:
    """Line and column of a character, both from 1."""
    before = text[:start]
    return before.count("\n") + 1, start - (before.rfind("\n") + 1) + 1


def bound_names(text: str) -> set[str]:
    """Names that loops give to their items: `t` in `tags.exists(t, t == "a")`."""
    found = list(tokens(text))
    return {
        item.text
        for macro, mark, item in zip(found, found[1:], found[2:], strict=False)
        if macro.text in MACROS and mark.text == "(" and item.kind == "name"
    }


def place_of_name(text: str, name: str) -> tuple[int, int]:
    """Where a name stands that is no field of something else: line and column, (0, 0) when it does not."""
    previous = ""
    for token in tokens(text):
        if token.text == name and token.kind == "name" and previous != ".":
            return place(text, token.start)
        previous = token.text
    return (0, 0)


def place_of_function(text: str, name: str) -> tuple[int, int]:
    """Where a function is called: line and column, (0, 0) when it is not."""
    found = list(tokens(text))
    for token, following in pairwise(found):
        if token.text == name and following.text == "(":
            return place(text, token.start)
    return (0, 0)
