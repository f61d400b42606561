"""Ragas: datasets and experiments (JSONL, CSV) and annotations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import msgspec

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.identity import content_id
from evalwright.core.output import Output
from evalwright.datasets.importers.items import Answer, Check, Figures, Item, Label
from evalwright.datasets.importers.judges import fixed
from evalwright.datasets.importers.source import Source
from evalwright.datasets.importers.values import Object, as_dict, as_list, as_text, passages
from evalwright.datasets.jsonl import FileError
from evalwright.datasets.tables import read_csv

_ROLES = {"human": "user", "ai": "assistant", "tool": "tool", "system": "system"}
_OWN = ("user_input", "response", "reference", "retrieved_contexts", "multi_responses")
_LISTS = ("retrieved_contexts", "reference_contexts", "retrieved_context_ids", "reference_context_ids")


def is_annotations(value: Json) -> bool:
    """Whether a document holds annotations: by metric, what was judged and whether people agreed."""
    rows = next(iter(value.values()), None) if isinstance(value, dict) else None
    return isinstance(rows, list) and bool(rows) and {"metric_input", "metric_output"} <= as_dict(rows[0]).keys()


def read_annotations(source: Source) -> Iterator[Item]:
    """Annotations: each judged row a case with its answer, the judge's verdict and the person's as a label.

    Raises:
        ConfigError: The document holds none.
    """
    document = source.document()
    if not is_annotations(document):
        raise source.error("no annotations of Ragas: `metric_input` and `metric_output` are missing")
    tally: Counter[str] = Counter()
    seen: set[str] = set()
    for metric, rows in document.items():
        for row in map(as_dict, as_list(rows)):
            tally[f"{metric}: annotations"] += 1
            tally[f"{metric}: accepted"] += bool(row.get("is_accepted"))
            yield from _annotated(metric, row, seen)
        known = fixed(metric, f"metric {metric}", metric.replace("_", " "))
        yield known or Check(name=metric, kind=f"metric {metric}", reason="asks a model; the file has no criteria")
    yield Figures(values=dict(tally))


def _annotated(metric: str, row: Object, seen: set[str]) -> Iterator[Item]:
    given = as_dict(row.get("metric_input"))
    name = content_id(given)
    if name not in seen:
        seen.add(name)
        yield _case(given, name)
        yield Answer(id=name, output=_output(given), scores={metric: row.get("metric_output")})
    verdict = row.get("metric_output")
    if not row.get("is_accepted"):
        verdict = row.get("target") if row.get("target") is not None else _turned(verdict)
    if verdict is not None:
        yield Label(id=name, name=metric, value=verdict)


def _turned(verdict: Json) -> Json:
    """The opposite of a verdict that a person did not accept; unknown where it is not 0 or 1."""
    return 1 - verdict if verdict in (0, 1) else None


def read_dataset(source: Source) -> Iterator[Item]:
    """Samples of a dataset or an experiment; lists in CSV cells are read as JSON.

    Raises:
        ConfigError: The file as a whole can't be read.
    """
    count = 0
    for row in _rows(source):
        if isinstance(row, BadRow):
            yield row
        elif row.get("user_input") is None or source.fields:
            yield source.case(row)
        else:
            count += 1
            case = _case(row, content_id(row["user_input"]))
            yield case
            if row.get("response") is not None:
                yield Answer(id=case.id, output=_output(row))
    yield Figures(values={"samples": count})


def _rows(source: Source) -> Iterator[Object | BadRow]:
    if ".csv" not in source.path.suffixes:
        yield from source.rows()
        return
    try:
        for row in read_csv(source.path):
            source.line = row.line
            value = as_dict(row.value)
            yield row.bad(row.reason, source.name) if row.reason else {k: _cell(k, v) for k, v in value.items()}
    except FileError as error:
        raise source.error(error.message, line=error.line, hint=error.hint) from None


def _cell(name: str, value: Json) -> Json:
    if name not in _LISTS or not isinstance(value, str):
        return value
    try:
        return msgspec.json.decode(value)
    except msgspec.DecodeError:
        return [part.strip().strip("'\"") for part in value.strip("[]").split("', '")] if value[:1] == "[" else value


def _case(row: Object, name: str) -> Case:
    given = row.get("user_input")
    if isinstance(given, list):
        given = [_message(turn) for turn in map(as_dict, given)]
    metadata = {key: value for key, value in row.items() if key not in _OWN and value is not None}
    return Case(id=name, input=given if given is not None else row, expected=row.get("reference"), metadata=metadata)


def _message(turn: Object) -> Object:
    role = _ROLES.get(str(turn.get("type") or turn.get("role")), turn.get("role") or "user")
    calls = {"tool_calls": turn["tool_calls"]} if turn.get("tool_calls") else {}
    return {"role": role, "content": turn.get("content"), **calls}


def _output(row: Object) -> Output:
    return Output(text=as_text(row.get("response")), contexts=passages(row.get("retrieved_contexts")))
