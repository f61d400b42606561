"""A comparison as one HTML file that opens from disk: verdict, figures, slices, and the cases that changed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import msgspec
from jinja2 import ChoiceLoader, Environment, FileSystemLoader
from markupsafe import Markup

from evalwright.core.case_pair import CasePair
from evalwright.core.comparison import Advice, Comparison, Flips, PairComparison, PairedFigure, Weight
from evalwright.reports.compare import words
from evalwright.reports.compare.bars import difference_bar, frontier_map, reach_of
from evalwright.reports.compare.casediff import CaseDiff, case_diff
from evalwright.reports.compare.selection import changed_count, flips_by_case
from evalwright.reports.facets import Facet, Facets
from evalwright.reports.figures import moment
from evalwright.reports.pages import Page, environment, page
from evalwright.reports.text import MAX_TEXT, one_line

_TEMPLATES = Path(__file__).parent / "templates"
_SLICES = 40
_OPEN_GROUPS = 2
_WEIGHTS = {Weight.BREAKS: "fail", Weight.LIMITS: "inconclusive", Weight.EXPLAINS: "plain"}
_FILTERS = {
    "tag": ("Comparison", "Any comparison"),
    "status": ("Change", "Any change"),
    "metric": ("Metric", "Any metric"),
    "slice": ("Slice", "Any slice"),
}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """A paired figure as a row of a table; `go`: what to filter the cases by."""

    name: str
    baseline: str
    candidate: str
    difference: str
    interval: str
    p: str
    p_plain: str
    word: str
    tone: str
    record: str
    n: str
    could_see: str
    effect: str
    bar: Markup
    note: str
    go: str = ""


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The slices of a metric."""

    name: str
    whole: str
    worse: int
    rows: Sequence[Row]
    left_off: int
    open: bool


class Matrix(msgspec.Struct, frozen=True, kw_only=True):
    """Verdicts before and after; `broken_go` and `fixed_go` filter the cases."""

    name: str
    both: str
    neither: str
    broken: str
    fixed: str
    broken_go: str
    fixed_go: str


