"""Differences in words that need no statistics: points, per cent, seconds, money."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalwright.core.comparison import Change, PairedFigure


def amount(value: float, figure: PairedFigure) -> str:
    """The size of a difference of this figure's metric: `3.1 points`, `240 ms`, `0.0021 USD`, `1.20`.

    Example:
        >>> amount(0.031, PairedFigure(metric="m", baseline=0, candidate=0, difference=0, share=True))
        '3.1 points'
    """
    size = abs(value)
    if figure.share:
        return f"{size * 100:.1f} points"
    return f"{plain(size, figure.unit)}"


def plain(value: float, unit: str = "") -> str:
    """A number with its unit, three significant digits."""
    if unit == "s" and 0 < abs(value) < 1:
        return f"{value * 1000:.0f} ms"
    return f"{_digits(value)} {unit}".rstrip()


def _digits(value: float) -> str:
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1000:
        return f"{value:,.0f}"
    decimals = max(0, 2 - math.floor(math.log10(size)))
    return f"{value:.{min(decimals, 8)}f}"


def value_words(value: float | None, figure: PairedFigure) -> str:
    """A value of this figure's metric: `83.6 %` for shares, else the number with its unit."""
    if value is None:
        return "no value"
    return f"{value * 100:.1f} %" if figure.share else plain(value, figure.unit)


def span(figure: PairedFigure) -> str:
    """The interval of the gain, told in the direction of the change: `1.2 to 5.0`; empty when there is none."""
    ends = figure.gain_ci
    if ends is None or figure.gain is None:
        return ""
    low, high = ends if figure.gain >= 0 else (-ends[1], -ends[0])
    scale = 100.0 if figure.share else 1.0
    return f"{_signed(low * scale, figure)} to {_signed(high * scale, figure)}"


def _signed(value: float, figure: PairedFigure) -> str:
    text = f"{abs(value):.1f}" if figure.share else plain(abs(value), figure.unit)
    return f"−{text}" if value < 0 and float(f"{abs(value):.6g}") else text


def change_words(figure: PairedFigure) -> str:
    """The figure's change in words: `groundedness is 3.1 points better (1.2 to 5.0)`."""
    if figure.difference is None:
        return f"{title(figure)} could not be compared"
    ends = span(figure)
    size = amount(figure.difference, figure)
    within = f" ({ends})" if ends else ""
    return f"{title(figure)} is {size} {direction(figure)}{within}"


def direction(figure: PairedFigure) -> str:
    """`better`, `worse`, `higher` or `lower`."""
    up = (figure.difference or 0.0) > 0
    if figure.higher_is_better is None:
        return "higher" if up else "lower"
    return "better" if (figure.gain or 0.0) > 0 else "worse"


def title(figure: PairedFigure) -> str:
    """The metric's name with its statistic and slice: `latency p95`, `exact for locale=de`."""
    name = figure.metric if figure.statistic in {"mean", "corpus"} else f"{figure.metric} {figure.statistic}"
    return f"{name} for {figure.slice}" if figure.slice else name


def relative(figure: PairedFigure) -> str:
    """A change as a share of the baseline: `38 % less`, `12 % more`; empty where the baseline is 0."""
    if not figure.baseline or figure.difference is None:
        return ""
    share = figure.difference / abs(figure.baseline)
    text = f"{abs(share) * 100:.0f} %" if abs(share) < 10 else f"{abs(share) + 1:.0f} times"
    return f"{text} {'more' if share > 0 else 'less'}"


def listing(words: Sequence[str], last: str = "and") -> str:
    """Words as a part of a sentence: `a`, `a and b`, `a, b and c`."""
    return "".join(words) if len(words) < 2 else f"{', '.join(words[:-1])} {last} {words[-1]}"


def cases(count: int) -> str:
    """`1 case`, `1,204 cases`."""
    return f"{count:,} case" + ("" if count == 1 else "s")


def is_worse(figure: PairedFigure) -> bool:
    """Whether the candidate is shown to be worse on a figure."""
    return figure.change is Change.WORSE


def is_better(figure: PairedFigure) -> bool:
    """Whether the candidate is shown to be better on a figure."""
    return figure.change is Change.BETTER
