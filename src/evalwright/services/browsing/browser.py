"""A workspace opened for reading many times: files, footers and figures are kept ready, bounded, and never stale."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Lock, RLock, Thread
from typing import Any, TypeVar

from evalwright.core.errors import EvalwrightError, NotFound, StoreError
from evalwright.core.result import Summary
from evalwright.core.run import Manifest
from evalwright.services.figures import slice_specs
from evalwright.services.frames import run_frame
from evalwright.store import seal as sealing
from evalwright.store.browse_index import BrowseIndex, BrowseSource, build_index, load_index
from evalwright.store.cases import CaseFile, CaseSelection
from evalwright.store.catalog import RunEntry
from evalwright.store.duck_pool import DuckPool, PooledReader
from evalwright.store.files import disk_errors
from evalwright.store.reading import Tables
from evalwright.store.results import RunStore
from evalwright.store.seal import SCORES, UNITS
from evalwright.store.workspace import Workspace

T = TypeVar("T")

FRESH_S = 4.0
"""A running run's rows are read anew at most this often, in seconds."""

COPIED_PER_S = 5e6
"""Bytes of a running run's journal for which a second more is waited, so that large runs are not read all the time."""

KEPT_RUNS, KEPT_RESULTS, KEPT_FIGURES, KEPT_TRACES, KEPT_ARRAYS = 24, 48, 256, 4, 12


