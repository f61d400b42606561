"""Scorers of classifiers: accuracy, and metrics of the confusion matrix of the whole run."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import OptionError
from evalwright.scorers.classical.labels import LabelScorer, label_code, told
from evalwright.scorers.classical.statistics import ClassStatistic
from evalwright.stats import MetricChoice

Average = Literal["macro", "micro", "weighted", "binary"]

AverageOption = Annotated[
    Average,
    Field(
        description="`macro` gives every class the same weight, `weighted` by how often it occurs, `micro` counts all "
        "rows together, `binary` looks at the class `positive` only."
    ),
]
PositiveOption = Annotated[str | None, Field(description="The positive class, for `binary`.")]


@dataclass(frozen=True)
class Accuracy(LabelScorer):
    """The predicted label is the expected one; the metric is the share of rows that are right.

    The label is the answer's text, or the part of the output named by `field`. The row's `label` is what was
    predicted, so that `evalwright slices RUN --confusion accuracy` can show what is taken for what.
    """

    INFO: ClassVar[ScoreInfo] = ScoreInfo(name="accuracy", kind=ScoreKind.PROPORTION)

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when the labels are the same, else 0."""
        pair = self.labels(ctx)
        return Score.of(pair.right, label=pair.predicted[:500], reason=told(pair))


@dataclass(frozen=True)
class MatrixScorer(LabelScorer):
    """Base of the metrics of a confusion matrix; a row's own value is 1 when it is right."""

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when the labels are the same, else 0, with both labels for the metric."""
        pair = self.labels(ctx)
        return Score.of(float(pair.right), label=pair.predicted[:500], reason=told(pair), stats=pair.codes)

    @property
    def aggregate(self) -> ClassStatistic:
        """The metric of the whole run."""
        return ClassStatistic(choice=self.choice())

    def choice(self) -> MetricChoice:
        """Which metric of the matrix."""
        raise NotImplementedError


def _info(name: str, low: float = 0.0) -> ScoreInfo:
    return ScoreInfo(name=name, kind=ScoreKind.CORPUS, low=low)


@dataclass(frozen=True)
class BalancedAccuracy(MatrixScorer):
    """Mean over classes of the share of their rows predicted right: accuracy that a frequent class can't carry.

    Source: Brodersen et al. 2010, ICPR.
    """

    INFO: ClassVar[ScoreInfo] = _info("balanced_accuracy")

    def choice(self) -> MetricChoice:
        """Balanced accuracy."""
        return MetricChoice(metric="balanced_accuracy")


@dataclass(frozen=True)
class Mcc(MatrixScorer):
    """Matthews correlation of true and predicted labels, -1 to 1; 0 for guessing, whatever the class shares.

    Source: Matthews 1975; Gorodkin 2004 for more than two classes.
    """

    INFO: ClassVar[ScoreInfo] = _info("mcc", low=-1.0)

    def choice(self) -> MetricChoice:
        """Matthews correlation coefficient."""
        return MetricChoice(metric="mcc")


@dataclass(frozen=True)
class LabelKappa(MatrixScorer):
    """Cohen's kappa of true and predicted labels, -1 to 1: agreement beyond what chance gives.

    Source: Cohen 1960.
    """

    INFO: ClassVar[ScoreInfo] = _info("cohen_kappa", low=-1.0)

    def choice(self) -> MetricChoice:
        """Cohen's kappa."""
        return MetricChoice(metric="kappa")


@dataclass(frozen=True)
class AveragedScorer(MatrixScorer):
    """Base of precision, recall and F1, which are averaged over classes."""

    METRIC: ClassVar[Literal["precision", "recall", "f1"]]

    _: KW_ONLY
    average: AverageOption = "macro"
    positive: PositiveOption = None

    def __post_init__(self) -> None:
        """Check that the options fit together."""
        if (self.average == "binary") != (self.positive is not None):
            raise OptionError("`average: binary` and `positive` go together")

    def choice(self) -> MetricChoice:
        """The metric with its average."""
        positive = None if self.positive is None else label_code(self.form(self.positive))
        return MetricChoice(metric=self.METRIC, average=self.average, positive=positive)


@dataclass(frozen=True)
class Precision(AveragedScorer):
    """Of the rows predicted as a class, the share that are of it, averaged over classes."""

    INFO: ClassVar[ScoreInfo] = _info("precision")
    METRIC: ClassVar[Literal["precision", "recall", "f1"]] = "precision"


@dataclass(frozen=True)
class Recall(AveragedScorer):
    """Of the rows of a class, the share predicted as it, averaged over classes."""

    INFO: ClassVar[ScoreInfo] = _info("recall")
    METRIC: ClassVar[Literal["precision", "recall", "f1"]] = "recall"


@dataclass(frozen=True)
class F1(AveragedScorer):
    """Harmonic mean of precision and recall of each class, averaged over classes.

    Macro F1 is the mean of the classes' F1 (not the F1 of the mean precision and recall).
    """

    INFO: ClassVar[ScoreInfo] = _info("f1")
    METRIC: ClassVar[Literal["precision", "recall", "f1"]] = "f1"
