"""Is the answer the expected one?"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar

import msgspec
from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.identity import canonical_json
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import (
    ExpectedPath,
    FieldPath,
    NotApplicable,
    RuleScorer,
    answer_value,
    as_text,
    expected_value,
)
from evalwright.scorers.text.normalize import nfc, squad_normalize

_SHOWN = 200


@dataclass(frozen=True)
class ExactMatch(RuleScorer):
    """The answer equals the expected value, or one of them when `expected` is a list.

    Texts are compared in Unicode normal form C. An expected object is compared with the output's `data` (or the part
    that `field` names), or with the JSON that the text is; key order does not matter.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="exact_match", kind=ScoreKind.PROPORTION)

    _: KW_ONLY
    ignore_case: Annotated[bool, Field(description="Upper and lower case are the same.")] = False
    strip: Annotated[bool, Field(description="Space around the texts does not count.")] = True
    normalize: Annotated[
        bool,
        Field(description="Compare as the SQuAD script does: no case, punctuation, English articles, extra spaces."),
    ] = False
    expected: ExpectedPath = None
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when equal, else 0, with both texts in the reason."""
        wanted = expected_value(ctx, self.expected)
        accepted = list(wanted) if isinstance(wanted, (list, tuple)) else [wanted]
        if not accepted:
            raise NotApplicable("the case's list of accepted answers is empty")
        if any(isinstance(item, (dict, list, tuple)) for item in accepted):
            return self._compare_json(ctx, wanted, accepted)
        answer = answer_value(ctx, self.field)
        return self._compare_texts("" if answer is None else as_text(answer), [as_text(item) for item in accepted])

    def _compare_texts(self, answer: str, accepted: list[str]) -> Score:
        given = self._form(answer)
        match = next((item for item in accepted if self._form(item) == given), None)
        if match is not None:
            return Score.of(True, reason=f"equals {match[:_SHOWN]!r}")
        shown = " or ".join(repr(item[:_SHOWN]) for item in accepted[:3])
        reason = f"expected {shown}, got {answer[:_SHOWN]!r}" if answer else f"expected {shown}, the answer is empty"
        return Score.of(False, reason=reason)

    def _form(self, text: str) -> str:
        if self.normalize:
            return squad_normalize(text)
        form = nfc(text.strip() if self.strip else text)
        return form.casefold() if self.ignore_case else form

    def _compare_json(self, ctx: ScoreContext, wanted: Json, accepted: list[Json]) -> Score:
        answer = answer_value(ctx, self.field) if self.field else ctx.output.data
        if answer is None or isinstance(answer, str):
            try:
                answer = msgspec.json.decode((answer or ctx.output.text).encode())
            except (msgspec.DecodeError, RecursionError):
                return Score.of(False, reason="expected a JSON value, the answer is not JSON")
        given = canonical_json(answer)
        if any(canonical_json(item) == given for item in (wanted, *accepted)):
            return Score.of(True, reason="equals the expected value")
        shown = given[:_SHOWN].decode(errors="ignore")
        return Score.of(False, reason="differs from the expected value", evidence=(Evidence(text=shown),))
