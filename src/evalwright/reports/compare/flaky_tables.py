"""Flaky and changed cases in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from evalwright.core.flakiness import FlakyCase, FlakyReport, MetricStability, Stability
from evalwright.reports import figures
from evalwright.reports.columns import Column, table
from evalwright.reports.compare import words
from evalwright.reports.text import one_line, plural, visible

STYLES = {Stability.CHANGED: "red", Stability.FLAKY: "yellow", Stability.OPEN: ""}


def flaky_summary(report: FlakyReport, *, width: int = 100, limit: int = 20) -> Group:
    """How steady each metric is, and the cases that are not."""
    parts: list[RenderableType] = [Text(_title(report), style="dim"), Text(_sentence(report))]
    if report.metrics:
        drawn = table(_metric_columns(report.metrics), width=width)
        parts += ["", Text("Metrics", style="bold"), *([drawn] if drawn is not None else [])]
    if report.cases:
        parts += ["", Text("Cases", style="bold"), _cases(report.cases[:limit], width)]
        left = len(report.cases) - limit
        parts += [Text(f"  … {left:,} more with --json", style="dim")] if left > 0 else []
    parts += [Text(f"note: {visible(note)}", style="yellow") for note in report.notes]
    return Group(*parts)


def _title(report: FlakyReport) -> str:
    same = f" with {plural(len(report.same), 'run')} of the same version" if report.same else ""
    before = f" · history: {plural(len(report.before), 'run')} of other versions" if report.before else ""
    return one_line(f"{report.suite} · {report.run}{same}{before}", 300)


def _sentence(report: FlakyReport) -> str:
    kinds = [case.stability for case in report.cases]
    if not kinds:
        return "Every verdict is the same in all trials looked at."
    parts = [
        f"{plural(kinds.count(kind), 'verdict')} {word}"
        for kind, word in (
            (Stability.CHANGED, "truly changed"),
            (Stability.FLAKY, "flaky: passed and failed on the same version"),
            (Stability.OPEN, "changed or flaky: too few trials to tell"),
        )
        if kind in kinds
    ]
    return "; ".join(parts) + "."


def _metric_columns(rows: Sequence[MetricStability]) -> list[Column]:
    return [
        Column(name="metric", cells=[one_line(row.metric, 50) for row in rows], flexible=True),
        Column(name="cases", cells=[f"{row.cases:,}" for row in rows], right=True, drop=4),
        Column(name="repeated", cells=[f"{row.repeated:,}" for row in rows], right=True),
        Column(name="two trials disagree", cells=[_rate(row) for row in rows], right=True, style="bold"),
        Column(name="flips by chance", cells=[_flips(row) for row in rows], right=True, drop=3),
        Column(name="noise", cells=[_share(row.noise) for row in rows], right=True, drop=1),
        Column(name="flaky", cells=[f"{row.flaky:,}" for row in rows], right=True),
        Column(name="changed", cells=[f"{row.changed:,}" for row in rows], right=True),
        Column(name="open", cells=[f"{row.open:,}" for row in rows], right=True, drop=2),
    ]


def _rate(row: MetricStability) -> str:
    if not row.verdicts:
        return "" if row.sd is None else f"sd {figures.digits(row.sd)}"
    if row.flip_rate is None:
        return "–"
    ends = "" if row.low is None or row.high is None else f" ({row.low * 100:.1f} to {row.high * 100:.1f})"
    return f"{row.flip_rate * 100:.1f} %{ends}"


def _flips(row: MetricStability) -> str:
    return "" if row.expected_flips is None else f"about {row.expected_flips:,.0f} a run"


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _cases(rows: Sequence[FlakyCase], width: int) -> RenderableType:
    columns = [
        Column(name="case", cells=[one_line(row.case_id, 60) for row in rows], flexible=True),
        Column(name="metric", cells=[one_line(row.metric, 40) for row in rows], flexible=True),
        Column(name="", cells=[row.stability.value for row in rows]),
        Column(name="before", cells=[_count(row.before_passes, row.before_trials) for row in rows], right=True),
        Column(name="now", cells=[_now(row) for row in rows], right=True),
        Column(
            name="two disagree", cells=["" if row.sd else _share(row.flip_rate) for row in rows], right=True, drop=2
        ),
        Column(
            name="p adj.", cells=["" if row.p is None else words.p_value(row.p) for row in rows], right=True, drop=1
        ),
    ]
    drawn = table(columns, width=width)
    return drawn if drawn is not None else Text("\n".join(f"  {row.case_id} {row.stability.value}" for row in rows))


def _count(passes: int, trials: int) -> str:
    return f"{passes} of {trials}" if trials else ""


def _now(row: FlakyCase) -> str:
    if row.sd is not None and row.mean is not None:
        return f"{figures.digits(row.mean)} ± {figures.digits(row.sd)}"
    return _count(row.passes, row.trials)
