"""A folder and the places it is shared by: what is put there, fetched from there, or waits while they are away."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from evalwright.core.errors import StoreError
from evalwright.core.result import Summary
from evalwright.store.database import CatalogAway
from evalwright.store.files import disk_errors, write_atomic
from evalwright.store.lock import is_locked
from evalwright.store.logs import FileLogs, TableLogs
from evalwright.store.objects import Objects, ObjectsAway
from evalwright.store.sharing import blob_name, fetch_run, held_list, put_run

if TYPE_CHECKING:
    from evalwright.store.workspace import Workspace

log = logging.getLogger("evalwright.store")

OUTBOX = "outbox"
LOG_FOLDERS = ("golden", "governance")
CARDS = "cards"


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A finished run that could not be noted or put yet."""

    run_id: str
    finished_at: float


class SyncReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a synchronisation did.

    Attributes:
        runs_put: Finished runs noted and put.
        runs_fetched: Runs of other machines brought here, where the catalog is in the folder.
        content_put: Case files and other content put.
        logs_moved: Logs taken over from files into the catalog.
        cards_put: Cards of scorers put.
        cards_fetched: Cards brought here.
    """

    runs_put: int = 0
    runs_fetched: int = 0
    content_put: int = 0
    logs_moved: int = 0
    cards_put: int = 0
    cards_fetched: int = 0


class Shared:
    """A workspace's folder on one side, its catalog's server and object storage on the other.

    Args:
        workspace: The workspace.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._folder = workspace.root / OUTBOX
        self._warned = False

    # --- content ---------------------------------------------------------------------------------------------------

    def put(self, digest: str, path: Path) -> None:
        """Put content into the object storage; when that is away, as soon as it is back."""
        objects = self._workspace.objects
        if objects is None:
            return
        try:
            objects.put(blob_name(digest), path)
        except ObjectsAway as error:
            write_atomic(self._folder / f"blob-{digest}", b"")
            self._warn("content", error)

    def fetch(self, digest: str, path: Path) -> bool:
        """Bring content here; whether there is some.

        Raises:
            ObjectsAway: The object storage can't be asked.
        """
        objects = self._workspace.objects
        return objects is not None and objects.fetch(blob_name(digest), path, digest=digest)

    # --- runs ------------------------------------------------------------------------------------------------------

    def finish(self, summary: Summary, finished_at: float) -> None:
        """Note and put a finished run, now or as soon as that is possible; those that wait go first."""
        try:
            self._finish(summary, finished_at)
        except (CatalogAway, ObjectsAway) as error:
            waiting = Waiting(run_id=summary.manifest.run_id, finished_at=finished_at)
            write_atomic(self._folder / f"run-{waiting.run_id}.json", msgspec.json.encode(waiting))
            self._warn(f"the run {waiting.run_id}", error)
        else:
            (self._folder / f"run-{summary.manifest.run_id}.json").unlink(missing_ok=True)
            self.catch_up()

    def _finish(self, summary: Summary, finished_at: float) -> None:
        """Put the files, then note the run; figures are noted even when the files can't be put."""
        objects, folder = self._workspace.objects, self._workspace.run_dir(summary.manifest.run_id)
        try:
            published = None if objects is None else put_run(objects, folder)
        except ObjectsAway:
            self._workspace.catalog.finish(summary, finished_at=finished_at)
            raise
        self._workspace.catalog.finish(summary, finished_at=finished_at, published=published)

    def refresh(self, run_id: str, folder: Path) -> None:
        """Bring a run here that is missing or newer elsewhere; what is here serves while that can't be asked.

        Raises:
            CatalogAway: The run is not here, and the catalog can't be asked.
            ObjectsAway: The run is not here, and the object storage can't be asked.
        """
        objects = self._workspace.objects
        present = (folder / "manifest.json").is_file()
        if objects is None or (present and (self._waits(run_id) or is_locked(folder))):
            return
        try:
            wanted = self._workspace.catalog.published(run_id)
            if wanted is not None and wanted != held_list(folder):
                fetch_run(objects, folder, wanted)
        except (CatalogAway, ObjectsAway):
            if not present:
                raise

    def _waits(self, run_id: str) -> bool:
        return (self._folder / f"run-{run_id}.json").is_file()

    # --- what waits ------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> int:
        """How many runs and pieces of content could not be put yet."""
        return sum(1 for _ in self._folder.glob("*")) if self._folder.is_dir() else 0

    def catch_up(self) -> int:
        """Put what waits, as far as possible; how many runs and pieces of content were put."""
        done = 0
        with suppress(CatalogAway, ObjectsAway):
            for digest, path in list(self._waiting_content()):
                self._put_waiting(digest)
                path.unlink(missing_ok=True)
                done += 1
            for waiting, path in list(self._waiting_runs()):
                if self._put_run(waiting.run_id, waiting.finished_at):
                    done += 1
                path.unlink(missing_ok=True)
        return done

    def _waiting_content(self) -> Iterator[tuple[str, Path]]:
        for path in sorted(self._folder.glob("blob-*")):
            yield path.name.removeprefix("blob-"), path

    def _waiting_runs(self) -> Iterator[tuple[Waiting, Path]]:
        for path in sorted(self._folder.glob("run-*.json")):
            with suppress(OSError, msgspec.MsgspecError):
                yield msgspec.json.decode(path.read_bytes(), type=Waiting), path

    def _put_waiting(self, digest: str) -> None:
        path, objects = self._workspace.blobs.path(digest), self._workspace.objects
        if objects is not None and path.is_file():
            objects.put(blob_name(digest), path)

    def _put_run(self, run_id: str, finished_at: float) -> bool:
        summary = self._workspace.store_of(run_id).summary()
        if summary is not None:
            self._finish(summary, finished_at)
        return summary is not None

    # --- all at once -----------------------------------------------------------------------------------------------

    def sync(self) -> SyncReport:
        """Put everything of the folder that is missing elsewhere, and learn of what others put.

        Raises:
            CatalogAway: The catalog can't be reached.
            ObjectsAway: The object storage can't be reached.
        """
        catalog = self._workspace.catalog
        moved = self._move_logs()
        objects = self._workspace.objects
        content = 0 if objects is None else self._put_all_content(objects)
        put = self._put_all_runs()
        fetched = 0 if objects is None or self._workspace.catalog_address is not None else self._fetch_runs(objects)
        cards = (0, 0) if objects is None else self._cards(objects)
        catalog.add_missing(self._workspace.known_runs())
        for path in self._folder.glob("*"):
            path.unlink(missing_ok=True)
        return SyncReport(
            runs_put=put,
            runs_fetched=fetched,
            content_put=content,
            logs_moved=moved,
            cards_put=cards[0],
            cards_fetched=cards[1],
        )

    def _move_logs(self) -> int:
        """Take logs of the folder over into the catalog, where that has none of their name."""
        shared, files = self._workspace.logs, FileLogs(self._workspace.root)
        if not isinstance(shared, TableLogs):
            return 0
        moved = 0
        for name in (f"{folder}/{name}" for folder in LOG_FOLDERS for name in files.names(folder)):
            with shared.writing(name) as writer:
                if not writer.lines():
                    writer.append(*files.lines(name))
                    moved += 1
        return moved

    def _put_all_content(self, objects: Objects) -> int:
        paths = (self._workspace.root / "blobs").glob("*/*/*")
        return sum(objects.put(blob_name(path.name), path) for path in paths if "." not in path.name)

    def _put_all_runs(self) -> int:
        """Put finished runs that were never put, or wait."""
        done = 0
        for run_id in self._workspace.run_ids():
            entry = self._workspace.catalog.get(run_id)
            folder = self._workspace.run_dir(run_id)
            known = entry is not None and (self._workspace.objects is None or held_list(folder) is not None)
            if is_locked(folder) or (known and not self._waits(run_id)):
                continue
            done += self._put_run(run_id, (entry.finished_at if entry else None) or _finished_at(folder))
        return done

    def _fetch_runs(self, objects: Objects) -> int:
        """Runs of other machines, where no shared catalog tells of them: the newest list of each counts."""
        newest = {name.split("/")[1]: name for name in objects.names("runs")}
        done = 0
        for run_id, name in newest.items():
            folder = self._workspace.run_dir(run_id)
            if not folder.is_dir():
                fetch_run(objects, folder, name)
                done += 1
        return done

    def _cards(self, objects: Objects) -> tuple[int, int]:
        """Cards both ways; they are never changed once made."""
        root = self._workspace.root
        here = {str(path.relative_to(root)) for path in (root / CARDS).glob("*/*.json")}
        there = set(objects.names(CARDS))
        for name in here - there:
            objects.put(name, root / name)
        for name in there - here:
            self._fetch_card(objects, name)
        return len(here - there), len(there - here)

    def _fetch_card(self, objects: Objects, name: str) -> None:
        parts = name.split("/")
        data = objects.get(name)
        if data is None or len(parts) != 3 or any(part in {"", ".", ".."} for part in parts):
            return
        write_atomic(self._workspace.root.joinpath(*parts), data)

    def _warn(self, what: str, error: StoreError) -> None:
        """Say once in a process that something waits."""
        if not self._warned:
            self._warned = True
            log.warning("%s is kept in %s only for now: %s; %s", what, self._workspace.root, error.message, error.hint)


def _finished_at(folder: Path) -> float:
    path = folder / "summary.json"
    with disk_errors(path):
        return path.stat().st_mtime if path.is_file() else 0.0
