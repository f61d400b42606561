"""OpenAI's responses: `POST /responses`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from evalwright.core.case import Json
from evalwright.core.output import ToolCall
from evalwright.models.chat import ChatReply, ChatRequest, arguments, not_an_answer, text_or_none
from evalwright.models.failures import error_in_answer, malformed
from evalwright.models.media import answered, responses_part
from evalwright.models.openai import OpenAIEndpoint, usage_of

_RENAMED = {"max_tokens": "max_output_tokens", "max_completion_tokens": "max_output_tokens"}
_FINAL_EVENTS = {"response.completed", "response.incomplete", "response.failed"}
_PART_EVENTS = {
    "response.output_text.delta",
    "response.refusal.delta",
    "response.function_call_arguments.delta",
    "response.reasoning_summary_text.delta",
}


class OpenAIResponses(OpenAIEndpoint):
    """The dialect of OpenAI's responses endpoint."""

    def path(self, model: str, *, stream: bool) -> str:  # noqa: ARG002
        """The same for every model."""
        return "/responses"

    def encode(self, model: str, request: ChatRequest, *, stream: bool) -> dict[str, Json]:
        """Messages as `input` items; tools and schema in this endpoint's flat form; nothing is stored there."""
        params = {_RENAMED.get(name, name): value for name, value in request.params.items()}
        items = [item for message in request.messages for item in _items(message)]
        body: dict[str, Json] = {"model": model, "input": items, "store": False, **params}
        if isinstance(params.get("tools"), list):
            body["tools"] = [_flat_tool(tool) for tool in params["tools"]]
        if "reasoning_effort" in body:
            body["reasoning"] = {"effort": body.pop("reasoning_effort")}
        if request.json_schema is not None:
            body["text"] = {
                "format": {"type": "json_schema", "name": "answer", "schema": request.json_schema, "strict": True}
            }
        if stream:
            body["stream"] = True
        return body

    def decode(self, body: Json) -> ChatReply:
        """Read the output items."""
        if not isinstance(body, dict):
            raise not_an_answer("the answer is not a JSON object", body)
        if body.get("error"):
            raise error_in_answer(body["error"])
        items = body.get("output")
        if not isinstance(items, list):
            raise not_an_answer("the answer has no `output`", body)
        known = [item for item in items if isinstance(item, dict)]
        details = body.get("incomplete_details")
        reason = text_or_none(details.get("reason")) if isinstance(details, dict) else None
        return ChatReply(
            text=_content(known, "message", "text"),
            tool_calls=tuple(_call(item) for item in known if item.get("type") == "function_call"),
            parts=tuple(_pictures(known)),
            usage=usage_of(body.get("usage")),
            model=text_or_none(body.get("model")),
            finish_reason=reason or text_or_none(body.get("status")),
            refusal=_content(known, "message", "refusal") or None,
            reasoning=_summary(known) or None,
            id=text_or_none(body.get("id")) or "",
        )

    def reader(self) -> ResponsesStream:
        """A fresh reader."""
        return ResponsesStream(self)


class ResponsesStream:
    """Takes the whole response from the stream's last event; the deltas only tell when the first token came."""

    def __init__(self, dialect: OpenAIResponses) -> None:
        self._dialect = dialect
        self._whole: Json = None

    def feed(self, event: Json) -> bool:
        """Take one event."""
        if not isinstance(event, dict):
            raise malformed("a stream event is not a JSON object")
        kind = event.get("type")
        if kind == "error":
            raise error_in_answer(event.get("error") or event)
        if kind in _FINAL_EVENTS:
            self._whole = event.get("response")
        return kind in _PART_EVENTS and bool(event.get("delta"))

    def finish(self) -> ChatReply:
        """The whole answer."""
        if self._whole is None:
            raise malformed("the stream ended before the answer did")
        return self._dialect.decode(self._whole)


def _items(message: Mapping[str, Json]) -> list[dict[str, Json]]:
    """A chat message as one or several input items."""
    if message.get("role") == "tool":
        return [
            {
                "type": "function_call_output",
                "call_id": message.get("tool_call_id"),
                "output": message.get("content"),
            }
        ]
    calls = message.get("tool_calls")
    items: list[dict[str, Json]] = []
    if message.get("content"):
        items.append({"role": message.get("role"), "content": _parts(message)})
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            items.append({"type": "function_call", "call_id": call.get("id"), **function})
    return items


def _parts(message: Mapping[str, Json]) -> Json:
    """Content parts by this endpoint's names."""
    content = message.get("content")
    if not isinstance(content, list):
        return content
    kind = "output_text" if message.get("role") == "assistant" else "input_text"
    return [_part(part, kind) for part in content]


def _part(part: Json, kind: str) -> Json:
    if not isinstance(part, dict):
        return part
    if part.get("type") == "text":
        return {**part, "type": kind}
    image = part.get("image_url")
    if part.get("type") == "image_url" and isinstance(image, dict):
        return {"type": "input_image", "image_url": image.get("url")}
    return responses_part(part)


def _flat_tool(tool: Json) -> Json:
    function = tool.get("function") if isinstance(tool, dict) else None
    return {"type": "function", **function} if isinstance(function, dict) else tool


def _content(items: list[dict[str, Json]], kind: str, name: str) -> str:
    parts = [part for item in items if item.get("type") == kind for part in _list(item.get("content"))]
    return "".join(part[name] for part in parts if isinstance(part, dict) and isinstance(part.get(name), str))


def _summary(items: list[dict[str, Json]]) -> str:
    parts = [part for item in items if item.get("type") == "reasoning" for part in _list(item.get("summary"))]
    return "\n".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def _call(item: Mapping[str, Json]) -> ToolCall:
    return ToolCall(
        name=text_or_none(item.get("name")) or "",
        arguments=arguments(item.get("arguments")),
        id=text_or_none(item.get("call_id")) or "",
    )


def _pictures(items: list[dict[str, Json]]) -> Iterator[dict[str, Json]]:
    for item in items:
        if item.get("type") == "image_generation_call" and (made := answered("image", item.get("result"))) is not None:
            yield made


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
