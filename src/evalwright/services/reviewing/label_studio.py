"""Label Studio: the labelling interface of a queue, its tasks with annotations, and annotations read back."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import quoteattr

from evalwright.core.case import Json
from evalwright.core.review import Answer, Content, ContextPart, Entry, Item, Label, Queue, QueueKind, Span
from evalwright.core.rubric import Rubric
from evalwright.review.blinding import flipped, shown_entry, shown_outputs
from evalwright.review.ratings import Rating
from evalwright.services.reviewing.times import seconds

STRANGER = "label-studio"
"""Whose sides the exported tasks have."""

RATIONALE, EVIDENCE = "rationale", "evidence"


def interface(queue: Queue) -> str:
    """The labelling interface (Label Studio's XML): the answer, a choice for each rubric with its anchors, a reason.

    Args:
        queue: The queue.
    """
    sides = [name for name, _ in _outputs(queue, None)]
    lines = ["<View>", '  <Header value="Input"/>', '  <Text name="input" value="$input"/>']
    lines += ['  <Header value="Context"/>', '  <Text name="context" value="$context"/>']
    if queue.show_expected:
        lines += ['  <Header value="Expected"/>', '  <Text name="expected" value="$expected"/>']
    for name in sides:
        lines += [f"  <Header value={quoteattr(_title(name))}/>", f'  <Text name="{name}" value="${name}"/>']
    for rubric in queue.rubrics:
        lines += _choices(queue, rubric, sides[0])
    for name in sides:
        lines += [f'  <Labels name="{_evidence(name)}" toName="{name}"><Label value="{EVIDENCE}"/></Labels>']
    lines += [f'  <TextArea name="{RATIONALE}" toName="{sides[0]}" placeholder="Why?" maxSubmissions="1"/>', "</View>"]
    return "\n".join(lines) + "\n"


def _evidence(name: str) -> str:
    """The control that marks places of an answer: one for each answer."""
    return EVIDENCE + name.removeprefix("output")


def _title(name: str) -> str:
    return {"output": "Output", "output_a": "A", "output_b": "B"}[name]


def _choices(queue: Queue, rubric: Rubric, to: str) -> Iterator[str]:
    yield f"  <Header value={quoteattr(f'{rubric.name}: {rubric.criterion}')}/>"
    yield f'  <Choices name={quoteattr(rubric.name)} toName="{to}" choice="single-radio" required="true">'
    if queue.kind is QueueKind.PAIRWISE:
        yield from (f"    <Choice value={quoteattr(name)}/>" for name in ("A", "B", "tie"))
    else:
        for level in rubric.levels:
            yield f"    <Choice value={quoteattr(level.name)} hint={quoteattr(level.anchor)}/>"
    yield "  </Choices>"


def _outputs(queue: Queue, item: Item | None) -> list[tuple[str, Answer]]:
    """The answers by the name of their field, on the sides they are exported on."""
    if queue.kind is not QueueKind.PAIRWISE:
        return [("output", item.content.outputs[0] if item else Answer(text=""))]
    if item is None:
        return [("output_a", Answer(text="")), ("output_b", Answer(text=""))]
    flip = flipped(queue.seed, STRANGER, item.id)
    return [(f"output_{side.lower()}", one) for side, one in shown_outputs(item.content, flip=flip)]


def tasks(queue: Queue, items: Sequence[Item], labels: Mapping[str, Sequence[Label]]) -> list[dict[str, Json]]:
    """Tasks with what reviewers may see, and annotations where there are labels.

    Args:
        queue: The queue.
        items: Its items.
        labels: Labels by item; empty for tasks to be labelled.
    """
    return [_task(queue, item, number, labels.get(item.id, ())) for number, item in enumerate(items, start=1)]


def _task(queue: Queue, item: Item, number: int, labels: Sequence[Label]) -> dict[str, Json]:
    outputs = _outputs(queue, item)
    data: dict[str, Json] = {"item": item.id, "queue": queue.id, "input": plain(item.content.input)}
    data["context"] = context_text(item.content)
    data["expected"] = plain(item.content.expected)
    data |= {name: answer.text for name, answer in outputs}
    task: dict[str, Json] = {"id": number, "data": data}
    made = [_annotation(queue, item, label) for label in labels]
    return task | ({"annotations": made} if made else {})


def plain(value: Json) -> str:
    """A value as text: conversations as `role: text` lines, other values as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and value and all(isinstance(m, dict) and "role" in m for m in value):
        return "\n\n".join(f"{m['role']}: {plain(m.get('content'))}" for m in value)
    return json.dumps(value, ensure_ascii=False, indent=2)


def context_text(content: Content) -> str:
    """Shared passages and steps as one text."""
    return "\n\n".join(_part(part) for part in content.context)


def _part(part: ContextPart) -> str:
    return f"[{part.title or part.kind}]\n{part.text}"


def _annotation(queue: Queue, item: Item, label: Label) -> dict[str, Json]:
    flip = queue.kind is QueueKind.PAIRWISE and flipped(queue.seed, STRANGER, item.id)
    entry = shown_entry(queue, Entry(answers=label.answers, rationale=label.rationale, spans=label.spans), flip=flip)
    to = _outputs(queue, None)[0][0]
    result: list[Json] = [
        {"from_name": name, "to_name": to, "type": "choices", "value": {"choices": [choice]}}
        for name, choice in entry.answers.items()
    ]
    if entry.rationale:
        result.append({"from_name": RATIONALE, "to_name": to, "type": "textarea", "value": {"text": [entry.rationale]}})
    result += [_region(queue, span) for span in entry.spans]
    when = dt.datetime.fromtimestamp(label.at, dt.UTC).isoformat()
    return {
        "unique_id": label.id,
        "completed_by": {"email": label.rater},
        "created_at": when,
        "lead_time": label.seconds,
        "result": result,
    }


def _region(queue: Queue, span: Span) -> dict[str, Json]:
    to = f"output_{span.side.lower()}" if queue.kind is QueueKind.PAIRWISE else "output"
    value = {"start": span.start, "end": span.end, "text": span.text, "labels": [EVIDENCE]}
    return {"from_name": _evidence(to), "to_name": to, "type": "labels", "value": value, "meta": {"text": [span.note]}}


# --- back ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A label from a file.

    Attributes:
        where: Where it stands, for messages.
        item: Id of the item.
        rater: Who.
        entry: The label; of pairs said of the sides of `flip`.
        flip: Whether the second answer was A; None when the label names answers.
        key: The same key again is the same label.
        at: When, seconds since the epoch; None when unknown.
    """

    where: str
    item: str
    rater: str
    entry: Entry
    key: str
    flip: bool | None = None
    at: float | None = None


def read_annotations(queue: Queue, document: Json) -> Iterator[Incoming | tuple[str, str]]:
    """Annotations of exported tasks; what can't be read comes as a pair of place and reason."""
    rows = document if isinstance(document, list) else [document]
    for number, row in enumerate(rows, start=1):
        where = f"task {number}"
        data = row.get("data") if isinstance(row, dict) else None
        if not isinstance(data, dict):
            yield where, "no task of Label Studio: it has no `data`"
            continue
        if not data.get("item"):
            yield where, "the task names no `item` of the queue in its `data`"
            continue
        for place, annotation in enumerate(row.get("annotations") or [], start=1):
            if isinstance(annotation, dict) and not annotation.get("was_cancelled"):
                yield _incoming(queue, str(data["item"]), f"{where}, annotation {place}", annotation)


def _incoming(queue: Queue, item_id: str, where: str, annotation: Mapping[str, Json]) -> Incoming:
    answers: dict[str, str] = {}
    rationale, spans = "", []
    for result in annotation.get("result") or []:
        value = result.get("value") or {}
        name = str(result.get("from_name", ""))
        if isinstance(value.get("choices"), list) and value["choices"]:
            answers[name] = str(value["choices"][0])
        elif "rating" in value:
            answers[name] = str(value["rating"])
        elif isinstance(value.get("text"), list):
            rationale = "\n".join(map(str, value["text"]))
        elif "start" in value and "end" in value:
            spans.append(_span(result, value))
    entry = Entry(answers=answers, rationale=rationale, spans=tuple(spans), seconds=_float(annotation.get("lead_time")))
    when = seconds(annotation.get("created_at") or annotation.get("updated_at"))
    key = str(annotation.get("unique_id") or annotation.get("id") or f"{item_id} {rater_of(annotation)}")
    flip = queue.kind is QueueKind.PAIRWISE and flipped(queue.seed, STRANGER, item_id)
    return Incoming(
        where=where,
        item=item_id,
        rater=rater_of(annotation),
        entry=entry,
        key=f"label studio {key}",
        flip=flip,
        at=when if when == when else None,  # noqa: PLR0124  NaN
    )


def _span(result: Mapping[str, Any], value: Mapping[str, Any]) -> Span:
    side = "B" if str(result.get("to_name", "")).endswith("_b") else "A"
    note = (result.get("meta") or {}).get("text") or [""]
    first = note[0] if isinstance(note, list) and note else note
    text = str(value.get("text") or "")
    return Span(start=int(value["start"]), end=int(value["end"]), side=side, text=text, note=str(first or ""))


def _float(value: Json) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def rater_of(annotation: Mapping[str, Json]) -> str:
    """Who made an annotation: e-mail, user name or number."""
    by = annotation.get("completed_by")
    if isinstance(by, dict):
        by = by.get("email") or by.get("username") or by.get("id")
    return "" if by is None else str(by)


def ratings_of_tasks(rows: Sequence[Mapping[str, Json]]) -> dict[str, list[Rating]]:
    """Ratings of any Label Studio export: single choices, ratings and numbers, by the name of the control."""
    found: dict[str, list[Rating]] = {}
    for number, row in enumerate(rows, start=1):
        unit = str(row.get("id") if row.get("id") is not None else number)
        for place, annotation in enumerate(row.get("annotations") or [], start=1):
            if not isinstance(annotation, dict) or annotation.get("was_cancelled"):
                continue
            who = rater_of(annotation) or f"rater {place}"
            at = seconds(annotation.get("created_at"))
            for result in annotation.get("result") or []:
                level = _plain_level(result.get("value") or {})
                if level is not None:
                    found.setdefault(str(result.get("from_name")), []).append(Rating(unit, who, level, at))
    return found


def _plain_level(value: Mapping[str, Json]) -> Json:
    choices = value.get("choices")
    if isinstance(choices, list):
        return choices[0] if len(choices) == 1 else None
    return next((value[key] for key in ("rating", "number", "selected") if key in value), None)
