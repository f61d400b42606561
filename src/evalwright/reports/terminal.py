"""The end of `evalwright run` and `evalwright show RUN` in a terminal: verdict first, readable without colour."""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence

import msgspec
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from evalwright.core.estimate import Estimate
from evalwright.core.gate import RuleResult, Verdict
from evalwright.core.result import Summary
from evalwright.core.run import RunStatus
from evalwright.reports import figures
from evalwright.reports.bars import text_bar
from evalwright.reports.casetext import case_detail, print_case
from evalwright.reports.columns import Column, table
from evalwright.reports.instruments import HEADING, instrument_rows
from evalwright.reports.text import one_line, plural, visible

__all__ = ["View", "case_detail", "print_case", "print_summary", "render_text", "run_summary", "view_for"]

STYLES = {
    "PASS": "bold green",
    "FAIL": "bold red",
    "INCONCLUSIVE": "bold yellow",
    "NO GATE": "bold",
}
_MAX_NOTES = 8


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What the terminal can do and how much to show.

    Attributes:
        width: Columns.
        ascii_only: No box characters.
        slices: How many of the worst slices to show.
        reports: Where reports were written: format to path.
        failing: Ids of some failing cases, to name one in the hint on what to do next.
        fold_paths: Fold paths and commands at the width; otherwise they stay on one line, to be copied.
    """

    width: int = 80
    ascii_only: bool = False
    slices: int = 6
    reports: Mapping[str, str] = {}
    failing: tuple[str, ...] = ()
    fold_paths: bool = True


def view_for(console: Console, *, reports: Mapping[str, str] | None = None, failing: Sequence[str] = ()) -> View:
    """The view that fits a console: its width, and whether its encoding has box characters."""
    plain = not console.encoding.lower().startswith("utf")
    return View(width=console.width, ascii_only=plain, reports=reports or {}, failing=tuple(failing), fold_paths=False)


def print_summary(
    console: Console, summary: Summary, *, reports: Mapping[str, str] | None = None, failing: Sequence[str] = ()
) -> None:
    """Print a run's summary on a console, as wide as it is.

    Args:
        console: Where to print.
        summary: The run.
        reports: Where reports were written: format to path.
        failing: Ids of some failing cases, to name one in the hint.
    """
    console.print(run_summary(summary, view_for(console, reports=reports, failing=failing)), crop=False)


def render_text(content: RenderableType, *, width: int = 80) -> str:
    """A renderable as plain text without colour or escapes, for files and tests."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False, legacy_windows=False)
    console.print(content)
    stream = console.file
    return stream.getvalue() if isinstance(stream, io.StringIO) else ""


def run_summary(summary: Summary, view: View | None = None) -> Group:
    """Everything the terminal shows of a finished run: verdict, rules, metrics, worst slices, totals, where to look."""
    view = view or View()
    parts: list[RenderableType] = [_title(summary), *_verdict(summary)]
    if figures.overall(summary.estimates):
        parts += ["", _heading("Metrics"), _metrics(summary, view)]
    if summary.instruments:
        parts += ["", _heading(HEADING), _instruments(summary, view)]
    worst = figures.worst_slices(summary, view.slices)
    if worst:
        parts += ["", _heading("Slices furthest behind"), _slices(summary, worst, view)]
    parts += ["", _totals(summary), *_notes(summary), *_where(summary, view)]
    return Group(*parts)


def _heading(words: str) -> Text:
    return Text(words, style="bold")


def _title(summary: Summary) -> Text:
    manifest = summary.manifest
    version = f" v{manifest.suite_version}" if manifest.suite_version else ""
    words = [f"{manifest.suite}{version}", manifest.target_name, f"run {manifest.run_id}"]
    return Text(one_line(" · ".join(word for word in words if word), 400), style="dim")


