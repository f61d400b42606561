"""The order of work: a seeded shuffle, so that the recorded part of a run is a random sample of the whole."""

from __future__ import annotations

from collections.abc import Collection

import msgspec
import numpy as np
import numpy.typing as npt

from evalwright.core.case import Case
from evalwright.core.identity import case_hash
from evalwright.core.ports import CaseSource

IndexArray = npt.NDArray[np.int64]


def work_order(units: int, seed: int) -> IndexArray:
    """The seeded order of work: at each place a unit's number, which is index of the selected case * trials + trial."""
    return np.random.default_rng(seed).permutation(units)


class Unit(msgspec.Struct, frozen=True):
    """One piece of work: a case's trial, and its place in the order."""

    case: Case
    case_hash: str
    trial: int
    position: int


class Plan:
    """All units of a run in the order of work. Memory: 8 bytes a unit; cases are read when their turn comes."""

    def __init__(self, cases: CaseSource, *, selection: IndexArray | None, trials: int, seed: int) -> None:
        """Shuffle the units of the selected cases (all when None), `trials` each."""
        self._cases = cases
        self._trials = trials
        self._selection = selection
        selected = len(cases) if selection is None else len(selection)
        self._order = work_order(selected * trials, seed)

    def __len__(self) -> int:
        return len(self._order)

    def unit(self, position: int) -> Unit:
        """The unit at a place in the order."""
        index, trial = self._place(position)
        case = self._cases[index]
        return Unit(case, self._hash(index, case), trial, position)

    def remaining(self, done: Collection[tuple[str, int]]) -> IndexArray:
        """Positions, in order, of the units whose (case hash, trial) is not among those done."""
        if not done:
            return np.arange(len(self), dtype=np.int64)
        keep = np.fromiter((self._key(position) not in done for position in range(len(self))), bool, len(self))
        return np.flatnonzero(keep).astype(np.int64)

    def _place(self, position: int) -> tuple[int, int]:
        index, trial = divmod(int(self._order[position]), self._trials)
        return (index if self._selection is None else int(self._selection[index])), trial

    def _key(self, position: int) -> tuple[str, int]:
        index, trial = self._place(position)
        return self._hash(index, None), trial

    def _hash(self, index: int, case: Case | None) -> str:
        """The case's content hash: from the source where it knows it without reading the case."""
        known = getattr(self._cases, "case_hash", None)
        if known is not None:
            return str(known(index))
        return case_hash(self._cases[index] if case is None else case)
