import asyncio
import base64

import pytest
from aiohttp import web
from pydantic import ValidationError

from evalwright.core.errors import ConfigError
from evalwright.core.output import Passage, ToolCall, Usage
from evalwright.core.target import LimitKey
from evalwright.targets.http import HttpTargetOptions
from tests.unit.models.service import answering, raw, serving
from tests.unit.targets.kit import answer, context, failure

REPLY = {
    "answer": "Within 30 days.",
    "sources": [{"doc": "a1", "body": {"text": "Refunds"}, "rank": 0.9}, {"doc": "a2", "body": {"text": "Terms"}}],
    "citations": [{"id": "a1"}, {"id": "a2"}],
    "calls": [{"name": "lookup", "args": {"q": 1}}],
    "meta": {"tokens": {"in": 12, "out": 3}, "version": "v2"},
    "seconds": 0.25,
}
RESPONSE = {
    "text": "$.answer",
    "contexts": {"path": "$.sources[*]", "id": "doc", "text": "body.text", "score": "rank"},
    "citations": "$.citations[*].id",
    "tool_calls": "$.calls",
    "usage": {"input_tokens": "$.meta.tokens.in", "output_tokens": "$.meta.tokens.out"},
    "metadata": {"version": "$.meta.version"},
    "latency_s": "$.seconds",
    "data": "$.meta",
}
TEXT = {"response": {"text": "$.answer"}}


def http(url, environment=None, **options):
    return HttpTargetOptions.model_validate({"url": url, **options}).bind(context(".", **(environment or {})))


async def asked(input_value="hi", path="/answer", **options):
    """The request a case becomes."""
    parts = options.pop("call", {})
    async with serving(answering({"text": "ok"})) as service:
        await answer(http(service.url + path, **options), input_value, **parts)
    return service.seen[0]


async def test_request_template_and_jsonpath_response():
    async with serving(answering(REPLY)) as service:
        target = http(
            f"{service.url}/answer",
            request={"question": "{{ input.question }}", "locale": "{{ input.locale }}", "top": "{{ input.top }}"},
            response=RESPONSE,
            timeout="30s",
            rate_limit="300/min",
        )
        output = await answer(target, {"question": "Refund?", "locale": "en", "top": 3})
    assert service.seen[0].method == "POST"
    assert service.seen[0].json == {"question": "Refund?", "locale": "en", "top": 3}
    assert service.seen[0].headers["Content-Type"] == "application/json"
    assert output.text == "Within 30 days."
    assert output.contexts == (Passage(id="a1", text="Refunds", score=0.9), Passage(id="a2", text="Terms"))
    assert output.citations == ("a1", "a2")
    assert output.tool_calls == (ToolCall(name="lookup", arguments={"q": 1}),)
    assert output.usage == Usage(input_tokens=12, output_tokens=3)
    assert (output.latency_s, output.metadata, output.data["version"]) == (0.25, {"version": "v2"}, "v2")
    assert target.limit_key == LimitKey(service.url)
    assert target.rate_limit.requests_per_minute == 300


@pytest.mark.parametrize(
    ("options", "body", "kind"),
    [
        ({}, b'"hi"', "application/json"),
        ({"request": "{{ input }}"}, b'"hi"', "application/json"),
        ({"request": "Q: {{ input }}"}, b"Q: hi", "text/plain; charset=utf-8"),
        ({"request": ["{{ input }}", 1]}, b'["hi",1]', "application/json"),
        ({"request": "{{ input|upper }}", "jinja": True}, b"HI", "text/plain; charset=utf-8"),
        ({"request": {"a": "{{ input|upper }}"}, "jinja": True}, b'{"a":"HI"}', "application/json"),
        ({"request": "<q>{{ input }}</q>", "headers": {"content-type": "text/xml"}}, b"<q>hi</q>", "text/xml"),
        ({"method": "GET"}, b"", None),
    ],
)
async def test_bodies(options, body, kind):
    request = await asked(**options)
    assert request.body == body
    assert (request.headers.get("Content-Type") if body else None) == kind


async def test_placeholders_in_the_address_are_quoted():
    request = await asked(
        {"id": "a/b?c=ü", "n": [1, "x y"]}, path="/cases/{{ input.id }}", query={"n": "{{ input.n }}"}
    )
    assert request.path == "/cases/a%2Fb%3Fc%3D%C3%BC?n=1&n=x+y"


