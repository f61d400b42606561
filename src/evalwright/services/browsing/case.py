"""One case of a run: what went in, what came out, what was said of it, and how it did before."""

from __future__ import annotations

from collections.abc import Iterator

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
    except KeyError:
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
    here = browser.results(run_id)
    own = None if here is None else here.case_hash(case_id)
    found = (_past(browser, one, case_id, own) for one in entries)
    return tuple(result for result in found if result is not None)


def _past(browser: Browser, entry: RunEntry, case_id: str, own: str | None) -> PastResult | None:
    try:
        results = browser.results(entry.run_id)
        index = None if results is None else results.find(case_id)
        if results is None or index is None:
            return None
        with results.reader.query() as duck:
            query = "SELECT output IS NULL FROM units WHERE case_index = ?"
            units = [empty for (empty,) in duck.execute(query, [index]).fetchall()]
            query = "SELECT metric, status, value, passed, trial FROM scores WHERE case_index = ? ORDER BY trial"
            rows = duck.execute(query, [index]).fetchall()
    except StoreError:
        return None
    if not units:
        return None
    verdicts = [row[3] for row in rows if row[3] is not None]
    scores = {row[0]: PastScore(status=row[1], value=row[2], passed=row[3]) for row in reversed(rows)}
    return PastResult(
        run_id=entry.run_id,
        at=entry.created_at,
        target=entry.target,
        passed=False if any(units) else all(verdicts) if verdicts else None,
        errored=any(units),
        same_case=own is not None and results.case_hash(case_id) == own,
        scores=scores,
    )
