"""How differently groups of people are treated: the gap between the best and the worst served group."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from itertools import combinations
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import NotApplicable, OptionError, as_text, expected_value
from evalwright.scorers.classical.labels import LabelScorer, label_code, told
from evalwright.scorers.classical.statistics import FloatArray, IntArray
from evalwright.stats import Interval, newcombe_unpaired, welch_difference

Measure = Literal["accuracy", "selection", "true_positive", "false_positive"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupGapStatistic:
    """Highest minus lowest rate over groups; rows are (0 or 1, code of the group).

    Attributes:
        min_n: Groups with fewer rows are left out.
    """

    min_n: int = 1

    def estimate(self, stats: FloatArray, *, level: float, clusters: IntArray | None, rng: Any) -> Interval:
        """The gap, with a simultaneous interval over all pairs of groups (Bonferroni over Newcombe's intervals).

        The lower end is the largest of the pairs' lower ends (at least 0), the upper end the largest of their upper
        ends: it covers the true gap whichever groups are truly best and worst. Clustered rows take Welch's intervals
        with cluster-robust errors.

        Raises:
            ValueError: Fewer than two groups have enough rows.
        """
        del rng
        groups = self._groups(stats[:, 1])
        pairs = list(combinations(groups, 2))
        if not pairs:
            raise ValueError("a gap needs at least two groups")
        each = 1.0 - (1.0 - level) / len(pairs)
        found = [_difference(stats, pair, clusters, each) for pair in pairs]
        both = [*found, *(one.mapped(scale=-1.0) for one in found)]
        widest = max(both, key=lambda one: one.value or 0.0)
        low = max(0.0, *(one.low for one in both if one.low is not None))
        high = min(1.0, max((1.0 if one.high is None else one.high) for one in both))
        return Interval(
            value=widest.value, low=low, high=high, level=level, method="simultaneous_" + widest.method, n=len(stats),
            clusters=None if clusters is None else len(np.unique(clusters)), notes=widest.notes,
        )  # fmt: skip

    def _groups(self, codes: FloatArray) -> list[float]:
        names, counts = np.unique(codes, return_counts=True)
        kept: list[float] = names[counts >= self.min_n].tolist()
        return kept

    def influence(self, stats: FloatArray) -> FloatArray | None:
        """The gap plus n·(y - rate)/n_g for the best group, minus the same for the worst; 0 for the others."""
        rates = {group: stats[stats[:, 1] == group, 0] for group in self._groups(stats[:, 1])}
        if len(rates) < 2:
            return None
        best, worst = (pick(rates, key=lambda g: float(rates[g].mean())) for pick in (max, min))
        gap = float(rates[best].mean() - rates[worst].mean())
        found = np.full(len(stats), gap)
        for group, sign in ((best, 1.0), (worst, -1.0)):
            inside = stats[:, 1] == group
            found[inside] += sign * len(stats) * (stats[inside, 0] - rates[group].mean()) / inside.sum()
        return found

    def weighted(self, stats: FloatArray, weights: FloatArray) -> FloatArray:
        """The gap under weights of the rows, shape (B,)."""
        rates = []
        for group in self._groups(stats[:, 1]):
            inside = weights[:, stats[:, 1] == group]
            with np.errstate(divide="ignore", invalid="ignore"):
                rates.append((inside @ stats[stats[:, 1] == group, 0]) / inside.sum(axis=1))
        table = np.stack(rates)
        return np.asarray(table.max(axis=0) - table.min(axis=0), dtype=np.float64)


def _difference(stats: FloatArray, pair: tuple[float, float], clusters: IntArray | None, level: float) -> Interval:
    masks = [stats[:, 1] == group for group in pair]
    first, second = (stats[mask, 0] for mask in masks)
    if clusters is not None:
        inside = [clusters[mask] for mask in masks]
        return welch_difference(first, second, first_clusters=inside[0], second_clusters=inside[1], level=level)
    cells = [(int(values.sum()), len(values)) for values in (first, second)]
    return newcombe_unpaired(cells[0], cells[1], level=level)


@dataclass(frozen=True)
class FairnessGap(LabelScorer):
    """How far apart the best and the worst served group are: the highest minus the lowest rate; 0 is best.

    | measure | rate that is compared between groups |
    | --- | --- |
    | `accuracy` | predictions that are right |
    | `selection` | rows predicted as `positive` (demographic parity) |
    | `true_positive` | rows of class `positive` predicted as it (equal opportunity) |
    | `false_positive` | rows of other classes predicted as `positive` |

    The interval covers the true gap whichever groups are truly best and worst.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="fairness_gap", kind=ScoreKind.CORPUS, higher_is_better=False)

    group: Annotated[str, Field(description="Where the group stands with the case: `metadata.gender`.")]
    _: KW_ONLY
    measure: Annotated[Measure, Field(description="Which rate is compared between groups.")] = "accuracy"
    positive: Annotated[str | None, Field(description="The class that is an advantage (or a harm) to get.")] = None
    min_n: Annotated[int, Field(ge=1, description="Groups with fewer rows are left out of the gap.")] = 5

    def __post_init__(self) -> None:
        """Check that the options fit together."""
        if (self.measure == "accuracy") != (self.positive is None):
            raise OptionError("every `measure` but `accuracy` needs the class `positive`, and only these")

    def judge(self, ctx: ScoreContext) -> Score:
        """Whether the row counts for its group's rate, with the group for the metric."""
        pair = self.labels(ctx)
        value = self._counts(pair.actual, pair.predicted)
        group = as_text(expected_value(ctx, self.group))
        return Score.of(float(value), reason=f"{group[:100]}: {told(pair)}", stats=(float(value), label_code(group)))

    def _counts(self, actual: str, predicted: str) -> bool:
        if self.positive is None:
            return actual == predicted
        positive = self.form(self.positive)
        if self.measure == "true_positive" and actual != positive:
            raise NotApplicable(f"the case is not of class {positive!r}")
        if self.measure == "false_positive" and actual == positive:
            raise NotApplicable(f"the case is of class {positive!r}")
        return predicted == positive

    @property
    def aggregate(self) -> GroupGapStatistic:
        """The metric of the whole run."""
        return GroupGapStatistic(min_n=self.min_n)
