"""Numbers that all processes of a run read and write: where the plan stands, what is spent, which limits hold.

With one process it is ordinary memory and its lock does nothing; with several it is shared memory made before the
fork, under a file lock that the system releases when its holder dies. No object is ever passed between processes.
"""

from __future__ import annotations

import fcntl
import hashlib
import mmap
import tempfile
from types import TracebackType
from typing import Protocol

_BLOCK = 40
"""Cells of a named block, the first of which holds its name's hash."""
_MOST_BLOCKS = 63

GO, DRAIN, HALT = 0.0, 1.0, 2.0
"""Values of the cell `STOP`."""


class HasCells(Protocol):
    """An object that keeps its numbers on a board."""

    @property
    def cells(self) -> memoryview[float]:
        """The numbers."""
        ...


class Cell:
    """An attribute whose value is a number on a board."""

    def __init__(self, index: int) -> None:
        self._index = index

    def __get__(self, owner: HasCells, kind: type | None = None) -> float:
        return owner.cells[self._index]

    def __set__(self, owner: HasCells, value: float) -> None:
        owner.cells[self._index] = value


class _FileLock:
    """Excludes other processes; not meant to be taken twice by one."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - open for as long as the board is used

    def __enter__(self) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_EX)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        fcntl.lockf(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        self._file.close()


class _NoLock:
    def __enter__(self) -> None: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...

    def close(self) -> None: ...


class Board:
    """Numbers in cells.

    Attributes:
        cells: 64-bit floating point numbers, all 0 at first.
        lock: To be held while several cells change together.
        stop: `GO`, `DRAIN` or `HALT`.
        paused: 1 while nothing may be begun.
        concurrency: Units in flight wanted per process; 0 until somebody changes it.
    """

    _cursor = Cell(0)
    stop = Cell(1)
    paused = Cell(2)
    concurrency = Cell(3)

    def __init__(self, *, shared: bool = False) -> None:
        """Make a board, `shared` by the processes forked later."""
        size = 8 * _BLOCK * (1 + _MOST_BLOCKS)
        memory = mmap.mmap(-1, size) if shared else bytearray(size)
        self.cells = memoryview(memory).cast("d")
        self.lock = _FileLock() if shared else _NoLock()

    def close(self) -> None:
        """Release the lock's file."""
        self.lock.close()

    def next_place(self) -> int:
        """0, 1, 2, … over all processes together."""
        with self.lock:
            place = self._cursor
            self._cursor = place + 1
        return int(place)

    def block(self, name: str) -> memoryview[float]:
        """The block of 39 cells of this name, made when it is first asked for.

        Raises:
            RuntimeError: There are more names than blocks (63).
        """
        mark = float(int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") + 1)
        with self.lock:
            for start in range(_BLOCK, len(self.cells), _BLOCK):
                if self.cells[start] in {0.0, mark}:
                    self.cells[start] = mark
                    return self.cells[start + 1 : start + _BLOCK]
        raise RuntimeError(f"more than {_MOST_BLOCKS} shared limits in one run")