def _verdict(summary: Summary) -> list[RenderableType]:
    word = figures.verdict_word(summary)
    line = Text.assemble((word, STYLES[word]), "  ", visible(figures.verdict_sentence(summary)))
    parts: list[RenderableType] = ["", line]
    if figures.ending(summary.status):
        parts.append(Text(figures.ending(summary.status), style="yellow"))
    if summary.decision is not None and summary.decision.results:
        parts += ["", _rules(summary.decision.results)]
    return parts


def _rules(results: Sequence[RuleResult]) -> RenderableType:
    grid = Table.grid(padding=(0, 2), expand=False)
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for result in results:
        word = figures.WORDS[result.verdict]
        grid.add_row(Text(word.lower(), style=STYLES[word]), _rule_text(result))
    return Padding(grid, (0, 0, 0, 2), expand=False)


def _rule_text(result: RuleResult) -> Text:
    estimate = result.estimate
    text = Text(visible(figures.rule_words(result.rule, estimate.unit if estimate else "")))
    if result.rule.severity != "block":
        text.append(" (warns only)", style="dim")
    if result.verdict is not Verdict.PASS:
        text.append("".join(f"\n{visible(line)}" for line in figures.rule_reasons(result)), style="dim")
    elif estimate is not None:
        value = f"{figures.number(estimate.value, estimate.unit)} {figures.interval(estimate)}"
        text.append(f"; measured {value}, n={estimate.n:,}")
    return text


def _metrics(summary: Summary, view: View) -> RenderableType:
    rows = figures.overall(summary.estimates)
    names = [one_line(figures.name_of(row), 60) for row in rows]
    columns = [
        Column(name="metric", cells=names, flexible=True),
        *_figure_columns(rows, f"{rows[0].level:.0%} interval"),
        Column(name="skip", cells=[f"{row.skipped:,}" for row in rows], right=True),
        Column(name="err", cells=[f"{row.errors:,}" for row in rows], right=True),
    ]
    for width in (30, 20, 12):
        drawn = table([*columns, _bars(summary, rows, view, width)], width=view.width)
        if drawn is not None:
            return drawn
    return table(columns, width=view.width) or _stacked(zip(names, rows, strict=True))


def _figure_columns(rows: Sequence[Estimate], level: str) -> list[Column]:
    values = [figures.number(row.value, row.unit) for row in rows]
    return [
        Column(name="value", cells=values, right=True, style="bold"),
        Column(name=level, cells=[figures.interval(row) for row in rows], right=True),
        Column(name="n", cells=[f"{row.n:,}" for row in rows], right=True),
    ]


def _bars(summary: Summary, rows: Sequence[Estimate], view: View, width: int) -> Column:
    axes, marks = figures.axes_of(summary, slices=False), figures.thresholds(summary.decision)
    places = [(figures.name_of(row), row.slice) for row in rows]
    cells = [
        text_bar(row, axes[place[0]], width=width, marks=marks.get(place, ()), ascii_only=view.ascii_only)
        for row, place in zip(rows, places, strict=True)
    ]
    return Column(name="", cells=cells)


def _stacked(rows: Iterable[tuple[str, Estimate]]) -> RenderableType:
    """For narrow windows: the name on one line, its figures on the next."""
    text = Text()
    for name, row in rows:
        text.append(f"{name}\n", style="bold")
        left_out = figures.counts_note(row)
        text.append(f"  {figures.number(row.value, row.unit)} {figures.interval(row)} n={row.n:,}")
        text.append(f", {left_out}\n" if left_out else "\n")
    text.right_crop(1)
    return Padding(text, (0, 0, 0, 2), expand=False)


