"""Label Studio: tasks with annotations and predictions, as JSON and as the small JSON of its export."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from evalwright.core.case import Case, Json
from evalwright.core.identity import content_id
from evalwright.datasets.importers.items import Figures, Item, Label
from evalwright.datasets.importers.source import Source
from evalwright.datasets.importers.values import Object, as_dict, as_list, as_text

_SIMPLE = {"choices": "choices", "rating": "rating", "textarea": "text", "number": "number", "pairwise": "selected"}


def is_tasks(value: Json) -> bool:
    """Whether a document is a list of tasks."""
    row = as_dict((as_list(value) or [None])[0])
    return isinstance(row.get("data"), dict) and bool({"annotations", "predictions", "id"} & row.keys())


def read_tasks(source: Source) -> Iterator[Item]:
    """Tasks: `data` is the input, annotations become labels of their reviewers, ground truth the expected value.

    Raises:
        ConfigError: The document is no list of tasks.
    """
    tally: Counter[str] = Counter()
    rows = source.document()
    if not isinstance(rows, list):
        raise source.error("no tasks of Label Studio: a list is needed")
    for number, row in enumerate(rows, start=1):
        source.line = number
        data = as_dict(row).get("data") if isinstance(as_dict(row).get("data"), dict) else row
        if not isinstance(data, dict) or not data:
            yield source.bad("a task needs `data`", row)
            continue
        yield from _task(as_dict(row), data, tally)
    yield Figures(values={"tasks": len(rows), **tally})


def _task(row: Object, data: Object, tally: Counter[str]) -> Iterator[Item]:
    name = str(row["id"]) if row.get("id") is not None else content_id(data)
    annotations = [as_dict(one) for one in as_list(row.get("annotations"))]
    truth = next((one for one in annotations if one.get("ground_truth")), None)
    expected = {str(r.get("from_name")): _value(r) for r in _results(truth)} if truth else None
    yield Case(id=name, input=data, expected=expected, metadata=_metadata(row))
    for annotation in annotations:
        tally["annotations"] += 1
        if annotation.get("was_cancelled"):
            tally["cancelled"] += 1
            continue
        for result in _results(annotation):
            tally["results"] += 1
            yield _label(name, annotation, result)


def _results(annotation: Object) -> list[Object]:
    return [as_dict(result) for result in as_list(annotation.get("result"))]


def _label(name: str, annotation: Object, result: Object) -> Label:
    by = annotation.get("completed_by")
    reviewer = as_dict(by).get("email") or as_dict(by).get("id") if isinstance(by, dict) else by
    return Label(
        id=name,
        name=str(result.get("from_name") or result.get("type") or "result"),
        value=_value(result),
        reviewer="" if reviewer is None else str(reviewer),
    )


def _value(result: Object) -> Json:
    """A plain value where the control has one (a single choice as a word), else the region as it is."""
    value = as_dict(result.get("value"))
    kind = str(result.get("type", ""))
    found = value.get(_SIMPLE.get(kind, ""))
    if found is None:
        return value
    if kind in ("choices", "textarea") and isinstance(found, list) and len(found) == 1:
        return as_text(found[0])
    return found


def _metadata(row: Object) -> Object:
    """What is worth reading of a task; and under `label_studio` all of it, to be exported as it was."""
    kept = {"meta": row.get("meta"), "agreement": row.get("agreement"), "predictions": _predictions(row)}
    whole = {key: value for key, value in row.items() if key not in ("id", "data")} if "data" in row else {}
    return {key: value for key, value in {**kept, "label_studio": whole}.items() if value}


def _predictions(row: Object) -> list[Json]:
    return [
        {
            "model": one.get("model_version"),
            "score": one.get("score"),
            "values": {str(r.get("from_name")): _value(r) for r in _results(one)},
        }
        for one in map(as_dict, as_list(row.get("predictions")))
    ]
