"""What `evalwright review` prints: queues, items, agreement. What models or strangers wrote is made harmless."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evalwright.core.estimate import Estimate
from evalwright.core.review import Queue, QueueCounts
from evalwright.reports.text import one_line, visible
from evalwright.review.figures import RaterFigures, RubricAgreement
from evalwright.services.reviewing.adjudicating import Dissent
from evalwright.services.reviewing.agreement import AgreementReport
from evalwright.services.reviewing.desk import Shown, ShownOutput
from evalwright.services.reviewing.label_studio import plain

PAIRS = 15
LONG = 6_000
"""Characters of one text that are printed; the rest is announced."""


def console() -> Console:
    """A console that reads no markup."""
    return Console(highlight=False, markup=False, soft_wrap=False)


def table(*columns: str) -> Table:
    """A plain table; columns that begin with `>` are numbers."""
    made = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for column in columns:
        number = column.startswith(">")
        made.add_column(column.removeprefix(">"), justify="right" if number else "left", no_wrap=column == "queue")
    return made


def safe(text: object, width: int = 60) -> Text:
    """One harmless line."""
    return Text(one_line(str(text), width))


def print_queues(out: Console, found: Iterable[tuple[Queue, QueueCounts]]) -> None:
    """A line a queue."""
    rows = list(found)
    if not rows:
        out.print("no review queues yet: `evalwright review queue new` makes one")
        return
    made = table("queue", "name", "rubrics", ">done", ">of", ">begun", ">to decide", ">labels", "state")
    for queue, counts in rows:
        rubrics = ", ".join(rubric.name for rubric in queue.rubrics)
        numbers = (counts.done, counts.items, counts.in_progress, counts.adjudication, counts.labels)
        made.add_row(queue.id, safe(queue.name, 30), safe(rubrics, 30), *map(str, numbers), queue.state)
    out.print(made)


def print_queue(out: Console, queue: Queue, counts: QueueCounts) -> None:
    """A queue in full: settings, rubrics with anchors, how far it is."""
    out.print(Text(f"{one_line(queue.name, 100)} ({queue.id}), {queue.kind.value}, {queue.state}", style="bold"))
    who = "anybody" if queue.raters is None else ", ".join(queue.raters)
    out.print(f"{queue.raters_per_item} labels per item by {one_line(who, 120)}; leases of {queue.lease_minutes:g} min")
    out.print(
        f"{counts.done} of {counts.items} items done, {counts.in_progress} begun, "
        f"{counts.adjudication} to decide, {counts.labels} labels"
    )
    for rubric in queue.rubrics:
        out.print()
        out.print(Text(f"{rubric.name}: {one_line(rubric.criterion, 200)}", style="bold"))
        for level in rubric.levels:
            out.print(Text(f"  {level.name} ({level.value:g})  {one_line(level.anchor, 160)}"))


# --- an item --------------------------------------------------------------------------------------------------------


def print_item(out: Console, shown: Shown) -> None:
    """An item as its reviewer sees it."""
    place = shown.position
    out.print()
    out.rule(Text(f"{place.done + 1} of {place.total}"), style="dim")
    _section(out, "input", plain(shown.input))
    _context(out, shown.context)
    if shown.expected is not None:
        _section(out, "expected", plain(shown.expected))
    for one in shown.outputs:
        _output(out, one, alone=len(shown.outputs) == 1)


def _output(out: Console, one: ShownOutput, *, alone: bool) -> None:
    _section(out, "answer" if alone else f"answer {one.side}", one.text)
    _context(out, one.context)


def _context(out: Console, parts: Sequence[dict[str, str]]) -> None:
    for part in parts:
        _section(out, f"{part['kind'].replace('_', ' ')} {part.get('title', '')}".strip(), part["text"], style="dim")


def _section(out: Console, title: str, text: str, style: str = "") -> None:
    out.print(Text(one_line(title, 80), style="bold cyan"))
    cut = text[:LONG]
    out.print(Text(visible(cut), style=style))
    if len(text) > LONG:
        out.print(f"… {len(text) - LONG:,} more characters")


def print_dissent(out: Console, one: Dissent, queue: Queue) -> None:
    """An item for a lead: what was asked and answered, and every label with its reason."""
    content, hidden = one.item.content, one.item.hidden
    out.print()
    out.rule(Text(one_line(hidden.case_id, 80)), style="dim")
    _section(out, "input", plain(content.input))
    if content.expected is not None:
        _section(out, "expected", plain(content.expected))
    names = ("first", "second") if len(content.outputs) > 1 else ("answer",)
    for name, answer in zip(names, content.outputs, strict=False):
        _section(out, name, answer.text)
    made = table("reviewer", *(rubric.name for rubric in queue.rubrics), "reason")
    for label in one.labels:
        answers = (label.answers.get(rubric.name, "–") for rubric in queue.rubrics)
        made.add_row(safe(label.rater, 20), *map(safe, answers), safe(label.rationale or "–", 100))
    out.print(made)
    for flag in one.flags:
        out.print(Text(f"flagged by {one_line(flag.rater, 30)}: {one_line(flag.note, 200)}", style="yellow"))


# --- agreement ------------------------------------------------------------------------------------------------------


def print_agreement(out: Console, report: AgreementReport) -> None:
    """Every figure with its interval."""
    for note in report.notes:
        out.print(Text(f"note: {one_line(note, 300)}"))
    for found in report.rubrics:
        _rubric(out, found)


def _rubric(out: Console, found: RubricAgreement) -> None:
    out.print()
    gaps = "" if found.missing is None else f", {found.missing:.0%} of cells empty"
    who = f"{found.raters_n} raters" if found.raters_n else "raters unknown"
    head = f"{one_line(found.name, 60)} ({found.scale}): {found.units:,} units, {who}, {found.ratings:,} ratings{gaps}"
    out.print(Text(head, style="bold"))
    made = table("coefficient", ">value", f"{found.alpha.level:.0%} interval", ">n")
    for name, one in _coefficients(found):
        made.add_row(name, *estimate_cells(one))
    out.print(made)
    if found.reading:
        out.print(f"by Krippendorff's cut-offs (.800, .667): {_READING[found.reading]}")
    for warning in found.warnings:
        out.print(Text(f"warning: {one_line(warning, 400)}", style="yellow"))
    _levels(out, found)
    _raters(out, found)
    _pairs(out, found)
    _times(out, found)


_READING = {"rely": "rely on it", "tentative": "tentative conclusions only", "unreliable": "not reliable"}


def _coefficients(found: RubricAgreement) -> list[tuple[str, Estimate]]:
    kappa = "Cohen's kappa" if found.raters_n == 2 else "kappa, mean of pairs"
    named: list[tuple[str, Estimate | None]] = [
        ("percent agreement", found.percent),
        (kappa, found.kappa),
        (f"{kappa}, quadratic", found.weighted),
        ("Fleiss' kappa", found.fleiss),
        *(
            (f"Krippendorff's alpha, {scale}", one)
            for scale, one in found.alphas.items()
            if scale != "ratio" or found.scale == "ratio"
        ),
        ("Gwet's AC1", found.gwet_ac1),
        ("Gwet's AC2, quadratic", found.gwet_ac if found.weighted is not None else None),
        ("Brennan-Prediger", found.brennan_prediger),
        *((name.upper().replace("_", " "), one) for name, one in found.intraclass.items()),
    ]
    return [(name, one) for name, one in named if one is not None]


def estimate_cells(one: Estimate) -> tuple[str, str, str]:
    """Value, interval and n of a figure."""
    if one.value is None:
        return "–", one.note, str(one.n)
    ends = "too little varies" if one.ci is None else f"{one.ci[0]:.4f} to {one.ci[1]:.4f}"
    return f"{one.value:.4f}", ends, f"{one.n:,}"


def _levels(out: Console, found: RubricAgreement) -> None:
    out.print()
    made = table("level", ">ratings", ">share", ">specific agreement", ">of disagreements")
    for level in found.levels_used[:30]:
        specific = "–" if level.specific_agreement is None else f"{level.specific_agreement:.3f}"
        made.add_row(
            safe(level.level), f"{level.count:,}", f"{level.share:.1%}", specific, f"{level.disagreements:.0%}"
        )
    out.print(made)
    for dispute in found.levels_in_dispute[:5]:
        out.print(
            Text(
                f"confused: {one_line(dispute.level_a, 40)} and {one_line(dispute.level_b, 40)}, "
                f"{dispute.share:.0%} of disagreements"
            )
        )


def _raters(out: Console, found: RubricAgreement) -> None:
    if not found.raters:
        return
    out.print()
    wanted = [
        (heading, [cell(one) for one in found.raters])
        for heading, cell in _RATER_COLUMNS.items()
        if any(cell(one) != "–" for one in found.raters)
    ]
    made = table("rater", ">n", *(f">{heading}" for heading, _ in wanted))
    for number, one in enumerate(found.raters):
        made.add_row(safe(one.rater, 24), f"{one.n:,}", *(cells[number] for _, cells in wanted))
    out.print(made)


def _short(one: Estimate | None, *, digits: int = 3) -> str:
    if one is None or one.value is None:
        return "–"
    ends = "" if one.ci is None else f" [{one.ci[0]:.{digits}f}, {one.ci[1]:.{digits}f}]"
    return f"{one.value:.{digits}f}{ends}"


_RATER_COLUMNS: dict[str, Callable[[RaterFigures], str]] = {
    "agrees with others": lambda one: _short(one.agreement),
    "bias": lambda one: _short(one.bias),
    "known right": lambda one: _short(one.calibration_accuracy),
    "median s": lambda one: "–" if one.median_seconds is None else f"{one.median_seconds:.0f}",
    "side A": lambda one: _short(one.share_a),
}


def _pairs(out: Console, found: RubricAgreement) -> None:
    if len(found.pairs) < 2:
        return
    out.print()
    weighted = any(pair.kappa_quadratic is not None for pair in found.pairs)
    made = table("pair", ">n", ">agree", ">kappa", *([">weighted"] if weighted else []))
    for pair in found.pairs[:PAIRS]:
        figures = (pair.percent, pair.kappa, *([pair.kappa_quadratic] if weighted else []))
        cells = (_short(one, digits=2) for one in figures)
        made.add_row(safe(f"{pair.a} – {pair.b}", 28 if weighted else 40), f"{pair.n:,}", *cells)
    out.print(made)
    if len(found.pairs) > PAIRS:
        out.print(f"… {len(found.pairs) - PAIRS} more pairs: --json has all")


def _times(out: Console, found: RubricAgreement) -> None:
    if not found.over_time:
        return
    import datetime as dt

    out.print()
    made = table("units last rated until", ">n", ">agree", ">alpha")
    for period in found.over_time:
        day = dt.datetime.fromtimestamp(period.to_at, dt.UTC).strftime("%Y-%m-%d %H:%M")
        made.add_row(day, str(period.n), _short(period.percent), _short(period.alpha))
    out.print(made)


def as_json(value: Any) -> str:
    """A record as one line of JSON."""
    from evalwright.reports.json_report import json_line

    return json_line(value)
