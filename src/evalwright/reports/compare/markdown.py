"""A comparison as Markdown that fits a pull request comment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from evalwright.core.comparison import Comparison, Flips, PairComparison, PairedFigure, Weight
from evalwright.reports.compare import words
from evalwright.reports.text import html_line, markdown_cell, markdown_code, plural

_SLICES = 12
_METRICS = 40
_IDS = 10
MAX_CHARS = 60_000


def comparison_markdown(comparison: Comparison) -> str:
    """The comparison, at most `MAX_CHARS` characters long; what does not fit is cut at a line with a notice."""
    parts = [_pair(comparison, pair) for pair in comparison.pairs]
    parts.append(_frontier(comparison))
    parts.append("\n".join(f"<sub>{markdown_cell(note, 300)}</sub><br>" for note in words.FOOTNOTES))
    text = "\n\n".join(part for part in parts if part) + "\n"
    if len(text) <= MAX_CHARS:
        return text
    return text[: MAX_CHARS - 60].rpartition("\n")[0] + "\n\n… cut: too long for a comment\n"


def _pair(comparison: Comparison, pair: PairComparison) -> str:
    old, new = words.titles(comparison, pair)
    found = pair.recommendation
    head = words.ADVICE_WORDS[found.advice] if found else "COMPARISON"
    lines = [
        f"## {head}: {markdown_cell(old)} → {markdown_cell(new)}",
        markdown_cell(words.comparability(pair), 400),
        *_mismatches(pair),
    ]
    if found is not None:
        lines.append(f"**{markdown_cell(found.headline, 900)}**")
        lines.append("\n".join(f"- {markdown_cell(reason, 700)}" for reason in found.reasons))
        lines.append("\n".join(f"- ⚠ {markdown_cell(limit, 700)}" for limit in found.limits))
    lines += _tables(pair)
    lines += [_flips(flips, pair) for flips in words.telling_flips(pair)[:3]]
    return "\n\n".join(line for line in lines if line)


def _mismatches(pair: PairComparison) -> list[str]:
    shown = [m for m in pair.mismatches if m.weight is not Weight.EXPLAINS]
    explains = [m for m in pair.mismatches if m.weight is Weight.EXPLAINS]
    rows = [f"- {markdown_cell(words.mismatch_words(m), 500)}" for m in (*shown, *explains)[:10]]
    return ["\n".join(rows)] if rows else []


def _tables(pair: PairComparison) -> list[str]:
    found = []
    rows = words.overall_rows(pair)
    if rows:
        found += ["### Metrics", _table(rows[:_METRICS], ["Metric"])]
    if pair.reweighted:
        found += ["### At the production mix", _table(pair.reweighted, ["Metric"])]
    worst = words.worst_slices(pair, _SLICES)
    if worst:
        found += ["### Slices that lost most", _table(worst, ["Metric", "Slice"])]
    return found


def _table(rows: Sequence[PairedFigure], names: Sequence[str]) -> str:
    head = [*names, ">Baseline", ">Candidate", ">Difference", f">{rows[0].level:.0%} interval", ">p adj.", "", ">n"]
    return grid(head, [[*_names(row, len(names)), *_cells(row)] for row in rows])


def _names(row: PairedFigure, count: int) -> list[str]:
    return [markdown_cell(words.name_of(row), 80), markdown_cell(row.slice, 80)][:count]


def _cells(row: PairedFigure) -> list[str]:
    return [
        words.value(row.baseline, row),
        words.value(row.candidate, row),
        f"**{words.signed(row.difference, row)}**",
        words.interval(row),
        markdown_cell(words.p_value(row.p_adjusted)),
        words.change_word(row),
        f"{row.n:,}",
    ]


def grid(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; a header that begins with `>` aligns its column to the right."""
    align = ["---:" if name.startswith(">") else "---" for name in head]
    lines = [[name.removeprefix(">") for name in head], align, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _flips(flips: Flips, pair: PairComparison) -> str:
    name = html_line(flips.metric) if flips.metric else "row verdict over all scorers"
    verbs = ("now pass", "now fail") if flips.verdicts else ("score higher", "score lower")
    broken, fixed = (
        f"{plural(count, 'case')} {verb}{_ids([flip.case_id for flip in found], count)}"
        for verb, found, count in (
            (verbs[1], flips.broken, flips.broken_count),
            (verbs[0], flips.fixed, flips.fixed_count),
        )
    )
    command = f"\n\n`evalwright show {pair.candidate} CASE`" if flips.broken else ""
    head = f"{name}: {flips.broken_count:,} worse, {flips.fixed_count:,} better"
    return f"<details><summary>{head}</summary>\n\n- {broken}\n- {fixed}{command}\n</details>"


def _ids(ids: Sequence[str], count: int) -> str:
    if not ids:
        return ""
    more = f" and {count - _IDS:,} more" if count > _IDS else ""
    return ": " + ", ".join(markdown_code(name) for name in ids[:_IDS]) + more


def _frontier(comparison: Comparison) -> str:
    headers, rows = words.frontier_rows(comparison)
    if len(headers) < 2 or len(rows) < 2:
        return ""
    head = ["Run", *(f">{markdown_cell(header)}" for header in headers), ""]
    lines = [[markdown_cell(point.label, 80), *cells, markdown_cell(note)] for point, cells, note in rows]
    return "### Quality, safety, cost, latency\n\n" + grid(head, lines)
