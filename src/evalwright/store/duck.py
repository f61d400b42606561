"""DuckDB in process: offline, within a memory limit, spilling to a folder of its own."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

MEMORY = "512MB"


@contextmanager
def connect(
    *, memory: str = MEMORY, threads: int = 1, only: tuple[Path, ...] = ()
) -> Iterator[duckdb.DuckDBPyConnection]:
    """An empty in-memory database that never asks the network for extensions.

    Args:
        memory: Memory it may use, e.g. `512MB`; sorting and grouping beyond it use temporary files.
        threads: Threads it may use.
        only: When given, the only files it may touch.
    """
    spill = Path(tempfile.gettempdir()) / f"evalwright-{uuid.uuid4().hex}"
    connection = duckdb.connect(":memory:", config=_settings(memory, threads, str(spill)))
    quiet(connection)
    try:
        if only:
            names = ", ".join(literal(str(path)) for path in only)
            connection.execute(f"SET allowed_paths = [{names}]")
            connection.execute("SET enable_external_access = false")
        yield connection
    finally:
        connection.close()
        shutil.rmtree(spill, ignore_errors=True)


def _settings(memory: str, threads: int, spill: str) -> dict[str, str | bool | int | float | list[str]]:
    return {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "memory_limit": memory,
        "threads": threads,
        "temp_directory": spill,
        "preserve_insertion_order": True,
    }


def quiet(connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """The connection, which draws no progress bar; each cursor must be told anew."""
    connection.execute("SET enable_progress_bar = false")
    return connection


def literal(text: str) -> str:
    """A text as an SQL string literal."""
    return "'" + text.replace("'", "''") + "'"
