"""Every provider's dialect through the engine against a service on loopback: faults, waits, tools, tokens, streams."""

import json

import pytest

from evalwright.core.case import Case
from evalwright.core.component import BindContext
from evalwright.core.run import RunStatus
from evalwright.engine import run
from evalwright.models.chat import ChatRequest
from evalwright.models.gemini import GeminiContent
from evalwright.targets.chat import ChatTargetOptions
from tests.loopback import chat_server
from tests.unit.engine.kit import job, records
from tests.unit.models.test_dialects import (
    ANTHROPIC_BODY,
    CALL,
    GEMINI_BODY,
    OPENAI_BODY,
    RESPONSES_BODY,
    STREAMS,
    TALK,
    TOOL,
)

BODIES = {
    "openai": OPENAI_BODY,
    "azure": OPENAI_BODY,
    "responses": RESPONSES_BODY,
    "anthropic": ANTHROPIC_BODY,
    "gemini": GEMINI_BODY,
}
BUSY = {
    "openai": (429, {"error": {"message": "Limit reached", "code": "rate_limit_exceeded"}}, {"retry-after-ms": "20"}),
    "azure": (429, {"error": {"code": "429", "message": "Requests have exceeded the limit"}}, {"Retry-After": "0"}),
    "responses": (429, {"error": {"message": "Rate limit reached"}}, {"retry-after-ms": "20"}),
    "anthropic": (429, {"type": "error", "error": {"type": "rate_limit_error"}}, {"retry-after": "0"}),
    "gemini": (429, {"error": {"code": 429, "status": "RESOURCE_EXHAUSTED", "message": "Resource exhausted",
                               "details": [{"@type": "RetryInfo", "retryDelay": "0.02s"}]}}, {}),
}  # fmt: skip
PATHS = {
    "openai": "/v1/chat/completions",
    "azure": "/v1/openai/deployments/m/chat/completions?api-version=2024-10-21",
    "responses": "/v1/responses",
    "anthropic": "/v1/v1/messages",
    "gemini": "/v1/models/m:generateContent",
}
KEYS = {"openai": "authorization", "azure": "api-key", "responses": "authorization", "anthropic": "x-api-key",
        "gemini": "x-goog-api-key"}  # fmt: skip


def asked(tmp_path, server, dialect, **options):
    target = ChatTargetOptions(
        model="m",
        base_url=server.url,
        dialect=dialect,
        api_key="${THE_KEY}",
        params={"tools": [TOOL], "max_tokens": 64},
        price={"input": 1_000_000, "output": 2_000_000, "cached": 0},
        **options,
    ).bind(BindContext(base_dir=tmp_path, environment={"THE_KEY": "k-1"}))
    outcome = run(job(tmp_path, target, [Case(id="a", input=list(TALK))], settings={"retries": 3, "timeout_s": 10}))
    assert outcome.status is RunStatus.COMPLETE
    (record,) = records(tmp_path).values()
    return record


@pytest.mark.parametrize("dialect", BODIES)
def test_a_busy_provider_is_asked_again_and_its_answer_is_read(tmp_path, dialect):
    answers = iter([BUSY[dialect], (503, {"error": {"message": "try later"}}, {"Retry-After": "0"}), BODIES[dialect]])
    with chat_server(lambda body: next(answers)) as server:
        record = asked(tmp_path, server, dialect)
    assert [attempt.kind for attempt in record.attempts] == ["rate_limit", "server"]
    assert record.calls == 3
    assert record.output.text == "Sunny"
    assert record.output.tool_calls == (CALL,)
    usage = record.output.usage
    assert (usage.input_tokens, usage.output_tokens, usage.cached_tokens) == (20, 5, 8)
    assert record.output.cost == pytest.approx(12 + 10)  # cached tokens at their own price
    path, headers = server.requests[-1]
    assert path == PATHS[dialect]
    assert headers[KEYS[dialect]].endswith("k-1")
    assert "k-1" not in json.dumps(server.seen)
    assert server.seen[0] == server.seen[2]


@pytest.mark.parametrize("dialect", STREAMS)
def test_streams_of_each_provider_and_one_that_breaks_off(tmp_path, dialect):
    _, events = STREAMS[dialect]

    def sse(some):
        return "".join(f"event: x\ndata: {json.dumps(event)}\n\n" for event in some).encode()

    answers = iter([sse(events[:2]), sse(events)])
    with chat_server(lambda body: next(answers)) as server:
        record = asked(tmp_path, server, dialect, stream=True)
    assert [attempt.kind for attempt in record.attempts] == ["malformed"]
    assert record.output.text == "Sunny"
    assert record.output.tool_calls == (CALL,)
    assert record.output.usage.total_tokens == 25
    assert record.output.first_token_s is not None
    path, _ = server.requests[-1]
    assert server.seen[-1].get("stream") is True or "streamGenerateContent?alt=sse" in path


def test_an_overload_in_the_middle_of_a_stream_is_tried_again(tmp_path):
    _, events = STREAMS["anthropic"]
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    streams = [[*events[:5], overloaded], events]
    answers = iter(["".join(f"data: {json.dumps(event)}\n\n" for event in some).encode() for some in streams])
    with chat_server(lambda body: next(answers)) as server:
        record = asked(tmp_path, server, "anthropic", stream=True)
    assert [attempt.kind for attempt in record.attempts] == ["server"]
    assert record.output.text == "Sunny"


REFUSALS = {
    "openai": (400, {"error": {"message": "maximum context length is 8 tokens", "code": "context_length_exceeded"}}),
    "azure": (400, {"error": {"code": "content_filter", "message": "filtered",
                              "innererror": {"code": "ResponsibleAIPolicyViolation"}}}),
    "responses": (400, {"error": {"message": "Your input exceeds the context window of this model"}}),
    "anthropic": (400, {"type": "error", "error": {"type": "invalid_request_error",
                                                   "message": "prompt is too long: 9 tokens > 8 maximum"}}),
    "gemini": (400, {"error": {"code": 400, "status": "INVALID_ARGUMENT",
                               "message": "The input token count (9) exceeds the maximum number of tokens (8)."}}),
}  # fmt: skip


@pytest.mark.parametrize("dialect", REFUSALS)
def test_what_can_not_succeed_is_asked_once(tmp_path, dialect):
    with chat_server(lambda body: REFUSALS[dialect]) as server:
        record = asked(tmp_path, server, dialect)
    assert record.error.kind == ("refused" if dialect == "azure" else "context_length")
    assert record.error.status == 400
    assert len(server.seen) == 1


def test_one_tool_can_be_demanded_of_gemini():
    request = ChatRequest(messages=TALK, params={"tool_choice": {"type": "function", "function": {"name": "weather"}}})
    body = GeminiContent().encode("m", request, stream=False)
    wanted = {"mode": "ANY", "allowedFunctionNames": ["weather"]}
    assert body["toolConfig"]["functionCallingConfig"] == wanted
