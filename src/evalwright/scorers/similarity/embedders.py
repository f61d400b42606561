"""Where a scorer's embeddings come from: an endpoint, a model in a folder, or the small one an extra brings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as factory
from typing import Annotated, Any, ClassVar

import msgspec
from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.output import Usage
from evalwright.core.target import RateInfo
from evalwright.models.embeddings import EmbeddingClient, EmbeddingSpec, Vectors
from evalwright.models.local_embeddings import Embedder, LocalEmbedder
from evalwright.models.prices import PriceTable, price_table
from evalwright.models.secrets import expand, expand_public
from evalwright.scorers.similarity.vectors import Vector

LOCAL = "local"
"""The model's name that stands for the small one the extra brings."""

_KEPT = 4_096


@dataclass(frozen=True)
class EmbeddingModel:
    """A source of embeddings: an OpenAI-compatible endpoint, or a model on this machine.

    Attributes:
        model: Model to ask; `local` for the small static one that the extra `model2vec` brings.
        path: Folder of a model2vec or ONNX model, in place of a name; relative to the suite.
        base_url: Address with the version; OpenAI's own by default.
        api_key: Key by reference; `OPENAI_API_KEY` by default when that is set.
        headers: Further headers, secrets by reference.
        dimensions: Dimensions asked for; the model's own by default.
    """

    model: Annotated[
        str | None,
        Field(description="Model to ask; `local` for the small static one that the extra `model2vec` brings."),
    ] = None
    path: Annotated[
        str | None,
        Field(description="Folder of a model2vec or ONNX model, in place of a name; relative to the suite."),
    ] = None
    base_url: Annotated[str | None, Field(description="Address with the version; OpenAI's own by default.")] = None
    api_key: Annotated[str | None, Field(description="Key by reference, e.g. `${OPENAI_API_KEY}`.")] = None
    headers: Annotated[dict[str, str], Field(description="Further headers; secrets by reference.")] = factory(
        default_factory=dict
    )
    dimensions: Annotated[int | None, Field(ge=1, description="Dimensions asked for; the model's own by default.")] = (
        None
    )

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


class _Embedded(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the endpoint, as the meter counts it."""

    vectors: Vectors
    usage: Usage | None
    cost: float | None


class VectorSource:
    """Vectors for a scorer: calls of an endpoint are metered, texts met before are not asked for again.

    Args:
        model: Where they come from.
        context: Base folder and environment variables.

    Raises:
        ConfigError: Nothing or too much is named, the folder holds no model, or an address or secret is wrong.
        MissingExtra: A local model needs a package that is not installed.
    """

    def __init__(self, model: EmbeddingModel, context: BindContext) -> None:
        _check(model)
        self._described: dict[str, Json]
        self._prices: PriceTable = price_table(context.environment)
        self._kept: dict[str, Vector] = {}
        self.client: EmbeddingClient | None = None
        self._embedder: Embedder
        if model.path is not None or model.model == LOCAL:
            local = LocalEmbedder(None if model.path is None else context.base_dir / model.path)
            self._embedder, self._described = local, {"model": local.name, "path": model.path}
        else:
            self._embedder = self.client = _client(model, context)
            address = expand_public(model.base_url or self.client.spec.base_url, context.environment)
            self._described = {"model": model.model, "base_url": address, "dimensions": model.dimensions}

    def describe(self) -> dict[str, Json]:
        """Model and address; no secret."""
        return self._described

    async def open(self) -> None:
        """Open the connection."""
        await self._embedder.open()

    async def close(self) -> None:
        """Close the connection."""
        await self._embedder.close()

    def keep(self, found: Mapping[str, Vector]) -> None:
        """Remember vectors of texts that will come back."""
        if len(self._kept) + len(found) > _KEPT:
            self._kept.clear()
        self._kept.update(found)

    async def vectors(
        self, texts: Sequence[str], services: Mapping[str, Any], *, lasting: Sequence[str] = ()
    ) -> dict[str, Vector]:
        """The vector of each text.

        Args:
            texts: Texts asked for once (answers).
            services: What the engine offers a scorer; calls go through its meter.
            lasting: Texts that come back (references, passages), kept for later.

        Raises:
            TargetError: The endpoint failed for good.
        """
        wanted = list(dict.fromkeys([*texts, *lasting]))
        unknown = [text for text in wanted if text not in self._kept]
        fresh = dict(zip(unknown, await self._embed(unknown, services), strict=True)) if unknown else {}
        found = {text: fresh[text] if text in fresh else self._kept[text] for text in wanted}
        self.keep({text: fresh[text] for text in lasting if text in fresh})
        return found

    async def _embed(self, texts: list[str], services: Mapping[str, Any]) -> list[Vector]:
        meter, client = services.get("meter"), self.client
        if client is None:
            return list((await self._embedder.embed(texts)).vectors)

        async def send(observe: Callable[[RateInfo], None]) -> _Embedded:
            answer = await client.embed(texts, observe=observe)
            model = client.spec.model
            cost = self._prices.cost(answer.model or model, answer.usage, asked=model)
            return _Embedded(vectors=answer.vectors, usage=answer.usage, cost=cost)

        embedded = await (send(_ignore) if meter is None else meter.call(client.limit_key, send))
        return list(embedded.vectors)


def _check(model: EmbeddingModel) -> None:
    if (model.model is None) == (model.path is None):
        message = "embeddings need a `model` or a `path`, and not both"
        hint = "`model: local` is the small one that the extra `model2vec` brings"
        raise ConfigError([Problem(message=message, key="model", hint=hint)])


def _client(model: EmbeddingModel, context: BindContext) -> EmbeddingClient:
    spec = EmbeddingSpec(
        model=model.model or "", api_key=model.api_key, headers=model.headers, dimensions=model.dimensions
    )
    if model.base_url:
        spec = msgspec.structs.replace(spec, base_url=expand(model.base_url, context.environment, key="base_url"))
    return EmbeddingClient(spec, context.environment)


def _ignore(_: RateInfo) -> None:
    """Nobody listens to the rate hints."""
