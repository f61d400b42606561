"""A model endpoint: a dialect over one transport, as a `ChatClient`."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

import msgspec
from yarl import URL

from evalwright.core.errors import ConfigError, Problem, TargetError
from evalwright.core.target import LimitKey
from evalwright.models import jsonio
from evalwright.models.chat import ChatReply, ChatRequest, Dialect
from evalwright.models.failures import Refused, malformed
from evalwright.models.rates import rate_info
from evalwright.models.secrets import Secret, resolve_secret, resolve_text
from evalwright.models.sse import events
from evalwright.models.transport import Limits, Transport, is_loopback, service_url

_DONE = b"[DONE]"


class EndpointSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Where a model is and how it is reached; `${NAME}` references are still unresolved.

    Attributes:
        model: Model (on Azure the deployment).
        dialect: How its JSON is written and read.
        base_url: Address, empty for the provider's own.
        api_key: Reference to the key, None for the provider's usual variable when that is set.
        headers: Further headers.
        stream: Ask for the answer as a stream and measure the first token.
        limits: Timeouts and size.
        idempotency_header: Header that carries the request's idempotency key; empty for none.
    """

    model: str
    dialect: Dialect
    base_url: str = ""
    api_key: str | None = None
    headers: Mapping[str, str] = {}
    stream: bool = False
    limits: Limits = Limits()
    idempotency_header: str = ""


class ModelEndpoint:
    """A `ChatClient` for one model at one address.

    Args:
        spec: The endpoint.
        environment: Environment variables, for keys and proxies.
        now: Clock in seconds since the epoch, for `Retry-After` dates.

    Raises:
        ConfigError: The address is wrong, a secret is written literally, or a variable is not set.
    """

    def __init__(
        self, spec: EndpointSpec, environment: Mapping[str, str], *, now: Callable[[], float] = time.time
    ) -> None:
        self.spec = spec
        base = (spec.base_url or spec.dialect.base_url).rstrip("/")
        if not base:
            raise ConfigError(
                [Problem(message="this dialect needs an address", key="base_url", hint="give `base_url`")]
            )
        self.url = service_url(base + spec.dialect.path(spec.model, stream=spec.stream), key="base_url")
        headers = endpoint_headers(spec.dialect, self.url, spec.api_key, spec.headers, environment)
        self.transport = Transport(headers, spec.limits, environment=environment, now=now)
        self._proxy = self.transport.proxy_for(str(self.url))
        self._now = now

    @property
    def limit_key(self) -> LimitKey:
        """Calls to the same address and model share a limit."""
        return LimitKey(str(self.url.origin()), self.spec.model)

    async def open(self) -> None:
        """Make the session."""
        await self.transport.open()

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()

    async def complete(self, request: ChatRequest) -> ChatReply:
        """Ask the model.

        Raises:
            TargetError: The attempt failed.
        """
        spec = self.spec
        body = jsonio.encode(spec.dialect.encode(spec.model, request, stream=spec.stream))
        extra = {spec.idempotency_header: request.idempotency_key} if spec.idempotency_header else None
        try:
            return await (self._streamed if spec.stream else self._whole)(body, request, extra)
        except Refused as error:
            self._observe(request, error.headers)
            raise

    async def _whole(self, body: bytes, request: ChatRequest, extra: Mapping[str, str] | None) -> ChatReply:
        start = time.perf_counter()
        reply = await self.transport.send("POST", self.url, body, headers=extra, proxy=self._proxy)
        elapsed = time.perf_counter() - start
        self._observe(request, reply.headers)
        answer = self.spec.dialect.decode(self._json(reply.body))
        answer.latency_s = elapsed
        return answer

    async def _streamed(self, body: bytes, request: ChatRequest, extra: Mapping[str, str] | None) -> ChatReply:
        reader = self.spec.dialect.reader()
        start = time.perf_counter()
        first: float | None = None
        try:
            async with (
                asyncio.timeout(self.spec.limits.first_token_s) as patience,
                self.transport.stream("POST", self.url, body, headers=extra, proxy=self._proxy) as (head, chunks),
            ):
                self._observe(request, head)
                # Read on to the very end, also past [DONE], or the connection could not be used again.
                async for data in events(chunks):
                    if data != _DONE and reader.feed(self._json(data)) and first is None:
                        first = time.perf_counter() - start
                        patience.reschedule(None)
        except TimeoutError:
            waited = self.spec.limits.first_token_s
            raise TargetError(f"no first token within {waited:g} s", kind="timeout", retryable=True) from None
        answer = reader.finish()
        answer.latency_s = time.perf_counter() - start
        answer.first_token_s = first
        return answer

    def _observe(self, request: ChatRequest, headers: Mapping[str, str]) -> None:
        info = rate_info(headers, self._now)
        if info is not None:
            request.observe(info)

    def _json(self, body: bytes) -> object:
        try:
            return jsonio.decode(body)
        except jsonio.BadJson as error:
            raise malformed(f"the answer is not JSON ({error})", body, secrets=self.transport.secrets) from None


def endpoint_headers(
    dialect: Dialect, url: URL, api_key: str | None, further: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, str | Secret]:
    """The headers of every request to an endpoint.

    Args:
        dialect: Names the headers that carry the key.
        url: Address; the provider's usual variable is not sent in clear to another machine.
        api_key: Reference to the key, None for the provider's usual variable when that is set.
        further: Headers given by the user, secrets by reference.
        environment: Environment variables.

    Raises:
        ConfigError: A secret is literal, or a variable is not set.
    """
    headers: dict[str, str | Secret] = {"Content-Type": "application/json", "User-Agent": "evalwright"}
    headers["Accept-Encoding"] = "identity"
    headers |= dialect.fixed_headers()
    variable = dialect.key_variable
    usual = environment.get(variable) and (url.scheme == "https" or is_loopback(url))
    reference = api_key if api_key is not None else f"${{{variable}}}" if usual else None
    if reference is not None:
        # Checked alone first, so that a literal key is refused under the option's own name.
        resolve_secret(reference, environment, key="api_key")
        for name, value in dialect.headers(reference).items():
            headers[name] = resolve_secret(value, environment, key="api_key")
    for name, value in further.items():
        headers[name] = resolve_text(value, environment, key=f"headers.{name}")
    return headers
