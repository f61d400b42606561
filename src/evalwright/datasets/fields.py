"""Which column feeds which field of a case: the suite's mapping, else the names other tools use."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.identity import content_id
from evalwright.core.suite import DatasetSpec
from evalwright.datasets.parse import HALF_PAIR
from evalwright.datasets.rows import RowError

ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "case_id"),
    "input": ("input", "prompt", "question", "query", "user_input", "messages"),
    "expected": (
        "expected",
        "target",
        "ideal",
        "reference",
        "expected_output",
        "reference_answer",
        "ground_truth",
        "reference_output",
        "answer",
    ),
    "cluster": ("cluster",),
    "tags": ("tags",),
    "metadata": ("metadata",),
}
"""Columns that feed a field when the suite maps none to it; the first that a row has is used."""

MAX_ID = 500
MAX_PLANS = 256
_ABSENT: Any = object()
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Source = str | dict[str, Any]


class Fields:
    """Makes cases from rows, as one dataset section says.

    Attributes:
        mapping: The suite's own mapping: field name to a column, a dotted path, or an object of them.
    """

    def __init__(self, spec: DatasetSpec) -> None:
        self.mapping: dict[str, Source] = dict(spec.fields)
        _check_mapping(spec)
        self._unseen = {path: field for field, path in _paths(self.mapping)}
        self._columns: dict[str, None] = {}
        self._plans: dict[tuple[str, ...], _Plan] = {}

    def case(self, row: Json) -> Case:
        """The case a row describes.

        Raises:
            RowError: The row is no object, has no input, or a field has the wrong type.
        """
        if not isinstance(row, dict):
            raise RowError(f"a row must be an object with named fields, this is {kind(row)}")
        self._note(row)
        found, rest = self._plan(row).split(row)
        value = found.get("input", _ABSENT)
        if value is _ABSENT or value is None:
            raise RowError(_no_input(row, self.mapping))
        expected = found.get("expected", _ABSENT)
        return Case(
            id=_id(found.get("id", _ABSENT), value, mapped="id" in self.mapping),
            input=value,
            expected=None if expected is _ABSENT else expected,
            cluster=_cluster(found.get("cluster", _ABSENT)),
            tags=_tags(found.get("tags", _ABSENT)),
            metadata=_metadata(found.get("metadata", _ABSENT), rest),
        )

    def _note(self, row: dict[str, Json]) -> None:
        """Remember which mapped paths were ever found, to tell a misspelt one at the end."""
        if self._unseen:
            self._columns |= dict.fromkeys(list(row)[:50]) if len(self._columns) < 200 else {}
            self._unseen = {path: field for path, field in self._unseen.items() if find(row, path) is _ABSENT}

    def _plan(self, row: dict[str, Json]) -> _Plan:
        """What feeds which field in rows of these columns; most rows of a file have the same."""
        columns = tuple(row)
        plan = self._plans.get(columns)
        if plan is None:
            plan = _Plan(self._sources(row))
            if len(self._plans) < MAX_PLANS:
                self._plans[columns] = plan
        return plan

    def _sources(self, row: dict[str, Json]) -> dict[str, Source]:
        taken = {path for _, path in _paths(self.mapping)}
        sources = dict(self.mapping)
        for field, names in ALIASES.items():
            if field not in sources:
                name = next((name for name in names if name in row and name not in taken), None)
                if name is not None:
                    sources[field] = name
        return sources

    def unseen(self, spec: DatasetSpec) -> list[Problem]:
        """A problem for each mapped path that no row had."""
        return [_misspelt(spec, field, path, list(self._columns)) for path, field in self._unseen.items()]


class _Plan:
    """Splits rows into the values of fields and the rest, which nobody took."""

    def __init__(self, sources: Mapping[str, Source]) -> None:
        self._sources = dict(sources)
        self._paths = [path for _, path in _paths(sources)]

    def split(self, row: dict[str, Json]) -> tuple[dict[str, Json], dict[str, Json]]:
        rest = dict(row)
        for path in self._paths:
            _drop(rest, path)
        return {field: _build(row, source) for field, source in self._sources.items()}, rest


def _build(row: dict[str, Json], source: Source) -> Json:
    """The value a source names: one path, or an object of several (null where a row lacks one)."""
    if isinstance(source, str):
        return find(row, source)
    built = {key: _build(row, part) for key, part in source.items()}
    if all(value is _ABSENT for value in built.values()):
        return _ABSENT
    return {key: None if value is _ABSENT else value for key, value in built.items()}


def find(row: Json, path: str) -> Json:
    """The value at a column name or a dotted path (`answers.0.text`); a private marker when there is none."""
    if isinstance(row, dict) and path in row:
        return row[path]
    head, dot, tail = path.partition(".")
    while dot:
        if isinstance(row, dict) and head in row:
            return find(row[head], tail)
        if isinstance(row, list) and head.isdecimal() and int(head) < len(row):
            return find(row[int(head)], tail)
        more, dot, tail = tail.partition(".")
        head = f"{head}.{more}"
    if isinstance(row, list) and path.isdecimal() and int(path) < len(row):
        return row[int(path)]
    return _ABSENT


def _drop(rest: dict[str, Json], path: str) -> None:
    """Take a path out of the rest; what it leaves empty goes with it. Lists are left whole."""
    if path in rest:
        del rest[path]
        return
    head, dot, tail = path.partition(".")
    inner = rest.get(head)
    if dot and isinstance(inner, dict):
        rest[head] = inner = dict(inner)
        _drop(inner, tail)
        if not inner:
            del rest[head]


def _paths(sources: Mapping[str, Source]) -> Iterator[tuple[str, str]]:
    """Every (field, path) of a mapping, nested ones too."""
    for field, source in sources.items():
        if isinstance(source, str):
            yield field, source
        else:
            yield from ((field, path) for _, path in _paths(source))


def _id(value: Json, case_input: Json, *, mapped: bool) -> str:
    if value is _ABSENT or value is None or value == "":
        if mapped:
            raise RowError("the column mapped to `id` is missing or empty in this row")
        return _content_id(case_input)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise RowError(f"`id` must be a text or a whole number, not {kind(value)}")
    if len(value) > MAX_ID:
        raise RowError(f"`id` has {len(value):,} characters; {MAX_ID} are allowed")
    if _CONTROL.search(value):
        raise RowError(f"`id` holds a control character: {value!r}")
    return value


def _content_id(value: Json) -> str:
    try:
        return content_id(value)
    except UnicodeEncodeError:
        raise RowError(HALF_PAIR) from None


def _cluster(value: Json) -> str | None:
    if value is _ABSENT or value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise RowError(f"`cluster` must be a text or a whole number, not {kind(value)}")
    return str(value)


def _tags(value: Json) -> tuple[str, ...]:
    if value is _ABSENT or value is None:
        return ()
    if isinstance(value, str):
        value = value.replace(";", ",").split(",")
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise RowError(f"`tags` must be a list of words or one text with commas, not {kind(value)}")
    return tuple(dict.fromkeys(tag.strip() for tag in value if tag.strip()))


def _metadata(value: Json, rest: dict[str, Json]) -> dict[str, Json]:
    if value is _ABSENT or value is None or value == "":
        return rest
    if isinstance(value, str):
        try:
            value = msgspec.json.decode(value)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise RowError("`metadata` must be an object, this text is none") from None
    if not isinstance(value, dict):
        raise RowError(f"`metadata` must be an object, not {kind(value)}")
    return {**rest, **value}


_KINDS = {
    bool: "true or false",
    int: "a number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "an object",
}


def kind(value: Json) -> str:
    """A JSON value's type in words."""
    names = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "a text",
        list: "a list",
        dict: "an object",
    }
    return "null" if value is None else names.get(type(value), type(value).__name__)


