"""One HTML file that opens from disk: verdict, metrics, slices, every failing case in full, filters, manifest.

Cases are read once and written as they come: the failing ones and a part of the others go to two temporary files
that are put behind the head, which needs to know how many there were. Memory does not grow with the run.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import IO

import msgspec
from jinja2 import Environment

from evalwright.core.case import Case
from evalwright.core.output import Output, Passage
from evalwright.core.result import CaseResult, Summary
from evalwright.core.run import UnitRecord
from evalwright.core.score import Score, ScoreStatus
from evalwright.reports import caseview, figures
from evalwright.reports.caseview import CaseStatus, Reason, Span
from evalwright.reports.facets import Facet, Facets
from evalwright.reports.options import ReportOptions
from evalwright.reports.pages import environment, page
from evalwright.reports.runview import run_view

_OPEN = 3
_REASONS = 3
_ASIDE = 60
_MEMORY = 1_000_000
_Spool = tempfile.SpooledTemporaryFile[str]
_FILTERS = {
    "status": ("Status", "Any status"),
    "metric": ("Failed metric", "Any failed metric"),
    "slice": ("Slice", "Any slice"),
    "tag": ("Tag", "Any tag"),
}


class ScoreRow(msgspec.Struct, frozen=True, kw_only=True):
    """A score with its metric, its status in a word and its value with the unit; `aside`: the reason fits beside it."""

    metric: str
    word: str
    value: str
    score: Score
    aside: bool


class ContextRow(msgspec.Struct, frozen=True, kw_only=True):
    """A retrieved passage: its rank, whether the answer cites it, and what scorers point at in it."""

    rank: int
    passage: Passage
    cited: bool
    spans: Sequence[Span]
    open: bool


class TrialView(msgspec.Struct, frozen=True, kw_only=True):
    """One trial of a case."""

    unit: UnitRecord
    output: Output | None
    word: str
    tone: str
    open: bool
    spans: Sequence[Span]
    facts: Sequence[tuple[str, str]]
    scores: Sequence[ScoreRow]
    contexts: Sequence[ContextRow]
    stray: Sequence[str]


class CaseView(msgspec.Struct, frozen=True, kw_only=True):
    """A case as its article shows it."""

    id: str
    case: Case
    anchor: str
    status: str
    word: str
    open: bool
    headline: str
    trial_note: str
    reasons: Sequence[Reason]
    more_reasons: int
    tokens: Sequence[str]
    slices: Sequence[str]
    trials: Sequence[TrialView]
    command: str


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A drop-down of the page."""

    kind: str
    name: str
    any: str
    options: Sequence[Facet]
    left_off: int


class Counts(msgspec.Struct):
    """How many cases were seen, and how many of those that did not fail are shown.

    `errors` of the cases that need attention could not be judged; `unfailed` of these have no failed row verdict and an
    answer to every trial: only a scorer broke on them.
    """

    attention: int = 0
    unfailed: int = 0
    others: int = 0
    shown: int = 0
    errors: int = 0

    @property
    def unshown(self) -> int:
        """Other cases that are not in the file."""
        return self.others - self.shown

    @property
    def sentence(self) -> str:
        """What the list of failing cases holds."""
        words = ["All of them, in full."]
        if self.errors:
            words.append(f"{self.errors:,} could not be judged because something broke.")
        if self.unfailed:
            words.append(f"On {self.unfailed:,} of these only a scorer broke: they do not count as failing.")
        return " ".join(words)

    @property
    def others_sentence(self) -> str:
        """What the list of other cases holds."""
        if not self.unshown:
            return "Passed, or without a row verdict. Open one to see it in full."
        return f"Passed, or without a row verdict. The first {self.shown:,} are listed."


def write(stream: IO[str], summary: Summary, cases: Iterable[CaseResult], options: ReportOptions) -> None:
    """Write the report to a text stream (UTF-8).

    Raises:
        OSError: The stream or a temporary file can't be written.
    """
    env = environment(options.max_text, options.media)
    with _spool() as failing, _spool() as rest:
        report = _CaseWriter(env, summary, options)
        for result in cases:
            report.add(result, failing, rest)
        view = run_view(summary, report.facets, options.baseline)
        shared = {"run": view, "counts": report.counts, "page": page(), "filters": _filters(report.facets)}
        stream.write(env.get_template("run_head.html").render(shared))
        _append(failing, stream)
        stream.write(env.get_template("run_mid.html").render(shared))
        _append(rest, stream)
        stream.write(env.get_template("run_tail.html").render(shared))


def _spool() -> _Spool:
    return tempfile.SpooledTemporaryFile(max_size=_MEMORY, mode="w+", encoding="utf-8", newline="")


def _append(source: _Spool, stream: IO[str]) -> None:
    source.seek(0)
    shutil.copyfileobj(source, stream, 1 << 16)


