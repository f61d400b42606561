"""Rows into Parquet through newline-delimited JSON: bounded memory, whole files or none."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import duckdb
import msgspec

from evalwright.core.errors import DiskFull, StoreError
from evalwright.store.duck import connect, literal
from evalwright.store.files import disk_errors, sync_file, temporary_beside

PIECE_BYTES = 8 * 1024 * 1024
"""JSON in one temporary file, and about as much in one row group: what a writer or reader must hold at a time."""

_MOST_ROWS, _FEWEST_ROWS = 122_880, 4
_WINDOW = 4

_WAITING = 1 << 18


class RowFile:
    """Rows gathered in temporary files of JSON lines, to end up as a Parquet file.

    Use as a context manager; the temporary files are gone at its end. They are many small ones because DuckDB's JSON
    reader takes memory by the size of a file.
    """

    def __init__(self, folder: Path, name: str, columns: Mapping[str, str]) -> None:
        """Gather rows of these columns (name to DuckDB type) in a temporary folder inside `folder`."""
        self._columns = columns
        self._place = folder / f".{name}.{uuid.uuid4().hex}.tmp"
        self._encoder = msgspec.json.Encoder()
        self._waiting = bytearray()
        self._pieces: list[Path] = []
        self._piece_rows: list[int] = []
        self._piece_bytes = PIECE_BYTES
        self._longest = 0
        self._flushed = 0
        self.rows = 0

    def __enter__(self) -> Self:
        with disk_errors(self._place.parent):
            self._place.mkdir(parents=True)
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self._place, ignore_errors=True)

    def add(self, row: object) -> None:
        """Append a row: a struct or dict whose fields are the columns.

        Raises:
            DiskFull: No space is left.
        """
        start = len(self._waiting)
        self._encoder.encode_into(row, self._waiting, start)
        self._waiting += b"\n"
        self.rows += 1
        self._longest = max(self._longest, len(self._waiting) - start)
        if len(self._waiting) > _WAITING:
            self._flush()

    def _flush(self) -> None:
        if self._piece_bytes >= PIECE_BYTES:
            self._pieces.append(self._place / f"{len(self._pieces):06d}.jsonl")
            self._piece_rows.append(0)
            self._piece_bytes = 0
        with disk_errors(self._place.parent), self._pieces[-1].open("ab") as file:
            file.write(self._waiting)
        self._piece_rows[-1] += self.rows - self._flushed
        self._flushed = self.rows
        self._piece_bytes += len(self._waiting)
        self._waiting.clear()

    def save(self, path: Path) -> None:
        """Turn the rows into a Parquet file (zstd) that appears under its name when whole.

        Raises:
            DiskFull: No space is left.
            StoreError: DuckDB could not write it.
        """
        self._flush()
        with disk_errors(path), temporary_beside(path) as temporary:
            try:
                _copy(self._query(), temporary, self._group_rows(), memory_mb=192 + 16 * self._longest // 2**20)
            except duckdb.Error as error:
                raise _translated(error, path) from error
            sync_file(temporary)
            temporary.replace(path)

    def _query(self) -> str:
        columns = ", ".join(f"{literal(name)}: {literal(kind)}" for name, kind in self._columns.items())
        pieces = ", ".join(literal(str(piece)) for piece in self._pieces)
        size = max(1 << 20, 2 * self._longest)
        options = f"format = 'newline_delimited', columns = {{{columns}}}, maximum_object_size = {size}"
        return f"FROM read_json([{pieces}], {options})"

    def _group_rows(self) -> int:
        """Rows of a row group: as many as go into a piece where the rows are largest, single giants left aside."""
        full = self._piece_rows[:-1] or [_MOST_ROWS]
        windows = [full[start : start + _WINDOW] for start in range(max(1, len(full) - _WINDOW + 1))]
        densest = min(sum(window) // len(window) for window in windows)
        return min(_MOST_ROWS, max(_FEWEST_ROWS, densest))


def _copy(query: str, path: Path, group_rows: int, *, memory_mb: int) -> None:
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {group_rows}"
    with connect(memory=f"{memory_mb}MB") as duck:
        duck.execute(f"COPY ({query}) TO {literal(str(path))} ({options})").fetchall()


def _translated(error: duckdb.Error, path: Path) -> StoreError:
    text = str(error).splitlines()[0]
    if "No space left" in text or "Disk quota" in text or "File too large" in text:
        return DiskFull(f"the disk is full: {path} can't be written", hint="free some space and repeat the command")
    return StoreError(f"{path} can't be written: {text}")
