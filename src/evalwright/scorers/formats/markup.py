"""XML, HTML and Markdown: is every element, fence and table whole?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import NamedTuple
from xml.parsers import expat

from evalwright.scorers.text.lexicon import lexicon

_VOID = lexicon("area base br col embed hr img input link meta param source track wbr")
_OPTIONAL_END = lexicon("li dt dd p tr td th thead tbody tfoot option optgroup colgroup html head body rp rt")
_DEEPEST = 256
_FENCE = re.compile(r"^[ ]{0,3}(`{3,}|~{3,})(.*)$")
_TABLE_RULE = re.compile(r"^[ ]{0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_EMPTY_LINK = re.compile(r"\[[^\[\]\n]{0,500}\]\([ \t]*\)")
_OPEN_LINK = re.compile(r"\[[^\[\]\n]{1,500}\]\([^()\s]{0,2000}$")


class Fault(NamedTuple):
    """What is wrong and in which line (from 1; 0 when it concerns the whole)."""

    line: int
    message: str


def xml_faults(text: str) -> Iterator[Fault]:
    """The first error of an XML parser; document types and entities of its own are faults, and are not read."""
    parser = expat.ParserCreate()
    found: list[Fault] = []

    def refuse(*_: object) -> None:
        found.append(Fault(parser.CurrentLineNumber, "a document type is not allowed"))
        raise expat.ExpatError("document type")

    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.Parse(text.encode(errors="replace"), True)
    except expat.ExpatError as error:
        if not found:
            found.append(Fault(error.lineno, expat.ErrorString(error.code) or "not well formed"))
    yield from found[:1]


class _Balance(HTMLParser):
    """Notes tags that are closed without being open, or left open."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, int]] = []
        self.found: list[Fault] = []
        self.elements = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element that opens."""
        self.elements += 1
        names = [name for name, _ in attrs]
        if len(names) != len(set(names)):
            self.found.append(Fault(self.getpos()[0], f"<{tag}> has an attribute twice"))
        if tag not in _VOID and len(self.open) < _DEEPEST:
            self.open.append((tag, self.getpos()[0]))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        """Note an element that opens and closes at once."""
        self.elements += 1

    def handle_endtag(self, tag: str) -> None:
        """Close the element, and those inside it that may be left open."""
        while self.open and self.open[-1][0] != tag and self.open[-1][0] in _OPTIONAL_END:
            self.open.pop()
        if self.open and self.open[-1][0] == tag:
            self.open.pop()
        elif tag not in _VOID:
            self.found.append(Fault(self.getpos()[0], f"</{tag}> closes nothing"))


def html_faults(text: str) -> Iterator[Fault]:
    """Elements closed wrongly or not at all; elements whose end HTML lets out may lack it."""
    balance = _Balance()
    balance.feed(text)
    balance.close()
    yield from balance.found
    if not balance.elements:
        yield Fault(0, "there is no element")
    for tag, line in balance.open:
        if tag not in _OPTIONAL_END:
            yield Fault(line, f"<{tag}> is not closed")


def markdown_faults(text: str) -> Iterator[Fault]:
    """Fences left open, tables whose rows differ in cells, links without an address."""
    lines = text.split("\n")
    fence: tuple[str, int] | None = None
    for number, line in enumerate(lines, start=1):
        mark = _FENCE.match(line)
        if mark and fence is None:
            fence = (mark[1], number)
        elif fence and mark and mark[1].startswith(fence[0]) and not mark[2].strip():
            fence = None
        elif fence is None:
            yield from _line_faults(lines, number)
    if fence is not None:
        yield Fault(fence[1], "the code block is not closed")


def _line_faults(lines: list[str], number: int) -> Iterator[Fault]:
    line = lines[number - 1]
    if _EMPTY_LINK.search(line):
        yield Fault(number, "the link has no address")
    if "](" in line and _OPEN_LINK.search(line):
        yield Fault(number, "the link is not closed")
    if number > 1 and "-" in line and "|" in lines[number - 2] and _TABLE_RULE.match(line) and "|" in line:
        yield from _table_faults(lines, number)


def _table_faults(lines: list[str], rule: int) -> Iterator[Fault]:
    """Rows of the table whose rule stands in this line that have another number of cells."""
    width = _cells(lines[rule - 1])
    if _cells(lines[rule - 2]) != width:
        yield Fault(rule - 1, f"the table's head has {_cells(lines[rule - 2])} cells, its rule {width}")
    for number in range(rule + 1, len(lines) + 1):
        if "|" not in lines[number - 1]:
            return
        if _cells(lines[number - 1]) != width:
            yield Fault(number, f"the row has {_cells(lines[number - 1])} cells, the table {width}")


def _cells(row: str) -> int:
    inner = row.strip().removeprefix("|")
    inner = inner[:-1] if inner.endswith("|") and not inner.endswith("\\|") else inner
    return len(re.sub(r"\\\||`[^`]*`", "", inner).split("|"))
