"""Cases into files: JSONL, CSV, Parquet, promptfoo tests, Label Studio tasks, an Inspect log's samples."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.identity import canonical_json
from evalwright.store.cases import CaseFile, CaseSelection
from evalwright.store.export import FORMULA_STARTS
from evalwright.store.files import atomic_file
from evalwright.store.parquet import RowFile

COLUMNS = ("id", "input", "expected", "metadata", "cluster", "tags")


def export_cases(cases: CaseFile | CaseSelection, kind: str, path: Path) -> int:
    """Write all cases to a file, which appears when it is whole.

    Args:
        cases: The cases.
        kind: One of `EXPORTERS`.
        path: Where to.

    Returns:
        How many cases were written.

    Raises:
        KeyError: There is no such format.
        DiskFull: No space is left.
        StoreError: The file can't be written.
    """
    if kind == "parquet":
        _parquet(cases, path)
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
    if value in (None, {}, ()):
        return ""
    text = ",".join(value) if isinstance(value, tuple) else value if isinstance(value, str) else _json(value)
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def _json(value: Json) -> str:
    return canonical_json(value).decode()


def _parquet(cases: CaseFile | CaseSelection, path: Path) -> None:
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


def promptfoo_test(case: Case) -> dict[str, Json]:
    """A case as a promptfoo test: an object as its variables, anything else as the variable `prompt`.

    Imported checks are written back as assertions; without them, an expected text is asked for with `equals`.
    """
    checks = case.metadata.get("checks")
    metadata = {key: value for key, value in case.metadata.items() if key not in ("checks", "description")}
    test: dict[str, Json] = {"vars": case.input if isinstance(case.input, dict) else {"prompt": case.input}}
    if "description" in case.metadata:
        test["description"] = case.metadata["description"]
    found = _assertions(checks) if isinstance(checks, dict) else []
    if not found and case.expected is not None:
        found = [{"type": "equals", "value": case.expected}]
    return test | ({"assert": found} if found else {}) | ({"metadata": metadata} if metadata else {})


def _assertions(checks: dict[str, Json]) -> list[Json]:
    found: list[Json] = []
    for key, values in checks.items():
        stem, _, number = key.rpartition("_")
        kind = (stem if number.isdecimal() and stem else key).replace("_", "-")
        items = values if isinstance(values, list) else [values]
        if kind.endswith(("-all", "-any")):
            found.append({"type": kind, "value": items})
        else:
            found += [{"type": kind, "value": item} for item in items]
    return found


def _label_studio(cases: Iterable[Case]) -> Iterator[bytes]:
    yield b"[\n"
    for number, case in enumerate(cases):
        yield (b",\n" if number else b"") + json.dumps(label_studio_task(case), ensure_ascii=False).encode()
    yield b"\n]\n"


def label_studio_task(case: Case) -> dict[str, Json]:
    """A case as a task: its input the data, the rest under `meta`; the id stays a number when it was one."""
    data = case.input if isinstance(case.input, dict) else {"input": case.input}
    meta = {"case_id": case.id, **({"expected": case.expected} if case.expected is not None else {})}
    meta |= {"metadata": case.metadata} if case.metadata else {}
    number = {"id": int(case.id)} if case.id.isdecimal() and len(case.id) < 16 else {}
    return {**number, "data": data, "meta": meta}


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
    "promptfoo": _promptfoo,
    "label-studio": _label_studio,
    "inspect": _inspect,
}
"""Formats cases can be exported to."""
