"""Google's Gemini: `POST /models/{model}:generateContent`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from evalwright.core.case import Json
from evalwright.core.errors import TargetError
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
from evalwright.models.media import answered, gemini_part

_RENAMED = {
    "max_tokens": "maxOutputTokens",
    "max_completion_tokens": "maxOutputTokens",
    "top_p": "topP",
    "top_k": "topK",
    "n": "candidateCount",
    "presence_penalty": "presencePenalty",
    "frequency_penalty": "frequencyPenalty",
    "temperature": "temperature",
    "seed": "seed",
}
_MODES = {"auto": "AUTO", "required": "ANY", "none": "NONE"}


class GeminiContent:
    """The dialect of Gemini's generateContent endpoint."""

    key_variable = "GEMINI_API_KEY"
    base_url = "https://generativelanguage.googleapis.com/v1beta"

    def headers(self, key: str) -> dict[str, str]:
        """Google's own header."""
        return {"x-goog-api-key": key}

    def fixed_headers(self) -> dict[str, str]:
        """None."""
        return {}

    def path(self, model: str, *, stream: bool) -> str:
        """The model's path; streams come as server-sent events."""
        name = quote(model.removeprefix("models/"), safe="-._~")
        return f"/models/{name}:streamGenerateContent?alt=sse" if stream else f"/models/{name}:generateContent"

    def encode(self, model: str, request: ChatRequest, *, stream: bool) -> dict[str, Json]:  # noqa: ARG002
        """Messages as contents, known parameters into `generationConfig`, others as they are."""
        config: dict[str, Json] = {}
        body: dict[str, Json] = {"contents": _contents(request)}
        for name, value in request.params.items():
            if name in _RENAMED:
                config[_RENAMED[name]] = value
            elif name == "stop":
                config["stopSequences"] = value if isinstance(value, list) else [value]
            elif name == "tools":
                body["tools"] = _tools(value)
            elif name == "tool_choice":
                body["toolConfig"] = {"functionCallingConfig": _calling(value)}
            elif name == "generationConfig" and isinstance(value, dict):
                config |= value
            else:
                body[name] = value
        system = "\n\n".join(content_text(m.get("content")) for m in request.messages if _is_system(m))
        if system:
            body["systemInstruction"] = {"parts": [{"text": system}]}
        if request.json_schema is not None:
            config |= {"responseMimeType": "application/json", "responseJsonSchema": request.json_schema}
        return {**body, "generationConfig": config} if config else body

    def decode(self, body: Json) -> ChatReply:
        """Read the first candidate."""
        if not isinstance(body, dict):
            raise not_an_answer("the answer is not a JSON object", body)
        if body.get("error"):
            raise error_in_answer(body["error"])
        candidate = _candidate(body)
        if candidate is None:
            raise _blocked(body) or not_an_answer("the answer has no `candidates`", body)
        parts = _parts(candidate)
        return ChatReply(
            text=_text(parts, thought=False),
            tool_calls=_calls(parts),
            parts=tuple(_media(parts)),
            usage=_usage(body.get("usageMetadata")),
            model=text_or_none(body.get("modelVersion")),
            finish_reason=text_or_none(candidate.get("finishReason")),
            reasoning=_text(parts, thought=True) or None,
            id=text_or_none(body.get("responseId")) or "",
        )

    def reader(self) -> GeminiStream:
        """A fresh reader."""
        return GeminiStream(self)


class GeminiStream:
    """Puts the parts of all events together, then reads them like an answer that came whole."""

    def __init__(self, dialect: GeminiContent) -> None:
        self._dialect = dialect
        self._last: dict[str, Json] = {}
        self._parts: list[dict[str, Json]] = []
        self._finish: Json = None

    def feed(self, event: Json) -> bool:
        """Take one event."""
        if not isinstance(event, dict):
            raise malformed("a stream event is not a JSON object")
        if event.get("error"):
            raise error_in_answer(event["error"])
        self._last |= event
        candidate = _candidate(event)
        if candidate is None:
            return False
        self._finish = candidate.get("finishReason") or self._finish
        parts = _parts(candidate)
        self._parts += parts
        return any(part.get("text") or "functionCall" in part for part in parts)

    def finish(self) -> ChatReply:
        """The whole answer; a stream without a finish reason was cut off."""
        if self._finish is None:
            raise _blocked(self._last) or malformed("the stream ended before the answer did")
        candidate = {"content": {"parts": self._parts}, "finishReason": self._finish}
        return self._dialect.decode({**self._last, "candidates": [candidate]})


def _is_system(message: Mapping[str, Json]) -> bool:
    return message.get("role") in {"system", "developer"}


