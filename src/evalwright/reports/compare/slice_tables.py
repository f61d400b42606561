"""Slices of a run in the terminal: searched, worst first, and at the production mix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from evalwright.core.comparison import PairedFigure
from evalwright.core.estimate import Estimate
from evalwright.core.slice_search import SliceFinding, SliceSearch
from evalwright.reports import figures
from evalwright.reports.columns import Column, table
from evalwright.reports.compare import words
from evalwright.reports.text import one_line, plural

SHOWN = 15


def search_summary(found: SliceSearch, *, width: int = 100, limit: int = SHOWN) -> Group:
    """What a search through slices found, worst first, with how many were looked at."""
    parts: list[RenderableType] = [_headline(found), *_verdict(found)]
    rows = found.rows[:limit]
    if rows:
        drawn = table(_columns(found, rows), width=width)
        parts += ["", drawn if drawn is not None else _stacked(found, rows)]
    parts.append(Text(_account(found), style="dim"))
    return Group(*parts)


def _headline(found: SliceSearch) -> Text:
    what = f"change of {found.metric} against {found.baseline}" if found.baseline else found.metric
    whole = found.whole
    value = f"{_value(whole.value, found)} {_range(whole.low, whole.high, found)}"
    return Text(one_line(f"{what}: {value} over all {whole.n:,} cases", 300), style="bold")


def _verdict(found: SliceSearch) -> list[RenderableType]:
    clear = found.clear
    if not clear:
        verb = "changed for the worse compared with the rest" if found.baseline else "is worse than the rest"
        return [Text(f"No slice {verb} beyond what looking at {found.tested:,} slices gives by chance.")]
    named = ", ".join(one_line(row.label, 80) for row in clear[:5])
    more = f" and {len(clear) - 5} more" if len(clear) > 5 else ""
    count = plural(len(clear), "slice")
    how = "with a clearly worse change than the rest" if found.baseline else "clearly worse"
    return [Text(f"{count} {how}, corrected for {found.tested:,} looked at: {named}{more}", style="red")]


def _columns(found: SliceSearch, rows: Sequence[SliceFinding]) -> list[Column]:
    lost = ["" if row.lost is None else f"{row.lost:,.0f}" for row in rows]
    return [
        Column(name="slice", cells=[one_line(row.label, 70) for row in rows], flexible=True),
        Column(name="value", cells=[_value(row.value.value, found) for row in rows], right=True, style="bold"),
        Column(name="rest", cells=[_value(row.rest, found) for row in rows], right=True),
        Column(name="gap", cells=[_signed(row.gap, found) for row in rows], right=True),
        Column(name=f"{found.level:.0%} interval", cells=[_gap_range(row, found) for row in rows], right=True, drop=1),
        Column(name="p adj.", cells=[words.p_value(row.p_adjusted) for row in rows], right=True),
        Column(name="", cells=[_word(row, found) for row in rows]),
        Column(name="n", cells=[f"{row.n:,}" for row in rows], right=True),
        Column(name="cases lost", cells=lost, right=True, drop=2),
        Column(name="shrunk", cells=[_signed(row.shrunk, found) for row in rows], right=True, drop=3),
    ]


def _word(row: SliceFinding, found: SliceSearch) -> str:
    sign = -1.0 if found.higher_is_better is False else 1.0
    worse = sign * row.gap < 0
    if row.p_adjusted < 1.0 - found.level:
        return "worse" if worse else "better"
    return "look into" if worse and row.q < 1.0 - found.level else ""


def _stacked(found: SliceSearch, rows: Sequence[SliceFinding]) -> Text:
    text = Text()
    for row in rows:
        text.append(f"{one_line(row.label, 70)}\n", style="bold")
        text.append(f"  {_signed(row.gap, found)} {_word(row, found)} n={row.n:,} p {words.p_value(row.p_adjusted)}\n")
    text.right_crop(1)
    return text


def _account(found: SliceSearch) -> str:
    repeats = f"; {plural(found.repeats, 'combination')} no worse than a slice above left out" if found.repeats else ""
    return (
        f"Looked at {plural(found.tested, 'slice')} of {len(found.fields)} fields and their combinations; "
        f"{found.small:,} had fewer than {found.min_n} cases{repeats}. p is corrected (Holm) for all of them. "
        "Ranked by the gap drawn towards 0 as its noise asks for, since the worst of many looks worse than it is."
    )


def _figure(found: SliceSearch) -> PairedFigure:
    return PairedFigure(
        metric=found.metric, baseline=None, candidate=None, difference=None, unit=found.unit, share=found.share
    )


def _signed(value: float, found: SliceSearch) -> str:
    return words.signed(value, _figure(found))


def _value(value: float | None, found: SliceSearch) -> str:
    if found.baseline:
        return words.signed(value, _figure(found))
    return figures.number(value, found.unit)


def _gap_range(row: SliceFinding, found: SliceSearch) -> str:
    return _range(row.low, row.high, found, signed=True).strip("()")


def _range(low: float | None, high: float | None, found: SliceSearch, *, signed: bool = False) -> str:
    if low is None or high is None:
        return ""
    if signed or found.baseline:
        ends = [words.signed(end, _figure(found)).removesuffix(" pts") for end in (low, high)]
        return f"({ends[0]} to {ends[1]})"
    return f"({figures.number(low, found.unit)} to {figures.number(high, found.unit)})"


def mix_summary(rows: Sequence[tuple[Estimate, Estimate | None]], outside: int, *, width: int = 100) -> Group:
    """Metrics as the suite's cases are and at the production mix, side by side."""
    names = [one_line(figures.name_of(crude), 60) for crude, _ in rows]
    columns = [
        Column(name="metric", cells=names, flexible=True),
        Column(name="as the suite is", cells=[_shown(crude) for crude, _ in rows], right=True),
        Column(name="at the mix", cells=[_shown(mixed) for _, mixed in rows], right=True, style="bold"),
    ]
    parts: list[RenderableType] = [Text("At the production mix", style="bold")]
    drawn = table(columns, width=width)
    if drawn is not None:
        parts.append(drawn)
    if outside:
        parts.append(Text(f"{plural(outside, 'case')} of no part of the mix left out", style="dim"))
    return Group(*parts)


