"""How the cases of a set did in past runs: one row a system, one column a case."""

from __future__ import annotations

from collections import defaultdict

import msgspec
import numpy as np
import numpy.typing as npt

from evalwright.core.errors import StoreError, UsageError
from evalwright.core.run import ScorerRecord
from evalwright.store.cases import CaseFile
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

MAX_RUNS = 50
FloatArray = npt.NDArray[np.float64]


class History(msgspec.Struct, frozen=True, kw_only=True):
    """Outcomes of a set's cases.

    Attributes:
        metric: The metric they are of; empty when no run has one.
        systems: Names of the systems: target and the first run's id.
        outcomes: Score of each system (rows) on each case (columns), from 0 (worst) to 1; NaN where it has none.
    """

    metric: str
    systems: list[str]
    outcomes: FloatArray

    def whole(self, *, share: float = 0.95) -> History:
        """The systems that have nearly all cases; the gaps are filled with their mean."""
        have = ~np.isnan(self.outcomes)
        rows = np.flatnonzero(have.mean(axis=1) >= share) if self.outcomes.size else np.zeros(0, dtype=np.int64)
        kept = self.outcomes[rows]
        filled = np.where(np.isnan(kept), np.nanmean(kept, axis=1, keepdims=True), kept) if len(rows) else kept
        return History(metric=self.metric, systems=[self.systems[int(r)] for r in rows], outcomes=filled)


def history_of(workspace: Workspace, cases: CaseFile, metric: str | None = None) -> History:
    """Outcomes in the last fifty runs; runs of one target count as one system, with the mean of its runs.

    Args:
        workspace: Where the runs are.
        cases: The set.
        metric: Metric to look at; the first scorer's of the newest run when None.

    Raises:
        UsageError: The metric has no known range.
    """
    order = np.argsort(cases.case_hashes, kind="stable")
    rows: defaultdict[str, list[FloatArray]] = defaultdict(list)
    names: dict[str, str] = {}
    for entry in workspace.catalog.runs(limit=MAX_RUNS) if workspace.catalog_path.is_file() else ():
        try:
            with workspace.run(entry.run_id) as run:
                metric = metric or next(iter(run.metrics()), None)
                row = _row(run, cases, order, metric) if metric in run.metrics() else None
        except StoreError:
            continue
        if row is not None:
            key = f"{entry.target_hash}"
            rows[key].append(row)
            names.setdefault(key, f"{entry.target or 'target'} ({entry.run_id})")
    stacked = [_mean(np.stack(found)) for found in rows.values()]
    outcomes = np.stack(stacked) if stacked else np.zeros((0, len(cases)))
    return History(metric=metric or "", systems=[names[key] for key in rows], outcomes=outcomes)


def _mean(rows: FloatArray) -> FloatArray:
    have = ~np.isnan(rows)
    count = have.sum(axis=0)
    total = np.where(have, rows, 0.0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(rows.shape[1], np.nan), where=count > 0), dtype=np.float64)


def _row(run: RunStore, cases: CaseFile, order: npt.NDArray[np.int64], metric: str | None) -> FloatArray | None:
    """A run's mean score of each case of the set; None when it has none of them."""
    hashes, mine = cases.case_hashes[order], run.cases.hashes
    place = np.minimum(np.searchsorted(hashes, mine), len(hashes) - 1)
    known = hashes[place] == mine
    if not known.any():
        return None
    means = case_means(run, metric or "")
    row = np.full(len(cases), np.nan)
    row[order[place[known]]] = means[known]
    record = next((r for r in run.scorers() if r.metric == metric), None)
    return None if np.isnan(row).all() else _scaled(row, record, metric or "")


def case_means(run: RunStore, metric: str) -> FloatArray:
    """Mean score of each case of a run over its trials, shape (cases,); NaN where nothing was scored."""
    columns = run.columns(metric)
    kept, size = columns.scored, len(run.cases)
    total = np.bincount(columns.case[kept], weights=columns.value[kept], minlength=size)
    count = np.bincount(columns.case[kept], minlength=size)
    return np.asarray(np.divide(total, count, out=np.full(size, np.nan), where=count > 0), dtype=np.float64)


def _scaled(row: FloatArray, record: ScorerRecord | None, metric: str) -> FloatArray:
    low, high = (record.low, record.high) if record is not None else (0.0, 1.0)
    if low is None or high is None or high <= low:
        raise UsageError(f"`{metric}` has no range from worst to best", hint="name a metric that has one: --metric")
    share = (row - low) / (high - low)
    return 1.0 - share if record is not None and record.higher_is_better is False else share
