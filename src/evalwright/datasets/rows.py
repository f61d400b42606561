"""Rows as they come out of a file, before they become cases."""

from __future__ import annotations

from typing import NamedTuple

from evalwright.core.case import BadRow, Json

MAX_ROW_BYTES = 16 * 1024 * 1024
"""A larger row is set aside unread, so that a broken file can't fill the memory."""

MAX_DEPTH = 100
"""Rows nested deeper than this are set aside: what reads them later could fail on them."""

SHOWN = 2_000
"""Characters of a bad row that are kept."""


class RowError(Exception):
    """A row can't become a case; the message says why in one sentence."""


class Row(NamedTuple):
    """One row: where it stood, its value, and its text as far as it is worth showing.

    Attributes:
        line: Line number, from 1; for tables the row number, the header being line 1.
        value: What was read, usually a dict; None when `reason` is set.
        text: The row as it stood in the file, or as much as is known of it.
        reason: Why there is no value, None when there is one.
    """

    line: int
    value: Json = None
    text: str | bytes = ""
    reason: str | None = None

    def bad(self, reason: str, source: str) -> BadRow:
        """The record of this row being set aside."""
        return BadRow(line=self.line, reason=reason, source=source, text=excerpt(self.text))


def excerpt(text: str | bytes) -> str:
    """The first 2,000 characters, with what is no UTF-8 replaced."""
    if isinstance(text, bytes):
        return text[: 4 * SHOWN].decode("utf-8", "replace")[:SHOWN]
    return text[:SHOWN].encode("utf-8", "replace").decode("utf-8")