class Kept:
    """Values by key, the least recently used forgotten first; a value is made once though many ask at once."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._making: dict[Hashable, Lock] = {}
        self._lock = RLock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value of a key, made when it is not there."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                found: T = self._values[key]
                return found
            making = self._making.setdefault(key, Lock())
        with making:
            with self._lock:
                if key in self._values:
                    again: T = self._values[key]
                    return again
            try:
                made = make()
            finally:
                with self._lock:
                    self._making.pop(key, None)
            with self._lock:
                self._values[key] = made
                while len(self._values) > self._size:
                    self._values.popitem(last=False)
            return made

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._values.clear()


class OpenRun:
    """One state of one run, ready to be asked.

    Attributes:
        store: The run.
        manifest: What was run; slices as of the last scoring.
        summary: Figures and decision, None while there are none.
        tables: The results.
        reader: The results, to be asked.
        index: The wide table of its units.
        sealed: Whether the results are final; those of a running run are a copy some seconds old.
    """

    def __init__(self, pool: DuckPool, store: RunStore, pages: Path, scratch: Path) -> None:
        """Open a run.

        Args:
            pool: The database that reads it.
            store: The run.
            pages: Where wide tables of finished runs are kept.
            scratch: A folder that lasts as long as the browser.
        """
        self.store = store
        self.summary: Summary | None = store.summary()
        self.manifest: Manifest = self.summary.manifest if self.summary else store.manifest()
        self.sealed = store.sealed
        self.cases = store.cases
        folder = store.folder
        if not self.sealed:
            folder = Path(tempfile.mkdtemp(prefix="run-", dir=scratch))
            weakref.finalize(self, shutil.rmtree, folder, ignore_errors=True)
            sealing.seal(store.folder, store.cases, into=folder)
        current = sealing.current_scores(store.folder) if self.sealed else None
        self.tables = Tables.of(folder / UNITS, folder / (SCORES if current is None else current.file))
        self.reader = PooledReader(pool, self.tables)
        self.scorers = store.scorers()
        source = self._source(folder, 0 if current is None else current.number)
        self.index = _index(source, (pages, scratch / "pages" / store.run_id) if self.sealed else (folder,))

    def _source(self, folder: Path, scoring: int) -> BrowseSource:
        seal = sealing.read_seal(folder)
        frame = run_frame(self.store, slice_specs(self.manifest))
        written = self.tables.scores.stat().st_size
        return BrowseSource(
            tables=self.tables,
            cases=self.cases,
            scorers=self.scorers,
            slices=frame.slices,
            stamp=(seal.units if seal else 0, seal.scores if seal else 0, scoring, written),
        )


def _index(source: BrowseSource, places: Sequence[Path]) -> BrowseIndex:
    """The wide table, from the first place that has it, else made in the first that can be written."""
    for place in places:
        found = load_index(place, source.key)
        if found is not None:
            return found
    for place in places[:-1]:
        with suppress(StoreError):  # a workspace that can't be written is still good to read
            return build_index(place, source)
    return build_index(places[-1], source)


class Results:
    """The rows of a sealed run, to look single cases up in.

    Attributes:
        reader: The results.
    """

    def __init__(self, reader: PooledReader, cases: CaseSelection) -> None:
        self.reader = reader
        self._cases = cases

    def find(self, case_id: str) -> int | None:
        """Index of a case within the run, None when it has none of this id."""
        try:
            return self._cases.find(case_id)
        except KeyError:
            return None

    def case_hash(self, index: int) -> str:
        """Content hash of the case at an index."""
        return self._cases.case_hash(index)


class Warmer:
    """Does something for run ids in a thread of its own, each once; what goes wrong is told to whoever opens the run.

    Args:
        work: What is done.
    """

    def __init__(self, work: Callable[[str], None]) -> None:
        self._work = weakref.WeakMethod(work)
        self._seen: set[str] = set()
        self._waiting: SimpleQueue[str] = SimpleQueue()
        self._thread: Thread | None = None
        self._lock = Lock()

    def add(self, run_ids: Iterable[str]) -> None:
        """Note ids; those noted before are passed over."""
        with self._lock:
            fresh = [run_id for run_id in run_ids if run_id not in self._seen]
            self._seen.update(fresh)
            for run_id in fresh:
                self._waiting.put(run_id)
            if fresh and (self._thread is None or not self._thread.is_alive()):
                self._thread = Thread(target=self._go, name="evalwright pages", daemon=True)
                self._thread.start()

    def _go(self) -> None:
        while True:
            try:
                run_id = self._waiting.get(timeout=1.0)
            except Empty:
                return
            work = self._work()
            if work is None:
                return
            with suppress(EvalwrightError, OSError):
                work(run_id)
            del work


class Browser:
    """A workspace for pages to read.

    Attributes:
        workspace: The workspace.
        pool: The database that reads its files.
        kept: Figures and files used of late.
        traces: Traces used of late.
        arrays: Columns of comparisons used of late; some megabytes each for a run of a hundred thousand cases.
    """

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self._scratch = tempfile.TemporaryDirectory(prefix="evalwright-pages-")
        self._close = weakref.finalize(self, self._scratch.cleanup)
        self.pool = DuckPool(workspace.runs_dir, self.pages_dir, Path(self._scratch.name))
        self.kept = Kept(KEPT_FIGURES)
        self.traces = Kept(KEPT_TRACES)
        self.arrays = Kept(KEPT_ARRAYS)
        self._runs = Kept(KEPT_RUNS)
        self._looked_up = Kept(KEPT_RESULTS)
        self._warmer = Warmer(self.ready)

    @property
    def pages_dir(self) -> Path:
        """Where wide tables of finished runs are kept; they can be made again."""
        return self.workspace.cache_dir / "pages"

    def ready(self, run_id: str) -> None:
        """Make a finished run's wide table where there is none, so that whoever opens it need not wait."""
        store = self.store(run_id)
        if store.sealed and not any((self.pages_dir / run_id).glob("browse-*.parquet")):
            self.run(run_id)

    def warm(self, run_ids: Iterable[str]) -> None:
        """Make the tables of runs somebody will probably open soon, one after the other, beside everything else."""
        self._warmer.add(run_ids)

    def store(self, run_id: str) -> RunStore:
        """A run by its whole id.

        Raises:
            NotFound: There is no such run.
        """
        try:
            return self.workspace.run(run_id)
        except StoreError:
            if self.workspace.catalog.get(run_id) is not None:
                raise
            raise NotFound(f"there is no run {run_id!r}") from None

    def run(self, run_id: str) -> OpenRun:
        """A run ready to be asked; the one opened before, while nothing has changed.

        Raises:
            NotFound: There is no such run.
            StoreError: It can't be read.
        """
        store = self.store(run_id)
        return self._runs.get((run_id, *_stamp(store.folder)), lambda: self._open(store))

    def entry(self, run_id: str) -> RunEntry:
        """What the catalog knows of a run; from its folder when the catalog does not know it.

        Raises:
            NotFound: There is no such run.
        """
        found = self.workspace.catalog.get(run_id)
        if found is None:
            store = self.store(run_id)
            self.workspace.catalog.add_missing([(store.manifest(), store.summary())])
            found = self.workspace.catalog.get(run_id)
        if found is None:
            raise NotFound(f"there is no run {run_id!r}")
        return found

    def results(self, run_id: str) -> Results | None:
        """The sealed results of a run, without its figures; None when it is not sealed.

        Raises:
            StoreError: It can't be read.
        """
        store = self.store(run_id)
        return self._looked_up.get((run_id, *_stamp(store.folder)), lambda: self._results(store))

    def _results(self, store: RunStore) -> Results | None:
        dataset = store.manifest().dataset
        if dataset is None or not store.sealed:
            return None
        current = sealing.current_scores(store.folder)
        scores = store.folder / (SCORES if current is None else current.file)
        store.use_cases(self.cases(dataset.digest))
        return Results(PooledReader(self.pool, Tables.of(store.folder / UNITS, scores)), store.cases)

    def cases(self, digest: str) -> CaseFile:
        """A case file, kept open while it is used."""
        return self.kept.get(("cases", digest), lambda: CaseFile.open(self.workspace.blobs, digest))

    def _open(self, store: RunStore) -> OpenRun:
        dataset = store.manifest().dataset
        if dataset is not None:
            store.use_cases(self.cases(dataset.digest))
        return OpenRun(self.pool, store, self.pages_dir / store.run_id, Path(self._scratch.name))

    def summary(self, run_id: str) -> Summary | None:
        """Figures and decision of a run; None while there are none."""
        store = self.store(run_id)
        path = store.folder / "summary.json"
        with disk_errors(path):
            stamp = path.stat().st_mtime_ns if path.is_file() else 0
        return self.kept.get(("summary", run_id, stamp), store.summary) if stamp else None


def _stamp(folder: Path) -> tuple[int, ...]:
    """Changes when a run's results do; for a running run at most every few seconds."""
    with disk_errors(folder):
        names = sorted(path for path in folder.iterdir() if path.name in _TELLING or path.name.startswith("scores-"))
        found = tuple(path.stat().st_mtime_ns for path in names)
        journals = [path.stat() for path in folder.glob("journal-*.jsonl")]
    if not journals:
        return found
    newest, size = max(stat.st_mtime for stat in journals), sum(stat.st_size for stat in journals)
    fresh_s = max(FRESH_S, size / COPIED_PER_S)
    if newest < time.time() - fresh_s:
        return (*found, size)
    return (*found, int(time.time() / fresh_s))


_TELLING = frozenset({UNITS, SCORES, sealing.SEAL, "summary.json"})

_open = Kept(16)
atexit.register(_open.clear)  # databases that live longer than the interpreter complain on standard error


def browser_of(workspace: Workspace) -> Browser:
    """The browser of a workspace, shared by everybody in the process who reads it."""
    return _open.get(workspace.identity, lambda: Browser(workspace))
