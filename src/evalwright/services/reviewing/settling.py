"""What the labels of a queue come to: by decision, by agreement, by majority, or nothing yet."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from evalwright.core.review import Decision, Item, Label, Queue
from evalwright.review.rules import consensus
from evalwright.store import review_queues, review_work
from evalwright.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """An item with what is held to be right of it.

    Attributes:
        item: The item.
        levels: By rubric the level; without those that are split or have no label.
        basis: By rubric `adjudicated`, `unanimous`, `tolerated`, `majority`, `single`, `split` or `none`.
        labels: The labels it stands on.
        decision: A lead's decision.
    """

    item: Item
    levels: dict[str, str]
    basis: dict[str, str]
    labels: tuple[Label, ...] = ()
    decision: Decision | None = None


def settled(workspace: Workspace, queue: Queue, *, calibration: bool = False) -> list[Settled]:
    """The items of a queue with what their labels come to, in order.

    Args:
        workspace: Where it is.
        queue: The queue.
        calibration: Whether items with known labels are among them.
    """
    engine = workspace.catalog.engine
    by_item: dict[str, list[Label]] = defaultdict(list)
    for label in review_work.labels(engine, queue.id):
        by_item[label.item_id].append(label)
    decided = review_work.decisions(engine, queue.id)
    return [
        settle(queue, item, by_item[item.id], decided.get(item.id))
        for item in review_queues.items(engine, queue.id)
        if calibration or not item.calibration
    ]


def settle(queue: Queue, item: Item, labels: list[Label], decision: Decision | None) -> Settled:
    """What the labels of one item come to."""
    levels: dict[str, str] = {}
    basis: dict[str, str] = {}
    for rubric in queue.rubrics:
        level, why = consensus(queue, rubric, labels)
        if decision is not None and rubric.name in decision.answers:
            level, why = decision.answers[rubric.name], "adjudicated"
        basis[rubric.name] = why
        if level is not None:
            levels[rubric.name] = level
    return Settled(item=item, levels=levels, basis=basis, labels=tuple(labels), decision=decision)


def label_rows(found: list[Settled], rubric_name: str) -> list[dict[str, Any]]:
    """Settled labels of one rubric as rows of a label file: what `evalwright calibrate --labels` reads.

    Of pairs the second answer is the output and the first what is expected, so that `win` means that the second is
    better, as the scorer `judge_pairwise` means it.
    """
    return [label_row(one, rubric_name) for one in found if rubric_name in one.levels]


_WON = {"first": "loss", "second": "win", "tie": "tie"}


def label_row(one: Settled, rubric_name: str) -> dict[str, Any]:
    """One settled label as a row."""
    content, hidden = one.item.content, one.item.hidden
    answer, origin = content.outputs[-1], hidden.origins[-1] if hidden.origins else None
    level = one.levels[rubric_name]
    passages = [part.text for part in (*content.context, *answer.context) if part.kind == "passage"]
    pairwise = len(content.outputs) > 1
    row: dict[str, Any] = {
        "id": hidden.case_id,
        "input": content.input,
        "output": answer.text,
        "expected": content.outputs[0].text if pairwise else content.expected,
        "contexts": passages or None,
        "label": _WON.get(level, level) if pairwise else level,
        "basis": one.basis[rubric_name],
        "reviewers": len(one.labels),
        "rationale": _rationale(one),
        "model": (origin.model or origin.target) if origin else None,
        "run": origin.run_id if origin else None,
        "cluster": hidden.cluster,
        "stratum": hidden.stratum or None,
    }
    taken = set(row)
    row.update({key: value for key, value in hidden.metadata.items() if key not in taken})
    return {key: value for key, value in row.items() if value not in (None, "")}


def _rationale(one: Settled) -> str:
    if one.decision is not None:
        return one.decision.reason
    return " | ".join(label.rationale for label in one.labels if label.rationale)