async def test_what_a_template_may_name():
    request = {"id": "{{ case_id }}", "t": "{{ trial }}", "s": "{{ seed }}", "m": "{{ metadata.tier }}"}
    parts = {"trial": 1, "seed": 7, "metadata": {"tier": "pro"}}
    assert (await asked(request=request, call=parts)).json == {"id": "a", "t": 1, "s": 7, "m": "pro"}


async def test_headers_with_placeholders_can_not_be_split():
    request = await asked("x\r\nEvil: 1", headers={"X-Case": "{{ case_id }}: {{ input }}"}, request={})
    assert request.headers["X-Case"] == "a: x Evil: 1"
    assert "Evil" not in request.headers


async def test_the_idempotency_key_is_sent():
    request = await asked(idempotency_header="Idempotency-Key", call={"idempotency_key": "unit-1"})
    assert request.headers["Idempotency-Key"] == "unit-1"


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ({"bearer": "${T}"}, "Authorization", "Bearer s3cret"),
        ({"user": "me", "password": "${T}"}, "Authorization", "Basic " + base64.b64encode(b"me:s3cret").decode()),
        ({"header": "X-Key", "value": "${T}"}, "X-Key", "s3cret"),
    ],
)
async def test_credentials_by_reference(auth, name, value):
    async with serving(answering({"message": f"wrong: {value} s3cret"}, 403)) as service:
        target = http(service.url, {"T": "s3cret"}, auth=auth)
        error = await failure(target)
    assert service.seen[0].headers[name] == value
    assert error.kind == "auth"
    assert "s3cret" not in error.message
    assert value not in error.message
    assert "s3cret" not in str(target.describe())


async def test_an_address_from_the_environment():
    async with serving(answering({"text": "ok"})) as service:
        target = http("${SUPPORT_URL}/answer", {"SUPPORT_URL": service.url})
        assert (await answer(target)).text == "ok"
    assert target.describe()["url"] == f"{service.url}/answer"


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        (b"plain ue: \xc3\xbc", "text/plain", "plain ue: ü"),
        (b"\xff\xfe", "text/plain", "��"),
        (b'"a json text"', "application/json", "a json text"),
        (b'{"text": "own fields", "citations": ["x"]}', "application/json", "own fields"),
        (b'{"text": ""}', "application/problem+json", ""),
        (b"", "text/plain", ""),
    ],
)
async def test_answers_without_a_mapping(body, content_type, text):
    async def handle(_):
        return web.Response(body=body, content_type=content_type)

    async with serving(handle) as service:
        assert (await answer(http(service.url))).text == text


@pytest.mark.parametrize(
    ("body", "options", "kind", "message"),
    [
        ({"answer": 5}, TEXT, "wrong_type", "`$.answer` is a number, not a text"),
        ({"answer": None}, TEXT, "wrong_type", "nothing"),
        ({"answer": {"a": 1}}, TEXT, "wrong_type", "map it to `data`"),
        ({"reply": "x"}, TEXT, "malformed", "there is nothing at `$.answer`; the answer has the keys `reply`"),
        ([1], TEXT, "malformed", "the answer is a list"),
        ({}, TEXT, "malformed", "is an empty object"),
        ({"a": [{"t": "x"}, {"t": "y"}]}, {"response": {"text": "$.a[*].t"}}, "wrong_type", "leads to 2 places"),
        ({"answer": "x", "s": [5]}, {"response": {"text": "$.answer", "contexts": "$.s"}}, "wrong_type", "contexts"),
        ({"answer": "x"}, {}, "wrong_type", "say where the text is"),
        (7, {}, "wrong_type", "say where the text is"),
        (b"<html>oops", TEXT, "malformed", "<html>oops"),
        (b'{"answer": "cut', TEXT, "malformed", "not JSON"),
        (b"", TEXT, "malformed", "not JSON"),
        (b"[" * 5000, TEXT, "malformed", "not JSON"),
    ],
)
async def test_answers_that_can_not_be_used(body, options, kind, message):
    async with serving(answering(body)) as service:
        error = await failure(http(service.url, **options))
    assert error.kind == kind
    assert message in error.message
    assert error.max_attempts == (2 if kind == "malformed" else None)


