"""How long is the answer, and is that within limits?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Literal

from pydantic import Field

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import FieldPath, OptionError, RuleScorer, answer_text
from evalwright.scorers.text.sentences import sentences
from evalwright.scorers.text.words import words


def estimated_tokens(text: str) -> int:
    """Tokens of a usual sub-word vocabulary, estimated as a quarter of the UTF-8 bytes."""
    return -(-len(text.encode(errors="replace")) // 4)


_COUNTERS: dict[str, Callable[[str], int]] = {
    "chars": len,
    "words": lambda text: len(words(text)),
    "sentences": lambda text: len(sentences(text)),
    "lines": lambda text: len(text.splitlines()),
    "tokens": estimated_tokens,
}


@dataclass(frozen=True)
class Length(RuleScorer):
    """The length of the answer; with a limit, whether it is kept.

    With `min` or `max` each row is 0 or 1; without them the length itself is the score, a quantity in its unit. Tokens
    are an estimate (UTF-8 bytes divided by four), the same for every model.
    """

    unit: Annotated[
        Literal["chars", "words", "sentences", "lines", "tokens"], Field(description="What is counted.")
    ] = "words"
    _: KW_ONLY
    min: Annotated[int | None, Field(ge=0, description="Fewest allowed.")] = None
    max: Annotated[int | None, Field(ge=0, description="Most allowed.")] = None
    field: FieldPath = None

    def __post_init__(self) -> None:
        """Refuse limits that nothing can keep."""
        if self.min is not None and self.max is not None and self.min > self.max:
            raise OptionError(f"`min` ({self.min}) is over `max` ({self.max})")

    @property
    def info(self) -> ScoreInfo:
        """A proportion when there are limits, else a quantity in the unit."""
        if self._limited:
            return ScoreInfo(name="length", kind=ScoreKind.PROPORTION)
        return ScoreInfo(name="length", kind=ScoreKind.QUANTITY, high=None, higher_is_better=None, unit=self.unit)

    @property
    def _limited(self) -> bool:
        return self.min is not None or self.max is not None

    def judge(self, ctx: ScoreContext) -> Score:
        """The length, or 1 when it is within the limits."""
        length = _COUNTERS[self.unit](answer_text(ctx, self.field))
        if not self._limited:
            return Score.of(float(length), reason=f"{length} {self.unit}")
        kept = (self.min is None or length >= self.min) and (self.max is None or length <= self.max)
        limits = f"{self.min if self.min is not None else 0} to {self.max if self.max is not None else 'any number'}"
        return Score.of(kept, reason=f"{length} {self.unit}, allowed {limits}")
