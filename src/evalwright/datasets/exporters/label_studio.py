"""Cases as tasks of Label Studio, with what people said as annotations and what systems answered as predictions."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator

from evalwright.core.case import Case, Json

KEY = "label_studio"
"""Where a case keeps what only Label Studio knows of its task."""


def label_studio_task(case: Case) -> dict[str, Json]:
    """A case as a task: as it was imported, else its input the data and the rest under `meta`.

    The id stays a number when it was one.
    """
    data = case.input if isinstance(case.input, dict) else {"input": case.input}
    number = {"id": int(case.id)} if case.id.isdecimal() and len(case.id) < 16 else {}
    kept = case.metadata.get(KEY)
    if isinstance(kept, dict):
        return {**number, "data": data, **kept}
    meta = {"case_id": case.id, **({"expected": case.expected} if case.expected is not None else {})}
    meta |= {"metadata": case.metadata} if case.metadata else {}
    return {**number, "data": data, "meta": meta}


def tasks_text(tasks: Iterable[dict[str, Json]]) -> Iterator[bytes]:
    """Tasks as one JSON list, piece by piece."""
    yield b"[\n"
    for number, task in enumerate(tasks):
        yield (b",\n" if number else b"") + json.dumps(task, ensure_ascii=False).encode()
    yield b"\n]\n"


def annotated_tasks(
    cases: Iterable[Case], labels: Iterable[dict[str, Json]], outputs: Iterable[dict[str, Json]]
) -> Iterator[dict[str, Json]]:
    """Tasks with labels as annotations, one a reviewer, and outputs as predictions, one a system and trial.

    Args:
        cases: The cases.
        labels: Rows of an imported `labels.jsonl`: `id`, `name`, `value`, `reviewer`, `comment`.
        outputs: Rows of an imported `outputs.jsonl`: `id`, `text`, `variant`, `trial`.
    """
    said = _by_id(labels)
    answered = _by_id(outputs)
    for case in cases:
        task = label_studio_task(case)
        annotations = _annotations(said.get(case.id, []))
        predictions = [_prediction(row) for row in answered.get(case.id, [])]
        task |= {"annotations": annotations} if annotations and not task.get("annotations") else {}
        task |= {"predictions": predictions} if predictions and not task.get("predictions") else {}
        yield task


def _by_id(rows: Iterable[dict[str, Json]]) -> dict[str, list[dict[str, Json]]]:
    found: defaultdict[str, list[dict[str, Json]]] = defaultdict(list)
    for row in rows:
        found[str(row.get("id"))].append(row)
    return found


def _annotations(labels: list[dict[str, Json]]) -> list[Json]:
    """One annotation for each reviewer; a reviewer's comment stands with the first label that has one."""
    people: defaultdict[str, list[dict[str, Json]]] = defaultdict(list)
    for label in labels:
        people[str(label.get("reviewer") or "")].append(label)
    made: list[Json] = []
    for person, said in people.items():
        annotation: dict[str, Json] = {"result": [_result(label) for label in said], "was_cancelled": False}
        annotation |= {"completed_by": {"email": person} if "@" in person else person} if person else {}
        made.append(annotation)
    return made


def _result(label: dict[str, Json]) -> Json:
    value = label.get("value")
    name = str(label.get("name") or "label")
    shape: tuple[str, Json]
    if isinstance(value, dict):
        shape = next((key for key in value if key.endswith("labels")), "labels"), value
    elif isinstance(value, (bool, str)):
        shape = "choices", {"choices": [str(value)]}
    elif isinstance(value, (int, float)):
        shape = "number", {"number": value}
    else:
        shape = "choices", {"choices": [str(item) for item in value] if isinstance(value, list) else []}
    made: dict[str, Json] = {"from_name": name, "to_name": "input", "type": shape[0], "value": shape[1]}
    return made | ({"meta": {"text": [label["comment"]]}} if label.get("comment") else {})


def _prediction(row: dict[str, Json]) -> Json:
    version = str(row.get("variant") or "") + (f" trial {row['trial']}" if row.get("trial") else "")
    value = {"text": [str(row.get("text") or "")]}
    result = [{"from_name": "answer", "to_name": "input", "type": "textarea", "value": value}]
    return {"model_version": version.strip() or "answer", "result": result}
