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
from evalwright.store.addresses import CATALOG_VARIABLE, OBJECTS_VARIABLE, may_be_noted, with_schema
from evalwright.store.blobs import Blobs
from evalwright.store.files import disk_errors, write_atomic

if TYPE_CHECKING:
    from evalwright.core.result import Summary
    from evalwright.core.run import Manifest
    from evalwright.store.catalog import Catalog
    from evalwright.store.logs import Logs
    from evalwright.store.objects import Objects
    from evalwright.store.results import RunStore
    from evalwright.store.syncing import Shared

FOLDER = ".evalwright"
VARIABLE = "EVALWRIGHT_WORKSPACE"
FORMAT = 2
"""Newest layout known; folders whose catalog or objects are elsewhere have it, others stay at 1."""


MOST_ID = 200
"""Bytes of a run's id at most: it is the name of a folder."""


class Marker(msgspec.Struct, frozen=True, kw_only=True):
    """The file that makes a folder a workspace.

    Attributes:
        format: The layout it follows.
        created_at: When it was made, seconds since the epoch.
        catalog: Address of its catalog, where that is elsewhere; passwords in it by reference only.
        objects: Address of its object storage, where it has one.
    """

    format: int = 1
    created_at: float = 0.0
    catalog: str | None = None
    objects: str | None = None


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

    Catalog and logs may be on PostgreSQL instead, and sealed runs, case files and other content in object storage as
    well, so that several machines share a workspace; then the folder holds what this machine works on and a copy of
    what it has read.

    Attributes:
        root: The folder.
        catalog_address: Where the catalog is; None for SQLite in the folder.
        objects_address: Where finished runs and content are put besides; None for the folder only.
    """

    def __init__(self, root: Path, *, catalog: str | None = None, objects: str | None = None) -> None:
        self.root = root
        self.catalog_address = catalog
        self.objects_address = objects

    @classmethod
    def open(
        cls, path: Path | None = None, *, create: bool = True, catalog: str | None = None, objects: str | None = None
    ) -> Workspace:
        """Open a workspace.

        Args:
            path: The folder; None for `$EVALWRIGHT_WORKSPACE`, else the nearest `.evalwright` upward from the working
                directory, else `.evalwright` in it.
            create: Whether the folder may be created when something is first written.
            catalog: Address of its catalog; None for `$EVALWRIGHT_CATALOG`, else what the folder has noted, else SQLite
                in it.
            objects: Address of its object storage; None for `$EVALWRIGHT_OBJECTS`, else what the folder has noted.

        Raises:
            NewerWorkspace: A later version of Evalwright wrote it.
            StoreError: It is not there and must not be created, is no folder, or can't be read.
        """
        root = find_root(path)
        workspace = cls(
            root,
            catalog=catalog or os.environ.get(CATALOG_VARIABLE) or None,
            objects=objects or os.environ.get(OBJECTS_VARIABLE) or None,
        )
        if not root.exists():
            if not create and workspace.catalog_address is None:
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
        if marker is not None:
            self.catalog_address = self.catalog_address or marker.catalog
            self.objects_address = self.objects_address or marker.objects

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
            write_atomic(self.root / "workspace.json", msgspec.json.encode(self._noted(round(time.time(), 3))))
        elif self.catalog_address or self.objects_address:
            self._note_addresses()

    def _noted(self, created_at: float) -> Marker:
        """What the folder notes of itself; addresses that hold a password are not noted."""
        catalog, objects = self.catalog_address, self.objects_address
        return Marker(
            format=2 if catalog or objects else 1,
            created_at=created_at,
            catalog=catalog if catalog and may_be_noted(catalog) else None,
            objects=objects if objects and may_be_noted(objects) else None,
        )

    def _note_addresses(self) -> None:
        marker = self._marker() or Marker()
        wanted = self._noted(marker.created_at)
        if marker != wanted:
            write_atomic(self.root / "workspace.json", msgspec.json.encode(wanted))

    def project(self, name: str) -> Workspace:
        """The workspace of another project beside this one, with a schema and a prefix of its own where shared."""
        return Workspace.open(
            self.root / "projects" / name,
            catalog=None if self.catalog_address is None else with_schema(self.catalog_address, f"project_{name}"),
            objects=None if self.objects_address is None else f"{self.objects_address.rstrip('/')}/projects/{name}",
        )

    @property
    def identity(self) -> str:
        """Text that is the same for two workspaces just when they are the same one."""
        return f"{self.root.resolve()} {self.catalog_address or ''} {self.objects_address or ''}"

    @property
    def has_catalog(self) -> bool:
        """Whether anything was noted yet, so that a question makes no file."""
        return self.catalog_address is not None or self.catalog_path.is_file()

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
        """Content-addressed files; put into the object storage besides, where there is one."""
        return Blobs(self.root / "blobs", self.shared if self.objects_address else None)

    @cached_property
    def objects(self) -> Objects | None:
        """The object storage, None for the folder only.

        Raises:
            UsageError: Its address is none.
            MissingExtra: A package is needed for it.
        """
        from evalwright.store.objects import Objects

        return None if self.objects_address is None else Objects(self.objects_address)

    @cached_property
    def shared(self) -> Shared:
        """What goes between this folder and the places it is shared by."""
        from evalwright.store.syncing import Shared

        return Shared(self)

    @cached_property
    def logs(self) -> Logs:
        """Append-only logs: in the folder, or in a catalog that several machines share."""
        from evalwright.store.logs import FileLogs, TableLogs

        return FileLogs(self.root) if self.catalog_address is None else TableLogs(self.catalog)

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog of runs; made and migrated on first use, from the folders of runs where there are some.

        Raises:
            NewerWorkspace: A later version of Evalwright wrote it.
            StoreError: It can't be opened.
        """
        from evalwright.store.catalog import Catalog

        self.ensure()
        if self.catalog_address is not None:
            return Catalog.open(self.catalog_address)
        made = not self.catalog_path.is_file() or not self.catalog_path.stat().st_size
        catalog = Catalog.at(self.catalog_path)
        if made:
            catalog.add_missing(self.known_runs())
        return catalog

    def known_runs(self) -> Iterator[tuple[Manifest, Summary | None]]:
        """What the folders of runs say; a folder that can't be read is passed over."""
        for run in map(self.store_of, self.run_ids()):
            try:
                yield run.manifest(), run.summary()
            except StoreError:
                continue

    def run_dir(self, run_id: str) -> Path:
        """The folder of a run, which may not exist yet.

        Raises:
            UsageError: The id is no plain file name.
        """
        if (
            not run_id
            or len(run_id.encode(errors="replace")) > MOST_ID
            or run_id.startswith(".")
            or any(c in run_id for c in "/\\\0:")
        ):
            raise UsageError(f"{run_id[:MOST_ID]!r} is no run id")
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
        if self.objects_address is not None:
            self.shared.refresh(run_id, folder)
        if not folder.is_dir():
            hint = f"expected it at {folder}"
            if self.objects_address is not None:
                hint = "it runs on another machine, or waits there to be put: `evalwright sync` on that machine"
            raise StoreError(f"there is no folder of the run {run_id}", hint=hint)
        return self._run_store(folder)

    def store_of(self, run_id: str) -> RunStore:
        """A run as it is in the folder, without asking elsewhere."""
        return self._run_store(self.run_dir(run_id))

    def has_run(self, run_id: str) -> bool:
        """Whether the folder of a run is there, with its manifest, or can be fetched."""
        return self.objects_address is not None or (self.run_dir(run_id) / "manifest.json").is_file()

    def finish(self, summary: Summary, *, finished_at: float) -> None:
        """Note how a run ended, and put its files where the workspace is shared.

        When the catalog's server or the object storage is away, nothing is lost: the run stays in the folder, a
        warning says so, and it is noted and put there by the next command that can, or by `evalwright sync`.

        Raises:
            StoreError: The catalog in the folder can't be written.
        """
        if self.catalog_address is None and self.objects_address is None:
            self.catalog.finish(summary, finished_at=finished_at)
        else:
            self.shared.finish(summary, finished_at)

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
