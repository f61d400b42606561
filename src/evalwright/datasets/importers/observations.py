"""Observations of a trace as Langfuse exports them: the tree of steps, and the tools that were called."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from evalwright.core.case import Json
from evalwright.core.output import Step, ToolCall, Usage
from evalwright.datasets.importers.values import Object, as_dict, as_text, first, number

DEEPEST = 64
"""Steps below so many others become roots, as do those whose parents go round in a circle."""

_KINDS = {"GENERATION": "llm", "EMBEDDING": "embedding", "RETRIEVER": "retrieval"}
"""Types of observations that have another name among the kinds of steps; the others are in small letters."""


def steps_of(observations: Sequence[Object]) -> tuple[Step, ...]:
    """The observations as a tree, each level in order of time; those whose parent is not there are roots."""
    rows = sorted(observations, key=lambda row: _moment(row.get("startTime")) or 0.0)
    by_id: dict[str, Object] = {}
    for place, row in enumerate(rows):
        key = as_text(row.get("id"))
        by_id[key if key and key not in by_id else f"#{place}"] = row
    parents = {key: as_text(row.get("parentObservationId")) for key, row in by_id.items()}
    depths = {key: _depth(key, parents) for key in by_id}
    begin = min((at for row in rows if (at := _moment(row.get("startTime"))) is not None), default=0.0)
    children: dict[str, list[Step]] = {}
    for key in sorted(by_id, key=lambda name: depths[name], reverse=True):
        step = _step(by_id[key], begin, tuple(children.pop(key, ())))
        children.setdefault(parents[key] if depths[key] > 1 else "", []).append(step)
    return tuple(children.get("", ()))


def _depth(key: str, parents: dict[str, str]) -> int:
    """1 for roots; the number of steps above, and 1."""
    seen = [key]
    while (parent := parents.get(seen[-1], "")) in parents:
        if parent in seen or len(seen) >= DEEPEST:
            return 1
        seen.append(parent)
    return len(seen)


def _step(row: Object, begin: float, children: tuple[Step, ...]) -> Step:
    begun, ended = _moment(row.get("startTime")), _moment(row.get("endTime"))
    kind = as_text(row.get("type")).upper()
    return Step(
        kind=_KINDS.get(kind, kind.lower() or "span"),
        name=as_text(row.get("name")),
        input=row.get("input"),
        output=row.get("output"),
        error=_error(row),
        start_s=None if begun is None else begun - begin,
        duration_s=None if begun is None or ended is None else max(0.0, ended - begun),
        children=children,
    )


def _error(row: Object) -> str | None:
    return (as_text(row.get("statusMessage")) or "error") if row.get("level") == "ERROR" else None


def _moment(value: Json) -> float | None:
    """Seconds since the epoch of an ISO time, or of milliseconds as a number."""
    if isinstance(value, str):
        try:
            return dt.datetime.fromisoformat(value).timestamp()
        except (ValueError, OverflowError, OSError):
            return None
    at = number(value)
    return None if at is None else at / 1000.0


def tool_calls_of(observations: Sequence[Object]) -> tuple[ToolCall, ...]:
    """The tools that were called, in order of time."""
    rows = [row for row in observations if as_text(row.get("type")).upper() == "TOOL"]
    return tuple(
        ToolCall(
            name=as_text(row.get("name")),
            arguments=_arguments(row.get("input")),
            id=as_text(row.get("id")),
            result=row.get("output"),
            error=_error(row),
        )
        for row in sorted(rows, key=lambda row: _moment(row.get("startTime")) or 0.0)
    )


def _arguments(value: Json) -> Json:
    """The arguments themselves where the export wraps them in `input` or `args`."""
    inner = as_dict(value)
    if len(inner) == 1:
        name, content = next(iter(inner.items()))
        return content if name in {"input", "args", "arguments"} and isinstance(content, dict) else value
    return value


def usage_of(observations: Sequence[Object]) -> Usage | None:
    """Tokens of all observations together; None where none tells any."""
    given = [_observation_tokens(o) for o in observations]
    if not any(a or b for a, b in given):
        return None
    return Usage(input_tokens=sum(a for a, _ in given), output_tokens=sum(b for _, b in given))


def _observation_tokens(row: Object) -> tuple[int, int]:
    details = as_dict(row.get("usageDetails")) or as_dict(row.get("usage"))
    asked = int(number(first(row, "inputUsage", "promptTokens") or first(details, "input", "promptTokens")) or 0)
    made = int(
        number(first(row, "outputUsage", "completionTokens") or first(details, "output", "completionTokens")) or 0
    )
    whole = int(number(first(row, "totalUsage", "totalTokens") or first(details, "total", "totalTokens")) or 0)
    return asked, max(made, whole - asked)  # tokens of thinking stand in the total only
