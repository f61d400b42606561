"""Members of zip archives as JSON, zstd ones too, within limits; the archive does not choose where anything lands."""

from __future__ import annotations

import importlib
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

import duckdb

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem
from evalwright.datasets.importers.source import decode_json
from evalwright.datasets.rows import RowError
from evalwright.store.duck import connect

MAX_MEMBERS = 200_000
MAX_MEMBER = 96 * 1024 * 1024
MAX_TOTAL = 16 * 1024**3
MAX_RATIO = 500
_ZSTD = 93
_LOCAL = struct.Struct("<4s22xHH")
_OBJECT = """
SELECT json FROM read_json_objects($path, format = 'unstructured', compression = 'zstd', maximum_object_size = $size)
"""


class ZipJson:
    """A zip archive whose members are JSON documents. Of members with the same name the last counts.

    Raises:
        ConfigError: No zip archive, or one that looks like a bomb or a trick: too many members, too large when
            unpacked, paths that leave the archive.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.path = path
        self.name = name
        try:
            with zipfile.ZipFile(path) as archive:
                self._members = {info.filename: info for info in archive.infolist()}
                count = len(archive.infolist())
        except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
            raise self.error(f"can't be read as a zip archive: {error}") from None
        self._check(count)

    @property
    def names(self) -> list[str]:
        """Names of the members, in the archive's order."""
        return list(self._members)

    def _check(self, count: int) -> None:
        if count > MAX_MEMBERS:
            raise self.error(f"the archive has {count:,} members; at most {MAX_MEMBERS:,} are read")
        if sum(info.file_size for info in self._members.values()) > MAX_TOTAL:
            raise self.error(f"the archive is larger than {MAX_TOTAL // 2**30} GiB when unpacked")
        for info in self._members.values():
            self._check_member(info)

    def _check_member(self, info: zipfile.ZipInfo) -> None:
        path = PurePosixPath(info.filename.replace("\\", "/"))
        if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
            raise self.error(f"the member {info.filename!r} has a path that leaves the archive")
        if info.file_size > MAX_MEMBER:
            raise self.error(f"{info.filename!r} is larger than {MAX_MEMBER // 2**20} MiB when unpacked")
        if info.flag_bits & 1:
            raise self.error(f"{info.filename!r} is encrypted")
        if info.file_size > 1 << 20 and info.file_size > MAX_RATIO * max(info.compress_size, 1):
            raise self.error(
                f"{info.filename!r} unpacks to {info.file_size // max(info.compress_size, 1):,} times its size"
            )

    @contextmanager
    def reader(self) -> Iterator[MemberReader]:
        """Open the archive for reading members one after the other."""
        with self.path.open("rb") as file, zipfile.ZipFile(file) as archive, connect() as duck:
            yield MemberReader(self, archive, duck)

    def info(self, member: str) -> zipfile.ZipInfo:
        """What the directory says of a member.

        Raises:
            KeyError: There is none of this name.
        """
        return self._members[member]

    def error(self, message: str) -> ConfigError:
        """What is wrong with the archive."""
        return ConfigError([Problem(message=message, file=self.name)])


class MemberReader:
    """Reads members of an open archive."""

    def __init__(self, owner: ZipJson, archive: zipfile.ZipFile, duck: duckdb.DuckDBPyConnection) -> None:
        self._owner = owner
        self._archive = archive
        self._duck = duck

    def json(self, member: str) -> Json:
        """A member as a JSON value.

        Raises:
            RowError: It is damaged or no JSON; the message names it.
        """
        try:
            return decode_json(self._bytes(self._owner.info(member)))
        except RowError as error:
            raise RowError(f"{member}: {error}") from None

    def _bytes(self, info: zipfile.ZipInfo) -> bytes:
        if info.compress_type == _ZSTD:
            return self._zstd(info)
        try:
            with self._archive.open(info) as file:
                data = file.read(info.file_size + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
            raise RowError(f"can't be unpacked: {error}") from None
        if len(data) > info.file_size:
            raise RowError("is larger than the archive's directory says")
        return data

    def _zstd(self, info: zipfile.ZipInfo) -> bytes:
        packed = self._packed(info)
        module = zstd_module()
        if module is not None:
            return _unpack(module, packed, info.file_size)
        return self._zstd_by_duckdb(packed, info.file_size)

    def _packed(self, info: zipfile.ZipInfo) -> bytes:
        """A member as it lies in the file: what `zipfile` of Python 3.11 can't unpack."""
        with self._owner.path.open("rb") as file:
            file.seek(info.header_offset)
            header = file.read(_LOCAL.size)
            if len(header) < _LOCAL.size or not header.startswith(b"PK\x03\x04"):
                raise RowError("is not where the archive's directory says")
            _, name, extra = _LOCAL.unpack(header)
            file.seek(name + extra, 1)
            return file.read(info.compress_size)

    def _zstd_by_duckdb(self, packed: bytes, size: int) -> bytes:
        """Unpack one JSON document with DuckDB, which brings zstd along."""
        with tempfile.TemporaryDirectory(prefix="evalwright-") as folder:
            path = Path(folder) / "member.json.zst"
            path.write_bytes(packed)
            try:
                found = self._duck.execute(_OBJECT, {"path": str(path), "size": max(size, 1024) + 64}).fetchmany(2)
            except duckdb.Error as error:
                raise RowError(f"can't be unpacked: {str(error).splitlines()[0][:200]}") from None
        if len(found) != 1:
            raise RowError("holds no single JSON document")
        data = str(found[0][0]).encode()
        if len(data) > size:
            raise RowError("is larger than the archive's directory says")
        return data


def zstd_module() -> str | None:
    """A module that unpacks zstd in memory, from the standard library (3.14) or installed; None when there is none."""
    for name in ("compression.zstd", "backports.zstd"):
        try:
            importlib.import_module(name)
        except ModuleNotFoundError:
            continue
        return name
    return None


def _unpack(module: str, packed: bytes, size: int) -> bytes:
    zstd = importlib.import_module(module)
    try:
        data: bytes = zstd.ZstdDecompressor().decompress(packed, max_length=size + 1)
    except (zstd.ZstdError, EOFError) as error:
        raise RowError(f"can't be unpacked: {error}") from None
    if len(data) > size:
        raise RowError("is larger than the archive's directory says")
    return data
