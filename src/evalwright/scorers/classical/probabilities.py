"""Scorers of forecasts: areas under curves, Brier score, log loss, calibration."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import NotApplicable, expected_value
from evalwright.scorers.classical.labels import LabelScorer
from evalwright.scorers.classical.statistics import CalibrationGap, PrecisionRecallArea, RocArea
from evalwright.scorers.paths import MISSING, lookup

_CLIP = 1e-15


@dataclass(frozen=True)
class ForecastScorer(LabelScorer):
    """Base of the scorers that look at a stated number and at whether what it is about came true.

    With `positive`, what may come true is that the case is of that class; with `outcome`, that a field of the case is
    true; with neither, that the predicted label is right.
    """

    _: KW_ONLY
    score_path: Annotated[
        str, Field(description="Where the output states its number: a dotted path (`data.confidence`).")
    ] = "data.confidence"
    positive: Annotated[str | None, Field(description="The number is about the case being of this class.")] = None
    outcome: Annotated[
        str | None, Field(description="The number is about this field of the case being true: `metadata.in_scope`.")
    ] = None

    def stated(self, ctx: ScoreContext) -> float:
        """The number the output states.

        Raises:
            NotApplicable: It states none.
        """
        value = lookup(ctx.output, self.score_path)
        if value is MISSING or value is None:
            raise NotApplicable(f"the output has no `{self.score_path}`")
        return _number(value, f"`{self.score_path}` of the output")

    def came_true(self, ctx: ScoreContext) -> bool:
        """Whether what the number is about is so.

        Raises:
            NotApplicable: The case does not say.
        """
        if self.outcome is not None:
            return _truth(expected_value(ctx, self.outcome), self.outcome)
        if self.positive is not None:
            return self.form(expected_value(ctx, self.expected)) == self.form(self.positive)
        return self.labels(ctx).right


def _number(value: Json, what: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise NotApplicable(f"{what} is no number: {str(value)[:80]!r}")
    return float(value)


def _truth(value: Json, path: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}
    found = words.get(str(value).strip().lower())
    if found is None:
        raise NotApplicable(f"`{path}` is neither true nor false: {str(value)[:80]!r}")
    return found


def _probability(value: float) -> float:
    if not 0.0 <= value <= 1.0:
        raise NotApplicable(f"a probability lies between 0 and 1, not {value:g}")
    return value


@dataclass(frozen=True)
class RankScorer(ForecastScorer):
    """Base of the areas under curves, which look at the order of the numbers only."""

    _: KW_ONLY
    lower_is_positive: Annotated[
        bool, Field(description="A low number speaks for the positive class (confidence, for out-of-scope input).")
    ] = False

    def judge(self, ctx: ScoreContext) -> Score:
        """The stated number as the row's value; with whether it came true for the metric."""
        stated, true = self.stated(ctx), self.came_true(ctx)
        order = -stated if self.lower_is_positive else stated
        return Score.of(stated, reason=f"stated {stated:g}, it is {_word(true)}", stats=(order, float(true)))


def _word(true: bool) -> str:
    return "so" if true else "not so"


@dataclass(frozen=True)
class RocAuc(RankScorer):
    """Area under the ROC curve: how often a positive case is ranked above a negative one; 0.5 is guessing.

    Source: DeLong, DeLong & Clarke-Pearson 1988 (the interval).
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="roc_auc", kind=ScoreKind.CORPUS, low=None, high=None)

    @property
    def aggregate(self) -> RocArea:
        """The metric of the whole run."""
        return RocArea()


@dataclass(frozen=True)
class PrAuc(RankScorer):
    """Area under the precision-recall curve (average precision); guessing gives the share of positive cases."""

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="pr_auc", kind=ScoreKind.CORPUS, low=None, high=None)

    @property
    def aggregate(self) -> PrecisionRecallArea:
        """The metric of the whole run."""
        return PrecisionRecallArea()


@dataclass(frozen=True)
class CalibrationError(ForecastScorer):
    """Expected calibration error: how far stated probabilities lie from what happens, averaged over bins; 0 is best.

    With as many cases as most suites have, bins of equal numbers of cases are steadier than bins of equal width. It is
    never exactly 0, even for a perfect forecaster.

    Source: Guo et al. 2017, arXiv 1706.04599.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="calibration_error", kind=ScoreKind.CORPUS, higher_is_better=False)

    _: KW_ONLY
    bins: Annotated[int | None, Field(ge=1, description="Number of bins; by the number of cases if not given.")] = None
    binning: Annotated[
        Literal["mass", "width"], Field(description="`mass`: equal numbers of cases; `width`: equal width.")
    ] = "mass"

    def judge(self, ctx: ScoreContext) -> Score:
        """The gap of the row, |stated - what happened|."""
        stated, true = _probability(self.stated(ctx)), self.came_true(ctx)
        gap = abs(stated - float(true))
        return Score.of(gap, reason=f"stated {stated:g}, it is {_word(true)}", stats=(stated, float(true)))

    @property
    def aggregate(self) -> CalibrationGap:
        """The metric of the whole run."""
        return CalibrationGap(bins=self.bins, binning=self.binning)


@dataclass(frozen=True)
class LossScorer(ForecastScorer):
    """Base of the losses, which are means of rows; the number may also be a table of probabilities by label."""

    def table(self, ctx: ScoreContext) -> dict[str, float] | None:
        """Probabilities by label where the output states a table, else None.

        Raises:
            NotApplicable: A probability in it is none.
        """
        value: Any = lookup(ctx.output, self.score_path)
        if not isinstance(value, dict):
            return None
        return {self.form(name): _probability(_number(p, f"the probability of {name!r}")) for name, p in value.items()}


@dataclass(frozen=True)
class Brier(LossScorer):
    """Brier score: the squared distance of stated probabilities from what happened; 0 is best.

    For one probability (p - y)², 0 to 1; for a table of probabilities by label the sum over labels, 0 to 2.

    Source: Brier 1950.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="brier", low=0.0, high=2.0, higher_is_better=False)

    def judge(self, ctx: ScoreContext) -> Score:
        """The squared distance of the row."""
        table = self.table(ctx)
        if table is None:
            stated, true = _probability(self.stated(ctx)), self.came_true(ctx)
            return Score.of((stated - float(true)) ** 2, reason=f"stated {stated:g}, it is {_word(true)}")
        actual = self.form(expected_value(ctx, self.expected))
        total = sum((p - float(name == actual)) ** 2 for name, p in table.items()) + float(actual not in table)
        return Score.of(total, reason=f"gave {table.get(actual, 0.0):g} to {actual!r}, which is right")


@dataclass(frozen=True)
class LogLoss(LossScorer):
    """Log loss: -ln of the probability given to what happened; 0 is best, certainty about the wrong thing costs 34.5.

    The stated number may be one probability or a table of probabilities by label.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="log_loss", low=0.0, high=None, higher_is_better=False)

    def judge(self, ctx: ScoreContext) -> Score:
        """The loss of the row."""
        table = self.table(ctx)
        if table is None:
            stated, true = _probability(self.stated(ctx)), self.came_true(ctx)
            given = stated if true else 1.0 - stated
        else:
            given = table.get(self.form(expected_value(ctx, self.expected)), 0.0)
        return Score.of(-math.log(max(given, _CLIP)), reason=f"gave {given:g} to what happened")
