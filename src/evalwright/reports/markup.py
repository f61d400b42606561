"""Text of a run as HTML: escaped, hidden characters shown, spans that scorers point at marked, long text cut."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from markupsafe import Markup, escape

from evalwright.core.case import Json
from evalwright.reports.caseview import Span
from evalwright.reports.text import MAX_TEXT, Piece, as_text, has_hidden, hidden_name, label, pieces

_MAX_SPANS = 200
_HIDDEN = Markup('<span class="hid" title="{}">{}</span>')
_CUT = Markup('<span class="cut">… cut here: {} of {} characters shown</span>')


def show(value: Json, limit: int = MAX_TEXT) -> Markup:
    """A text, or any value as JSON text, as safe HTML; never raises, whatever the text holds."""
    return show_marked(as_text(value), (), limit)


def show_marked(text: str, spans: Sequence[Span], limit: int = MAX_TEXT) -> Markup:
    """A text as safe HTML with spans marked; overlapping spans share one mark that names all their notes."""
    if not spans and len(text) <= limit and not has_hidden(text):
        return escape(text)
    shown = text[:limit]
    parts: list[Markup] = []
    for start, end, notes in _segments(len(shown), spans):
        part = _visible(shown[start:end])
        parts.append(Markup('<mark title="{}">{}</mark>').format(_visible_title(notes), part) if notes else part)
    if len(text) > limit:
        parts.append(_CUT.format(f"{limit:,}", f"{len(text):,}"))
    return Markup("").join(parts)


def _segments(length: int, spans: Sequence[Span]) -> list[tuple[int, int, tuple[str, ...]]]:
    """The text cut at every end of a span: (start, end, notes of the spans that cover it)."""
    inside = [span for span in spans[:_MAX_SPANS] if span.start < length]
    edges = sorted({0, length, *(span.start for span in inside), *(min(span.end, length) for span in inside)})
    return [
        (start, end, tuple(dict.fromkeys(span.note for span in inside if span.start <= start and end <= span.end)))
        for start, end in itertools.pairwise(edges)
    ]


def _visible(text: str) -> Markup:
    return Markup("").join(_hidden(piece) if piece.hidden else escape(piece.text) for piece in pieces(text))


def _hidden(piece: Piece) -> Markup:
    times = f" ×{piece.count}" if piece.count > 1 else ""
    return _HIDDEN.format(hidden_name(piece) + times, label(piece))


def _visible_title(notes: Sequence[str]) -> str:
    return "\n".join("".join(label(piece) if piece.hidden else piece.text for piece in pieces(note)) for note in notes)
