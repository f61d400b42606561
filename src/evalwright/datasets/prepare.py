"""Cases into the workspace: written once, with what could not be read set aside."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.identity import content_id
from evalwright.core.media import Contents
from evalwright.datasets.attachments import Attachments
from evalwright.datasets.parse import check_text
from evalwright.datasets.reader import Rows
from evalwright.datasets.rows import RowError, excerpt
from evalwright.store.blobs import Blobs
from evalwright.store.cases import CaseFile, CaseFileWriter

KEPT = 1_000
"""Bad rows kept with their text; of further ones only the number is."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A dataset ready to be worked on.

    Attributes:
        case_file: The cases, in the order they came.
        bad_rows: The first 1,000 rows that were set aside.
        bad_count: How many rows were set aside.
    """

    case_file: CaseFile
    bad_rows: tuple[BadRow, ...] = ()
    bad_count: int = 0

    @property
    def count(self) -> int:
        """Number of cases."""
        return len(self.case_file)


def prepare(
    rows: Iterable[Case | BadRow],
    blobs: Blobs,
    *,
    strict: bool = False,
    source: str = "",
    media: Contents | None = None,
) -> Prepared:
    """Write cases into the workspace, each once, in memory that hardly grows with their number.

    Args:
        rows: Cases and bad rows, as `read_rows` gives them; or the cases of a Python suite.
        blobs: Where to write.
        strict: Whether a bad row is fatal.
        source: Name of the dataset, for messages.
        media: Where pictures, sound and documents go that cases name by path or hold inline; `blobs` when None.

    Raises:
        ConfigError: No case is left, or `strict` and a row is bad.
        DiskFull: No space is left.
    """
    bad: list[BadRow] = []
    bad_count = 0
    attachments = _attachments(rows, media or blobs)
    with CaseFileWriter(blobs) as writer:
        for found in _written(rows, writer, source, attachments):
            bad_count += 1
            if len(bad) < KEPT:
                bad.append(found)
        _check(len(writer), bad, bad_count, strict=strict, source=source)
    return Prepared(case_file=writer.file, bad_rows=tuple(bad), bad_count=bad_count)


def _attachments(rows: Iterable[Case | BadRow], media: Contents) -> Attachments | None:
    """How files that cases name are found; None for rows that another tool's file was read into: they stay as read."""
    if isinstance(rows, Rows):
        return None if rows.folder is None else Attachments(media, rows.folder)
    return Attachments(media, Path(), getattr(rows, "blobs", None))


def _written(
    rows: Iterable[Case | BadRow], writer: CaseFileWriter, source: str, attachments: Attachments | None
) -> Iterator[BadRow]:
    """Write the cases; what remains are the bad rows."""
    numbered = ((rows.line, row) for row in rows) if isinstance(rows, Rows) else enumerate(map(_checked, rows), start=1)
    for line, row in numbered:
        if isinstance(row, BadRow):
            yield row
        elif (reason := _write(row, writer, line, attachments)) is not None:
            yield BadRow(line=line, reason=reason, source=source, text=excerpt(str(row.input)))


def _write(case: Case, writer: CaseFileWriter, line: int, attachments: Attachments | None) -> str | None:
    """Write one case, or say why not."""
    try:
        case = case if attachments is None else attachments.settled(case)
        first = writer.add(case, line=line)
    except RowError as error:
        return str(error)
    except (UnicodeEncodeError, msgspec.MsgspecError, RecursionError, TypeError) as error:
        return _unwritable(case, error)
    if first is None:
        return None
    if case.id == content_id(case.input):
        return f"same input as in line {first}; give the rows an `id` each to keep both"
    return f"the id {case.id!r} was used in line {first} already"


def _unwritable(case: Case, error: Exception) -> str:
    try:
        check_text([case.id, case.input, case.expected, case.metadata, case.cluster, case.tags])
    except (RowError, RecursionError) as reason:
        return str(reason) if isinstance(reason, RowError) else "nested too deeply"
    return f"can't be written as JSON: {error}"


def _checked(row: Any) -> Case | BadRow:
    """A case made in Python, refused where it could not come back from JSON as it is."""
    if isinstance(row, BadRow):
        return row
    if not isinstance(row, Case):
        return BadRow(line=0, reason=f"a case is a Case, not a {type(row).__name__}", text=excerpt(repr(row)))
    try:
        json.dumps([row.input, row.expected, row.metadata], allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        return BadRow(line=0, reason=f"the case {row.id!r} can't be written as JSON: {error}", text=excerpt(repr(row)))
    return row


def _check(count: int, bad: list[BadRow], bad_count: int, *, strict: bool, source: str) -> None:
    if strict and bad:
        shown = [_problem(row, source) for row in bad[:20]]
        more = [Problem(message=f"and {bad_count - 20:,} bad rows more", file=source)] if bad_count > 20 else []
        raise ConfigError([*shown, *more])
    if not count and bad:
        message = f"no case is left: all {bad_count:,} rows are bad; the first:"
        raise ConfigError([Problem(message=message, file=source), *(_problem(row, source) for row in bad[:3])])
    if not count:
        raise ConfigError([Problem(message="the dataset is empty", file=source, hint="it needs at least one row")])


def _problem(row: BadRow, source: str) -> Problem:
    return Problem(message=row.reason, file=row.source or source, line=row.line, column=1 if row.line else 0)
