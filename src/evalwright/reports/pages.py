"""The frame of every HTML page we write: templates that escape by default, inline style and script, a strict policy."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from evalwright.core.media import Contents
from evalwright.reports import caseview, figures, markup, svg
from evalwright.reports.gallery import Gallery
from evalwright.reports.text import one_line, visible

_TEMPLATES = Path(__file__).parent / "templates"


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What a page carries in itself: its style sheet, its script, and the policy that allows these two and nothing."""

    style: Markup
    script: Markup
    policy: str


@cache
def page(script: str = "report.js") -> Page:
    """The style sheet, a script of ours and the content security policy that admits them by hash.

    The policy forbids every request, every other script or style, frames, forms and a changed base address; pictures
    and sound only as `data:` in the page itself.
    """
    style, code = (_TEMPLATES / "report.css").read_text("utf-8"), (_TEMPLATES / script).read_text("utf-8")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(code)}'; "
        "img-src data:; media-src data:; base-uri 'none'; form-action 'none'"
    )
    return Page(style=Markup(style), script=Markup(code), policy=policy)  # noqa: S704 - files of this package


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def environment(limit: int, media: Contents | None = None) -> Environment:
    """Templates with autoescape on and our filters.

    Args:
        limit: Characters after which `show` cuts a text.
        media: Where the content of pictures and sound lies; None to describe them only.
    """
    env = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=False,
        keep_trailing_newline=False,
    )
    env.filters |= _filters(limit)
    env.globals["gallery"] = Gallery(media).show
    env.globals["marked"] = lambda text, spans=(): markup.show_marked(text, spans, limit)
    return env


def _filters(limit: int) -> dict[str, Any]:
    return {
        "show": lambda value, most=limit: markup.show(value, most),
        "plain": lambda value: visible(str(value)),
        "line": lambda value, width=140: one_line(str(value), width),
        "turns": caseview.turns_of,
        "record": caseview.fields_of,
        "http": caseview.http_status,
        "place": caseview.evidence_place,
        "quote": caseview.evidence_text,
        "digits": figures.digits,
        "brief": figures.brief,
        "seconds": figures.seconds,
        "thousands": lambda value: f"{value:,}",
        "end": figures.axis_end,
        "svg": svg.interval_bar,
    }
