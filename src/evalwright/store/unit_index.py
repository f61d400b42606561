"""Where each unit of a run stands in its journal: a few numbers a unit, in order of case and trial."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import numpy.typing as npt

from evalwright.core.run import UnitRecord
from evalwright.store.cases import CaseSelection, HashArray, IndexArray
from evalwright.store.files import disk_errors
from evalwright.store.journal import segments

SmallArray = npt.NDArray[np.int32]

_NULL = b"null"


class _Key(msgspec.Struct, frozen=True):
    """What of a record is needed to place it; the rest is passed over unread."""

    case_hash: str
    trial: int = 0
    started_at: float = 0.0
    output: msgspec.Raw = msgspec.Raw(_NULL)


_key_decoder = msgspec.json.Decoder(_Key)
_decoder = msgspec.json.Decoder(UnitRecord)


class UnitIndex:
    """The units of a run's journal, each once, ordered by case and trial.

    Of a unit recorded twice, an answered record beats a failed one, and of two alike the one started later counts
    (`journal.read_run` has the same rule). Units of cases the run does not have, and lines that are no record, are
    left out and counted.

    Attributes:
        case: Index of the case within the run, ascending, shape (units,).
        trial: Trial, ascending within a case, shape (units,).
        sizes: Bytes of the whole lines of each journal segment when it was read, by name.
        left_out: Lines that are not in the index: damaged, or of a case the run does not have.
    """

    def __init__(self, run_dir: Path, cases: CaseSelection) -> None:
        scan = _Scan()
        self._paths = segments(run_dir)
        self.sizes = {path.name: scan.segment(number, path) for number, path in enumerate(self._paths)}
        found = _case_of_hash(np.frombuffer(scan.hashes, dtype=np.uint64), cases)
        order = _first_of_each(scan, found)
        self.case: SmallArray = found[order]
        self.trial: SmallArray = np.frombuffer(scan.trials, dtype=np.int32)[order]
        self._segment = np.frombuffer(scan.segments, dtype=np.int16)[order]
        self._offset = np.frombuffer(scan.offsets, dtype=np.int64)[order]
        self._size = np.frombuffer(scan.sizes, dtype=np.int32)[order]
        self.left_out = scan.bad + int((found < 0).sum())

    def __len__(self) -> int:
        return len(self.case)

    def records(self) -> Iterator[UnitRecord]:
        """The records, in order of case and trial."""
        files = [path.open("rb") for path in self._paths]
        try:
            for segment, offset, size in zip(self._segment, self._offset, self._size, strict=True):
                file = files[segment]
                file.seek(offset)
                yield _decoder.decode(file.read(size))
        finally:
            for file in files:
                file.close()


class _Scan:
    """One number per record and column, in the order of the journal."""

    def __init__(self) -> None:
        self.hashes = array("Q")
        self.trials = array("i")
        self.started = array("d")
        self.answered = array("b")
        self.segments = array("h")
        self.offsets = array("q")
        self.sizes = array("i")
        self.bad = 0

    def segment(self, number: int, path: Path) -> int:
        """Note the whole lines of one segment; a torn last line is not one."""
        offset = 0
        with disk_errors(path), path.open("rb", buffering=1 << 20) as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._note(line, number, offset)
                offset += len(line)
        return offset

    def _note(self, line: bytes, segment: int, offset: int) -> None:
        try:
            key = _key_decoder.decode(line)
            digest = int(key.case_hash, 16) & 0xFFFFFFFFFFFFFFFF
        except (msgspec.DecodeError, ValueError, RecursionError):
            self.bad += 1
            return
        self.hashes.append(digest)
        self.trials.append(key.trial)
        self.started.append(key.started_at)
        self.answered.append(bytes(key.output) != _NULL)
        self.segments.append(segment)
        self.offsets.append(offset)
        self.sizes.append(len(line))


def _case_of_hash(hashes: HashArray, cases: CaseSelection) -> SmallArray:
    """Case index within the run for each content hash, -1 where the run has no such case."""
    known = cases.hashes
    order = np.argsort(known, kind="stable")
    if not len(known):
        return np.full(len(hashes), -1, dtype=np.int32)
    candidate = order[np.minimum(np.searchsorted(known, hashes, sorter=order), len(known) - 1)]
    return np.where(known[candidate] == hashes, candidate, -1).astype(np.int32)


def _first_of_each(scan: _Scan, case: SmallArray) -> IndexArray:
    """Positions of the records that count, by case and trial."""
    trials = np.frombuffer(scan.trials, dtype=np.int32)
    order = np.lexsort((trials, case))
    if len(order) and _repeats(order, case, trials).any():
        started = np.frombuffer(scan.started, dtype=np.float64)
        answered = np.frombuffer(scan.answered, dtype=np.int8)
        order = np.lexsort((-started, -answered, trials, case))
        order = order[~_repeats(order, case, trials)]
    return order[case[order] >= 0]


def _repeats(order: IndexArray, case: SmallArray, trials: SmallArray) -> npt.NDArray[np.bool_]:
    """Which entries of an order are of the same unit as the one before."""
    found = np.zeros(len(order), dtype=np.bool_)
    found[1:] = (np.diff(case[order]) == 0) & (np.diff(trials[order]) == 0)
    return found
