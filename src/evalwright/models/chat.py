"""What is asked of a chat model and what comes back, the same for every provider."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import TargetError
from evalwright.core.output import ToolCall, Usage
from evalwright.core.target import RateInfo
from evalwright.models import jsonio


def ignore_rates(_: RateInfo) -> None:
    """Drop a rate hint."""


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True):
    """One question to a chat model.

    Attributes:
        messages: The conversation in OpenAI's form: `{"role", "content"}` and, where used, `tool_calls`,
            `tool_call_id`; `content` is a text or a list of parts.
        params: Parameters by OpenAI's names (`temperature`, `max_tokens`, `top_p`, `stop`, `seed`, `tools`, …); each
            dialect renames the ones its provider calls differently and passes the rest as they are.
        json_schema: JSON Schema the answer must follow, in the provider's own way of asking for it.
        idempotency_key: Same for every attempt at the same unit of work; empty for none.
        observe: Where to report rate-limit headers seen.
    """

    messages: Sequence[Mapping[str, Json]]
    params: Mapping[str, Json] = {}
    json_schema: Mapping[str, Json] | None = None
    idempotency_key: str = ""
    observe: Callable[[RateInfo], None] = ignore_rates


class ChatReply(msgspec.Struct, kw_only=True):
    """One answer of a chat model.

    Attributes:
        text: The answer's text; empty when there is none (tool calls only).
        tool_calls: Tools the model wants called, in order, arguments decoded.
        parts: Pictures and sound in the answer (`core.media`).
        usage: Tokens as the provider counted them, cached ones included in `input_tokens`; None when it did not say.
        model: The model as the provider named it in its answer.
        finish_reason: Why the model stopped, as the provider says it.
        refusal: The provider's separate refusal text, where there is one.
        reasoning: The model's reasoning, where the provider shows it.
        latency_s: Seconds from sending to the last byte.
        first_token_s: Seconds to the first token of a streamed answer.
        id: The provider's id of the answer.
    """

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    parts: tuple[dict[str, Json], ...] = ()
    usage: Usage | None = None
    model: str | None = None
    finish_reason: str | None = None
    refusal: str | None = None
    reasoning: str | None = None
    latency_s: float = 0.0
    first_token_s: float | None = None
    id: str = ""


@runtime_checkable
class ChatClient(Protocol):
    """Anything that answers chat requests; `open` and `close` bracket its use in one event loop."""

    async def open(self) -> None:
        """Make ready."""
        ...

    async def close(self) -> None:
        """Release connections; safe to call twice."""
        ...

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Answer one request.

        Raises:
            TargetError: The attempt failed; its fields say whether another may succeed.
        """
        ...


class StreamReader(Protocol):
    """Puts a streamed answer together, event by event."""

    def feed(self, event: Json) -> bool:
        """Take one decoded event; true when it carried a part of the answer.

        Raises:
            TargetError: The event is the provider's report of an error.
        """
        ...

    def finish(self) -> ChatReply:
        """The whole answer.

        Raises:
            TargetError: The stream ended before the answer did.
        """
        ...


class Dialect(Protocol):
    """How one provider's JSON is written and read; no I/O."""

    @property
    def key_variable(self) -> str:
        """Environment variable that usually holds the key."""
        ...

    @property
    def base_url(self) -> str:
        """The provider's own address; empty when there is none."""
        ...

    def headers(self, key: str) -> dict[str, str]:
        """Headers that carry the key; `key` may still hold a `${…}` reference."""
        ...

    def fixed_headers(self) -> dict[str, str]:
        """Headers every request needs beside the key."""
        ...

    def path(self, model: str, *, stream: bool) -> str:
        """Path below the base URL, query included."""
        ...

    def encode(self, model: str, request: ChatRequest, *, stream: bool) -> dict[str, Json]:
        """The request's JSON body."""
        ...

    def decode(self, body: Json) -> ChatReply:
        """Read an answer's JSON body.

        Raises:
            TargetError: It is not an answer (malformed), or the provider's report of an error.
        """
        ...

    def reader(self) -> StreamReader:
        """A fresh reader of one streamed answer."""
        ...


def content_text(content: Json) -> str:
    """The text of a message's content, whatever its JSON type.

    Texts stay; lists are the concatenation of their text parts; None is empty; anything else is shown as JSON.
    """
    if isinstance(content, str):
        return content
    if content is None:
        return ""
    if isinstance(content, list):
        return "".join(_part_text(part) for part in content)
    if isinstance(content, Mapping):
        return _part_text(content)
    return jsonio.encode(content).decode()


def _part_text(part: Json) -> str:
    if isinstance(part, str):
        return part
    if isinstance(part, Mapping):
        text = part.get("text")
        if isinstance(text, str):
            return text
        if isinstance(text, Mapping) and isinstance(text.get("value"), str):
            return str(text["value"])
        if "type" in part and "text" not in part:
            return ""
    return jsonio.encode(part).decode()


def arguments(value: Json) -> Json:
    """A tool call's arguments: decoded when they come as JSON text, the text itself when it is not JSON."""
    if not isinstance(value, str):
        return value
    if not value.strip():
        return {}
    try:
        return jsonio.decode(value.encode("utf-8", "replace"))
    except jsonio.BadJson:
        return value


def count(value: Json) -> int:
    """A token count from JSON: whole and not negative, 0 for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return 0
    return int(min(max(value, 0), 1 << 53))


def text_or_none(value: Json) -> str | None:
    """The value if it is a text, else None."""
    return value if isinstance(value, str) else None


def not_an_answer(what: str, body: Json) -> TargetError:
    """A decoded body that lacks what makes it an answer."""
    from evalwright.models.failures import malformed

    return malformed(what, jsonio.encode(body)[:400])
