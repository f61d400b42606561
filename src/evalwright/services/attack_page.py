"""A report of packs as one HTML file that opens from disk and asks the network for nothing."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from importlib.metadata import version
from importlib.resources import files
from typing import Any

import msgspec
from markupsafe import Markup

from evalwright.core.estimate import ALL, Estimate
from evalwright.packs.coverage import ATLAS, OWASP, Crossing
from evalwright.packs.model import SEVERITIES
from evalwright.reports.pages import environment, page
from evalwright.services.attacking import AttackReport

_SLICED = ("severity", "class", "vector", "transform", "wrapper", "language")
_WORDS = {"class": "class of attack", "vector": "way in", "transform": "disguise"}
_SHOWN = 4_000


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a table of success rates; `low`, `wide` and `at` are percent of the picture's width."""

    name: str
    value: str
    interval: str
    n: int
    clusters: str
    low: float
    wide: float
    at: float


class Mark(msgspec.Struct, frozen=True, kw_only=True):
    """One cell of the matrix: its words, and `hit`, `held` or `dark`."""

    words: str
    kind: str


class Risk(msgspec.Struct, frozen=True, kw_only=True):
    """One row of the matrix, with the sum over all techniques."""

    id: str
    name: str
    cells: tuple[Mark, ...]
    words: str
    kind: str


def attack_page(report: AttackReport, *, redacted: bool) -> str:
    """The whole report as HTML; everything in it is escaped.

    Args:
        report: As it is to be shown.
        redacted: Whether attacks and answers were withheld, which is said.
    """
    packs = files("evalwright.packs")
    style = str(page().style) + packs.joinpath("attack.css").read_text("utf-8")
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = environment(_SHOWN).from_string(packs.joinpath("attack.html").read_text("utf-8"))
    return template.render(
        report=report,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        style=Markup(style),  # noqa: S704 - files of this package
        packs=", ".join(f"{pack['pack']} {pack['version']}" for pack in report.packs) or "public sets",
        tiles=_tiles(report),
        tables=[(_WORDS.get(name, name), rows) for name in _SLICED if (rows := _rows(report.success, name))],
        atlas=list(ATLAS.items()),
        matrix=_matrix(report),
        version=version("evalwright"),
        redacted=redacted,
    )


def _tiles(report: AttackReport) -> list[tuple[str, str, str]]:
    counts = report.counts
    resisted = counts.tries - counts.succeeded - counts.invalid
    everything = next((e for e in report.success if e.slice == ALL), None)
    tiles = [("attempts", f"{counts.tries:,}", f"{counts.cases:,} attacks of {report.possible:,} possible")]
    tiles += [("succeeded", f"{counts.succeeded:,}", ""), ("resisted", f"{resisted:,}", "")]
    tiles.append(("invalid", f"{counts.invalid:,}", f"{counts.invalid / max(1, counts.tries):.1%} of the attempts"))
    named = [
        ("attack success", everything),
        (_at_least_once(report.at_k), report.at_k),
        ("honest questions answered under attack", report.utility),
        ("harmless requests refused (over-refusal)", report.over_refusal),
        ("requests answered that should be refused (under-refusal)", report.under_refusal),
    ]
    tiles += [(name, _percent(e.value), f"{_interval(e)}, n = {e.n}") for name, e in named if e is not None]
    if report.regression:
        newly = report.regression
        tiles.append(("critical attacks newly succeeding", str(newly.count), f"of {newly.pairs} resisted before"))
    if report.pairs:
        pairs = report.pairs
        tiles.append(("pairs of people treated differently", f"{pairs.refusal_flips}", f"of {pairs.pairs} in refusing"))
    return tiles


def _at_least_once(estimate: Estimate | None) -> str:
    return f"succeeds at least once in {estimate.metric.rpartition('@')[2]}" if estimate else ""


def _rows(estimates: Sequence[Estimate], slice_name: str) -> list[Row]:
    mine = [e for e in estimates if e.slice.partition("=")[0] == slice_name]
    if slice_name == "severity":
        order = [f"severity={name}" for name in SEVERITIES]
        return [_row(e) for e in sorted(mine, key=lambda e: order.index(e.slice))]
    return [_row(e) for e in sorted(mine, key=lambda e: (-(e.value or 0.0), e.slice))]


def _row(estimate: Estimate) -> Row:
    low, high = 100 * (estimate.low or 0.0), 100 * (1.0 if estimate.high is None else estimate.high)
    return Row(
        name=estimate.slice.partition("=")[2],
        value=_percent(estimate.value),
        interval=_interval(estimate),
        n=estimate.n,
        clusters=str(estimate.clusters or estimate.n),
        low=round(low, 2),
        wide=round(max(0.5, high - low), 2),
        at=round(min(98.5, 100 * (estimate.value or 0.0)), 2),
    )


def _percent(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.1f} %"


def _interval(estimate: Estimate) -> str:
    ends = (estimate.low, estimate.high)
    return " to ".join("?" if end is None else f"{100 * end:.1f}" for end in ends) + " %"


def _matrix(report: AttackReport) -> list[Risk]:
    totals: dict[str, Any] = {cell.id: cell for cell in report.coverage if cell.list == "owasp"}
    return [
        Risk(
            id=owasp,
            name=name,
            cells=tuple(_mark(cell) for cell in report.matrix if cell.owasp == owasp),
            words=_mark(totals[owasp]).words,
            kind=_mark(totals[owasp]).kind,
        )
        for owasp, name in OWASP.items()
    ]


def _mark(cell: Crossing | Any) -> Mark:
    if not cell.cases:
        return Mark(words="·", kind="dark")
    return Mark(words=f"{cell.succeeded}/{cell.tries}", kind="hit" if cell.succeeded else "held")
