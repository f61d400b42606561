"""Recorded outputs by id, in little memory: 28 bytes a row, and the rows themselves in a file once they are many."""

from __future__ import annotations

import tempfile
from array import array
from bisect import bisect_left
from hashlib import blake2b
from typing import IO

import numpy as np

_IN_MEMORY = 16 * 1024 * 1024


class RowStore:
    """Write-once records by key, then looked up at random.

    Records are kept in memory up to 16 MB in all, beyond that in an unnamed temporary file. Keys are kept as 64-bit
    hashes: two of a million different keys collide with a probability below 1e-7, and a collision shows as a duplicate.

    Args:
        in_memory: Bytes of records kept in memory before they go to the file.
    """

    def __init__(self, in_memory: int = _IN_MEMORY) -> None:
        self._limit = in_memory
        self._hashes = array("Q")
        self._offsets = array("Q")
        self._lengths = array("Q")
        self._lines = array("I")
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._end = 0

    def __len__(self) -> int:
        return len(self._hashes)

    def add(self, key: str, line: int, record: bytes) -> None:
        """Append one record."""
        self._hashes.append(_hash(key))
        self._offsets.append(self._end)
        self._lengths.append(len(record))
        self._lines.append(line)
        self._end += len(record)
        if self._file is None and self._end > self._limit:
            self._file = tempfile.TemporaryFile(prefix="evalwright-")  # noqa: SIM115  closed by `close`
            self._file.write(self._memory)
            self._memory = bytearray()
        if self._file is None:
            self._memory += record
        else:
            self._file.write(record)

    def seal(self) -> list[tuple[int, int]]:
        """Sort the keys for look-up.

        Returns:
            Pairs of lines that have the same key, at most 100.
        """
        hashes = np.frombuffer(self._hashes, dtype=np.uint64) if self._hashes else np.empty(0, dtype=np.uint64)
        order = np.argsort(hashes, kind="stable")
        columns = (self._hashes, self._offsets, self._lengths, self._lines)
        sorted_columns = [array(column.typecode, np.asarray(column)[order].tobytes()) for column in columns]
        self._hashes, self._offsets, self._lengths, self._lines = sorted_columns
        ranked = np.asarray(self._hashes)
        same = np.flatnonzero(ranked[1:] == ranked[:-1])[:100] if len(ranked) > 1 else ()
        return [(self._lines[int(at)], self._lines[int(at) + 1]) for at in same]

    def find(self, key: str) -> tuple[int, bytes] | None:
        """Line and record of a key, None when it has none. Only after `seal`."""
        wanted = _hash(key)
        at = bisect_left(self._hashes, wanted)
        if at == len(self._hashes) or self._hashes[at] != wanted:
            return None
        start, length = self._offsets[at], self._lengths[at]
        if self._file is None:
            return self._lines[at], bytes(self._memory[start : start + length])
        self._file.seek(start)
        return self._lines[at], self._file.read(length)

    def close(self) -> None:
        """Give the memory and the file back."""
        if self._file is not None:
            self._file.close()
        self.__init__(self._limit)  # type: ignore[misc]


def _hash(key: str) -> int:
    return int.from_bytes(blake2b(key.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
