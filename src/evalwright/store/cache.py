"""Answers kept for later runs: one SQLite file in the workspace, read in the loop and written by a thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from threading import Thread

import msgspec

from evalwright.core.errors import StoreError
from evalwright.core.output import Output
from evalwright.core.ports import Clock, SystemClock

_BUSY_MS = 10_000
_MOST_AT_ONCE = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY,
    stored_at REAL NOT NULL,
    size INTEGER NOT NULL,
    output BLOB NOT NULL
) WITHOUT ROWID
"""

_decoder = msgspec.json.Decoder(Output)

Row = tuple[str, float, int, bytes]


class CacheStats(msgspec.Struct, frozen=True, kw_only=True):
    """What a cache holds.

    Attributes:
        entries: Answers.
        size: Bytes of the answers.
        oldest: When the oldest was stored, seconds since the epoch; None when empty.
        newest: When the newest was stored.
    """

    entries: int = 0
    size: int = 0
    oldest: float | None = None
    newest: float | None = None


class AnswerStore:
    """Answers by key, shared by all processes of the workspace.

    A cache is a convenience: when it can't be written, the run goes on without, and `problem` says why.

    Attributes:
        path: The SQLite file.
        problem: Why answers could not be kept; empty while they could.
        dropped: Answers that could not be kept.
    """

    def __init__(self, path: Path, *, max_age_s: float | None = None, clock: Clock | None = None) -> None:
        """Name the file, which is made when first opened; answers older than `max_age_s` are not given out."""
        self.path = path
        self.problem = ""
        self.dropped = 0
        self._max_age_s = max_age_s
        self._clock = clock or SystemClock()
        self._reading: sqlite3.Connection | None = None
        self._queue: SimpleQueue[Row | None] = SimpleQueue()
        self._writer: Thread | None = None

    # --- during a run -------------------------------------------------------------------------------------------

    def open(self) -> None:
        """Open the file for a run; called once in each process.

        Raises:
            StoreError: The file is no cache, or can't be opened.
        """
        self._reading = self._connect()

    def get(self, key: str) -> Output | None:
        """The answer stored under a key, None when there is none that is young enough."""
        if self._reading is None:
            return None
        try:
            row = self._reading.execute("SELECT stored_at, output FROM answers WHERE key = ?", (key,)).fetchone()
            if row is None or (self._max_age_s is not None and row[0] < self._clock.now() - self._max_age_s):
                return None
            return _decoder.decode(row[1])
        except (sqlite3.Error, msgspec.DecodeError) as error:
            self.problem = str(error)
            return None

    def put(self, key: str, output: Output) -> None:
        """Keep an answer; it is written a moment later. One that JSON can't keep is dropped."""
        try:
            data = msgspec.json.encode(output)
        except (TypeError, ValueError, RecursionError) as error:
            self._drop(1, error)
            return
        if self._writer is None:
            self._writer = Thread(target=self._write, name="answer cache", daemon=True)
            self._writer.start()
        self._queue.put((key, self._clock.now(), len(data), data))

    def close(self) -> None:
        """Write what is pending and close; safe to call twice."""
        if self._writer is not None:
            self._queue.put(None)
            self._writer.join()
            self._writer = None
        if self._reading is not None:
            self._reading.close()
            self._reading = None

    def _write(self) -> None:
        try:
            self._write_queue()
        except StoreError as error:
            self._drop(self._queue.qsize(), error)

    def _write_queue(self) -> None:
        with self._session() as connection:
            while (row := self._queue.get()) is not None:
                rows = [row]
                while len(rows) < _MOST_AT_ONCE and not self._queue.empty():
                    more = self._queue.get()
                    if more is None:
                        self._queue.put(None)
                        break
                    rows.append(more)
                self._store(connection, rows)

    def _store(self, connection: sqlite3.Connection, rows: list[Row]) -> None:
        try:
            with connection:
                connection.executemany("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", rows)
        except sqlite3.Error as error:
            self._drop(len(rows), error)

    def _drop(self, count: int, error: Exception) -> None:
        self.problem = str(error)
        self.dropped += count

    # --- housekeeping -------------------------------------------------------------------------------------------

    def stats(self) -> CacheStats:
        """What is stored; all zero when there is no file.

        Raises:
            StoreError: The file is no cache.
        """
        if not self.path.exists():
            return CacheStats()
        with self._session() as connection:
            query = "SELECT count(*), coalesce(sum(size), 0), min(stored_at), max(stored_at) FROM answers"
            entries, size, oldest, newest = connection.execute(query).fetchone()
        return CacheStats(entries=entries, size=size, oldest=oldest, newest=newest)

    def clear(self) -> int:
        """Forget everything, and say how many answers that were.

        Raises:
            StoreError: The file is no cache, or can't be written.
        """
        return self._delete("DELETE FROM answers", ())

    def prune(self, *, max_age_s: float | None = None, max_size: int | None = None) -> int:
        """Forget answers older than so many seconds, and the oldest until at most `max_size` bytes are left.

        Returns:
            How many were forgotten.

        Raises:
            StoreError: The file is no cache, or can't be written.
        """
        gone = 0
        if max_age_s is not None:
            gone += self._delete("DELETE FROM answers WHERE stored_at < ?", (self._clock.now() - max_age_s,))
        if max_size is not None:
            newest_first = "SELECT key, sum(size) OVER (ORDER BY stored_at DESC, key) AS total FROM answers"
            surplus = f"SELECT key FROM ({newest_first}) WHERE total > ?"  # noqa: S608 - constants
            gone += self._delete(f"DELETE FROM answers WHERE key IN ({surplus})", (max_size,))  # noqa: S608 - constants
        return gone

    def _delete(self, statement: str, values: tuple[float, ...]) -> int:
        if not self.path.exists():
            return 0
        with self._session() as connection:
            try:
                with connection:
                    count = connection.execute(statement, values).rowcount
                connection.execute("VACUUM")
            except sqlite3.Error as error:
                raise self._unusable(error) from error
        return count

    @contextmanager
    def _session(self) -> Iterator[sqlite3.Connection]:
        connection = self._connect()
        try:
            yield connection
        finally:
            connection.close()

    def _connect(self) -> sqlite3.Connection:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.path, timeout=_BUSY_MS / 1000, check_same_thread=False)
        except (OSError, sqlite3.Error) as error:
            raise self._unusable(error) from error
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute(_SCHEMA)
        except sqlite3.Error as error:
            connection.close()
            raise self._unusable(error) from error
        return connection

    def _unusable(self, error: Exception) -> StoreError:
        return StoreError(
            f"the answer cache {self.path} can't be used: {error}", hint="delete the file, or run with `--cache off`"
        )
