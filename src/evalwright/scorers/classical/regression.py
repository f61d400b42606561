"""Scorers of predicted numbers: bias, absolute and squared errors, variance explained."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import ExpectedPath, FieldPath, NotApplicable, RuleScorer, answer_value, expected_value
from evalwright.scorers.text.numbers import find_numbers

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class NumberScorer(RuleScorer):
    """Base of the scorers that look at one predicted number per row."""

    _: KW_ONLY
    expected: ExpectedPath = None
    field: FieldPath = None

    def numbers(self, ctx: ScoreContext) -> tuple[float, float]:
        """The true and the predicted number.

        Raises:
            NotApplicable: The case has none, or the answer has none.
        """
        return (
            _number(expected_value(ctx, self.expected), "the expected value"),
            _number(answer_value(ctx, self.field), "the answer"),
        )


def _number(value: object, what: str) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool) and np.isfinite(value):
        return float(value)
    found = list(find_numbers(str(value)[:10_000])) if value is not None else []
    if len(found) != 1:
        raise NotApplicable(f"{what} holds {len(found)} numbers, not one")
    return float(found[0].value)


def _told(actual: float, predicted: float) -> str:
    return f"said {predicted:g}, expected {actual:g}"


def _error_info(name: str, kind: ScoreKind, *, low: float | None = 0.0, better: bool | None = False) -> ScoreInfo:
    return ScoreInfo(name=name, kind=kind, low=low, high=None, higher_is_better=better)


@dataclass(frozen=True)
class Bias(NumberScorer):
    """Predicted minus true number; the metric is the mean, which shows a lean to one side."""

    INFO: ClassVar[ScoreInfo] = _error_info("bias", ScoreKind.MEAN, low=None, better=None)

    def judge(self, ctx: ScoreContext) -> Score:
        """The signed error."""
        actual, predicted = self.numbers(ctx)
        return Score.of(predicted - actual, reason=_told(actual, predicted))


@dataclass(frozen=True)
class MeanAbsoluteError(NumberScorer):
    """Distance of the predicted from the true number; the metric is the mean, in the number's own unit."""

    INFO: ClassVar[ScoreInfo] = _error_info("mae", ScoreKind.MEAN)

    _: KW_ONLY
    relative: Annotated[bool, Field(description="As a share of the true number (MAPE); cases with 0 are skipped.")] = (
        False
    )

    def judge(self, ctx: ScoreContext) -> Score:
        """The absolute error."""
        actual, predicted = self.numbers(ctx)
        if self.relative and actual == 0:
            raise NotApplicable("the expected number is 0: there is no error relative to it")
        error = abs(predicted - actual) / (abs(actual) if self.relative else 1.0)
        return Score.of(error, reason=_told(actual, predicted))


@dataclass(frozen=True)
class RootMeanSquaredError(NumberScorer):
    """Root of the mean squared distance of predicted from true numbers: large errors weigh more."""

    INFO: ClassVar[ScoreInfo] = _error_info("rmse", ScoreKind.CORPUS)

    def judge(self, ctx: ScoreContext) -> Score:
        """The absolute error of the row, with its square for the metric."""
        actual, predicted = self.numbers(ctx)
        error = predicted - actual
        return Score.of(abs(error), reason=_told(actual, predicted), stats=(error * error, 1.0))

    def aggregate(self, sums: Array) -> Array:
        """Root mean squared error from sums of (squared error, 1), shape (..., 2) to (...); 0 without rows."""
        return np.asarray(np.sqrt(sums[..., 0] / np.maximum(sums[..., 1], 1.0)), dtype=np.float64)


@dataclass(frozen=True)
class RSquared(NumberScorer):
    """Share of the variance of the true numbers that the predictions explain; 1 is best, below 0 worse than the mean.

    A row's own value is its squared error. Nothing is explained where the true numbers do not vary.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="r2", kind=ScoreKind.CORPUS, low=None, high=None)

    def judge(self, ctx: ScoreContext) -> Score:
        """The squared error of the row, with what the metric needs."""
        actual, predicted = self.numbers(ctx)
        error = (predicted - actual) ** 2
        return Score.of(error, reason=_told(actual, predicted), stats=(error, actual, actual * actual, 1.0))

    def aggregate(self, sums: Array) -> Array:
        """1 - Σ(ŷ-y)²/Σ(y-ȳ)² from sums of (squared error, y, y², 1), shape (..., 4) to (...)."""
        count = np.maximum(sums[..., 3], 1.0)
        spread = sums[..., 2] - sums[..., 1] ** 2 / count
        varies = spread > 1e-12 * np.maximum(sums[..., 2], 1e-300)
        return np.asarray(np.where(varies, 1.0 - sums[..., 0] / np.where(varies, spread, 1.0), 0.0), dtype=np.float64)
