"""Reading a sealed run's Parquet files: streams of records, arrays of figures, totals."""

from __future__ import annotations

import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np

from evalwright.core.errors import StoreError
from evalwright.core.output import Usage
from evalwright.core.run import Totals, UnitRecord
from evalwright.core.score import Score
from evalwright.store.columns import (
    ABSENT,
    SKIPPED,
    STATUS_CODES,
    FloatArray,
    IntArray,
    ScoreColumns,
    UnitColumns,
    dense,
    scattered,
    stacked_stats,
)
from evalwright.store.duck import connect, literal, quiet
from evalwright.store.files import disk_errors
from evalwright.store.layout import CELL_COLUMNS, RECORD_COLUMNS, score_of, unit_record

_BATCH = 8


@dataclass(frozen=True, slots=True)
class Tables:
    """The two Parquet files of a run that count now, and when each was written, in nanoseconds."""

    units: Path
    scores: Path
    written: tuple[int, int]

    @classmethod
    def of(cls, units: Path, scores: Path) -> Tables:
        """The two files as they are now."""
        with disk_errors(units.parent):
            return cls(units, scores, (units.stat().st_mtime_ns, scores.stat().st_mtime_ns))


class Queryable(Protocol):
    """A run's results, in the views `units` and `scores` of each connection it gives."""

    def query(self) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
        """A connection of its own for one question."""
        ...


