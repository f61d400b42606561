"""An append-only log of records, one JSON line each; the only place where this package touches files.

A line exists once it is whole: what a killed process left half written does not count and is cut off by the next
writer. Writers wait for one another, so that what they check still holds when they write.
"""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from evalwright.core.errors import StoreError
from evalwright.store.files import disk_errors
from evalwright.store.workspace import Workspace

FOLDER = "governance"
T = TypeVar("T")


class EventLog(Generic[T]):
    """The records of one kind in a workspace, oldest first.

    Args:
        workspace: Where it is kept.
        name: Of the log.
        kind: Type of its records.
    """

    def __init__(self, workspace: Workspace, name: str, kind: type[T]) -> None:
        self._workspace = workspace
        self._path = workspace.root / FOLDER / f"{name}.jsonl"
        self._decoder = msgspec.json.Decoder(kind)

    def read(self) -> list[T]:
        """All whole records.

        Raises:
            StoreError: A line can't be read.
        """
        with disk_errors(self._path):
            data = self._path.read_bytes() if self._path.is_file() else b""
        return [self._decoded(number, line) for number, line in enumerate(data.split(b"\n")[:-1], start=1)]

    def _decoded(self, number: int, line: bytes) -> T:
        try:
            return self._decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(f"{self._path}:{number} can't be read: {error}", hint="mend or remove the line") from error

    @contextmanager
    def writing(self) -> Iterator[LogWriter[T]]:
        """Read and append while no other process does; the others wait.

        Raises:
            DiskFull: No space is left.
        """
        self._workspace.ensure()
        with disk_errors(self._path):
            self._path.parent.mkdir(exist_ok=True)
            handle = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield LogWriter(self, self._path)
        finally:
            os.close(handle)


class LogWriter(Generic[T]):
    """Appends to a log; holds its lock.

    Args:
        log: The log.
        path: Its file.
    """

    def __init__(self, log: EventLog[T], path: Path) -> None:
        self._log = log
        self._path = path

    @property
    def records(self) -> list[T]:
        """The records as they stand now."""
        return self._log.read()

    def append(self, *records: T) -> None:
        """Write records, all or none.

        Raises:
            DiskFull: No space is left; nothing was written.
        """
        lines = b"".join(msgspec.json.encode(record) + b"\n" for record in records)
        with disk_errors(self._path):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                _append(handle, lines, self._path.read_bytes().rfind(b"\n") + 1)
            finally:
                os.close(handle)


def _append(handle: int, lines: bytes, end: int) -> None:
    """Write at the end of the last whole line; what was written is taken back when not all could be."""
    os.ftruncate(handle, end)
    try:
        written = os.pwrite(handle, lines, end)
    except OSError:
        written = -1
    if written != len(lines):
        os.ftruncate(handle, end)
        raise OSError(errno.ENOSPC, "No space left on device")
    os.fsync(handle)
