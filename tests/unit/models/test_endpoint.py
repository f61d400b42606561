import asyncio
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.core.errors import ConfigError, TargetError
from evalwright.core.target import LimitKey
from evalwright.models.anthropic import AnthropicMessages
from evalwright.models.chat import ChatClient, ChatRequest
from evalwright.models.endpoint import EndpointSpec, ModelEndpoint
from evalwright.models.openai import AzureChat, OpenAIChat
from evalwright.models.sse import events
from evalwright.models.transport import Limits
from tests.unit.models.service import answering, serving, streaming

ANSWER = {"model": "m-1", "choices": [{"message": {"content": "hello"}, "finish_reason": "stop"}]}
HELLO = ChatRequest(messages=({"role": "user", "content": "hi"},))


def chunk(content=None, finish=None):
    return f"data: {json.dumps({'choices': [{'delta': {'content': content}, 'finish_reason': finish}]})}\n\n"


def endpoint(url, environment=None, **options):
    spec = EndpointSpec(model="m-1", dialect=options.pop("dialect", OpenAIChat()), base_url=url, **options)
    return ModelEndpoint(spec, environment or {})


async def complete(url, environment=None, request=HELLO, **options):
    client = endpoint(url, environment, **options)
    try:
        return await client.complete(request)
    finally:
        await client.close()


async def test_a_request_and_its_answer():
    async with serving(answering(ANSWER)) as service:
        reply = await complete(f"{service.url}/v1/", {"OPENAI_API_KEY": "k-1"})
    assert (reply.text, reply.model) == ("hello", "m-1")
    assert reply.latency_s > 0
    assert service.seen[0].path == "/v1/chat/completions"
    assert service.seen[0].headers["Authorization"] == "Bearer k-1"
    assert service.seen[0].json == {"model": "m-1", "messages": [{"role": "user", "content": "hi"}]}


def test_it_is_a_chat_client_with_a_limit_of_its_own():
    client = endpoint("http://127.0.0.1:8000/v1")
    assert isinstance(client, ChatClient)
    assert client.limit_key == LimitKey("http://127.0.0.1:8000", "m-1")


async def test_the_usual_key_is_not_sent_in_clear_to_another_machine():
    client = endpoint("http://models.internal:8000/v1", {"OPENAI_API_KEY": "k-1"})
    assert client.transport.secrets == ()
    asked_for = endpoint("http://models.internal:8000/v1", {"OPENAI_API_KEY": "k-1"}, api_key="${OPENAI_API_KEY}")
    assert len(asked_for.transport.secrets) == 1


def test_a_literal_key_is_refused_under_its_own_name():
    with pytest.raises(ConfigError) as raised:
        endpoint("http://127.0.0.1:1/v1", api_key="sk-abcdefghijklmnop1234")
    assert raised.value.problems[0].key == "api_key"


def test_a_dialect_without_an_address_needs_one():
    with pytest.raises(ConfigError, match="needs an address"):
        endpoint("", dialect=AzureChat())


async def test_provider_headers_and_the_idempotency_key():
    async with serving(answering({"content": [{"type": "text", "text": "hi"}]})) as service:
        request = ChatRequest(messages=HELLO.messages, idempotency_key="unit-7")
        options = {"dialect": AnthropicMessages(), "idempotency_header": "Idempotency-Key", "headers": {"X-Team": "a"}}
        await complete(service.url, {"ANTHROPIC_API_KEY": "k-2"}, request, **options)
    headers = service.seen[0].headers
    assert (headers["x-api-key"], headers["anthropic-version"]) == ("k-2", "2023-06-01")
    assert (headers["Idempotency-Key"], headers["X-Team"]) == ("unit-7", "a")


async def test_rate_headers_are_reported():
    seen = []
    async with serving(answering(ANSWER, headers={"x-ratelimit-remaining-requests": "7"})) as service:
        await complete(service.url, request=ChatRequest(messages=HELLO.messages, observe=seen.append))
    assert [info.requests_remaining for info in seen] == [7]


