"""Plain rows: JSON Lines, JSON, CSV, Parquet through the dataset reader, and Excel sheets."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import msgspec

from evalwright.core.case import Json
from evalwright.core.extras import optional
from evalwright.datasets.importers.items import Item, Mapping
from evalwright.datasets.importers.mapping import guess_fields
from evalwright.datasets.importers.source import Source
from evalwright.datasets.jsonl import FileError
from evalwright.datasets.reader import READERS, read_rows
from evalwright.datasets.rows import RowError
from evalwright.datasets.tables import as_json

MAX_SHEET = 512 * 1024 * 1024
MAX_RATIO = 200
MAX_CELL = 1 << 20


def read_plain(source: Source) -> Iterator[Item]:
    """Rows of a JSONL, JSON, CSV or Parquet file by the mapping, or by the names other tools use.

    Raises:
        ConfigError: The file as a whole can't be read, or a mapped column is in no row.
    """
    fields = source.fields or guess_fields(_first_row(source))
    if fields:
        yield Mapping(fields=fields)
    rows = read_rows(msgspec.structs.replace(source.spec(), fields=fields), source.path.parent)
    for row in rows:
        source.line = rows.line
        yield row


def _first_row(source: Source) -> Json:
    """The first row that can be read, as it stands in the file; None where the file as a whole can't be read."""
    rows = READERS[source.row_format](source.path)
    try:
        return next((row.value for row in rows if row.reason is None), None)
    except (FileError, OSError, EOFError, ValueError, zlib.error):
        return None


def read_excel(source: Source) -> Iterator[Item]:
    """Rows of the first sheet of an Excel workbook, its first row the header. Formulas give their stored values.

    Raises:
        ConfigError: No workbook, or one that unpacks to far more than its size.
        MissingExtra: openpyxl is not installed.
    """
    openpyxl = optional("openpyxl", extra="excel")
    _check_workbook(source)
    try:
        workbook: Any = openpyxl.load_workbook(source.path, read_only=True, data_only=True, keep_links=False)
    except (zipfile.BadZipFile, KeyError, ValueError, OSError) as error:
        raise source.error(f"no Excel workbook: {error}") from None
    try:
        yield from _sheet_rows(source, workbook.worksheets[0].iter_rows(values_only=True))
    finally:
        workbook.close()


def _check_workbook(source: Source) -> None:
    try:
        with zipfile.ZipFile(source.path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError) as error:
        raise source.error(f"no Excel workbook (.xlsx): {error}") from None
    size, packed = sum(m.file_size for m in members), sum(m.compress_size for m in members)
    if size > MAX_SHEET or size > MAX_RATIO * max(packed, 1):
        raise source.error(f"the workbook unpacks to {size:,} bytes from {packed:,}; it is refused")


def _sheet_rows(source: Source, rows: Iterator[tuple[Any, ...]]) -> Iterator[Item]:
    header = [
        str(name).strip() if name is not None else f"column_{n}" for n, name in enumerate(next(rows, ()), start=1)
    ]
    if len(set(header)) != len(header):
        raise source.error("the header names a column twice", line=1)
    mapped = source
    for number, cells in enumerate(rows, start=2):
        if number == 2 and not source.fields:
            fields = guess_fields(dict.fromkeys(header))
            mapped = Source(source.path, name=source.name, fields=fields)
            if fields:
                yield Mapping(fields=fields)
        mapped.line = source.line = number
        if any(cell is not None for cell in cells):
            yield _row(mapped, header, cells)


def _row(source: Source, header: list[str], cells: tuple[Any, ...]) -> Item:
    try:
        values: dict[str, Json] = {n: as_json(c) for n, c in zip(header, cells, strict=False) if c is not None}
    except RowError as error:
        return source.bad(str(error))
    long = next((n for n, c in values.items() if isinstance(c, str) and len(c) > MAX_CELL), None)
    return source.bad(f"the cell `{long}` is longer than a million characters") if long else source.case(values)
