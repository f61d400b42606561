"""Compile an expression once, evaluate it for every case."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Protocol

from evalwright.core.case import Json
from evalwright.expressions.cel_program import CelExpression, unknown_name
from evalwright.expressions.paths import Step, follow, parse_path
from evalwright.expressions.scan import check_limits
from evalwright.expressions.views import CASE_NAMES, RESULT_NAMES


class Expression(Protocol):
    """A compiled expression. Safe to share between threads and to use for any number of cases."""

    @property
    def text(self) -> str:
        """The expression as written."""
        ...

    def value(self, view: Mapping[str, Json]) -> Json:
        """The value for one case; None where the case lacks what the expression reads, or has another kind of it."""
        ...

    def truth(self, view: Mapping[str, Json]) -> bool:
        """Whether the value for one case is true; False where there is no value or it is neither true nor false."""
        ...

    def explain(self, view: Mapping[str, Json]) -> str | None:
        """Why there is no value for one case, in a sentence; None when there is one."""
        ...


class PathExpression:
    """A plain path: a few look-ups, no interpreter."""

    __slots__ = ("_steps", "text")

    def __init__(self, text: str, steps: tuple[Step, ...]) -> None:
        self.text = text
        self._steps = steps

    def value(self, view: Mapping[str, Json]) -> Json:
        """What stands at the path; None where a key or an index is missing."""
        return follow(view, self._steps)

    def truth(self, view: Mapping[str, Json]) -> bool:
        """Whether true stands at the path."""
        return self.value(view) is True

    def explain(self, view: Mapping[str, Json]) -> str | None:
        """Why there is no value: nothing, or null, stands at the path."""
        return f"the case has no `{self.text}`" if self.value(view) is None else None

    def __repr__(self) -> str:
        return f"PathExpression({self.text!r})"


@lru_cache(maxsize=256)
def compile_expression(text: str, *, results: bool = False) -> Expression:
    """Read an expression.

    Args:
        text: The expression, at most 2,000 characters.
        results: Whether it may also read `output`, `scores`, `error` and `trial`.

    Raises:
        ExpressionError: The text is no expression; line and column say where.

    Example:
        >>> long = compile_expression('length(input) > 3 && metadata.locale == "de"')
        >>> long.truth({"input": "Guten Tag", "metadata": {"locale": "de"}})
        True
        >>> compile_expression("metadata.locale").value({"metadata": {}}) is None
        True
    """
    loops = check_limits(text)
    names = (*CASE_NAMES, *RESULT_NAMES) if results else CASE_NAMES
    steps = parse_path(text.strip())
    if steps is None:
        return CelExpression(text, names=names, loops=loops)
    if steps[0] not in names:
        raise unknown_name(text, str(steps[0]), names)
    return PathExpression(text.strip(), steps)
