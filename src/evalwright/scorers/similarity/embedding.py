"""How near is the answer to a reference in meaning?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from dataclasses import field as factory
from typing import Annotated, Any, ClassVar

import msgspec
from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.output import Usage
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.core.target import RateInfo
from evalwright.models.embeddings import EmbeddingClient, EmbeddingSpec, Vectors
from evalwright.models.prices import PriceTable, price_table
from evalwright.models.secrets import expand, expand_public
from evalwright.scorers.base import (
    ExpectedPath,
    FieldPath,
    NotApplicable,
    OptionError,
    RuleScorer,
    answer_text,
    references,
)
from evalwright.scorers.similarity.vectors import Vector, cosine, hashed_vector

_INFO = ScoreInfo(name="embedding_similarity", low=-1.0)
_KEPT = 4_096


@dataclass(frozen=True)
class EmbeddingModel:
    """An OpenAI-compatible endpoint that gives embeddings.

    Attributes:
        model: Model to ask.
        base_url: Address with the version; OpenAI's own by default.
        api_key: Key by reference; `OPENAI_API_KEY` by default when that is set.
        headers: Further headers, secrets by reference.
        dimensions: Dimensions asked for; the model's own by default.
    """

    model: Annotated[str, Field(description="Model to ask.")]
    base_url: Annotated[str | None, Field(description="Address with the version; OpenAI's own by default.")] = None
    api_key: Annotated[str | None, Field(description="Key by reference, e.g. `${OPENAI_API_KEY}`.")] = None
    headers: Annotated[dict[str, str], Field(description="Further headers; secrets by reference.")] = factory(
        default_factory=dict
    )
    dimensions: Annotated[int | None, Field(ge=1, description="Dimensions asked for; the model's own by default.")] = (
        None
    )

    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}


@dataclass(frozen=True)
class EmbeddingSimilarity(RuleScorer):
    """Cosine of the answer's and the nearest reference's embedding, -1 to 1.

    With `model`, embeddings of an OpenAI-compatible endpoint. Without, hashed pieces of words: no model and no network,
    near for inflections and typing mistakes but blind to synonyms; figures of the two can't be compared.
    """

    INFO: ClassVar[ScoreInfo] = _INFO

    model: Annotated[
        EmbeddingModel | None, Field(description="The endpoint; hashed pieces of words when not given.")
    ] = None
    _: KW_ONLY
    expected: ExpectedPath = None
    field: FieldPath = None

    def bind(self, context: BindContext) -> EmbeddingSimilarity | EmbeddingScorer:
        """The scorer with its endpoint checked.

        Raises:
            ConfigError: The address is wrong, a secret is literal, or a variable is not set.
        """
        return self if self.model is None else EmbeddingScorer(self, self.model, context)

    def judge(self, ctx: ScoreContext) -> Score:
        """The cosine to the nearest reference."""
        if self.model is not None:
            raise OptionError("the endpoint is not open", hint="call bind() first, as a suite does")
        accepted = references(ctx, self.expected)
        mine = hashed_vector(answer_text(ctx, self.field))
        return nearest(mine, [hashed_vector(item) for item in accepted], accepted)


def nearest(answer: Vector, vectors: list[Vector], accepted: tuple[str, ...]) -> Score:
    """The score of the nearest of several references."""
    values = [cosine(answer, vector) for vector in vectors]
    best = max(range(len(values)), key=lambda place: values[place])
    return Score.of(values[best], reason=f"nearest reference {accepted[best][:200]!r}")


class _Embedded(msgspec.Struct, frozen=True, kw_only=True):
    """One answer of the endpoint, as the meter counts it."""

    vectors: Vectors
    usage: Usage | None
    cost: float | None


class EmbeddingScorer:
    """Compares by the embeddings of an endpoint; made by `EmbeddingSimilarity.bind`.

    Args:
        options: What to compare.
        model: The endpoint.
        context: Environment variables.
    """

    def __init__(self, options: EmbeddingSimilarity, model: EmbeddingModel, context: BindContext) -> None:
        environment = context.environment
        spec = EmbeddingSpec(
            model=model.model, api_key=model.api_key, headers=model.headers, dimensions=model.dimensions
        )
        if model.base_url:
            spec = msgspec.structs.replace(spec, base_url=expand(model.base_url, environment, key="base_url"))
        self.options = options
        self.client = EmbeddingClient(spec, environment)
        self._address = expand_public(model.base_url or spec.base_url, environment)
        self._prices: PriceTable = price_table(environment)
        self._references: dict[str, Vector] = {}

    @property
    def info(self) -> ScoreInfo:
        """A mean from -1 to 1."""
        return _INFO

    def describe(self) -> dict[str, Json]:
        """Model, address and options; no secret."""
        spec = self.client.spec
        shown: dict[str, Json] = {"model": spec.model, "base_url": self._address, "dimensions": spec.dimensions}
        return {"expected": self.options.expected, "field": self.options.field, "model": shown}

    async def open(self) -> None:
        """Open the connection."""
        await self.client.open()

    async def close(self) -> None:
        """Close the connection."""
        await self.client.close()

    async def score(self, ctx: ScoreContext) -> Score:
        """The cosine to the nearest reference; references met before are not asked for again.

        Raises:
            TargetError: The endpoint failed for good.
        """
        try:
            accepted = references(ctx, self.options.expected)
            answer = answer_text(ctx, self.options.field)
        except NotApplicable as nothing:
            return Score.skip(str(nothing))
        if not answer.strip():
            return Score.of(0.0, reason="the answer is empty")
        unknown = [text for text in dict.fromkeys(accepted) if text not in self._references]
        vectors = await self._embed([answer, *unknown], ctx.services)
        found = dict(zip(unknown, vectors[1:], strict=True))
        known = [found[text] if text in found else self._references[text] for text in accepted]
        self._keep(found)
        return nearest(vectors[0], known, accepted)

    def _keep(self, found: Mapping[str, Vector]) -> None:
        if len(self._references) + len(found) > _KEPT:
            self._references.clear()
        self._references.update(found)

    async def _embed(self, texts: list[str], services: Mapping[str, Any]) -> list[Vector]:
        async def send(observe: Callable[[RateInfo], None]) -> _Embedded:
            answer = await self.client.embed(texts, observe=observe)
            model = self.client.spec.model
            cost = self._prices.cost(answer.model or model, answer.usage, asked=model)
            return _Embedded(vectors=answer.vectors, usage=answer.usage, cost=cost)

        meter = services.get("meter")
        embedded = await (send(_ignore) if meter is None else meter.call(self.client.limit_key, send))
        return list(embedded.vectors)


def _ignore(_: RateInfo) -> None:
    """Nobody listens to the rate hints."""
