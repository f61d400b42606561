"""OpenAI's chat completions, spoken by OpenAI, Azure, vLLM, Ollama, LiteLLM's proxy and every gateway."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
from evalwright.models.media import answered, openai_part


class OpenAIEndpoint:
    """What all of OpenAI's endpoints share: address and key."""

    key_variable = "OPENAI_API_KEY"
    base_url = "https://api.openai.com/v1"

    def headers(self, key: str) -> dict[str, str]:
        """Bearer authorisation."""
        return {"Authorization": f"Bearer {key}"}

    def fixed_headers(self) -> dict[str, str]:
        """None."""
        return {}


class OpenAIChat(OpenAIEndpoint):
    """`POST /chat/completions`."""

    def path(self, model: str, *, stream: bool) -> str:  # noqa: ARG002
        """The same for every model."""
        return "/chat/completions"

    def encode(self, model: str, request: ChatRequest, *, stream: bool) -> dict[str, Json]:
        """The messages and parameters as they are, but for media; a schema as `response_format`."""
        messages = [_sent(message) for message in request.messages]
        body: dict[str, Json] = {"model": model, "messages": messages, **request.params}
        if request.json_schema is not None:
            schema = {"name": "answer", "schema": request.json_schema, "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": schema}
        if stream:
            body["stream"] = True
            body.setdefault("stream_options", {"include_usage": True})
        return body

    def decode(self, body: Json) -> ChatReply:
        """Read the first choice."""
        if not isinstance(body, dict):
            raise not_an_answer("the answer is not a JSON object", body)
        choices = body.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            if body.get("error"):
                raise error_in_answer(body["error"])
            raise not_an_answer("the answer has no `choices`", body)
        choice = choices[0]
        message = choice.get("message")
        if not isinstance(message, dict):
            raise not_an_answer("the answer has no `choices[0].message`", body)
        return ChatReply(
            text=content_text(message.get("content")) or _transcript(message),
            tool_calls=_tool_calls(message),
            parts=tuple(_answered(message)),
            usage=usage_of(body.get("usage")),
            model=text_or_none(body.get("model")),
            finish_reason=text_or_none(choice.get("finish_reason")),
            refusal=text_or_none(message.get("refusal")),
            reasoning=text_or_none(message.get("reasoning_content") or message.get("reasoning")),
            id=text_or_none(body.get("id")) or "",
        )

    def reader(self) -> OpenAIStream:
        """A fresh reader."""
        return OpenAIStream()


class AzureChat(OpenAIChat):
    """Azure OpenAI: `POST /openai/deployments/{deployment}/chat/completions`, the deployment given as the model."""

    key_variable = "AZURE_OPENAI_API_KEY"
    base_url = ""

    def __init__(self, api_version: str = "2024-10-21") -> None:
        self.api_version = api_version

    def headers(self, key: str) -> dict[str, str]:
        """Azure's own header."""
        return {"api-key": key}

    def path(self, model: str, *, stream: bool) -> str:  # noqa: ARG002
        """The deployment's path with the API version."""
        return f"/openai/deployments/{model}/chat/completions?api-version={self.api_version}"


