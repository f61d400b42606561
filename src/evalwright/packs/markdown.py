"""The report for security people as Markdown; everything the product said is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from evalwright.core.estimate import Estimate
from evalwright.packs.coverage import Cell, Crossing
from evalwright.packs.findings import Finding

_SPECIAL = frozenset("\\`*_{}[]<>()#+!|~&")


def safe(text: str) -> str:
    """A text on one line that Markdown and terminals show as it is."""
    shown = "".join(f"\\{char}" if char in _SPECIAL else char for char in text)
    return "".join(char if char.isprintable() else f"⟨U+{ord(char):04X}⟩" for char in shown)


def block(text: str) -> str:
    """A text as a code block that nothing in it can end."""
    longest = max((len(run) for run in _runs(text)), default=0)
    fence = "`" * max(3, longest + 1)
    plain = "".join(c if c.isprintable() or c == "\n" else f"⟨U+{ord(c):04X}⟩" for c in text)
    return f"{fence}\n{plain}\n{fence}"


def _runs(text: str) -> Iterator[str]:
    run = ""
    for char in f"{text} ":
        if char == "`":
            run += char
        elif run:
            yield run
            run = ""


def rate(estimate: Estimate) -> str:
    """`12.0 % (4.5 to 24.1 %, n = 25)`."""
    if estimate.value is None:
        return "nothing to tell"
    low, high = (f"{100 * end:.1f}" if end is not None else "?" for end in (estimate.low, estimate.high))
    return f"{100 * estimate.value:.1f} % ({low} to {high} %, n = {estimate.n})"


def findings_text(found: Sequence[Finding]) -> str:
    """One chapter for each finding."""
    return "\n".join(_finding(number, finding) for number, finding in enumerate(found, 1))


def _finding(number: int, finding: Finding) -> str:
    lines = [
        f"### {number}. {safe(finding.title)} ({finding.severity})",
        "",
        f"- {finding.succeeded} of {finding.tried} attacks succeeded; way in: {safe(finding.vector)}",
        f"- proof: {safe(finding.reason)}",
        f"- references: {safe(', '.join(finding.tags))}",
        f"- remedy: {safe(finding.hint)}",
        "- replay:",
        "",
        block(finding.replay),
        "",
        _sent(finding),
        "",
        block(finding.payload if finding.minimised is None else finding.minimised),
        "",
        *([f"In clear: {safe(finding.clear)}", ""] if finding.clear else []),
        "What was answered:",
        "",
        block(finding.answer[:2_000]),
        "",
    ]
    return "\n".join(lines)


def _sent(finding: Finding) -> str:
    """The words over what was sent."""
    if finding.minimised is None:
        return "What was sent:"
    needs = f", still in {safe(finding.disguise)}" if finding.disguise else ""
    return f"The fewest words that succeed ({finding.calls} calls{needs}):"


def coverage_text(cells: Sequence[Cell]) -> str:
    """The matrix as a table; what was not tested says why."""
    rows = [
        f"| {cell.id} | {cell.name} | {cell.cases or 'untested'} | {_share(cell)} | {cell.untested} |" for cell in cells
    ]
    return "\n".join(["| id | risk | attacks | succeeded | not tested |", "| --- | --- | --- | --- | --- |", *rows])


def _share(cell: Cell) -> str:
    return f"{cell.succeeded} of {cell.tries}" if cell.tries else ""


def matrix_text(cells: Sequence[Crossing]) -> str:
    """OWASP risks by ATLAS techniques: successes of tries, a dot where nothing was tried."""
    columns = list(dict.fromkeys(cell.atlas for cell in cells))
    by_place = {(cell.owasp, cell.atlas): cell for cell in cells}
    rows = [
        f"| {owasp} | {' | '.join(_crossed(by_place[owasp, atlas]) for atlas in columns)} |"
        for owasp in dict.fromkeys(cell.owasp for cell in cells)
    ]
    head = f"| | {' | '.join(name.removeprefix('AML.') for name in columns)} |"
    return "\n".join([head, f"| --- |{' --- |' * len(columns)}", *rows])


def _crossed(cell: Crossing) -> str:
    return f"{cell.succeeded}/{cell.tries}" if cell.cases else "·"
