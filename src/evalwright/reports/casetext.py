"""One case in full in a terminal: `evalwright show RUN CASE`.

Everything a model wrote stands behind a bar at the left, so that no line of it can be taken for one of ours or for a
command of a build server; control characters and direction overrides are written out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import msgspec
from rich.cells import cell_len
from rich.console import Console, Group, RenderableType
from rich.text import Text

from evalwright.core.case import Json
from evalwright.core.media import described
from evalwright.core.output import Output, Step
from evalwright.core.result import CaseResult
from evalwright.core.run import UnitRecord
from evalwright.core.score import Score, ScoreStatus
from evalwright.reports import caseview, figures
from evalwright.reports.caseview import CaseStatus
from evalwright.reports.text import as_text, cut, one_line, plural, visible

TERMINAL_TEXT = 8_000
"""Characters of one text a terminal shows unless asked for all."""

MESSAGE_TEXT = 1_500
"""Characters of one message of a conversation a terminal shows."""

_STYLES = {
    CaseStatus.FAIL: "bold red",
    CaseStatus.ERROR: "bold yellow",
    CaseStatus.PASS: "bold green",
    CaseStatus.UNJUDGED: "bold",
    CaseStatus.ABSENT: "bold",
}
_SCORE_STYLES = {"passed": "green", "failed": "bold red", "error": "yellow", "skipped": "dim", "scored": ""}
_MAX_DEPTH = 12


class _Show(msgspec.Struct, frozen=True, kw_only=True):
    """How to show a case: columns, characters of one text, units of metrics."""

    width: int
    limit: int
    units: Mapping[str, str]

    def inner(self, limit: int) -> _Show:
        """The same, two columns further in, with shorter texts."""
        return _Show(width=self.width - 2, limit=min(limit, self.limit), units=self.units)

    def short(self, limit: int) -> _Show:
        """The same with shorter texts."""
        return _Show(width=self.width, limit=min(limit, self.limit), units=self.units)


def print_case(
    console: Console, result: CaseResult, *, limit: int = TERMINAL_TEXT, units: Mapping[str, str] | None = None
) -> None:
    """Print a case on a console, as wide as it is; see `case_detail`."""
    console.print(case_detail(result, width=console.width, limit=limit, units=units))


def case_detail(
    result: CaseResult, *, width: int = 80, limit: int = TERMINAL_TEXT, units: Mapping[str, str] | None = None
) -> Group:
    """A case with its input, expectation, and each trial's answer, scores, contexts, tool calls and failed attempts.

    Args:
        result: The case.
        width: Columns.
        limit: Characters of one text to show; longer ones are cut with a notice.
        units: Units of the metrics that have one.
    """
    show = _Show(width=width, limit=limit, units=units or {})
    parts = [_head(result), Text(), *_part("Input", _value(result.case.input, show))]
    if result.case.expected is not None:
        parts += _part("Expected", _value(result.case.expected, show))
    for unit in result.trials:
        parts += _trial(unit, len(result.trials), show)
    if result.case.metadata:
        parts += _part("Metadata", _value(result.case.metadata, show))
    return Group(*parts)


def _head(result: CaseResult) -> Text:
    status = caseview.status_of(result)
    head = Text.assemble((caseview.WORDS[status].upper(), _STYLES[status]), "  ", (visible(result.case.id), "bold"))
    labels = [*caseview.slice_labels(result.slices), *(f"#{tag}" for tag in result.case.tags)]
    if result.case.cluster:
        labels.append(f"cluster {result.case.cluster}")
    if labels:
        head.append("\n" + "  ".join(one_line(label, 60) for label in labels), style="dim")
    return head


def _part(title: str, lines: Sequence[Text]) -> list[RenderableType]:
    return [Text(title, style="bold"), *lines, Text()]


def _value(value: Json, show: _Show) -> list[Text]:
    turns, record = caseview.turns_of(value), caseview.fields_of(value)
    if record is not None:
        return _quoted("\n".join(_field(name, item) for name, item in record.items()), show)
    if turns is None:
        return _quoted(as_text(value), show)
    lines: list[Text] = []
    for turn in turns:
        lines += [Text(f"  {one_line(turn.role, 30)}", style="dim"), *_quoted(turn.text, show)]
    return lines


def _field(name: str, item: Json) -> str:
    if isinstance(item, list | tuple):
        return "\n".join([f"{name}:", *(f"  - {as_text(each)}" for each in item)])
    return f"{name}: {as_text(item)}"


def _quoted(text: str, show: _Show) -> list[Text]:
    """The text behind a bar, wrapped, hidden characters visible, cut with a notice."""
    shown, left = cut(text, show.limit)
    if not shown.strip():
        return [Text(f"  ({plural(len(text), 'white-space character')})" if text else "  (empty)", style="dim")]
    room = max(20, show.width - 4)
    lines = [
        Text(f"  │ {piece}", no_wrap=True, overflow="ignore")
        for line in visible(shown).expandtabs(4).replace("##[", "##\\[").split("\n")
        for piece in _wrapped(line, room)
    ]
    return [*lines, Text(f"  … {left:,} of {len(text):,} characters left off", style="yellow")] if left else lines


def _wrapped(line: str, room: int) -> Iterator[str]:
    """A line in pieces of at most `room` columns of the screen, broken at spaces where there are any."""
    start = 0
    while len(line) - start > room or cell_len(line[start:]) > room:
        window = line[start : start + room + 1]
        end = _prefix(window, room)
        at = window.rfind(" ", 1, end + 1)
        at = at if at > room // 3 else end
        yield window[:at]
        start += at + (window[at : at + 1] == " ")
    yield line[start:]


def _prefix(line: str, room: int) -> int:
    """How many characters fit into `room` columns, at least one."""
    used = 0
    for place, char in enumerate(line):
        used += cell_len(char)
        if used > room:
            return max(place, 1)
    return len(line)


def _trial(unit: UnitRecord, trials: int, show: _Show) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if trials > 1:
        status = caseview.unit_word(unit)
        parts += [Text(f"Trial {unit.trial + 1} of {trials}: {caseview.WORDS[status]}", style=_STYLES[status]), Text()]
    if unit.error is not None:
        shown = f"{unit.error.kind}{caseview.http_status(unit.error)}: {unit.error.message}"
        parts += _part("No answer", _quoted(shown, show))
    if unit.output is not None:
        parts += _output(unit, unit.output, show)
    if unit.scores:
        parts += _part("Scores", [line for name, s in unit.scores.items() for line in _score(name, s, unit, show)])
    if unit.output is not None:
        parts += _behind(unit.output, show)
    if unit.attempts:
        parts += _part("Failed attempts", _attempts(unit, show))
    return parts


def _output(unit: UnitRecord, output: Output, show: _Show) -> list[RenderableType]:
    lines = _quoted(output.text, show) if output.text or (output.data is None and not output.parts) else []
    lines += [Text(f"  {one_line(described(part), 200)}", style="dim") for part in output.parts]
    if output.data is not None:
        lines += _quoted(as_text(output.data), show)
    facts = caseview.meta_words(output, unit)
    if facts:
        words = "  ".join(f"{name} {one_line(value, 80)}" for name, value in facts)
        lines += [Text(f"  {line.strip()}", style="dim") for line in _wrapped(words, max(20, show.width - 2))]
    return _part("Output", lines)


def _score(metric: str, score: Score, unit: UnitRecord, show: _Show) -> list[Text]:
    word = caseview.score_word(score)
    head = Text("  ").append(f"{word:<8}", style=_SCORE_STYLES[word]).append(visible(metric), style="bold")
    if score.value is not None:
        head.append(f"  {caseview.score_value(score, show.units.get(metric, ''))}")
    if score.label:
        head.append(f"  {one_line(score.label, 60)}")
    lines = [head]
    if score.reason:
        lines += [Text("  " + str(line)) for line in _quoted(score.reason, show.inner(2_000))]
    for item in score.evidence:
        quote = caseview.evidence_text(item, unit.output)
        words = [one_line(caseview.evidence_place(item), 60), f"“{one_line(quote, 200)}”" if quote else "", item.note]
        lines += [Text("  " + str(line)) for line in _quoted(" ".join(word for word in words if word), show.inner(600))]
    if score.parts and score.status is ScoreStatus.SCORED:
        named = "  ".join(f"{one_line(name, 40)} {figures.brief(value)}" for name, value in score.parts.items())
        lines.append(Text(f"    {named}", style="dim"))
    return lines


def _behind(output: Output, show: _Show) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if output.contexts:
        parts += _part(f"Contexts ({plural(len(output.contexts), 'passage')}, best first)", _contexts(output, show))
    if output.messages:
        said = _value(list(output.messages), show.short(MESSAGE_TEXT))
        parts += _part(f"Conversation ({plural(len(output.messages), 'message')})", said)
    if output.tool_calls:
        parts += _part("Tool calls", _tools(output, show))
    if output.steps:
        parts += _part("Trace", list(_steps(output.steps, 1)))
    return parts


def _contexts(output: Output, show: _Show) -> list[Text]:
    cited, lines = set(output.citations), []
    for rank, passage in enumerate(output.contexts, 1):
        head = Text(f"  {rank}  ").append(one_line(passage.id or "passage", 80), style="bold")
        head.append("  cited" if passage.id in cited else "", style="green")
        head.append(f"  {figures.digits(passage.score)}" if passage.score is not None else "", style="dim")
        lines += [head, *_quoted(passage.text, show)]
    return lines


def _tools(output: Output, show: _Show) -> list[Text]:
    lines: list[Text] = []
    for call in output.tool_calls:
        lines += [Text(f"  {one_line(call.name, 80)}", style="bold"), *_quoted(as_text(call.arguments), show)]
        if call.error:
            lines += [Text("  error", style="yellow"), *_quoted(call.error, show)]
        elif call.result is not None:
            lines += [Text("  result", style="dim"), *_quoted(as_text(call.result), show)]
    return lines


def _steps(steps: Sequence[Step], depth: int) -> Iterator[Text]:
    for step in steps:
        took = f"  {figures.seconds(step.duration_s)}" if step.duration_s is not None else ""
        line = Text("  " * depth + f"{one_line(step.kind, 20)}  {one_line(step.name, 60)}{took}")
        line.append(f"  error: {one_line(step.error, 120)}" if step.error else "", style="yellow")
        yield line
        if step.children and depth < _MAX_DEPTH:
            yield from _steps(step.children, depth + 1)
        elif step.children:
            yield Text("  " * (depth + 1) + "…", style="dim")


def _attempts(unit: UnitRecord, show: _Show) -> list[Text]:
    lines: list[Text] = []
    for number, attempt in enumerate(unit.attempts, 1):
        waited = f", then waited {figures.seconds(attempt.waited_s)}" if attempt.waited_s else ""
        after = f"after {figures.seconds(attempt.duration_s)}{waited}"
        kind = f"{one_line(attempt.kind, 40)}{caseview.http_status(attempt)}"
        lines += [Text(f"  {number}  {kind}  {after}"), *_quoted(attempt.message, show.short(600))]
    return lines
