"""Any list as a file for other programs: CSV with formulas made harmless, or JSON Lines, row by row."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from typing import TypeVar

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import UsageError
from evalwright.services.browsing.paging import MOST, Page
from evalwright.store.export import plain_cell

FORMATS = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}
"""Formats and their media types."""

MOST_ROWS = 1_000_000
_HEADING_ROWS = 200

T = TypeVar("T")


def rows_of(ask: Callable[[str | None, int], Page[T]]) -> Iterator[T]:
    """The entries of a list, fetched a page at a time while they are written; at most a million."""
    page = ask(None, MOST)
    given = 0
    while True:
        for item in page.items:
            if given >= MOST_ROWS:
                return
            given += 1
            yield item
        if page.next is None:
            return
        page = ask(page.next, MOST)


def written(rows: Iterable[object], kind: str) -> Iterator[bytes]:
    """A list as a file, piece by piece.

    In CSV nested values are columns of their own (`scores.exact.value`), lists are JSON text; the columns are those of
    the first 200 rows. Text a spreadsheet would run as a formula gets an apostrophe in front.

    Raises:
        UsageError: There is no such format.
    """
    if kind not in FORMATS:
        raise UsageError(f"there is no format {kind!r}", hint=f"one of {', '.join(FORMATS)}")
    return _jsonl(rows) if kind == "jsonl" else _csv(rows)


def _jsonl(rows: Iterable[object]) -> Iterator[bytes]:
    for row in rows:
        yield msgspec.json.encode(row) + b"\n"


def _csv(rows: Iterable[object]) -> Iterator[bytes]:
    flat = (dict(_flat("", msgspec.to_builtins(row))) for row in rows)
    first = list(islice(flat, _HEADING_ROWS))
    columns = list(dict.fromkeys(name for row in first for name in row))
    yield _line(columns)
    for row in chain(first, flat):
        yield _line([row.get(name) for name in columns])


def _flat(prefix: str, value: Json) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _flat(f"{prefix}.{name}" if prefix else str(name), item)
    elif isinstance(value, list | dict):
        yield prefix, msgspec.json.encode(value).decode() if value else None
    else:
        yield prefix, value


def _line(cells: Iterable[Json]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow([plain_cell(cell) for cell in cells])
    return text.getvalue().encode()