class _CaseWriter:
    """Writes each case to its list and counts what the page can be filtered by."""

    def __init__(self, env: Environment, summary: Summary, options: ReportOptions) -> None:
        self._template = env.get_template("case.html")
        self._manifest = summary.manifest
        self._options = options
        self._units = {scorer.metric: scorer.unit for scorer in summary.manifest.scorers if scorer.unit}
        self.facets = Facets()
        self.counts = Counts()

    def add(self, result: CaseResult, failing: _Spool, rest: _Spool) -> None:
        status = caseview.status_of(result)
        attention = caseview.needs_attention(status)
        if attention:
            self.counts.attention += 1
            self.counts.errors += status is CaseStatus.ERROR
            self.counts.unfailed += result.passed is not False
        else:
            self.counts.others += 1
            if self.counts.shown >= self._options.max_passed:
                return
            self.counts.shown += 1
        view = self._view(result, status)
        (failing if attention else rest).write(self._template.render(view=view) + "\n")

    def _view(self, result: CaseResult, status: CaseStatus) -> CaseView:
        reasons = caseview.reasons_of(result)
        return CaseView(
            id=result.case.id,
            case=result.case,
            anchor=caseview.anchor(result.case.id),
            status=str(status),
            word=caseview.WORDS[status],
            open=caseview.needs_attention(status) and self.counts.attention <= _OPEN,
            headline=caseview.headline(result),
            trial_note=_trial_note(result),
            reasons=reasons[:_REASONS],
            more_reasons=len(reasons) - _REASONS if len(reasons) > _REASONS else 0,
            tokens=self._tokens(result, status),
            slices=caseview.slice_labels(result.slices),
            trials=[_trial(unit, self._units) for unit in result.trials],
            command=figures.show_command(self._manifest, result.case.id),
        )

    def _tokens(self, result: CaseResult, status: CaseStatus) -> list[str]:
        bad = caseview.needs_attention(status)
        labels = [("status", caseview.WORDS[status])]
        labels += [("metric", metric) for metric in caseview.failing_metrics(result)]
        labels += [("slice", label) for label in caseview.slice_labels(result.slices)]
        labels += [("tag", tag) for tag in dict.fromkeys(result.case.tags)]
        return [self.facets.count(kind, label, failing=bad) for kind, label in labels]


def _filters(facets: Facets) -> list[Filter]:
    return [
        Filter(
            kind=kind,
            name=_FILTERS[kind][0],
            any=_FILTERS[kind][1],
            options=facets.options(kind),
            left_off=facets.left_off(kind),
        )
        for kind in facets
    ]


def _trial_note(result: CaseResult) -> str:
    if len(result.trials) < 2:
        return ""
    bad = sum(caseview.unit_failed(unit) for unit in result.trials)
    return f"{bad} of {len(result.trials)} trials failed"


def _trial(unit: UnitRecord, units: Mapping[str, str]) -> TrialView:
    output = unit.output
    status = caseview.unit_word(unit)
    return TrialView(
        unit=unit,
        output=output,
        word=caseview.WORDS[status],
        tone=str(status),
        open=caseview.needs_attention(status),
        spans=caseview.output_spans(unit, output.text) if output else (),
        facts=caseview.meta_words(output, unit) if output else (),
        scores=score_rows(unit, units),
        contexts=list(_contexts(unit, output)) if output else (),
        stray=_stray(output) if output else (),
    )


def score_rows(unit: UnitRecord, units: Mapping[str, str]) -> list[ScoreRow]:
    """The scores of a trial: failed first, then errors, then the rest in their order.

    Args:
        unit: The trial.
        units: Units of the metrics that have one.
    """
    rows = [_score_row(metric, score, units.get(metric, "")) for metric, score in unit.scores.items()]
    return sorted(rows, key=lambda row: (row.score.passed is not False, row.score.status is not ScoreStatus.ERROR))


def _score_row(metric: str, score: Score, unit: str) -> ScoreRow:
    word = caseview.score_word(score)
    short = 0 < len(score.reason) <= _ASIDE and "\n" not in score.reason and score.reason != score.label
    return ScoreRow(
        metric=metric,
        word=word,
        value=caseview.score_value(score, unit),
        score=score,
        aside=short and word not in {"failed", "error"},
    )


def _contexts(unit: UnitRecord, output: Output) -> Iterator[ContextRow]:
    cited = set(output.citations)
    for place, passage in enumerate(output.contexts):
        spans = caseview.context_spans(unit, place, passage.text)
        yes = passage.id in cited
        yield ContextRow(rank=place + 1, passage=passage, cited=yes, spans=spans, open=bool(spans))


def _stray(output: Output) -> list[str]:
    """Citations of passages that were not retrieved; none when no passage is known."""
    known = {passage.id for passage in output.contexts}
    return list(dict.fromkeys(c for c in output.citations if c not in known))[:20] if known else []