class Reader:
    """One state of a run's results in a database that can open nothing else; kept open for many questions."""

    def __init__(self, tables: Tables) -> None:
        """Open the files.

        Raises:
            StoreError: They can't be read.
        """
        self.tables = tables
        stack = ExitStack()
        self.close = weakref.finalize(self, stack.close)
        self._duck = stack.enter_context(connect(only=(tables.units, tables.scores)))
        with self.query() as duck:
            for name, path in (("units", tables.units), ("scores", tables.scores)):
                duck.execute(f"CREATE VIEW {name} AS FROM read_parquet({literal(str(path))})")

    @contextmanager
    def query(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of its own for one question."""
        try:
            with quiet(self._duck.cursor()) as cursor:
                yield cursor
        except duckdb.Error as error:
            text = str(error).splitlines()[0]
            raise StoreError(f"the results in {self.tables.units.parent} can't be read: {text}") from error


def _batches(found: duckdb.DuckDBPyConnection, size: int = _BATCH) -> Iterator[tuple[Any, ...]]:
    while batch := found.fetchmany(size):
        yield from batch


def _wanted(cases: Sequence[int] | None) -> str:
    if cases is None:
        return ""
    return f" WHERE case_index IN ({', '.join(str(int(case)) for case in cases) or 'NULL'})"


def records(reader: Queryable, cases: Sequence[int] | None = None) -> Iterator[tuple[int, UnitRecord]]:
    """Case index and record of each unit with its current scores, in order of case and trial.

    Args:
        reader: The run's results.
        cases: Only these case indices; all when not given.
    """
    where = _wanted(cases)
    with reader.query() as first, reader.query() as second:
        units = first.execute(f"SELECT {', '.join(RECORD_COLUMNS)} FROM units{where}")  # noqa: S608
        cells = second.execute(f"SELECT {', '.join(CELL_COLUMNS)} FROM scores{where}")  # noqa: S608
        scores = _by_unit(_batches(cells, 32 * _BATCH))
        key, waiting = next(scores, (None, {}))
        for row in _batches(units):
            case, trial = row[0], row[3]
            while key is not None and key < (case, trial):
                key, waiting = next(scores, (None, {}))
            yield case, unit_record(row, waiting if key == (case, trial) else {})


def _by_unit(cells: Iterator[tuple[Any, ...]]) -> Iterator[tuple[tuple[int, int], dict[str, Score]]]:
    for key, rows in groupby(cells, key=lambda row: (row[0], row[1])):
        yield key, {row[2]: score_of(row) for row in rows}


def metric_names(reader: Queryable) -> list[str]:
    """Names of the metrics that have scores, sorted."""
    with reader.query() as duck:
        return [name for (name,) in duck.execute("SELECT DISTINCT metric FROM scores ORDER BY 1").fetchall()]


def part_names(reader: Queryable, metric: str) -> list[str]:
    """Names of a metric's parts, sorted."""
    query = "SELECT DISTINCT unnest(json_keys(parts)) FROM scores WHERE metric = ? AND parts IS NOT NULL ORDER BY 1"
    with reader.query() as duck:
        return [name for (name,) in duck.execute(query, [metric]).fetchall()]


_UNIT_QUERY = """
SELECT case_index, trial, position, output IS NULL AS errored, cached, latency_s, first_token_s, duration_s,
       started_at, input_tokens, output_tokens, cost, calls
FROM units
"""


def unit_columns(reader: Queryable) -> UnitColumns:
    """All units as arrays."""
    with reader.query() as duck:
        found = duck.execute(_UNIT_QUERY).fetchnumpy()
    integer = {name: dense(found[name], np.int64) for name in ("trial", "position", "calls")}
    boolean = {name: dense(found[name], np.bool_) for name in ("errored", "cached")}
    names = ("latency_s", "first_token_s", "duration_s", "started_at", "input_tokens", "output_tokens", "cost")
    real = {name: dense(found[name], np.float64, np.nan) for name in names}
    return UnitColumns(case=dense(found["case_index"], np.int64), **integer, **boolean, **real)


@dataclass(frozen=True, slots=True)
class UnitKeys:
    """The answered units, in order of case and trial: the rows of every metric's columns."""

    case: IntArray
    trial: IntArray
    position: IntArray


def unit_keys(reader: Queryable) -> UnitKeys:
    """The answered units."""
    with reader.query() as duck:
        query = "SELECT case_index, trial, position FROM units WHERE output IS NOT NULL"
        found = duck.execute(query).fetchnumpy()
    return UnitKeys(*(dense(found[name], np.int64) for name in ("case_index", "trial", "position")))


_CODES = " ".join(f"WHEN '{name}' THEN {code}" for name, code in STATUS_CODES.items())
_SCORE_QUERY = f"""
SELECT case_index, trial, CASE status {_CODES} END::TINYINT AS status, passed::TINYINT AS passed, {{value}} AS value
FROM scores WHERE metric = $metric
"""  # noqa: S608 - codes are constants
_PART = "CAST(json_extract(parts, $part) AS DOUBLE)"


def score_columns(reader: Queryable, metric: str, units: UnitKeys, *, part: str | None = None) -> ScoreColumns:
    """One metric, or one of its parts, as arrays over the answered units.

    A row that is scored but lacks the part counts as skipped.
    """
    asked = {"metric": metric} if part is None else {"metric": metric, "part": _pointer(part)}
    with reader.query() as duck:
        found = duck.execute(_SCORE_QUERY.format(value="value" if part is None else _PART), asked).fetchnumpy()
        stats = None if part is not None else _stats(duck, metric)
    place, inside = _places(units, found)
    value = dense(found["value"], np.float64, np.nan)[inside]
    status = dense(found["status"], np.int8)[inside]
    status[(status == 0) & np.isnan(value)] = SKIPPED
    size = len(units.case)
    return ScoreColumns(
        metric=metric if part is None else f"{metric}.{part}",
        case=units.case,
        trial=units.trial,
        position=units.position,
        value=scattered(place, value, size, np.nan),
        status=scattered(place, status, size, ABSENT),
        passed=scattered(place, dense(found["passed"], np.int8, -1)[inside], size, -1),
        stats=None if stats is None else scattered(place, stats[inside], size, np.nan),
    )


def _stats(duck: duckdb.DuckDBPyConnection, metric: str) -> FloatArray | None:
    query = "SELECT count(stats) FROM scores WHERE metric = ?"
    count = duck.execute(query, [metric]).fetchall()[0][0]
    if not count:
        return None
    return stacked_stats(duck.execute("SELECT stats FROM scores WHERE metric = ?", [metric]).fetchnumpy()["stats"])


def _places(units: UnitKeys, found: dict[str, Any]) -> tuple[IntArray, IntArray]:
    """Row among the answered units of each score, and which scores have one."""
    case, trial = units.case, units.trial
    of_case, of_trial = dense(found["case_index"], np.int64), dense(found["trial"], np.int64)
    trials = 1 + max((int(each.max()) for each in (trial, of_trial) if len(each)), default=0)
    known, wanted = case * trials + trial, of_case * trials + of_trial
    if not len(known):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    place = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    inside = np.flatnonzero(known[place] == wanted)
    return place[inside], inside


def _pointer(part: str) -> str:
    """A part's name as a JSON pointer."""
    return "/" + part.replace("~", "~0").replace("/", "~1")


_TOTALS_QUERY = """
SELECT count(*), count(output), sum(calls), sum(failed_attempts), count(*) FILTER (cached),
       sum(input_tokens) FILTER (NOT cached), sum(output_tokens) FILTER (NOT cached),
       sum(cached_tokens) FILTER (NOT cached), bool_or(tokens_estimated), sum(cost) FILTER (NOT cached),
       sum(judge_input_tokens), sum(judge_output_tokens), sum(judge_cached_tokens), bool_or(judge_estimated),
       sum(judge_cost), max(started_at + duration_s) - min(started_at)
FROM units
"""
_MODELS_QUERY = "SELECT model, count(*) FROM units WHERE model IS NOT NULL GROUP BY model ORDER BY 2 DESC, 1"


def totals(reader: Queryable, planned: int, duration_s: float | None = None) -> Totals:
    """Counts, tokens and cost, added up from the rows.

    Args:
        reader: The run's results.
        planned: Units the run should have.
        duration_s: Wall seconds of all sittings; from the first unit's start to the last one's end when not given.
    """
    with reader.query() as duck:
        row = duck.execute(_TOTALS_QUERY).fetchall()[0]
        models = {str(name): int(count) for name, count in duck.execute(_MODELS_QUERY).fetchall()}
    done, answered = int(row[0]), int(row[1])
    return Totals(
        units=planned,
        done=done,
        answered=answered,
        errored=done - answered,
        calls=int(row[2] or 0),
        retries=int(row[3] or 0),
        cached=int(row[4] or 0),
        usage=_usage(row[5:9]),
        cost=row[9],
        judge_usage=_usage(row[10:14]),
        judge_cost=row[14],
        duration_s=float(row[15] or 0.0) if duration_s is None else duration_s,
        models=models,
    )


def _usage(cells: Sequence[Any]) -> Usage:
    read, written, cached, estimated = cells
    return Usage(
        input_tokens=int(read or 0),
        output_tokens=int(written or 0),
        cached_tokens=int(cached or 0),
        estimated=bool(estimated),
    )


def failing_cases(reader: Queryable) -> IntArray:
    """Indices of cases with a unit that failed or a row verdict of False, ascending."""
    query = (
        "SELECT DISTINCT case_index FROM (SELECT case_index FROM units WHERE output IS NULL "
        "UNION ALL SELECT case_index FROM scores WHERE passed = false) ORDER BY 1"
    )
    with reader.query() as duck:
        found = duck.execute(query).fetchnumpy()["case_index"]
    cases: IntArray = dense(found, np.int64)
    return cases
