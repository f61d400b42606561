"""What each provider is sent, and how its answers, whole and streamed, are read."""

import json

import pytest

from evalwright.core.errors import TargetError
from evalwright.core.output import ToolCall, Usage
from evalwright.models import jsonio
from evalwright.models.anthropic import AnthropicMessages
from evalwright.models.chat import ChatRequest
from evalwright.models.dialects import DIALECTS
from evalwright.models.gemini import GeminiContent
from evalwright.models.openai import AzureChat, OpenAIChat
from evalwright.models.responses import OpenAIResponses

TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "Weather now", "parameters": {"type": "object"}},
}
SCHEMA = {"type": "object", "properties": {"score": {"type": "integer"}}}
TALK = (
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Weather in Rome?"}]},
    {
        "role": "assistant",
        "content": "",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city":"Rome"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
    {"role": "user", "content": "And now?"},
)
CALL = ToolCall(name="weather", arguments={"city": "Rome"}, id="c1")

OPENAI_BODY = {
    "id": "x1",
    "model": "gpt-4o-2024-08-06",
    "choices": [
        {
            "message": {
                "role": "assistant",
                "content": "Sunny",
                "tool_calls": [
                    {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Rome"}'}}
                ],
            },
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 20, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 8}},
}
RESPONSES_BODY = {
    "id": "x1",
    "model": "gpt-4o-2024-08-06",
    "status": "completed",
    "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Think."}]},
        {"type": "message", "content": [{"type": "output_text", "text": "Sunny"}]},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city": "Rome"}'},
    ],
    "usage": {"input_tokens": 20, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 8}},
}
ANTHROPIC_BODY = {
    "id": "x1",
    "type": "message",
    "model": "claude-sonnet-4-20250514",
    "content": [
        {"type": "thinking", "thinking": "Think."},
        {"type": "text", "text": "Sunny"},
        {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Rome"}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 8, "cache_creation_input_tokens": 2},
}
GEMINI_BODY = {
    "responseId": "x1",
    "modelVersion": "gemini-2.5-flash",
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "Think.", "thought": True},
                    {"text": "Sunny"},
                    {"functionCall": {"id": "c1", "name": "weather", "args": {"city": "Rome"}}},
                ],
            },
            "finishReason": "STOP",
        }
    ],
    "usageMetadata": {
        "promptTokenCount": 20,
        "candidatesTokenCount": 3,
        "thoughtsTokenCount": 2,
        "cachedContentTokenCount": 8,
    },
}
BODIES = [
    (OpenAIChat(), OPENAI_BODY),
    (AzureChat(), OPENAI_BODY),
    (OpenAIResponses(), RESPONSES_BODY),
    (AnthropicMessages(), ANTHROPIC_BODY),
    (GeminiContent(), GEMINI_BODY),
]


@pytest.mark.parametrize(("dialect", "body"), BODIES)
def test_an_answer_reads_the_same_in_every_dialect(dialect, body):
    reply = dialect.decode(body)
    assert reply.text == "Sunny"
    assert reply.tool_calls == (CALL,)
    assert reply.usage == Usage(input_tokens=20, output_tokens=5, cached_tokens=8)
    assert reply.id == "x1"
    assert reply.model in {"gpt-4o-2024-08-06", "claude-sonnet-4-20250514", "gemini-2.5-flash"}
    assert reply.finish_reason in {"tool_calls", "completed", "tool_use", "STOP"}


