"""A run's rows as one table for other programs: JSON Lines, CSV, Parquet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import UsageError
from evalwright.core.result import CaseResult
from evalwright.core.run import UnitRecord
from evalwright.store.files import atomic_file
from evalwright.store.parquet import RowFile
from evalwright.store.verdict import row_verdict

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")
"""A cell that begins with one of these may be run as a formula by a spreadsheet."""

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?")
_encode = msgspec.json.Encoder().encode

FLAT_COLUMNS = {
    "run_id": "VARCHAR",
    "case_id": "VARCHAR",
    "trial": "INTEGER",
    "input": "VARCHAR",
    "expected": "VARCHAR",
    "cluster": "VARCHAR",
    "tags": "VARCHAR",
    "metadata": "VARCHAR",
    "output": "VARCHAR",
    "output_data": "VARCHAR",
    "contexts": "VARCHAR",
    "error": "VARCHAR",
    "passed": "BOOLEAN",
    "latency_s": "DOUBLE",
    "input_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "cost": "DOUBLE",
    "model": "VARCHAR",
    "calls": "INTEGER",
    "cached": "BOOLEAN",
}
"""Columns of the flat formats (name to SQL type); those of the metrics follow."""

METRIC_COLUMNS = {"": "DOUBLE", ".passed": "BOOLEAN", ".status": "VARCHAR", ".reason": "VARCHAR"}
"""Columns of each metric: the ending after `score.<metric>`, and the SQL type."""


def export(kind: str, path: Path, run_id: str, results: Iterable[CaseResult], metrics: Sequence[str]) -> None:
    """Write one row per unit: the case, the answer or the error, every score.

    JSON Lines keep everything as it is; CSV and Parquet are flat, with lists and objects as JSON text. In CSV, text
    that a spreadsheet would run as a formula gets an apostrophe in front; numbers stay numbers.

    Args:
        kind: `jsonl`, `csv` or `parquet`.
        path: Where to write; the file appears when it is whole.
        run_id: Name of the run.
        results: The cases with their units.
        metrics: Metrics the flat formats have columns for.

    Raises:
        UsageError: An unknown format.
        DiskFull: No space is left.
        StoreError: The place can't be written.
    """
    writers: dict[str, Callable[[], None]] = {
        "jsonl": lambda: _jsonl(path, run_id, results),
        "csv": lambda: _csv(path, run_id, results, metrics),
        "parquet": lambda: _parquet(path, run_id, results, metrics),
    }
    if kind not in writers:
        raise UsageError(f"unknown export format {kind!r}", hint=f"there are: {', '.join(writers)}")
    writers[kind]()


def _jsonl(path: Path, run_id: str, results: Iterable[CaseResult]) -> None:
    with atomic_file(path) as file:
        for result, record in _units(results):
            file.write(_encode(whole_row(run_id, result, record)) + b"\n")


def _csv(path: Path, run_id: str, results: Iterable[CaseResult], metrics: Sequence[str]) -> None:
    with atomic_file(path) as file:
        text = io.TextIOWrapper(file, encoding="utf-8", newline="")
        writer = csv.writer(text)
        writer.writerow([plain_cell(name) for name in columns(metrics)])
        for result, record in _units(results):
            writer.writerow([plain_cell(cell) for cell in flat_row(run_id, result, record, metrics).values()])
        text.flush()
        text.detach()


def _parquet(path: Path, run_id: str, results: Iterable[CaseResult], metrics: Sequence[str]) -> None:
    with RowFile(path.parent, path.name, columns(metrics)) as rows:
        for result, record in _units(results):
            rows.add(flat_row(run_id, result, record, metrics))
        rows.save(path)


def _units(results: Iterable[CaseResult]) -> Iterator[tuple[CaseResult, UnitRecord]]:
    for result in results:
        for record in result.trials:
            yield result, record


def columns(metrics: Sequence[str]) -> Mapping[str, str]:
    """Columns of the flat formats with their SQL types."""
    return FLAT_COLUMNS | {f"score.{n}{ending}": kind for n in metrics for ending, kind in METRIC_COLUMNS.items()}


def whole_row(run_id: str, result: CaseResult, record: UnitRecord) -> dict[str, Any]:
    """A unit with its case, nothing left out."""
    unit = msgspec.to_builtins(record)
    unit.pop("case_id")
    case = msgspec.to_builtins(result.case)
    return {"run_id": run_id, "case_id": case.pop("id"), "trial": record.trial, **case, **unit}


def flat_row(run_id: str, result: CaseResult, record: UnitRecord, metrics: Sequence[str]) -> dict[str, Any]:
    """A unit with its case as cells of text and numbers, in the order of `columns`."""
    case, output = result.case, record.output
    usage = output.usage if output else None
    row = {
        "run_id": run_id,
        "case_id": case.id,
        "trial": record.trial,
        "input": _text(case.input),
        "expected": _text(case.expected),
        "cluster": case.cluster,
        "tags": ", ".join(case.tags) or None,
        "metadata": _text(case.metadata or None),
        "output": output.text if output else None,
        "output_data": _text(output.data) if output else None,
        "contexts": _text(output.contexts or None) if output else None,
        "error": f"{record.error.kind}: {record.error.message}" if record.error else None,
        "passed": row_verdict((record,)),
        "latency_s": output.latency_s if output else None,
        "input_tokens": usage.input_tokens if usage else None,
        "output_tokens": usage.output_tokens if usage else None,
        "cost": output.cost if output else None,
        "model": output.model if output else None,
        "calls": record.calls,
        "cached": record.cached,
    }
    return row | _scores(record, metrics)


def _scores(record: UnitRecord, metrics: Sequence[str]) -> dict[str, Any]:
    cells: dict[str, Any] = {}
    for name in metrics:
        score = record.scores.get(name)
        cells[f"score.{name}"] = score.value if score else None
        cells[f"score.{name}.passed"] = score.passed if score else None
        cells[f"score.{name}.status"] = score.status.value if score else None
        cells[f"score.{name}.reason"] = score.reason if score else None
    return cells


def _text(value: Json | object) -> str | None:
    """A text as it is, anything else as JSON."""
    if value is None or isinstance(value, str):
        return value
    return _encode(value).decode()


def plain_cell(value: Any) -> Any:
    """A cell no spreadsheet runs as a formula: text that begins like one gets an apostrophe in front."""
    if isinstance(value, str) and value.startswith(FORMULA_STARTS) and not _NUMBER.fullmatch(value):
        return f"'{value}"
    return value
