"""The workspace: the folder in which runs, cases and results are kept."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from evalwright.core.errors import NewerWorkspace, StoreError, UsageError
from evalwright.store.blobs import Blobs
from evalwright.store.files import disk_errors, write_atomic

if TYPE_CHECKING:
    from evalwright.core.result import Summary
    from evalwright.core.run import Manifest
    from evalwright.store.catalog import Catalog
    from evalwright.store.results import RunStore

FOLDER = ".evalwright"
VARIABLE = "EVALWRIGHT_WORKSPACE"
FORMAT = 1


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """The file that makes a folder a workspace: the layout it follows and when it was made."""

    format: int = FORMAT
    created_at: float = 0.0


class Workspace:
    """A folder with a catalog of runs, content-addressed files and one folder a run.

    ```
    workspace.json   the layout's number
    catalog.db       runs, baselines (SQLite)
    blobs/           case files and other content, by SHA-256
    runs/<run id>/   manifest, journal, sealed results
    cache/           answers that may be used again
    schema/          JSON Schemas for editors
    ```

    Several processes may use one workspace at once. Nothing is created before something is written.

    Attributes:
        root: The folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    @classmethod
    def open(cls, path: Path | None = None, *, create: bool = True) -> Workspace:
        """Open a workspace.

        Args:
            path: The folder; None for `$EVALWRIGHT_WORKSPACE`, else the nearest `.evalwright` upward from the working
                directory, else `.evalwright` in it.
            create: Whether the folder may be created when something is first written.

        Raises:
            NewerWorkspace: A later version of Evalwright wrote it.
            StoreError: It is not there and must not be created, is no folder, or can't be read.
        """
        root = find_root(path)
        workspace = cls(root)
        if not root.exists():
            if not create:
                raise StoreError(
                    f"there is no workspace at {root}",
                    hint="`evalwright run` makes one; --workspace or $EVALWRIGHT_WORKSPACE names another",
                )
            return workspace
        workspace._check()
        return workspace

    def _check(self) -> None:
        if not self.root.is_dir():
            raise StoreError(f"{self.root} is no folder", hint="name a folder with --workspace")
        if not os.access(self.root, os.R_OK | os.X_OK):
            raise StoreError(f"no permission to read the workspace {self.root}")
        marker = self._marker()
        if marker is not None and marker.format > FORMAT:
            raise NewerWorkspace(
                f"the workspace {self.root} was written by a later version "
                f"(format {marker.format}, this one knows {FORMAT})",
                hint="upgrade with: pip install --upgrade evalwright",
            )

    def _marker(self) -> Marker | None:
        path = self.root / "workspace.json"
        with disk_errors(path):
            if not path.is_file():
                return None
            data = path.read_bytes()
        try:
            return msgspec.json.decode(data, type=Marker)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(
                f"{path} can't be read: {error}", hint='its content should be {"format": 1, "created_at": 0}'
            ) from error

    def ensure(self) -> None:
        """Make the folder ready for writing; called before the first write.

        Raises:
            DiskFull: No space is left.
            StoreError: The folder can't be created or written.
        """
        with disk_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        if not os.access(self.root, os.W_OK):
            raise StoreError(
                f"the workspace {self.root} can't be written",
                hint="check its permissions, or name another with --workspace",
            )
        if not (self.root / "workspace.json").is_file():
            ignore = self.root / ".gitignore"
            write_atomic(ignore, b"# Made by Evalwright: results are not source.\n*\n")
            write_atomic(self.root / "workspace.json", msgspec.json.encode(Marker(created_at=round(time.time(), 3))))

    @property
    def identity(self) -> str:
        """Text that is the same for two workspaces just when they are the same one."""
        return str(self.root.resolve())

    @property
    def catalog_path(self) -> Path:
        """The catalog's SQLite file."""
        return self.root / "catalog.db"

    @property
    def runs_dir(self) -> Path:
        """The folder of run folders."""
        return self.root / "runs"

    @property
    def cache_dir(self) -> Path:
        """The folder of stored answers."""
        return self.root / "cache"

    @property
    def schema_dir(self) -> Path:
        """The folder of JSON Schemas for editors."""
        return self.root / "schema"

    @cached_property
    def blobs(self) -> Blobs:
        """Content-addressed files."""
        return Blobs(self.root / "blobs")

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog of runs; made and migrated on first use, from the folders of runs where there are some.

        Raises:
            NewerWorkspace: A later version of Evalwright wrote it.
            StoreError: It can't be opened.
        """
        from evalwright.store.catalog import Catalog

        self.ensure()
        made = not self.catalog_path.is_file() or not self.catalog_path.stat().st_size
        catalog = Catalog.at(self.catalog_path)
        if made:
            catalog.add_missing(self._known_runs())
        return catalog

    def _known_runs(self) -> Iterator[tuple[Manifest, Summary | None]]:
        """What the folders of runs say; a folder that can't be read is passed over."""
        for run in map(self.run, self.run_ids()):
            try:
                yield run.manifest(), run.summary()
            except StoreError:
                continue

    def run_dir(self, run_id: str) -> Path:
        """The folder of a run, which may not exist yet.

        Raises:
            UsageError: The id is no plain file name.
        """
        if not run_id or run_id.startswith(".") or any(c in run_id for c in "/\\\0:"):
            raise UsageError(f"{run_id!r} is no run id")
        return self.runs_dir / run_id

    def create_run(self, run_id: str) -> RunStore:
        """Make the folder of a new run.

        Raises:
            StoreError: There is a run of this name already, or the folder can't be made.
        """
        self.ensure()
        folder = self.run_dir(run_id)
        if folder.exists():
            raise StoreError(f"there is a run {run_id} already")
        with disk_errors(folder):
            folder.mkdir(parents=True)
        return self._run_store(folder)

    def run(self, run_id: str) -> RunStore:
        """Manifest, journal and results of a run, by its whole id.

        Raises:
            StoreError: There is no such run.
        """
        folder = self.run_dir(run_id)
        if not folder.is_dir():
            raise StoreError(f"there is no folder of the run {run_id}", hint=f"expected it at {folder}")
        return self._run_store(folder)

    def has_run(self, run_id: str) -> bool:
        """Whether the folder of a run is there, with its manifest."""
        return (self.run_dir(run_id) / "manifest.json").is_file()

    def _run_store(self, folder: Path) -> RunStore:
        from evalwright.store.results import RunStore

        return RunStore(folder, self.blobs)

    def run_ids(self) -> Iterator[str]:
        """Ids of the runs that have a folder with a manifest, oldest first (ids sort by time)."""
        if self.runs_dir.is_dir():
            yield from sorted(p.name for p in self.runs_dir.iterdir() if (p / "manifest.json").is_file())


def find_root(path: Path | None = None) -> Path:
    """Which folder is the workspace: the one named, the environment's, the nearest upward, or a new one here."""
    if path is not None:
        return Path(path)
    named = os.environ.get(VARIABLE)
    if named:
        return Path(named)
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FOLDER).is_dir():
            return folder / FOLDER
    return here / FOLDER
