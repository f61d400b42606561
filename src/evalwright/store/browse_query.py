"""Questions to a run's wide table: filtered, sorted, in pages. Values are bound; names come from fixed lists."""

# ruff: noqa: S608 - what is put into queries are numbers and names from fixed lists

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from evalwright.core.errors import UsageError
from evalwright.store.browse_index import BrowseIndex, Texts
from evalwright.store.columns import dense, scattered
from evalwright.store.duck_pool import DuckPool

STATUSES = ("all", "failed", "passed", "errored", "unjudged")
"""What `status` may be: every unit, by row verdict, those without an answer, those no scorer gives a verdict on."""

_STATUS_SQL = {
    "failed": "passed = false",
    "passed": "passed = true",
    "errored": "error_kind IS NOT NULL",
    "unjudged": "passed IS NULL",
}
_FIELDS = {"id": "case_index", "case": "case_id", "latency": "latency_s", "cost": "cost", "trial": "trial"} | {
    "passed": "passed",
    "error": "error_kind",
    "model": "model",
}
"""Names a condition or an order may use beside metrics, and their columns."""

_NUMBERS = frozenset({"id", "latency", "cost", "trial"})
_CONDITION = re.compile(r"(?s)(.+?)(<=|>=|!=|<|>|=)(.*)")
_ASPECTS = {"status": "s", "label": "l", "passed": "p"}
_TRUTHS = {"true": True, "false": False}


class UnitFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which units a list shows, and in which order.

    Attributes:
        status: One of `STATUSES`.
        where: Conditions that must all hold: `groundedness<0.5`, `latency>2`, `cost>=0.1`, `error=timeout`,
            `model=m-1`, `pii_leak.status=error`, `tone.label=rude`, `exact.passed=false`.
        slices: Slices as `name=value`, all of which must hold.
        text: Words that must stand somewhere in id, input, expectation, output or error.
        trial: Only this trial.
        sort: `id`, `latency`, `cost`, `passed`, `error` or `score:<metric>`; with `-` in front the other way round.
    """

    status: str = "all"
    where: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()
    text: str = ""
    trial: int | None = None
    sort: str = "id"


class ListedScore(msgspec.Struct, frozen=True, kw_only=True):
    """One score of a listed unit."""

    status: str
    value: float | None = None
    passed: bool | None = None
    label: str | None = None


class ListedError(msgspec.Struct, frozen=True, kw_only=True):
    """Why a listed unit has no answer."""

    kind: str
    message: str = ""


class ListedUnit(msgspec.Struct, frozen=True, kw_only=True):
    """One unit of a list; texts are cut to 400 characters.

    Attributes:
        place: Number of the unit in the order of case and trial, from 0.
        case_index: Index of the case within the run.
        case_id: Id of the case.
        trial: Repetition, from 0.
        passed: Row verdict of this unit.
        input: Beginning of the input.
        expected: Beginning of the expectation.
        output: Beginning of the answer.
        error: Why there is no answer.
        scores: By metric.
        slices: Slices the case is in, `name=value`.
        latency_s: Seconds.
        cost: Money.
        model: Model that answered.
    """

    place: int
    case_index: int
    case_id: str
    trial: int
    passed: bool | None
    input: str | None
    expected: str | None
    output: str | None
    error: ListedError | None
    scores: dict[str, ListedScore]
    slices: tuple[str, ...]
    latency_s: float | None
    cost: float | None
    model: str | None


class UnitPage(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a list, and how many units it has in all."""

    items: tuple[ListedUnit, ...]
    total: int


class _Condition(msgspec.Struct, frozen=True):
    sql: str
    values: tuple[Any, ...] = ()


def find_units(pool: DuckPool, index: BrowseIndex, wanted: UnitFilter, *, offset: int = 0, limit: int = 50) -> UnitPage:
    """A stretch of the units that fit.

    Raises:
        UsageError: A condition or order names nothing the run has.
    """
    places, total = find_places(pool, index, wanted, offset=offset, limit=limit)
    return UnitPage(items=tuple(units_at(pool, index, places)), total=total)


