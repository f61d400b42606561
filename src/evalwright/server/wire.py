"""Records on the wire: msgspec structs become pydantic models, so that answers are checked and described.

A route says `response_model=model_of(Estimate)` and returns the struct itself. Answers too large to be checked row by
row are returned as `JsonAnswer(struct)`, with the model named for the description only.
"""

from __future__ import annotations

import enum
import types
import typing
from functools import cache
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from fastapi import Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, create_model

T = TypeVar("T")

MAX_PAGE = 500


class Wire(BaseModel):
    """Base of what is sent; takes its values from the attributes of records."""

    model_config = ConfigDict(from_attributes=True)


class Body(BaseModel):
    """Base of what is received; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", str_max_length=1_000_000)


class Page(Wire, Generic[T]):
    """A page of a list.

    Attributes:
        items: Rows of this page.
        total: Rows in all; None when they were not counted.
        next: `cursor` of the next page; None on the last.
    """

    items: list[T]
    total: int | None = None
    next: str | None = None


PageSize = Annotated[int, Query(alias="limit", ge=1, le=MAX_PAGE, description="Rows of a page.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next` of the page before.")]


class JsonAnswer(Response):
    """JSON written by msgspec, not checked again; numbers that are none (NaN) become null."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of the answer."""
        return msgspec.json.encode(plain(content))


def plain(value: Any) -> Any:
    """A pydantic model, or lists and mappings that hold some, as what msgspec can write."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


_making: list[type[msgspec.Struct]] = []
"""Structs whose models are being made: one that holds itself is described as anything inside itself."""


@cache
def model_of(struct: type[msgspec.Struct], name: str | None = None) -> type[Wire]:
    """The pydantic model of a msgspec struct, with those of the structs it holds.

    Args:
        struct: The struct.
        name: Name in the description; the struct's when not given.

    Example:
        >>> from evalwright.store.catalog import Alias
        >>> model_of(Alias).model_validate(Alias(name="baseline", run_id="r1")).run_id
        'r1'
    """
    hints = typing.get_type_hints(struct, include_extras=False)
    fields: dict[str, Any] = {}
    _making.append(struct)
    for field in msgspec.structs.fields(struct):
        kind = _wired(hints[field.name])
        if field.default_factory is not msgspec.NODEFAULT:
            default: Any = field.default_factory()
        else:
            default = ... if field.default is msgspec.NODEFAULT else field.default
        fields[field.name] = (kind, _sendable(default))
    _making.pop()
    doc = (struct.__doc__ or "").split("\n\n")[0]
    made = create_model(name or struct.__name__, __base__=Wire, __doc__=doc, **fields)
    return typing.cast("type[Wire]", made)


def _sendable(default: Any) -> Any:
    return msgspec.to_builtins(default) if isinstance(default, msgspec.Struct) else default


def _wired(kind: Any) -> Any:
    """A type with every struct in it replaced by its model."""
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return Any if kind in _making else model_of(kind)
    origin, parts = typing.get_origin(kind), typing.get_args(kind)
    if origin is None or origin is typing.Literal:
        return _open(kind)
    if origin is typing.ClassVar:
        return kind
    wired = tuple(_wired(part) if part is not Ellipsis else part for part in parts)
    if origin in {typing.Union, types.UnionType}:
        return typing.Union[wired]  # noqa: UP007  # built at run time
    if isinstance(origin, type) and origin.__module__ == "collections.abc":
        return {"Mapping": dict, "Sequence": list}.get(origin.__name__, list)[wired]  # type: ignore[index]
    return origin[wired]


def _open(kind: Any) -> Any:
    """Types pydantic does not know stand as anything."""
    known = kind is None or kind is Any or kind in {str, int, float, bool, bytes, type(None), dict, list, tuple}
    return kind if known or (isinstance(kind, type) and issubclass(kind, enum.Enum)) or _literal(kind) else Any


def _literal(kind: Any) -> bool:
    return typing.get_origin(kind) is typing.Literal
