"""One run on disk: manifest, cases, journal, sealed results, summary."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import msgspec
import numpy as np

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import NotFound, StoreError
from evalwright.core.result import CaseResult, Summary
from evalwright.core.run import Manifest, ScorerRecord, Totals, UnitRecord
from evalwright.store import export as exporting
from evalwright.store import reading
from evalwright.store import seal as sealing
from evalwright.store.blobs import Blobs
from evalwright.store.cases import CaseFile, CaseSelection, IndexArray
from evalwright.store.columns import ScoreColumns, UnitColumns
from evalwright.store.files import atomic_file, disk_errors, write_atomic
from evalwright.store.journal import segments
from evalwright.store.seal import SCORES, UNITS, ScoredUnit, ScoreSet, Seal
from evalwright.store.verdict import row_verdict

T = TypeVar("T")
CaseSlices = Callable[[Case], dict[str, tuple[str, ...]]]
"""Slices of a case by name: the values."""

FEW_CASES = 1_000
"""Up to so many cases asked for by index are looked up; more are read through."""


class Sitting(msgspec.Struct, frozen=True, kw_only=True):
    """One stretch of work on a run: seconds since the epoch, wall seconds, and how it ended."""

    started_at: float
    duration_s: float
    status: str = ""


class RunStore:
    """The folder of one run.

    ```
    manifest.json     what was run; written before the first call
    selection.npy     which cases of the dataset, when not all
    bad_rows.jsonl    dataset rows set aside
    journal-*.jsonl   units as they were recorded
    sittings.jsonl    stretches of work
    units.parquet     one row a unit          } made from the journal by `seal`
    scores.parquet    one row a unit and metric }
    scores-<n>.parquet, scores-<n>.json       later scorings of the same outputs
    summary.json      figures and decision
    ```

    Results are read from the sealed files where these hold all the journal does; otherwise (a running or killed run)
    from a copy sealed on the side, so that the same questions get the same answers. `close` removes that copy.

    Attributes:
        folder: The folder.
        run_id: Its name.
    """

    def __init__(self, folder: Path, blobs: Blobs) -> None:
        self.folder = folder
        self.run_id = folder.name
        self._blobs = blobs
        self._copy: _SideCopy | None = None
        self._reader: reading.Reader | None = None
        self._keys: reading.UnitKeys | None = None
        self._names: list[str] | None = None

    @property
    def blobs(self) -> Blobs:
        """The workspace's content by digest: the cases, and pictures, sound and documents of cases and answers."""
        return self._blobs

    def __enter__(self) -> RunStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close files, and remove what was made on the side for reading; the run may be asked again afterwards."""
        if self._reader is not None:
            self._reader.close()
        if self._copy is not None:
            self._copy.remove()
        self._reader = self._copy = self._keys = self._names = None

    def write_manifest(self, manifest: Manifest) -> None:
        """Keep what is run; replaces a former one.

        Raises:
            DiskFull: No space is left.
        """
        write_atomic(self.folder / "manifest.json", msgspec.json.format(msgspec.json.encode(manifest), indent=2))

    def manifest(self) -> Manifest:
        """What was run.

        Raises:
            StoreError: There is none, or it can't be read.
        """
        found = self._read("manifest.json", Manifest)
        if found is None:
            raise StoreError(f"the run {self.run_id} has no manifest", hint=f"expected it in {self.folder}")
        return found

    def write_summary(self, summary: Summary) -> None:
        """Keep figures and decision; replaces a former one.

        Raises:
            DiskFull: No space is left.
        """
        write_atomic(self.folder / "summary.json", msgspec.json.encode(summary))

    def summary(self) -> Summary | None:
        """Figures and decision; None before the run was summarised.

        Raises:
            StoreError: It can't be read.
        """
        return self._read("summary.json", Summary)

    def _read(self, name: str, kind: type[T]) -> T | None:
        path = self.folder / name
        with disk_errors(path):
            if not path.is_file():
                return None
            data = path.read_bytes()
        try:
            return msgspec.json.decode(data, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise StoreError(f"{path} can't be read: {error}") from error

    def write_bad_rows(self, rows: Iterable[BadRow]) -> None:
        """Keep the dataset rows that were set aside."""
        with atomic_file(self.folder / "bad_rows.jsonl") as file:
            for row in rows:
                file.write(msgspec.json.encode(row) + b"\n")

    def bad_rows(self) -> tuple[BadRow, ...]:
        """The dataset rows that were set aside."""
        return self._lines("bad_rows.jsonl", BadRow)

    def add_sitting(self, sitting: Sitting) -> None:
        """Note a stretch of work; `totals` adds their seconds up."""
        path = self.folder / "sittings.jsonl"
        with disk_errors(path), path.open("ab") as file:
            file.write(msgspec.json.encode(sitting) + b"\n")

    def sittings(self) -> tuple[Sitting, ...]:
        """Stretches of work, oldest first."""
        return self._lines("sittings.jsonl", Sitting)

    def _lines(self, name: str, kind: type[T]) -> tuple[T, ...]:
        path = self.folder / name
        with disk_errors(path):
            data = path.read_bytes() if path.is_file() else b""
        return tuple(msgspec.json.decode(line, type=kind) for line in data.split(b"\n")[:-1])

    def write_selection(self, selection: CaseSelection) -> None:
        """Keep which cases of the dataset the run works on."""
        if not selection.complete:
            with atomic_file(self.folder / "selection.npy") as file:
                np.save(file, selection.indexes, allow_pickle=False)
        self.__dict__.pop("cases", None)

    @cached_property
    def cases(self) -> CaseSelection:
        """The cases the run works on; case indices everywhere in the run's results are into this.

        Raises:
            StoreError: The workspace does not hold them.
        """
        dataset = self.manifest().dataset
        if dataset is None:
            raise StoreError(f"the manifest of the run {self.run_id} names no dataset")
        return CaseSelection(CaseFile.open(self._blobs, dataset.digest), self._selected())

    def _selected(self) -> IndexArray | None:
        """The stored selection; None for all cases."""
        path = self.folder / "selection.npy"
        with disk_errors(path):
            return np.load(path, allow_pickle=False) if path.is_file() else None

    def use_cases(self, file: CaseFile) -> None:
        """Use a case file that is open already, which must be the one the manifest names."""
        self.__dict__["cases"] = CaseSelection(file, self._selected())

    @property
    def sealed(self) -> bool:
        """Whether the Parquet files hold everything that was recorded."""
        return sealing.is_current(self.folder)

    def seal(self, *, keep_journal: bool = True) -> Seal:
        """Turn the journal into Parquet; see `store.seal.seal`."""
        return sealing.seal(self.folder, self.cases, keep_journal=keep_journal)

    def write_scores(
        self, scored: Iterable[ScoredUnit], *, scorers: tuple[ScorerRecord, ...] = (), created_at: float = 0.0
    ) -> ScoreSet:
        """Add a new scoring of the stored outputs, which becomes the current one; see `store.seal.write_scores`."""
        self.seal()
        return sealing.write_scores(self.folder, self.cases, scored, scorers=scorers, created_at=created_at)

    def score_sets(self) -> list[ScoreSet]:
        """Later scorings, oldest first."""
        return sealing.score_sets(self.folder)

    def scorers(self) -> tuple[ScorerRecord, ...]:
        """The scorers of the current scores: those of the newest scoring, else the manifest's."""
        current = sealing.current_scores(self.folder) if self.sealed else None
        return current.scorers if current is not None and current.scorers else self.manifest().scorers

    def _results(self) -> reading.Reader:
        """The results as they are now; what was read before is read again only when they changed."""
        tables = self._tables()
        if self._reader is None or self._reader.tables != tables:
            if self._reader is not None:
                self._reader.close()
            self._reader, self._keys, self._names = reading.Reader(tables), None, None
        return self._reader

    def _tables(self) -> reading.Tables:
        if self.sealed:
            current = sealing.current_scores(self.folder)
            return reading.Tables.of(self.folder / UNITS, self.folder / (SCORES if current is None else current.file))
        sizes = {path.name: path.stat().st_size for path in segments(self.folder)}
        if self._copy is None or sizes != self._copy.sizes:
            self.close()
            self._copy = _SideCopy(self.folder, self.cases, sizes)
        return reading.Tables.of(self._copy.folder / UNITS, self._copy.folder / SCORES)

    def totals(self) -> Totals:
        """Counts, tokens and cost, added up from the recorded units."""
        manifest, sittings = self.manifest(), self.sittings()
        planned = len(self.cases) * manifest.settings.trials
        duration = sum(sitting.duration_s for sitting in sittings) if sittings else None
        return reading.totals(self._results(), planned, duration)

    def metrics(self) -> list[str]:
        """Metrics that have scores: in the order of the scorers, then any others by name."""
        found = self._metric_names()
        known = [record.metric for record in self.scorers() if record.metric in found]
        return [*known, *(name for name in found if name not in known)]

    def _metric_names(self) -> list[str]:
        reader = self._results()
        if self._names is None:
            self._names = reading.metric_names(reader)
        return self._names

    def parts(self, metric: str) -> list[str]:
        """Names of a metric's parts; each is a metric `<metric>.<part>` for `columns`."""
        return reading.part_names(self._results(), metric)

    def columns(self, metric: str) -> ScoreColumns:
        """The scores of a metric, or of a part of one (`rouge.recall`), as arrays over the answered units.

        Raises:
            UsageError: The run has no such metric.
        """
        reader, names = self._results(), self._metric_names()
        self._keys = keys = self._keys or reading.unit_keys(reader)
        if metric in names:
            return reading.score_columns(reader, metric, keys)
        for name in names:
            part = metric.removeprefix(f"{name}.")
            if part != metric and part in reading.part_names(reader, name):
                return reading.score_columns(reader, name, keys, part=part)
        raise NotFound(f"the run has no metric {metric!r}", hint=f"it has: {', '.join(names) or 'none'}")

    def unit_columns(self) -> UnitColumns:
        """The measurements of all recorded units as arrays."""
        return reading.unit_columns(self._results())

    def units(self, cases: Sequence[int] | IndexArray | None = None) -> Iterator[tuple[int, UnitRecord]]:
        """Case index and record of each unit with its current scores, in order of case and trial, one at a time.

        Args:
            cases: Only the units of these case indices; all when not given.
        """
        if cases is None or len(cases) <= FEW_CASES:
            yield from reading.records(self._results(), None if cases is None else [int(case) for case in cases])
            return
        wanted = frozenset(int(case) for case in cases)
        yield from (pair for pair in reading.records(self._results()) if pair[0] in wanted)

    def unit(self, case_id: str, trial: int = 0) -> UnitRecord:
        """One unit.

        Raises:
            UsageError: The run has no such case, or did not get to this trial of it.
        """
        for record in self.case(case_id).trials:
            if record.trial == trial:
                return record
        raise NotFound(f"the run {self.run_id} has no trial {trial} of the case {case_id!r}")

    def case(self, case_id: str, *, slices: CaseSlices | None = None) -> CaseResult:
        """One case with all its trials.

        Raises:
            UsageError: The run has no such case.
        """
        try:
            index = self.cases.find(case_id)
        except KeyError:
            raise NotFound(f"the run {self.run_id} has no case {case_id!r}") from None
        return next(self.case_results(slices=slices, only=[index]))

    def failing(self) -> IndexArray:
        """Indices of the cases whose row verdict is False, ascending."""
        return reading.failing_cases(self._results())

    def case_results(
        self, *, slices: CaseSlices | None = None, only: Sequence[int] | IndexArray | None = None
    ) -> Iterator[CaseResult]:
        """Every case with its trials, in the order of the dataset, one at a time.

        Args:
            slices: Which slices a case belongs to, by name; none are noted when not given.
            only: Case indices, ascending; all cases when not given.
        """
        grouped = groupby(self.units(only), key=lambda pair: pair[0])
        at, trials = _next_group(grouped)
        for index in range(len(self.cases)) if only is None else map(int, only):
            case = self.cases[index]
            mine = trials if at == index else ()
            yield CaseResult(
                case=case, trials=mine, slices={} if slices is None else slices(case), passed=row_verdict(mine)
            )
            if at == index:
                at, trials = _next_group(grouped)

    def export(self, kind: str, path: Path) -> None:
        """Write one row per unit as `jsonl`, `csv` or `parquet`; see `store.export.export`."""
        exporting.export(kind, path, self.run_id, self.case_results(), self.metrics())


class _SideCopy:
    """A run sealed into a temporary folder, for reading while it runs; removed with the last reference to it.

    Attributes:
        folder: Where the files are.
        sizes: Bytes of each journal segment when the copy was made.
    """

    def __init__(self, folder: Path, cases: CaseSelection, sizes: dict[str, int]) -> None:
        self.sizes = sizes
        self.folder = Path(tempfile.mkdtemp(prefix="evalwright-run-"))
        self.remove = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        sealing.seal(folder, cases, into=self.folder)


def _next_group(
    grouped: Iterator[tuple[int, Iterator[tuple[int, UnitRecord]]]],
) -> tuple[int | None, tuple[UnitRecord, ...]]:
    found = next(grouped, None)
    if found is None:
        return None, ()
    return found[0], tuple(record for _, record in found[1])
