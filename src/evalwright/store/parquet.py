"""Rows into Parquet through newline-delimited JSON: bounded memory, whole files or none."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import duckdb
import msgspec

from evalwright.core.errors import DiskFull, StoreError
from evalwright.store.duck import connect, literal
from evalwright.store.files import disk_errors, sync_file, temporary_beside

GROUP_BYTES = 16 * 1024 * 1024
"""About how much JSON goes into one row group: what a reader must hold at a time."""

_BATCH = 256


class RowFile:
    """A temporary file of JSON lines that ends up as a Parquet file.

    Use as a context manager; the temporary file is gone at its end.
    """

    def __init__(self, folder: Path, name: str, columns: Mapping[str, str]) -> None:
        """Write rows of these columns (name to DuckDB type) into a temporary file in `folder`."""
        self._columns = columns
        self._place = temporary_beside(folder / name)
        self._encoder = msgspec.json.Encoder()
        self._waiting: list[object] = []
        self.rows = 0
        self._longest = 0
        self._bytes = 0

    def __enter__(self) -> Self:
        self._path = self._place.__enter__()
        with disk_errors(self._path):
            self._file = self._path.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        self._place.__exit__(kind, error, trace)

    def add(self, row: object) -> None:
        """Append a row: a struct or dict whose fields are the columns.

        Raises:
            DiskFull: No space is left.
        """
        line = self._encoder.encode(row)
        self.rows += 1
        self._longest = max(self._longest, len(line))
        self._bytes += len(line)
        with disk_errors(self._path):
            self._file.write(line + b"\n")

    def save(self, path: Path) -> None:
        """Turn the rows into a Parquet file (zstd) that appears under its name when whole.

        Raises:
            DiskFull: No space is left.
            StoreError: DuckDB could not write it.
        """
        self._file.flush()
        with disk_errors(path), temporary_beside(path) as temporary:
            _copy(self._query(), temporary, self._group_rows(), memory_mb=192 + 8 * self._longest // 2**20)
            sync_file(temporary)
            temporary.replace(path)

    def _query(self) -> str:
        columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in self._columns.items())
        size = max(1 << 20, 2 * self._longest)
        options = f"format = 'newline_delimited', columns = {{{columns}}}, maximum_object_size = {size}"
        return f"FROM read_json({literal(str(self._path))}, {options})"

    def _group_rows(self) -> int:
        average = max(1, self._bytes // max(1, self.rows))
        return min(122_880, max(2_048, GROUP_BYTES // average))


def _copy(query: str, path: Path, group_rows: int, *, memory_mb: int) -> None:
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {group_rows}"
    try:
        with connect(memory=f"{memory_mb}MB") as duck:
            duck.execute(f"COPY ({query}) TO {literal(str(path))} ({options})").fetchall()
    except duckdb.Error as error:
        raise _translated(error, path) from error


def _translated(error: duckdb.Error, path: Path) -> StoreError:
    text = str(error).splitlines()[0]
    if "No space left" in text or "Disk quota" in text or "File too large" in text:
        return DiskFull(f"the disk is full: {path} can't be written", hint="free some space and repeat the command")
    return StoreError(f"{path} can't be written: {text}")
