"""Files that are whole or absent: atomic writes, and disk errors told in our own words."""

from __future__ import annotations

import errno
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from evalwright.core.errors import DiskFull, StoreError

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """Turn the operating system's errors into ours.

    Args:
        place: What is being written or read, for the message.

    Raises:
        DiskFull: No space, no quota, or a file too large.
        StoreError: The place can't be read or written.
    """
    try:
        yield
    except OSError as error:
        raise _translated(error, place) from error


def _translated(error: OSError, place: Path) -> StoreError:
    if error.errno in _FULL:
        return DiskFull(
            f"the disk is full: {place} can't be written",
            hint="what was recorded is safe; free some space, then resume or repeat the command",
        )
    if error.errno in _DENIED:
        return StoreError(
            f"no permission to use {place}",
            hint="check the owner of the workspace, or name another with --workspace",
        )
    return StoreError(f"{place} can't be used: {error.strerror or error}")


@contextmanager
def atomic_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears under its name only when whole: temporary file, sync, rename.

    Readers see the old content or the new one, never a part. On an error the temporary file is removed.

    Raises:
        DiskFull: No space is left.
        StoreError: The folder can't be written.
    """
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(path) as temporary:
            with temporary.open("wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)


@contextmanager
def temporary_beside(path: Path) -> Iterator[Path]:
    """A name for a temporary file in the folder of `path`; removed at the end when it is still there."""
    temporary = path.parent / f".{path.name}.{uuid.uuid4().hex}.tmp"
    try:
        yield temporary
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()


def sweep(folder: Path, *, older_than_s: float = 24 * 3600.0) -> None:
    """Remove temporary files and folders that killed processes left behind, once they are old enough."""
    limit = time.time() - older_than_s
    for path in folder.glob(".*.tmp"):
        with suppress(OSError):
            if path.stat().st_mtime >= limit:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def write_atomic(path: Path, data: bytes) -> None:
    """Replace a file's content in one step; see `atomic_file`."""
    with atomic_file(path) as file:
        file.write(data)


def sync_file(path: Path) -> None:
    """Make sure a closed file is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())
