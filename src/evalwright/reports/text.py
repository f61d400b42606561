"""Hostile text made harmless and visible: what a model wrote must never act on what shows it."""

from __future__ import annotations

import html
import json
import re
import unicodedata
from collections.abc import Iterator

import msgspec

from evalwright.core.case import Json

MAX_TEXT = 30_000
"""Characters of one field a report shows; the rest is announced with its length and stays in the run."""

_HIDDEN = re.compile(
    "["
    "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1 controls; tab and line feed are text
    "\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ufdd0-\ufdef"
    "\ud800-\udfff"  # lone surrogates
    "\U000e0000-\U000e0fff"  # tag characters and supplementary variation selectors
    "]|[\ufe00-\ufe0f](?=[\ufe00-\ufe0f])|(?<=[\ufe00-\ufe0f])[\ufe00-\ufe0f]"  # more than one selector in a row
)
_JOINERS = "\u200c\u200d"
_XML_INVALID = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_BACKTICKS = re.compile("`+")
_MARKDOWN = re.compile(r"([\\`*_{}\[\]<>#|~$])|(?<=:)(?=//)|(?<=www)(?=\.)", re.IGNORECASE)
_ENTITIES = {"<": "&lt;", ">": "&gt;", "#": "\\#\u2060"}


class Piece(msgspec.Struct, frozen=True, kw_only=True):
    """A run of text: plain, or one hidden character (`hidden`) repeated `count` times, from `start` in the original."""

    text: str
    start: int
    hidden: bool = False
    count: int = 1


def has_hidden(text: str) -> bool:
    """Whether a text may hold hidden characters; when not, it can be shown as it is."""
    return _HIDDEN.search(text) is not None


def pieces(text: str) -> Iterator[Piece]:
    """Split a text into plain runs and hidden characters.

    Zero-width joiners between two non-Latin characters (emoji, Persian, Indic scripts) are text, not hidden.
    Repeats of one hidden character come as one piece with their count.
    """
    done = 0
    position = 0
    while match := _HIDDEN.search(text, position):
        start, position = match.start(), match.end()
        char = text[start]
        if char in _JOINERS and _joins(text, start):
            continue
        if char == "\r" and text[position : position + 1] == "\n":
            yield from _plain(text, done, start)
            done = position
            continue
        while position < len(text) and text[position] == char:
            position += 1
        yield from _plain(text, done, start)
        yield Piece(text=char, start=start, hidden=True, count=position - start)
        done = position
    yield from _plain(text, done, len(text))


def _plain(text: str, start: int, end: int) -> Iterator[Piece]:
    if end > start:
        yield Piece(text=text[start:end], start=start)


def _joins(text: str, at: int) -> bool:
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return all(char > "\u02ff" and not _HIDDEN.match(char) for char in (before, after))


def label(piece: Piece) -> str:
    r"""How a hidden piece is written: `\x1b` for controls, `⟨U+202E⟩` for the rest, `×n` when it repeats."""
    code = ord(piece.text)
    name = f"\\x{code:02x}" if code < 0xA0 else f"⟨U+{code:04X}⟩"
    return name if piece.count == 1 else f"{name}×{piece.count}"


def hidden_name(piece: Piece) -> str:
    """The Unicode name of a hidden piece, for a tooltip."""
    code = ord(piece.text)
    if 0xD800 <= code <= 0xDFFF:
        return "lone surrogate"
    return unicodedata.name(piece.text, "control character" if code < 0xA0 else "unassigned or noncharacter").lower()


def visible(text: str) -> str:
    r"""Text with every control, direction override, zero-width character and lone surrogate written out.

    Example:
        >>> visible("red \x1b[31m, evil \u202e")
        'red \\x1b[31m, evil ⟨U+202E⟩'
    """
    if not has_hidden(text):
        return text
    return "".join(label(piece) if piece.hidden else piece.text for piece in pieces(text))


def one_line(text: str, width: int = 120) -> str:
    """The text on one line, hidden characters visible, cut to `width` characters with an ellipsis."""
    flat = " ".join(visible(text[: width * 4]).split())
    return flat if len(flat) <= width else flat[: max(width - 1, 1)].rstrip() + "…"


def cut(text: str, limit: int = MAX_TEXT) -> tuple[str, int]:
    """The first `limit` characters, and how many characters were left off (0 when none)."""
    return (text, 0) if len(text) <= limit else (text[:limit], len(text) - limit)


def json_text(value: Json) -> str:
    """A JSON value as indented text; what JSON can't carry is shown by its Python representation, never raised."""
    try:
        return json.dumps(value, indent=2, ensure_ascii=False, default=repr)
    except (ValueError, RecursionError):
        return "(nested too deeply, or circular: not shown)"


def as_text(value: Json) -> str:
    """A text as it is, everything else as JSON text; nothing for None."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json_text(value)


def xml_text(text: str) -> str:
    """Text with the characters XML 1.0 forbids written out; markup still has to be escaped by the writer."""
    return _XML_INVALID.sub(lambda match: label(Piece(text=match[0], start=0, hidden=True)), text)


def markdown_cell(text: str, width: int = 160) -> str:
    """One line of text that Markdown, and HTML inside it, can't interpret: for a table cell or a sentence.

    Addresses do not become links; a word joiner behind `@` and `#` keeps code hosts from notifying people or
    linking issues.
    """
    plain = one_line(text, width).replace("&", "&amp;").replace("@", "@\u2060")
    return _MARKDOWN.sub(lambda match: _ENTITIES.get(match[0], f"\\{match[0]}"), plain)


def html_line(text: str, width: int = 160) -> str:
    """One line of text for HTML inside Markdown, where Markdown's own escapes mean nothing."""
    return html.escape(one_line(text, width).replace("@", "@\u2060").replace("#", "#\u2060"))


def markdown_code(text: str) -> str:
    """An inline code span of one line, fenced with more backticks than the text has, safe in a table."""
    flat = one_line(text, 120).replace("|", "∣")
    fence = "`" * (longest_backticks(flat) + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{fence}{pad}{flat}{pad}{fence}" if flat else "–"


def longest_backticks(text: str) -> int:
    """Length of the longest run of backticks in a text."""
    return max((len(run) for run in _BACKTICKS.findall(text)), default=0)


def markdown_block(text: str, limit: int = 1_200) -> str:
    """A fenced block whose fence is longer than any run of backticks in it; long text is cut with a notice."""
    shown, left = cut(visible(text), limit)
    fence = "`" * max(3, longest_backticks(shown) + 1)
    notice = f"\n… {left:,} more characters" if left else ""
    return f"{fence}text\n{shown}{notice}\n{fence}"


def plural(count: int, one: str, many: str = "") -> str:
    """A count with its noun: `1 case`, `1,204 cases`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
