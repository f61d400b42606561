"""The run journal: one JSON line per completed unit, appended as it happens, readable after any crash.

A line is handed to the operating system before the unit counts as recorded, so a killed process loses nothing it had
recorded; `sync` makes it safe against a power cut too and is called in groups by the engine. A run has one segment per
worker process (`journal-000.jsonl`, `journal-001.jsonl`, …); order within and between segments carries no meaning.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from threading import Lock
from typing import Any

import msgspec

from evalwright.core.errors import DiskFull, StoreError
from evalwright.core.output import Output
from evalwright.core.run import UnitRecord

MAX_DEPTH = 200
"""Nesting of lists and objects a record may have; deeper values could not be read back everywhere."""

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_BLOCK = 1 << 20


class Unstorable(ValueError):
    """A record holds something that JSON can't keep, or that could not be read back."""


class BadLine(msgspec.Struct, frozen=True, kw_only=True):
    """A whole line of a journal that is no record: which file, which line (1-based), and why."""

    path: Path
    line: int
    reason: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.reason}"


def _plain(value: Any) -> Any:
    """Take numpy scalars and arrays, which scientific targets return, as plain numbers and lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"a {type(value).__module__}.{type(value).__qualname__} can't be stored as JSON")


_encoder = msgspec.json.Encoder(enc_hook=_plain)
_decoder = msgspec.json.Decoder(UnitRecord)


def encode_record(record: UnitRecord) -> bytes:
    """One journal line, with its line feed. Lone surrogates become U+FFFD; NaN and infinities become null.

    Raises:
        Unstorable: A part of the record is of a type JSON has no place for, of the wrong type for its field, or nested
            deeper than `MAX_DEPTH`.
    """
    try:
        line = _encode(record)
        _decoder.decode(line)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Unstorable(str(error)) from error
    if line.count(b"[") + line.count(b"{") > MAX_DEPTH and _depth(line) > MAX_DEPTH:
        raise Unstorable(f"nested more than {MAX_DEPTH} levels deep")
    return line + b"\n"


def check_output(output: Output) -> None:
    """Make sure that an answer can be kept and read back.

    Raises:
        Unstorable: It can't.
    """
    encode_record(UnitRecord(case_id="", case_hash="", output=output))


def _encode(record: UnitRecord) -> bytes:
    try:
        return _encoder.encode(record)
    except UnicodeEncodeError:
        return _encoder.encode(_scrub(msgspec.to_builtins(record, enc_hook=_plain, str_keys=True)))


def _scrub(value: Any) -> Any:
    """The same value with lone surrogates replaced, which UTF-8 has no bytes for."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace") if _has_surrogate(value) else value
    if isinstance(value, dict):
        return {_scrub(key): _scrub(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_scrub(item) for item in value]
    return value


def _has_surrogate(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return True
    return False


def _depth(line: bytes) -> int:
    """Levels of nesting in a JSON line."""
    deepest, level = 0, [msgspec.json.decode(line)]
    while level:
        deepest += 1
        level = [
            child
            for value in level
            for child in (value.values() if isinstance(value, dict) else value)
            if isinstance(child, dict | list)
        ]
    return deepest


def segment_path(run_dir: Path, worker: int) -> Path:
    """The journal segment of one worker of a run."""
    return run_dir / f"journal-{worker:03d}.jsonl"


def segments(run_dir: Path) -> list[Path]:
    """All journal segments of a run, by worker; empty when nothing was ever recorded."""
    return sorted(run_dir.glob("journal-[0-9][0-9][0-9]*.jsonl"))


class JournalWriter:
    """Appends records to one segment. Not for use by several threads, but `sync` may run in a thread of its own."""

    def __init__(self, path: Path) -> None:
        """Open a segment, cutting a torn tail.

        Raises:
            StoreError: The file can't be opened.
        """
        self.path = path
        try:
            self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _store_error(error, path) from error
        self.cut = cut_torn_tail(self._fd)
        self._end = os.lseek(self._fd, 0, os.SEEK_END)
        self._synced = self._end
        self._syncing = Lock()
        self.unsynced = 0

    def append(self, record: UnitRecord) -> None:
        """Write one record; when this returns a killed process no longer loses it.

        Raises:
            Unstorable: The record can't be kept as it is; nothing was written.
            DiskFull: There is no room; what was recorded before is intact.
        """
        line = encode_record(record)
        try:
            self._write(line)
        except OSError as error:
            os.ftruncate(self._fd, self._end)
            os.lseek(self._fd, self._end, os.SEEK_SET)
            raise _store_error(error, self.path) from error
        self._end += len(line)
        self.unsynced += 1

    def _write(self, line: bytes) -> None:
        written = os.write(self._fd, line)
        while written < len(line):
            written += os.write(self._fd, memoryview(line)[written:])

    def sync(self) -> None:
        """Make everything appended so far safe against a power cut (one `fdatasync`).

        Raises:
            DiskFull: The system found out late that there is no room.
        """
        with self._syncing:
            if self._fd < 0 or self._synced == self._end:
                return
            end, self.unsynced = self._end, 0
            try:
                os.fdatasync(self._fd)
            except OSError as error:
                raise _store_error(error, self.path) from error
            self._synced = end

    def close(self) -> None:
        """Sync and close; safe to call twice."""
        try:
            self.sync()
        finally:
            with self._syncing:
                if self._fd >= 0:
                    os.close(self._fd)
                self._fd = -1


def _store_error(error: OSError, path: Path) -> StoreError:
    if error.errno in _FULL:
        return DiskFull(
            f"no room left to record results in {path}: {error.strerror}",
            hint="free some space, then resume the run: everything recorded so far is kept",
        )
    return StoreError(f"the journal {path} can't be written: {error.strerror}", hint="check the folder's permissions")


def cut_torn_tail(fd: int) -> int:
    """Cut a journal after its last line feed, and give the number of bytes cut (0 when it was whole)."""
    size = end = os.fstat(fd).st_size
    while end:
        start = max(0, end - _BLOCK)
        found = os.pread(fd, end - start, start).rfind(b"\n")
        end = start + found + 1 if found >= 0 else start
        if found >= 0:
            break
    if end != size:
        os.ftruncate(fd, end)
    return size - end


def read_journal(path: Path, *, on_bad: Callable[[BadLine], None] | None = None) -> Iterator[UnitRecord]:
    """Records of one segment, one at a time; a torn last line is left out.

    Args:
        path: The segment.
        on_bad: Told of whole lines that are no records, which are then left out.

    Raises:
        StoreError: A whole line is no record (a damaged disk) and nobody listens.
    """
    for number, line in _whole_lines(path):
        try:
            yield _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            bad = BadLine(path=path, line=number, reason=str(error))
            if on_bad is None:
                raise StoreError(
                    f"damaged journal: {bad}", hint="`evalwright resume` sets damaged lines aside and runs them again"
                ) from error
            on_bad(bad)


def _whole_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb", buffering=_BLOCK) as file:
            for number, line in enumerate(file, start=1):
                if line.endswith(b"\n"):
                    yield number, line
    except OSError as error:
        raise StoreError(f"the journal {path} can't be read: {error.strerror}") from error


def read_run(run_dir: Path, *, on_bad: Callable[[BadLine], None] | None = None) -> Iterator[UnitRecord]:
    """Records of all segments of a run, each unit once.

    A unit is recorded twice when a failed one was tried again in a later sitting: then an answered record beats a
    failed one, and of two alike the one started later counts.
    """
    paths = segments(run_dir)
    repeated = _repeated(paths)
    if not repeated:
        for path in paths:
            yield from read_journal(path, on_bad=on_bad)
        return
    best: dict[tuple[str, int], UnitRecord] = {}
    for path in paths:
        for record in read_journal(path, on_bad=on_bad):
            key = (record.case_hash, record.trial)
            if key not in repeated:
                yield record
            elif key not in best or _rank(record) > _rank(best[key]):
                best[key] = record
    yield from best.values()


def _rank(record: UnitRecord) -> tuple[bool, float]:
    return record.output is not None, record.started_at


class _Key(msgspec.Struct, frozen=True):
    case_hash: str
    trial: int = 0


_key_decoder = msgspec.json.Decoder(_Key)


def _repeated(paths: Iterable[Path]) -> set[tuple[str, int]]:
    """Units that have more than one record."""
    seen: set[int] = set()
    repeated: set[tuple[str, int]] = set()
    for path in paths:
        for _, line in _whole_lines(path):
            key = _key_of(line)
            if key is None:
                continue
            if hash(key) in seen:
                repeated.add(key)
            seen.add(hash(key))
    return repeated


def _key_of(line: bytes) -> tuple[str, int] | None:
    try:
        key = _key_decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return key.case_hash, key.trial


class JournalFollower:
    """Reads a segment while another process appends to it."""

    def __init__(self, path: Path, *, skip: bool = False) -> None:
        """Follow a segment, from its start or, with `skip`, from its present end."""
        self.path = path
        self._offset = path.stat().st_size if skip and path.exists() else 0

    def new(self) -> Iterator[UnitRecord]:
        """Whole records appended since the last call."""
        if not self.path.exists():
            return
        with self.path.open("rb", buffering=_BLOCK) as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    return
                self._offset += len(line)
                yield _decoder.decode(line)
