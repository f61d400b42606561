"""Is the answer valid JSON, YAML, XML, HTML, CSV, Markdown or Python?"""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from itertools import islice
from typing import Annotated, Any, Literal

import msgspec
import yaml
from pydantic import Field

from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind
from evalwright.scorers.base import FieldPath, RuleScorer, answer_text
from evalwright.scorers.formats.fences import last_block
from evalwright.scorers.formats.markup import Fault, html_faults, markdown_faults, xml_faults

Format = Literal["json", "yaml", "xml", "html", "csv", "markdown", "python"]

_SHOWN = 10
_YAML_LONGEST = 1_000_000


def _json_faults(text: str) -> Iterator[Fault]:
    try:
        msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, UnicodeError) as error:
        yield Fault(0, str(error))


def _yaml_faults(text: str) -> Iterator[Fault]:
    try:
        for _ in yaml.parse(text, Loader=yaml.CSafeLoader):
            pass
    except yaml.MarkedYAMLError as error:
        yield Fault(error.problem_mark.line + 1 if error.problem_mark else 0, str(error.problem or error.context))
    except yaml.YAMLError as error:
        yield Fault(0, str(error))


def _csv_faults(text: str) -> Iterator[Fault]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    width = None
    try:
        for row in reader:
            width = len(row) if width is None else width
            if row and len(row) != width:
                yield Fault(reader.line_num, f"the row has {len(row)} fields, the first row {width}")
    except csv.Error as error:
        yield Fault(reader.line_num, str(error))


def _python_faults(text: str) -> Iterator[Fault]:
    try:
        ast.parse(text)
    except SyntaxError as error:
        yield Fault(error.lineno or 0, error.msg)
    except (ValueError, MemoryError) as error:
        yield Fault(0, str(error) or "too complex")


_CHECKS: dict[str, Callable[[str], Iterator[Fault]]] = {
    "json": _json_faults,
    "yaml": _yaml_faults,
    "xml": xml_faults,
    "html": html_faults,
    "csv": _csv_faults,
    "markdown": markdown_faults,
    "python": _python_faults,
}
_FENCE_NAMES = {"yaml": ("yaml", "yml"), "python": ("python", "py", "python3"), "markdown": ("markdown", "md")}


@dataclass(frozen=True)
class ValidFormat(RuleScorer):
    """The answer is well formed in a format: JSON, YAML, XML, HTML, CSV, Markdown or Python.

    Parsed, never run. XML may have no document type; HTML elements must be closed where HTML asks for it; Markdown must
    close its fences and links, and its tables must have equal rows; CSV rows must have equal fields. An empty answer is
    not well formed.
    """

    format: Annotated[Format, Field(description="The format.")]
    _: KW_ONLY
    fenced: Annotated[
        bool, Field(description="Take the last code block in the format where there is one, instead of all of it.")
    ] = True
    field: FieldPath = None

    @property
    def info(self) -> ScoreInfo:
        """A proportion named after the format."""
        return ScoreInfo(name=f"valid_{self.format}", kind=ScoreKind.PROPORTION)

    def judge(self, ctx: ScoreContext) -> Score:
        """1 when well formed, else 0 with the lines at fault."""
        text = self._body(answer_text(ctx, self.field))
        if not text.strip():
            return Score.of(False, reason="the answer is empty")
        try:
            faults = list(islice(_CHECKS[self.format](text), _SHOWN))
        except RecursionError:
            faults = [Fault(0, "nested too deeply")]
        if not faults:
            return Score.of(True, reason=f"well-formed {self.format}")
        return Score.of(False, reason=_said(faults[0]), evidence=tuple(_evidence(text, fault) for fault in faults))

    def _body(self, text: str) -> str:
        if not self.fenced or self.format == "markdown":
            return text
        block = last_block(text, frozenset(_FENCE_NAMES.get(self.format, (self.format,))))
        return text if block is None else block


def _said(fault: Fault) -> str:
    return f"line {fault.line}: {fault.message}"[:300] if fault.line else fault.message[:300]


def _evidence(text: str, fault: Fault) -> Evidence:
    lines: Any = text.split("\n") if fault.line else ()
    shown = lines[fault.line - 1][:200] if 0 < fault.line <= len(lines) else ""
    return Evidence(text=shown, note=_said(fault))