async def test_rate_headers_of_a_refusal_are_reported_too():
    seen = []
    headers = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-limit-requests": "60"}
    async with serving(answering({}, 429, headers)) as service:
        for stream in (False, True):
            with pytest.raises(TargetError):
                await complete(
                    service.url, None, ChatRequest(messages=HELLO.messages, observe=seen.append), stream=stream
                )
    assert [(info.requests_limit, info.requests_remaining) for info in seen] == [(60, 0)] * 2


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"choices": [{"mess', b"\xff"])
async def test_a_broken_body_is_malformed(body):
    async with serving(answering(body)) as service:
        with pytest.raises(TargetError) as raised:
            await complete(service.url)
    assert (raised.value.kind, raised.value.max_attempts) == ("malformed", 2)


async def test_a_stream_gives_text_and_time_to_first_token():
    events = [": ping\n\n", chunk(""), chunk("hel"), chunk("lo"), chunk(finish="stop"), "data: [DONE]\n\n"]
    async with serving(streaming(events, gap_s=0.02)) as service:
        client = endpoint(service.url, stream=True)
        replies = [await client.complete(HELLO) for _ in range(2)]
        await client.close()
    for reply in replies:
        assert reply.text == "hello"
        assert 0.05 < reply.first_token_s < reply.latency_s
    assert service.seen[0].json["stream"] is True


async def test_a_late_first_token_is_a_timeout_but_a_long_answer_is_not():
    slow = [chunk("a"), chunk("b", "stop")]
    async with serving(streaming(slow, gap_s=0.2)) as service:
        with pytest.raises(TargetError, match="no first token within") as raised:
            await complete(service.url, stream=True, limits=Limits(first_token_s=0.05))
        assert (raised.value.kind, raised.value.retryable) == ("timeout", True)
        reply = await complete(service.url, stream=True, limits=Limits(first_token_s=0.35))
        assert reply.text == "ab"


async def test_a_stream_longer_than_allowed_times_out():
    async with serving(streaming([chunk("a")] * 10, gap_s=0.1)) as service:
        with pytest.raises(TargetError) as raised:
            await complete(service.url, stream=True, limits=Limits(total_s=0.25))
    assert raised.value.kind == "timeout"


@pytest.mark.parametrize("cut", [True, False])
async def test_a_stream_that_breaks_off_may_be_tried_again(cut):
    async with serving(streaming([chunk("a")], cut=cut)) as service:
        with pytest.raises(TargetError) as raised:
            await complete(service.url, stream=True)
    assert raised.value.retryable
    assert raised.value.kind in {"connection", "malformed"}


async def test_an_endless_stream_is_bounded():
    async with serving(streaming([chunk("x" * 1000)] * 200)) as service:
        with pytest.raises(TargetError) as raised:
            await complete(service.url, stream=True, limits=Limits(max_body=50_000))
    assert raised.value.kind == "too_large"


async def test_an_error_status_of_a_stream_is_read():
    async with serving(answering({"error": {"message": "no such model"}}, 404)) as service:
        with pytest.raises(TargetError, match="no such model") as raised:
            await complete(service.url, stream=True)
    assert raised.value.kind == "not_found"


async def test_a_cancelled_request_is_cancelled():
    async with serving(streaming([chunk("a")] * 5, gap_s=0.5)) as service:
        client = endpoint(service.url, stream=True)
        task = asyncio.create_task(client.complete(HELLO))
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await client.close()


@given(st.lists(st.integers(1, 7)), st.booleans())
def test_events_do_not_depend_on_how_the_bytes_are_cut(cuts, crlf):
    text = 'event: x\ndata: {"a": 1}\n\n: comment\n\ndata: two\ndata: lines\n\ndata: é\n\ndata: last'
    data = text.replace("\n", "\r\n").encode() if crlf else text.encode()

    async def chunks():
        at = 0
        for size in [*cuts, len(data)]:
            yield data[at : at + size]
            at += size

    async def collect():
        return [event async for event in events(chunks())]

    assert asyncio.run(collect()) == [b'{"a": 1}', b"two\nlines", "é".encode(), b"last"]
