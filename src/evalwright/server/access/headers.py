"""Security headers, the hosts a server answers to, and the size of requests: plain ASGI around the app."""

from __future__ import annotations

import contextlib
import ipaddress
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from evalwright.server.errors import error_response
from evalwright.server.settings import ServerSettings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'; require-trusted-types-for 'script'; trusted-types default evalwright 'allow-duplicates'"
)
"""Nothing inline, nothing from elsewhere: what a model wrote can't run, load or send anything."""

HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=(), interest-cohort=()"),
)
_HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
_HOST = re.compile(r"\[[0-9a-fA-F:.]+\](?::\d+)?|[A-Za-z0-9._-]+(?::\d+)?")
UPLOAD = re.compile(r"/api/v1/projects/[^/]+/(?:runs|review/queues/[^/]+/import)")
"""Addresses that take large bodies."""


class Headers:
    """Adds the security headers to every answer."""

    def __init__(self, app: App, settings: ServerSettings) -> None:
        self._app = app
        self._headers = [*HEADERS, *([_HSTS] if settings.secure else [])]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = list(self._headers)
        if scope["path"].startswith("/api/"):
            headers.append((b"cache-control", b"no-store"))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message.get("headers", ())}
                added = [pair for pair in headers if pair[0] not in given]
                message = {**message, "headers": [*message.get("headers", ()), *added]}
            await send(message)

        await self._app(scope, receive, with_headers)


class Hosts:
    """Refuses requests for names that are not the server's, which pages elsewhere could point at it."""

    def __init__(self, app: App, settings: ServerSettings) -> None:
        self._app = app
        public = urlsplit(settings.public_url or "").hostname
        self._names = {"localhost", *(host.lower() for host in settings.hosts), *([public] if public else [])}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say 421."""
        if scope["type"] == "http" and not self._known(_header(scope, b"host")):
            hint = "start the server with --public-url or --host-name"
            answer = error_response(421, "unknown_host", "the server does not answer to this name", hint=hint)
            await answer(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _known(self, host: str) -> bool:
        if not _HOST.fullmatch(host):
            return False
        name = host.rpartition(":")[0] if re.search(r":\d+$", host) and not host.endswith("]") else host
        name = name.strip("[]").lower().rstrip(".")
        return name in self._names or _is_address(name)


def _is_address(name: str) -> bool:
    """Addresses in figures can't be pointed elsewhere by a name server."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


class BodyLimit:
    """Refuses bodies that are too large, by what they say and by what comes."""

    def __init__(self, app: App, settings: ServerSettings) -> None:
        self._app = app
        self._limits = settings.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say 413."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = self._limits.upload if UPLOAD.fullmatch(scope["path"]) else self._limits.body
        said = _header(scope, b"content-length")
        if said and (not said.isdecimal() or int(said) > most):
            await _too_large(most)(scope, receive, send)
            return
        await self._counted(most, scope, receive, send)

    async def _counted(self, most: int, scope: Scope, receive: Receive, send: Send) -> None:
        got, over, started = 0, False, False

        async def counting() -> Message:
            nonlocal got, over
            message = await receive()
            got += len(message.get("body", b""))
            if got > most:
                over = True
                raise _TooLarge
            return message

        async def noting(message: Message) -> None:
            nonlocal started
            if started or not over:
                started = True
                await send(message)

        with contextlib.suppress(_TooLarge):
            await self._app(scope, counting, noting)
        if over and not started:
            await _too_large(most)(scope, receive, send)


class _TooLarge(Exception):
    pass


def _too_large(most: int) -> App:
    hint = f"at most {most // 1024:,} KiB"
    return error_response(413, "too_large", "the request is too large", hint=hint)


def _header(scope: Scope, name: bytes) -> str:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), "")