def _contents(request: ChatRequest) -> list[dict[str, Json]]:
    names: dict[Json, Json] = {}
    contents: list[dict[str, Json]] = []
    for message in request.messages:
        if _is_system(message):
            continue
        role = "model" if message.get("role") == "assistant" else "user"
        parts = _result(message, names) if message.get("role") == "tool" else _sent(message, names)
        if contents and contents[-1]["role"] == role:
            contents[-1]["parts"].extend(parts)
        else:
            contents.append({"role": role, "parts": parts})
    return contents


def _sent(message: Mapping[str, Json], names: dict[Json, Json]) -> list[dict[str, Json]]:
    content = message.get("content")
    texts = content if isinstance(content, list) else [content] if content else []
    parts = [_sent_part(part) for part in texts]
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else []:
        function = call.get("function") if isinstance(call, dict) else None
        if isinstance(function, dict):
            names[call.get("id")] = function.get("name")
            parts.append({"functionCall": {"name": function.get("name"), "args": arguments(function.get("arguments"))}})
    return parts


def _sent_part(part: Json) -> dict[str, Json]:
    image = part.get("image_url") if isinstance(part, dict) else None
    url = image.get("url") if isinstance(image, dict) else None
    if isinstance(url, str) and url.startswith("data:"):
        kind, _, data = url[5:].partition(";base64,")
        return {"inlineData": {"mimeType": kind, "data": data}}
    if isinstance(url, str):
        return {"fileData": {"fileUri": url}}
    if (media := gemini_part(part)) is not None:
        return media
    return {"text": content_text([part])}


def _result(message: Mapping[str, Json], names: Mapping[Json, Json]) -> list[dict[str, Json]]:
    name = message.get("name") or names.get(message.get("tool_call_id"), "")
    return [{"functionResponse": {"name": name, "response": {"result": message.get("content")}}}]


def _calling(choice: Json) -> dict[str, Json]:
    """`auto`, `required`, `none`, or one function that must be called."""
    function = choice.get("function") if isinstance(choice, dict) else None
    if isinstance(function, dict):
        return {"mode": "ANY", "allowedFunctionNames": [function.get("name")]}
    return {"mode": _MODES.get(str(choice), "AUTO")}


def _tools(tools: Json) -> Json:
    if not isinstance(tools, list):
        return tools
    functions = [
        tool["function"] for tool in tools if isinstance(tool, dict) and isinstance(tool.get("function"), dict)
    ]
    others = [tool for tool in tools if not (isinstance(tool, dict) and isinstance(tool.get("function"), dict))]
    return [*([{"functionDeclarations": functions}] if functions else []), *others]


def _candidate(body: Mapping[str, Json]) -> dict[str, Json] | None:
    candidates = body.get("candidates")
    first = candidates[0] if isinstance(candidates, list) and candidates else None
    return first if isinstance(first, dict) else None


def _blocked(body: Mapping[str, Json]) -> TargetError | None:
    feedback = body.get("promptFeedback")
    reason = feedback.get("blockReason") if isinstance(feedback, dict) else None
    return TargetError(f"the prompt was blocked: {str(reason)[:200]}", kind="refused") if reason else None


def _parts(candidate: Mapping[str, Json]) -> list[dict[str, Json]]:
    content = candidate.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    return [part for part in parts if isinstance(part, dict)] if isinstance(parts, list) else []


def _text(parts: list[dict[str, Json]], *, thought: bool) -> str:
    kept = [part for part in parts if (part.get("thought") is True) is thought]
    return "".join(part["text"] for part in kept if isinstance(part.get("text"), str))


def _calls(parts: list[dict[str, Json]]) -> tuple[ToolCall, ...]:
    calls = [part["functionCall"] for part in parts if isinstance(part.get("functionCall"), dict)]
    return tuple(
        ToolCall(
            name=text_or_none(call.get("name")) or "", arguments=call.get("args"), id=text_or_none(call.get("id")) or ""
        )
        for call in calls
    )


def _media(parts: list[dict[str, Json]]) -> Iterator[dict[str, Json]]:
    """Pictures and sound of an answer."""
    for part in parts:
        inline = part.get("inlineData")
        if isinstance(inline, dict):
            kind = str(inline.get("mimeType") or "").partition("/")[0]
            made = answered(
                kind if kind in {"image", "audio"} else "document", inline.get("data"), inline.get("mimeType")
            )
            if made is not None:
                yield made


def _usage(value: Json) -> Usage | None:
    """Tokens; what the model thought counts as output."""
    if not isinstance(value, dict):
        return None
    return Usage(
        input_tokens=count(value.get("promptTokenCount")),
        output_tokens=count(value.get("candidatesTokenCount")) + count(value.get("thoughtsTokenCount")),
        cached_tokens=count(value.get("cachedContentTokenCount")),
    )
