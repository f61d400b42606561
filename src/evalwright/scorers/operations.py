"""What an answer took: seconds, money, tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import NotApplicable, RuleScorer


def _quantity(name: str, unit: str) -> ScoreInfo:
    return ScoreInfo(name=name, kind=ScoreKind.QUANTITY, low=0.0, high=None, higher_is_better=False, unit=unit)


def _measured(value: float | None, what: str) -> float:
    if value is None:
        raise NotApplicable(f"the target did not report {what}")
    return value


@dataclass(frozen=True)
class Latency(RuleScorer):
    """Seconds from the question to the whole answer.

    Skipped where the target reports none (recorded outputs without timing).
    """

    INFO: ClassVar[ScoreInfo] = _quantity("latency", "s")

    def judge(self, ctx: ScoreContext) -> Score:
        """The wall seconds of the answered attempt."""
        return Score.of(_measured(ctx.output.latency_s, "its latency"))


@dataclass(frozen=True)
class FirstToken(RuleScorer):
    """Seconds from the question to the first token of a streamed answer.

    Skipped where the answer was not streamed.
    """

    INFO: ClassVar[ScoreInfo] = _quantity("first_token", "s")

    def judge(self, ctx: ScoreContext) -> Score:
        """The seconds to the first token."""
        return Score.of(_measured(ctx.output.first_token_s, "the time of its first token"))


@dataclass(frozen=True)
class Cost(RuleScorer):
    """Money an answer cost, in US dollars.

    Skipped where the price is unknown: an unknown cost is not a cost of zero.
    """

    INFO: ClassVar[ScoreInfo] = _quantity("cost", "USD")

    def judge(self, ctx: ScoreContext) -> Score:
        """The cost of the answer."""
        return Score.of(_measured(ctx.output.cost, "a cost, and no price of its model is known"))


@dataclass(frozen=True)
class Tokens(RuleScorer):
    """Tokens of a call as the provider counted them.

    Skipped where the target reports no usage.
    """

    count: Annotated[
        Literal["total", "input", "output", "cached"],
        Field(description="Which tokens: those of the prompt, of the answer, both, or those read from a cache."),
    ] = "total"

    @property
    def info(self) -> ScoreInfo:
        """A quantity in tokens; its name tells which."""
        return _quantity("tokens" if self.count == "total" else f"{self.count}_tokens", "tokens")

    def judge(self, ctx: ScoreContext) -> Score:
        """The tokens of the answered attempt."""
        if ctx.output.usage is None:
            raise NotApplicable("the target did not report token usage")
        return Score.of(float(getattr(ctx.output.usage, f"{self.count}_tokens")))