def _instruments(summary: Summary, view: View) -> RenderableType:
    rows = instrument_rows(summary)
    columns = [
        Column(name="metric", cells=[one_line(row.metric, 60) for row in rows], flexible=True),
        Column(name="flags right", cells=[row.precision for row in rows]),
        Column(name="found", cells=[row.recall for row in rows]),
        Column(name="left alone", cells=[row.specificity for row in rows]),
        Column(name="labels", cells=[row.n.partition(" +")[0] for row in rows], right=True, drop=1),
    ]
    drawn = table(columns, width=view.width)
    if drawn is None:
        lines = Text("\n").join(Text(visible(f"{row.metric}: {row.short}")) for row in rows)
        return Padding(lines, (0, 0, 0, 2), expand=False)
    remarks = [Text(visible(f"  {row.metric}: {row.remark}"), style="dim") for row in rows if row.remark]
    return Group(drawn, *remarks)


def _slices(summary: Summary, rows: Sequence[Estimate], view: View) -> RenderableType:
    small = ["too few cases" if figures.is_small(row) else "" for row in rows]
    wholes = {figures.name_of(row): row for row in figures.overall(summary.estimates)}
    whole = [wholes[figures.name_of(row)] for row in rows]
    names = [one_line(figures.name_of(row), 60) for row in rows]
    columns = [
        Column(name="metric", cells=names, flexible=True),
        Column(name="slice", cells=[one_line(row.slice, 60) for row in rows], flexible=True),
        *_figure_columns(rows, "interval"),
        Column(name="all", cells=[figures.number(row.value, row.unit) for row in whole], right=True, drop=1),
        Column(name="", cells=small, style="yellow"),
    ]
    titles = [f"{name} {row.slice} {note}".rstrip() for name, row, note in zip(names, rows, small, strict=True)]
    return table(columns, width=view.width) or _stacked(zip((one_line(t, 60) for t in titles), rows, strict=True))


def _totals(summary: Summary) -> Text:
    totals = summary.totals
    words = [plural(totals.done, "unit") + (f" of {totals.units:,}" if totals.done != totals.units else "")]
    words.append(plural(summary.failing, "failing case"))
    words += [plural(totals.errored, "error")] if totals.errored else []
    again = max(0, totals.retries - totals.errored)  # the last attempt of a unit that failed for good is not repeated
    words.append(plural(totals.calls, "call") + (f" ({again:,} retried)" if again else ""))
    words += [f"{totals.cached:,} from cache"] if totals.cached else []
    tokens = totals.usage.total_tokens + totals.judge_usage.total_tokens
    words += [plural(tokens, "token")] if tokens else []
    words += [_cost(summary)] if _cost(summary) else []
    return Text(" · ".join([*words, figures.seconds(totals.duration_s)]))


def _cost(summary: Summary) -> str:
    totals = summary.totals
    if totals.cost is None and totals.judge_cost is None:
        return ""
    judges = f" (judges {figures.money(totals.judge_cost)})" if totals.judge_cost else ""
    return figures.money((totals.cost or 0.0) + (totals.judge_cost or 0.0)) + judges


def _notes(summary: Summary) -> list[RenderableType]:
    lines: list[RenderableType] = [
        Text(f"note: {visible(note)}", style="yellow") for note in summary.notes[:_MAX_NOTES]
    ]
    left = len(summary.notes) - _MAX_NOTES
    return [*lines, Text(f"… and {plural(left, 'more note')}", style="yellow")] if left > 0 else lines


def _where(summary: Summary, view: View) -> list[RenderableType]:
    lines = [(name, path) for name, path in view.reports.items()]
    if summary.status in {RunStatus.INTERRUPTED, RunStatus.BUDGET}:
        lines.append(("next", f"evalwright resume {summary.manifest.run_id}"))
    if summary.failing:
        shown = figures.quoted(view.failing[0]) if view.failing else "CASE"
        lines.append(("next", f"evalwright show {summary.manifest.run_id} {visible(shown)}"))
    if not lines:
        return []
    if not view.fold_paths:
        return ["", *(Text(f"{name:<4}  {value}", no_wrap=True, overflow="ignore") for name, value in lines)]
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True, style="dim")
    grid.add_column(overflow="fold")
    for name, value in lines:
        grid.add_row(Text(name), Text(value))
    return ["", grid]
