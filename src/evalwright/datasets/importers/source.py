"""The file an importer reads: whole or line by line, within limits, nothing written anywhere."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from pathlib import Path

from evalwright.core.case import BadRow, Case, Json
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.suite import DatasetSpec
from evalwright.datasets.fields import Fields
from evalwright.datasets.lines import read_lines
from evalwright.datasets.parse import check_text
from evalwright.datasets.rows import MAX_DEPTH, RowError, excerpt

MAX_DOCUMENT = 256 * 1024 * 1024
"""Bytes a file that must be read whole may have, unpacked."""

HEAD = 65_536
"""Bytes looked at to tell the format."""


class Source:
    """A file to import.

    Attributes:
        path: The file.
        name: How messages call it.
        fields: The mapping asked for; empty when it is to be guessed.
        line: Line of the item given last, 0 when the format has none.
    """

    def __init__(self, path: Path, *, name: str | None = None, fields: dict[str, Json] | None = None) -> None:
        self.path = path
        self.name = name or str(path)
        self.fields = fields or {}
        self.line = 0
        self._mapper = Fields(self.spec())

    def spec(self) -> DatasetSpec:
        """The mapping as a dataset section."""
        return DatasetSpec(file=self.path.name, fields=self.fields, source=self.name)

    @property
    def row_format(self) -> str:
        """`jsonl`, `json`, `csv` or `parquet`, from the file's name; `jsonl` when the name does not tell."""
        suffix = Path(self.path.name.lower().removesuffix(".gz").removesuffix(".zst")).suffix
        return {".json": "json", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".pq": "parquet"}.get(
            suffix, "jsonl"
        )

    def beside(self, name: str) -> Path | None:
        """A file named by this one; None when it is not there, or not below this file's folder."""
        folder = self.path.parent.resolve()
        try:
            found = (folder / name).resolve()
        except (OSError, ValueError):
            return None
        return found if found.is_relative_to(folder) and found.is_file() else None

    def document(self) -> Json:
        """The whole file as one JSON value; NaN and infinities are null.

        Raises:
            ConfigError: No JSON, too large, nested too deep, damaged.
        """
        try:
            return decode_json(self.data())
        except RowError as error:
            raise self.error(str(error)) from None

    def data(self, limit: int = MAX_DOCUMENT) -> bytes:
        """The whole file, unpacked.

        Raises:
            ConfigError: It is larger than the limit (also when unpacked), damaged, or can't be read.
        """
        pieces: list[bytes] = []
        size = 0
        for _, line, whole in self._lines(limit):
            size += len(line) + 1
            if size > limit + 1 or not whole:
                raise self.error(f"the file is larger than {limit // 2**20} MiB when unpacked")
            pieces.append(line)
        return b"\n".join(pieces)

    def text(self) -> str:
        """The whole file as text.

        Raises:
            ConfigError: No UTF-8, or see `data`.
        """
        try:
            return self.data().decode("utf-8")
        except UnicodeDecodeError as error:
            raise self.error(f"no UTF-8: byte {error.start + 1}") from None

    def rows(self) -> Iterator[dict[str, Json] | BadRow]:
        """The objects of a JSON Lines file; lines that hold none are bad rows. Sets `line`."""
        for number, data, whole in self._lines(None):
            self.line = number
            if not data.strip():
                continue
            if not whole:
                yield self.bad("the row is larger than 16 MiB", data)
                continue
            try:
                value = decode_json(data)
            except RowError as error:
                yield self.bad(str(error), data)
            else:
                yield value if isinstance(value, dict) else self.bad("a row must be an object", data)

    def case(self, row: Json) -> Case | BadRow:
        """The case a plain row describes, by the mapping asked for or the names other tools use."""
        try:
            return self._mapper.case(row)
        except RowError as error:
            return self.bad(str(error), row)

    def bad(self, reason: str, row: Json = "") -> BadRow:
        """A row that is set aside, with its place."""
        text = row if isinstance(row, (str, bytes)) else json.dumps(row, ensure_ascii=False, default=str)
        return BadRow(line=self.line, reason=reason, source=self.name, text=excerpt(text))

    def error(self, message: str, *, line: int = 0, hint: str = "") -> ConfigError:
        """What is wrong with the file as a whole."""
        return ConfigError([Problem(message=message, file=self.name, line=line, column=1 if line else 0, hint=hint)])

    def _lines(self, limit: int | None) -> Iterator[tuple[int, bytes, bool]]:
        try:
            yield from read_lines(self.path) if limit is None else read_lines(self.path, limit=limit)
        except (EOFError, zlib.error) as error:
            raise self.error("the compressed file is damaged or cut off", hint="copy it again") from error
        except (OSError, ValueError) as error:
            raise self.error(f"can't be read: {getattr(error, 'strerror', None) or error}") from error


def head_of(path: Path) -> bytes:
    """The first 64 KiB of a file, unpacked; empty when it can't be read."""
    found = b""
    try:
        for line in read_lines(path, limit=HEAD):
            found += line.data[: HEAD - len(found)] + b"\n"
            if len(found) >= HEAD:
                break
    except (OSError, EOFError, ValueError, zlib.error):
        return found
    return found


def decode_json(data: bytes) -> Json:
    """One JSON value; NaN and infinities, which several tools write, are null.

    Raises:
        RowError: No UTF-8, no JSON, a key twice in one object, nested deeper than 100 levels, half a surrogate pair.
    """
    try:
        value = _DECODER.decode(data.decode("utf-8"))
        _check_depth(value)
        if b"\\ud" in data or b"\\uD" in data:
            check_text(value)
    except UnicodeDecodeError as error:
        raise RowError(f"no UTF-8: byte 0x{data[error.start]:02x} at position {error.start + 1}") from None
    except json.JSONDecodeError as error:
        raise RowError(f"no JSON: {error.msg[0].lower()}{error.msg[1:]}, line {error.lineno}") from None
    except RecursionError:
        raise RowError(f"nested deeper than {MAX_DEPTH} levels") from None
    except ValueError:
        raise RowError("holds a whole number with more than 4,000 digits") from None
    return value


def _check_depth(value: Json) -> None:
    """Refuse what is nested too deep, level by level, without recursion."""
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            part
            for item in level
            for part in (item.values() if isinstance(item, dict) else item if isinstance(item, list) else ())
            if isinstance(part, (dict, list))
        ]
        if not level:
            return
    raise RowError(f"nested deeper than {MAX_DEPTH} levels")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise RowError(f"the key {twice!r} stands twice in one object")
    return found


def _float(text: str) -> float | None:
    number = float(text)
    return number if math.isfinite(number) else None


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=lambda _: None, parse_float=_float)
