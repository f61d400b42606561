"""Is the number in the answer the right one?"""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import (
    ExpectedPath,
    FieldPath,
    NotApplicable,
    OptionError,
    RuleScorer,
    answer_value,
    as_text,
    expected_value,
)
from evalwright.scorers.patterns import compile_pattern
from evalwright.scorers.text.numbers import Decimal, Number, find_numbers


@dataclass(frozen=True)
class Numeric(RuleScorer):
    """A number read from the answer equals the expected one, within a tolerance.

    Reads thousands separators, currencies, percent signs, fractions, signs and exponents. The expected value may be a
    number or a text; a text is read in the same way as the answer. An answer without a number scores 0.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="numeric", kind=ScoreKind.PROPORTION)

    _: KW_ONLY
    absolute: Annotated[float, Field(ge=0, description="Difference allowed, in the number's own unit.")] = 0.0
    relative: Annotated[float, Field(ge=0, description="Difference allowed, as a share of the expected value.")] = 1e-9
    after: Annotated[
        str | None, Field(description="Read only the last line that has this marker, after it, e.g. `A:`.")
    ] = None
    pattern: Annotated[
        str | None, Field(description="Read only the last match of this pattern (its first group, if it has one).")
    ] = None
    take: Annotated[Literal["last_number", "first_number"], Field(description="Which number of what is read.")] = (
        "last_number"
    )
    decimal: Annotated[
        Decimal, Field(description="Decimal separator; `auto` tells it from the other separators of the number.")
    ] = "auto"
    percent_as_fraction: Annotated[bool, Field(description="`12 %` is 0.12, not 12.")] = False
    expected: ExpectedPath = None
    field: FieldPath = None

    def __post_init__(self) -> None:
        """Compile the pattern now, so that a mistake shows before anything runs."""
        if self.after is not None and self.pattern is not None:
            raise OptionError("give either `after` or `pattern`, not both")
        if self.after == "":
            raise OptionError("`after` is empty")
        _ = self._compiled

    @cached_property
    def _compiled(self) -> Any:
        return None if self.pattern is None else compile_pattern(self.pattern, multiline=True)

    def __getstate__(self) -> dict[str, Any]:
        """Options only: compiled patterns do not travel between processes."""
        return {key: value for key, value in vars(self).items() if key != "_compiled"}

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when the numbers agree, else 0; the place of the number read is the evidence."""
        accepted = self._accepted(ctx)
        answer = answer_value(ctx, self.field)
        if isinstance(answer, (int, float)) and not isinstance(answer, bool):
            return self._verdict(float(answer), accepted, ())
        text = "" if answer is None else as_text(answer)
        number = self._read(text)
        if number is None:
            return Score.of(False, reason=f"no number found{self._where()}, expected {_shown(accepted)}")
        spot = Evidence(start=number.start, end=number.end, text=text[number.start : number.end])
        return self._verdict(self._scaled(number), accepted, (spot,))

    def _verdict(self, given: float, accepted: list[float], evidence: tuple[Evidence, ...]) -> Score:
        right = any(self._close(given, wanted) for wanted in accepted)
        return Score.of(right, reason=f"read {given:.12g}, expected {_shown(accepted)}", evidence=evidence)

    def _close(self, given: float, wanted: float) -> bool:
        return abs(given - wanted) <= max(self.absolute, self.relative * abs(wanted))

    def _accepted(self, ctx: ScoreContext) -> list[float]:
        value = expected_value(ctx, self.expected)
        items = value if isinstance(value, (list, tuple)) else [value]
        numbers = [number for number in map(self._number_of, items) if number is not None]
        if not numbers:
            raise NotApplicable(f"the expected value {as_text(value)[:100]!r} holds no number")
        return numbers

    def _number_of(self, value: Json) -> float | None:
        if isinstance(value, (int, float)):
            return _finite(value)
        if not isinstance(value, str):
            return None
        number = self._read(value) or _pick(find_numbers(value, decimal=self.decimal), self.take)
        return None if number is None else self._scaled(number)

    def _read(self, text: str) -> Number | None:
        start, end = self._region(text)
        found = _pick(find_numbers(text[start:end], decimal=self.decimal), self.take)
        return found and found._replace(start=found.start + start, end=found.end + start)

    def _region(self, text: str) -> tuple[int, int]:
        if self.after is not None:
            at = text.rfind(self.after)
            start = at + len(self.after)
            return (0, 0) if at < 0 else (start, _line_end(text, start))
        if self._compiled is not None:
            match = None
            for match in self._compiled.finditer(text):  # noqa: B007
                pass
            return match.span(min(1, self._compiled.groups)) if match else (0, 0)
        return (0, len(text))

    def _scaled(self, number: Number) -> float:
        return number.value / 100 if number.percent and self.percent_as_fraction else number.value

    def _where(self) -> str:
        if self.after is not None:
            return f" after {self.after!r}"
        return f" by the pattern {self.pattern!r}" if self.pattern is not None else ""


def _finite(value: float) -> float | None:
    try:
        number = float(value)
    except OverflowError:
        return None
    return number if math.isfinite(number) else None


def _pick(numbers: list[Number], take: str) -> Number | None:
    return (numbers[-1] if take == "last_number" else numbers[0]) if numbers else None


def _line_end(text: str, start: int) -> int:
    end = text.find("\n", start)
    return len(text) if end < 0 else end


def _shown(accepted: list[float]) -> str:
    return " or ".join(f"{value:.12g}" for value in accepted[:3])
