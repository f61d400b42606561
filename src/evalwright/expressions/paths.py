"""Plain paths such as `metadata.user.locale` or `metadata["question-type"]`: read without any interpreter."""

from __future__ import annotations

from collections.abc import Mapping

import re2

from evalwright.core.case import Json

Step = str | int

_WHOLE = re2.compile(
    r"""[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*|\["[^"\\\n]*"\]|\['[^'\\\n]*'\]|\[[0-9]{1,9}\])*"""
)
_STEP = re2.compile(r"""([A-Za-z_][A-Za-z0-9_]*)|\["([^"]*)"\]|\['([^']*)'\]|\[([0-9]+)\]""")
_WORDS = frozenset({"true", "false", "null"})


def parse_path(text: str) -> tuple[Step, ...] | None:
    """The steps of a plain path, None when the text is any other expression.

    Example:
        >>> parse_path('metadata["question-type"]')
        ('metadata', 'question-type')
        >>> parse_path("length(input)") is None
        True
    """
    if text in _WORDS or not _WHOLE.fullmatch(text):
        return None
    steps: list[Step] = []
    for name, double, single, index in _STEP.findall(text):
        steps.append(int(index) if index else name or double or single)
    return tuple(steps)


def follow(view: Mapping[str, Json], steps: tuple[Step, ...]) -> Json:
    """What stands at the end of a path; None where a key or an index is missing."""
    value: Json = view
    for step in steps:
        if isinstance(step, str):
            if not isinstance(value, Mapping) or step not in value:
                return None
        elif not isinstance(value, list | tuple) or step >= len(value):
            return None
        value = value[step]
    return value
