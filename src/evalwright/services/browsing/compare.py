"""Runs side by side: the comparison, kept once made, and its cases as rows to filter and sort."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property

import msgspec
import numpy as np
import numpy.typing as npt

from evalwright.analysis.comparing import CompareSettings
from evalwright.core.comparison import (
    Change,
    Comparison,
    FrontierPoint,
    Mismatch,
    PairComparison,
    PairedFigure,
    Pairing,
    Recommendation,
    Reversal,
    RunSide,
)
from evalwright.core.errors import StoreError, UsageError
from evalwright.core.identity import content_hash
from evalwright.services.browsing.browser import Browser, OpenRun
from evalwright.services.browsing.paging import Page, checked_limit, next_cursor, offset_of
from evalwright.services.comparing import compare_runs
from evalwright.services.comparison_parts import ComparePlan
from evalwright.services.pairing import Alignment, align
from evalwright.store.browse_query import ListedError, ListedUnit, UnitFilter, case_columns, find_cases, first_units
from evalwright.store.files import write_atomic

MOST_RUNS = 10
FORMAT = 1
ROW_VERDICT = ""

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


class ComparedFigure(PairedFigure, frozen=True, kw_only=True):
    """A paired figure with what a verdict needs.

    Attributes:
        margin: Largest loss that does not matter, in the metric's unit; None where none was set.
        mde: Smallest difference a comparison like this one shows with 80 % power.
        verdict: `better`, `worse`, `changed` or `unclear`, after correction for having looked at many.
        no_worse: Whether a loss beyond the margin is ruled out; None without a margin or a bound.
    """

    margin: float | None = None
    mde: float | None = None
    verdict: Change = Change.UNCLEAR
    no_worse: bool | None = None


class FlipMatrix(msgspec.Struct, frozen=True, kw_only=True):
    """How verdicts moved.

    Attributes:
        metric: The metric; empty for the row verdict over all scorers.
        fail_pass: Cases that failed and pass now (or score higher, where scores are no verdicts).
        pass_fail: Cases that passed and fail now.
        both: Pass in both.
        neither: Fail in both.
        verdicts: Whether the scores are verdicts.
    """

    metric: str
    fail_pass: int
    pass_fail: int
    both: int
    neither: int
    verdicts: bool


class CandidateView(msgspec.Struct, frozen=True, kw_only=True):
    """A candidate against the baseline."""

    run: RunSide
    pairs: Pairing
    mismatches: tuple[Mismatch, ...]
    metrics: tuple[ComparedFigure, ...]
    flips: tuple[FlipMatrix, ...]
    slices: tuple[ComparedFigure, ...]
    recommendation: Recommendation | None
    reversals: tuple[Reversal, ...]
    comparable: bool


class CompareView(msgspec.Struct, frozen=True, kw_only=True):
    """Runs compared with a baseline.

    Attributes:
        baseline: The reference run.
        candidates: Each of the others against it.
        level: Confidence level of the intervals.
        margin: Largest loss that does not matter, as a share.
        family: What p-values were adjusted for.
        frontier: All runs on the map of quality, safety, cost and latency.
    """

    baseline: RunSide
    candidates: tuple[CandidateView, ...]
    level: float
    margin: float
    family: str
    frontier: tuple[FrontierPoint, ...]


class Side(msgspec.Struct, frozen=True, kw_only=True):
    """What one run made of a case: its first trial's answer; value and verdict over all trials."""

    run_id: str
    output: str | None = None
    value: float | None = None
    passed: bool | None = None
    error: ListedError | None = None
    latency_s: float | None = None
    cost: float | None = None
    delta: float | None = None


class CompareRow(msgspec.Struct, frozen=True, kw_only=True):
    """A case the runs have in common.

    Attributes:
        case_id: The case.
        input: Beginning of the input.
        expected: Beginning of the expectation.
        slices: Slices it is in.
        sides: The baseline, then each candidate; a run that has not this case has an empty side.
        delta: The largest difference from the baseline among the candidates; None where no pair was scored.
    """

    case_id: str
    input: str | None
    expected: str | None
    slices: tuple[str, ...]
    sides: tuple[Side, ...]
    delta: float | None


class RowFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which rows a list shows.

    Attributes:
        metric: The metric; empty for the row verdict.
        show: `all`, `regressions`, `improvements` or `changed`.
        flip: `fail_pass` or `pass_fail`; empty for any.
        slices: Slices as `name=value`.
        text: Words to look for.
        sort: `abs_delta`, `delta`, `id`, `value`; with `-` in front the other way round.
    """

    metric: str = ROW_VERDICT
    show: str = "all"
    flip: str = ""
    slices: tuple[str, ...] = ()
    text: str = ""
    sort: str = "-abs_delta"


SHOWS = ("all", "regressions", "improvements", "changed")
FLIPS = ("", "fail_pass", "pass_fail")
SORTS = ("abs_delta", "delta", "id", "value")


def compare_view(browser: Browser, baseline: str, candidates: Sequence[str], *, margin: float = 0.02) -> CompareView:
    """Runs compared with a baseline; made once and kept beside the workspace's caches.

    Raises:
        UsageError: There is no such run, a run is compared with itself, or there are more than ten.
        StoreError: A run can't be read.
    """
    record = _record(browser, checked_runs(baseline, candidates), margin)
    views = (_candidate(record, pair) for pair in record.pairs)
    return CompareView(
        baseline=record.side(baseline),
        candidates=tuple(views),
        level=record.level,
        margin=record.margin,
        family=record.family,
        frontier=record.frontier,
    )


def checked_runs(baseline: str, candidates: Sequence[str]) -> tuple[str, ...]:
    """The runs of a comparison, the baseline first.

    Raises:
        UsageError: One is there twice, or there are fewer than two or more than ten.
    """
    runs = (baseline, *candidates)
    if len(set(runs)) < len(runs) or len(runs) < 2:
        raise UsageError("a comparison needs at least two different runs", hint="name a baseline and a candidate")
    if len(runs) > MOST_RUNS:
        raise UsageError(f"at most {MOST_RUNS} runs can be compared at once, not {len(runs)}")
    return runs


def _record(browser: Browser, runs: tuple[str, ...], margin: float) -> Comparison:
    opened = [browser.run(run) for run in runs]
    state = [[one.store.run_id, list(one.tables.written), one.index.head.key] for one in opened]
    key = content_hash([FORMAT, state, margin])[:24]
    return browser.kept.get(("compare", key), lambda: _stored(browser, opened, key, margin))


def _stored(browser: Browser, opened: list[OpenRun], key: str, margin: float) -> Comparison:
    """The comparison as it was kept, else made now and kept; a running run's is not kept."""
    path = browser.workspace.cache_dir / "comparisons" / f"{key}.json"
    with contextlib.suppress(OSError, msgspec.MsgspecError, UnicodeDecodeError):
        return msgspec.json.decode(path.read_bytes(), type=Comparison)
    settings = CompareSettings(margin=margin, flips=50)
    plan = ComparePlan(settings=replace(settings, options=replace(settings.options, level=_level(opened))))
    record = compare_runs([browser.store(one.store.run_id) for one in opened], plan).record
    if all(one.sealed for one in opened):
        with contextlib.suppress(StoreError):  # a workspace that can't be written is still good to read
            write_atomic(path, msgspec.json.encode(record))
    return record


def _level(opened: list[OpenRun]) -> float:
    return opened[0].manifest.settings.level


def _candidate(record: Comparison, pair: PairComparison) -> CandidateView:
    return CandidateView(
        run=record.side(pair.candidate),
        pairs=pair.pairing,
        mismatches=pair.mismatches,
        metrics=tuple(_figure(figure, record.margin) for figure in pair.figures),
        flips=tuple(
            FlipMatrix(
                metric=flips.metric,
                fail_pass=flips.fixed_count,
                pass_fail=flips.broken_count,
                both=flips.both,
                neither=flips.neither,
                verdicts=flips.verdicts,
            )
            for flips in pair.flips
        ),
        slices=tuple(_figure(figure, record.margin) for figure in pair.slices),
        recommendation=pair.recommendation,
        reversals=pair.reversals,
        comparable=pair.comparable,
    )


