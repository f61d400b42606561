"""One HTTP session kept open for a run: prepared headers, keep-alive, bounded bodies, timeouts, errors in our terms."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import aiohttp
import msgspec
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from evalwright.core.errors import ConfigError, Problem, TargetError
from evalwright.models.failures import Refused, status_error, wire_error
from evalwright.models.secrets import Secret

_LOOPBACK = {"127.0.0.1", "localhost", "::1"}
_STALE = 8
"""Kept connections found closed that are replaced for one request."""

_ERROR_BODY = 256 * 1024
_JAR = aiohttp.DummyCookieJar


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of one exchange.

    Attributes:
        total_s: Seconds for the whole exchange, None for no bound of its own (the run's applies).
        connect_s: Seconds to make a connection.
        first_token_s: Seconds until a streamed answer's first token, None for no bound.
        max_body: Bytes of answer read at most.
    """

    total_s: float | None = None
    connect_s: float = 10.0
    first_token_s: float | None = None
    max_body: int = 32 * 1024 * 1024


_DEFAULT_LIMITS = Limits()


class Reply(msgspec.Struct, frozen=True):
    """A whole answer of status 200 to 299."""

    status: int
    headers: CIMultiDictProxy[str]
    body: bytes


class Transport:
    """Sends requests to one service. Open it in the event loop that uses it; closing twice is fine.

    Args:
        headers: Sent with every request; secrets are revealed here and nowhere else.
        limits: Bounds of each exchange.
        hide: Further secrets to take out of messages, such as those in an address.
        environment: For `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`; loopback is never sent through a proxy.
        now: Clock in seconds since the epoch, for `Retry-After` dates.
    """

    def __init__(
        self,
        headers: Mapping[str, str | Secret],
        limits: Limits = _DEFAULT_LIMITS,
        *,
        hide: Sequence[Secret] = (),
        environment: Mapping[str, str] | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.secrets = (*(value for value in headers.values() if isinstance(value, Secret)), *hide)
        self.limits = limits
        self.now = now
        self._headers: CIMultiDict[str] = CIMultiDict()
        for name, value in headers.items():  # one by one: a later name replaces an earlier one of another case
            self._headers[name] = _shown(value)
        self._environment = environment or {}
        self._timeout = aiohttp.ClientTimeout(total=limits.total_s, sock_connect=limits.connect_s)
        self._session: aiohttp.ClientSession | None = None

    async def open(self) -> None:
        """Make the session; connections are made when they are first needed, and kept."""
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, ttl_dns_cache=300, keepalive_timeout=60),
                cookie_jar=_JAR(),
                timeout=self._timeout,
                headers=self._headers,
                skip_auto_headers=("User-Agent", "Accept-Encoding") if "User-Agent" in self._headers else (),
            )

    async def close(self) -> None:
        """Close the connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def proxy_for(self, url: str) -> str | None:
        """The proxy a URL goes through, None for a direct connection."""
        parts = urlsplit(url)
        host = parts.hostname or ""
        if host in _LOOPBACK:
            return None
        if _excepted(host, self._variable("no_proxy")):
            return None
        return self._variable(f"{parts.scheme}_proxy") or self._variable("all_proxy") or None

    async def send(
        self,
        method: str,
        url: URL,
        body: bytes | None,
        *,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
    ) -> Reply:
        """Send one request and read the whole answer.

        Raises:
            TargetError: No answer of status 200 to 299 came; its fields say whether another attempt may succeed.
        """
        try:
            async with self._sent(method, url, body, headers, proxy) as response:
                return Reply(response.status, response.headers, await self._body(response))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise wire_error(error, secrets=self.secrets) from error

    @asynccontextmanager
    async def stream(
        self,
        method: str,
        url: URL,
        body: bytes | None,
        *,
        headers: Mapping[str, str] | None = None,
        proxy: str | None = None,
    ) -> AsyncIterator[tuple[CIMultiDictProxy[str], AsyncIterator[bytes]]]:
        """Send one request and yield the headers and the answer's bytes as they come.

        Raises:
            TargetError: As `send`, also while the bytes are read.
        """
        try:
            async with self._sent(method, url, body, headers, proxy) as response:
                yield response.headers, self._chunks(response)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise wire_error(error, secrets=self.secrets) from error

    @asynccontextmanager
    async def _sent(
        self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str] | None, proxy: str | None
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        if self._session is None:
            await self.open()
        async with await self._response(method, url, body, headers, proxy) as response:
            if response.status >= 300:
                raise await self._refusal(response)
            yield response

    async def _response(
        self, method: str, url: URL, body: bytes | None, headers: Mapping[str, str] | None, proxy: str | None
    ) -> aiohttp.ClientResponse:
        """The answer's head. A kept connection that the server has closed meanwhile is replaced at once.

        Some servers close a connection after a stream without saying so. Where it was closed before anything could be
        written, nothing was sent, so sending again can't be paid twice and is no attempt of its own.
        """
        assert self._session is not None
        for _ in range(_STALE):
            try:
                return await self._session.request(
                    method, url, data=body, headers=headers, proxy=proxy, allow_redirects=False
                )
            except aiohttp.ClientOSError as error:
                if not isinstance(error.__cause__, aiohttp.ClientConnectionResetError):
                    raise
        return await self._session.request(method, url, data=body, headers=headers, proxy=proxy, allow_redirects=False)

    async def _refusal(self, response: aiohttp.ClientResponse) -> Refused:
        body = b""
        while len(body) < _ERROR_BODY and (chunk := await response.content.readany()):
            body += chunk
        return status_error(response.status, response.headers, body, now=self.now, secrets=self.secrets)

    async def _body(self, response: aiohttp.ClientResponse) -> bytes:
        length = response.content_length
        if length is not None and length > self.limits.max_body:
            raise self._too_large()
        if length is not None and "Content-Encoding" not in response.headers:
            return await response.read()
        return b"".join([chunk async for chunk in self._chunks(response)])

    async def _chunks(self, response: aiohttp.ClientResponse) -> AsyncIterator[bytes]:
        room = self.limits.max_body
        while chunk := await response.content.readany():
            room -= len(chunk)
            if room < 0:
                raise self._too_large()
            yield chunk

    def _too_large(self) -> TargetError:
        return TargetError(f"the answer is larger than {self.limits.max_body:,} bytes", kind="too_large")

    def _variable(self, name: str) -> str:
        return self._environment.get(name) or self._environment.get(name.upper()) or ""


def _excepted(host: str, no_proxy: str) -> bool:
    """Whether `NO_PROXY` (names and `.suffixes` with commas, or `*`) names the host."""
    names = [name.strip().lstrip(".").lower() for name in no_proxy.split(",") if name.strip()]
    return any(name == "*" or host == name or host.endswith("." + name) for name in names)


def service_url(text: str, *, key: str) -> URL:
    """Check the address of a service.

    Raises:
        ConfigError: It is not an absolute http or https URL, or it carries a password.
    """
    try:
        url = URL(text)
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise _bad_url(key, f"`{text[:200]}` is not an http or https address", "write it like https://host/path")
    if url.user or url.password:
        raise _bad_url(key, "an address must not carry a user or password", "give them by `auth` or `headers`")
    return url


def is_loopback(url: URL) -> bool:
    """Whether an address is on this machine."""
    return url.host in _LOOPBACK


def _bad_url(key: str, message: str, hint: str) -> ConfigError:
    return ConfigError([Problem(message=message, key=key, hint=hint)])


def _shown(value: str | Secret) -> str:
    return value.reveal() if isinstance(value, Secret) else value
