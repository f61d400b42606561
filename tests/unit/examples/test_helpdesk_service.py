"""The HTTP service and the optional model endpoint, over loopback."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer, unused_port
from helpdesk.assistant import Assistant
from helpdesk.errors import EndpointError
from helpdesk.llm import Endpoint
from helpdesk.service import build_app, main
from helpdesk.target import answer_with_model


@pytest.fixture
async def client() -> AsyncIterator[TestClient[web.Request, web.Application]]:
    async with TestClient(TestServer(build_app())) as client:
        yield client


async def test_service_answers(client):
    reply = await client.post("/answer", json={"question": "Can I pay by cheque?", "locale": "en"})
    body = await reply.json()
    assert reply.status == 200
    assert "cheques" in body["answer"]
    assert body["citations"] == [{"id": "billing-payment-methods"}]
    assert set(body["sources"][0]) == {"id", "title", "text", "score"}
    assert 0 <= body["confidence"] <= 1


async def test_service_is_healthy(client):
    body = await (await client.get("/health")).json()
    assert body["status"] == "ok"
    assert body["articles"] >= 44
    assert body["mode"] == "extractive"


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[]", b'{"question": ""}', b'{"question": 1}'])
async def test_bad_bodies_get_a_reason(client, body: bytes):
    reply = await client.post("/answer", data=body)
    assert reply.status == 400
    assert (await reply.json())["error"]


async def test_huge_body_is_refused(client):
    reply = await client.post("/answer", data=b'{"question": "' + b"x" * 300_000 + b'"}')
    assert reply.status == 413


def model_app(seen: list[dict[str, Any]], answer: Any, status: int = 200) -> web.Application:
    async def complete(request: web.Request) -> web.Response:
        seen.append({"body": await request.json(), "key": request.headers.get("Authorization")})
        return web.json_response(answer, status=status)

    app = web.Application()
    app.router.add_post("/v1/chat/completions", complete)
    return app


def completion(text: str) -> dict[str, Any]:
    return {"choices": [{"message": {"content": text}}], "usage": {"prompt_tokens": 40, "completion_tokens": 7}}


async def test_configured_model_writes_the_answer():
    seen: list[dict[str, Any]] = []
    text = "No. [billing-payment-methods] [made-up]"
    async with TestServer(model_app(seen, completion(text))) as server:
        endpoint = Endpoint(base_url=str(server.make_url("/v1")), model="m", api_key="k")
        async with TestClient(TestServer(build_app(endpoint))) as client:
            reply = await client.post("/answer", json={"question": "Can I pay by cheque?"})
            body = await reply.json()
    assert body["answer"] == text
    assert body["citations"] == [{"id": "billing-payment-methods"}]
    assert body["usage"] == {"input_tokens": 40, "output_tokens": 7}
    assert seen[0]["key"] == "Bearer k"
    assert "[billing-payment-methods]" in seen[0]["body"]["messages"][0]["content"]
    assert seen[0]["body"]["messages"][-1] == {"role": "user", "content": "Can I pay by cheque?"}


@pytest.mark.parametrize(("answer", "status"), [({}, 200), ([], 200), (completion("x"), 500), ({"choices": []}, 200)])
async def test_failing_model_is_a_bad_gateway(answer: Any, status: int):
    async with TestServer(model_app([], answer, status)) as server:
        endpoint = Endpoint(base_url=str(server.make_url("/v1")), model="m")
        async with TestClient(TestServer(build_app(endpoint))) as client:
            reply = await client.post("/answer", json={"question": "Can I pay by cheque?"})
            assert reply.status == 502
            assert (await reply.json())["error"]


def test_closed_port_is_an_endpoint_error():
    endpoint = Endpoint(base_url=f"http://127.0.0.1:{unused_port()}/v1", model="m")
    with pytest.raises(EndpointError, match="gave no answer"):
        Assistant(endpoint=endpoint).answer("Can I pay by cheque?")


def test_endpoint_comes_from_the_environment():
    env = {"HELPDESK_BASE_URL": "http://127.0.0.1:1/v1/", "HELPDESK_MODEL": "m", "HELPDESK_API_KEY": "secret-key"}
    endpoint = Endpoint.from_env(env)
    assert endpoint == Endpoint(base_url="http://127.0.0.1:1/v1", model="m", api_key="secret-key")
    assert "secret-key" not in repr(endpoint)
    assert Endpoint.from_env({}) is None


@pytest.mark.parametrize("env", [{"HELPDESK_BASE_URL": "http://x"}, {"HELPDESK_BASE_URL": "ftp://x"}])
def test_half_configured_endpoint_says_what_is_missing(env: dict[str, str]):
    with pytest.raises(EndpointError, match="HELPDESK_"):
        Endpoint.from_env(env)


def test_model_target_needs_configuration(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("HELPDESK_BASE_URL", raising=False)
    with pytest.raises(EndpointError, match="set HELPDESK_BASE_URL"):
        answer_with_model("Can I pay by cheque?")


def test_service_refuses_a_broken_configuration(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.setenv("HELPDESK_BASE_URL", "ftp://x")
    assert main(["--port", "0"]) == 2
    assert "error: HELPDESK_BASE_URL" in capsys.readouterr().err
