"""A comparison in the terminal: first whether the runs are comparable, then what to do, then the figures."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from evalwright.core.comparison import Advice, Comparison, Flips, PairComparison, PairedFigure, Weight
from evalwright.reports.columns import Column, table
from evalwright.reports.compare import words
from evalwright.reports.figures import quoted
from evalwright.reports.text import one_line, plural, visible

STYLES = {
    Advice.SHIP: "bold green",
    Advice.KEEP: "bold red",
    Advice.TRADE: "bold yellow",
    Advice.EVIDENCE: "bold yellow",
    Advice.EQUAL: "bold",
    Advice.INCOMPARABLE: "bold red",
}
_SLICES = 8
_IDS = 5
_MISMATCHES = 8


class CompareView(msgspec.Struct, frozen=True, kw_only=True):
    """What the terminal can do.

    Attributes:
        width: Columns.
        reports: Where reports were written: format to path.
    """

    width: int = 80
    reports: dict[str, str] = {}


def print_comparison(console: Console, comparison: Comparison, *, reports: dict[str, str] | None = None) -> None:
    """Print a comparison on a console, as wide as it is."""
    console.print(comparison_summary(comparison, CompareView(width=console.width, reports=reports or {})))


def comparison_summary(comparison: Comparison, view: CompareView | None = None) -> Group:
    """Everything the terminal shows of a comparison."""
    view = view or CompareView()
    parts: list[RenderableType] = []
    for pair in comparison.pairs:
        parts += [*_pair(comparison, pair, view), ""]
    parts += _frontier(comparison, view)
    parts.append(Text("\n".join(words.FOOTNOTES), style="dim"))
    parts += [Text(f"{name}  {path}") for name, path in view.reports.items()]
    return Group(*parts)


def _heading(text: str) -> Text:
    return Text(text, style="bold")


def _pair(comparison: Comparison, pair: PairComparison, view: CompareView) -> list[RenderableType]:
    old, new = words.titles(comparison, pair)
    parts: list[RenderableType] = [Text(one_line(f"{old} → {new}", 300), style="dim")]
    parts += [*_comparability(pair), "", *_advice(pair)]
    if words.overall_rows(pair):
        parts += ["", _heading("Metrics"), _metrics(words.overall_rows(pair), view)]
    if pair.reweighted:
        parts += ["", _heading("At the production mix"), _metrics(pair.reweighted, view)]
    worst = words.worst_slices(pair, _SLICES)
    if worst:
        parts += ["", _heading("Slices that lost most"), _slices(worst, view)]
    return [*parts, *_flips(pair)]


def _comparability(pair: PairComparison) -> list[RenderableType]:
    style = "" if pair.comparable else "bold red"
    lines: list[RenderableType] = [Text(visible(words.comparability(pair)), style=style)]
    marks = {Weight.BREAKS: ("!", "red"), Weight.LIMITS: ("-", "yellow"), Weight.EXPLAINS: (" ", "dim")}
    rows = [(*marks[m.weight], one_line(words.mismatch_words(m), 400)) for m in pair.mismatches[:_MISMATCHES]]
    lines += [_marked_lines(rows)] if rows else []
    left = len(pair.mismatches) - _MISMATCHES
    return [*lines, Text(f"  … and {plural(left, 'more difference')}", style="dim")] if left > 0 else lines


def _advice(pair: PairComparison) -> list[RenderableType]:
    found = pair.recommendation
    if found is None:
        return []
    head = Text.assemble((words.ADVICE_WORDS[found.advice], STYLES[found.advice]), "  ", visible(found.headline))
    rows = [("-", "", visible(reason)) for reason in found.reasons]
    rows += [("!", "yellow", visible(limit)) for limit in found.limits]
    return [head, _marked_lines(rows)] if rows else [head]


def _marked_lines(rows: Sequence[tuple[str, str, str]]) -> RenderableType:
    """Lines with a mark before them, wrapped beside it: (mark, style, text)."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for mark, style, text in rows:
        grid.add_row(Text(mark, style=style), Text(text, style=style))
    return Padding(grid, (0, 0, 0, 2), expand=False)


def _metrics(rows: Sequence[PairedFigure], view: CompareView) -> RenderableType:
    names = [one_line(words.name_of(row), 60) for row in rows]
    columns = [Column(name="metric", cells=names, flexible=True), *_figure_columns(rows)]
    return table(columns, width=view.width) or _stacked(names, rows)


