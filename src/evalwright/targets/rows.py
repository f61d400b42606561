"""Rows of a file of recorded outputs: JSONL, JSON, CSV or Parquet, one at a time, bad ones named and passed over."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

import duckdb
import msgspec

from evalwright.core.case import Json
from evalwright.models import jsonio
from evalwright.targets.options import config_error

FORMATS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "json", ".csv": "csv", ".parquet": "parquet"}
_BATCH = 1000
_LONGEST_FIELD = 256 * 1024 * 1024


class Row(msgspec.Struct, frozen=True):
    """One row: where it stands, its values, or why it can't be read.

    Attributes:
        line: Line number (1-based); for tables the row number counting the header as line 1.
        values: The columns; None when the row can't be read.
        problem: Why it can't.
    """

    line: int
    values: dict[str, Json] | None = None
    problem: str = ""


def format_of(path: Path, given: str | None) -> str:
    """The format given, or the one the file's name says.

    Raises:
        ConfigError: Neither says one we read.
    """
    name = path.name.lower().removesuffix(".gz")
    found = given or FORMATS.get(Path(name).suffix)
    if found not in set(FORMATS.values()):
        hint = "give `format`: jsonl, json, csv or parquet (`.gz` in front of none but parquet)"
        raise config_error(f"`{path.name}` has no format we know", key="format", hint=hint)
    return found


def read_rows(path: Path, fmt: str) -> Iterator[Row]:
    """Read a file row by row; memory does not grow with a JSONL, CSV or Parquet file.

    Raises:
        ConfigError: The whole file can't be read.
    """
    if fmt == "parquet":
        yield from _parquet(path)
        return
    try:
        with _opened(path) as file:
            readers = {"jsonl": _jsonl, "json": _json, "csv": _csv}
            yield from readers[fmt](file, path)
    except (OSError, EOFError, csv.Error) as error:
        raise config_error(f"`{path.name}` can't be read: {error}", key="file") from None


def file_digest(path: Path) -> str:
    """SHA-256 of the file's bytes as they are on disk."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _opened(path: Path) -> BinaryIO:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path, "rb") if packed else path.open("rb")  # type: ignore[return-value]


def _jsonl(file: BinaryIO, _: Path) -> Iterator[Row]:
    for line, text in enumerate(file, start=1):
        if text.strip():
            yield _object_row(line, text)


def _object_row(line: int, text: bytes) -> Row:
    try:
        values = jsonio.decode(text)
    except jsonio.BadJson as error:
        return Row(line, problem=f"not JSON: {error}")
    return Row(line, values) if isinstance(values, dict) else Row(line, problem="not a JSON object")


def _json(file: BinaryIO, path: Path) -> Iterator[Row]:
    try:
        whole = jsonio.decode(file.read())
    except jsonio.BadJson as error:
        raise config_error(f"`{path.name}` is not JSON: {error}", key="file") from None
    rows = whole if isinstance(whole, list) else _only_list(whole, path)
    for index, values in enumerate(rows, start=1):
        yield Row(index, values) if isinstance(values, dict) else Row(index, problem="not a JSON object")


def _only_list(whole: Json, path: Path) -> list[Json]:
    """The rows of `{"id": {…}, …}` or of an object with one list in it."""
    if isinstance(whole, dict):
        lists = [value for value in whole.values() if isinstance(value, list)]
        if len(lists) == 1:
            return lists[0]
        if whole and all(isinstance(value, dict) for value in whole.values()):
            return [{"id": key, **value} for key, value in whole.items()]
    hint = "a list of objects, an object with one list in it, or objects by id"
    raise config_error(f"`{path.name}` holds no rows", key="file", hint=hint)


def _csv(file: BinaryIO, _: Path) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_FIELD)
    with io.TextIOWrapper(file, encoding="utf-8-sig", errors="replace", newline="") as text:
        reader = csv.reader(text)
        header = next(reader, None) or []
        for values in reader:
            if values:
                yield _csv_row(reader.line_num, header, values)


def _csv_row(line: int, header: list[str], values: list[str]) -> Row:
    if len(values) != len(header):
        return Row(line, problem=f"{len(values)} columns where the header has {len(header)}")
    return Row(line, {name: _cell(value) for name, value in zip(header, values, strict=True)})


def _cell(text: str) -> Json:
    """A cell that holds a JSON list or object is decoded; every other stays a text."""
    if text[:1] in {"[", "{"} and text[-1:] in {"]", "}"}:
        try:
            return jsonio.decode(text.encode())
        except jsonio.BadJson:
            return text
    return text


def _parquet(path: Path) -> Iterator[Row]:
    escaped = "".join(f"[{char}]" if char in "*?[" else char for char in str(path))
    try:
        with duckdb.connect(config={"autoinstall_known_extensions": "false", "threads": "1"}) as connection:
            cursor = connection.execute("SELECT * FROM read_parquet(?)", [escaped])
            names = [str(column[0]) for column in cursor.description or ()]
            line = 1
            while batch := cursor.fetchmany(_BATCH):
                for values in batch:
                    line += 1
                    yield _table_row(line, dict(zip(names, values, strict=True)))
    except duckdb.Error as error:
        raise config_error(f"`{path.name}` can't be read: {str(error).splitlines()[0]}", key="file") from None


def _table_row(line: int, values: dict[str, Any]) -> Row:
    try:
        return Row(line, jsonio.clean_json(values))
    except jsonio.BadJson as error:
        return Row(line, problem=str(error))
