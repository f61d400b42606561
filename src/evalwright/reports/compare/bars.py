"""Differences as inline SVG: the interval around zero, with what would not matter shaded; right is better."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import msgspec
from markupsafe import Markup

from evalwright.core.comparison import FrontierPoint, PairedFigure
from evalwright.reports.compare import words

WIDTH, HEIGHT = 560.0, 300.0
_PAD_LEFT, _PAD_RIGHT, _PAD_TOP, _PAD_BOTTOM = 64.0, 150.0, 16.0, 44.0


def reach_of(figures: Iterable[PairedFigure], margin: float) -> float:
    """Half the width of the axis that holds all the intervals of shares, never less than the margin asks for."""
    ends = [abs(end) for figure in figures if figure.share for end in figure.ci or (figure.difference or 0.0,)]
    return min(1.0, max([margin * 1.6, *ends]) * 1.06)


def difference_bar(figure: PairedFigure, reach: float, margin: float) -> Markup:
    """A difference on an axis from -reach to +reach, drawn so that right is better.

    Args:
        figure: The difference.
        reach: Half the width of the axis for shares; other metrics are drawn on an axis of their own.
        margin: Loss that does not matter, shaded; only for shares.
    """
    ends, gain = figure.gain_ci, figure.gain
    own = reach if figure.share else max([abs(end) for end in ends or (gain or 0.0,)] + [1e-12]) * 1.06
    parts = [Markup('<line class="ax" x1="0" x2="100%" y1="11" y2="11"/>')]
    if figure.share:
        low, high = _at(-margin, own), _at(margin, own)
        parts.append(_rect("margin", low, high, 18))
    if ends is not None:
        parts.append(_rect("iv", _at(ends[0], own), _at(ends[1], own), 12))
    parts.append(Markup('<line class="zero" x1="50%" x2="50%" y1="1" y2="21"/>'))
    if gain is not None:
        parts.append(Markup('<circle class="dot" cx="{}%" cy="11" r="3.5"/>').format(f"{_at(gain, own):.2f}"))
    label = f"{words.name_of(figure)} {words.signed(figure.difference, figure)}, {words.interval(figure)}"
    tone = words.CHANGE_TONES[figure.change] if figure.p is not None else "small"
    head = Markup('<svg class="bar delta {}" role="img" aria-label="{}" height="22">').format(tone, label)
    return head + Markup("").join(parts) + Markup("</svg>")


def _at(value: float, reach: float) -> float:
    return min(100.0, max(0.0, (value / reach + 1.0) * 50.0))


def _rect(css: str, low: float, high: float, height: int) -> Markup:
    return Markup('<rect class="{}" x="{}%" width="{}%" y="{}" height="{}" rx="2"/>').format(
        css, f"{low:.2f}", f"{max(high - low, 0.4):.2f}", 11 - height // 2, height
    )


class Dot(msgspec.Struct, frozen=True, kw_only=True):
    """A run on the map: place in the drawing, label, and whether it is on the frontier."""

    x: float
    y: float
    label: str
    best: bool
    label_y: float


def frontier_map(points: Sequence[FrontierPoint], across: str, up: str) -> Markup:
    """Runs as dots: one aspect across (less is better, log scale where it spans much), one upwards (more is better).

    Empty when fewer than two runs have both.
    """
    known = [p for p in points if p.values.get(across) is not None and p.values.get(up) is not None]
    if len(known) < 2:
        return Markup("")
    xs, ys = [p.values[across] or 0.0 for p in known], [p.values[up] or 0.0 for p in known]
    place_x, place_y = _scale(xs, _PAD_LEFT, WIDTH - _PAD_RIGHT), _scale(ys, HEIGHT - _PAD_BOTTOM, _PAD_TOP)
    dots = _spread([(place_x(x), place_y(y), p) for x, y, p in zip(xs, ys, known, strict=True)])
    scale = ", log scale" if place_x.log else ""
    axis = {"cost": "cost, cheaper to the left", "latency": "latency, faster to the left"}.get(across, across) + scale
    parts = [
        Markup('<svg class="map" role="img" aria-label="{}" viewBox="0 0 {} {}">').format(
            f"{up} against {across}: " + "; ".join(f"{p.label} {p.values[up]}, {p.values[across]}" for p in known),
            WIDTH, HEIGHT,
        ),
        Markup('<path class="frame" d="M{0} {1}V{2}H{3}"/>').format(
            _PAD_LEFT - 12, _PAD_TOP, HEIGHT - _PAD_BOTTOM + 12, WIDTH - _PAD_RIGHT + 20
        ),
        Markup('<text class="axt" x="{}" y="{}">{}</text>').format(_PAD_LEFT - 12, HEIGHT - 8, axis),
        *_ticks(xs, ys, place_x, place_y, across),
        Markup('<text class="axt" transform="translate(14 {}) rotate(-90)">{} ↑</text>').format(HEIGHT / 2, up),
        *map(_dot, dots),
        Markup("</svg>"),
    ]  # fmt: skip
    return Markup("").join(parts)


def _ticks(xs: Sequence[float], ys: Sequence[float], px: _Scale, py: _Scale, across: str) -> list[Markup]:
    marks = [
        Markup('<text class="tick" text-anchor="middle" x="{}" y="{}">{}</text>').format(
            f"{px(x):.1f}", HEIGHT - _PAD_BOTTOM + 26, words.aspect_value(x, across)
        )
        for x in dict.fromkeys((min(xs), max(xs)))
    ]
    marks += [
        Markup('<text class="tick" text-anchor="end" x="{}" y="{}">{}</text>').format(
            _PAD_LEFT - 18, f"{py(y) + 4:.1f}", words.aspect_value(y, "")
        )
        for y in dict.fromkeys((min(ys), max(ys)))
    ]
    return marks


class _Scale(msgspec.Struct, frozen=True):
    """From a value to a place in the drawing."""

    low: float
    high: float
    start: float
    end: float
    log: bool

    def __call__(self, value: float) -> float:
        value = math.log(value) if self.log else value
        share = 0.5 if self.high == self.low else (value - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)


def _scale(values: Sequence[float], start: float, end: float) -> _Scale:
    low, high = min(values), max(values)
    log = low > 0 and high / low > 8
    return _Scale(math.log(low) if log else low, math.log(high) if log else high, start, end, log)


def _spread(places: list[tuple[float, float, FrontierPoint]]) -> list[Dot]:
    """Dots with labels moved apart where they would lie on one another."""
    taken: list[tuple[float, float]] = []
    dots = []
    for x, y, point in sorted(places, key=lambda place: place[1]):
        at = y + 4
        while any(abs(at - other) < 14 and abs(x - left) < 130 for left, other in taken):
            at += 14
        taken.append((x, at))
        dots.append(Dot(x=x, y=y, label=point.label, best=not point.dominated_by, label_y=at))
    return dots


def _dot(dot: Dot) -> Markup:
    label = dot.label if len(dot.label) <= 24 else dot.label[:23] + "…"
    return Markup(
        '<circle class="{}" cx="{}" cy="{}" r="5"/><text class="name" x="{}" y="{}">{}</text>'
    ).format(
        "best" if dot.best else "beaten",
        f"{dot.x:.1f}", f"{dot.y:.1f}", f"{dot.x + 10:.1f}", f"{dot.label_y:.1f}", label,
    )  # fmt: skip
