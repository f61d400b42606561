"""Sentences of a text, with their places: prose, lists, several scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from evalwright.scorers.text.lexicon import lexicon

_LINE = re.compile(r"[^\n\r\u2028\u2029]+")
_LIST_MARK = re.compile(r"\s*(?:[-*•‣◦–]|\d{1,3}[.)]|#{1,6}|>+)\s+")
_CANDIDATE = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’»)\]]*+(?=\s)|[。！？｡]++[」』”’）]*+|(?<![؟।॥])[؟।॥]++(?=\s|$)")
_LAST_TOKEN = re.compile(r"([^\s(\[\"'“‘«]+)[.]+$")
_NEXT = re.compile(r"\s+[\"'“‘«(\[]*(\S)")
_ABBREVIATIONS = lexicon("""
    mr mrs ms dr prof sr jr st vs etc e.g i.e cf al inc ltd co corp no nos fig figs eq vol ed eds pp p approx dept est
    gen gov hon lt col sgt capt rev sen rep jan feb mar apr jun jul aug sep sept oct nov dec mon tue wed thu fri sat sun
    z.b d.h u.a o.ä bzw ca usw vgl nr bspw evtl ggf inkl zzgl str abs art sog hr fr
    p.ej ej sra dra ud uds pág núm av m mme mlle env éd
""")


class Sentence(NamedTuple):
    """One sentence and where it stands in the text (`text[start:end]`)."""

    text: str
    start: int
    end: int


def sentences(text: str) -> list[Sentence]:
    """Split a text into sentences; lines always end one, list marks and heading signs are left out.

    A full stop does not end a sentence after an abbreviation, a single initial, inside a number, or before a
    lower-case letter. Rules only, no model; English, German, Spanish and French abbreviations are known, and the full
    stops of Chinese, Japanese, Arabic and Hindi.

    Example:
        >>> [s.text for s in sentences("Dr. Ada came at 3.30 p.m. on Monday. She left! 再见。明天见。")]
        ['Dr. Ada came at 3.30 p.m. on Monday.', 'She left!', '再见。', '明天见。']
    """
    found: list[Sentence] = []
    for line in _LINE.finditer(text):
        mark = _LIST_MARK.match(text, line.start(), line.end())
        found.extend(_in_line(text, mark.end() if mark else line.start(), line.end()))
    return found


def _in_line(text: str, start: int, end: int) -> Iterator[Sentence]:
    begin = start
    for stop in _CANDIDATE.finditer(text, start, end):
        if _ends_sentence(text, begin, stop, end):
            yield from _trimmed(text, begin, stop.end())
            begin = stop.end()
    yield from _trimmed(text, begin, end)


def _trimmed(text: str, start: int, end: int) -> Iterator[Sentence]:
    piece = text[start:end]
    body = piece.strip()
    if body:
        offset = start + len(piece) - len(piece.lstrip())
        yield Sentence(body, offset, offset + len(body))


def _ends_sentence(text: str, begin: int, stop: re.Match[str], end: int) -> bool:
    if "." not in stop.group():
        return True
    following = _NEXT.match(text, stop.end(), end)
    if following and following.group(1).islower():
        return False
    token = _LAST_TOKEN.search(text, max(begin, stop.start() - 20), stop.start() + 1)
    return token is None or not _is_abbreviation(token.group(1))


def _is_abbreviation(token: str) -> bool:
    bare = token.lower().rstrip(".")
    return bare in _ABBREVIATIONS or (len(bare) == 1 and bare.isalpha() and token[0].isupper())
