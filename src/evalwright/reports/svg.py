"""Charts of our own as inline SVG: coordinates in per cent, colours from the page's style sheet, no script."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from markupsafe import Markup, escape

from evalwright.core.estimate import Estimate
from evalwright.reports import figures
from evalwright.reports.figures import Axis, Mark


class Bar(msgspec.Struct, frozen=True, kw_only=True):
    """An interval drawn on an axis.

    Attributes:
        estimate: The figure.
        axis: The range the bar stands for.
        marks: Bounds of the gate.
        whole: The value over all cases, as a thin line to compare a slice with; None for none.
        baseline: The figure of another run, drawn below; None for none.
        tone: Class of the bar: `plain`, `pass`, `fail`, `inconclusive` or `small`.
    """

    estimate: Estimate
    axis: Axis
    marks: Sequence[Mark] = ()
    whole: float | None = None
    baseline: Estimate | None = None
    tone: str = "plain"


def interval_bar(bar: Bar) -> Markup:
    """The bar as an SVG image as wide as its place, with a text for those who can't see it."""
    parts = [Markup('<line class="ax" x1="0" x2="100%" y1="11" y2="11"/>')]
    parts += [_forbidden(bar.axis, mark) for mark in bar.marks]
    if bar.whole is not None:
        parts.append(_upright(bar.axis, bar.whole, "whole"))
    if bar.baseline is not None:
        parts.append(_range(bar.axis, bar.baseline, y=17, css="base"))
    parts.append(_range(bar.axis, bar.estimate, y=11, css="iv"))
    parts += [_upright(bar.axis, mark.value, "mark") for mark in bar.marks]
    if bar.estimate.value is not None:
        parts.append(Markup('<circle class="dot" cx="{}" cy="11" r="3.5"/>').format(_at(bar.axis, bar.estimate.value)))
    label = Markup('<svg class="bar {}" role="img" aria-label="{}" height="22">').format(bar.tone, described(bar))
    return label + Markup("").join(parts) + Markup("</svg>")


def described(bar: Bar) -> str:
    """The bar in words, for screen readers."""
    estimate = bar.estimate
    if estimate.value is None:
        return f"{figures.name_of(estimate)}: no value"
    words = [f"{figures.name_of(estimate)} {figures.number(estimate.value, estimate.unit)}"]
    if estimate.ci is not None:
        words.append(f"{estimate.level:.0%} interval {figures.interval(estimate)}")
    words += [f"{_side(mark)} {figures.number(mark.value, estimate.unit)}" for mark in bar.marks]
    if bar.whole is not None:
        words.append(f"all cases {figures.number(bar.whole, estimate.unit)}")
    if bar.baseline is not None:
        words.append(f"baseline {figures.number(bar.baseline.value, estimate.unit)}")
    return "; ".join(words)


def _side(mark: Mark) -> str:
    return "minimum" if mark.minimum else "maximum"


def _at(axis: Axis, value: float) -> str:
    return f"{axis.share(value) * 100:.2f}%"


def _range(axis: Axis, estimate: Estimate, *, y: int, css: str) -> Markup:
    if estimate.ci is None:
        return Markup("")
    low, high = (axis.share(end) * 100 for end in estimate.ci)
    return Markup('<rect class="{}" x="{}%" width="{}%" y="{}" height="{}" rx="2"/>').format(
        escape(css),
        f"{low:.2f}",
        f"{max(high - low, 0.4):.2f}",
        y - (6 if css == "iv" else 1),
        12 if css == "iv" else 3,
    )


def _upright(axis: Axis, value: float, css: str) -> Markup:
    at = _at(axis, value)
    return Markup('<line class="{0}" x1="{1}" x2="{1}" y1="1" y2="21"/>').format(css, at)


def _forbidden(axis: Axis, mark: Mark) -> Markup:
    share = axis.share(mark.value) * 100
    start, width = (0.0, share) if mark.minimum else (share, 100 - share)
    return Markup('<rect class="no" x="{}%" width="{}%" y="2" height="18"/>').format(f"{start:.2f}", f"{width:.2f}")
