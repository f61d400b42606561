"""How near is the answer to a reference in meaning?"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.base import (
    ExpectedPath,
    FieldPath,
    NotApplicable,
    OptionError,
    RuleScorer,
    answer_text,
    references,
)
from evalwright.scorers.similarity.embedders import EmbeddingModel, VectorSource
from evalwright.scorers.similarity.vectors import Vector, cosine, hashed_vector

_INFO = ScoreInfo(name="embedding_similarity", low=-1.0)


@dataclass(frozen=True)
class EmbeddingSimilarity(RuleScorer):
    """Cosine of the answer's and the nearest reference's embedding, -1 to 1.

    With `model`, embeddings of an OpenAI-compatible endpoint or of a model on this machine. Without, hashed pieces of
    words: no model and no network, near for inflections and typing mistakes but blind to synonyms; figures of different
    models can't be compared.
    """

    INFO: ClassVar[ScoreInfo] = _INFO

    model: Annotated[
        EmbeddingModel | None, Field(description="Where embeddings come from; hashed pieces of words when not given.")
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


class EmbeddingScorer:
    """Compares by the embeddings of a model; made by `EmbeddingSimilarity.bind`.

    Args:
        options: What to compare.
        model: Where embeddings come from.
        context: Base folder and environment variables.
    """

    def __init__(self, options: EmbeddingSimilarity, model: EmbeddingModel, context: BindContext) -> None:
        self.options = options
        self.source = VectorSource(model, context)

    @property
    def info(self) -> ScoreInfo:
        """A mean from -1 to 1."""
        return _INFO

    def describe(self) -> dict[str, Json]:
        """Model, address and options; no secret."""
        return {"expected": self.options.expected, "field": self.options.field, "model": self.source.describe()}

    async def open(self) -> None:
        """Open the connection."""
        await self.source.open()

    async def close(self) -> None:
        """Close the connection."""
        await self.source.close()

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
        found = await self.source.vectors([answer], ctx.services, lasting=accepted)
        return nearest(found[answer], [found[text] for text in accepted], accepted)
