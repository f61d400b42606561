"""CSV and Parquet files."""

from __future__ import annotations

import csv
import datetime as dt
import decimal
import ipaddress
import math
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb

from evalwright.core.case import Json
from evalwright.datasets.jsonl import TOO_LONG, FileError
from evalwright.datasets.lines import Line, bomb_words, most_bytes, read_lines
from evalwright.datasets.rows import MAX_ROW_BYTES, SHOWN, Row, RowError
from evalwright.store.duck import connect

DELIMITERS = ",;\t|"
_ADDRESSES = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
)


class _Feed:
    """Gives lines to the CSV reader and remembers those of the row at hand."""

    def __init__(self, lines: Iterator[Line]) -> None:
        self._lines = lines
        self.number = 0
        self.text = ""

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.number = line.number
        text = line.data.decode("utf-8", "surrogateescape")
        if len(self.text) < SHOWN:
            self.text += text[:SHOWN] + "\n"
        if not line.whole:
            raise RowError(TOO_LONG)
        return text + "\n"


def read_csv(path: Path) -> Iterator[Row]:
    """Rows of a CSV file with a header; the separator (comma, semicolon, tab, bar) is told from the header.

    A quoted cell may hold separators, quotes (doubled) and line feeds. An empty cell counts as missing.

    Raises:
        FileError: The header names a column twice, or the file is UTF-16.
    """
    lines = read_lines(path)
    first = next(lines, None)
    if first is None:
        return
    if first.data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise FileError("the file is UTF-16", line=1, hint="save it as UTF-8")
    csv.field_size_limit(MAX_ROW_BYTES)
    feed = _Feed(_again(first, lines))
    reader = csv.reader(feed, delimiter=_delimiter(path, first.data), strict=True)
    header = _header(reader)
    while (row := _next_row(reader, feed, header)) is not None:
        if row.value != {} or row.reason:
            yield row


def _again(first: Line, rest: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from rest


def _delimiter(path: Path, header: bytes) -> str:
    if ".tsv" in path.suffixes:
        return "\t"
    outside = "".join(header.decode("utf-8", "replace").split('"')[::2])
    return max(DELIMITERS, key=lambda mark: (outside.count(mark), -DELIMITERS.index(mark)))


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        names = [name.strip() or f"column_{n}" for n, name in enumerate(next(reader, []), start=1)]
    except (csv.Error, RowError) as error:
        raise FileError(f"the header can't be read: {error}", line=1) from None
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise FileError(f"the header names `{twice[0]}` twice", line=1, hint="give each column its own name")
    return names


def _next_row(reader: Iterator[list[str]], feed: _Feed, header: list[str]) -> Row | None:
    """The next row, None at the end; an empty line gives an empty row."""
    start, feed.text = feed.number + 1, ""
    try:
        cells = next(reader)
    except StopIteration:
        return None
    except (csv.Error, RowError) as error:
        return Row(start, text=feed.text, reason=_csv_reason(str(error), start, feed.number))
    reason = _cells_reason(cells, header)
    if reason:
        return Row(start, text=feed.text, reason=reason)
    return Row(start, {name: cell for name, cell in zip(header, cells, strict=False) if cell != ""}, feed.text)


def _csv_reason(message: str, start: int, end: int) -> str:
    if message == "unexpected end of data":
        return f"a quote opened in this row is not closed; the file ends at line {end}"
    if message.startswith("field larger"):
        return TOO_LONG + " (is a quote not closed?)"
    return message if message == TOO_LONG else f"no CSV: {message}" + (f" (up to line {end})" if end > start else "")


def _cells_reason(cells: list[str], header: list[str]) -> str | None:
    if cells and len(cells) != len(header):
        return f"{len(cells)} cells, but the header has {len(header)}"
    for name, cell in zip(header, cells, strict=False):
        if "\0" in cell:
            return f"`{name}` holds a NUL byte"
        if not cell.isascii() and any("\udc80" <= character <= "\udcff" for character in cell):
            return f"`{name}` is no UTF-8"
    return None


def read_parquet(path: Path) -> Iterator[Row]:
    """Rows of a Parquet file, read by DuckDB, which may open nothing but this file. The first row is line 2.

    Raises:
        FileError: It is no Parquet file, or damaged.
    """
    with connect(only=(path,)) as duck:
        try:
            _check_texts(duck, path)
            found = duck.execute("SELECT * FROM read_parquet(?)", [str(path)])
            names = [column[0] for column in found.description or ()]
            number, pace = 1, _Pace(path.stat().st_size)
            while batch := found.fetchmany(pace.rows):
                pace.note(batch)
                for cells in batch:
                    number += 1
                    yield _parquet_row(number, names, cells)
        except duckdb.Error as error:
            raise FileError(f"can't be read as Parquet: {str(error).splitlines()[0]}") from error


def _check_texts(duck: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Add up the texts before any is read: a column that repeats one of megabytes takes little room in the file.

    Raises:
        FileError: They are far more than the file's size.
    """
    columns = duck.execute("DESCRIBE SELECT * FROM read_parquet(?)", [str(path)]).fetchall()
    length = {"VARCHAR": "strlen", "BLOB": "octet_length"}
    named = [(length[kind], str(name).replace('"', '""')) for name, kind, *_ in columns if kind in length]
    if not named:
        return
    sums = " + ".join(f'coalesce(sum({function}("{name}")), 0)' for function, name in named)
    found = duck.execute(f"SELECT {sums} FROM read_parquet(?)", [str(path)]).fetchone()  # noqa: S608 - quoted names
    size = int(found[0]) if found and found[0] is not None else 0
    if size > most_bytes(path.stat().st_size):
        raise FileError(bomb_words(size))


class _Pace:
    """How many rows to fetch at once, so that rows of megabytes don't fill the memory; and when it is enough."""

    def __init__(self, packed: int) -> None:
        self.rows = 1
        self._most = most_bytes(packed)
        self._read = 0

    def note(self, batch: list[tuple[Any, ...]]) -> None:
        """Look at a batch.

        Raises:
            FileError: The file unpacks to far more than its size.
        """
        size = sum(sys.getsizeof(cell) for cells in batch for cell in cells)
        self._read += size
        if self._read > self._most:
            raise FileError(bomb_words(self._read))
        self.rows = max(1, min(256, 2 * self.rows, MAX_ROW_BYTES * len(batch) // max(size, 1)))


def _parquet_row(number: int, names: list[str], cells: tuple[Any, ...]) -> Row:
    try:
        row = {name: as_json(cell) for name, cell in zip(names, cells, strict=True)}
    except RowError as error:
        return Row(number, text=repr(cells)[:SHOWN], reason=str(error))
    return Row(number, {name: value for name, value in row.items() if value is not None}, repr(row)[:SHOWN])


def as_json(value: Any) -> Json:
    """A database value as JSON: dates and ids as text, NaN as null.

    Raises:
        RowError: Bytes, or an infinite number, which JSON has no place for.
    """
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, (float, decimal.Decimal)):
        return _number(value)
    if isinstance(value, dict):
        return {str(key): as_json(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [as_json(item) for item in value]
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    if isinstance(value, (dt.timedelta, uuid.UUID, *_ADDRESSES)):
        return str(value)
    raise RowError(f"holds a value of type {type(value).__name__}, which has no JSON form")


def _number(value: float | decimal.Decimal) -> Json:
    if isinstance(value, decimal.Decimal) and value.is_finite():
        return int(value) if value == value.to_integral_value() else float(value)
    if math.isnan(value):
        return None
    if math.isinf(value):
        raise RowError("holds an infinite number")
    return float(value)
