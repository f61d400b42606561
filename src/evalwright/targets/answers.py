"""From whatever a system gives back to an `Output`: texts, mappings of output fields, passages in their many shapes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import TargetError
from evalwright.core.media import KINDS, is_part
from evalwright.core.output import Output, Passage, Step, ToolCall, Usage
from evalwright.models import jsonio
from evalwright.models.chat import arguments, count

OUTPUT_FIELDS: tuple[str, ...] = Output.__struct_fields__
"""Names a mapping that stands for an output may have."""

_ID_NAMES = ("id", "document_id", "doc_id", "passage_id", "chunk_id", "source_id", "_id")
_TEXT_NAMES = ("text", "content", "passage", "page_content", "body", "chunk", "snippet")
_SCORE_NAMES = ("score", "relevance", "similarity", "relevance_score")


class BadAnswer(ValueError):
    """Part of an answer has the wrong type; the message names the part and what it is."""


def as_output(answer: Any, *, source: str) -> Output:
    """Turn what a system returned into an output.

    Args:
        answer: A text, a mapping of output fields, or an `Output`.
        source: Who returned it, for the message.

    Raises:
        TargetError: Of kind `wrong_type`, naming what came instead.
    """
    try:
        if isinstance(answer, str):
            return Output(text=jsonio.clean_text(answer))
        if isinstance(answer, Output):
            return _checked(answer)
        if isinstance(answer, Mapping):
            return output_of(answer)
    except BadAnswer as error:
        raise wrong_type(f"{source}: {error}") from None
    raise wrong_type(f"{source} returned {kind_of(answer)}; return a text, a mapping of output fields, or an Output")


def output_of(parts: Mapping[Any, Any]) -> Output:
    """An output from its fields, each in any of the shapes systems give them.

    Raises:
        BadAnswer: A field is unknown or of the wrong type.
    """
    unknown = [str(name) for name in parts if name not in _READERS]
    if unknown:
        known = ", ".join(f"`{name}`" for name in OUTPUT_FIELDS)
        raise BadAnswer(f"unknown output field `{unknown[0][:80]}`; there are {known} (put other values into `data`)")
    return Output(**{name: _READERS[name](value, name) for name, value in parts.items() if value is not None})


def wrong_type(message: str) -> TargetError:
    """The error of an answer that is of the wrong type; not tried again."""
    return TargetError(message[:2000], kind="wrong_type")


def kind_of(value: Any) -> str:
    """A value's type in words."""
    if value is None:
        return "nothing (None)"
    names = {
        bool: "true or false",
        str: "a text",
        int: "a number",
        float: "a number",
        list: "a list",
        dict: "an object",
    }
    return names.get(type(value), f"a value of type `{type(value).__name__}`")


def passages(value: Any, name: str = "contexts") -> tuple[Passage, ...]:
    """Retrieved contexts from a text, an object, or a list of either.

    Objects may call the id `id`, `document_id`, `doc_id` …, the text `text`, `content`, `page_content` …, and the
    score `score`, `relevance` …; what else they hold becomes the passage's metadata.

    Raises:
        BadAnswer: An item is neither.
    """
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(_passage(item, f"{name}[{index}]") for index, item in enumerate(items) if item is not None)


def _passage(item: Any, name: str) -> Passage:
    if isinstance(item, Passage):
        return item
    if isinstance(item, str):
        return Passage(text=jsonio.clean_text(item))
    if not isinstance(item, Mapping):
        raise BadAnswer(f"`{name}` is {kind_of(item)}, not a text or an object with `id`, `text`, `score`")
    rest = dict(item)
    extra = rest.pop("metadata", None)
    parts = {"id": _pop(rest, _ID_NAMES), "text": _pop(rest, _TEXT_NAMES), "score": _pop(rest, _SCORE_NAMES)}
    metadata = {**(extra if isinstance(extra, Mapping) else {}), **rest}
    return Passage(
        id=identifier(parts["id"], f"{name}.id") if parts["id"] is not None else "",
        text=_text(parts["text"], f"{name}.text") if parts["text"] is not None else "",
        score=_number(parts["score"], f"{name}.score") if parts["score"] is not None else None,
        metadata=_json(metadata, f"{name}.metadata"),
    )


def _pop(values: dict[Any, Any], names: tuple[str, ...]) -> Any:
    for name in names:
        if values.get(name) is not None:
            return values.pop(name)
    return None