async def test_deep_answers_do_not_break_the_search():
    deep = b'{"answer": ' + b"[" * 400 + b"]" * 400 + b"}"
    async with serving(answering(deep)) as service:
        error = await failure(http(service.url, response={"text": "$..text"}))
    assert error.kind == "wrong_type"


async def test_patterns_in_paths_run_in_linear_time():
    async with serving(answering({"items": [{"k": "a" * 40 + "!", "t": "no"}, {"k": "ab", "t": "yes"}]})) as service:
        target = http(service.url, response={"text": "$.items[?match(@.k, '(a+)+b')].t"})
        async with asyncio.timeout(5):
            assert (await answer(target)).text == "yes"
        searching = http(service.url, response={"text": "$.items[?search(@.k, '[!]')].t"})
        assert (await answer(searching)).text == "no"


async def test_parts_that_are_absent_are_left_out():
    async with serving(answering({"answer": "x"})) as service:
        output = await answer(http(service.url, response=RESPONSE))
    assert (output.text, output.contexts, output.usage, output.data) == ("x", (), None, None)


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [(400, "bad_request", False), (404, "not_found", False), (429, "rate_limit", True), (503, "server", True)],
)
async def test_statuses(status, kind, retryable):
    async with serving(answering({"detail": "because"}, status, {"Retry-After": "2"})) as service:
        error = await failure(http(service.url))
    assert (error.kind, error.retryable, error.status, error.retry_after_s) == (kind, retryable, status, 2)
    assert "because" in error.message


async def test_a_slow_a_broken_and_a_huge_answer():
    async def slow(_):
        await asyncio.sleep(5)
        return web.Response()

    async with serving(slow) as service:
        assert (await failure(http(service.url, timeout="50ms"))).kind == "timeout"
    async with raw(None) as url:
        assert (await failure(http(url))).kind == "connection"
    async with serving(answering(b"x" * 100_000)) as service:
        assert (await failure(http(service.url, max_body=1000))).kind == "too_large"


async def test_a_template_that_can_not_be_filled_is_not_sent():
    async with serving(answering({})) as service:
        error = await failure(http(service.url, request={"q": "{{ input.question }}"}), {"query": "x"})
    assert (error.kind, error.retryable) == ("template", False)
    assert "there is no `question` in `input`, which has `query`" in error.message
    assert service.seen == []


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"url": "support/answer"}, "url"),
        ({"url": "http://{{ input.host }}/x"}, "url"),
        ({"url": "${NOT_SET}/x"}, "url"),
        ({"url": "https://u:hunter22@x.example/"}, "url"),
        ({"request": {"q": "{{ question }}"}}, "request.q"),
        ({"request": {"api_key": "9f8e7d6c5b4a39281706f5e4"}}, "request.api_key"),
        ({"query": {"q": "{{ input }"}}, "query.q"),
        ({"headers": {"Authorization": "Bearer abcdef0123456789abcdef"}}, "headers.Authorization"),
        ({"headers": {"X": "${A} {{ case_id }}"}}, "headers.X"),
        ({"auth": {"bearer": "abcdef"}}, "auth.bearer"),
        ({"response": {"answer": "$.a"}}, "response.answer"),
        ({"response": {"text": "$.a["}}, "response.text"),
        ({"response": {"text": "answer"}}, "response.text"),
        ({"response": {"contexts": {"path": "sources"}}}, "response.contexts.path"),
        ({"response": {"usage": {}}}, "response.usage"),
    ],
)
def test_wrong_options_are_named(options, key):
    with pytest.raises(ConfigError) as raised:
        http(**{"url": "http://127.0.0.1:1", **options})
    assert raised.value.problems[0].key == key
    assert "hunter22" not in str(raised.value)


@pytest.mark.parametrize("auth", [{}, {"user": "u"}, {"bearer": "${T}", "user": "u"}, {"header": "X"}, {"token": "x"}])
def test_credentials_are_of_one_kind(auth):
    with pytest.raises(ValidationError):
        HttpTargetOptions.model_validate({"url": "http://x", "auth": auth})


def test_the_description_has_all_that_decides_the_answers():
    target = http("http://127.0.0.1:1/x", request={"q": "{{ input }}"}, **TEXT, headers={"X-A": "b"})
    assert target.describe() == {
        "type": "http",
        "url": "http://127.0.0.1:1/x",
        "method": "POST",
        "request": {"q": "{{ input }}"},
        "response": {"text": "$.answer"},
        "headers": ["X-A"],
    }