STREAMS = {
    "openai": (
        OpenAIChat(),
        [
            {"id": "x1", "model": "gpt-4o-2024-08-06", "choices": [{"delta": {"role": "assistant", "content": ""}}]},
            {"choices": [{"delta": {"content": "Sun"}}]},
            {"choices": [{"delta": {"content": "ny"}}]},
            {
                "choices": [
                    {
                        "delta": {
                            "tool_calls": [
                                {"index": 0, "id": "c1", "function": {"name": "weather", "arguments": '{"city": '}}
                            ]
                        }
                    }
                ]
            },
            {"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"arguments": '"Rome"}'}}]}}]},
            {"choices": [{"delta": {}, "finish_reason": "tool_calls"}]},
            {"choices": [], "usage": OPENAI_BODY["usage"]},
        ],
    ),
    "responses": (
        OpenAIResponses(),
        [
            {"type": "response.created", "response": {"status": "in_progress"}},
            {"type": "response.output_text.delta", "delta": "Sunny"},
            {"type": "response.completed", "response": RESPONSES_BODY},
        ],
    ),
    "anthropic": (
        AnthropicMessages(),
        [
            {
                "type": "message_start",
                "message": {
                    "id": "x1",
                    "model": "claude-sonnet-4-20250514",
                    "content": [],
                    "stop_reason": None,
                    "usage": {**ANTHROPIC_BODY["usage"], "output_tokens": 1},
                },
            },
            {"type": "ping"},
            {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
            {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Think."}},
            {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
            {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Sun"}},
            {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "ny"}},
            {"type": "content_block_stop", "index": 1},
            {
                "type": "content_block_start",
                "index": 2,
                "content_block": {"type": "tool_use", "id": "c1", "name": "weather", "input": {}},
            },
            {
                "type": "content_block_delta",
                "index": 2,
                "delta": {"type": "input_json_delta", "partial_json": '{"city":'},
            },
            {
                "type": "content_block_delta",
                "index": 2,
                "delta": {"type": "input_json_delta", "partial_json": ' "Rome"}'},
            },
            {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 5}},
            {"type": "message_stop"},
        ],
    ),
    "gemini": (
        GeminiContent(),
        [
            {"responseId": "x1", "candidates": [{"content": {"parts": [{"text": "Think.", "thought": True}]}}]},
            {"modelVersion": "gemini-2.5-flash", "candidates": [{"content": {"parts": [{"text": "Sun"}]}}]},
            {"candidates": [{"content": {"parts": [{"text": "ny"}]}}]},
            {
                "candidates": [{"content": {"parts": [GEMINI_BODY["candidates"][0]["content"]["parts"][2]]}}],
            },
            {
                "candidates": [{"content": {"parts": [{"text": ""}]}, "finishReason": "STOP"}],
                "usageMetadata": GEMINI_BODY["usageMetadata"],
            },
        ],
    ),
}


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_reads_like_the_whole_answer(name):
    dialect, events = STREAMS[name]
    reader = dialect.reader()
    spoke = [reader.feed(event) for event in events]
    assert any(spoke)
    assert not spoke[0] or name == "gemini"
    bodies = {
        "openai": OPENAI_BODY,
        "responses": RESPONSES_BODY,
        "anthropic": ANTHROPIC_BODY,
        "gemini": GEMINI_BODY,
    }
    whole = dialect.decode(bodies[name])
    assert reader.finish() == whole


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_is_cut_is_malformed(name):
    dialect, events = STREAMS[name]
    reader = dialect.reader()
    reader.feed(events[0])
    with pytest.raises(TargetError, match="ended before the answer did") as raised:
        reader.finish()
    assert raised.value.max_attempts == 2


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("event", [None, 7, "x", []])
def test_a_stream_event_that_is_no_object_is_malformed(name, event):
    with pytest.raises(TargetError, match="not a JSON object"):
        STREAMS[name][0].reader().feed(event)


@pytest.mark.parametrize("name", STREAMS)
def test_an_error_within_a_stream_is_raised(name):
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    with pytest.raises(TargetError, match="Overloaded") as raised:
        STREAMS[name][0].reader().feed(error)
    assert raised.value.retryable


@pytest.mark.parametrize("dialect", [make() for make in DIALECTS.values()])
@pytest.mark.parametrize(
    "body",
    [None, [], "text", 7, {}, {"choices": []}, {"choices": [1]}, {"content": 5}, {"output": None}, {"candidates": 0}],
)
def test_what_is_not_an_answer_is_malformed(dialect, body):
    with pytest.raises(TargetError) as raised:
        dialect.decode(body)
    assert (raised.value.kind, raised.value.max_attempts) == ("malformed", 2)


@pytest.mark.parametrize("content", [None, "", [], {}, 7, True, ["a", {"text": "b"}], {"type": "image"}, [[1]]])
def test_content_of_any_type_becomes_text(content):
    body = {"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}
    assert isinstance(OpenAIChat().decode(body).text, str)


@pytest.mark.parametrize("junk", [None, 7, "x", [], [7], {"function": 7}, [{"function": {"name": 7, "arguments": 7}}]])
def test_junk_beside_the_answer_is_survived(junk):
    openai = {"choices": [{"message": {"content": "ok", "tool_calls": junk}}], "usage": junk, "model": junk, "id": junk}
    anthropic = {"content": [{"type": "text", "text": "ok"}, junk], "usage": junk, "model": junk}
    gemini = {"candidates": [{"content": {"parts": [{"text": "ok"}, junk]}}], "usageMetadata": junk}
    responses = {"output": [{"type": "message", "content": [{"text": "ok"}, junk]}, junk], "usage": junk}
    pairs = (
        (OpenAIChat(), openai),
        (AnthropicMessages(), anthropic),
        (GeminiContent(), gemini),
        (OpenAIResponses(), responses),
    )
    for dialect, body in pairs:
        reply = dialect.decode(body)
        assert reply.text == "ok"
        jsonio.encode(reply)


def encoded(dialect, stream=False, schema=None, **params):
    request = ChatRequest(messages=TALK, params=params, json_schema=schema)
    return json.loads(jsonio.encode(dialect.encode("m-1", request, stream=stream)))


def test_openai_takes_everything_as_it_is():
    body = encoded(OpenAIChat(), stream=True, schema=SCHEMA, temperature=0, tools=[TOOL])
    assert body["messages"] == [dict(message) for message in TALK]
    assert (body["model"], body["temperature"], body["tools"]) == ("m-1", 0, [TOOL])
    assert body["response_format"]["json_schema"]["schema"] == SCHEMA
    assert body["stream_options"] == {"include_usage": True}


def test_azure_has_its_own_path_and_header():
    azure = AzureChat("2025-01-01")
    assert azure.path("dep", stream=False) == "/openai/deployments/dep/chat/completions?api-version=2025-01-01"
    assert azure.headers("${K}") == {"api-key": "${K}"}


def test_responses_take_items():
    body = encoded(OpenAIResponses(), schema=SCHEMA, max_tokens=9, tools=[TOOL], reasoning_effort="low")
    assert body["input"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "input_text", "text": "Weather in Rome?"}]},
        {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city":"Rome"}'},
        {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
        {"role": "user", "content": "And now?"},
    ]
    assert (body["max_output_tokens"], body["reasoning"], body["store"]) == (9, {"effort": "low"}, False)
    assert body["tools"][0]["name"] == "weather"
    assert body["text"]["format"]["schema"] == SCHEMA


def test_anthropic_takes_blocks():
    body = encoded(AnthropicMessages(), tools=[TOOL], tool_choice="required", stop="END", temperature=0)
    assert body["system"] == "Be brief."
    assert body["max_tokens"] == 4096
    assert body["messages"][1]["content"] == [
        {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Rome"}}
    ]
    assert body["messages"][2]["content"][0] == {"type": "tool_result", "tool_use_id": "c1", "content": "sunny"}
    assert body["tools"] == [{"name": "weather", "description": "Weather now", "input_schema": {"type": "object"}}]
    assert (body["tool_choice"], body["stop_sequences"]) == ({"type": "any"}, ["END"])


def test_anthropic_is_asked_for_a_schema_beside_other_output_settings():
    body = encoded(AnthropicMessages(), schema=SCHEMA, output_config={"effort": "low"})
    assert body["output_config"] == {"effort": "low", "format": {"type": "json_schema", "schema": SCHEMA}}


def test_gemini_takes_contents():
    body = encoded(
        GeminiContent(), schema=SCHEMA, max_tokens=9, temperature=0, stop=["END"], tools=[TOOL], tool_choice="none"
    )
    assert [turn["role"] for turn in body["contents"]] == ["user", "model", "user"]
    assert body["contents"][1]["parts"] == [{"functionCall": {"name": "weather", "args": {"city": "Rome"}}}]
    assert body["contents"][2]["parts"][0]["functionResponse"] == {"name": "weather", "response": {"result": "sunny"}}
    config = body["generationConfig"]
    assert (config["maxOutputTokens"], config["temperature"], config["stopSequences"]) == (9, 0, ["END"])
    assert config["responseJsonSchema"] == SCHEMA
    assert body["systemInstruction"]["parts"][0]["text"] == "Be brief."
    assert body["tools"][0]["functionDeclarations"][0]["name"] == "weather"


def test_gemini_names_a_blocked_prompt():
    with pytest.raises(TargetError, match="SAFETY") as raised:
        GeminiContent().decode({"promptFeedback": {"blockReason": "SAFETY"}})
    assert (raised.value.kind, raised.value.retryable) == ("refused", False)


def test_images_are_sent_in_each_providers_form():
    data = "data:image/png;base64,aGk="
    parts = [
        {"type": "image_url", "image_url": {"url": data}},
        {"type": "image_url", "image_url": {"url": "https://x/y.png"}},
    ]
    request = ChatRequest(messages=({"role": "user", "content": parts},))
    blocks = AnthropicMessages().encode("m", request, stream=False)["messages"][0]["content"]
    assert blocks[0]["source"] == {"type": "base64", "media_type": "image/png", "data": "aGk="}
    assert blocks[1]["source"] == {"type": "url", "url": "https://x/y.png"}
    sent = GeminiContent().encode("m", request, stream=False)["contents"][0]["parts"]
    assert sent == [
        {"inlineData": {"mimeType": "image/png", "data": "aGk="}},
        {"fileData": {"fileUri": "https://x/y.png"}},
    ]
    items = OpenAIResponses().encode("m", request, stream=False)["input"][0]["content"]
    assert items[0] == {"type": "input_image", "image_url": data}
