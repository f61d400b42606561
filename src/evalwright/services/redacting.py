"""Files redacted one by one: JSON Lines and JSON value by value, CSV cell by cell, anything else as text."""

from __future__ import annotations

import csv
import io
import json
import os
import secrets as random
from collections.abc import Iterator
from pathlib import Path

import msgspec

from evalwright.core.case import BadRow
from evalwright.core.errors import ConfigError, Problem, UsageError
from evalwright.datasets.importers.source import Source
from evalwright.datasets.jsonl import FileError
from evalwright.datasets.redaction import Redactor, Report, restore
from evalwright.datasets.tables import read_csv
from evalwright.detect import KINDS, Detector, load_engine
from evalwright.store.files import atomic_file

KEY_VARIABLE = "EVALWRIGHT_REDACTION_KEY"


class RedactPlan(msgspec.Struct, frozen=True, kw_only=True):
    """How to redact.

    Attributes:
        key: Secret for the stand-ins; None for a new one, whose stand-ins agree with no other file's.
        kinds: What to look for.
        allow: Texts that stay.
        keep: Whether the originals are to be had afterwards.
        names: Engine for names and addresses, as `load_engine` takes it; empty looks for none.
    """

    key: bytes | None = None
    kinds: tuple[str, ...] = KINDS
    allow: tuple[str, ...] = ()
    keep: bool = False
    names: str = ""

    def redactor(self) -> Redactor:
        """A redactor by this plan.

        Raises:
            UsageError: The key is too short, or a kind or engine unknown.
            MissingExtra: The engine's package is not installed.
        """
        try:
            key = self.key or random.token_bytes(32)
            names = load_engine(self.names) if self.names else None
            return Redactor(key, Detector(kinds=self.kinds, allow=self.allow, names=names), keep=self.keep)
        except ValueError as error:
            raise UsageError(str(error)) from error


def key_from_environment() -> bytes | None:
    """The key in $EVALWRIGHT_REDACTION_KEY; None when it is not set."""
    found = os.environ.get(KEY_VARIABLE)
    return found.encode() if found else None


def redact_file(path: Path, output: Path | None, redactor: Redactor) -> Report:
    """Write a redacted copy of a file, which appears when it is whole; without an output only look.

    Raises:
        ConfigError: The file can't be read, or a line is broken: nothing is written, for a part that can't be read
            can't be checked.
        DiskFull: No space is left.
    """
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    pieces = _pieces(Source(path), redactor)
    if output is None:
        for _ in pieces:
            pass
        return redactor.report
    with atomic_file(output) as file:
        for piece in pieces:
            file.write(piece)
    return redactor.report


def _pieces(source: Source, redactor: Redactor) -> Iterator[bytes]:
    suffix = Path(source.path.name.lower().removesuffix(".gz").removesuffix(".zst")).suffix
    if suffix in (".jsonl", ".ndjson"):
        yield from _lines(source, redactor)
    elif suffix == ".json":
        value = redactor.value(source.document())
        yield json.dumps(value, ensure_ascii=False, indent=2).encode() + b"\n"
    elif suffix in (".csv", ".tsv"):
        yield from _csv(source, redactor)
    else:
        yield redactor.text(source.text(), place=source.path.name).encode()


def _lines(source: Source, redactor: Redactor) -> Iterator[bytes]:
    for row in source.rows():
        if isinstance(row, BadRow):
            raise _broken(row)
        yield msgspec.json.encode(redactor.value(row, place=f"line {source.line}")) + b"\n"


def _csv(source: Source, redactor: Redactor) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer: csv.DictWriter[str] | None = None
    try:
        for row in read_csv(source.path):
            if row.reason is not None or not isinstance(row.value, dict):
                raise _broken(row.bad(row.reason or "no row", source.name))
            if writer is None:
                writer = csv.DictWriter(buffer, _header(source))
                writer.writeheader()
            writer.writerow({k: redactor.text(str(v), place=f"line {row.line}.{k}") for k, v in row.value.items()})
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    except FileError as error:
        raise source.error(error.message, line=error.line, hint=error.hint) from None


def _header(source: Source) -> list[str]:
    """All columns, those too that are empty in the first row."""
    first = source.data().decode("utf-8", "replace")
    delimiter = max(",;\t|", key=first.partition("\n")[0].count)
    names = next(csv.reader(io.StringIO(first), delimiter=delimiter), [])
    return [name.strip() or f"column_{n}" for n, name in enumerate(names, start=1)]


def _broken(row: BadRow) -> ConfigError:
    hint = "mend or remove the row: what can't be read can't be checked"
    return ConfigError([Problem(message=row.reason, file=row.source, line=row.line, column=1, hint=hint)])


def write_vault(path: Path, redactor: Redactor) -> None:
    """Write the originals to a file only its owner may read; keep it away from the data.

    Raises:
        UsageError: There is a file already.
    """
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise UsageError(
            f"there is a file {path} already", hint="name a new one, so that no originals are lost"
        ) from None
    with os.fdopen(handle, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(redactor.originals), indent=1) + b"\n")


def restore_file(path: Path, output: Path, vault: Path) -> None:
    """Write a copy with the originals put back.

    Raises:
        ConfigError: A file can't be read.
    """
    originals = Source(vault).document()
    if not isinstance(originals, dict):
        raise Source(vault).error("no originals: an object is needed")
    text = Source(path).text()
    json_like = path.suffix in (".jsonl", ".json")
    known = {
        key: json.dumps(value, ensure_ascii=False)[1:-1] if json_like else value for key, value in originals.items()
    }
    with atomic_file(output) as file:
        file.write(restore(text, known).encode())
