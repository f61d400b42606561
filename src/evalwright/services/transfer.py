"""Runs between workspaces: which files make one up, and taking one in after every hash was checked."""

from __future__ import annotations

import hashlib
import re
import tarfile
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TypeVar

import msgspec

from evalwright.core.errors import Conflict, NotFound, StoreError, UsageError
from evalwright.core.result import Summary
from evalwright.core.run import Manifest
from evalwright.store.blobs import Blobs
from evalwright.store.files import disk_errors
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

T = TypeVar("T")

INDEX = "upload.json"
"""The first member of an upload: what is to come."""

LOG_FOLDERS, CARDS = ("golden", "governance"), "cards"
"""What says more about runs: golden sets; waivers, quarantine, proposals; cards of scorers."""

_RUN_FILE = re.compile(r"(?!journal)[A-Za-z0-9_-]{1,100}(?:\.[a-z0-9]{1,10}){1,2}")
_SIDE_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}\.jsonl?")
_DIGEST = re.compile(rb"[0-9a-f]{64}")
_KINDS = {".json", ".jsonl", ".npy", ".parquet"}
_NEEDED = ("manifest.json", "summary.json", "seal.json", "units.parquet", "scores.parquet")
_CHUNK = 1 << 20


class FileInfo(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a run: name, bytes, SHA-256."""

    name: str
    size: int
    sha256: str


class RunFiles(msgspec.Struct, frozen=True, kw_only=True):
    """What makes up a run.

    Attributes:
        run_id: Name of the run.
        files: Files of its folder, the journal left out, as the sealed files hold all of it.
        blobs: Digests of its cases, and of pictures, sound and documents in them and in the answers.
    """

    run_id: str
    files: tuple[FileInfo, ...]
    blobs: tuple[str, ...]


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What became of an upload: the run, and whether it is new here."""

    run_id: str
    created: bool


def run_files(run: RunStore, *, media: bool = True) -> RunFiles:
    """What makes up a finished run.

    Args:
        run: The run; sealed if it was not.
        media: Whether its texts are searched for digests of other content.

    Raises:
        UsageError: It was not summarised yet.
    """
    if run.summary() is None:
        raise UsageError(f"the run {run.run_id} is not finished", hint=f"evalwright resume {run.run_id}")
    if not run.sealed:
        run.seal()
    found = [file_info(path) for path in sorted(run.folder.iterdir()) if is_run_file(path)]
    return RunFiles(run_id=run.run_id, files=tuple(found), blobs=tuple(_blobs_of(run, media=media)))


def is_run_file(path: Path) -> bool:
    """Whether a file of a run's folder is a record of it, not a journal, lock, report or copy."""
    return path.is_file() and path.suffix in _KINDS and _RUN_FILE.fullmatch(path.name) is not None


def _blobs_of(run: RunStore, *, media: bool) -> Iterator[str]:
    """The cases, and whatever content they or the answers name by its digest."""
    dataset = run.manifest().dataset
    if dataset is None:
        return
    yield dataset.digest
    seen = {dataset.digest}
    for digest in _named_in(run, dataset.digest) if media else ():
        if digest not in seen and digest in run.blobs:
            seen.add(digest)
            yield digest


def _named_in(run: RunStore, cases: str) -> Iterator[str]:
    with run.blobs.path(cases).open("rb") as lines:
        for line in lines:
            yield from (match.decode() for match in _DIGEST.findall(line))
    for _, unit in run.units():
        yield from (match.decode() for match in _DIGEST.findall(msgspec.json.encode(unit.output)))


_hashes: dict[tuple[str, int, int], str] = {}
_hashes_lock = threading.Lock()


def file_info(path: Path) -> FileInfo:
    """A file's name, size and hash; the hash of a file that did not change since is not worked out again."""
    with disk_errors(path):
        found = path.stat()
        key = (str(path), found.st_size, found.st_mtime_ns)
        with _hashes_lock:
            known = _hashes.get(key)
        if known is None:
            with path.open("rb") as file:
                known = hashlib.file_digest(file, "sha256").hexdigest()
            with _hashes_lock:
                if len(_hashes) > 50_000:
                    _hashes.clear()
                _hashes[key] = known
    return FileInfo(name=path.name, size=found.st_size, sha256=known)


def side_files(workspace: Workspace) -> list[FileInfo]:
    """What says more about runs, by `folder/name`: logs of golden sets and of governance, cards of scorers."""
    names = [f"{folder}/{name}.jsonl" for folder in LOG_FOLDERS for name in workspace.logs.names(folder)]
    names += [f"{CARDS}/{path.name}" for path in sorted((workspace.root / CARDS).glob("*.json")) if path.is_file()]
    return [_side_info(workspace, name) for name in names if _SIDE_FILE.fullmatch(name.partition("/")[2])]


def _side_info(workspace: Workspace, name: str) -> FileInfo:
    data = side_content(workspace, name)
    return FileInfo(name=name, size=len(data), sha256=hashlib.sha256(data).hexdigest())


def side_content(workspace: Workspace, name: str) -> bytes:
    """What such a file holds, wherever it is kept.

    Raises:
        NotFound: There is none of this name.
    """
    folder, _, file = name.partition("/")
    if not _SIDE_FILE.fullmatch(file) or folder not in {*LOG_FOLDERS, CARDS}:
        raise NotFound(f"there is no file {name!r}")
    path = workspace.root / folder / file
    if folder == CARDS:
        if not path.is_file():
            raise NotFound(f"there is no file {name!r}")
        with disk_errors(path):
            return path.read_bytes()
    log = f"{folder}/{file.removesuffix('.jsonl')}"
    if not workspace.logs.exists(log):
        raise NotFound(f"there is no file {name!r}")
    return b"".join(line + b"\n" for line in workspace.logs.lines(log))


def run_path(run: RunStore, name: str) -> Path:
    """Where a file of a run lies.

    Raises:
        NotFound: There is none of this name.
    """
    path = run.folder / name
    if not _RUN_FILE.fullmatch(name) or not is_run_file(path):
        raise NotFound(f"the run {run.run_id} has no file {name!r}")
    return path


def pack_run(run: RunStore, into: IO[bytes]) -> RunFiles:
    """Write a run as one archive: the index, its files, the content it needs."""
    index = run_files(run)
    with tarfile.open(fileobj=into, mode="w|") as archive:
        _add_bytes(archive, INDEX, msgspec.json.encode(index))
        for file in index.files:
            archive.add(run.folder / file.name, arcname=f"run/{file.name}", recursive=False, filter=_plain)
        for digest in index.blobs:
            archive.add(run.blobs.path(digest), arcname=f"blobs/{digest}", recursive=False, filter=_plain)
    return index


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Nothing of the owner and the time of a file."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mtime = 0
    member.mode = 0o644
    return member


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    import io

    member = tarfile.TarInfo(name)
    member.size = len(data)
    archive.addfile(member, io.BytesIO(data))


def take_run(workspace: Workspace, archive: IO[bytes]) -> Taken:
    """Take a run in from an archive; nothing is kept unless all of it is as its index says.

    Taking the same run in again changes nothing.

    Raises:
        UsageError: The archive or what is in it is not as it should be.
        Conflict: There is another run of this name.
        DiskFull: No space is left.
    """
    workspace.ensure()
    with disk_errors(workspace.root), tempfile.TemporaryDirectory(dir=workspace.root, prefix=".upload-") as folder:
        upload = _Upload(workspace, Path(folder))
        try:
            with tarfile.open(fileobj=archive, mode="r|") as members:
                index = upload.read(members)
        except tarfile.TarError as error:
            raise UsageError(f"the upload can't be read: {error}", hint="it is one tar archive") from error
        return upload.keep(index)


class _Upload:
    """An archive on its way in: checked file by file in a folder of its own, then moved."""

    def __init__(self, workspace: Workspace, folder: Path) -> None:
        self._workspace = workspace
        self._run = folder / "run"
        self._blobs = Blobs(folder / "blobs")
        self._run.mkdir()

    def read(self, members: tarfile.TarFile) -> RunFiles:
        """Check every member against the index."""
        first = members.next()
        if first is None or first.name != INDEX or not first.isfile() or first.size > 64 * _CHUNK:
            raise UsageError(f"the upload does not begin with {INDEX}")
        index = _decoded(_body(members, first), INDEX, RunFiles)
        self._check_index(index)
        wanted = {f"run/{file.name}": file for file in index.files}
        blobs = {f"blobs/{digest}": digest for digest in index.blobs}
        while (member := members.next()) is not None:
            if not member.isfile():
                raise UsageError(f"{member.name[:200]!r} is no plain file")
            if member.name in wanted:
                self._take_file(members, member, wanted.pop(member.name))
            elif member.name in blobs:
                self._take_blob(members, member, blobs.pop(member.name))
            else:
                raise UsageError(f"the index does not name {member.name[:200]!r}, or it came twice")
        missing = [*wanted, *(name for name, digest in blobs.items() if digest not in self._workspace.blobs)]
        if missing:
            raise UsageError(f"the upload lacks {', '.join(sorted(missing)[:5])}")
        return index

    def _check_index(self, index: RunFiles) -> None:
        self._workspace.run_dir(index.run_id)
        names = [file.name for file in index.files]
        if len(set(names)) < len(names) or len(set(index.blobs)) < len(index.blobs):
            raise UsageError("the index names a file twice")
        for name in names:
            if not _RUN_FILE.fullmatch(name) or Path(name).suffix not in _KINDS:
                raise UsageError(f"{name[:200]!r} can't be a file of a run")
        for digest in index.blobs:
            self._blobs.path(digest)
        lacking = [name for name in _NEEDED if name not in names]
        if lacking:
            raise UsageError(f"a finished run has {', '.join(lacking)} too")

    def _take_file(self, members: tarfile.TarFile, member: tarfile.TarInfo, told: FileInfo) -> None:
        digest = hashlib.sha256()
        with (self._run / told.name).open("wb") as file:
            for piece in _pieces(members, member):
                digest.update(piece)
                file.write(piece)
        if digest.hexdigest() != told.sha256:
            raise UsageError(f"{told.name} did not arrive whole: its hash is another")

    def _take_blob(self, members: tarfile.TarFile, member: tarfile.TarInfo, told: str) -> None:
        with self._workspace.blobs.writer() as blob:
            for piece in _pieces(members, member):
                blob.write(piece)
        if blob.digest != told:
            raise UsageError(f"the content {told[:12]}… did not arrive whole: its hash is another")

    def keep(self, index: RunFiles) -> Taken:
        """Move the run to its place and list it."""
        manifest = _decoded((self._run / "manifest.json").read_bytes(), "manifest.json", Manifest)
        summary = _decoded((self._run / "summary.json").read_bytes(), "summary.json", Summary)
        self._check_run(index, manifest, summary)
        target = self._workspace.run_dir(index.run_id)
        target.parent.mkdir(parents=True, exist_ok=True)
        known = self._workspace.catalog.get(index.run_id) is not None
        if known and not target.exists():
            self._workspace.run(index.run_id)  # another server took it in: bring it here
        created = self._moved(target)
        if not created:
            _check_same(target, index)
        if created or not known:
            self._workspace.finish(summary, finished_at=manifest.created_at + summary.totals.duration_s)
        return Taken(run_id=index.run_id, created=created)

    def _moved(self, target: Path) -> bool:
        """Move the run to its place; False when there is one already."""
        if not target.exists():
            try:
                self._run.rename(target)
            except OSError:
                if not target.exists():
                    raise
            else:
                return True
        return False

    def _check_run(self, index: RunFiles, manifest: Manifest, summary: Summary) -> None:
        """The run is the one its index names, and its figures' totals are those of its rows."""
        if not manifest.run_id == summary.manifest.run_id == index.run_id:
            raise UsageError("manifest, summary and index are of different runs")
        if manifest.dataset is not None and manifest.dataset.digest not in self._workspace.blobs:
            raise UsageError("the upload lacks the run's cases")
        try:
            with RunStore(self._run, self._workspace.blobs) as run:
                totals = run.totals()
        except (StoreError, OSError, ValueError) as error:
            raise UsageError(f"the run's results can't be read: {error}") from error
        if (totals.units, totals.done, totals.errored) != (
            summary.totals.units,
            summary.totals.done,
            summary.totals.errored,
        ):
            raise UsageError("the summary's totals are not those of the rows")


def _check_same(target: Path, index: RunFiles) -> None:
    """The run that is there is this one: what was run and the rows are the same."""
    for file in index.files:
        if file.name in {"manifest.json", "units.parquet"}:
            there = target / file.name
            if not there.is_file() or file_info(there).sha256 != file.sha256:
                raise Conflict(f"there is another run {index.run_id} already")


def _body(members: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    return b"".join(_pieces(members, member))


def _pieces(members: tarfile.TarFile, member: tarfile.TarInfo) -> Iterator[bytes]:
    file = members.extractfile(member)
    if file is None:
        raise UsageError(f"{member.name[:200]!r} is no plain file")
    while piece := file.read(_CHUNK):
        yield piece


def _decoded(data: bytes, name: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{name} can't be read: {error}") from error
