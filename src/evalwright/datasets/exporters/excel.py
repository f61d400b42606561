"""Cases as a workbook: every cell a text, so that nothing in it is ever run as a formula."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from evalwright.core.errors import UsageError
from evalwright.core.extras import optional
from evalwright.store.files import atomic_file

MAX_CELL = 32_767
MAX_ROWS = 1_048_576
_ILLEGAL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")


def write_excel(path: Path, columns: Sequence[str], rows: Iterable[Iterable[str]]) -> None:
    """Write a workbook of one sheet, which appears when it is whole; control characters become U+FFFD.

    Args:
        path: Where to.
        columns: Names of the columns.
        rows: The cells' texts.

    Raises:
        MissingExtra: openpyxl is not installed.
        UsageError: A text is longer than a cell may be, or there are more rows than a sheet holds.
    """
    openpyxl = optional("openpyxl", extra="excel")
    book: Any = openpyxl.Workbook(write_only=True)
    sheet: Any = book.create_sheet("cases")
    sheet.append(list(columns))
    try:
        for number, row in enumerate(rows, start=2):
            if number > MAX_ROWS:
                raise UsageError(f"a sheet holds {MAX_ROWS:,} rows", hint="export csv or parquet instead")
            sheet.append([_cell(openpyxl, sheet, text, number) for text in row])
    finally:
        sheet.close()
    with atomic_file(path) as file:
        book.save(file)


def _cell(openpyxl: Any, sheet: Any, text: str, number: int) -> Any:
    if not text:
        return None
    if len(text) > MAX_CELL:
        message = f"row {number} has a text of {len(text):,} characters; a cell holds {MAX_CELL:,}"
        raise UsageError(message, hint="export csv or parquet instead")
    cell = openpyxl.cell.WriteOnlyCell(sheet, value=_ILLEGAL.sub("\ufffd", text))
    cell.data_type = "s"
    return cell
