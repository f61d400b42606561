"""Is what the answer says in the retrieved passages?"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.base import FieldPath, NotApplicable, RuleScorer, answer_text
from evalwright.scorers.rag.claims import Claim, statements
from evalwright.scorers.rag.inputs import DEFAULT_THRESHOLD, ContextPath, Threshold, passages
from evalwright.scorers.rag.support import Support, sources, support
from evalwright.scorers.text.words import words

_SHOWN = 20


@dataclass(frozen=True)
class Groundedness(RuleScorer):
    """How much of the answer the retrieved passages support, claim by claim, without a model.

    The answer is cut into claims; questions, courtesies and admissions of not knowing are left out. A claim's support
    is the share of its words that one passage has (articles, pronouns and the like count half), times 0.75 for each
    inconsistency: a number or a name that no passage has, a negation on one side only. `support` is the mean over the
    claims by length and ranks answers best; `claims` is the share of claims supported, also given as the part `claims`.
    Skipped where the answer claims nothing. Judge-based groundedness reads what this tier can't.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="groundedness")

    _: KW_ONLY
    measure: Annotated[
        Literal["support", "claims"], Field(description="Mean support of the claims, or the share of claims supported.")
    ] = "support"
    threshold: Threshold = DEFAULT_THRESHOLD
    context: ContextPath = None
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """The support of the answer; per claim the sentence that supports it, or what is missing."""
        known = sources(passages(ctx, self.context))
        found = statements(answer_text(ctx, self.field))
        if not found:
            raise NotApplicable("the answer claims nothing")
        judged = [(claim, support(claim.text, known)) for claim in found]
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
