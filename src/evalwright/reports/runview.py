"""A run's summary as pages show it: verdict with rules, tiles, metric and slice rows, manifest parts."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evalwright.core.case import BadRow, Json
from evalwright.core.estimate import Estimate
from evalwright.core.gate import RuleResult, Verdict
from evalwright.core.result import Summary
from evalwright.core.run import Manifest
from evalwright.reports import figures
from evalwright.reports.facets import Facets
from evalwright.reports.figures import SMALL_N, Axis, Mark
from evalwright.reports.instruments import InstrumentRow, instrument_rows, short_line
from evalwright.reports.svg import Bar
from evalwright.reports.text import as_text, one_line, plural

MAX_SLICES = 100
"""Slices of one metric a page shows; the JSON report has all."""
MAX_LIMITS = 200
"""Changes of rate limits a page shows."""


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """One total: its name, its value, and a remark under it."""

    name: str
    value: str
    note: str = ""


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of the gate in words, with its figure."""

    word: str
    tone: str
    words: str
    warns: bool
    reasons: Sequence[str]
    bar: Bar | None
    value: str
    interval: str
    n: str
    certainty: str


class FigureRow(msgspec.Struct, frozen=True, kw_only=True):
    """A metric or a slice of it as a table row; `failing` cases can be jumped to by `token`."""

    name: str
    bar: Bar
    value: str
    interval: str
    n: str
    skipped: str
    errors: str
    note: str
    card: str
    small: bool
    baseline: str
    baseline_interval: str
    failing: str
    token: str


class SliceGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The slices of one metric, worst first."""

    name: str
    whole: str
    worst: str
    rows: Sequence[FigureRow]
    left_off: str
    open: bool


class LimitRow(msgspec.Struct, frozen=True, kw_only=True):
    """A change of a rate limit: when, and what."""

    at: str
    text: str


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the manifest to unfold."""

    name: str
    value: Json


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a page says of a run but its cases."""

    manifest: Manifest
    word: str
    tone: str
    sentence: str
    ending: str
    level: str
    small_n: int
    marked: bool
    baseline: str
    facts: Sequence[tuple[str, str]]
    rules: Sequence[RuleRow]
    tiles: Sequence[Tile]
    metrics: Sequence[FigureRow]
    instruments: Sequence[InstrumentRow]
    slices: Sequence[SliceGroup]
    notes: Sequence[str]
    details: Sequence[tuple[str, str]]
    bad_rows: Sequence[BadRow]
    bad_rows_title: str
    limits: Sequence[LimitRow]
    limits_title: str
    rerun: str
    identity: Sequence[tuple[str, str]]
    foldables: Sequence[Part]


def run_view(summary: Summary, facets: Facets, baseline: Summary | None = None) -> RunView:
    """The view of a run; `facets` says how many failing cases stand behind a metric or slice."""
    rows = _Rows(summary, facets, baseline)
    return RunView(
        manifest=summary.manifest,
        word=figures.verdict_word(summary),
        tone=str(summary.decision.verdict) if summary.decision else "plain",
        sentence=figures.verdict_sentence(summary),
        ending=figures.ending(summary.status),
        level=f"{summary.estimates[0].level:.0%}" if summary.estimates else "",
        small_n=SMALL_N,
        marked=bool(rows.marks),
        baseline=baseline.manifest.run_id if baseline else "",
        facts=_facts(summary.manifest),
        rules=[rows.rule(result) for result in (summary.decision.results if summary.decision else ())],
        tiles=tiles(summary),
        metrics=[rows.row(estimate) for estimate in figures.overall(summary.estimates)],
        instruments=instrument_rows(summary),
        slices=rows.groups(),
        notes=summary.notes,
        details=_details(summary),
        bad_rows=summary.bad_rows,
        bad_rows_title=_bad_rows_title(summary),
        limits_title=plural(len(summary.limits), "change of a rate limit", "changes of rate limits"),
        limits=[_limit_row(change) for change in summary.limits[:MAX_LIMITS]],
        rerun=figures.rerun_command(summary.manifest),
        identity=_identity(summary.manifest),
        foldables=_foldables(summary.manifest),
    )


class _Rows:
    """Rows of figures with the axes, bounds and counts they share."""

    def __init__(self, summary: Summary, facets: Facets, baseline: Summary | None) -> None:
        self.summary = summary
        self.facets = facets
        self.axes = figures.axes_of(summary)
        self.whole_axes = figures.axes_of(summary, slices=False)
        self.marks = figures.thresholds(summary.decision)
        self.wholes = {figures.name_of(row): row for row in figures.overall(summary.estimates)}
        self.before = {
            (figures.name_of(row), row.slice): row for row in (baseline.estimates if baseline is not None else ())
        }

    def row(self, estimate: Estimate) -> FigureRow:
        place = (figures.name_of(estimate), estimate.slice)
        kind, label = ("slice", estimate.slice) if estimate.slice else ("metric", estimate.metric)
        failing = self.facets.failing(kind, label)
        before = self.before.get(place)
        return FigureRow(
            name=estimate.slice or place[0],
            bar=self._bar(estimate),
            value=figures.number(estimate.value, estimate.unit),
            interval=figures.interval(estimate),
            n=f"{estimate.n:,}",
            skipped=f"{estimate.skipped:,}",
            errors=f"{estimate.errors:,}",
            note=estimate.note,
            card=""
            if estimate.slice or estimate.statistic == "corrected"
            else short_line(self.summary, estimate.metric),
            small=figures.is_small(estimate),
            baseline=figures.number(before.value, before.unit) if before else "–",
            baseline_interval=figures.interval(before) if before else "",
            failing=f"{failing:,}" if failing else "",
            token=self.facets.token(kind, label),
        )

    def _bar(self, estimate: Estimate) -> Bar:
        place = (figures.name_of(estimate), estimate.slice)
        whole = self.wholes.get(place[0])
        return Bar(
            estimate=estimate,
            axis=(self.axes if estimate.slice else self.whole_axes)[place[0]],
            marks=self.marks.get(place, ()),
            whole=whole.value if whole is not None and estimate.slice else None,
            baseline=self.before.get(place),
            tone=self._tone(estimate, self.marks.get(place, ())),
        )

    def _tone(self, estimate: Estimate, marks: Sequence[Mark]) -> str:
        verdicts = {mark.verdict for mark in marks}
        for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS):
            if verdict in verdicts:
                return str(verdict)
        return "small" if figures.is_small(estimate) else "plain"

    def groups(self) -> list[SliceGroup]:
        return [
            SliceGroup(
                name=name,
                whole=self._whole(name),
                worst=self._worst(rows),
                rows=[self.row(estimate) for estimate in rows[:MAX_SLICES]],
                left_off=f"{len(rows) - MAX_SLICES:,}" if len(rows) > MAX_SLICES else "",
                open=place < 2,
            )
            for place, (name, rows) in enumerate(figures.sliced(self.summary.estimates).items())
        ]

    def _whole(self, name: str) -> str:
        whole = self.wholes.get(name)
        return "–" if whole is None else f"{figures.number(whole.value, whole.unit)} {figures.interval(whole)}"

    def _worst(self, rows: Sequence[Estimate]) -> str:
        sound = [row for row in rows if row.value is not None and not figures.is_small(row)]
        return f"{one_line(sound[0].slice, 60)} {figures.number(sound[0].value, sound[0].unit)}" if sound else ""

    def rule(self, result: RuleResult) -> RuleRow:
        estimate, rule = result.estimate, result.rule
        unit = estimate.unit if estimate else ""
        return RuleRow(
            word=figures.WORDS[result.verdict].lower(),
            tone=str(result.verdict),
            words=rule.name or figures.rule_words(rule, unit),
            warns=rule.severity != "block",
            reasons=figures.rule_reasons(result),
            bar=self._rule_bar(result) if estimate else None,
            value=figures.number(estimate.value, unit) if estimate else "–",
            interval=figures.interval(estimate) if estimate else "–",
            n=f"{estimate.n:,}" if estimate else "0",
            certainty=_certainty(result, unit),
        )

    def _rule_bar(self, result: RuleResult) -> Bar | None:
        if result.estimate is None:
            return None
        rule, name = result.rule, figures.name_of(result.estimate)
        bounds = ((rule.at_least, True), (rule.at_most, False))
        marks = [Mark(value=v, minimum=side, verdict=result.verdict) for v, side in bounds if v is not None]
        axis = (self.axes if result.estimate.slice else self.whole_axes).get(name, Axis())
        return Bar(estimate=result.estimate, axis=axis, marks=marks, tone=str(result.verdict))


def _certainty(result: RuleResult, unit: str) -> str:
    """The one-sided bound in words: `95% sure: at least 0.841`."""
    value = result.estimate.value if result.estimate else None
    if result.bound is None or value is None:
        return f"asks for {result.rule.confidence:.0%} confidence"
    side = "at least" if result.bound <= value else "at most"
    return f"{result.rule.confidence:.0%} sure: {side} {figures.number(result.bound, unit)}"


def _facts(manifest: Manifest) -> list[tuple[str, str]]:
    facts = [
        ("run", manifest.run_id),
        ("started", figures.moment(manifest.created_at)),
        ("owner", manifest.owner or ""),
    ]
    facts += [("tier", str(manifest.tier))] if manifest.tier is not None else []
    facts += [("runbook", manifest.runbook or ""), ("tags", ", ".join(manifest.tags))]
    return [(name, value) for name, value in facts if value]


def tiles(summary: Summary) -> list[Tile]:
    """The totals of a run as name, value, remark; what is unknown is left out."""
    totals, dataset = summary.totals, summary.manifest.dataset
    tokens = totals.usage + totals.judge_usage
    retried = [plural(totals.retries, "failed attempt")] if totals.retries else []
    cached = [f"{totals.cached:,} from cache"] if totals.cached else []
    found = [
        Tile(name="Cases", value=f"{dataset.selected:,}", note=_of(dataset.selected, dataset.cases))
        if dataset
        else None,
        Tile(name="Failing cases", value=f"{summary.failing:,}"),
        Tile(name="Units without an answer", value=f"{totals.errored:,}", note=_of(totals.errored, totals.done)),
        Tile(name="Calls", value=f"{totals.calls:,}", note=", ".join(retried + cached)),
        _token_tile(tokens.input_tokens, tokens.output_tokens, estimated=tokens.estimated),
        _cost_tile(summary),
        *_latency_tiles(summary),
        Tile(name="Duration", value=figures.seconds(totals.duration_s)),
    ]
    return [tile for tile in found if tile is not None]


def _of(part: int, whole: int) -> str:
    return f"of {whole:,}" if part != whole and whole else ""


def _token_tile(inward: int, outward: int, *, estimated: bool) -> Tile | None:
    if not inward + outward:
        return None
    note = f"{inward:,} in, {outward:,} out" + (", partly estimated" if estimated else "")
    return Tile(name="Tokens", value=f"{inward + outward:,}", note=note)


def _cost_tile(summary: Summary) -> Tile | None:
    totals = summary.totals
    known = [cost for cost in (totals.cost, totals.judge_cost) if cost is not None]
    if not known:
        return None
    note = f"judges {figures.money(totals.judge_cost)}" if totals.judge_cost else ""
    return Tile(name="Cost", value=figures.money(sum(known)), note=note)


def _latency_tiles(summary: Summary) -> list[Tile]:
    """Percentiles of latency over all cases, with their intervals, where the run measured them."""
    return [
        Tile(
            name=f"Latency {row.statistic}",
            value=figures.number(row.value, row.unit),
            note=figures.interval(row) if row.ci else "",
        )
        for row in figures.overall(summary.estimates)
        if row.metric.startswith("latency") and row.statistic.startswith("p")
    ]


def _details(summary: Summary) -> list[tuple[str, str]]:
    manifest, totals = summary.manifest, summary.totals
    dataset, settings = manifest.dataset, manifest.settings
    rows = [("Status", f"{summary.status}. {figures.ending(summary.status)}".removesuffix(". "))]
    if dataset is not None:
        version = f" {dataset.version}" if dataset.version else ""
        aside = f", {plural(dataset.bad_rows, 'row')} set aside" if dataset.bad_rows else ""
        rows.append(("Dataset", f"{dataset.source}{version}: {dataset.selected:,} of {dataset.cases:,} cases{aside}"))
    rows.append(
        ("Settings", f"{plural(settings.trials, 'trial')}, {settings.concurrency} at once, seed {settings.seed}")
    )
    rows.append(("Models answering", ", ".join(f"{one_line(m, 80)} ({n:,})" for m, n in totals.models.items())))
    rows.append(("Code", _code(manifest)))
    return [(name, value) for name, value in rows if value]


def _code(manifest: Manifest) -> str:
    code = manifest.code
    if code.commit is None:
        return ""
    state = ", with uncommitted changes" if code.dirty else ""
    return f"{code.commit[:12]}{f' on {code.branch}' if code.branch else ''}{state}"


def _bad_rows_title(summary: Summary) -> str:
    dataset = summary.manifest.dataset
    total = max(len(summary.bad_rows), dataset.bad_rows if dataset else 0)
    shown = f" (the first {len(summary.bad_rows):,} are shown)" if total > len(summary.bad_rows) else ""
    return f"{plural(total, 'dataset row')} set aside{shown}"


def _limit_row(change: dict[str, Json]) -> LimitRow:
    rest = {key: value for key, value in change.items() if key != "at_s"}
    known = {"key", "limit", "reason"} >= rest.keys()
    text = (
        f"{rest.get('key', '')}: {rest.get('limit', '')} at once, {rest.get('reason', '')}" if known else as_text(rest)
    )
    at = change.get("at_s")
    return LimitRow(at=figures.seconds(float(at)) if isinstance(at, int | float) else "", text=text)


def _identity(manifest: Manifest) -> list[tuple[str, str]]:
    dataset = manifest.dataset
    rows = [
        ("Run", manifest.run_id),
        ("Suite file", manifest.suite_path or ""),
        ("Suite hash", manifest.suite_hash),
        ("Target hash", manifest.target_hash),
        ("Dataset hash", dataset.digest if dataset else ""),
        ("Code commit", manifest.code.commit or ""),
        ("Command", manifest.command or ""),
    ]
    return [(name, value) for name, value in rows if value]


def _foldables(manifest: Manifest) -> list[Part]:
    parts = [
        Part(name="Target", value=manifest.target),
        Part(name="Settings", value=msgspec.to_builtins(manifest.settings)),
        Part(name="Slices", value=manifest.slices),
        Part(name="Gate", value=list(manifest.gate)),
        Part(name="Packages", value=manifest.packages),
        Part(name="Environment", value=manifest.environment),
        Part(name="Suite file as it was run", value=manifest.suite_source),
    ]
    return [part for part in parts if part.value]
