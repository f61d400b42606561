"""Pictures, sound and documents of a run in a page: drawn only when their own bytes are what may be drawn.

A picture is put into the page as `data:` when it is PNG, JPEG, GIF or WebP by its first bytes, sound as a player; all
else (documents, SVG, what is too large, what lies at an address) is described in words, never fetched, never rendered.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping

from markupsafe import Markup

from evalwright.core.case import Json
from evalwright.core.errors import EvalwrightError
from evalwright.core.media import IMAGES, Contents, described, media_type, parts_of
from evalwright.reports.markup import show

LARGEST_SHOWN = 2 * 1024 * 1024
"""Bytes of one picture or sound that are put into a page."""

ALL_SHOWN = 24 * 1024 * 1024
"""Bytes of all of them together."""

_FIGURE = Markup('<figure class="media">{}<figcaption dir="auto">{}</figcaption></figure>')
_IMAGE = Markup('<img src="data:{};base64,{}" alt="{}" loading="lazy">')
_AUDIO = Markup('<audio controls preload="none" src="data:{};base64,{}"></audio>')


class Gallery:
    """Shows the media of one page.

    Args:
        contents: Where their content lies; None to describe them only.
    """

    def __init__(self, contents: Contents | None) -> None:
        self._contents = contents
        self._room = ALL_SHOWN

    def show(self, value: Json) -> Markup:
        """The media in a value, in order; nothing where it has none."""
        return Markup("").join(self._figure(part) for part in parts_of(value))

    def _figure(self, part: Mapping[str, Json]) -> Markup:
        drawn = self._drawn(part)
        return _FIGURE.format(drawn, show(described(part), 400))

    def _drawn(self, part: Mapping[str, Json]) -> Markup:
        digest = part.get("blob")
        if self._contents is None or not isinstance(digest, str) or part.get("type") not in {"image", "audio"}:
            return Markup("")
        try:
            data = self._contents.get(digest)
        except EvalwrightError:
            return Markup('<span class="muted">its content is not in the workspace</span>')
        if len(data) > min(LARGEST_SHOWN, self._room):
            return Markup('<span class="muted">too large to be shown here</span>')
        kind = media_type(data)
        form = _IMAGE if kind in IMAGES else _AUDIO if kind.startswith("audio/") else None
        if form is None:
            return Markup('<span class="muted">not shown: its content is {}</span>').format(kind)
        self._room -= len(data)
        encoded = base64.b64encode(data).decode()
        return form.format(kind, encoded, described(part)) if form is _IMAGE else form.format(kind, encoded)