class OpenAIStream:
    """Puts the `chat.completion.chunk` events of one answer together."""

    def __init__(self) -> None:
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._calls: dict[int, dict[str, str]] = {}
        self._reply = ChatReply()
        self._refusal: list[str] = []

    def feed(self, event: Json) -> bool:
        """Take one chunk."""
        if not isinstance(event, dict):
            raise malformed("a stream event is not a JSON object")
        if event.get("error"):
            raise error_in_answer(event["error"])
        reply = self._reply
        reply.model = text_or_none(event.get("model")) or reply.model
        reply.id = text_or_none(event.get("id")) or reply.id
        reply.usage = usage_of(event.get("usage")) or reply.usage
        choices = event.get("choices")
        if not isinstance(choices, list) or not choices or not isinstance(choices[0], dict):
            return False
        reply.finish_reason = text_or_none(choices[0].get("finish_reason")) or reply.finish_reason
        delta = choices[0].get("delta")
        return self._take(delta) if isinstance(delta, dict) else False

    def _take(self, delta: Mapping[str, Json]) -> bool:
        text = content_text(delta.get("content"))
        reasoning = text_or_none(delta.get("reasoning_content") or delta.get("reasoning")) or ""
        refusal = text_or_none(delta.get("refusal")) or ""
        self._text.append(text)
        self._reasoning.append(reasoning)
        self._refusal.append(refusal)
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else []:
            if isinstance(call, dict):
                self._take_call(call)
        return bool(text or reasoning or refusal or calls)

    def _take_call(self, part: Mapping[str, Json]) -> None:
        function = part.get("function")
        known = self._calls.setdefault(count(part.get("index")), {"id": "", "name": "", "arguments": ""})
        known["id"] = text_or_none(part.get("id")) or known["id"]
        if isinstance(function, dict):
            known["name"] += text_or_none(function.get("name")) or ""
            known["arguments"] += text_or_none(function.get("arguments")) or ""

    def finish(self) -> ChatReply:
        """The whole answer; a stream without a finish reason was cut off."""
        reply = self._reply
        if reply.finish_reason is None:
            raise malformed("the stream ended before the answer did")
        reply.text = "".join(self._text)
        reply.reasoning = "".join(self._reasoning) or None
        reply.refusal = "".join(self._refusal) or None
        reply.tool_calls = tuple(
            ToolCall(name=call["name"], arguments=arguments(call["arguments"]), id=call["id"])
            for _, call in sorted(self._calls.items())
        )
        return reply


def _sent(message: Mapping[str, Json]) -> Mapping[str, Json]:
    """A message with its media in OpenAI's form; the message itself when it has none."""
    content = message.get("content")
    return {**message, "content": [openai_part(part) for part in content]} if isinstance(content, list) else message


def _transcript(message: Mapping[str, Json]) -> str:
    audio = message.get("audio")
    return (text_or_none(audio.get("transcript")) or "") if isinstance(audio, dict) else ""


def _answered(message: Mapping[str, Json]) -> Iterator[dict[str, Json]]:
    """Sound (`audio`) and pictures (`images`, or parts of the content) of an answer."""
    audio = message.get("audio")
    if isinstance(audio, dict) and (sound := answered("audio", audio.get("data"))) is not None:
        yield sound
    images, content = message.get("images"), message.get("content")
    for part in [*(images if isinstance(images, list) else []), *(content if isinstance(content, list) else [])]:
        image = part.get("image_url") if isinstance(part, dict) else None
        url = image.get("url") if isinstance(image, dict) else image
        if (picture := answered("image", url)) is not None:
            yield picture


def usage_of(value: Json) -> Usage | None:
    """Tokens from OpenAI's `usage`, of chat, responses or embeddings."""
    if not isinstance(value, dict):
        return None
    details = value.get("prompt_tokens_details") or value.get("input_tokens_details")
    return Usage(
        input_tokens=count(value.get("prompt_tokens", value.get("input_tokens"))),
        output_tokens=count(value.get("completion_tokens", value.get("output_tokens"))),
        cached_tokens=count(details.get("cached_tokens")) if isinstance(details, dict) else 0,
    )


def _tool_calls(message: Mapping[str, Json]) -> tuple[ToolCall, ...]:
    calls = message.get("tool_calls")
    if not isinstance(calls, list):
        return ()
    return tuple(_tool_call(call) for call in calls if isinstance(call, dict))


def _tool_call(call: Mapping[str, Json]) -> ToolCall:
    function = call.get("function")
    named = function if isinstance(function, dict) else call
    return ToolCall(
        name=text_or_none(named.get("name")) or "",
        arguments=arguments(named.get("arguments")),
        id=text_or_none(call.get("id")) or "",
    )
