"""A scorer's verdict on one output. Its status is apart from its value: an error is never a wrong answer."""

from __future__ import annotations

import math
from enum import StrEnum

import msgspec

from evalwright.core.case import Json


class ScoreStatus(StrEnum):
    """Whether a score has a value, and if not, why not."""

    SCORED = "scored"
    SKIPPED = "skipped"
    ERROR = "error"


class Evidence(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A place that supports a verdict: a span of the output or of a context, or a quoted value.

    Attributes:
        where: `output`, `context`, `tool_call`, `expected` or another part of the record.
        index: Which context or tool call, from 0.
        start: First character of the span.
        end: Character after the span.
        text: What stands there.
        note: What it shows.
    """

    where: str = "output"
    index: int | None = None
    start: int | None = None
    end: int | None = None
    text: str = ""
    note: str = ""


class Score(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a scorer says of one output.

    Attributes:
        status: `scored`, `skipped` (not applicable to this case) or `error` (the scorer failed).
        value: A finite number when scored; None otherwise.
        passed: The row verdict, where the scorer has one.
        label: A category instead of, or beside, the number.
        reason: Why, in a sentence a person can check.
        evidence: Where it shows.
        parts: Named sub-values; each becomes a metric `<metric>.<part>`.
        stats: Sufficient statistics of metrics that are no mean of their rows (corpus BLEU, F1).
        metadata: Anything else worth keeping.
    """

    status: ScoreStatus = ScoreStatus.SCORED
    value: float | None = None
    passed: bool | None = None
    label: str | None = None
    reason: str = ""
    evidence: tuple[Evidence, ...] = ()
    parts: dict[str, float] = {}
    stats: tuple[float, ...] = ()
    metadata: dict[str, Json] = {}

    @classmethod
    def of(
        cls,
        value: bool | float,
        *,
        passed: bool | None = None,
        reason: str = "",
        evidence: tuple[Evidence, ...] = (),
        label: str | None = None,
        parts: dict[str, float] | None = None,
        stats: tuple[float, ...] = (),
    ) -> Score:
        """A score with a value. A bool becomes 1.0 or 0.0 and is its own row verdict.

        Raises:
            ValueError: The value is NaN or infinite; return `Score.skip` or `Score.failure` instead.
        """
        number = float(value)
        if not math.isfinite(number):
            raise ValueError(f"a score must be a finite number, not {number}: use Score.skip or Score.failure")
        verdict = bool(value) if passed is None and isinstance(value, bool) else passed
        return cls(
            value=number, passed=verdict, label=label, reason=reason, evidence=evidence, parts=parts or {}, stats=stats
        )

    @classmethod
    def skip(cls, reason: str) -> Score:
        """The scorer does not apply to this case (a field is missing, nothing to judge)."""
        return cls(status=ScoreStatus.SKIPPED, reason=reason)

    @classmethod
    def failure(cls, reason: str) -> Score:
        """The scorer itself failed; the output is neither right nor wrong."""
        return cls(status=ScoreStatus.ERROR, reason=reason)