def find_places(
    pool: DuckPool, index: BrowseIndex, wanted: UnitFilter, *, offset: int = 0, limit: int = 50
) -> tuple[list[int], int]:
    """Numbers of the units that fit, in order, and how many there are in all."""
    found = _conditions(index, wanted)
    clause = " AND ".join(condition.sql for condition in found) or "true"
    values = [value for condition in found for value in condition.values]
    order = _order(index, wanted.sort)
    total = "count(*) OVER ()" if found else str(index.head.rows)
    with pool.query(page=index.path) as duck:
        query = f"SELECT place, {total} FROM page WHERE {clause} ORDER BY {order} LIMIT ? OFFSET ?"
        rows = duck.execute(query, [*values, limit, offset]).fetchall()
        if rows or not offset:
            return [place for place, _ in rows], int(rows[0][1]) if rows else 0
        count = duck.execute(f"SELECT count(*) FROM page WHERE {clause}", values).fetchall()[0][0]
    return [], int(count)


def neighbours_of(
    pool: DuckPool, index: BrowseIndex, wanted: UnitFilter, case_index: int
) -> tuple[str | None, str | None]:
    """Ids of the cases before and after a case in a list; None where there is none, or it is not in the list."""
    found = _conditions(index, wanted)
    clause = " AND ".join(condition.sql for condition in found) or "true"
    values = [value for condition in found for value in condition.values]
    order = _order(index, wanted.sort)
    query = (
        "SELECT before, after FROM (SELECT case_index, lag(case_id) OVER w AS before, lead(case_id) OVER w AS after "
        f"FROM (SELECT *, row_number() OVER (PARTITION BY case_index ORDER BY {order}) AS nth FROM page WHERE {clause})"
        f" WHERE nth = 1 WINDOW w AS (ORDER BY {order})) WHERE case_index = ?"
    )
    with pool.query(page=index.path) as duck:
        rows = duck.execute(query, [*values, case_index]).fetchall()
    return (rows[0][0], rows[0][1]) if rows else (None, None)


def find_cases(pool: DuckPool, index: BrowseIndex, wanted: UnitFilter) -> npt.NDArray[np.int64]:
    """Indices of the cases with a unit that fits."""
    found = _conditions(index, wanted)
    clause = " AND ".join(condition.sql for condition in found) or "true"
    values = [value for condition in found for value in condition.values]
    with pool.query(page=index.path) as duck:
        rows = duck.execute(f"SELECT DISTINCT case_index FROM page WHERE {clause}", values).fetchnumpy()
    cases: npt.NDArray[np.int64] = dense(rows["case_index"], np.int64)
    return cases