def _no_input(row: dict[str, Json], mapping: Mapping[str, Source]) -> str:
    columns = ", ".join(list(row)[:12]) or "none"
    if "input" in mapping:
        return f"no input: nothing at {_shown(mapping['input'])}; the row has: {columns}"
    return f"no input: the row has none of {', '.join(ALIASES['input'])}; it has: {columns} (map one in `fields`)"


def _shown(source: Source) -> str:
    return ", ".join(f"`{path}`" for _, path in _paths({"": source}))


def _check_mapping(spec: DatasetSpec) -> None:
    problems = [_problem(spec, field, source) for field, source in spec.fields.items()]
    found = [problem for problem in problems if problem is not None]
    if found:
        raise ConfigError(found)


def _problem(spec: DatasetSpec, field: str, source: Json) -> Problem | None:
    place = {"file": spec.source, "line": spec.line, "key": f"dataset.fields.{field}"}
    if field not in ALIASES:
        close = difflib.get_close_matches(field, ALIASES, n=1)
        hint = f"did you mean `{close[0]}`? " if close else ""
        message = f"unknown field `{field}` of a case"
        return Problem(message=message, hint=f"{hint}there are: {', '.join(ALIASES)}", **place)  # type: ignore[arg-type]
    if not _is_source(source):
        message = f"`{field}` is mapped to {kind(source)}; a column, a dotted path or an object of them is needed"
        return Problem(message=message, **place)  # type: ignore[arg-type]
    return None


def _is_source(source: Json) -> bool:
    if isinstance(source, dict):
        return bool(source) and all(isinstance(k, str) and _is_source(v) for k, v in source.items())
    return isinstance(source, str) and bool(source)


def _misspelt(spec: DatasetSpec, field: str, path: str, columns: list[str]) -> Problem:
    close = difflib.get_close_matches(path, columns, n=1)
    return Problem(
        message=f"no row of {spec.file or 'the dataset'} has `{path}`, which is mapped to `{field}`",
        file=spec.source,
        line=spec.line,
        key=f"dataset.fields.{field}",
        hint=f"did you mean `{close[0]}`?" if close else f"the columns are: {', '.join(columns[:20])}",
    )
