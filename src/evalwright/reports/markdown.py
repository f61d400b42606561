"""The run as Markdown that fits a pull request comment: verdict, figures, the failing cases there is room for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from evalwright.core.estimate import Estimate
from evalwright.core.gate import RuleResult
from evalwright.core.result import CaseResult, Summary
from evalwright.reports import caseview, figures
from evalwright.reports.instruments import HEADING, instrument_rows
from evalwright.reports.options import ReportOptions
from evalwright.reports.runview import tiles
from evalwright.reports.text import as_text, html_line, markdown_block, markdown_cell, markdown_code, plural

_MAX_ROWS = 40
_MAX_SLICES = 10
_MAX_NOTES = 10
_FOOTER = 2_500


def markdown_report(summary: Summary, cases: Iterable[CaseResult], options: ReportOptions) -> str:
    """The report, at most `options.max_chars` characters long; what does not fit is counted, and how to see it said."""
    sections = [
        _verdict(summary),
        _metrics(summary, options.baseline),
        _instruments(summary),
        _slices(summary),
        _totals(summary),
        _notes(summary),
    ]
    head = "\n\n".join(section for section in sections if section)
    foot = _footer(summary, options)
    room = options.max_chars - len(head) - len(foot) - 200
    return (
        "\n\n".join(
            part
            for part in (_fitted(head, options.max_chars - len(foot) - 200), _cases(summary, cases, room), foot)
            if part
        )
        + "\n"
    )


def _fitted(text: str, room: int) -> str:
    """Whole lines of a text within the room."""
    if len(text) <= room:
        return text
    return text[: max(room - 40, 0)].rpartition("\n")[0] + "\n\n… cut: too long for a comment"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    align = ["---" if name[:1] != ">" else "---:" for name in head]
    lines = [[name.removeprefix(">") for name in head], align, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _verdict(summary: Summary) -> str:
    manifest = summary.manifest
    version = f" v{manifest.suite_version}" if manifest.suite_version else ""
    lines = [f"## {figures.verdict_word(summary)}: {markdown_cell(manifest.suite + version)}"]
    lines.append(markdown_cell(figures.verdict_sentence(summary), 600))
    if figures.ending(summary.status):
        lines.append(f"**{figures.ending(summary.status)}**")
    results = summary.decision.results if summary.decision else ()
    if results:
        lines.append(_table(["Verdict", "Rule", "Measured", "Why"], [_rule(result) for result in results[:_MAX_ROWS]]))
        lines += _more(len(results), _MAX_ROWS, "rule")
    return "\n\n".join(lines)


def _more(count: int, shown: int, noun: str) -> list[str]:
    return [f"… and {plural(count - shown, f'more {noun}', f'more {noun}s')}."] if count > shown else []


def _rule(result: RuleResult) -> list[str]:
    estimate, rule = result.estimate, result.rule
    word = f"**{figures.WORDS[result.verdict].lower()}**" + (" (warns only)" if rule.severity != "block" else "")
    word += " (waived)" if result.waived is not None else ""
    measured = "–"
    if estimate is not None:
        measured = f"{figures.number(estimate.value, estimate.unit)} {figures.interval(estimate)}, n={estimate.n:,}"
    why = " ".join(markdown_cell(reason, 300) for reason in figures.rule_reasons(result))
    return [word, markdown_cell(figures.rule_words(rule, estimate.unit if estimate else "")), measured, why or "–"]


def _metrics(summary: Summary, baseline: Summary | None) -> str:
    rows = figures.overall(summary.estimates)
    if not rows:
        return ""
    before = {figures.name_of(row): row for row in figures.overall(baseline.estimates)} if baseline else {}
    head = ["Metric", ">Value", f">{rows[0].level:.0%} interval", ">n", ">Skipped", ">Errors"]
    head += [">Baseline"] if baseline else []
    lines = [
        [*_figures(row), *([_plain(before.get(figures.name_of(row)))] if baseline else [])] for row in rows[:_MAX_ROWS]
    ]
    return "\n\n".join(["### Metrics", _table(head, lines), *_more(len(rows), _MAX_ROWS, "metric")])


def _instruments(summary: Summary) -> str:
    rows = instrument_rows(summary)
    if not rows:
        return ""
    head = ["Metric", "Flags that are right", "Found", "Left alone", ">Labels", "Measured"]
    lines = [
        [
            markdown_cell(row.metric, 60),
            row.precision,
            row.recall,
            row.specificity,
            row.n,
            markdown_cell(row.source, 120),
        ]
        for row in rows[:_MAX_ROWS]
    ]
    return "\n\n".join([f"### {HEADING}", _table(head, lines), *_more(len(rows), _MAX_ROWS, "metric")])


def _figures(row: Estimate) -> list[str]:
    name = markdown_cell(figures.name_of(row), 60)
    return [
        name,
        f"**{figures.number(row.value, row.unit)}**",
        figures.interval(row),
        f"{row.n:,}",
        f"{row.skipped:,}",
        f"{row.errors:,}",
    ]


def _plain(row: Estimate | None) -> str:
    return "–" if row is None else f"{figures.number(row.value, row.unit)} {figures.interval(row)}"


def _slices(summary: Summary) -> str:
    rows = figures.worst_slices(summary, _MAX_SLICES)
    if not rows:
        return ""
    head = ["Metric", "Slice", ">Value", ">Interval", ">n", ""]
    lines = [
        [
            markdown_cell(figures.name_of(row), 60),
            markdown_cell(row.slice, 60),
            f"**{figures.number(row.value, row.unit)}**",
            figures.interval(row),
            f"{row.n:,}",
            "too few cases" if figures.is_small(row) else "",
        ]
        for row in rows
    ]
    return f"### Slices furthest behind\n\n{_table(head, lines)}"


def _totals(summary: Summary) -> str:
    words = [f"{tile.name.lower()} **{tile.value}** {tile.note}".rstrip() for tile in tiles(summary)]
    return "### Totals\n\n" + " · ".join(words)


def _notes(summary: Summary) -> str:
    if not summary.notes:
        return ""
    lines = [f"- {markdown_cell(note, 400)}" for note in summary.notes[:_MAX_NOTES]]
    return "\n".join(
        ["### Notes", "", *lines, *(f"- {more}" for more in _more(len(summary.notes), _MAX_NOTES, "note"))]
    )


def _cases(summary: Summary, cases: Iterable[CaseResult], room: int) -> str:
    """Failing cases in order until the room is used up; then how many are left, without reading the rest."""
    title = f"### Failing cases ({summary.failing:,})"
    blocks: list[str] = []
    used = len(title)
    for result in cases:
        if not caseview.needs_attention(caseview.status_of(result)):
            continue
        block = _case(result)
        if used + len(block) + 2 > room:
            break
        blocks.append(block)
        used += len(block) + 2
    if not blocks and not summary.failing:
        return ""
    left = max(0, summary.failing - len(blocks))
    return "\n\n".join(
        [title, *blocks, *([f"{plural(left, 'more failing case')} in the full report."] if left else [])]
    )


def _case(result: CaseResult) -> str:
    status = caseview.status_of(result)
    lines = [f"<details><summary>{caseview.WORDS[status]}: {_summary_line(result)}</summary>", ""]
    lines += [
        f"- **{markdown_cell(reason.metric, 60)}**: {markdown_cell(reason.text, 400)}" for reason in _reasons(result)
    ]
    lines += ["", *_shown("Input", caseview.headline(result, 600))]
    lines += _shown("Expected", as_text(result.case.expected))
    for unit in result.trials[:3]:
        if unit.output is not None:
            lines += _shown(
                "Output" if len(result.trials) == 1 else f"Output of trial {unit.trial + 1}", unit.output.text
            )
    return "\n".join([*lines, "</details>"])


def _reasons(result: CaseResult) -> Iterator[caseview.Reason]:
    yield from caseview.reasons_of(result)[:6]


def _summary_line(result: CaseResult) -> str:
    return f"{html_line(result.case.id, 80)} – {html_line(caseview.headline(result, 100), 100)}"


def _shown(title: str, text: str) -> list[str]:
    return [f"{title}:", "", markdown_block(text), ""] if text else []


def _footer(summary: Summary, options: ReportOptions) -> str:
    manifest = summary.manifest
    facts = [f"run {markdown_code(manifest.run_id)}", f"target {markdown_code(manifest.target_name)}"]
    if manifest.dataset is not None:
        facts.append(f"dataset {markdown_code(manifest.dataset.source)} {markdown_code(manifest.dataset.digest[:12])}")
    if manifest.code.commit:
        facts.append(
            f"commit {markdown_code(manifest.code.commit[:12])}" + (" with changes" if manifest.code.dirty else "")
        )
    lines = [" · ".join(facts)]
    if figures.rerun_command(manifest):
        lines.append(f"Repeat: {markdown_code(figures.rerun_command(manifest))}")
    lines += [f"{name.upper()} report: {markdown_code(path)}" for name, path in options.reports.items()]
    return ("---\n\n" + "  \n".join(lines))[:_FOOTER]
