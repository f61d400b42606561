"""One DuckDB for all the pages of a workspace: it may read the workspace's files and nothing else."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import duckdb

from evalwright.core.errors import StoreError
from evalwright.store.duck import connect, literal, quiet
from evalwright.store.reading import Tables

MEMORY = "256MB"
THREADS = 2


class DuckPool:
    """A database in memory with a connection of its own for each question; safe to use from several threads.

    The footers of Parquet files are kept in memory between questions and read again when a file has changed. Whatever
    a person typed reaches the database as a bound parameter, never as SQL.
    """

    def __init__(self, *folders: Path, memory: str = MEMORY, threads: int = THREADS) -> None:
        """Open the database.

        Args:
            folders: The only folders whose files it may read.
            memory: Memory it may use.
            threads: Threads it may use.
        """
        stack = ExitStack()
        self.close = weakref.finalize(self, stack.close)
        self._duck = stack.enter_context(connect(memory=memory, threads=threads))
        allowed = ", ".join(literal(str(folder.resolve())) for folder in folders)
        for setting in (
            f"allowed_directories = [{allowed}]",
            "parquet_metadata_cache = true",
            "enable_external_access = false",
        ):
            self._duck.execute(f"SET {setting}")

    @contextmanager
    def query(self, **files: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection in which each of the Parquet files is a view of the name given.

        Raises:
            StoreError: A file can't be read.
        """
        try:
            with quiet(self._duck.cursor()) as cursor:
                for name, path in files.items():
                    source = literal(str(path.resolve()))
                    cursor.execute(f"CREATE TEMP VIEW {name} AS FROM read_parquet({source})")
                yield cursor
        except duckdb.Error as error:
            places = ", ".join(str(path) for path in files.values())
            raise StoreError(f"the results in {places} can't be read: {str(error).splitlines()[0]}") from error

    def lookup(self, files: Sequence[str], columns: str, case_index: int) -> list[tuple[Any, ...]]:
        """The rows of one case in many runs' files, the last trial first: the file, then the columns.

        Args:
            files: Resolved paths of tables that have `case_index` and `trial`.
            columns: What is wanted, as SQL of our own.
            case_index: The case.

        Raises:
            StoreError: One of the files can't be read.
        """
        names = ", ".join(literal(file) for file in files)
        query = (
            f"SELECT filename, {columns} FROM read_parquet([{names}], filename = true) "  # noqa: S608 - no user text
            "WHERE case_index = ? ORDER BY trial DESC"
        )
        with self.query() as cursor:
            found: list[tuple[Any, ...]] = cursor.execute(query, [case_index]).fetchall()
        return found


class PooledReader:
    """The two tables of a run in a shared database; asks like `reading.Reader`."""

    def __init__(self, pool: DuckPool, tables: Tables) -> None:
        self.tables = tables
        self._pool = pool

    @contextmanager
    def query(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own for one question."""
        with self._pool.query(units=self.tables.units, scores=self.tables.scores) as cursor:
            yield cursor
