"""The trace of one answer as a tree served in pages: children on demand, so that ten thousand spans stay usable."""

from __future__ import annotations

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import NotFound
from evalwright.core.output import Step
from evalwright.core.run import UnitRecord
from evalwright.services.browsing.browser import Browser
from evalwright.services.browsing.case import index_of, units_of
from evalwright.services.browsing.paging import checked_limit

PREVIEW = 200
_TOKENS = ("total_tokens", "tokens")
_USAGE = ("usage", "token_usage", "usage_metadata")


class PinnedScore(msgspec.Struct, frozen=True, kw_only=True):
    """A verdict whose evidence points at this span."""

    metric: str
    passed: bool | None
    value: float | None
    note: str = ""


class SpanRow(msgspec.Struct, frozen=True, kw_only=True):
    """A span of a trace as the tree shows it.

    Attributes:
        id: Number of the span in the order of the trace, from 0, as text.
        parent: The span it is part of.
        depth: Levels above it.
        name: Name.
        kind: `llm`, `tool`, `retrieval`, `agent`, …
        started_s: Seconds since the trace began; None when unknown.
        duration_s: Seconds; None when unknown.
        tokens: None when unknown.
        cost: None when unknown.
        children: Spans directly below it.
        below: All spans below it.
        error: What went wrong.
        scores: Verdicts that point at it.
        preview: Beginning of its output, else of its input.
    """

    id: str
    parent: str | None
    depth: int
    name: str
    kind: str
    started_s: float | None
    duration_s: float | None
    tokens: int | None
    cost: float | None
    children: int
    below: int
    error: str | None
    scores: tuple[PinnedScore, ...]
    preview: str


class SpanPage(msgspec.Struct, frozen=True, kw_only=True):
    """Children of a span, or the roots of the trace.

    Attributes:
        items: The spans.
        total: How many children there are.
        spans_total: Spans of the whole trace.
        duration_s: Seconds from the first start to the last end; None when unknown.
        next: Send as `after` for the spans after these; None at the end.
    """

    items: tuple[SpanRow, ...]
    total: int
    spans_total: int
    duration_s: float | None
    next: str | None = None


class SpanDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A span with everything it holds."""

    row: SpanRow
    input: Json
    output: Json
    path: tuple[SpanRow, ...]


class Trace:
    """A trace laid out flat, in the order of the spans.

    Attributes:
        steps: The spans.
        rows: The spans as the tree shows them.
        children: By span, and None for the trace itself: numbers of the spans directly below.
        duration_s: Seconds from the first start to the last end.
    """

    def __init__(self, record: UnitRecord) -> None:
        self.steps: list[Step] = []
        self._parents: list[int | None] = []
        self._below: list[int] = []
        self._depth: list[int] = []
        self.children: dict[int | None, list[int]] = {None: []}
        self._lay_out(record.output.steps if record.output else ())
        starts = [step.start_s for step in self.steps if step.start_s is not None]
        ends = [s.start_s + s.duration_s for s in self.steps if s.start_s is not None and s.duration_s is not None]
        self._began = min(starts, default=0.0)
        self.duration_s = max(ends) - self._began if ends else None
        pins = _pins(record)
        self.rows = [self._row(number, pins.get(number, ())) for number in range(len(self.steps))]

    def _lay_out(self, roots: tuple[Step, ...]) -> None:
        """Number the spans in the order of the trace, without recursion: a trace may be as deep as it is long."""
        waiting: list[tuple[Step, int | None]] = [(step, None) for step in reversed(roots)]
        while waiting:
            step, parent = waiting.pop()
            number = len(self.steps)
            self.steps.append(step)
            self._parents.append(parent)
            self._below.append(0)
            self._depth.append(0 if parent is None else self._depth[parent] + 1)
            self.children[number] = []
            self.children[parent].append(number)
            waiting.extend((child, number) for child in reversed(step.children))
        for number in range(len(self.steps) - 1, -1, -1):
            parent = self._parents[number]
            if parent is not None:
                self._below[parent] += 1 + self._below[number]

    def _row(self, number: int, scores: tuple[PinnedScore, ...]) -> SpanRow:
        step, parent = self.steps[number], self._parents[number]
        return SpanRow(
            id=str(number),
            parent=None if parent is None else str(parent),
            depth=self._depth[number],
            name=step.name or step.kind,
            kind=step.kind,
            started_s=None if step.start_s is None else step.start_s - self._began,
            duration_s=step.duration_s,
            tokens=_tokens(step),
            cost=_cost(step),
            children=len(self.children[number]),
            below=self._below[number],
            error=step.error,
            scores=scores,
            preview=_preview(step),
        )

    def path(self, number: int) -> list[int]:
        """The spans above one, outermost first."""
        found: list[int] = []
        parent = self._parents[number]
        while parent is not None and len(found) < 1_000:
            found.append(parent)
            parent = self._parents[parent]
        return found[::-1]

    def number(self, span: str) -> int:
        """Number of a span by its id.

        Raises:
            NotFound: There is none.
        """
        if not span.isascii() or not span.isdecimal() or int(span) >= len(self.steps):
            raise NotFound(f"the trace has no span {span!r}")
        return int(span)


def _pins(record: UnitRecord) -> dict[int, tuple[PinnedScore, ...]]:
    """By span: the verdicts whose evidence names it. Tool calls are the tool spans, in order."""
    steps = _flat(record)
    tools = [number for number, step in enumerate(steps) if step.kind == "tool"]
    found: dict[int, list[PinnedScore]] = {}
    for metric, score in record.scores.items():
        for item in score.evidence:
            places = tools if item.where == "tool_call" else range(len(steps)) if item.where == "step" else ()
            if item.index is not None and 0 <= item.index < len(places):
                pin = PinnedScore(metric=metric, passed=score.passed, value=score.value, note=item.note)
                found.setdefault(places[item.index], []).append(pin)
    return {number: tuple(pins) for number, pins in found.items()}


def _flat(record: UnitRecord) -> list[Step]:
    found: list[Step] = []
    waiting = list(reversed(record.output.steps)) if record.output else []
    while waiting:
        step = waiting.pop()
        found.append(step)
        waiting.extend(reversed(step.children))
    return found


def _tokens(step: Step) -> int | None:
    usage = _usage(step)
    known = [usage[name] for name in _TOKENS if isinstance(usage.get(name), int)]
    if known:
        return int(known[0])
    parts = [value for name, value in usage.items() if name.endswith("_tokens") and isinstance(value, int)]
    return sum(parts[:2]) if parts else None


def _usage(step: Step) -> dict[str, Json]:
    if not isinstance(step.output, dict):
        return {}
    return next((step.output[name] for name in _USAGE if isinstance(step.output.get(name), dict)), {})


def _cost(step: Step) -> float | None:
    cost = step.output.get("cost") if isinstance(step.output, dict) else None
    return float(cost) if isinstance(cost, int | float) and not isinstance(cost, bool) else None


def _preview(step: Step) -> str:
    value = step.output if step.output is not None else step.input
    if value is None:
        return ""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text[:PREVIEW]


def trace_of(browser: Browser, run_id: str, case_id: str, trial: int) -> Trace:
    """The trace of an answer, kept ready for the next question.

    Raises:
        NotFound: There is no such run, case or trial.
    """
    run = browser.run(run_id)
    key = (run_id, case_id, trial, run.tables.written)
    return browser.traces.get(key, lambda: Trace(_record(browser, run_id, case_id, trial)))


def _record(browser: Browser, run_id: str, case_id: str, trial: int) -> UnitRecord:
    run = browser.run(run_id)
    for record in units_of(run, index_of(run, case_id)):
        if record.trial == trial:
            return record
    raise NotFound(f"the run {run_id} has no trial {trial} of the case {case_id!r}")


def trace_page(trace: Trace, *, parent: str | None = None, after: str | None = None, limit: int = 500) -> SpanPage:
    """Children of a span, or the roots.

    Args:
        trace: The trace.
        parent: Id of the span; None for the roots.
        after: Id of the last span seen; None for the beginning.
        limit: How many at most.

    Raises:
        NotFound: There is no such span.
    """
    numbers = trace.children[None if parent is None else trace.number(parent)]
    start = numbers.index(trace.number(after)) + 1 if after is not None and trace.number(after) in numbers else 0
    chosen = numbers[start : start + checked_limit(limit)]
    more = start + len(chosen) < len(numbers)
    return SpanPage(
        items=tuple(trace.rows[number] for number in chosen),
        total=len(numbers),
        spans_total=len(trace.steps),
        duration_s=trace.duration_s,
        next=str(chosen[-1]) if more and chosen else None,
    )


def span_detail(trace: Trace, span: str) -> SpanDetail:
    """One span as a whole.

    Raises:
        NotFound: There is none.
    """
    number = trace.number(span)
    step = trace.steps[number]
    return SpanDetail(
        row=trace.rows[number],
        input=step.input,
        output=step.output,
        path=tuple(trace.rows[above] for above in trace.path(number)),
    )
