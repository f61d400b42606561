"""One case of a run: what went in, what came out, what was said of it, and how it did before."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress

import msgspec

from evalwright.core.case import Case
from evalwright.core.errors import NotFound, StoreError
from evalwright.core.output import Output, Usage
from evalwright.core.run import Attempt, Failure, UnitRecord
from evalwright.core.score import Score, ScoreStatus
from evalwright.services.browsing.browser import Browser, OpenRun
from evalwright.services.figures import slice_specs
from evalwright.services.slicing import case_slices
from evalwright.store import reading
from evalwright.store.browse_query import UnitFilter, neighbours_of
from evalwright.store.catalog import RunEntry, RunFilter
from evalwright.store.verdict import row_verdict

HISTORY = 30
"""Runs of the same suite that a case's history looks through."""

LONG = 240


class Unit(msgspec.Struct, frozen=True, kw_only=True):
    """One trial of the case.

    Attributes:
        trial: From 0.
        output: The answer with conversation, passages, citations and tool calls; its trace is asked for apart.
        error: Why there is no answer.
        passed: Row verdict.
        scores: By metric, with reason and evidence.
        attempts: Failed tries.
        latency_s: Seconds of the answer.
        duration_s: Seconds with waits and retries.
        tokens: Of the target.
        cost: Of target and judges; None when unknown.
        cached: Whether the answer came from the cache.
        spans: Spans of the trace.
    """

    trial: int
    output: Output | None
    error: Failure | None
    passed: bool | None
    scores: dict[str, Score]
    attempts: tuple[Attempt, ...]
    latency_s: float | None
    duration_s: float
    tokens: Usage | None
    cost: float | None
    cached: bool
    spans: int


class PastScore(msgspec.Struct, frozen=True, kw_only=True):
    """A score of an earlier or later run."""

    status: str
    value: float | None
    passed: bool | None


class PastResult(msgspec.Struct, frozen=True, kw_only=True):
    """How the case did in another run of the suite (the first trial's scores, the verdict over all).

    Attributes:
        run_id: The run.
        at: When it was started.
        target: Name of its target.
        passed: Row verdict over all trials; None when no scorer gave one.
        errored: Whether a trial got no answer.
        same_case: Whether the case was the same in every field.
        scores: By metric.
    """

    run_id: str
    at: float
    target: str
    passed: bool | None
    errored: bool
    same_case: bool
    scores: dict[str, PastScore]


class Neighbours(msgspec.Struct, frozen=True, kw_only=True):
    """The cases before and after this one in the list it was opened from."""

    previous: str | None = None
    next: str | None = None


class CasePage(msgspec.Struct, frozen=True, kw_only=True):
    """A case's page.

    Attributes:
        run_id: The run.
        case: The case.
        passed: Row verdict over all trials.
        slices: Slices it is in, by name.
        units: Its trials; empty when the run has not got to it.
        neighbours: Before and after.
        history: How it did in the suite's runs, newest first, this one among them.
        why_failed: In one line; empty when nothing failed.
    """

    run_id: str
    case: Case
    passed: bool | None
    slices: dict[str, tuple[str, ...]]
    units: tuple[Unit, ...]
    neighbours: Neighbours
    history: tuple[PastResult, ...]
    why_failed: str


def case_page(
    browser: Browser, run_id: str, case_id: str, *, trial: int | None = None, among: UnitFilter | None = None
) -> CasePage:
    """A case of a run.

    Args:
        browser: The workspace.
        run_id: The run.
        case_id: The case.
        trial: Only this trial; all when None.
        among: The list it was opened from, for its neighbours.

    Raises:
        NotFound: There is no such run or case.
        StoreError: The run can't be read.
    """
    run = browser.run(run_id)
    index = index_of(run, case_id)
    records = units_of(run, index)
    case = run.cases[index]
    shown = [record for record in records if trial in (None, record.trial)]
    return CasePage(
        run_id=run_id,
        case=case,
        passed=row_verdict(records) if records else None,
        slices=case_slices(slice_specs(run.manifest))(case),
        units=tuple(_unit(record) for record in shown),
        neighbours=_neighbours(browser, run, index, among or UnitFilter()),
        history=case_history(browser, run_id, case_id),
        why_failed=why_failed(shown),
    )


def index_of(run: OpenRun, case_id: str) -> int:
    """Index of a case within its run.

    Raises:
        NotFound: There is no such case.
    """
    try:
        return run.cases.find(case_id)
    except (KeyError, UnicodeEncodeError):
        raise NotFound(f"the run {run.store.run_id} has no case {case_id!r}") from None


def units_of(run: OpenRun, index: int) -> list[UnitRecord]:
    """The trials of a case."""
    return [record for _, record in reading.records(run.reader, [index])]


def _unit(record: UnitRecord) -> Unit:
    output = record.output
    costs = [cost for cost in (output.cost if output else None, record.judge_cost) if cost is not None]
    return Unit(
        trial=record.trial,
        output=None if output is None else msgspec.structs.replace(output, steps=()),
        error=record.error,
        passed=row_verdict([record]),
        scores=record.scores,
        attempts=record.attempts,
        latency_s=output.latency_s if output else None,
        duration_s=record.duration_s,
        tokens=output.usage if output else None,
        cost=sum(costs) if costs else None,
        cached=record.cached,
        spans=_count(output) if output else 0,
    )


