"""Is the answer in the right language?"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar

import py3langid
from pydantic import Field

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import FieldPath, NotApplicable, RuleScorer, answer_text
from evalwright.scorers.paths import lookup

_PLACES = ("input.locale", "metadata.locale", "metadata.language", "input.language")
_SAME = {"nb": "no", "nn": "no", "iw": "he", "in": "id", "ji": "yi", "cmn": "zh", "fil": "tl"}
_READ = 20_000


@dataclass(frozen=True)
class Language(RuleScorer):
    """The answer is in the expected language.

    The language comes from the option, or from the case: `input.locale`, `metadata.locale`, `metadata.language` or
    `input.language`. Regions and scripts do not count (`de-AT` is `de`). An answer too short to tell is skipped; an
    empty one scores 0. Detection by py3langid, 97 languages; closely related languages may be taken for one another.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="language", kind=ScoreKind.PROPORTION)

    languages: Annotated[
        str | tuple[str, ...] | None, Field(description="The language or languages allowed, as ISO 639-1 codes.")
    ] = None
    _: KW_ONLY
    expected: Annotated[
        str | None,
        Field(description="Dotted path of the language in the case: `input.…`, `metadata.…` or `expected.…`."),
    ] = None
    min_letters: Annotated[int, Field(ge=1, description="Answers with fewer letters are skipped.")] = 20
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when the detected language is allowed, else 0."""
        allowed = self._allowed(ctx)
        text = answer_text(ctx, self.field)
        if not text.strip():
            return Score.of(False, reason="the answer is empty")
        if sum(map(str.isalpha, text[:_READ])) < self._needed(text):
            raise NotApplicable("the answer is too short to tell its language")
        code, _ = py3langid.classify(text[:_READ])
        found = base_language(str(code))
        return Score.of(found in allowed, reason=f"looks like `{found}`, allowed {', '.join(sorted(allowed))}")

    def _needed(self, text: str) -> int:
        dense = any("\u3040" <= sign <= "\u9fff" or "\uac00" <= sign <= "\ud7a3" for sign in text[:200])
        return max(1, self.min_letters // 3) if dense else self.min_letters

    def _allowed(self, ctx: ScoreContext) -> set[str]:
        given = self.languages if self.languages is not None else self._from_case(ctx)
        return {base_language(item) for item in ((given,) if isinstance(given, str) else given)}

    def _from_case(self, ctx: ScoreContext) -> str | list[str]:
        places = (self.expected,) if self.expected else _PLACES
        for place in places:
            value = lookup(ctx.case, place)
            if isinstance(value, str) and value:
                return value
            if isinstance(value, list) and value and all(isinstance(item, str) for item in value):
                return value
        missing = " or ".join(f"`{place}`" for place in places)
        raise NotApplicable(f"the case names no language at {missing}")


def base_language(code: str) -> str:
    """The language of a locale code: `pt_BR` gives `pt`, `nb` gives `no`."""
    base = code.replace("_", "-").partition("-")[0].lower()
    return _SAME.get(base, base)