def _shown(estimate: Estimate | None) -> str:
    if estimate is None:
        return "a part of the mix has no scored case"
    return f"{figures.number(estimate.value, estimate.unit)} {figures.interval(estimate)}"


def confusion_summary(classes: Sequence[Any], confused: Sequence[tuple[Any, Any, int]], *, width: int = 100) -> Group:
    """Classes with the lowest F1 first, then the most frequent mistakes.

    Args:
        classes: Each with `label`, `recall` and `precision` (intervals), and `f1`.
        confused: True class, predicted class, how often.
        width: Columns.
    """
    rows = sorted(classes, key=lambda row: row.f1)[:SHOWN]
    columns = [
        Column(name="class", cells=[one_line(row.label, 60) for row in rows], flexible=True),
        Column(name="F1", cells=[figures.digits(row.f1) for row in rows], right=True, style="bold"),
        Column(name="recall", cells=[_rate(row.recall) for row in rows], right=True),
        Column(name="n", cells=[f"{row.recall.n:,}" for row in rows], right=True),
        Column(name="precision", cells=[_rate(row.precision) for row in rows], right=True, drop=1),
        Column(name="predicted", cells=[f"{row.precision.n:,}" for row in rows], right=True, drop=2),
    ]
    parts: list[RenderableType] = [Text(f"Classes, worst first ({len(classes):,} in all)", style="bold")]
    drawn = table(columns, width=width)
    if drawn is not None:
        parts.append(drawn)
    if confused:
        parts += ["", Text("Most frequent mistakes", style="bold")]
        parts += [Text(f"  {count:,} × {one_line(str(a), 60)} → {one_line(str(b), 60)}") for a, b, count in confused]
    return Group(*parts)


def _rate(interval: Any) -> str:
    if interval.value is None:
        return "never predicted"
    return f"{figures.digits(interval.value)} [{figures.digits(interval.low)}, {figures.digits(interval.high)}]"
