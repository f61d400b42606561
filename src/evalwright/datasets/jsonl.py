"""JSON Lines and JSON files."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec

from evalwright.core.case import Json
from evalwright.datasets.lines import Line, read_lines
from evalwright.datasets.parse import decode_utf8, parse_json
from evalwright.datasets.rows import MAX_ROW_BYTES, Row, RowError

MAX_JSON_BYTES = 1 << 30
"""A JSON file (one value, not lines) must be read whole; a larger one is refused."""

LIST_KEYS = ("cases", "data", "examples", "rows", "samples", "tests")
"""Keys under which a JSON object may hold the list of rows."""

TOO_LONG = f"the row is larger than {MAX_ROW_BYTES // 2**20} MiB"


class FileError(Exception):
    """The file as a whole can't be read; the message says why, `line` where (0 when unknown)."""

    def __init__(self, message: str, *, line: int = 0, column: int = 0, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.line = line
        self.column = column
        self.hint = hint


def read_jsonl(path: Path) -> Iterator[Row]:
    """One row a line; empty lines are passed over."""
    for line in read_lines(path):
        if line.data.strip():
            yield json_row(line)


def json_row(line: Line) -> Row:
    """The row on one line of JSON Lines."""
    if not line.whole:
        return Row(line.number, text=line.data, reason=TOO_LONG)
    try:
        return Row(line.number, parse_json(line.data), line.data)
    except RowError as error:
        return Row(line.number, text=line.data, reason=str(error))


def read_json(path: Path) -> Iterator[Row]:
    """The rows of a JSON list, or of the list an object holds under `cases`, `data`, …; or lines after all.

    Raises:
        FileError: The file is no JSON, holds no list of rows, or is too large to be read whole.
    """
    data = _whole(path)
    try:
        items = _items(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if _is_lines(data):
            yield from read_jsonl(path)
            return
        raise _broken(data) from None
    yield from _list_rows(data, items)


def _whole(path: Path) -> bytes:
    """The whole file, unpacked, with its lines as they are."""
    pieces: list[bytes] = []
    size = 0
    for line in read_lines(path, limit=MAX_JSON_BYTES):
        size += len(line.data) + 1
        if size > MAX_JSON_BYTES or not line.whole:
            raise FileError("the JSON file is larger than 1 GiB", hint="write one row a line (.jsonl) instead")
        pieces.append(line.data)
    return b"\n".join(pieces)


def _items(data: bytes) -> list[msgspec.Raw]:
    """The rows as raw JSON, none of them parsed yet."""
    if data.lstrip()[:1] == b"[":
        return msgspec.json.decode(data, type=list[msgspec.Raw])
    table = msgspec.json.decode(data, type=dict[str, msgspec.Raw])
    key = next((name for name in LIST_KEYS if name in table and bytes(table[name]).lstrip()[:1] == b"["), None)
    if key is None:
        raise FileError(
            "the JSON file holds one object and no list of rows",
            hint=f"write a list, or an object with a list under one of: {', '.join(LIST_KEYS)}",
        )
    return msgspec.json.decode(table[key], type=list[msgspec.Raw])


def _list_rows(data: bytes, items: list[msgspec.Raw]) -> Iterator[Row]:
    position, line = 0, 1
    for item in items:
        text = bytes(item)
        start = data.find(text, position)
        line += data.count(b"\n", position, start)
        yield json_row(Line(line, text, len(text) <= MAX_ROW_BYTES))
        position = start + len(text)
        line += text.count(b"\n")


def _is_lines(data: bytes) -> bool:
    """Whether the first line alone is a JSON object: JSON Lines under the name `.json`."""
    first, _, rest = data.lstrip().partition(b"\n")
    try:
        return bool(rest.strip()) and isinstance(msgspec.json.decode(first), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _broken(data: bytes) -> FileError:
    try:
        json.loads(decode_utf8(data))
    except RowError as error:
        return FileError(str(error))
    except json.JSONDecodeError as error:
        return FileError(f"no JSON: {error.msg}", line=error.lineno, column=error.colno)
    except (RecursionError, ValueError):
        return FileError("nested too deeply")
    return FileError("no JSON as RFC 8259 has it (NaN, an infinity or half a surrogate pair)")


def inline_rows(cases: tuple[Json, ...], line: int) -> Iterator[Row]:
    """Rows that stand in the suite itself; all carry the line of the dataset section."""
    for number, value in enumerate(cases, start=1):
        yield Row(line or number, value, f"cases[{number - 1}]")
