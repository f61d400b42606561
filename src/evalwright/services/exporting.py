"""Cases with what people and systems said about them, for another tool."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from evalwright.core.case import BadRow, Json
from evalwright.core.errors import ConfigError, Problem
from evalwright.datasets.exporters import annotated_tasks, tasks_text
from evalwright.datasets.importers import Source
from evalwright.store.cases import CaseFile
from evalwright.store.files import atomic_file


def export_annotated(cases: CaseFile, path: Path, *, labels: Path | None, outputs: Path | None) -> int:
    """Write tasks of Label Studio with annotations and predictions; returns how many.

    Args:
        cases: The cases.
        path: Where to.
        labels: A `labels.jsonl` of an import.
        outputs: An `outputs.jsonl` of an import.

    Raises:
        ConfigError: A file holds something else.
        DiskFull: No space is left.
    """
    with atomic_file(path) as file:
        for piece in tasks_text(annotated_tasks(cases, _rows(labels), _rows(outputs))):
            file.write(piece)
    return len(cases)


def _rows(path: Path | None) -> Iterator[dict[str, Json]]:
    for row in Source(path).rows() if path is not None else ():
        if isinstance(row, BadRow):
            raise ConfigError([Problem(message=row.reason, file=row.source, line=row.line, column=1)])
        yield row
