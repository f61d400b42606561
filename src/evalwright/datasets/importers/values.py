"""Small readers of values that other tools write in several ways."""

from __future__ import annotations

from evalwright.core.case import Json
from evalwright.core.identity import canonical_json
from evalwright.core.output import Passage, ToolCall, Usage

Object = dict[str, Json]


def as_dict(value: Json) -> Object:
    """The value when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: Json) -> list[Json]:
    """The value when it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: Json) -> str:
    """A text as it is, null as the empty text, anything else as JSON."""
    if isinstance(value, str):
        return value
    return "" if value is None else canonical_json(value).decode()


def first(row: Object, *names: str) -> Json:
    """The first of the named values that is there and not null."""
    return next((row[name] for name in names if row.get(name) is not None), None)


def number(value: Json) -> float | None:
    """A number, not true or false; None for anything else."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def message_text(content: Json) -> str:
    """The text of a chat message's content: a text, or parts of which the texts count."""
    if isinstance(content, list):
        parts = [
            as_dict(part).get("text") or as_dict(part).get("content") if isinstance(part, dict) else part
            for part in content
        ]
        return "".join(part for part in parts if isinstance(part, str))
    return as_text(content)


def tokens(row: Object) -> Usage | None:
    """Token counts under the names in use; None when there are none."""
    given = first(row, "input_tokens", "prompt_tokens", "promptTokens", "inputTokens", "prompt", "input")
    made = first(row, "output_tokens", "completion_tokens", "completionTokens", "outputTokens", "completion", "output")
    if number(given) is None and number(made) is None:
        return None
    cached = first(row, "cached_tokens", "input_tokens_cache_read", "cached")
    return Usage(
        input_tokens=int(number(given) or 0),
        output_tokens=int(number(made) or 0),
        cached_tokens=int(number(cached) or 0),
    )


def passages(value: Json) -> tuple[Passage, ...]:
    """Retrieved contexts: texts, or objects with a text."""
    return tuple(_passage(item) for item in as_list(value))


def _passage(item: Json) -> Passage:
    if not isinstance(item, dict):
        return Passage(text=as_text(item))
    name = first(item, "id", "document_id", "doc_id")
    return Passage(
        id="" if name is None else str(name),
        text=as_text(first(item, "text", "content", "page_content", "context")),
        score=number(item.get("score")),
    )


def tool_calls(value: Json) -> tuple[ToolCall, ...]:
    """Tool calls as DeepEval, OpenAI and Inspect write them."""
    return tuple(_tool_call(item) for item in as_list(value) if isinstance(item, dict))


def _tool_call(item: Object) -> ToolCall:
    function = item.get("function")
    inner = function if isinstance(function, dict) else item
    name = inner.get("name") or (function if isinstance(function, str) else None) or "?"
    arguments = first(inner, "arguments", "input_parameters", "inputParameters", "args")
    return ToolCall(name=str(name), arguments=arguments, id=str(item.get("id") or ""), result=item.get("output"))
