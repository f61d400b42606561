"""Embeddings from an OpenAI-compatible endpoint: `POST /embeddings`."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem, TargetError
from evalwright.core.output import Usage
from evalwright.core.target import LimitKey, RateInfo
from evalwright.models import jsonio
from evalwright.models.chat import ignore_rates, text_or_none
from evalwright.models.endpoint import endpoint_headers
from evalwright.models.failures import malformed
from evalwright.models.openai import OpenAIChat, usage_of
from evalwright.models.rates import rate_info
from evalwright.models.transport import Limits, Transport, service_url

Vectors = NDArray[np.float32]
"""Embeddings of n texts: shape (n, dimensions)."""


class Embeddings(msgspec.Struct, frozen=True, kw_only=True):
    """Vectors of some texts, in their order.

    Attributes:
        vectors: Shape (n, dimensions), 32-bit.
        usage: Tokens; None when the provider did not say.
        model: The model as the provider named it.
    """

    vectors: Vectors
    usage: Usage | None = None
    model: str | None = None


class EmbeddingSpec(msgspec.Struct, frozen=True, kw_only=True):
    """Where an embedding model is.

    Attributes:
        model: Model.
        base_url: Address with the version, OpenAI's own by default.
        api_key: Reference to the key, None for `OPENAI_API_KEY` when that is set.
        headers: Further headers.
        dimensions: Dimensions asked for, None for the model's own.
        batch: Texts in one request at most.
        limits: Timeouts and size.
    """

    model: str
    base_url: str = OpenAIChat.base_url
    api_key: str | None = None
    headers: Mapping[str, str] = {}
    dimensions: int | None = None
    batch: int = 128
    limits: Limits = Limits()


class EmbeddingClient:
    """Turns texts into vectors.

    Args:
        spec: The model.
        environment: Environment variables, for keys and proxies.

    Raises:
        ConfigError: The address is wrong, a secret is literal, or a variable is not set.
    """

    def __init__(self, spec: EmbeddingSpec, environment: Mapping[str, str]) -> None:
        if spec.batch < 1:
            raise ConfigError([Problem(message=f"`{spec.batch}` texts in a request", key="batch", hint="at least 1")])
        self.spec = spec
        self.url = service_url(spec.base_url.rstrip("/") + "/embeddings", key="base_url")
        headers = endpoint_headers(OpenAIChat(), self.url, spec.api_key, spec.headers, environment)
        self.transport = Transport(headers, spec.limits, environment=environment)
        self._proxy = self.transport.proxy_for(str(self.url))

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

    async def embed(self, texts: Sequence[str], *, observe: Callable[[RateInfo], None] = ignore_rates) -> Embeddings:
        """Vectors of the texts, in their order, in as many requests as are needed.

        Args:
            texts: At least one; an empty text is sent as a space, since providers refuse empty ones.
            observe: Where to report rate-limit headers seen.

        Raises:
            TargetError: A request failed, or an answer does not hold one vector for each text.
        """
        parts = [
            await self._request([text or " " for text in texts[start : start + self.spec.batch]], observe)
            for start in range(0, len(texts), self.spec.batch)
        ]
        if not parts:
            return Embeddings(vectors=np.empty((0, self.spec.dimensions or 0), dtype=np.float32))
        if len({part.vectors.shape[1] for part in parts}) > 1:
            raise malformed("the answers' vectors have different numbers of dimensions")
        usages = [part.usage for part in parts if part.usage is not None]
        total = sum(usages[1:], usages[0]) if usages else None
        return Embeddings(vectors=np.concatenate([p.vectors for p in parts]), usage=total, model=parts[0].model)

    async def _request(self, texts: list[str], observe: Callable[[RateInfo], None]) -> Embeddings:
        body: dict[str, Json] = {"model": self.spec.model, "input": texts, "encoding_format": "base64"}
        if self.spec.dimensions is not None:
            body["dimensions"] = self.spec.dimensions
        reply = await self.transport.send("POST", self.url, jsonio.encode(body), proxy=self._proxy)
        info = rate_info(reply.headers, self.transport.now)
        if info is not None:
            observe(info)
        try:
            return _read(jsonio.decode(reply.body), len(texts))
        except jsonio.BadJson as error:
            raise malformed(f"the answer is not JSON ({error})", reply.body, secrets=self.transport.secrets) from None


def _read(body: Json, wanted: int) -> Embeddings:
    data = body.get("data") if isinstance(body, dict) else None
    if not isinstance(data, list) or len(data) != wanted or not all(isinstance(item, dict) for item in data):
        raise malformed(f"the answer does not hold {wanted} embeddings")
    ordered = sorted(data, key=lambda item: item.get("index") if isinstance(item.get("index"), int) else 0)
    vectors = [_vector(item.get("embedding")) for item in ordered]
    if len({len(vector) for vector in vectors}) != 1 or not len(vectors[0]):
        raise malformed("the answer's vectors have different numbers of dimensions, or none")
    return Embeddings(
        vectors=np.stack(vectors), usage=usage_of(body.get("usage")), model=text_or_none(body.get("model"))
    )


def _vector(value: Json) -> NDArray[np.float32]:
    """One vector, as numbers or as base64 of little-endian 32-bit floats."""
    try:
        if isinstance(value, str):
            found = np.frombuffer(base64.b64decode(value, validate=True), dtype="<f4").astype(np.float32)
        else:
            found = np.asarray(value, dtype=np.float32)
    except (ValueError, TypeError, binascii.Error):
        raise _not_numbers() from None
    if found.ndim != 1 or not np.isfinite(found).all():
        raise _not_numbers()
    return found


def _not_numbers() -> TargetError:
    return malformed("an embedding is not a list of finite numbers")
