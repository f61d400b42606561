"""From a dataset section to cases, row by row."""

from __future__ import annotations

import difflib
import zlib
from collections.abc import Iterator
from pathlib import Path

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.suite import DatasetSpec
from evalwright.datasets.fields import Fields
from evalwright.datasets.jsonl import FileError, inline_rows, read_json, read_jsonl
from evalwright.datasets.rows import Row, RowError
from evalwright.datasets.tables import read_csv, read_parquet

READERS = {"jsonl": read_jsonl, "json": read_json, "csv": read_csv, "parquet": read_parquet}

_SUFFIXES = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}


class Rows(Iterator[Case | BadRow]):
    """Cases and bad rows of a dataset, one after the other.

    Attributes:
        source: Name of the dataset.
        line: Line of the row given last, 0 before the first.
        folder: Folder that files named by cases are looked for in.
    """

    def __init__(self, source: str, rows: Iterator[tuple[int, Case | BadRow]], folder: Path | None = None) -> None:
        self.source = source
        self.folder = folder
        self.line = 0
        self._rows = rows

    def __next__(self) -> Case | BadRow:
        self.line, row = next(self._rows)
        return row


def read_rows(spec: DatasetSpec, base_dir: Path) -> Rows:
    """The cases of a dataset, and the rows that can't become one, in the order they stand.

    The file is found and its format told at once; rows are read as they are asked for, in memory that does not grow
    with their number.

    Args:
        spec: The dataset section of a suite.
        base_dir: The folder paths are relative to, usually the suite's.

    Returns:
        An iterator that raises `ConfigError` when the file as a whole turns out broken, or when at its end a mapped
        column was in no row.

    Raises:
        ConfigError: No such file (with the names that come close), an unknown format, a wrong mapping.
    """
    fields = Fields(spec)
    if spec.file is None:
        return Rows(spec.source, _cases(spec, fields, inline_rows(spec.cases, spec.line), spec.source), base_dir)
    if spec.cases:
        raise ConfigError([_problem(spec, "a dataset has `file` or `cases`, not both", key="dataset")])
    path = find_file(spec, base_dir)
    reader = READERS[_format(spec, path)]
    return Rows(spec.file, _cases(spec, fields, _guarded(spec, reader(path)), spec.file), path.parent)


def read_raw(spec: DatasetSpec, base_dir: Path) -> Iterator[Row]:
    """The rows of a dataset file as they stand, before any becomes a case.

    Raises:
        ConfigError: No such file, an unknown format, or, while reading, a file that is broken as a whole.
    """
    path = find_file(spec, base_dir)
    return _guarded(spec, READERS[_format(spec, path)](path))


def _cases(spec: DatasetSpec, fields: Fields, rows: Iterator[Row], source: str) -> Iterator[tuple[int, Case | BadRow]]:
    any_row = False
    for row in rows:
        any_row = True
        yield row.line, _case(row, fields, source)
    problems = fields.unseen(spec) if any_row else []
    if problems:
        raise ConfigError(problems)


def _case(row: Row, fields: Fields, source: str) -> Case | BadRow:
    if row.reason is not None:
        return row.bad(row.reason, source)
    try:
        return fields.case(row.value)
    except RowError as error:
        return row.bad(str(error), source)


def _guarded(spec: DatasetSpec, rows: Iterator[Row]) -> Iterator[Row]:
    """Rows of a file; what is wrong with the file as a whole becomes a `ConfigError`."""
    line = 0
    try:
        for row in rows:
            line = row.line
            yield row
    except FileError as error:
        problem = Problem(
            message=error.message, file=spec.file or "", line=error.line, column=error.column, hint=error.hint
        )
        raise ConfigError([problem]) from error
    except (EOFError, zlib.error) as error:
        raise ConfigError([_damaged(spec, line)]) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigError([_problem(spec, f"{spec.file} can't be read: {reason}")]) from error


def _damaged(spec: DatasetSpec, line: int) -> Problem:
    message = f"the compressed file is damaged or cut off after line {line}"
    return Problem(message=message, file=spec.file or "", line=line, hint="copy or download it again")


def find_file(spec: DatasetSpec, base_dir: Path) -> Path:
    """The dataset's file.

    Raises:
        ConfigError: It is not there; the hint names files that come close.
    """
    path = base_dir / (spec.file or "")
    if path.is_file():
        return path
    if path.is_dir():
        raise ConfigError([_problem(spec, f"the dataset {spec.file} is a folder", hint="name a file in it")])
    raise ConfigError([_problem(spec, f"there is no dataset file {spec.file}", hint=_near(path))])


def _near(path: Path) -> str:
    if not path.parent.is_dir():
        return f"there is no folder {path.parent}"
    names = sorted(p.name for p in path.parent.iterdir() if p.is_file() and _suffix_format(p.name))
    close = difflib.get_close_matches(path.name, names, n=3)
    if close:
        return "did you mean " + " or ".join(f"`{name}`" for name in close) + "?"
    return f"the folder holds: {', '.join(names[:8])}" if names else f"{path.parent} holds no dataset file"


def _suffix_format(name: str) -> str | None:
    bare = name.lower().removesuffix(".gz").removesuffix(".zst")
    return _SUFFIXES.get(Path(bare).suffix)


def _format(spec: DatasetSpec, path: Path) -> str:
    found = spec.format or _suffix_format(path.name)
    if found in READERS:
        return found
    message = f"the format of {spec.file} can't be told from its name" if found is None else f"unknown format `{found}`"
    raise ConfigError([_problem(spec, message, key="dataset.format", hint=f"`format` may be: {', '.join(READERS)}")])


def _problem(spec: DatasetSpec, message: str, *, key: str = "dataset.file", hint: str = "") -> Problem:
    return Problem(message=message, file=spec.source, line=spec.line, key=key, hint=hint)