def _figure_columns(rows: Sequence[PairedFigure]) -> list[Column]:
    level = f"{rows[0].level:.0%} interval"
    return [
        Column(name="baseline", cells=[words.value(r.baseline, r) for r in rows], right=True, drop=1),
        Column(name="candidate", cells=[words.value(r.candidate, r) for r in rows], right=True, drop=1),
        Column(name="difference", cells=[words.signed(r.difference, r) for r in rows], right=True, style="bold"),
        Column(name=level, cells=[words.interval(r) for r in rows], right=True),
        Column(name="p adj.", cells=[words.p_value(r.p_adjusted) for r in rows], right=True, drop=2),
        Column(name="", cells=[words.change_word(r) for r in rows]),
        Column(name="better/worse/same", cells=[words.record(r) for r in rows], right=True, drop=3),
        Column(name="n", cells=[f"{r.n:,}" for r in rows], right=True),
        Column(name="could see", cells=[words.could_see(r) for r in rows], right=True, drop=4),
        Column(name="effect", cells=[words.effect(r) for r in rows], right=True, drop=5),
    ]


def _slices(rows: Sequence[PairedFigure], view: CompareView) -> RenderableType:
    names = [one_line(words.name_of(row), 40) for row in rows]
    places = [one_line(row.slice, 60) for row in rows]
    columns = [
        Column(name="metric", cells=names, flexible=True),
        Column(name="slice", cells=places, flexible=True),
        *_figure_columns(rows),
    ]
    titles = [f"{name} {place}" for name, place in zip(names, places, strict=True)]
    return table(columns, width=view.width) or _stacked(titles, rows)


def _stacked(titles: Sequence[str], rows: Sequence[PairedFigure]) -> RenderableType:
    """For narrow windows: the name on one line, its figures on the next."""
    text = Text()
    for title, row in zip(titles, rows, strict=True):
        text.append(f"{title}\n", style="bold")
        text.append(f"  {words.signed(row.difference, row)} ({words.interval(row)}) {words.change_word(row)}")
        text.append(f", n={row.n:,}\n")
    text.right_crop(1)
    return Padding(text, (0, 0, 0, 2), expand=False)


def _flips(pair: PairComparison) -> list[RenderableType]:
    rows = words.telling_flips(pair)[:3]
    if not rows:
        return []
    parts: list[RenderableType] = ["", _heading("Cases that changed")]
    for flips in rows:
        parts += _flip_lines(flips)
    return [*parts, *_next(pair, rows[0])]


def _flip_lines(flips: Flips) -> list[RenderableType]:
    name = flips.metric or "row verdict over all scorers"
    verbs = ("now pass", "now fail") if flips.verdicts else ("score higher", "score lower")
    lines: list[RenderableType] = [Text(f"  {visible(name)}", style="dim")]
    for verb, found, count, style in (
        (verbs[1], flips.broken, flips.broken_count, "red"),
        (verbs[0], flips.fixed, flips.fixed_count, "green"),
    ):
        ids = ", ".join(one_line(flip.case_id, 60) for flip in found[:_IDS])
        more = f", … {count - _IDS:,} more" if count > _IDS else ""
        lines.append(Text.assemble("  ", (f"{count:,} {verb}", style), f": {ids}{more}" if count else ""))
    return lines


def _next(pair: PairComparison, flips: Flips) -> list[RenderableType]:
    if not flips.broken:
        return []
    case = visible(quoted(flips.broken[0].case_id))
    return [Text(f"  next: evalwright show {pair.candidate} {case}", style="dim")]


def _frontier(comparison: Comparison, view: CompareView) -> list[RenderableType]:
    headers, rows = words.frontier_rows(comparison)
    if len(headers) < 2 or len(rows) < 2:
        return []
    columns = [Column(name="run", cells=[one_line(point.label, 50) for point, _, _ in rows], flexible=True)]
    for place, header in enumerate(headers):
        columns.append(Column(name=header, cells=[cells[place] for _, cells, _ in rows], right=True))
    columns.append(Column(name="", cells=[one_line(note, 60) for _, _, note in rows], flexible=True, drop=1))
    drawn = table(columns, width=view.width)
    return [] if drawn is None else [_heading("Quality, safety, cost, latency"), drawn, ""]
