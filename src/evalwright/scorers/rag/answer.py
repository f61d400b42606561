"""Does the answer answer the question, and all of it?"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import ClassVar

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.base import ExpectedPath, FieldPath, NotApplicable, RuleScorer, answer_text
from evalwright.scorers.rag.abstention import Abstention, abstention
from evalwright.scorers.rag.claims import statements
from evalwright.scorers.rag.context import fact_score
from evalwright.scorers.rag.inputs import DEFAULT_THRESHOLD, QuestionPath, Threshold, facts, question
from evalwright.scorers.rag.support import sources, support
from evalwright.scorers.rag.terms import content_terms, coverage, terms


@dataclass(frozen=True)
class Completeness(RuleScorer):
    """Share of the expected facts that the answer states.

    The facts are a list in `expected` (or the part it names), or the statements of a reference answer. Lexical: a fact
    said in wholly other words counts as missing.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="completeness")

    _: KW_ONLY
    threshold: Threshold = DEFAULT_THRESHOLD
    expected: ExpectedPath = None
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """The share of facts stated; missing ones are the evidence."""
        return fact_score(facts(ctx, self.expected), sources([answer_text(ctx, self.field)]), self.threshold, "stated")


@dataclass(frozen=True)
class AnswerRelevance(RuleScorer):
    """How much of the question the answer takes up, itself or through the passages that its claims rest on.

    A short answer need not repeat the question: `Five days` is relevant when the sentence it comes from is about what
    was asked. The value is the share of the question's content words found in the answer and in those sentences. An
    answer that only admits not to know is skipped; an empty one scores 0.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="answer_relevance")

    _: KW_ONLY
    question: QuestionPath = None
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """The share of the question's words taken up; those left out are in the reason."""
        asked = content_terms(question(ctx, self.question))
        if not asked:
            raise NotApplicable("the question has no content words")
        answer = answer_text(ctx, self.field)
        if abstention(answer).kind is Abstention.FULL:
            raise NotApplicable("the answer admits not to know")
        known = sources([passage.text for passage in ctx.output.contexts])
        backing = [support(claim.text, known) for claim in statements(answer)]
        taken = set(terms(answer)).union(*(terms(item.place.text) for item in backing if item.place))
        absent = [term for term in asked if term not in taken]
        reason = f"{len(asked) - len(absent)} of {len(asked)} words of the question taken up"
        return Score.of(coverage(asked, taken), reason=reason + (f"; not: {', '.join(absent[:8])}" if absent else ""))