def _figure(figure: PairedFigure, margin: float) -> ComparedFigure:
    applies = margin if figure.share and figure.higher_is_better is not None else None
    least = figure.least_gain
    return ComparedFigure(
        **msgspec.structs.asdict(figure),
        margin=applies,
        mde=figure.detectable,
        verdict=figure.change,
        no_worse=None if applies is None or least is None else least >= -applies,
    )


# --- rows ---------------------------------------------------------------------------------------------------------


class _Sides:
    """Several runs' values of one metric, laid over the baseline's cases.

    Attributes:
        runs: The runs, the baseline first.
        places: Case index in each run of each of the baseline's cases, -1 where it has none; shape (runs, cases).
        values: Value (mean over trials), NaN for none; shape (runs, cases).
        passed: Verdict: 1, 0 or NaN for none; shape (runs, cases).
    """

    def __init__(self, browser: Browser, runs: Sequence[OpenRun], metric: str) -> None:
        self.runs = runs
        size = len(runs[0].cases)
        aligned = [_aligned(browser, runs[0], run) for run in runs[1:]]
        self.places: IntArray = np.stack([np.arange(size), *(_over(one, size) for one in aligned)])
        columns = [_columns(browser, run, metric) for run in runs]
        self.values = np.stack([_taken(c[0], at) for c, at in zip(columns, self.places, strict=True)])
        self.passed = np.stack([_taken(c[1], at) for c, at in zip(columns, self.places, strict=True)])
        self.sign = _sign(runs[0], metric)

    @cached_property
    def deltas(self) -> FloatArray:
        """Value of each candidate minus the baseline's, shape (candidates, cases)."""
        found: FloatArray = self.values[1:] - self.values[0]
        return found

    @cached_property
    def paired(self) -> npt.NDArray[np.bool_]:
        """Which of the baseline's cases some candidate has, shape (cases,)."""
        found: npt.NDArray[np.bool_] = np.any(self.places[1:] >= 0, axis=0)
        return found

    @cached_property
    def widest(self) -> FloatArray:
        """The delta of largest size among the candidates, NaN where there is none, shape (cases,)."""
        size = np.where(np.isnan(self.deltas), -1.0, np.abs(self.deltas))
        best = size.argmax(axis=0)
        found: FloatArray = np.take_along_axis(self.deltas, best[None, :], axis=0)[0]
        return found


def _aligned(browser: Browser, baseline: OpenRun, run: OpenRun) -> Alignment:
    key = ("aligned", baseline.cases.digest, run.cases.digest)
    return browser.arrays.get(key, lambda: align(baseline.cases, run.cases))


def _over(alignment: Alignment, size: int) -> IntArray:
    """Case index in the candidate of each of the baseline's cases, -1 for none."""
    found = np.full(size, -1, dtype=np.int64)
    found[alignment.baseline] = alignment.candidate
    return found


def _columns(browser: Browser, run: OpenRun, metric: str) -> tuple[FloatArray, FloatArray]:
    return case_columns(browser.pool, run.index, metric, len(run.cases))


def _taken(column: FloatArray, places: IntArray) -> FloatArray:
    return np.where(places < 0, np.nan, column[np.maximum(places, 0)])


def _sign(run: OpenRun, metric: str) -> float:
    """-1 where a lower value is better, 0 where neither, else 1."""
    record = next((record for record in run.scorers if record.metric == metric), None)
    if record is None:
        return 1.0
    return {True: 1.0, False: -1.0, None: 0.0}[record.higher_is_better]


def compare_rows(
    browser: Browser,
    runs: tuple[str, ...],
    wanted: RowFilter,
    *,
    cursor: str | None = None,
    limit: int = 50,
) -> Page[CompareRow]:
    """The cases of a comparison, those of the baseline that some candidate has, a page at a time.

    Raises:
        UsageError: There is no such run, metric, order or filter.
        StoreError: A run can't be read.
    """
    _check(wanted)
    question = [list(runs), msgspec.to_builtins(wanted)]
    offset = offset_of(cursor, question)
    opened = [browser.run(run) for run in runs]
    state = tuple((run.store.run_id, run.index.head.key, run.tables.written) for run in opened)
    sides = browser.arrays.get((state, wanted.metric), lambda: _Sides(browser, opened, wanted.metric))
    cases = browser.arrays.get((state, wanted), lambda: _found_cases(browser, sides, wanted))
    shown = cases[offset : offset + checked_limit(limit)]
    items = tuple(_rows(browser, sides, shown))
    return Page(items=items, total=len(cases), next=next_cursor(offset, len(items), len(cases), question))


