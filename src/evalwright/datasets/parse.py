"""Strict JSON: what many parsers let pass in silence is named here."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from evalwright.core.case import Json
from evalwright.datasets.rows import MAX_DEPTH, RowError

HALF_PAIR = "holds half a surrogate pair (\\ud800 to \\udfff), which is no character"

_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]")


def parse_json(data: bytes) -> Json:
    """One JSON value from UTF-8 bytes.

    Raises:
        RowError: No UTF-8, no JSON (with the column), NaN or an infinity, a key twice in one object, nested too
            deeply, a number no computer keeps.
    """
    text = decode_utf8(data)
    if text.count("[") + text.count("{") > MAX_DEPTH:
        _check_depth(text)
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as error:
        raise RowError(f"no JSON: {error.msg[0].lower()}{error.msg[1:]} at {_place(error)}") from None
    except RecursionError:
        raise RowError(f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise RowError("holds a whole number with more than 4,000 digits") from None


def decode_utf8(data: bytes) -> str:
    """Text from UTF-8 bytes.

    Raises:
        RowError: They are something else; the message names the byte and its place.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise RowError(f"no UTF-8: byte 0x{data[error.start]:02x} at position {error.start + 1}") from None


def check_text(value: Json) -> None:
    """Refuse texts that can't be written as UTF-8.

    Raises:
        RowError: A text, or a key, holds half a surrogate pair.
    """
    if isinstance(value, str):
        if _LONE_SURROGATE.search(value):
            raise RowError(HALF_PAIR)
    elif isinstance(value, dict):
        for key, item in value.items():
            check_text(key)
            check_text(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            check_text(item)


def _place(error: json.JSONDecodeError) -> str:
    return f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}, column {error.colno}"


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise RowError(f"the key {twice!r} stands twice in one object")
    return found


def _constant(name: str) -> Json:
    raise RowError(f"{name} is no JSON value; leave the field out or write null")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise RowError(f"the number {text[:40]} is too large")
    return number


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant, parse_float=_float)


def _check_depth(text: str) -> None:
    """Count brackets outside of strings."""
    depth, inside, escaped = 0, False, False
    for character in text:
        if escaped:
            escaped = False
        elif inside:
            escaped = character == "\\"
            inside = character != '"'
        elif character == '"':
            inside = True
        elif character in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise RowError(f"nested deeper than {MAX_DEPTH} levels")
        elif character in "]}":
            depth -= 1
