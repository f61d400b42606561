"""How many words do the answer and a reference share?"""

from __future__ import annotations

from collections import Counter
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, Literal, NamedTuple

from pydantic import Field

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.base import ExpectedPath, FieldPath, RuleScorer, answer_text, references
from evalwright.scorers.text.normalize import squad_normalize
from evalwright.scorers.text.words import runs


class Overlap(NamedTuple):
    """Precision, recall and their harmonic mean, each 0 to 1."""

    precision: float
    recall: float
    f1: float


def overlap(answer: list[str], reference: list[str]) -> Overlap:
    """Overlap of two bags of tokens; two empty bags agree, one empty bag shares nothing.

    Example:
        >>> overlap(["a", "b"], ["b", "c", "b"]).f1
        0.4
    """
    if not answer or not reference:
        same = float(answer == reference)
        return Overlap(same, same, same)
    common = (Counter(answer) & Counter(reference)).total()
    precision, recall = common / len(answer), common / len(reference)
    return Overlap(precision, recall, 2 * common / (len(answer) + len(reference)))


@dataclass(frozen=True)
class TokenF1(RuleScorer):
    """Share of words common to the answer and the nearest reference, as F1.

    The answers are normalised as in the SQuAD evaluation script (Rajpurkar et al. 2016): no case, punctuation or
    English articles. `tokens: words` splits any script, one token per Chinese or Japanese sign.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="token_f1")

    measure: Annotated[Literal["f1", "precision", "recall"], Field(description="Which of the three figures.")] = "f1"
    _: KW_ONLY
    tokens: Annotated[
        Literal["squad", "words"], Field(description="`squad` splits at spaces; `words` suits every script.")
    ] = "squad"
    expected: ExpectedPath = None
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """The best overlap over the references, 0 to 1."""
        accepted = references(ctx, self.expected)
        answer = self._split(answer_text(ctx, self.field))
        found = [overlap(answer, self._split(item)) for item in accepted]
        best = max(found, key=lambda item: float(getattr(item, self.measure)))
        reason = f"precision {best.precision:.3f}, recall {best.recall:.3f}, {len(answer)} words in the answer"
        return Score.of(float(getattr(best, self.measure)), reason=reason)

    def _split(self, text: str) -> list[str]:
        return squad_normalize(text).split() if self.tokens == "squad" else runs(text)
