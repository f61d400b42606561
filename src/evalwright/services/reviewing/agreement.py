"""Agreement of a queue's reviewers, and of any table of ratings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from statistics import median

import msgspec

from evalwright.core.errors import UsageError
from evalwright.core.review import FIRST, TIE, Item, Label, Queue, QueueKind
from evalwright.core.rubric import Rubric, RubricScale
from evalwright.review.agreement import Plan, rubric_agreement
from evalwright.review.figures import RubricAgreement
from evalwright.review.ratings import Levels, Rating, Ratings, ratings_of
from evalwright.stats.raters import Scale
from evalwright.store import review_queues, review_work
from evalwright.store.workspace import Workspace


class AgreementReport(msgspec.Struct, frozen=True, kw_only=True):
    """How far raters agree, by dimension.

    Attributes:
        rubrics: By dimension.
        labels: Labels looked at.
        items: Items with a label.
        notes: What is worth knowing of the table as a whole.
    """

    rubrics: tuple[RubricAgreement, ...]
    labels: int
    items: int
    notes: tuple[str, ...] = ()


def queue_agreement(
    workspace: Workspace, queue: Queue, *, rubric: str | None = None, level: float = 0.95, resamples: int = 1_000
) -> AgreementReport:
    """Agreement of a queue's reviewers; items with known labels only tell how often each reviewer is right.

    Args:
        workspace: Where it is.
        queue: The queue.
        rubric: Only this one.
        level: Confidence level.
        resamples: Bootstrap resamples.

    Raises:
        UsageError: The queue has no such rubric.
    """
    wanted = [r for r in queue.rubrics if rubric is None or r.name == rubric]
    if not wanted:
        names = ", ".join(r.name for r in queue.rubrics)
        raise UsageError(f"the queue `{queue.name}` has no rubric `{rubric}`", hint=f"there are: {names}")
    engine = workspace.catalog.engine
    labels = review_work.labels(engine, queue.id)
    known = {item.id: item for item in review_queues.items(engine, queue.id) if item.calibration}
    counted = [label for label in labels if label.item_id not in known]
    notes = () if counted else ("no labels yet",)
    found = tuple(
        rubric_agreement(table, _plan(queue, one, labels, known, Plan(level=level, resamples=resamples)))
        for one in wanted
        if (table := _ratings(queue, one, counted)) is not None
    )
    items = len({label.item_id for label in counted})
    return AgreementReport(rubrics=found, labels=len(counted), items=items, notes=notes)


def _ratings(queue: Queue, rubric: Rubric, labels: Sequence[Label]) -> Ratings | None:
    rows = [
        Rating(label.item_id, label.rater, label.answers[rubric.name], label.at)
        for label in labels
        if rubric.name in label.answers
    ]
    return ratings_of(rows, name=rubric.name, levels=rubric_levels(queue, rubric)) if rows else None


def rubric_levels(queue: Queue | None, rubric: Rubric) -> Levels:
    """A rubric's scale; in pairs the choices are names only."""
    if queue is not None and queue.kind is QueueKind.PAIRWISE:
        return Levels(scale="nominal", names=queue.choices(rubric))
    if rubric.scale is RubricScale.NOMINAL:
        return Levels(scale="nominal", names=rubric.names)
    scale: Scale = "interval" if rubric.scale is RubricScale.INTERVAL else "ordinal"
    values = tuple(level.value for level in rubric.levels)
    distinct = len(set(values)) == len(values)
    return Levels(scale=scale, names=rubric.names, values=values if distinct else ())


def _plan(queue: Queue, rubric: Rubric, labels: Sequence[Label], known: dict[str, Item], plan: Plan) -> Plan:
    seconds: dict[str, list[float]] = defaultdict(list)
    right: dict[str, list[bool]] = defaultdict(list)
    side_a: dict[str, list[bool]] = defaultdict(list)
    for label in labels:
        if label.seconds is not None:
            seconds[label.rater].append(label.seconds)
        answer = label.answers.get(rubric.name)
        item = known.get(label.item_id)
        if item is not None and rubric.name in item.hidden.gold:
            right[label.rater].append(answer == item.hidden.gold[rubric.name])
        if queue.kind is QueueKind.PAIRWISE and answer not in (None, TIE):
            side_a[label.rater].append((answer == FIRST) is not label.flipped)
    return Plan(
        level=plan.level,
        resamples=plan.resamples,
        seconds={rater: median(values) for rater, values in seconds.items()},
        calibration=right,
        share_a=side_a,
    )


def table_agreement(
    tables: Sequence[Ratings], *, notes: Sequence[str] = (), plan: Plan | None = None
) -> AgreementReport:
    """Agreement of outside tables, one dimension each."""
    how = plan or Plan()
    found = tuple(rubric_agreement(table, how) for table in tables)
    labels = sum(one.ratings for one in found)
    return AgreementReport(
        rubrics=found, labels=labels, items=max((one.units for one in found), default=0), notes=tuple(notes)
    )
