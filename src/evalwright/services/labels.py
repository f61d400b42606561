"""Files of human labels: rows in whatever columns people have, as cases with an answer and a label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from evalwright.core.case import Case, Json
from evalwright.core.errors import ConfigError, Problem, TargetError, UsageError
from evalwright.core.identity import content_hash, content_id
from evalwright.core.output import Output
from evalwright.core.suite import DatasetSpec
from evalwright.datasets.reader import read_raw
from evalwright.targets.answers import as_output

COLUMNS: dict[str, tuple[str, ...]] = {
    "id": ("id", "case_id"),
    "input": ("input", "question", "prompt"),
    "output": ("output", "answer", "response", "completion"),
    "expected": ("expected", "reference", "ideal"),
    "label": ("label", "human_label", "human", "gold"),
    "cluster": ("cluster",),
    "contexts": ("contexts",),
    "verdict": ("verdict", "judge_verdict", "prediction"),
    "order": ("order",),
    "model": ("model", "output_model", "system"),
}
"""What a row may hold, and the columns it is looked for in."""

TRUE_WORDS = frozenset({"true", "yes", "y", "pass", "passed", "1", "1.0", "correct", "right", "good"})
FALSE_WORDS = frozenset({"false", "no", "n", "fail", "failed", "0", "0.0", "incorrect", "wrong", "bad"})
SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelRow:
    """One row of a label file.

    Attributes:
        line: Where it stands.
        case: Id, input, what is expected; other columns as metadata.
        output: The judged answer, None when the row has none.
        label: The label as text, None when the row has none yet.
        verdict: A recorded verdict, where the row has one.
        order: Order in which a recorded pairwise verdict was asked (`AB`, `BA`).
        model: Which system gave the answer, where the row says so.
    """

    line: int
    case: Case
    output: Output | None = None
    label: str | None = None
    verdict: str | None = None
    order: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelFile:
    """A file of labels.

    Attributes:
        name: The file as it was given.
        rows: Its rows, in order.
        digest: Content hash of ids, answers and labels.
        bad: What was wrong with rows that were set aside.
    """

    name: str
    rows: tuple[LabelRow, ...]
    digest: str
    bad: tuple[str, ...] = ()


def read_labels(path: Path, columns: Mapping[str, str]) -> LabelFile:
    """Read a file of labels: JSON Lines, JSON, CSV or Parquet.

    Args:
        path: The file.
        columns: By what a row may hold (`COLUMNS`) the column it stands in, where that is not one of the usual.

    Raises:
        ConfigError: The file can't be read.
        UsageError: A column that was named is in no row, or it is not known what it should hold.
    """
    unknown = set(columns) - set(COLUMNS)
    if unknown:
        raise UsageError(f"`{min(unknown)}` is nothing a label file holds", hint=f"there are: {', '.join(COLUMNS)}")
    rows: list[LabelRow] = []
    bad: list[str] = []
    seen: set[str] = set()
    for row in read_raw(DatasetSpec(file=str(path)), Path()):
        if row.reason is not None or not isinstance(row.value, dict):
            bad.append(f"{path}:{row.line}: {row.reason or 'the row is no object'}")
            continue
        seen |= set(row.value)
        try:
            rows.append(_label_row(row.line, row.value, columns))
        except TargetError as error:
            bad.append(f"{path}:{row.line}: {error.message}")
    missing = [column for column in columns.values() if column not in seen]
    if missing and rows:
        raise UsageError(
            f"no row of {path} has the column `{missing[0]}`", hint=f"there are: {', '.join(sorted(seen))}"
        )
    if not rows:
        raise ConfigError([Problem(message=f"{path} holds no rows", file=str(path), hint=bad[0] if bad else "")])
    kept = [[row.case.id, None if row.output is None else row.output.text, row.label] for row in rows]
    return LabelFile(name=str(path), rows=tuple(rows), digest=content_hash(kept)[:16], bad=tuple(bad[:SHOWN]))


def _label_row(line: int, value: dict[str, Json], columns: Mapping[str, str]) -> LabelRow:
    left = dict(value)
    found = {what: _take(left, columns.get(what), names) for what, names in COLUMNS.items()}
    given, contexts = found["output"], found["contexts"]
    output = None
    if given is not None:
        parts = given if isinstance(given, dict) else {"text": given if isinstance(given, str) else str(given)}
        output = as_output(parts if contexts is None else {**parts, "contexts": contexts}, source="the row")
    case = Case(
        id=content_id([found["input"], given]) if found["id"] is None else str(found["id"]),
        input=found["input"],
        expected=found["expected"],
        metadata=left,
        cluster=None if found["cluster"] is None else str(found["cluster"]),
    )
    return LabelRow(
        line=line,
        case=case,
        output=output,
        label=as_label(found["label"]),
        verdict=as_label(found["verdict"]),
        order=None if found["order"] is None else str(found["order"]),
        model=found["model"] if isinstance(found["model"], str) else None,
    )


def _take(row: dict[str, Json], named: str | None, usual: tuple[str, ...]) -> Json:
    for name in (named,) if named is not None else usual:
        if name in row:
            return row.pop(name)
    return None


def as_label(value: Json) -> str | None:
    """A label as text: `true` and `false` for JSON's, nothing for null and empty texts."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def as_truth(label: str) -> bool | None:
    """A label as a row verdict; None when it is none of the words for it.

    Example:
        >>> as_truth("Pass"), as_truth("0"), as_truth("fair")
        (True, False, None)
    """
    word = label.strip().casefold()
    return True if word in TRUE_WORDS else False if word in FALSE_WORDS else None
