"""What a classifier takes for what: the confusion matrix of a stored run, and its classes with intervals."""

from __future__ import annotations

from dataclasses import dataclass

from evalwright.core.errors import UsageError
from evalwright.core.scorer import ScoreContext
from evalwright.scorers.base import NotApplicable
from evalwright.scorers.classical.labels import LabelScorer
from evalwright.services.run_columns import made_again
from evalwright.stats import ConfusionMatrix, Interval, confusion_matrix, wilson
from evalwright.store.results import RunStore


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassFigures:
    """One class.

    Attributes:
        label: Its name.
        recall: Of its rows, the share predicted as it, with Wilson's interval.
        precision: Of the rows predicted as it, the share that are of it; n = 0 when it was never predicted.
        f1: Harmonic mean of the two.
    """

    label: str
    recall: Interval
    precision: Interval
    f1: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """A confusion matrix with its classes, in the order of their labels."""

    matrix: ConfusionMatrix
    classes: tuple[ClassFigures, ...]


def confusion_of(run: RunStore, metric: str) -> Confusion:
    """The confusion matrix behind a metric of labels (`accuracy`, `f1`, …), over every row it scored.

    Raises:
        UsageError: The run has no such metric, it looks at no labels, or no row has one.
    """
    record = next((record for record in run.scorers() if record.metric == metric), None)
    if record is None:
        known = ", ".join(record.metric for record in run.scorers())
        raise UsageError(f"the run has no metric `{metric}`", hint=f"it has: {known}")
    scorer = made_again(record)
    if not isinstance(scorer, LabelScorer):
        raise UsageError(f"`{metric}` does not compare labels", hint="use the scorer `accuracy` or `f1`")
    pairs = list(_pairs(run, scorer))
    if not pairs:
        raise UsageError(f"no row of `{metric}` has a true and a predicted label")
    actual, predicted = zip(*pairs, strict=True)
    matrix = confusion_matrix(actual, predicted)
    return Confusion(matrix=matrix, classes=tuple(_classes(matrix)))


def _pairs(run: RunStore, scorer: LabelScorer) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for index, record in run.units():
        if record.output is not None:
            try:
                pair = scorer.labels(ScoreContext(case=run.cases[index], output=record.output))
            except NotApplicable:
                continue
            found.append((pair.actual, pair.predicted))
    return found


def _classes(matrix: ConfusionMatrix) -> list[ClassFigures]:
    hits, said, true = matrix.counts.diagonal(), matrix.counts.sum(axis=0), matrix.counts.sum(axis=1)
    rows = zip(matrix.labels, hits.tolist(), said.tolist(), true.tolist(), strict=True)
    return [
        ClassFigures(
            label=str(label),
            recall=wilson(hit, actual),
            precision=wilson(hit, predicted),
            f1=2 * hit / (actual + predicted) if actual + predicted else 0.0,
        )
        for label, hit, predicted, actual in rows
    ]
