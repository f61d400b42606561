"""Cases into files: JSONL, CSV, Parquet, Excel, promptfoo tests, Label Studio tasks, an Inspect log's samples."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.identity import canonical_json
from evalwright.core.media import Contents
from evalwright.datasets.attachments import Cases, CasesWithFiles
from evalwright.datasets.exporters.excel import write_excel
from evalwright.datasets.exporters.label_studio import label_studio_task, tasks_text
from evalwright.datasets.exporters.promptfoo import promptfoo_test
from evalwright.store.export import FORMULA_STARTS
from evalwright.store.files import atomic_file
from evalwright.store.parquet import RowFile

COLUMNS = ("id", "input", "expected", "metadata", "cluster", "tags")


def export_cases(given: Cases, kind: str, path: Path, *, media: Contents | None = None) -> int:
    """Write all cases to a file, which appears when it is whole.

    Args:
        given: The cases.
        kind: One of `EXPORTERS`.
        path: Where to.
        media: Where pictures, sound and documents of the cases lie: they are written into a folder beside the file.

    Returns:
        How many cases were written.

    Raises:
        KeyError: There is no such format.
        DiskFull: No space is left.
        StoreError: The file can't be written.
        MissingExtra: Excel files need openpyxl.
        UsageError: A text is longer than a cell of a workbook may be.
    """
    cases = given if media is None else CasesWithFiles(given, media, path)
    if kind == "parquet":
        _parquet(cases, path)
    elif kind == "excel":
        write_excel(path, COLUMNS, ((_plain(getattr(case, name)) for name in COLUMNS) for case in cases))
    else:
        with atomic_file(path) as file:
            for piece in EXPORTERS[kind](cases):
                file.write(piece)
    return len(cases)


def _jsonl(cases: Iterable[Case]) -> Iterator[bytes]:
    return (canonical_json(case) + b"\n" for case in cases)


def _csv(cases: Iterable[Case]) -> Iterator[bytes]:
    """Lists and objects as JSON; text that a spreadsheet would run as a formula gets an apostrophe in front."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    writer.writerow(COLUMNS)
    for case in cases:
        writer.writerow([_cell(getattr(case, name)) for name in COLUMNS])
        yield buffer.getvalue().encode()
        buffer.seek(0)
        buffer.truncate()
    yield buffer.getvalue().encode()


def _cell(value: Json) -> str:
    text = _plain(value)
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def _plain(value: Json) -> str:
    if value in (None, {}, ()):
        return ""
    return ",".join(value) if isinstance(value, tuple) else value if isinstance(value, str) else _json(value)


def _json(value: Json) -> str:
    return canonical_json(value).decode()


def _parquet(cases: Iterable[Case], path: Path) -> None:
    with RowFile(path.parent, path.name, dict.fromkeys(COLUMNS, "VARCHAR")) as file:
        for case in cases:
            row = {name: getattr(case, name) for name in COLUMNS}
            row |= {name: _json(value) for name, value in row.items() if not isinstance(value, (str, type(None)))}
            file.add(row)
        file.save(path)


def _promptfoo(cases: Iterable[Case]) -> Iterator[bytes]:
    """A configuration with tests, as JSON, which promptfoo and YAML readers take."""
    yield b'{"description": "exported cases", "prompts": ["{{prompt}}"], "tests": [\n'
    for number, case in enumerate(cases):
        yield (b",\n" if number else b"") + json.dumps(promptfoo_test(case), ensure_ascii=False).encode()
    yield b"\n]}\n"


def _label_studio(cases: Iterable[Case]) -> Iterator[bytes]:
    return tasks_text(map(label_studio_task, cases))


def _inspect(cases: Iterable[Case]) -> Iterator[bytes]:
    """A dataset of samples as Inspect's `json_dataset` reads it, one a line."""
    for case in cases:
        yield msgspec.json.encode(inspect_sample(case)) + b"\n"


def inspect_sample(case: Case) -> dict[str, Json]:
    """A case as a sample: `input` a text or messages, `target` a text or texts."""
    chat = isinstance(case.input, list) and all(isinstance(m, dict) and "role" in m for m in case.input)
    given = case.input if isinstance(case.input, str) or chat else _json(case.input)
    wanted = case.expected
    target = [_text(item) for item in wanted] if isinstance(wanted, list) else _text(wanted)
    choices = case.metadata.get("choices")
    metadata = {key: value for key, value in case.metadata.items() if key != "choices"}
    sample: dict[str, Json] = {"id": case.id, "input": given, "target": target, "metadata": metadata}
    return sample | ({"choices": choices} if isinstance(choices, list) else {})


def _text(value: Json) -> str:
    return value if isinstance(value, str) else "" if value is None else _json(value)


EXPORTERS: dict[str, Callable[[Iterable[Case]], Iterator[bytes]]] = {
    "jsonl": _jsonl,
    "csv": _csv,
    "parquet": _jsonl,
    "excel": _csv,
    "promptfoo": _promptfoo,
    "label-studio": _label_studio,
    "inspect": _inspect,
}
"""Formats cases can be exported to."""
