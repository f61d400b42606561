"""Comparisons written to files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from evalwright.core.errors import StoreError, UsageError
from evalwright.reports.compare.json_report import comparison_text
from evalwright.reports.compare.markdown import comparison_markdown
from evalwright.store.files import write_atomic

if TYPE_CHECKING:
    from evalwright.services.comparing import RunComparison

BY_SUFFIX = {".html": "html", ".htm": "html", ".md": "markdown", ".json": "json"}
"""Format by the file's ending, where none is given."""


def write_comparison(comparison: RunComparison, path: Path, *, format: str | None = None) -> Path:
    """Write a comparison to a file, whole or not at all.

    Raises:
        UsageError: The format is unknown, or the file's name does not tell it.
        StoreError: The file can't be written.
    """
    name = format or BY_SUFFIX.get(path.suffix.lower())
    writers = {"html": _html, "markdown": _markdown, "json": _json}
    if name not in writers:
        raise UsageError(f"can't tell the format of {path}", hint="use a name that ends in .html, .md or .json")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, writers[name](comparison).encode("utf-8"))
    except OSError as error:
        raise StoreError(f"can't write the comparison to {path}: {error.strerror or error}") from error
    return path


def _markdown(comparison: RunComparison) -> str:
    return comparison_markdown(comparison.record)


def _json(comparison: RunComparison) -> str:
    return comparison_text(comparison.record)


def _html(comparison: RunComparison) -> str:
    from evalwright.reports.compare.html import comparison_html

    return comparison_html(comparison.record, comparison.shown_cases())
