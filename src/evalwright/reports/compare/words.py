"""Paired figures in words and cells, the same in every format."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evalwright.core.comparison import (
    Advice,
    Change,
    Comparison,
    Flips,
    FrontierPoint,
    Mismatch,
    PairComparison,
    PairedFigure,
    Weight,
)
from evalwright.reports import figures
from evalwright.reports.text import plural

ADVICE_WORDS = {
    Advice.SHIP: "SHIP",
    Advice.KEEP: "KEEP THE BASELINE",
    Advice.TRADE: "TRADE-OFF",
    Advice.EVIDENCE: "NOT ENOUGH EVIDENCE",
    Advice.EQUAL: "NO DIFFERENCE THAT MATTERS",
    Advice.INCOMPARABLE: "NOT COMPARABLE",
}
"""A recommendation in capitals, readable without colour."""

TONES = {
    Advice.SHIP: "pass",
    Advice.KEEP: "fail",
    Advice.TRADE: "inconclusive",
    Advice.EVIDENCE: "inconclusive",
    Advice.EQUAL: "plain",
    Advice.INCOMPARABLE: "fail",
}

CHANGE_WORDS = {
    Change.BETTER: "better",
    Change.WORSE: "worse",
    Change.CHANGED: "changed",
    Change.UNCLEAR: "not clear",
}

_HINTS = {
    (False, True): "hint of better",
    (False, False): "hint of worse",
    (True, True): "hint of more",
    (True, False): "hint of less",
}

CHANGE_TONES = {
    Change.BETTER: "pass",
    Change.WORSE: "fail",
    Change.CHANGED: "plain",
    Change.UNCLEAR: "unclear",
}

MINUS = "−"


def name_of(figure: PairedFigure) -> str:
    """The metric with its statistic where that is no mean: `latency p95`."""
    return figure.metric if figure.statistic in {"", "mean", "corpus"} else f"{figure.metric} {figure.statistic}"


def signed(value: float | None, figure: PairedFigure) -> str:
    """A difference with its sign: `+3.1 pts` for shares, else a number with its unit; `–` when there is none.

    Example:
        >>> signed(-0.484, PairedFigure(metric="m", baseline=1, candidate=0, difference=-0.484, share=True))
        '−48.4 pts'
    """
    if value is None:
        return "–"
    return f"{_signed_number(value, figure)}{' pts' if figure.share else _unit(figure)}"


def _signed_number(value: float, figure: PairedFigure) -> str:
    text = f"{abs(value) * 100:.1f}" if figure.share else _digits(abs(value), figure)
    if not float(text.replace(",", "")):
        return text
    return f"{MINUS if value < 0 else '+'}{text}"


def _digits(value: float, figure: PairedFigure) -> str:
    return figures.money_digits(value) if figure.unit == "USD" else figures.digits(value)


def _unit(figure: PairedFigure) -> str:
    return f" {figure.unit}" if figure.unit else ""


def interval(figure: PairedFigure) -> str:
    """The interval of the difference: `−53.5 to −43.0`; `–` when there is none."""
    ends = figure.ci
    return "–" if ends is None else f"{_signed_number(ends[0], figure)} to {_signed_number(ends[1], figure)}"


def value(number: float | None, figure: PairedFigure) -> str:
    """A value of the figure's metric, as in run reports."""
    return figures.number(number, figure.unit)


def p_value(number: float | None) -> str:
    """A p-value: `< .001`, `.012`, `.34`; `–` when there is none."""
    if number is None:
        return "–"
    if number < 0.001:
        return "< .001"
    return f"{number:.3f}"[1:] if number < 0.0995 else f"{min(number, 0.99):.2f}"[1:]


def effect(figure: PairedFigure) -> str:
    """The standardised difference, or `–`."""
    return "–" if figure.effect is None else _plain_signed(figure.effect)


def _plain_signed(number: float) -> str:
    text = f"{abs(number):.2f}"
    return text if not float(text) else f"{MINUS if number < 0 else '+'}{text}"


def record(figure: PairedFigure) -> str:
    """Cases better / worse / the same: `27 / 269 / 204`."""
    return f"{figure.wins:,} / {figure.losses:,} / {figure.ties:,}"


def could_see(figure: PairedFigure) -> str:
    """The smallest difference a comparison like this one usually shows: `± 3.9 pts`."""
    if figure.detectable is None:
        return "–"
    size = f"{figure.detectable * 100:.1f} pts" if figure.share else _digits(figure.detectable, figure) + _unit(figure)
    return f"± {size}"


def change_word(figure: PairedFigure) -> str:
    """`better`, `worse`, `changed`, `hint of worse`, `not clear`, or `too few` for a slice that is not judged."""
    if figure.p is None:
        return "too few" if figure.n else "no pairs"
    if figure.hint:
        return _HINTS[figure.higher_is_better is None, (figure.gain or 0.0) > 0]
    return CHANGE_WORDS[figure.change]


