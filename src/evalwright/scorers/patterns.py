"""Patterns that users write: compiled on a linear-time engine, so that no text can make one hang."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import re2

from evalwright.scorers.base import OptionError

_MEMORY = 64 << 20
_LOOKAROUND = re.compile(r"\(\?<?[=!]")
_BACKREFERENCE = re.compile(r"(?<!\\)(?:\\\\)*\\(?:[1-9]|k<)|\(\?P=")


@lru_cache(maxsize=512)
def compile_pattern(pattern: str, *, ignore_case: bool = False, multiline: bool = False, dot_all: bool = False) -> Any:
    """Compile a pattern in RE2's syntax.

    Args:
        pattern: The pattern as the user wrote it.
        ignore_case: Upper and lower case are the same.
        multiline: `^` and `$` match at line ends too.
        dot_all: `.` matches a line end too.

    Raises:
        OptionError: It does not compile; the message says which construct and what to write instead.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MEMORY
    options.case_sensitive = not ignore_case
    options.dot_nl = dot_all
    try:
        return re2.compile(("(?m)" if multiline else "") + pattern, options)
    except re2.error as error:
        raise OptionError(f"the pattern {pattern!r} does not compile: {_cause(error)}", hint=_remedy(pattern)) from None


def _cause(error: Exception) -> str:
    detail = error.args[0] if error.args else error
    return detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)


def _remedy(pattern: str) -> str:
    if _LOOKAROUND.search(pattern):
        return (
            "look-ahead and look-behind are not available, because patterns run in linear time; match the "
            "surroundings too and read the wanted part with `group`, or use `mode: none` for what must not occur"
        )
    if _BACKREFERENCE.search(pattern):
        return "back-references are not available, because patterns run in linear time"
    return "the syntax is RE2's: https://github.com/google/re2/wiki/Syntax"
