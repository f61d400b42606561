import asyncio
import gzip

import aiohttp
import pytest
from aiohttp import web
from yarl import URL

from evalwright.core.errors import ConfigError, TargetError
from evalwright.models.secrets import Secret
from evalwright.models.transport import Limits, Transport, is_loopback, service_url
from tests.unit.models.service import answering, raw, serving


async def ask(url, limits=None, **headers):
    transport = Transport(headers, limits or Limits())
    try:
        return await transport.send("POST", URL(url), b"{}")
    finally:
        await transport.close()
        await transport.close()


async def failure(url, limits=None):
    with pytest.raises(TargetError) as raised:
        await ask(url, limits)
    return raised.value


async def test_headers_are_sent_once_and_connections_kept():
    ports = set()

    async def handle(request):
        ports.add(request.transport.get_extra_info("peername")[1])
        return web.Response(body=b"ok")

    async with serving(handle) as service:
        transport = Transport(
            {"Content-Type": "application/json", "content-type": "text/x", "X-Key": Secret("v", "${V}")}
        )
        for _ in range(3):
            assert (await transport.send("POST", URL(service.url), b"{}")).body == b"ok"
        await transport.close()
    assert len(ports) == 1
    assert service.seen[0].headers.getall("Content-Type") == ["text/x"]
    assert service.seen[0].headers["X-Key"] == "v"


async def test_a_transport_can_be_opened_again():
    async with serving(answering({})) as service:
        transport = Transport({})
        for _ in range(2):
            await transport.open()
            await transport.open()
            assert (await transport.send("GET", URL(service.url), None)).status == 200
            await transport.close()


async def test_a_status_is_an_error():
    async with serving(answering({"error": {"message": "slow down"}}, 429, {"Retry-After": "2"})) as service:
        error = await failure(service.url)
    assert (error.kind, error.status, error.retry_after_s, error.retryable) == ("rate_limit", 429, 2, True)


async def test_redirects_are_not_followed():
    async with serving(answering(b"", 307, {"Location": "http://127.0.0.1:1/"})) as service:
        assert (await failure(service.url)).kind == "redirect"
    assert len(service.seen) == 1


async def test_no_connection_reset_and_no_http():
    assert (await failure("http://127.0.0.1:9")).kind == "connection"
    async with raw(None) as url:
        assert (await failure(url)).kind == "connection"
    async with raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort") as url:
        error = await failure(url)
        assert (error.kind, error.retryable) == ("connection", True)
    async with raw(b"SSH-2.0-OpenSSH\r\n\r\n") as url:
        error = await failure(url)
        assert (error.kind, error.max_attempts) == ("malformed", 2)


async def test_a_slow_answer_times_out():
    async def handle(_):
        await asyncio.sleep(5)
        return web.Response()

    async with serving(handle) as service:
        error = await failure(service.url, Limits(total_s=0.05))
    assert (error.kind, error.retryable) == ("timeout", True)


@pytest.mark.parametrize("packed", [False, True])
async def test_a_huge_answer_is_not_read(packed):
    body = b"x" * 2_000_000
    headers = {"Content-Encoding": "gzip"} if packed else None
    async with serving(answering(gzip.compress(body) if packed else body, headers=headers)) as service:
        error = await failure(service.url, Limits(max_body=1_000_000))
    assert (error.kind, error.retryable) == ("too_large", False)


async def test_a_huge_answer_without_a_length_is_not_read():
    async def handle(request):
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b"x" * 100_000)
        return response

    async with serving(handle) as service:
        assert (await failure(service.url, Limits(max_body=1_000_000))).kind == "too_large"


async def test_a_packed_answer_is_unpacked():
    async with serving(answering(gzip.compress(b"hello"), headers={"Content-Encoding": "gzip"})) as service:
        assert (await ask(service.url)).body == b"hello"


async def test_a_huge_error_page_is_cut():
    async with serving(answering(b"<html>" + b"x" * 3_000_000, 500)) as service:
        assert len((await failure(service.url)).message) < 700


def test_proxies_come_from_the_environment_but_never_for_this_machine():
    environment = {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "internal.example, .corp"}
    transport = Transport({}, environment=environment)
    assert transport.proxy_for("https://api.example/v1") == "http://proxy:3128"
    assert transport.proxy_for("http://api.example/v1") is None
    assert transport.proxy_for("https://internal.example/v1") is None
    assert transport.proxy_for("https://a.corp/v1") is None
    assert Transport({}, environment={"ALL_PROXY": "http://p:1"}).proxy_for("http://127.0.0.1:8000/") is None


@pytest.mark.parametrize("text", ["", "localhost:8000", "ftp://x/y", "https://", "http://user:pw@host/", "http://[bad"])
def test_addresses_that_are_not_services(text):
    with pytest.raises(ConfigError) as raised:
        service_url(text, key="base_url")
    assert "base_url" in [problem.key for problem in raised.value.problems]
    assert raised.value.problems[0].hint


def test_loopback_addresses():
    assert is_loopback(URL("http://127.0.0.1:8000/v1"))
    assert is_loopback(URL("http://[::1]:8000/v1"))
    assert not is_loopback(URL("http://10.0.0.1/v1"))


class _Closed:
    """A session whose first connections were closed by the server before anything could be written."""

    def __init__(self, closed, cause):
        self.left = closed
        self.cause = cause
        self.sent = 0

    async def request(self, *_, **__):
        if self.left:
            self.left -= 1
            error = aiohttp.ClientOSError(None, "Can not write request body")
            raise error from self.cause
        self.sent += 1
        return web.Response()

    async def close(self):
        pass


async def test_a_kept_connection_that_was_closed_meanwhile_is_replaced_at_once():
    client = Transport({})
    client._session = _Closed(3, aiohttp.ClientConnectionResetError("Cannot write to closing transport"))
    await client._response("POST", URL("http://127.0.0.1:1/"), b"{}", None, None)
    assert client._session.sent == 1


async def test_a_connection_that_breaks_after_something_was_sent_is_not():
    client = Transport({})
    client._session = _Closed(1, ConnectionResetError("reset by peer"))
    with pytest.raises(aiohttp.ClientOSError):
        await client._response("POST", URL("http://127.0.0.1:1/"), b"{}", None, None)
    assert client._session.sent == 0
