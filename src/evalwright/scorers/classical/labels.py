"""What scorers of classifiers share: the true and the predicted label of a row, as text and as a number."""

from __future__ import annotations

import hashlib
from dataclasses import KW_ONLY, dataclass
from typing import Annotated

import msgspec
from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.scorer import ScoreContext
from evalwright.scorers.base import (
    ExpectedPath,
    FieldPath,
    NotApplicable,
    RuleScorer,
    answer_value,
    as_text,
    expected_value,
)

_DIGITS = 6


def label_code(text: str) -> float:
    """A label as a number that stands for it everywhere: 48 bits of its SHA-256, which a float holds exactly.

    Example:
        >>> label_code("refund") == label_code("refund") != label_code("delivery")
        True
    """
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
    return float(int.from_bytes(digest[:_DIGITS], "big"))


class LabelPair(msgspec.Struct, frozen=True):
    """The true and the predicted label of a row."""

    actual: str
    predicted: str

    @property
    def right(self) -> bool:
        """Whether they are the same."""
        return self.actual == self.predicted

    @property
    def codes(self) -> tuple[float, float]:
        """Both as numbers, the statistics of the row."""
        return label_code(self.actual), label_code(self.predicted)


@dataclass(frozen=True)
class LabelScorer(RuleScorer):
    """Base of the scorers that look at one label per row."""

    _: KW_ONLY
    ignore_case: Annotated[bool, Field(description="Upper and lower case are the same.")] = False
    expected: ExpectedPath = None
    field: FieldPath = None

    def labels(self, ctx: ScoreContext) -> LabelPair:
        """The row's labels.

        Raises:
            NotApplicable: The case names no label, or the answer has none at the path.
        """
        wanted = expected_value(ctx, self.expected)
        if isinstance(wanted, (list, tuple, dict)):
            raise NotApplicable("the expected value is no single label; name its part with the option `expected`")
        return LabelPair(self.form(wanted), self.form(answer_value(ctx, self.field)))

    def form(self, value: Json) -> str:
        """A label as it is compared."""
        text = "" if value is None else as_text(value).strip()
        return text.casefold() if self.ignore_case else text


def told(pair: LabelPair) -> str:
    """The row in words."""
    shown = pair.predicted[:200] or "nothing"
    return f"said {shown!r}, which is right" if pair.right else f"said {shown!r}, expected {pair.actual[:200]!r}"
