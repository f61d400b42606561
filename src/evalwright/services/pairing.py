"""Two stored runs brought together case by case."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evalwright.analysis.difference import PairOptions
from evalwright.analysis.figures import value_text
from evalwright.analysis.frame import CaseFrame, IntArray, MetricColumn
from evalwright.analysis.paired import (
    PairRows,
    frame_in_pair_space,
    in_pair_space,
    pair_rows,
    paired_figure,
)
from evalwright.core.case import Case, Json
from evalwright.core.comparison import PairedFigure, Pairing
from evalwright.core.estimate import ALL
from evalwright.core.identity import canonical_json
from evalwright.services.figures import Aggregates
from evalwright.services.frames import run_frame
from evalwright.services.run_columns import ERRORS, RunColumns
from evalwright.store.cases import CaseSelection
from evalwright.store.results import RunStore


@dataclass(frozen=True, slots=True, kw_only=True)
class Alignment:
    """Which case of one run is which of the other.

    Attributes:
        baseline: Case index in the baseline of each pair, shape (pairs,).
        candidate: Case index in the candidate of each pair, ascending, shape (pairs,).
        pairing: The counts.
        changed: Ids of some cases whose input or expectation differs.
    """

    baseline: IntArray
    candidate: IntArray
    pairing: Pairing
    changed: tuple[str, ...] = ()

    def place_of_baseline(self, size: int) -> IntArray:
        """Pair index of each of the baseline's cases, -1 where it is no pair."""
        return _place(self.baseline, size)

    def place_of_candidate(self, size: int) -> IntArray:
        """Pair index of each of the candidate's cases, -1 where it is no pair."""
        return _place(self.candidate, size)


def _place(cases: IntArray, size: int) -> IntArray:
    place = np.full(size, -1, dtype=np.int64)
    place[cases] = np.arange(len(cases))
    return place


def align(baseline: CaseSelection, candidate: CaseSelection) -> Alignment:
    """Bring two selections of cases together by id and content.

    Cases whose content is the same in every field pair up by their hashes, unread. The others are read: the same id
    with the same input and expectation still makes a pair (its metadata differ); with another input or expectation
    it is another question, and no pair.
    """
    _, left, right = np.intersect1d(baseline.hashes, candidate.hashes, assume_unique=True, return_indices=True)
    rest = _by_id(baseline, candidate, _others(left, len(baseline)), _others(right, len(candidate)))
    left, right = np.concatenate([left, rest.left]), np.concatenate([right, rest.right])
    order = np.argsort(right, kind="stable")
    pairs = len(right)
    pairing = Pairing(
        pairs=pairs,
        relabelled=len(rest.left),
        changed=rest.changed,
        baseline_only=len(baseline) - pairs - rest.changed,
        candidate_only=len(candidate) - pairs - rest.changed,
    )
    return Alignment(
        baseline=left[order].astype(np.int64),
        candidate=right[order].astype(np.int64),
        pairing=pairing,
        changed=rest.examples,
    )


def _others(taken: IntArray, size: int) -> IntArray:
    free = np.ones(size, dtype=np.bool_)
    free[taken] = False
    return np.flatnonzero(free)


@dataclass(frozen=True, slots=True)
class _ById:
    left: IntArray
    right: IntArray
    changed: int
    examples: tuple[str, ...]


def _by_id(baseline: CaseSelection, candidate: CaseSelection, left: IntArray, right: IntArray) -> _ById:
    """Pairs among cases whose content differs somewhere."""
    known = {case.id: (index, _question(case)) for index, case in _read(baseline, left)} if len(right) else {}
    pairs: list[tuple[int, int]] = []
    changed: list[str] = []
    for index, case in _read(candidate, right):
        found = known.get(case.id)
        if found is None:
            continue
        if found[1] == _question(case):
            pairs.append((found[0], index))
        else:
            changed.append(case.id)
    first, second = (np.array([pair[side] for pair in pairs], dtype=np.int64) for side in (0, 1))
    return _ById(first, second, len(changed), tuple(changed[:5]))


def _read(cases: CaseSelection, indexes: IntArray) -> Iterable[tuple[int, Case]]:
    return ((int(index), cases[int(index)]) for index in indexes)


