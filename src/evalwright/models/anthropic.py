"""Anthropic's messages: `POST /v1/messages`."""

from __future__ import annotations

from collections.abc import Mapping

from evalwright.core.case import Json
from evalwright.core.output import ToolCall, Usage
from evalwright.models.chat import (
    ChatReply,
    ChatRequest,
    arguments,
    content_text,
    count,
    not_an_answer,
    text_or_none,
)
from evalwright.models.failures import error_in_answer, malformed
from evalwright.models.media import anthropic_part

_MAX_TOKENS = 4096


class AnthropicMessages:
    """The dialect of Anthropic's messages endpoint.

    The base URL is given without `/v1`. Anthropic needs `max_tokens`: 4,096 are asked for when the parameters name
    none.

    Args:
        api_version: Sent as `anthropic-version`.
    """

    key_variable = "ANTHROPIC_API_KEY"
    base_url = "https://api.anthropic.com"

    def __init__(self, api_version: str = "2023-06-01") -> None:
        self.api_version = api_version

    def headers(self, key: str) -> dict[str, str]:
        """Anthropic's own header."""
        return {"x-api-key": key}

    def fixed_headers(self) -> dict[str, str]:
        """The API version."""
        return {"anthropic-version": self.api_version}

    def path(self, model: str, *, stream: bool) -> str:  # noqa: ARG002
        """The same for every model."""
        return "/v1/messages"

    def encode(self, model: str, request: ChatRequest, *, stream: bool) -> dict[str, Json]:
        """System messages apart, tool calls and results as content blocks, parameters by Anthropic's names."""
        params = dict(request.params)
        limit = params.pop("max_completion_tokens", None) or params.pop("max_tokens", None) or _MAX_TOKENS
        body: dict[str, Json] = {"model": model, "max_tokens": limit, "messages": _messages(request)}
        system = "\n\n".join(content_text(m.get("content")) for m in request.messages if _is_system(m))
        if system:
            body["system"] = system
        stop = params.pop("stop", None)
        if stop is not None:
            body["stop_sequences"] = stop if isinstance(stop, list) else [stop]
        if isinstance(params.get("tools"), list):
            params["tools"] = [_tool(tool) for tool in params["tools"]]
        if "tool_choice" in params:
            params["tool_choice"] = _tool_choice(params["tool_choice"])
        body |= params
        if request.json_schema is not None:
            asked = {"type": "json_schema", "schema": request.json_schema}
            body["output_config"] = {**body.get("output_config", {}), "format": asked}
        if stream:
            body["stream"] = True
        return body

    def decode(self, body: Json) -> ChatReply:
        """Read the content blocks."""
        if not isinstance(body, dict):
            raise not_an_answer("the answer is not a JSON object", body)
        if body.get("type") == "error" or (body.get("error") and "content" not in body):
            raise error_in_answer(body.get("error"))
        content = body.get("content")
        if not isinstance(content, list):
            raise not_an_answer("the answer has no `content`", body)
        blocks = [block for block in content if isinstance(block, dict)]
        calls = tuple(_call(block) for block in blocks if block.get("type") == "tool_use")
        return ChatReply(
            text=_joined(blocks, "text"),
            tool_calls=calls,
            usage=_usage(body.get("usage")),
            model=text_or_none(body.get("model")),
            finish_reason=text_or_none(body.get("stop_reason")),
            reasoning=_joined(blocks, "thinking") or None,
            id=text_or_none(body.get("id")) or "",
        )

    def reader(self) -> AnthropicStream:
        """A fresh reader."""
        return AnthropicStream(self)


class AnthropicStream:
    """Puts the message together from its events, then reads it like one that came whole."""

    def __init__(self, dialect: AnthropicMessages) -> None:
        self._dialect = dialect
        self._message: dict[str, Json] = {}
        self._blocks: dict[int, dict[str, Json]] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}
        self._usage: dict[str, Json] = {}

    def feed(self, event: Json) -> bool:
        """Take one event."""
        if not isinstance(event, dict):
            raise malformed("a stream event is not a JSON object")
        kind = event.get("type")
        if kind == "error":
            raise error_in_answer(event.get("error"))
        if kind == "message_start" and isinstance(event.get("message"), dict):
            self._message = dict(event["message"])
            self._count(self._message.get("usage"))
        elif kind == "content_block_start" and isinstance(event.get("content_block"), dict):
            self._blocks[count(event.get("index"))] = dict(event["content_block"])
        elif kind == "content_block_delta" and isinstance(event.get("delta"), dict):
            return self._take(count(event.get("index")), event["delta"])
        elif kind == "message_delta":
            self._count(event.get("usage"))
            delta = event.get("delta")
            self._message |= delta if isinstance(delta, dict) else {}
        return False

    def finish(self) -> ChatReply:
        """The whole answer; a stream without a stop reason was cut off."""
        if self._message.get("stop_reason") is None:
            raise malformed("the stream ended before the answer did")
        for (index, name), pieces in self._pieces.items():
            self._blocks.setdefault(index, {})[name] = "".join(pieces)
        blocks = [block for _, block in sorted(self._blocks.items())]
        return self._dialect.decode({**self._message, "content": blocks, "usage": self._usage})

    def _take(self, index: int, delta: Mapping[str, Json]) -> bool:
        for given, name in (("text", "text"), ("partial_json", "input"), ("thinking", "thinking")):
            piece = delta.get(given)
            if isinstance(piece, str):
                self._pieces.setdefault((index, name), []).append(piece)
                return bool(piece)
        return False

    def _count(self, usage: Json) -> None:
        self._usage |= {name: n for name, n in usage.items() if n is not None} if isinstance(usage, dict) else {}


