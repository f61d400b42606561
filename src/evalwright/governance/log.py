"""An append-only log of records, one JSON line each, kept where the workspace keeps its logs.

Writers wait for one another, so that what they check still holds when they write.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

import msgspec

from evalwright.core.errors import StoreError
from evalwright.store import logs
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
        self._name = f"{FOLDER}/{name}"
        self._decoder = msgspec.json.Decoder(kind)

    def read(self) -> list[T]:
        """All whole records.

        Raises:
            StoreError: A line can't be read.
        """
        return self.decoded(self._workspace.logs.lines(self._name))

    def decoded(self, lines: list[bytes]) -> list[T]:
        """The records of lines.

        Raises:
            StoreError: A line can't be read.
        """
        return [self._decoded(number, line) for number, line in enumerate(lines, start=1)]

    def _decoded(self, number: int, line: bytes) -> T:
        try:
            return self._decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            place = f"{self._workspace.logs.place(self._name)}:{number}"
            raise StoreError(f"{place} can't be read: {error}", hint="mend or remove the line") from error

    @contextmanager
    def writing(self) -> Iterator[LogWriter[T]]:
        """Read and append while no other process does; the others wait.

        Raises:
            DiskFull: No space is left.
            StoreError: The log can't be written.
        """
        self._workspace.ensure()
        with self._workspace.logs.writing(self._name) as writer:
            yield LogWriter(self, writer)


class LogWriter(Generic[T]):
    """Appends to a log; nobody else does meanwhile.

    Args:
        log: The log.
        writer: Its lines.
    """

    def __init__(self, log: EventLog[T], writer: logs.LogWriter) -> None:
        self._log = log
        self._writer = writer

    @property
    def records(self) -> list[T]:
        """The records as they stand now."""
        return self._log.decoded(self._writer.lines())

    def append(self, *records: T) -> None:
        """Write records, all or none.

        Raises:
            DiskFull: No space is left; nothing was written.
        """
        self._writer.append(*(msgspec.json.encode(record) for record in records))
