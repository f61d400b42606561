"""How many edits lie between the answer and a reference?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field
from rapidfuzz.distance import Indel, JaroWinkler, Levenshtein

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.scorers.base import ExpectedPath, FieldPath, RuleScorer, answer_text, references
from evalwright.scorers.text.normalize import nfc, squad_normalize

_LARGEST = 4_000_000_000
_MEASURES: dict[str, Callable[[str, str], float]] = {
    "levenshtein": Levenshtein.normalized_similarity,
    "indel": Indel.normalized_similarity,
    "jaro_winkler": JaroWinkler.normalized_similarity,
}


@dataclass(frozen=True)
class EditSimilarity(RuleScorer):
    """1 minus the edit distance to the nearest reference, as a share of the longer text.

    `levenshtein` counts insertions, deletions and substitutions (Levenshtein 1966); `indel` has no substitutions and is
    relative to the summed lengths; `jaro_winkler` suits names. 1 means equal, 0 nothing in common.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="edit_similarity")

    measure: Annotated[Literal["levenshtein", "indel", "jaro_winkler"], Field(description="Which distance.")] = (
        "levenshtein"
    )
    _: KW_ONLY
    ignore_case: Annotated[bool, Field(description="Upper and lower case are the same.")] = False
    normalize: Annotated[
        bool, Field(description="Compare without case, punctuation, English articles and extra spaces.")
    ] = False
    expected: ExpectedPath = None
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """The similarity to the nearest reference, 0 to 1."""
        accepted = references(ctx, self.expected)
        answer = self._form(answer_text(ctx, self.field))
        if any(len(answer) * len(item) > _LARGEST for item in accepted):
            return Score.failure("answer and reference are too long for an edit distance")
        value, best = max((_MEASURES[self.measure](answer, self._form(item)), item) for item in accepted)
        return Score.of(float(value), reason=f"nearest reference {best[:200]!r}")

    def _form(self, text: str) -> str:
        if self.normalize:
            return squad_normalize(text)
        form = nfc(text.strip())
        return form.casefold() if self.ignore_case else form
