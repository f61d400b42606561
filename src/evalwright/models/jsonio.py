"""JSON as the world sends it: decoded whatever its faults, bounded, and always fit to be stored."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from evalwright.core.case import Json

_decode = msgspec.json.Decoder().decode
_encode: Callable[[Any], bytes] = msgspec.json.Encoder().encode
_MAX_DEPTH = 200


class BadJson(ValueError):
    """The bytes are not JSON; the message says where."""


def encode(value: Any) -> bytes:
    """A JSON value as UTF-8 bytes; lone surrogates become U+FFFD.

    Raises:
        BadJson: Something in it has no JSON form.
    """
    try:
        return _encode(value)
    except (UnicodeEncodeError, TypeError, RecursionError):
        return _encode(clean_json(value))


def decode(data: bytes) -> Json:
    """Decode JSON; also what msgspec refuses but services do send: NaN (becomes None), a BOM, lone surrogates.

    Raises:
        BadJson: It is not JSON, not UTF-8, or nested more than 200 levels deep.
    """
    try:
        return _decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _decode_leniently(data)


def _decode_leniently(data: bytes) -> Json:
    try:
        text = data.decode("utf-8-sig")
        return clean_json(json.loads(text, parse_constant=lambda _: None))
    except UnicodeDecodeError as error:
        raise BadJson(f"not UTF-8 at byte {error.start}") from None
    except RecursionError:
        raise BadJson("nested too deep") from None
    except ValueError as error:
        raise BadJson(str(error)) from None


def clean_text(text: str) -> str:
    """The text with lone surrogates, which UTF-8 can't hold, replaced by U+FFFD."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clean_json(value: Any, *, depth: int = 0) -> Json:
    """A copy that can be stored as JSON: clean text, no NaN or infinity (None instead), string keys.

    Args:
        value: JSON-like value; tuples and sets become lists, numbers of other libraries plain ones (`item()`),
            records of msgspec, dataclasses, dates, UUIDs and the like what msgspec makes of them.
        depth: Level of nesting.

    Raises:
        BadJson: Something in it has no JSON form, or it is nested more than 200 levels deep.
    """
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return clean_text(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if depth > _MAX_DEPTH:
        raise BadJson("nested too deep")
    return _clean_container(value, depth + 1)


def _clean_container(value: Any, depth: int) -> Json:
    if isinstance(value, Mapping):
        return {_key(key): clean_json(item, depth=depth) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [clean_json(item, depth=depth) for item in value]
    item_method = getattr(value, "item", None)
    if callable(item_method) and getattr(value, "ndim", None) == 0:
        return clean_json(item_method(), depth=depth)
    try:
        return clean_json(msgspec.to_builtins(value), depth=depth)
    except (TypeError, ValueError, RecursionError):
        raise BadJson(f"`{type(value).__name__}` has no JSON form") from None


def _key(key: Any) -> str:
    if isinstance(key, str):
        return clean_text(key)
    if isinstance(key, int | float):
        return str(key)
    raise BadJson(f"a key of type `{type(key).__name__}` has no JSON form")
