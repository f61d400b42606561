"""Scores and measurements of a run as arrays, for statistics."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
CodeArray = npt.NDArray[np.int8]
FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

SCORED, SKIPPED, ERROR, ABSENT = 0, 1, 2, 3
"""Codes of `ScoreColumns.status`; ABSENT: the unit was never asked about this metric."""

STATUS_CODES = {"scored": SCORED, "skipped": SKIPPED, "error": ERROR}


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreColumns:
    """One metric of a run: one entry for each answered unit, in order of case and trial.

    The entries of all metrics of a run are in the same order.

    Attributes:
        metric: Name of the metric; `metric.part` for a part.
        case: Index of the case within the run, shape (rows,).
        trial: Trial, shape (rows,).
        position: Place in the order of work, shape (rows,).
        value: Value, NaN where `status` is not SCORED, shape (rows,).
        status: SCORED, SKIPPED, ERROR or ABSENT, shape (rows,).
        passed: Row verdict: 1, 0, or -1 for none, shape (rows,).
        stats: Sufficient statistics, shape (rows, k), NaN where there are none; None when no row has any.
    """

    metric: str
    case: IntArray
    trial: IntArray
    position: IntArray
    value: FloatArray
    status: CodeArray
    passed: CodeArray
    stats: FloatArray | None = None

    @property
    def scored(self) -> BoolArray:
        """Which rows have a value, shape (rows,)."""
        return np.equal(self.status, SCORED)

    @property
    def failed(self) -> BoolArray:
        """Which rows have none because the scorer failed or was never asked, shape (rows,)."""
        return np.greater_equal(self.status, ERROR)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitColumns:
    """The units of a run, in order of case and trial: one entry each, shape (units,).

    Attributes:
        case: Index of the case within the run.
        trial: Trial.
        position: Place in the order of work.
        errored: The unit failed for good and has no answer.
        cached: The answer came from the cache.
        latency_s: Seconds of the answered attempt; NaN when unknown.
        first_token_s: Seconds to the first token; NaN when unknown.
        duration_s: Wall seconds of the unit, waits included.
        started_at: Seconds since the epoch.
        input_tokens: Tokens read; NaN when unknown.
        output_tokens: Tokens written; NaN when unknown.
        cost: Cost of the answer; NaN when unknown.
        calls: Calls sent.
    """

    case: IntArray
    trial: IntArray
    position: IntArray
    errored: BoolArray
    cached: BoolArray
    latency_s: FloatArray
    first_token_s: FloatArray
    duration_s: FloatArray
    started_at: FloatArray
    input_tokens: FloatArray
    output_tokens: FloatArray
    cost: FloatArray
    calls: IntArray


def dense(column: Any, kind: type[np.generic], missing: float = 0) -> Any:
    """A column from DuckDB, masked where null, as a plain array with `missing` in the gaps."""
    return np.ma.filled(np.ma.asarray(column).astype(kind), missing)


def scattered(place: IntArray, values: npt.NDArray[Any], size: int, missing: float) -> npt.NDArray[Any]:
    """An array of `size` with `values` at `place` and `missing` elsewhere."""
    found = np.full((size, *values.shape[1:]), missing, dtype=values.dtype)
    found[place] = values
    return found


def stacked_stats(lists: npt.NDArray[Any]) -> FloatArray | None:
    """Lists of statistics, one a row, as a matrix; None when all are missing. Short rows are filled with NaN."""
    rows = [() if row is None or row is np.ma.masked else row for row in lists.tolist()]
    width = max((len(row) for row in rows), default=0)
    if not width:
        return None
    table = np.full((len(rows), width), np.nan)
    for number, row in enumerate(rows):
        table[number, : len(row)] = row
    return table
