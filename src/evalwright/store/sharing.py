"""Runs between this folder and object storage: put when finished, fetched when missing here or newer there.

The files of a run are content-addressed objects. Beside them stands a list of them, a new one each time the run is put;
the catalog names the list that counts. So a reader sees a whole state of a run, the old one or the new.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec

from evalwright.core.errors import StoreError
from evalwright.store.files import disk_errors, write_atomic
from evalwright.store.objects import Objects, ObjectsAway

LOCAL = ("run.lock", "state.json", "commands.jsonl", "published.json")
"""Files of a run's folder that are about this machine only."""

_LOCAL_BEGINNINGS = (".", "journal-")
MARK = "published.json"


class SharedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a run: its name, content hash and size."""

    name: str
    digest: str
    size: int


class SharedRun(msgspec.Struct, frozen=True, kw_only=True):
    """The files of a run at one time.

    Attributes:
        run_id: The run.
        at: When they were put, seconds since the epoch.
        files: The files.
    """

    run_id: str
    at: float
    files: tuple[SharedFile, ...]


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """Which list this folder holds."""

    name: str


def blob_name(digest: str) -> str:
    """Name of the object with this content."""
    return f"blobs/{digest[:2]}/{digest}"


def put_run(objects: Objects, folder: Path, *, now: float | None = None) -> str:
    """Put a run's files; the name of the list of them, which is the same while nothing has changed.

    Raises:
        ObjectsAway: They could not be put.
        StoreError: The folder can't be read.
    """
    files = tuple(_files(folder))
    for file in files:
        objects.put(blob_name(file.digest), folder / file.name)
    digest = hashlib.sha256(msgspec.json.encode(files)).hexdigest()[:16]
    held = held_list(folder)
    if held is not None and held.endswith(f"-{digest}.json"):
        return held
    at = time.time() if now is None else now
    name = f"runs/{folder.name}/{int(at * 1000):015d}-{digest}.json"
    objects.put(name, msgspec.json.encode(SharedRun(run_id=folder.name, at=at, files=files)))
    note_list(folder, name)
    return name


def _files(folder: Path) -> Iterator[SharedFile]:
    with disk_errors(folder):
        paths = sorted(path for path in folder.iterdir() if path.is_file())
    for path in paths:
        if path.name in LOCAL or path.name.startswith(_LOCAL_BEGINNINGS):
            continue
        with disk_errors(path), path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        yield SharedFile(name=path.name, digest=digest, size=path.stat().st_size)


def fetch_run(objects: Objects, folder: Path, name: str) -> None:
    """Bring the files of a list here; those that are here already are not fetched, others are left alone.

    Raises:
        ObjectsAway: They could not be fetched.
        DiskFull: No space is left.
    """
    data = objects.get(name)
    if data is None:
        raise ObjectsAway(f"the object storage {objects.address} does not hold {name}")
    try:
        shared = msgspec.json.decode(data, type=SharedRun)
    except msgspec.MsgspecError as error:
        raise StoreError(f"{name} in {objects.address} can't be read: {error}") from None
    present = {file.name: file.digest for file in _files(folder)} if folder.is_dir() else {}
    for file in sorted(shared.files, key=lambda one: one.name == "manifest.json"):
        if present.get(file.name) != file.digest:
            path = _inside(folder, file.name)
            if not objects.fetch(blob_name(file.digest), path, digest=file.digest):
                raise ObjectsAway(f"the object storage {objects.address} lacks {file.name} of the run {folder.name}")
    note_list(folder, name)


def _inside(folder: Path, name: str) -> Path:
    if not name or "/" in name or "\\" in name or name.startswith("."):
        raise StoreError(f"{name!r} is no file of a run")
    return folder / name


def held_list(folder: Path) -> str | None:
    """The list this folder holds; None when it was never put nor fetched."""
    try:
        return msgspec.json.decode((folder / MARK).read_bytes(), type=Mark).name
    except (OSError, msgspec.MsgspecError):
        return None


def note_list(folder: Path, name: str) -> None:
    """Note which list a folder holds."""
    write_atomic(folder / MARK, msgspec.json.encode(Mark(name=name)))
