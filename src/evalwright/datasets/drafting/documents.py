"""Documents read into sections: headings, sentences, list items and where each stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import re2

from evalwright.core.errors import UsageError

SUFFIXES = (".md", ".markdown", ".txt", ".rst")
"""Files that are read as documents."""

LARGEST = 20_000_000
"""Bytes above which a file is not read."""

_HEADING = re2.compile(r"^#{1,6}\s+(.+?)\s*#*$")
_ITEM = re2.compile(r"^\s*(?:[-*+]|(\d{1,3})[.)])\s+(.+)$")
_UNDERLINE = re2.compile(r"^(?:={3,}|-{3,}|~{3,})\s*$")
_MARKUP = re2.compile(r"\*\*|__|`|!?\[([^\]]*)\]\([^)]*\)")
_END = re2.compile(r"[.!?][\"'”’)]*\s+")
_ABBREVIATION = re2.compile(r"(?:^|[\s(])(?:[A-Za-z]|e\.g|i\.e|etc|vs|Dr|Mr|Mrs|Ms|No|St|Fig|approx|ca|cf|Inc|Ltd)\.$")
_MARKS = frozenset("*_`#")
_TYPOGRAPHIC = {"’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "—": "-"}


@dataclass(frozen=True, slots=True)
class Line:
    """A piece of text with its line in the document, from 1; `number` is that of a numbered list item, else 0."""

    text: str
    line: int
    number: int = 0


@dataclass(slots=True)
class Section:
    """What stands under one heading.

    Attributes:
        heading: The heading; empty before the first one.
        line: Line of the heading.
        sentences: Sentences of its paragraphs.
        items: Items of its lists.
    """

    heading: str = ""
    line: int = 1
    sentences: list[Line] = field(default_factory=list)
    items: list[Line] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Document:
    """A document: its name as cases cite it, its text, and its sections."""

    name: str
    text: str
    sections: tuple[Section, ...]


def read_documents(place: Path) -> list[Document]:
    """Documents of a folder and the folders in it, or one file, in order of name; hidden files are left out.

    Raises:
        UsageError: There are none, or one can't be read.
    """
    if not place.exists():
        raise UsageError(f"{place} does not exist", hint="give a folder of documents, or one of them")
    paths = [place] if place.is_file() else sorted(_files(place))
    base = place.parent if place.is_file() else place
    documents = [parse_document(_text(path), path.relative_to(base).as_posix()) for path in paths]
    if not documents:
        raise UsageError(f"{place} holds no document", hint=f"files ending in {', '.join(SUFFIXES)} are read")
    return documents


def find_quote(text: str, quote: str) -> tuple[int, str] | None:
    r"""Line (from 1) and wording of a quote in a text; None when it does not stand there.

    Only spaces, line breaks, typographic marks and Markdown's marks may differ: a quote in other words is none.

    Example:
        >>> find_quote("# A\n\nThe desk is **open**\nfrom nine.", "The desk is open from nine.")[0]
        3
    """
    wanted, _ = _bare(quote)
    if not wanted:
        return None
    plain, places = _bare(text)
    at = plain.find(wanted)
    if at < 0:
        return None
    start, end = places[at], places[at + len(wanted) - 1] + 1
    return text.count("\n", 0, start) + 1, text[start:end]


def _bare(text: str) -> tuple[str, list[int]]:
    """The characters that count, without any space, and where each stands."""
    found, places = [], []
    for place, char in enumerate(text):
        if not char.isspace() and char not in _MARKS:
            found.append(_TYPOGRAPHIC.get(char, char))
            places.append(place)
    return "".join(found), places


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if path.is_file() and not path.is_symlink() and not hidden and path.suffix.lower() in SUFFIXES:
            yield path


def _text(path: Path) -> str:
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise UsageError(f"{path} is too large to be a document ({size:,} bytes)", hint="split it")
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path} is not UTF-8 text: byte {error.start}", hint="convert it to UTF-8") from error
    except OSError as error:
        raise UsageError(f"{path} can't be read: {error.strerror}") from error


def parse_document(text: str, name: str) -> Document:
    """Split Markdown, reStructuredText or plain text into sections; code blocks and tables are left out."""
    reader = _Reader()
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        reader.add(line, number, lines[number] if number < len(lines) else "")
    reader.end_paragraph()
    return Document(name, text, tuple(s for s in reader.sections if s.heading or s.sentences or s.items))


class _Reader:
    """Takes a document line by line."""

    def __init__(self) -> None:
        self.sections = [Section()]
        self._paragraph: list[Line] = []
        self._in_code = False

    def add(self, line: str, number: int, following: str) -> None:
        plain = line.strip()
        if plain.startswith(("```", "~~~")):
            self._in_code = not self._in_code
            self.end_paragraph()
        elif self._in_code or plain.startswith(("|", ">", "<", ".. ")) or _UNDERLINE.match(plain) or not plain:
            self.end_paragraph()
        elif (found := _HEADING.match(plain)) is not None or self._is_title(plain, following):
            self.end_paragraph()
            self.sections.append(Section(heading=clean(found[1] if found else plain), line=number))
        elif (item := _ITEM.match(line)) is not None:
            self.end_paragraph()
            self.sections[-1].items.append(Line(clean(item[2]), number, int(item[1] or 0)))
        else:
            self._paragraph.append(Line(plain, number))

    def _is_title(self, plain: str, following: str) -> bool:
        return not self._paragraph and bool(_UNDERLINE.match(following)) and len(following.strip()) >= len(plain) - 1

    def end_paragraph(self) -> None:
        if self._paragraph:
            self.sections[-1].sentences += sentences(self._paragraph)
        self._paragraph = []


def clean(text: str) -> str:
    """Text without Markdown's marks; of links the words stay."""
    return str(_MARKUP.sub(r"\1", text)).strip()


def sentences(lines: list[Line]) -> list[Line]:
    """Sentences of a paragraph, each with the line it begins in."""
    text = clean(" ".join(line.text for line in lines))
    found: list[Line] = []
    start = 0
    for match in _END.finditer(text):
        if _ABBREVIATION.search(text[start : match.start() + 1]):
            continue
        found.append(Line(text[start : match.end()].strip(), _line_of(lines, start)))
        start = match.end()
    if text[start:].strip():
        found.append(Line(text[start:].strip(), _line_of(lines, start)))
    return found


def _line_of(lines: list[Line], offset: int) -> int:
    seen = 0
    for line in lines:
        seen += len(clean(line.text)) + 1
        if offset < seen:
            return line.line
    return lines[-1].line
