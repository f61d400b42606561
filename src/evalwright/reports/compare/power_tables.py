"""What a suite can see, in the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from evalwright.core.planning import PowerPlan, PowerRow
from evalwright.reports import figures
from evalwright.reports.columns import Column, table
from evalwright.reports.text import one_line, visible

SLICES = 12


def power_summary(plan: PowerPlan, *, width: int = 100) -> Group:
    """The plan: first in words, then per metric and slice."""
    overall = [row for row in plan.rows if not row.slice]
    sliced = [row for row in plan.rows if row.slice]
    parts: list[RenderableType] = [Text(_title(plan), style="dim"), *map(Text, _sentences(plan, overall))]
    if overall:
        parts += ["", Text("Metrics", style="bold"), *_drawn(plan, overall, width)]
    if sliced:
        parts += ["", Text("Slices that see least", style="bold"), *_drawn(plan, sliced[:SLICES], width)]
        if len(sliced) > SLICES:
            parts.append(Text(f"  … {len(sliced) - SLICES} more with --json", style="dim"))
    parts += [Text(f"note: {visible(note)}", style="yellow") for note in plan.notes]
    return Group(*parts)


def _title(plan: PowerPlan) -> str:
    runs = f"from {' and '.join(plan.runs)}" if plan.runs else "from assumptions"
    return one_line(f"{plan.suite} · {plan.power:.0%} power at {plan.level:.0%} confidence · {runs}", 300)


def _sentences(plan: PowerPlan, overall: Sequence[PowerRow]) -> list[str]:
    if not overall:
        return ["The suite has no metric with a better and a worse."]
    first = overall[0]
    found = [_sees(first)]
    if plan.difference is not None:
        found += [_asked(first, plan.difference)]
    return [*found, *_buys(first)]


def size(value: float | None, row: PowerRow) -> str:
    """A difference of the row's metric: `3.9 pts`, `0.12`, `–`."""
    if value is None:
        return "–"
    return f"{value * 100:.1f} pts" if row.share else figures.number(value, row.unit)


def _sees(row: PowerRow) -> str:
    if row.detectable is None:
        return f"On {row.metric}, {row.n:,} cases can't show any difference at all: too few."
    return (
        f"On {row.metric}, comparing two versions on these {row.n:,} cases usually shows a true difference of "
        f"{size(row.detectable, row)} or more; smaller ones usually go unseen."
    )


def _asked(row: PowerRow, difference: float) -> str:
    wanted = size(difference, row)
    if row.needed is None:
        return f"How many cases would show {wanted} can't be told."
    if row.needed <= row.n:
        return f"That is enough for a difference of {wanted}: {row.needed:,} cases would do."
    more = f"To show a difference of {wanted} takes about {row.needed:,} cases, {row.needed - row.n:,} more."
    if row.needed_no_worse is None or row.needed_no_worse == row.needed:
        return more
    return f"{more} To show that a version as good is no worse by {wanted} takes about {row.needed_no_worse:,}."


def _buys(row: PowerRow) -> list[str]:
    if row.double_trials is None or row.double_cases is None or row.detectable is None:
        return []
    cases, trials = size(row.double_cases, row), size(row.double_trials, row)
    better = "More cases help more." if row.double_cases < row.double_trials else "More trials help as much."
    share = "" if row.noise is None else f" {row.noise:.0%} of the variation is the system's own randomness."
    best = "" if row.best_trials is None else f" Best use of calls: about {row.best_trials:.0f} per case."
    return [f"Twice the cases: {cases}. Twice the trials: {trials}. {better}{share}{best}"]


def _drawn(plan: PowerPlan, rows: Sequence[PowerRow], width: int) -> list[RenderableType]:
    asked = plan.difference is not None
    columns = [
        Column(name="metric", cells=[one_line(row.metric, 50) for row in rows], flexible=True),
        Column(name="slice", cells=[one_line(row.slice, 50) for row in rows], flexible=True),
        Column(name="cases", cells=[f"{row.n:,}" for row in rows], right=True),
        Column(name="sees", cells=[size(row.detectable, row) for row in rows], right=True, style="bold"),
        Column(name="needed", cells=[_count(row.needed) if asked else "" for row in rows], right=True),
        Column(
            name="no worse", cells=[_count(row.needed_no_worse) if asked else "" for row in rows], right=True, drop=2
        ),
        Column(name="2× cases", cells=[size(row.double_cases, row) for row in rows], right=True, drop=1),
        Column(name="2× trials", cells=[_known(row.double_trials, row) for row in rows], right=True, drop=1),
        Column(name="varies by", cells=[_varies(row) for row in rows], right=True, drop=3),
        Column(name="clusters cost", cells=[_effect(row) for row in rows], right=True, drop=4),
    ]
    drawn = table(columns, width=width)
    return (
        [drawn]
        if drawn is not None
        else [Text(f"{row.metric} {row.slice} {size(row.detectable, row)}") for row in rows]
    )


def _count(value: int | None) -> str:
    return "–" if value is None else f"{value:,}"


def _known(value: float | None, row: PowerRow) -> str:
    return "" if value is None else size(value, row)


def _varies(row: PowerRow) -> str:
    if row.changed is not None:
        return f"{row.changed:.0%} change"
    return "" if row.spread is None else f"sd {figures.number(row.spread, row.unit)}"


def _effect(row: PowerRow) -> str:
    return "" if row.design_effect <= 1.005 else f"× {row.design_effect:.1f}"
