"""Dotted paths into JSON values and records: `data.items.0.name`; a negative number counts from the end."""

from __future__ import annotations

from typing import Any

import msgspec


class _Missing:
    """The value of a path that leads nowhere; unlike None it can't be written in JSON."""

    def __repr__(self) -> str:
        return "MISSING"

    def __bool__(self) -> bool:
        return False


MISSING: Any = _Missing()


def lookup(value: Any, path: str) -> Any:
    """The value at a dotted path, or `MISSING`.

    A whole key that contains dots wins over its parts, so `{"a.b": 1}` answers `a.b`.

    Example:
        >>> lookup({"items": [{"name": "a"}, {"name": "b"}]}, "items.-1.name")
        'b'
    """
    if isinstance(value, dict) and path in value:
        return value[path]
    head, _, rest = path.partition(".")
    found = _step(value, head)
    return found if not rest or found is MISSING else lookup(found, rest)


def _step(value: Any, name: str) -> Any:
    if isinstance(value, dict):
        return value.get(name, MISSING)
    if isinstance(value, (list, tuple)):
        return _element(value, name)
    if isinstance(value, msgspec.Struct) and name in value.__struct_fields__:
        return getattr(value, name)
    return MISSING


def _element(values: list[Any] | tuple[Any, ...], name: str) -> Any:
    digits = name.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        return MISSING
    index = int(name)
    return values[index] if -len(values) <= index < len(values) else MISSING
