"""Were the right passages retrieved? Judged by their text, where no relevant ids are known."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.base import ExpectedPath, NotApplicable, RuleScorer
from evalwright.scorers.rag.claims import statements
from evalwright.scorers.rag.groundedness import is_supported
from evalwright.scorers.rag.inputs import (
    DEFAULT_THRESHOLD,
    ContextPath,
    QuestionPath,
    Threshold,
    facts,
    passages,
    question,
)
from evalwright.scorers.rag.support import Source, Support, sources, support
from evalwright.scorers.rag.terms import content_terms, coverage, terms

_SHOWN = 10


@dataclass(frozen=True)
class ContextRecall(RuleScorer):
    """Share of the expected facts that the retrieved passages hold.

    The facts are a list in `expected` (or the part it names), or the statements of a reference answer. A fact is held
    when one passage has enough of its words and contradicts neither its numbers nor its negation.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="context_recall")

    _: KW_ONLY
    threshold: Threshold = DEFAULT_THRESHOLD
    context: ContextPath = None
    expected: ExpectedPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """The share of facts found; each fact with the sentence that holds it is the evidence."""
        wanted = facts(ctx, self.expected)
        return fact_score(wanted, sources(passages(ctx, self.context)), self.threshold, "retrieved")


def fact_score(wanted: list[str], known: list[Source], threshold: float, verb: str) -> Score:
    """Share of facts that some sources hold, with the places as evidence."""
    judged = [(fact, support(fact, known)) for fact in wanted]
    held = sum(is_supported(backing, threshold) for _, backing in judged)
    shown = tuple(item for fact, backing in judged[:_SHOWN] for item in _shown(fact, backing, threshold))
    reason = f"{held} of {len(judged)} facts {verb}"
    return Score.of(held / len(judged), passed=held == len(judged), reason=reason, evidence=shown)


def _shown(fact: str, backing: Support, threshold: float) -> tuple[Evidence, ...]:
    held = is_supported(backing, threshold)
    note = "found" if held else "missing"
    if backing.conflicts:
        note += ": " + "; ".join(backing.conflicts)
    return (Evidence(where="expected", text=fact[:500], note=note), *(backing.evidence("holds it") if held else ()))


@dataclass(frozen=True)
class ContextRelevance(RuleScorer):
    """How much the retrieved passages are about the question: mean share of its content words in each passage.

    Deterministic and lexical: a passage that says it in other words scores low; where the relevant ids are known, use
    `precision_at_k`.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="context_relevance")

    _: KW_ONLY
    context: ContextPath = None
    question: QuestionPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """The mean over the passages; the least relevant ones are the evidence."""
        asked = content_terms(question(ctx, self.question))
        if not asked:
            raise NotApplicable("the question has no content words")
        texts = passages(ctx, self.context)
        values = [coverage(asked, frozenset(terms(text))) for text in texts]
        order = sorted(range(len(texts)), key=lambda place: values[place])[:3]
        notes = {place: f"{values[place]:.2f} of the question's words" for place in order}
        evidence = tuple(
            Evidence(where="context", index=place, text=texts[place][:200], note=note) for place, note in notes.items()
        )
        return Score.of(sum(values) / len(values), reason=f"{len(texts)} passages", evidence=evidence)


@dataclass(frozen=True)
class NoiseSensitivity(RuleScorer):
    """Share of the answer's claims that are not expected but come from a retrieved passage: noise taken for an answer.

    A claim counts when no expected fact supports it and a retrieved passage does. 0 is best. The expected facts must be
    complete, or right additions count as noise.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="noise_sensitivity", higher_is_better=False)

    _: KW_ONLY
    threshold: Threshold = DEFAULT_THRESHOLD
    context: ContextPath = None
    expected: ExpectedPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """The share of claims; each is shown with its passage."""
        wanted, known = sources(facts(ctx, self.expected)), sources(passages(ctx, self.context))
        found = statements(ctx.output.text)
        if not found:
            raise NotApplicable("the answer claims nothing")
        noise = []
        for claim in found:
            backing = support(claim.text, known)
            if is_supported(backing, self.threshold) and not is_supported(support(claim.text, wanted), self.threshold):
                mine = Evidence(start=claim.start, end=claim.end, text=claim.text[:500], note="not expected")
                noise.append((mine, *backing.evidence("comes from here")))
        shown = tuple(item for pair in noise[:_SHOWN] for item in pair)
        reason = f"{len(noise)} of {len(found)} claims are from passages but not expected"
        return Score.of(len(noise) / len(found), passed=not noise, reason=reason, evidence=shown)
