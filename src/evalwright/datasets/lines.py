"""Lines of plain and compressed files, split at line feeds only, with a limit on their length."""

from __future__ import annotations

import importlib
import io
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

import duckdb

from evalwright.datasets.rows import MAX_ROW_BYTES
from evalwright.store.duck import connect

MAX_UNPACKED = 1 << 30
MAX_RATIO = 200
"""A compressed file may unpack to a gibibyte, or to so many times its size."""

_SKIP = 1 << 20
_ZSTD_LINE = 4 << 20
"""Bytes a line may have where DuckDB unpacks, which sets aside sixteen times as much."""

_BOM = b"\xef\xbb\xbf"


class Line(NamedTuple):
    """A line without its line feed; `whole` is false when it was too long and only its beginning was kept."""

    number: int
    data: bytes
    whole: bool = True


def read_lines(path: Path, *, limit: int = MAX_ROW_BYTES) -> Iterator[Line]:
    """The lines of a file, `.gz` and `.zst` unpacked on the way; a byte order mark is dropped.

    Only a line feed ends a line: the other characters Unicode calls line ends may stand inside of texts.

    Args:
        path: The file.
        limit: Bytes a line may have; of a longer one only the beginning is kept.

    Raises:
        OSError: The file can't be read.
        EOFError: A compressed file ends too early.
        ValueError: A compressed file is damaged.
    """
    if path.suffix.lower() == ".zst" and _zstd_module() is None:
        yield from _lines_by_duckdb(path, limit)
        return
    with _unpacked(path) as file:
        yield from _split(_Counted(file, path), limit)


class _Counted:
    """Reads lines, and stops where a compressed file unpacks to far more than its size."""

    def __init__(self, file: BinaryIO, path: Path) -> None:
        self._file = file
        self._most = most_bytes(path.stat().st_size) if path.suffix.lower() in (".gz", ".zst") else None
        self._read = 0

    def readline(self, size: int) -> bytes:
        """The next line, or as much of it as the size allows."""
        data = self._file.readline(size)
        self._read += len(data)
        if self._most is not None and self._read > self._most:
            raise OSError(bomb_words(self._read))
        return data


def most_bytes(packed: int) -> int:
    """Bytes a compressed file of this size may unpack to."""
    return max(MAX_UNPACKED, MAX_RATIO * packed)


def bomb_words(size: int) -> str:
    """What is said of a file that unpacks to too much."""
    return f"it unpacks to more than {size // 2**20:,} MiB, far more than its size, and is refused"


def _unpacked(path: Path) -> AbstractContextManager[BinaryIO]:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return cast("AbstractContextManager[BinaryIO]", io.BufferedReader(_Gunzip(path), _SKIP))
    if suffix == ".zst":
        module = importlib.import_module(str(_zstd_module()))
        return cast("AbstractContextManager[BinaryIO]", module.open(path, "rb"))
    return path.open("rb")


class _Gunzip(io.RawIOBase):
    """Unpacks gzip members; of a file that ends too early everything that can be unpacked comes before the error."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._unpack = zlib.decompressobj(wbits=31)
        self._begun = False

    def readable(self) -> bool:
        """True."""
        return True

    def close(self) -> None:
        """Close the file."""
        self._file.close()
        super().close()

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer.

        Raises:
            EOFError: The file ends within a member.
            zlib.error: It is damaged.
            OSError: It is no gzip file.
        """
        size = len(buffer)
        while True:
            packed = self._unpack.unconsumed_tail or self._next()
            if packed is None:
                return 0
            data = self._decompressed(packed, size)
            self._begun = True
            if data:
                buffer[: len(data)] = data
                return len(data)

    def _decompressed(self, packed: bytes, size: int) -> bytes:
        try:
            return self._unpack.decompress(packed, size)
        except zlib.error:
            if self._begun:
                raise
            raise OSError("no gzip file") from None

    def _next(self) -> bytes | None:
        """More of the file; None after its last member."""
        rest = self._unpack.unused_data if self._unpack.eof else b""
        data = rest.lstrip(b"\0") or self._file.read(_SKIP).lstrip(b"\0" if self._unpack.eof else b"")
        if self._unpack.eof and data:
            self._unpack, self._begun = zlib.decompressobj(wbits=31), False
        if not data and self._begun and not self._unpack.eof:
            raise EOFError("the file ends too early")
        return data or None


def _zstd_module() -> str | None:
    """A module that unpacks zstd, from the standard library (3.14) or installed; None when there is none."""
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        return name
    return None


def _split(file: _Counted, limit: int) -> Iterator[Line]:
    number = 0
    while data := file.readline(limit + 2):
        number += 1
        if number == 1:
            data = data.removeprefix(_BOM)
        whole = data.endswith(b"\n") or len(data) <= limit
        if whole:
            yield Line(number, data.removesuffix(b"\n"))
        else:
            yield Line(number, data[:8_192], whole=False)
            while (rest := file.readline(_SKIP)) and not rest.endswith(b"\n"):
                pass


_UNPACK = """
SELECT line FROM read_csv(
    $path, columns = {'line': 'VARCHAR'}, compression = 'zstd', max_line_size = $size,
    delim = '\x02\x03\x04\x05', quote = '', escape = '', header = false, auto_detect = false, strict_mode = false
)
"""


def _lines_by_duckdb(path: Path, limit: int) -> Iterator[Line]:
    """Unpack zstd with DuckDB: a table of one column, every line its only cell."""
    try:
        with connect() as duck:
            found = duck.execute(_UNPACK, {"path": str(path), "size": min(limit, _ZSTD_LINE)})
            for number, (text,) in enumerate(_fetched(found), start=1):
                data = (text or "").encode()
                data = data.removeprefix(_BOM) if number == 1 else data
                yield Line(number, data[: limit if len(data) <= limit else 8_192], whole=len(data) <= limit)
    except duckdb.Error as error:
        raise OSError(_zstd_reason(str(error))) from error


def _fetched(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[str | None]]:
    while batch := found.fetchmany(256):
        yield from batch


def _zstd_reason(text: str) -> str:
    if "line size" in text.lower():
        return f"a line is longer than {_ZSTD_LINE // 2**20} MiB; unpack the file or install backports.zstd"
    if "unicode" in text.lower() or "utf-8" in text.lower():
        return "a line is no UTF-8; unpack the file or install backports.zstd to have that line set aside"
    return text.splitlines()[0]