def _question(case: Case) -> bytes:
    return canonical_json([case.input, case.expected])


class PairedRuns:
    """A baseline and a candidate, over the cases they share.

    Attributes:
        baseline: The baseline's columns.
        candidate: The candidate's columns.
        alignment: Which case is which.
    """

    def __init__(self, baseline: RunColumns, candidate: RunColumns) -> None:
        self.baseline = baseline
        self.candidate = candidate
        self.alignment = align(baseline.run.cases, candidate.run.cases)
        self._left = self.alignment.place_of_baseline(len(baseline.run.cases))
        self._right = self.alignment.place_of_candidate(len(candidate.run.cases))
        self._rows: dict[str, PairRows] = {}

    @classmethod
    def of(cls, baseline: RunStore, candidate: RunStore, *, aggregates: Aggregates | None = None) -> PairedRuns:
        """Bring two stored runs together.

        Args:
            baseline: The reference run.
            candidate: The changed run; its slice definitions count.
            aggregates: Of corpus metrics, where these are known better than from the manifest.
        """
        return cls(RunColumns(baseline, aggregates=aggregates), RunColumns(candidate, aggregates=aggregates))

    @property
    def pairs(self) -> int:
        """Cases both runs have."""
        return self.alignment.pairing.pairs

    @cached_property
    def frame(self) -> CaseFrame:
        """Clusters and slices of the pairs, by the candidate's definitions."""
        frame = run_frame(self.candidate.run, self.candidate.specs)
        return frame_in_pair_space(frame, self._right, self.pairs)

    @cached_property
    def metrics(self) -> tuple[str, ...]:
        """Metrics that both runs have and score the same way, in the candidate's order."""
        left = self.baseline.columns
        shared = (n for n, column in self.candidate.columns.items() if n in left and _same(left[n], column))
        nothing_failed = not self.baseline.units.errored.any() and not self.candidate.units.errored.any()
        return tuple(name for name in shared if not (name == ERRORS and nothing_failed))

    @property
    def differently_scored(self) -> tuple[str, ...]:
        """Metrics that both runs have but score in different ways, so that they can't be compared."""
        left = self.baseline.columns
        return tuple(
            name for name, column in self.candidate.columns.items() if name in left and not _same(left[name], column)
        )

    def rows(self, metric: str) -> PairRows:
        """A metric over the pairs.

        Raises:
            KeyError: It is not among `metrics`.
        """
        if metric not in self.metrics:
            raise KeyError(metric)
        if metric not in self._rows:
            left = in_pair_space(self.baseline.columns[metric], self._left)
            right = in_pair_space(self.candidate.columns[metric], self._right)
            self._rows[metric] = pair_rows(left, right, self.frame)
        return self._rows[metric]

    def figure(
        self,
        metric: str,
        *,
        slice: Mapping[str, Json] | None = None,
        statistic: str = "mean",
        options: PairOptions | None = None,
    ) -> PairedFigure | None:
        """The paired figure of a metric, over all pairs or a slice; None when the runs have no such metric in common.

        Args:
            metric: Name of the metric.
            slice: Slice values by slice name, all of which must hold; None for all pairs.
            statistic: `mean`, or `p50`, `p95`, `p99` for quantities.
            options: Level of the interval and confidence of the one-sided bounds.
        """
        if metric not in self.metrics:
            return None
        members, label = self.members(slice)
        return paired_figure(self.rows(metric), options, members=members, slice_label=label, statistic=statistic)

    def members(self, slice: Mapping[str, Json] | None) -> tuple[IntArray | None, str]:
        """The pairs of a slice and its label; None and `""` for all pairs."""
        if not slice:
            return None, ALL
        found = np.ones(self.pairs, dtype=np.bool_)
        for name, value in slice.items():
            found &= self.frame.mask(name, value_text(value))
        label = " & ".join(f"{name}={value_text(value)}" for name, value in slice.items())
        return np.flatnonzero(found), label

    def case_id(self, pair: int) -> str:
        """Id of the case of a pair."""
        return self.candidate.run.cases[int(self.alignment.candidate[pair])].id


def _same(left: MetricColumn, right: MetricColumn) -> bool:
    return left.record.digest == right.record.digest
