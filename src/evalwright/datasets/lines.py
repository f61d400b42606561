"""Lines of plain and compressed files, split at line feeds only, with a limit on their length."""

from __future__ import annotations

import gzip
import importlib
import io
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import duckdb

from evalwright.datasets.rows import MAX_ROW_BYTES
from evalwright.store.duck import connect

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
        yield from _split(file, limit)


def _unpacked(path: Path) -> AbstractContextManager[BinaryIO]:
    suffix = path.suffix.lower()
    if suffix == ".gz":
        return cast("AbstractContextManager[BinaryIO]", io.BufferedReader(gzip.GzipFile(path, "rb"), _SKIP))
    if suffix == ".zst":
        module = importlib.import_module(str(_zstd_module()))
        return cast("AbstractContextManager[BinaryIO]", module.open(path, "rb"))
    return path.open("rb")


def _zstd_module() -> str | None:
    """A module that unpacks zstd, from the standard library (3.14) or installed; None when there is none."""
    for name in ("compression.zstd", "backports.zstd", "zstandard"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        return name
    return None


def _split(file: BinaryIO, limit: int) -> Iterator[Line]:
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