def _is_system(message: Mapping[str, Json]) -> bool:
    return message.get("role") in {"system", "developer"}


def _messages(request: ChatRequest) -> list[dict[str, Json]]:
    """Conversation turns; results of tools called together become one user turn."""
    turns: list[dict[str, Json]] = []
    for message in request.messages:
        if _is_system(message):
            continue
        if message.get("role") == "tool":
            result = {
                "type": "tool_result",
                "tool_use_id": message.get("tool_call_id"),
                "content": message.get("content"),
            }
            if turns and turns[-1].get("role") == "user" and isinstance(turns[-1]["content"], list):
                turns[-1]["content"].append(result)
            else:
                turns.append({"role": "user", "content": [result]})
        else:
            turns.append({"role": message.get("role"), "content": _blocks(message)})
    return turns


def _blocks(message: Mapping[str, Json]) -> Json:
    content = message.get("content")
    calls = message.get("tool_calls")
    parts = [_block(part) for part in content] if isinstance(content, list) else content
    if not isinstance(calls, list) or not calls:
        return parts
    blocks = parts if isinstance(parts, list) else [{"type": "text", "text": parts}] if parts else []
    return [*blocks, *(_tool_use(call) for call in calls if isinstance(call, dict))]


def _block(part: Json) -> Json:
    """A content part in Anthropic's form: images given by address or as data URL."""
    image = part.get("image_url") if isinstance(part, dict) else None
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str):
        return anthropic_part(part)
    if not url.startswith("data:"):
        return {"type": "image", "source": {"type": "url", "url": url}}
    kind, _, data = url[5:].partition(";base64,")
    return {"type": "image", "source": {"type": "base64", "media_type": kind, "data": data}}


def _tool_use(call: Mapping[str, Json]) -> dict[str, Json]:
    function = call.get("function")
    named = function if isinstance(function, dict) else call
    return {
        "type": "tool_use",
        "id": call.get("id"),
        "name": named.get("name"),
        "input": arguments(named.get("arguments")),
    }


def _tool(tool: Json) -> Json:
    function = tool.get("function") if isinstance(tool, dict) else None
    if not isinstance(function, dict):
        return tool
    described = {"description": function["description"]} if "description" in function else {}
    return {
        "name": function.get("name"),
        **described,
        "input_schema": function.get("parameters") or {"type": "object", "properties": {}},
    }


def _tool_choice(choice: Json) -> Json:
    named = {"auto": {"type": "auto"}, "required": {"type": "any"}, "none": {"type": "none"}}
    if isinstance(choice, str):
        return named.get(choice, choice)
    function = choice.get("function") if isinstance(choice, dict) else None
    return {"type": "tool", "name": function.get("name")} if isinstance(function, dict) else choice


def _call(block: Mapping[str, Json]) -> ToolCall:
    return ToolCall(
        name=text_or_none(block.get("name")) or "",
        arguments=arguments(block.get("input")),
        id=text_or_none(block.get("id")) or "",
    )


def _joined(blocks: list[dict[str, Json]], kind: str) -> str:
    return "".join(block[kind] for block in blocks if block.get("type") == kind and isinstance(block.get(kind), str))


def _usage(value: Json) -> Usage | None:
    """Tokens; Anthropic counts cached input apart, here it is part of the input."""
    if not isinstance(value, dict):
        return None
    cached = count(value.get("cache_read_input_tokens"))
    return Usage(
        input_tokens=count(value.get("input_tokens")) + cached + count(value.get("cache_creation_input_tokens")),
        output_tokens=count(value.get("output_tokens")),
        cached_tokens=cached,
    )