def case_columns(
    pool: DuckPool, index: BrowseIndex, metric: str, size: int
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Value (mean over trials) and verdict (1, 0) of each case on a metric, NaN for none, shape (size,) each.

    The verdict is that of the metric; for the empty name, and for metrics without one, that of the row. The value of
    the empty name is the verdict.

    Raises:
        UsageError: There is no such metric.
    """
    if not metric:
        value, verdict = "passed::DOUBLE", "passed"
    else:
        value, verdict = index.column("v", metric) or "", index.column("p", metric) or ""
    if not value:
        raise UsageError(f"the run has no metric {metric!r}", hint=f"it has: {', '.join(index.head.metrics)}")
    query = f"SELECT case_index, avg({value}) AS value, bool_and({verdict})::DOUBLE AS passed FROM page GROUP BY 1"
    if index.head.single:
        query = f"SELECT case_index, {value} AS value, {verdict}::DOUBLE AS passed FROM page"
    with pool.query(page=index.path) as duck:
        found = duck.execute(query).fetchnumpy()
    places = dense(found["case_index"], np.int64)
    values, passed = (
        scattered(places, dense(found[name], np.float64, np.nan), size, np.nan) for name in ("value", "passed")
    )
    return (passed if not metric else values), passed


def first_units(pool: DuckPool, index: BrowseIndex, cases: Sequence[int]) -> dict[int, ListedUnit]:
    """By case index: the first trial of each of these cases."""
    if not cases:
        return {}
    wanted = f"case_index IN ({', '.join('?' * len(cases))})"
    if not index.head.single:
        wanted += " QUALIFY row_number() OVER (PARTITION BY case_index ORDER BY trial) = 1"
    return {unit.case_index: unit for unit in _units(pool, index, wanted, cases)}


def units_at(pool: DuckPool, index: BrowseIndex, places: Sequence[int]) -> Iterator[ListedUnit]:
    """The units of these numbers, in the order given."""
    if not places:
        return
    wanted = f"place IN ({', '.join('?' * len(places))})"
    found = {unit.place: unit for unit in _units(pool, index, wanted, places)}
    yield from (found[place] for place in places if place in found)


def _units(pool: DuckPool, index: BrowseIndex, wanted: str, values: Sequence[int]) -> list[ListedUnit]:
    """The units for which a condition of our own holds."""
    metrics = index.head.metrics
    names = "".join(f", s{n}, v{n}, p{n}, l{n}" for n in range(len(metrics)))
    query = (
        "SELECT place, case_index, case_id, trial, passed, error_kind, error_message, slices, "
        f"latency_s, cost, model{names} FROM page WHERE {wanted}"
    )
    with pool.query(page=index.path) as duck:
        rows = duck.execute(query, list(values)).fetchall()
    texts = index.texts([row[0] for row in rows])
    return [_unit(index, row, texts[row[0]]) for row in rows]


def _unit(index: BrowseIndex, row: tuple[Any, ...], texts: Texts) -> ListedUnit:
    cells = [row[start : start + 4] for start in range(11, len(row), 4)]
    scores = {
        metric: ListedScore(status=status, value=value, passed=passed, label=label)
        for metric, (status, value, passed, label) in zip(index.head.metrics, cells, strict=True)
        if status is not None
    }
    return ListedUnit(
        place=row[0],
        case_index=row[1],
        case_id=row[2],
        trial=row[3],
        passed=row[4],
        input=texts[0],
        expected=texts[1],
        output=texts[2],
        error=None if row[5] is None else ListedError(kind=row[5], message=row[6] or ""),
        slices=tuple(index.head.labels[number] for number in row[7] or ()),
        latency_s=row[8],
        cost=row[9],
        model=row[10],
        scores=scores,
    )


def _conditions(index: BrowseIndex, wanted: UnitFilter) -> list[_Condition]:
    if wanted.status not in STATUSES:
        raise UsageError(f"there is no status {wanted.status!r}", hint=f"one of {', '.join(STATUSES)}")
    found = [_Condition(_STATUS_SQL[wanted.status])] if wanted.status in _STATUS_SQL else []
    found += [_condition(index, text) for text in wanted.where]
    for label in wanted.slices:
        number = index.label(label)
        found.append(_Condition("false") if number is None else _Condition("list_contains(slices, ?)", (number,)))
    found += [_Condition("contains(searched, ?)", (word,)) for word in wanted.text.lower().split()]
    if wanted.trial is not None:
        found.append(_Condition("trial = ?", (wanted.trial,)))
    return found


def _condition(index: BrowseIndex, text: str) -> _Condition:
    parts = _CONDITION.fullmatch(text)
    if parts is None:
        raise UsageError(f"{text!r} is no condition", hint="e.g. `groundedness<0.5`, `latency>2`, `error=timeout`")
    name, operator, value = parts[1].strip(), parts[2], parts[3].strip()
    column, number, truth = _column(index, name)
    sign = "IS DISTINCT FROM" if operator == "!=" else operator
    if truth:
        if value not in _TRUTHS:
            raise UsageError(f"{name} is true or false, not {value!r}")
        return _Condition(f"{column} {sign} ?", (_TRUTHS[value],))
    return _Condition(f"{column} {sign} ?", (_number(name, value) if number else value,))


def _column(index: BrowseIndex, name: str) -> tuple[str, bool, bool]:
    """Column of a name, whether it holds numbers, and whether it holds truths."""
    metric, _, aspect = name.rpartition(".")
    if name not in index.head.metrics and aspect in _ASPECTS and metric in index.head.metrics:
        return index.column(_ASPECTS[aspect], metric) or "", False, aspect == "passed"
    column = index.column("v", name)
    if column is not None:
        return column, True, False
    if name in _FIELDS:
        return _FIELDS[name], name in _NUMBERS, name == "passed"
    known = ", ".join([*index.head.metrics[:20], *_FIELDS])
    raise UsageError(f"nothing is called {name!r} here", hint=f"there is {known}")


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{name} is a number, not {text!r}") from None


def _order(index: BrowseIndex, sort: str) -> str:
    name = sort.removeprefix("-").removeprefix("score:")
    column, _, _ = _column(index, name)
    way = "DESC" if sort.startswith("-") else "ASC"
    return f"place {way}" if column == "case_index" else f"{column} {way} NULLS LAST, place"
