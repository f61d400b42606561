"""Does the answer contain certain texts?"""

from __future__ import annotations

import re
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import ExpectedPath, FieldPath, RuleScorer, answer_text, references
from evalwright.scorers.text.normalize import nfc

Mode = Literal["all", "any", "none"]


def quorum(mode: Mode, found: int, wanted: int) -> bool:
    """Whether `found` of `wanted` texts satisfy the mode."""
    return {"all": found == wanted, "any": found > 0, "none": found == 0}[mode]


@dataclass(frozen=True)
class Contains(RuleScorer):
    """The answer contains all, any or none of some texts, given as an option or expected by the case."""

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="contains", kind=ScoreKind.PROPORTION)

    values: Annotated[
        str | tuple[str, ...] | None,
        Field(description="The text or texts to look for; those of the case's `expected` when not given."),
    ] = None
    _: KW_ONLY
    mode: Annotated[Mode, Field(description="`all`, `any` or `none` of them must occur.")] = "all"
    ignore_case: Annotated[bool, Field(description="Upper and lower case are the same.")] = False
    whole_words: Annotated[bool, Field(description="`art` is not found in `party`.")] = False
    expected: ExpectedPath = None
    field: FieldPath = None

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when the mode is satisfied, else 0; what was found is the evidence."""
        original = answer_text(ctx, self.field)
        text = nfc(original)
        wanted = self._wanted(ctx)
        places = {value: self._find(value, text) for value in wanted}
        found = [value for value, place in places.items() if place]
        absent = [value for value, place in places.items() if not place]
        spans = tuple(_evidence(place, exact=text == original) for place in places.values() if place)
        reason = "; ".join(filter(None, [_listed("found", found), _listed("not found", absent)]))
        return Score.of(quorum(self.mode, len(found), len(places)), reason=reason, evidence=spans)

    def _wanted(self, ctx: ScoreContext) -> tuple[str, ...]:
        if self.values is None:
            return references(ctx, self.expected)
        return (self.values,) if isinstance(self.values, str) else self.values

    def _find(self, value: str, text: str) -> re.Match[str] | None:
        pattern = re.escape(nfc(value))
        if self.whole_words:
            pattern = rf"(?<!\w){pattern}(?!\w)"
        return re.search(pattern, text, re.IGNORECASE if self.ignore_case else 0)


def _evidence(place: re.Match[str], *, exact: bool) -> Evidence:
    if exact:
        return Evidence(start=place.start(), end=place.end(), text=place.group())
    return Evidence(text=place.group())


def _listed(label: str, values: list[str]) -> str:
    if not values:
        return ""
    more = f" and {len(values) - 5} more" if len(values) > 5 else ""
    return f"{label} " + ", ".join(repr(value[:100]) for value in values[:5]) + more
