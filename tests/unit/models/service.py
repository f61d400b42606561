"""Small real services on loopback for the tests of clients and targets."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Seen:
    """One request as the service saw it."""

    def __init__(self, request: web.Request, body: bytes) -> None:
        self.method = request.method
        self.path = request.path_qs
        self.headers = request.headers
        self.body = body

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Service:
    """Where the service is and what it was asked."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.seen: list[Seen] = []


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[Service]:
    """Run a service whose every path is answered by the handler."""
    service = Service("")

    async def handle(request: web.Request) -> web.StreamResponse:
        service.seen.append(Seen(request, await request.read()))
        return await handler(request)

    app = web.Application(client_max_size=1 << 28)
    app.router.add_route("*", "/{path:.*}", handle)
    server = TestServer(app)
    await server.start_server()
    service.url = str(server.make_url("/")).rstrip("/")
    try:
        yield service
    finally:
        await server.close()


def answering(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Handler:
    """A handler that always gives the same answer: bytes as they are, anything else as JSON."""

    async def handle(_: web.Request) -> web.Response:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return web.Response(body=content, status=status, headers=headers, content_type="application/json")

    return handle


def streaming(events: list[str], *, gap_s: float = 0.0, cut: bool = False) -> Handler:
    """A handler that sends server-sent events, one write each; `cut` breaks the connection after them."""

    async def handle(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for event in events:
            await asyncio.sleep(gap_s)
            await response.write(event.encode())
        if cut and request.transport is not None:
            request.transport.abort()
        return response

    return handle


@asynccontextmanager
async def raw(answer: bytes | None) -> AsyncIterator[str]:
    """A socket that sends these bytes to whoever asks and closes; None resets the connection instead."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if answer is None:
            sock = writer.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            writer.transport.abort()
            return
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.close()
        await server.wait_closed()