def comparability(pair: PairComparison) -> str:
    """Whether the runs can be compared, in a sentence that comes before any figure."""
    breaks = [m for m in pair.mismatches if m.weight is Weight.BREAKS]
    limits = [m for m in pair.mismatches if m.weight is Weight.LIMITS]
    pairs = plural(pair.pairing.pairs, "case")
    if not pair.comparable:
        return "Not comparable."
    lost = [name for mismatch in breaks for name in mismatch.metrics]
    if lost:
        return f"Comparable on {pairs}, except {figures_list(lost)}: scored in two different ways."
    if limits:
        return f"Comparable on {pairs}, within limits."
    return f"Comparable: the same {pairs}, scored the same way."


def figures_list(names: Sequence[str]) -> str:
    """Names, the first five of them."""
    shown = ", ".join(f"`{name}`" for name in names[:5])
    return f"{shown} and {len(names) - 5} more" if len(names) > 5 else shown


def mismatch_words(mismatch: Mismatch) -> str:
    """A mismatch with both sides where these say more than its meaning."""
    if not mismatch.baseline and not mismatch.candidate:
        return mismatch.meaning
    sides = f"{mismatch.baseline or 'none'} → {mismatch.candidate or 'none'}"
    if mismatch.weight is Weight.EXPLAINS and mismatch.meaning.endswith("differs."):
        return f"{mismatch.meaning[:-1]}: {sides}"
    return f"{mismatch.meaning} ({sides})"


def overall_rows(pair: PairComparison) -> list[PairedFigure]:
    """The figures over all pairs that have any."""
    return [figure for figure in pair.figures if figure.n]


class SliceGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The slices of one metric.

    Attributes:
        metric: The metric.
        whole: Its figure over all pairs, None when there is none.
        rows: Its slices, worst first.
    """

    metric: str
    whole: PairedFigure | None
    rows: list[PairedFigure]

    @property
    def worse(self) -> int:
        """Slices that are clearly worse."""
        return sum(row.change is Change.WORSE for row in self.rows)


def slice_groups(pair: PairComparison) -> list[SliceGroup]:
    """The slices by metric; metrics with clear losses first."""
    rows: dict[str, list[PairedFigure]] = {}
    for figure in pair.slices:
        rows.setdefault(name_of(figure), []).append(figure)
    wholes = {name_of(figure): figure for figure in pair.figures}
    groups = [SliceGroup(metric=name, whole=wholes.get(name), rows=found) for name, found in rows.items()]
    return sorted(groups, key=lambda group: -group.worse)


def worst_slices(pair: PairComparison, count: int) -> list[PairedFigure]:
    """The slices that lost most, clear losses first; gains and slices too small to judge are left out."""
    judged = [f for f in pair.slices if f.p is not None and (f.gain or 0.0) < 0]
    key = {id(f): (f.change is not Change.WORSE, f.p_adjusted or 0.0, f.p or 0.0) for f in judged}
    return sorted(judged, key=lambda figure: key[id(figure)])[:count]


def frontier_rows(comparison: Comparison) -> tuple[list[str], list[tuple[FrontierPoint, list[str], str]]]:
    """Headers of the aspects, and each run with its cells and what beats it."""
    points = comparison.frontier
    aspects = list(points[0].metrics) if points else []
    headers = [f"{aspect} ({points[0].metrics[aspect]})" for aspect in aspects]
    labels = {point.run_id: point.label for point in points}
    rows = []
    for point in points:
        beaten = ", ".join(labels[run] for run in point.dominated_by)
        cells = [aspect_value(point.values.get(aspect), aspect) for aspect in aspects]
        rows.append((point, cells, f"beaten on every side by {beaten}" if beaten else "on the frontier"))
    return headers, rows


def aspect_value(number: float | None, aspect: str) -> str:
    """A value on the frontier."""
    return figures.number(number, {"cost": "USD", "latency": "s"}.get(aspect, ""))


def titles(comparison: Comparison, pair: PairComparison) -> tuple[str, str]:
    """Short names of a pair's baseline and candidate."""
    return comparison.side(pair.baseline).label, comparison.side(pair.candidate).label


FOOTNOTES = (
    "Difference: candidate minus baseline over the cases both runs scored; pts are hundredths.",
    "p adj.: how often chance alone would show a difference like this, corrected for everything looked at with it.",
    "Hint: the interval excludes 0, but among so many figures one like it is to be expected by chance.",
    "Could see: the smallest true difference a comparison of these cases would show four times out of five.",
)
"""What the columns mean, for someone who knows no statistics."""


def telling_flips(pair: PairComparison) -> list[Flips]:
    """Flips worth listing: the row verdict, then metrics whose flips are not the same thing again."""
    moved = [flips for flips in pair.flips if flips.fixed_count or flips.broken_count]
    rows = next((flips for flips in moved if flips.metric == ""), None)
    if rows is None:
        return moved
    counts = (rows.fixed_count, rows.broken_count)
    return [rows, *(f for f in moved if f is not rows and (f.fixed_count, f.broken_count) != counts)]
