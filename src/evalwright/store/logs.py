"""Append-only logs of a workspace: lines that are never changed, in files with locks or in the catalog.

Golden sets, waivers, quarantine, proposals and members are such logs. In files they belong to one machine; in the
catalog's table several machines share them. Writers wait for one another, so what they check holds when they write.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import sqlalchemy as sa

from evalwright.store.catalog import Catalog
from evalwright.store.database import reading, writing
from evalwright.store.files import disk_errors
from evalwright.store.tables import LOGS


class LogWriter(Protocol):
    """A log in the hands of the only one who may write."""

    def lines(self) -> list[bytes]:
        """Its lines as they stand now."""
        ...

    def append(self, *lines: bytes) -> None:
        """Add lines, all or none.

        Raises:
            DiskFull: No space is left; nothing was written.
            StoreError: The catalog can't be reached; nothing was written.
        """
        ...


class Logs(Protocol):
    """The logs of a workspace; a log's name is a path such as `governance/waivers`."""

    def names(self, folder: str) -> list[str]:
        """Names of the logs in a folder, without it, sorted."""
        ...

    def exists(self, name: str) -> bool:
        """Whether there is a log of this name."""
        ...

    def lines(self, name: str) -> list[bytes]:
        """The whole lines of a log, oldest first; none when there is no such log."""
        ...

    def place(self, name: str) -> str:
        """Where it is, for messages."""
        ...

    def writing(self, name: str) -> AbstractContextManager[LogWriter]:
        """Read and append while nobody else does; the others wait."""
        ...


class FileLogs:
    """Logs as files of lines. A line exists once it is whole: what a killed process left half written is cut off.

    Args:
        root: The workspace's folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def names(self, folder: str) -> list[str]:
        """Names of the logs in a folder, without it, sorted."""
        place = self._root / folder
        return sorted(path.stem for path in place.glob("*.jsonl")) if place.is_dir() else []

    def exists(self, name: str) -> bool:
        """Whether there is a log of this name."""
        return self._path(name).is_file()

    def lines(self, name: str) -> list[bytes]:
        """The whole lines of a log, oldest first.

        Raises:
            StoreError: It can't be read.
        """
        return _whole_lines(self._path(name))

    def place(self, name: str) -> str:
        """The log's file."""
        return str(self._path(name))

    @contextmanager
    def writing(self, name: str) -> Iterator[LogWriter]:
        """Read and append while no other process does; the others wait.

        Raises:
            DiskFull: No space is left.
            StoreError: The folder can't be written.
        """
        path = self._path(name)
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield _FileWriter(path)
        finally:
            os.close(handle)

    def _path(self, name: str) -> Path:
        return self._root / f"{name}.jsonl"


class _FileWriter:
    def __init__(self, path: Path) -> None:
        self._path = path

    def lines(self) -> list[bytes]:
        """Its lines as they stand now."""
        return _whole_lines(self._path)

    def append(self, *lines: bytes) -> None:
        """Add lines, all or none."""
        data = b"".join(line + b"\n" for line in lines)
        with disk_errors(self._path):
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                _append(handle, data, self._path.read_bytes().rfind(b"\n") + 1)
            finally:
                os.close(handle)


def _append(handle: int, data: bytes, end: int) -> None:
    """Write after the last whole line; what was written is taken back when not all could be."""
    os.ftruncate(handle, end)
    try:
        written = os.pwrite(handle, data, end)
    except OSError:
        written = -1
    if written != len(data):
        os.ftruncate(handle, end)
        raise OSError(errno.ENOSPC, "No space left on device")
    os.fsync(handle)


def _whole_lines(path: Path) -> list[bytes]:
    with disk_errors(path):
        data = path.read_bytes() if path.is_file() else b""
    return data.split(b"\n")[:-1]


class TableLogs:
    """Logs as rows of the catalog, which several machines share.

    Args:
        catalog: The catalog; its connections live as long as it does.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @property
    def _engine(self) -> sa.Engine:
        return self._catalog.engine

    def names(self, folder: str) -> list[str]:
        """Names of the logs in a folder, without it, sorted."""
        query = sa.select(LOGS.c.name).where(LOGS.c.name.startswith(f"{folder}/", autoescape=True)).distinct()
        with reading(self._engine) as connection:
            return sorted(name.partition("/")[2] for name in connection.execute(query).scalars())

    def exists(self, name: str) -> bool:
        """Whether there is a log of this name."""
        query = sa.select(LOGS.c.place).where(LOGS.c.name == name).limit(1)
        with reading(self._engine) as connection:
            return connection.execute(query).first() is not None

    def lines(self, name: str) -> list[bytes]:
        """The lines of a log, oldest first.

        Raises:
            StoreError: The catalog can't be reached.
        """
        with reading(self._engine) as connection:
            return _rows(connection, name)

    def place(self, name: str) -> str:
        """The log's name in the catalog."""
        return f"{name} in the catalog"

    @contextmanager
    def writing(self, name: str) -> Iterator[LogWriter]:
        """Read and append in one transaction; others who want to write the same log wait for its end.

        Raises:
            StoreError: The catalog can't be reached.
        """
        with writing(self._engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_lock_number(name))))
            yield _TableWriter(connection, name)


class _TableWriter:
    def __init__(self, connection: sa.Connection, name: str) -> None:
        self._connection = connection
        self._name = name

    def lines(self) -> list[bytes]:
        """Its lines as they stand now."""
        return _rows(self._connection, self._name)

    def append(self, *lines: bytes) -> None:
        """Add lines; they are kept when the transaction ends well."""
        query = sa.select(sa.func.coalesce(sa.func.max(LOGS.c.place), -1)).where(LOGS.c.name == self._name)
        start = 1 + int(self._connection.execute(query).scalar_one())
        rows = [
            {"name": self._name, "place": start + number, "line": line.decode()} for number, line in enumerate(lines)
        ]
        if rows:
            self._connection.execute(sa.insert(LOGS), rows)


def _rows(connection: sa.Connection, name: str) -> list[bytes]:
    query = sa.select(LOGS.c.line).where(LOGS.c.name == name).order_by(LOGS.c.place)
    return [line.encode() for line in connection.execute(query).scalars()]


def _lock_number(name: str) -> int:
    """A number for an advisory lock: 8 bytes of the name's hash, signed, as PostgreSQL wants it."""
    return int.from_bytes(hashlib.blake2b(f"evalwright log {name}".encode(), digest_size=8).digest(), signed=True)