class PairView(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison of two runs as the page shows it."""

    anchor: str
    old: str
    new: str
    comparability: str
    mismatches: Sequence[tuple[str, str]]
    word: str
    tone: str
    headline: str
    reasons: Sequence[str]
    limits: Sequence[str]
    metrics: Sequence[Row]
    reweighted: Sequence[Row]
    groups: Sequence[Group]
    matrices: Sequence[Matrix]
    reversals: Sequence[str]
    lead: Row | None


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """A drop-down of the page."""

    kind: str
    name: str
    any: str
    options: Sequence[Facet]


def comparison_html(comparison: Comparison, cases: Sequence[Sequence[CasePair]], *, max_text: int = MAX_TEXT) -> str:
    """The whole page.

    Args:
        comparison: The comparison.
        cases: Per pair of runs: the cases to show, with what both runs made of them.
        max_text: Characters of one field before it is cut with a notice.
    """
    facets = Facets()
    shown = [_cases(comparison, place, found, facets) for place, found in enumerate(cases)]
    pairs = [_pair(comparison, place, pair, facets) for place, pair in enumerate(comparison.pairs)]
    headers, rows = words.frontier_rows(comparison)
    template = _environment(max_text).get_template("compare.html")
    text: str = template.render(
        page=_page(),
        comparison=comparison,
        title=_title(comparison),
        runs=[(run, moment(run.created_at)) for run in comparison.runs],
        pairs=pairs,
        cases=[case for found in shown for case in found],
        changed=sum(changed_count(pair) for pair in comparison.pairs),
        filters=[
            Filter(kind=kind, name=_FILTERS[kind][0], any=_FILTERS[kind][1], options=facets.options(kind))
            for kind in _FILTERS
            if kind in set(facets) and len(facets.options(kind)) > 1
        ],
        frontier=(headers, rows),
        map=_map(comparison),
        footnotes=words.FOOTNOTES,
        margin=f"{comparison.margin * 100:g}",
        level=f"{comparison.level:.0%}",
    )
    return text


def _environment(max_text: int) -> Environment:
    env = environment(max_text)
    env.loader = ChoiceLoader([FileSystemLoader(_TEMPLATES), *([env.loader] if env.loader else [])])
    return env


@cache
def _page() -> Page:
    """The shared style sheet with ours behind it, our script, and the policy that admits these two by hash."""
    style = str(page().style) + (_TEMPLATES / "compare.css").read_text("utf-8")
    script = (_TEMPLATES / "compare.js").read_text("utf-8")
    policy = (
        f"default-src 'none'; style-src '{_digest(style)}'; script-src '{_digest(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )
    return Page(style=Markup(style), script=Markup(script), policy=policy)  # noqa: S704 - files of this package


def _digest(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _title(comparison: Comparison) -> str:
    names = [run.label for run in comparison.runs]
    return f"{names[0]} → {names[1]}" if len(names) == 2 else f"{len(names)} runs compared"


def _map(comparison: Comparison) -> Markup:
    aspects = list(comparison.frontier[0].metrics) if comparison.frontier else []
    across = next((name for name in ("cost", "latency") if name in aspects), None)
    return frontier_map(comparison.frontier, across, "quality") if across and "quality" in aspects else Markup("")


def _cases(comparison: Comparison, place: int, found: Sequence[CasePair], facets: Facets) -> list[tuple[CaseDiff, str]]:
    pair = comparison.pairs[place]
    flips = flips_by_case(pair)
    label = _pair_label(comparison, pair)
    shown: list[tuple[CaseDiff, str]] = []
    for one in found:
        diff = case_diff(one, flips.get(one.case.id, []), f"p{place}-", pair.candidate)
        labels = [("tag", label), ("status", diff.word)]
        labels += [("metric", flip.metric) for flip in flips.get(one.case.id, []) if flip.metric]
        labels += [("slice", name) for name in diff.slices]
        tokens = [facets.count(kind, name, failing=diff.word == "worse") for kind, name in labels]
        shown.append((diff, " ".join(tokens)))
    return shown


def _pair_label(comparison: Comparison, pair: PairComparison) -> str:
    return " → ".join(words.titles(comparison, pair))


def _pair(comparison: Comparison, place: int, pair: PairComparison, facets: Facets) -> PairView:
    found = pair.recommendation
    advice = found.advice if found else Advice.INCOMPARABLE
    old, new = words.titles(comparison, pair)
    rows = words.overall_rows(pair)
    margin, reach = comparison.margin, reach_of([*rows, *pair.slices], comparison.margin)
    here = facets.token("tag", _pair_label(comparison, pair))
    metrics = [_row(row, words.name_of(row), reach_of(rows, margin), margin) for row in rows]
    return PairView(
        anchor=f"pair-{place}",
        old=old,
        new=new,
        comparability=words.comparability(pair),
        mismatches=[(_WEIGHTS[m.weight], words.mismatch_words(m)) for m in pair.mismatches],
        word=words.ADVICE_WORDS[advice],
        tone=words.TONES[advice],
        headline=found.headline if found else "",
        reasons=found.reasons if found else (),
        limits=found.limits if found else (),
        metrics=metrics,
        reweighted=[_row(row, words.name_of(row), reach, margin) for row in pair.reweighted],
        groups=_groups(pair, (reach, margin), facets, here),
        matrices=[_matrix(flips, facets, here) for flips in words.telling_flips(pair) if flips.verdicts][:4],
        reversals=[reversal.sentence for reversal in pair.reversals],
        lead=metrics[0] if metrics else None,
    )


def _row(figure: PairedFigure, name: str, reach: float, margin: float, go: str = "") -> Row:
    return Row(
        name=name,
        baseline=words.value(figure.baseline, figure),
        candidate=words.value(figure.candidate, figure),
        difference=words.signed(figure.difference, figure),
        interval=words.interval(figure),
        p=words.p_value(figure.p_adjusted),
        p_plain=words.p_value(figure.p),
        word=words.change_word(figure),
        tone=words.CHANGE_TONES[figure.change] if figure.p is not None else "small",
        record=words.record(figure),
        n=f"{figure.n:,}",
        could_see=words.could_see(figure),
        effect=words.effect(figure),
        bar=difference_bar(figure, reach, margin),
        note=figure.note,
        go=go,
    )


def _groups(pair: PairComparison, scale: tuple[float, float], facets: Facets, here: str) -> list[Group]:
    found = []
    for place, group in enumerate(words.slice_groups(pair)):
        shown = group.rows[:_SLICES]
        rows = [_row(f, f.slice, *scale, go=_joined(here, facets.token("slice", f.slice))) for f in shown]
        found.append(
            Group(
                name=group.metric,
                whole=words.signed(group.whole.difference, group.whole) if group.whole else "–",
                worse=group.worse,
                rows=rows,
                left_off=len(group.rows) - len(shown),
                open=place < _OPEN_GROUPS or group.worse > 0,
            )
        )
    return found


def _joined(here: str, token: str) -> str:
    return f"{here} {token}".strip() if token else ""


def _matrix(flips: Flips, facets: Facets, here: str) -> Matrix:
    metric = facets.token("metric", flips.metric) if flips.metric else ""

    def go(word: str) -> str:
        token = facets.token("status", word)
        return " ".join(part for part in (here, token, metric) if part) if token else ""

    return Matrix(
        name=one_line(flips.metric, 60) if flips.metric else "all scorers together",
        both=f"{flips.both:,}",
        neither=f"{flips.neither:,}",
        broken=f"{flips.broken_count:,}",
        fixed=f"{flips.fixed_count:,}",
        broken_go=go("worse"),
        fixed_go=go("better"),
    )