def _found_cases(browser: Browser, sides: _Sides, wanted: RowFilter) -> IntArray:
    """The cases that fit, in the order asked for."""
    return _ordered(sides, np.flatnonzero(_kept(browser, sides, wanted)), wanted.sort)


def _check(wanted: RowFilter) -> None:
    for name, value, known in (
        ("show", wanted.show, SHOWS),
        ("flip", wanted.flip, FLIPS),
        ("sort", wanted.sort.removeprefix("-"), SORTS),
    ):
        if value not in known:
            raise UsageError(f"`{name}` can't be {value!r}", hint=f"one of {', '.join(filter(None, known))}")


def _kept(browser: Browser, sides: _Sides, wanted: RowFilter) -> npt.NDArray[np.bool_]:
    kept: npt.NDArray[np.bool_] = sides.paired.copy()
    gains: FloatArray = sides.deltas * (sides.sign or 1.0)
    if wanted.show == "regressions":
        kept &= np.any(gains < 0, axis=0)
    elif wanted.show == "improvements":
        kept &= np.any(gains > 0, axis=0)
    elif wanted.show == "changed":
        kept &= np.any(np.abs(gains) > 0, axis=0)
    if wanted.flip:
        before, after = (0.0, 1.0) if wanted.flip == "fail_pass" else (1.0, 0.0)
        kept &= np.any((sides.passed[0] == before) & (sides.passed[1:] == after), axis=0)
    if wanted.slices or wanted.text:
        kept &= _found(browser, sides, UnitFilter(slices=wanted.slices, text=wanted.text))
    return kept


def _found(browser: Browser, sides: _Sides, wanted: UnitFilter) -> npt.NDArray[np.bool_]:
    """Which of the baseline's cases fit in any of the runs: a word may stand in one answer only."""
    found = np.zeros(sides.places.shape[1], dtype=np.bool_)
    for run, places in zip(sides.runs, sides.places, strict=True):
        fits = np.zeros(len(run.cases), dtype=np.bool_)
        fits[find_cases(browser.pool, run.index, wanted)] = True
        found |= (places >= 0) & fits[np.maximum(places, 0)]
    return found


def _ordered(sides: _Sides, cases: IntArray, sort: str) -> IntArray:
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name == "id":
        return cases[::-1] if down else cases
    values = {"abs_delta": np.abs(sides.widest), "delta": sides.widest, "value": sides.values[0]}[name][cases]
    keyed = np.where(np.isnan(values), np.inf, -values if down else values)
    return cases[np.lexsort((cases, keyed))]


def _rows(browser: Browser, sides: _Sides, cases: IntArray) -> list[CompareRow]:
    texts = [
        first_units(browser.pool, run.index, [int(at) for at in places[cases] if at >= 0])
        for run, places in zip(sides.runs, sides.places, strict=True)
    ]
    return [_row(sides, int(case), texts) for case in cases]


def _row(sides: _Sides, case: int, texts: Sequence[dict[int, ListedUnit]]) -> CompareRow:
    units = [found.get(int(at)) for found, at in zip(texts, sides.places[:, case], strict=True)]
    some = next((unit for unit in units if unit is not None), None)
    shown = sides.runs[0].cases[case]
    return CompareRow(
        case_id=shown.id,
        input=some.input if some else None,
        expected=some.expected if some else None,
        slices=some.slices if some else (),
        sides=tuple(_side(sides, place, case, unit) for place, unit in enumerate(units)),
        delta=_number(sides.widest[case]),
    )


def _side(sides: _Sides, place: int, case: int, unit: ListedUnit | None) -> Side:
    passed = _number(sides.passed[place, case])
    return Side(
        run_id=sides.runs[place].store.run_id,
        output=unit.output if unit else None,
        value=_number(sides.values[place, case]),
        passed=None if passed is None else passed > 0,
        error=unit.error if unit else None,
        latency_s=unit.latency_s if unit else None,
        cost=unit.cost if unit else None,
        delta=_number(sides.deltas[place - 1, case]) if place else None,
    )


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
