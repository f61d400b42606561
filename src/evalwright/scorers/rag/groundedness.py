"""Is what the answer says in the retrieved passages?"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.base import FieldPath, NotApplicable, OptionError, RuleScorer, answer_text, readable
from evalwright.scorers.rag.claims import Claim, statements
from evalwright.scorers.rag.inputs import DEFAULT_THRESHOLD, ContextPath, Threshold, passages
from evalwright.scorers.rag.support import Support, sources, support
from evalwright.scorers.similarity.embedders import EmbeddingModel, VectorSource
from evalwright.scorers.similarity.vectors import Vector, cosine
from evalwright.scorers.text.sentences import sentences
from evalwright.scorers.text.words import words

_SHOWN = 20
_MOST_SENTENCES = 400
_NEAR = 0.5
_GIVEN_BACK = 0.5


@dataclass(frozen=True)
class Groundedness(RuleScorer):
    """How much of the answer the retrieved passages support, claim by claim, without a model.

    The answer is cut into claims; questions, courtesies and admissions of not knowing are left out. A claim's support
    is the share of its words that one passage has (articles, pronouns and the like count half), times 0.75 for each
    inconsistency: a number or a name that no passage has, a negation on one side only. `support` is the mean over the
    claims by length and ranks answers best; `claims` is the share of claims supported, also given as the part `claims`.
    Skipped where the answer claims nothing. With `embeddings`, a claim said in other words gets back part of what its
    words lack, as near as it is to a sentence of a passage; an inconsistency still counts. Judge-based groundedness
    reads what these tiers can't.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="groundedness")

    _: KW_ONLY
    measure: Annotated[
        Literal["support", "claims"], Field(description="Mean support of the claims, or the share of claims supported.")
    ] = "support"
    threshold: Threshold = DEFAULT_THRESHOLD
    embeddings: Annotated[
        EmbeddingModel | None,
        Field(description="Where embeddings come from; none by default. `{model: local}` needs the extra `model2vec`."),
    ] = None
    context: ContextPath = None
    field: FieldPath = None

    def bind(self, context: BindContext) -> Groundedness | EmbeddedGroundedness:
        """The scorer with its embeddings ready, where it has any.

        Raises:
            ConfigError: The model or its address is wrong, a secret is literal, or a variable is not set.
            MissingExtra: A local model needs a package that is not installed.
        """
        return self if self.embeddings is None else EmbeddedGroundedness(self, self.embeddings, context)

    def judge(self, ctx: ScoreContext) -> Score:
        """The support of the answer; per claim the sentence that supports it, or what is missing."""
        if self.embeddings is not None:
            raise OptionError("the embeddings are not open", hint="call bind() first, as a suite does")
        return self.scored(self.lexical(ctx))

    def lexical(self, ctx: ScoreContext) -> list[tuple[Claim, Support]]:
        """Each claim with what the words of the passages say of it.

        Raises:
            NotApplicable: There is no claim or no passage.
        """
        known = sources(passages(ctx, self.context))
        found = statements(answer_text(ctx, self.field))
        if not found:
            raise NotApplicable("the answer claims nothing")
        return [(claim, support(claim.text, known)) for claim in found]

    def scored(self, judged: list[tuple[Claim, Support]]) -> Score:
        """The score of an answer from the support of its claims."""
        grounded = [is_supported(backing, self.threshold) for _, backing in judged]
        share = sum(grounded) / len(grounded)
        value = share if self.measure == "claims" else mean_support(judged)
        evidence = tuple(item for claim, backing in judged[:_SHOWN] for item in self._evidence(claim, backing))
        reason = f"{sum(grounded)} of {len(grounded)} claims supported"
        return Score.of(value, passed=all(grounded), reason=reason, evidence=evidence, parts={"claims": share})

    def _evidence(self, claim: Claim, backing: Support) -> tuple[Evidence, ...]:
        supported = is_supported(backing, self.threshold)
        note = f"{'supported' if supported else 'not supported'} ({backing.value:.2f})"
        if backing.conflicts:
            note += ": " + "; ".join(backing.conflicts)
        mine = Evidence(start=claim.start, end=claim.end, text=claim.text[:500], note=note)
        return (mine, *backing.evidence("supports it" if supported else "nearest"))


def is_supported(backing: Support, threshold: float) -> bool:
    """Whether a claim counts as supported: enough shared words, and neither a number nor a negation against it."""
    return backing.value >= threshold and not backing.contradicted


def mean_support(judged: list[tuple[Claim, Support]]) -> float:
    """Mean support of claims, each weighing as many words as it has."""
    sizes = [max(1, len(words(claim.text))) for claim, _ in judged]
    total = sum(size * backing.value for size, (_, backing) in zip(sizes, judged, strict=True))
    return total / sum(sizes)


class EmbeddedGroundedness:
    """Groundedness with embeddings beside the words; made by `Groundedness.bind`.

    A claim whose words have support v, and whose nearest sentence has cosine c, gets v + (1 - v) / 2 · (c - 0.5) / 0.5
    where c is above 0.5.

    Args:
        options: What to compare.
        model: Where embeddings come from.
        context: Base folder and environment variables.
    """

    def __init__(self, options: Groundedness, model: EmbeddingModel, context: BindContext) -> None:
        self.options = options
        self.source = VectorSource(model, context)

    @property
    def info(self) -> ScoreInfo:
        """As without embeddings."""
        return self.options.info

    def describe(self) -> dict[str, Json]:
        """Every option, with the model's name and address; no secret."""
        plain = replace(self.options, embeddings=None)
        return {**plain.describe(), "embeddings": self.source.describe()}

    async def open(self) -> None:
        """Open the connection."""
        await self.source.open()

    async def close(self) -> None:
        """Close the connection."""
        await self.source.close()

    async def score(self, ctx: ScoreContext) -> Score:
        """The support of the answer, by words and by embeddings.

        Raises:
            TargetError: The endpoint failed for good.
        """
        ctx = readable(ctx)
        try:
            judged = self.options.lexical(ctx)
        except NotApplicable as nothing:
            return Score.skip(str(nothing))
        texts = passages(ctx, self.options.context)
        places = [part.text for text in texts for part in sentences(text)][:_MOST_SENTENCES]
        found = await self.source.vectors([claim.text for claim, _ in judged], ctx.services, lasting=places)
        known = [found[place] for place in places]
        return self.options.scored([(claim, _nearer(backing, found[claim.text], known)) for claim, backing in judged])


def _nearer(backing: Support, claim: Vector, known: list[Vector]) -> Support:
    """A claim's support with what its nearest sentence gives back."""
    near = max((cosine(claim, vector) for vector in known), default=0.0)
    back = (1.0 - backing.value) * _GIVEN_BACK * max(0.0, (near - _NEAR) / (1.0 - _NEAR))
    return replace(backing, value=min(1.0, backing.value + back))
