"""Functions added to CEL. Each gives null for an argument of a kind it does not take, and never raises.

Every one can be written as a function or as a method: `length(input)` and `input.length()`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from evalwright.core.case import Json

_TEXT_LIMIT = 1_000_000


def length(value: Json = None, *_: Json) -> int | None:
    """Characters of a text, items of a list or keys of a map; null for everything else."""
    return len(value) if isinstance(value, str | list | tuple | Mapping) else None


def words(value: Json = None, *_: Json) -> int | None:
    """Words of a text, separated by white space; null for everything else."""
    return len(value.split()) if isinstance(value, str) else None


def lower(value: Json = None, *_: Json) -> str | None:
    """A text in lower case, by Unicode's rules."""
    return value.lower() if isinstance(value, str) else None


def upper(value: Json = None, *_: Json) -> str | None:
    """A text in upper case, by Unicode's rules."""
    return value.upper() if isinstance(value, str) else None


def trim(value: Json = None, *_: Json) -> str | None:
    """A text without white space at its ends."""
    return value.strip() if isinstance(value, str) else None


def contains(whole: Json = None, part: Json = None, *_: Json) -> bool | None:
    """Whether a text contains a text, a list an item, or a map a key; null when the first is none of these."""
    if isinstance(whole, str):
        return part in whole if isinstance(part, str) else None
    if isinstance(whole, Mapping):
        return part in whole if isinstance(part, str) else None
    return part in whole if isinstance(whole, list | tuple) else None


def get(value: Json = None, path: Json = None, default: Json = None, *_: Json) -> Json:
    """What stands at a dotted path (`get(metadata, "user.tier", "free")`), or the default where nothing does."""
    if not isinstance(path, str):
        return default
    for part in path.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return default
        value = value[part]
    return value


FUNCTIONS: dict[str, Callable[..., Any]] = {
    function.__name__: function for function in (length, words, lower, upper, trim, contains, get)
}
"""By name, as expressions call them."""

STANDARD = frozenset(
    {
        *(
            "size",
            "contains",
            "startsWith",
            "endsWith",
            "matches",
            "has",
            "all",
            "exists",
            "exists_one",
            "map",
            "filter",
        ),
        *("int", "uint", "double", "string", "bytes", "bool", "timestamp", "duration", "type", "dyn"),
        *("getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfYear", "getDayOfWeek"),
        *("getHours", "getMinutes", "getSeconds", "getMilliseconds", "max", "min", "optional", "none", "of"),
    }
)
"""Functions and macros of CEL itself."""