def _count(output: Output) -> int:
    found, left = 0, list(output.steps)
    while left:
        step = left.pop()
        found += 1
        left.extend(step.children)
    return found


def why_failed(records: list[UnitRecord]) -> str:
    """The first thing that went wrong, and how many others did."""
    reasons = [reason for record in records for reason in _reasons(record)]
    if not reasons:
        return ""
    others = len(reasons) - 1
    more = "" if not others else f" (and {others} more)"
    return f"{reasons[0]}{more}"


def _reasons(record: UnitRecord) -> Iterator[str]:
    if record.error is not None:
        tries = f" after {len(record.attempts)} tries" if len(record.attempts) > 1 else ""
        yield f"no answer ({record.error.kind}{tries}): {_short(record.error.message)}"
    failed = [(name, score) for name, score in record.scores.items() if score.passed is False]
    for name, score in failed:
        said = score.reason or score.label or ("failed" if score.value is None else f"value {score.value:.4g}")
        yield f"{name}: {_short(said)}"
    for name, score in record.scores.items():
        if score.status is ScoreStatus.ERROR:
            yield f"{name} could not score it: {_short(score.reason)}"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONG else line[: LONG - 1] + "…"


def _neighbours(browser: Browser, run: OpenRun, index: int, among: UnitFilter) -> Neighbours:
    if among == UnitFilter():
        before = run.cases[index - 1].id if index else None
        after = run.cases[index + 1].id if index + 1 < len(run.cases) else None
        return Neighbours(previous=before, next=after)
    before, after = neighbours_of(browser.pool, run.index, among, index)
    return Neighbours(previous=before, next=after)


def case_history(browser: Browser, run_id: str, case_id: str) -> tuple[PastResult, ...]:
    """How a case did in the latest runs of a run's suite, newest first; runs that can't be read are passed over."""
    entry = browser.entry(run_id)
    entries = browser.workspace.catalog.runs(RunFilter(suite=entry.suite), limit=HISTORY)
    if all(one.run_id != run_id for one in entries):
        entries.append(entry)
    places = {one.run_id: found for one in entries if (found := _place(browser, one, case_id)) is not None}
    own = places[run_id].case_hash if run_id in places else None
    rows = _past_rows(browser, list(places.values()))
    return tuple(_past(one, places[one.run_id], rows[one.run_id], own) for one in entries if one.run_id in rows)


class _Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a case is in a run's files."""

    run_id: str
    index: int
    case_hash: str
    tables: reading.Tables


class _Rows(msgspec.Struct, kw_only=True):
    """What a run's files say of a case: its units (whether each failed) and its scores, the first trial's last."""

    errored: list[bool] = []
    scores: list[tuple[str, str, float | None, bool | None]] = []


def _place(browser: Browser, entry: RunEntry, case_id: str) -> _Place | None:
    """Where a case is in a run; a run that is only elsewhere is fetched for the next time, not waited for."""
    if not browser.workspace.run_dir(entry.run_id).is_dir():
        browser.warm([entry.run_id])
        return None
    try:
        results = browser.results(entry.run_id)
        index = None if results is None else results.find(case_id)
        if results is None or index is None:
            return None
        digest = results.case_hash(index)
    except StoreError:
        return None
    return _Place(run_id=entry.run_id, index=index, case_hash=digest, tables=results.reader.tables)


def _past_rows(browser: Browser, places: Sequence[_Place]) -> dict[str, _Rows]:
    """By run: the rows of a case; all runs in which it has the same index are asked together."""
    found: dict[str, _Rows] = {}
    for index in {place.index for place in places}:
        together = [place for place in places if place.index == index]
        try:
            found |= _asked(browser, together, index)
        except StoreError:  # one of the files is damaged: the others are asked one by one
            for place in together:
                with suppress(StoreError):
                    found |= _asked(browser, [place], index)
    return found


def _asked(browser: Browser, places: Sequence[_Place], index: int) -> dict[str, _Rows]:
    units = {str(place.tables.units.resolve()): place.run_id for place in places}
    scores = {str(place.tables.scores.resolve()): place.run_id for place in places}
    found: dict[str, _Rows] = {}
    for file, errored in browser.pool.lookup(list(units), "error_kind IS NOT NULL", index):
        found.setdefault(units[file], _Rows(errored=[], scores=[])).errored.append(errored)
    for file, *cells in browser.pool.lookup(list(scores), "metric, status, value, passed", index):
        if scores[file] in found:
            found[scores[file]].scores.append((cells[0], cells[1], cells[2], cells[3]))
    return found


def _past(entry: RunEntry, place: _Place, rows: _Rows, own: str | None) -> PastResult:
    verdicts = [passed for *_, passed in rows.scores if passed is not None]
    scores = {
        metric: PastScore(status=status, value=value, passed=passed) for metric, status, value, passed in rows.scores
    }
    return PastResult(
        run_id=entry.run_id,
        at=entry.created_at,
        target=entry.target,
        passed=False if any(rows.errored) else all(verdicts) if verdicts else None,
        errored=any(rows.errored),
        same_case=place.case_hash == own,
        scores=scores,
    )
