"""What somebody asks for who makes a queue."""

from __future__ import annotations

from typing import Literal

import msgspec

from evalwright.core.case import Json
from evalwright.core.review import QueueKind, RationaleRule
from evalwright.core.rubric import Rubric

MAX_RATERS = 50
MAX_ITEMS = 100_000


class SourceSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the items come from: exactly one of `run`, `baseline` with `candidate`, `dataset`, `queue`, `rows`.

    Attributes:
        run: A run: id, beginning of one, `latest`, name.
        baseline: Of pairs: the run whose answer is the first.
        candidate: Of pairs: the run whose answer is the second.
        dataset: A golden set's version, `name@version`: what a case expects is the answer.
        queue: A queue whose reviewers disagreed: its disputed items are asked again.
        rows: Rows with `input` and `output` (of pairs `outputs`), and what else a label file may hold.
        where: Expression over a case and its result: only these.
        status: Only cases that `passed`, `failed`, or `all`.
        metric: A metric of the run: its verdict is the prior, its values limit and stratify.
        min: Only cases of at least this value of `metric`.
        max: Only cases of at most this value of `metric`.
        disagreements: Only cases on which these two metrics say the contrary; with one metric, it and any other;
            empty means no such condition.
        flips: Of pairs: only cases whose row verdict changed.
        ids: Only these cases.
        trial: Which repetition.
    """

    run: str | None = None
    baseline: str | None = None
    candidate: str | None = None
    dataset: str | None = None
    queue: str | None = None
    rows: tuple[dict[str, Json], ...] | None = None
    where: str | None = None
    status: Literal["all", "passed", "failed"] = "all"
    metric: str | None = None
    min: float | None = None
    max: float | None = None
    disagreements: tuple[str, ...] = ()
    flips: bool = False
    ids: tuple[str, ...] = ()
    trial: int = 0


class SampleSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Which of them.

    Attributes:
        size: How many at most; None for all.
        method: `random`; `active`: those whose labels move the corrected estimate most; `all`: in order.
        seed: Seed of the draw.
    """

    size: int | None = None
    method: Literal["random", "active", "all"] = "random"
    seed: int = 0


class NewQueue(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A queue to make.

    Attributes:
        name: Its name.
        rubrics: The rubrics.
        source: Where the items come from.
        kind: What is asked.
        sample: Which of them.
        raters_per_item: Labels wanted for each.
        raters: Who may label; None for everybody with the right.
        lease_minutes: How long an item is kept for a reviewer.
        rationale: When reasons are needed.
        show_expected: Whether reviewers see what the case expects.
        tolerance: Steps two labels on an ordered scale may lie apart.
        calibration: Rows whose right label is known: `input`, `output` (`outputs`), `gold` by rubric, `reason`.
        calibration_set: A golden set of labelled answers, as `gold` writes them, `name@version`: more such rows.
        calibration_share: Share of the queue they make up, at most; None for all of them.
        priority: `severity`: cases that failed a graver scorer first; `none`.
        seed: Seed of the reviewers' orders and sides.
    """

    name: str
    rubrics: tuple[Rubric, ...]
    source: SourceSpec
    kind: QueueKind = QueueKind.POINTWISE
    sample: SampleSpec = SampleSpec()
    raters_per_item: int = 1
    raters: tuple[str, ...] | None = None
    lease_minutes: float = 30.0
    rationale: RationaleRule = RationaleRule()
    show_expected: bool = True
    tolerance: int = 0
    calibration: tuple[dict[str, Json], ...] = ()
    calibration_set: str | None = None
    calibration_share: float | None = None
    priority: Literal["severity", "none"] = "severity"
    seed: int | None = None
