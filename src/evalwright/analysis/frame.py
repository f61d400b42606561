"""The columns figures are made from: one pass over cases gives clusters and slices, one over scores the values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from evalwright.core.case import Case
from evalwright.core.run import ScorerRecord

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]


class Slicer(Protocol):
    """Anything that tells which values of a slice a case has: none, one or several."""

    def __call__(self, case: Case, /) -> tuple[str, ...]:
        """The values, as text."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFrame:
    """What analysis needs to know of a run's cases, without holding the cases.

    Attributes:
        size: Number of cases; case indices run from 0 to size - 1.
        clusters: Cluster code of each case, shape (size,); None when every case is its own cluster.
        slices: By slice name and value: the case indices, ascending.
    """

    size: int
    clusters: IntArray | None = None
    slices: Mapping[str, Mapping[str, IntArray]] = field(default_factory=dict)

    def members(self, slice_name: str, value: str) -> IntArray:
        """Case indices of one slice value; empty when no case has it."""
        return self.slices.get(slice_name, {}).get(value, np.empty(0, dtype=np.int64))

    def mask(self, slice_name: str, value: str) -> BoolArray:
        """Membership of each case in one slice value, shape (size,)."""
        found = np.zeros(self.size, dtype=np.bool_)
        found[self.members(slice_name, value)] = True
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricColumn:
    """The rows of one metric: one entry per unit the scorer was asked about.

    Attributes:
        record: The scorer, as the manifest names it.
        case: Case index of each row, shape (rows,).
        value: Value of each row; NaN where there is none, shape (rows,).
        error: Rows on which the scorer failed, shape (rows,).
        stats: Sufficient statistics, shape (rows, k); None unless the metric is a corpus metric.
        aggregate: For corpus metrics: from sums of shape (..., k) to the metric, shape (...).
    """

    record: ScorerRecord
    case: IntArray
    value: FloatArray
    error: BoolArray
    stats: FloatArray | None = None
    aggregate: Any = None


def case_frame(cases: Iterable[tuple[int, Case]], slicers: Mapping[str, Slicer], *, size: int) -> CaseFrame:
    """Read the cases once and note their clusters and slices.

    Args:
        cases: Index and case of each case the run works on, ascending by index.
        slicers: By slice name: the function that tells a case's values.
        size: Number of cases of the dataset; indices lie below it.
    """
    clusters = _Codes(size)
    members: dict[str, dict[str, list[int]]] = {name: {} for name in slicers}
    for index, case in cases:
        clusters.add(index, case.cluster)
        for name, slicer in slicers.items():
            for value in slicer(case):
                members[name].setdefault(value, []).append(index)
    slices = {name: {v: np.asarray(found, dtype=np.int64) for v, found in by.items()} for name, by in members.items()}
    return CaseFrame(size=size, clusters=clusters.codes, slices=slices)


class _Codes:
    """Numbers for cluster names; a case without a name is a cluster of its own."""

    def __init__(self, size: int) -> None:
        self._names: dict[str, int] = {}
        self._codes = np.arange(size, dtype=np.int64)

    def add(self, index: int, name: str | None) -> None:
        if name is not None:
            self._codes[index] = self._names.setdefault(name, index)

    @property
    def codes(self) -> IntArray | None:
        shared = bool((self._codes != np.arange(len(self._codes))).any())
        return self._codes if shared else None


def slice_values(frame: CaseFrame) -> Iterator[tuple[str, str, IntArray]]:
    """Every slice value with its cases: name, value, case indices."""
    for name, by in frame.slices.items():
        for value, members in by.items():
            yield name, value, members
