"""A JSON object from a model: asked for by a schema, checked, and repaired a bounded number of times."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from evalwright.core.case import Json
from evalwright.models import jsonio
from evalwright.models.asking import ModelClient, Told

REPAIRS = 1
"""How often a reply that can't be used is sent back with what is wrong with it."""

_SHOWN = 200
_KEPT = 4_000

T = TypeVar("T")


class Unusable(ValueError):
    """A reply that can't be used; the message says why, for the model and for people."""


class NoReply(Exception):
    """There is no usable reply, also after the repair.

    Attributes:
        told: The replies that could not be used, for their cost.
    """

    def __init__(self, message: str, told: Sequence[Told]) -> None:
        super().__init__(message)
        self.told = tuple(told)


class Reply(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """A usable reply with how it came about.

    Attributes:
        value: What was read from it.
        told: The replies, the unusable ones before it included.
    """

    value: T
    told: tuple[Told, ...]

    @property
    def repaired(self) -> bool:
        """Whether an earlier reply had to be sent back."""
        return len(self.told) > 1


async def ask_json(
    client: ModelClient,
    messages: Sequence[Mapping[str, Json]],
    schema: Mapping[str, Json],
    read: Callable[[dict[str, Json]], T],
    services: Mapping[str, Any],
) -> Reply[T]:
    """Ask for a JSON object and read it.

    Args:
        client: Asks the model.
        messages: The conversation.
        schema: JSON Schema of the object.
        read: From the object to what is wanted; raises `Unusable` where it does not fit.
        services: `meter` and `replies`, as scorers have them; may be empty.

    Raises:
        NoReply: The reply can't be used, also after `REPAIRS` repairs, or the model refused.
        TargetError: A call failed for good.
    """
    told: list[Told] = []
    asked = list(messages)
    problem = ""
    for _ in range(REPAIRS + 1):
        told.append(await client.ask(asked, schema, services))
        try:
            return Reply(value=read(object_in(told[-1])), told=tuple(told))
        except Unusable as fault:
            problem = str(fault)
        asked = [*messages, *_repair(told[-1], problem)]
    raise NoReply(f"{problem}; the reply begins with {told[-1].text.strip()[:_SHOWN]!r}", told)


def object_in(told: Told) -> dict[str, Json]:
    """The JSON object a reply holds: alone, in a code block, or with words around it.

    Raises:
        Unusable: There is none.
    """
    if told.refusal and not told.text:
        raise Unusable(f"the model refused: {told.refusal[:_SHOWN]}")
    text = told.text.strip()
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        raise Unusable("there is no JSON object in it")
    try:
        found = jsonio.decode(text[start : end + 1].encode("utf-8", "replace"))
    except jsonio.BadJson as error:
        raise Unusable(f"its JSON can't be read: {error}") from None
    if not isinstance(found, dict):
        raise Unusable("it is no JSON object")
    return found


def text_field(found: Mapping[str, Json], name: str, *, most: int = 20_000) -> str:
    """A field that must be a text with something in it.

    Raises:
        Unusable: It is not.
    """
    value = found.get(name)
    if not isinstance(value, str) or not value.strip():
        raise Unusable(f"`{name}` must be a text")
    if len(value) > most:
        raise Unusable(f"`{name}` has more than {most:,} characters")
    return jsonio.clean_text(value.strip())


def object_schema(**properties: Mapping[str, Json]) -> dict[str, Json]:
    """The schema of an object that has exactly these properties."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(properties),
        "additionalProperties": False,
    }


def _repair(said: Told, problem: str) -> list[dict[str, Json]]:
    again = f"That reply can't be used: {problem}. Reply again with one JSON object of the form asked for."
    return [{"role": "assistant", "content": said.text[:_KEPT] or "(empty)"}, {"role": "user", "content": again}]