def identifier(value: Any, name: str) -> str:
    """An id as text; whole numbers are written as such.

    Raises:
        BadAnswer: It is neither text nor number.
    """
    if isinstance(value, str):
        return jsonio.clean_text(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadAnswer(f"`{name}` is {kind_of(value)}, not an id")
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def tool_calls(value: Any, name: str = "tool_calls") -> tuple[ToolCall, ...]:
    """Tool calls from objects in our form, OpenAI's (`function`), or Anthropic's (`input`).

    Raises:
        BadAnswer: An item is not an object with a name.
    """
    items = value if isinstance(value, list | tuple) else [value]
    return tuple(_tool_call(item, f"{name}[{index}]") for index, item in enumerate(items))


def _tool_call(item: Any, name: str) -> ToolCall:
    if isinstance(item, ToolCall):
        return item
    if not isinstance(item, Mapping):
        raise BadAnswer(f"`{name}` is {kind_of(item)}, not an object with `name` and `arguments`")
    function = item.get("function")
    named = function if isinstance(function, Mapping) else item
    called = named.get("name") or (function if isinstance(function, str) else None) or named.get("tool")
    if not isinstance(called, str):
        raise BadAnswer(f"`{name}` has no `name`")
    given = next((named[key] for key in ("arguments", "args", "input", "parameters") if key in named), None)
    error = item.get("error")
    return ToolCall(
        name=jsonio.clean_text(called),
        arguments=_json(arguments(given), f"{name}.arguments"),
        id=identifier(item["id"], f"{name}.id") if item.get("id") is not None else "",
        result=_json(item.get("result"), f"{name}.result"),
        error=None if error is None else jsonio.clean_text(str(error)),
    )


def _citations(value: Any, name: str) -> tuple[str, ...]:
    items = value if isinstance(value, list | tuple) else [value]
    found = []
    for index, item in enumerate(items):
        cited = _pop(dict(item), _ID_NAMES) if isinstance(item, Mapping) else item
        found.append(identifier(cited, f"{name}[{index}]"))
    return tuple(found)


def _usage(value: Any, name: str) -> Usage:
    if isinstance(value, Usage):
        return value
    if not isinstance(value, Mapping):
        raise BadAnswer(f"`{name}` is {kind_of(value)}, not an object with `input_tokens` and `output_tokens`")
    details = value.get("prompt_tokens_details")
    cached = value.get("cached_tokens", details.get("cached_tokens") if isinstance(details, Mapping) else 0)
    return Usage(
        input_tokens=_tokens(value.get("input_tokens", value.get("prompt_tokens")), f"{name}.input_tokens"),
        output_tokens=_tokens(value.get("output_tokens", value.get("completion_tokens")), f"{name}.output_tokens"),
        cached_tokens=_tokens(cached, f"{name}.cached_tokens"),
        estimated=value.get("estimated") is True,
    )


def _tokens(value: Any, name: str) -> int:
    return count(_number(value, name)) if value is not None else 0


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str):
        raise BadAnswer(f"`{name}` is {kind_of(value)}, not a text")
    return jsonio.clean_text(value)


def _number(value: Any, name: str) -> float | None:
    if isinstance(value, bool):
        raise BadAnswer(f"`{name}` is {kind_of(value)}, not a number")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise BadAnswer(f"`{name}` is {kind_of(value)}, not a number") from None
    return number if math.isfinite(number) else None


def _json(value: Any, name: str) -> Json:
    try:
        return jsonio.clean_json(value)
    except jsonio.BadJson as error:
        raise BadAnswer(f"`{name}`: {error}") from None


def _object(value: Any, name: str) -> dict[str, Json]:
    if not isinstance(value, Mapping):
        raise BadAnswer(f"`{name}` is {kind_of(value)}, not an object")
    cleaned: dict[str, Json] = _json(value, name)
    return cleaned


def _parts(value: Any, name: str) -> tuple[dict[str, Json], ...]:
    items = value if isinstance(value, list | tuple) else [value]
    parts = tuple(_object(item, f"{name}[{index}]") for index, item in enumerate(items))
    for index, part in enumerate(parts):
        if not is_part(part) or isinstance(part.get("path"), str):
            kinds = ", ".join(KINDS)
            raise BadAnswer(
                f"`{name}[{index}]` is no media part: `type` ({kinds}) and `url` (a `data:` URI or address)"
            )
    return parts


def _messages(value: Any, name: str) -> tuple[dict[str, Json], ...]:
    if not isinstance(value, list | tuple):
        raise BadAnswer(f"`{name}` is {kind_of(value)}, not a list of messages")
    return tuple(_object(item, f"{name}[{index}]") for index, item in enumerate(value))


def _steps(value: Any, name: str) -> tuple[Step, ...]:
    try:
        return msgspec.convert(_json(value, name) or [], tuple[Step, ...])
    except msgspec.ValidationError as error:
        raise BadAnswer(f"`{name}`: {error}") from None


def _checked(output: Output) -> Output:
    """The output if it can be stored as it is, else one cleaned of what JSON can't hold."""
    try:
        msgspec.convert(msgspec.json.decode(jsonio.encode(output)), Output)
    except (msgspec.MsgspecError, TypeError, ValueError, RecursionError):
        return output_of({name: getattr(output, name) for name in OUTPUT_FIELDS if getattr(output, name) is not None})
    return output


_READERS: dict[str, Callable[[Any, str], Any]] = {
    "text": _text,
    "data": _json,
    "parts": _parts,
    "messages": _messages,
    "tool_calls": tool_calls,
    "contexts": passages,
    "citations": _citations,
    "usage": _usage,
    "cost": _number,
    "latency_s": _number,
    "first_token_s": _number,
    "model": _text,
    "finish_reason": _text,
    "steps": _steps,
    "metadata": _object,
}
