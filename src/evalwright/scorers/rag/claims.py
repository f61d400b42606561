"""What an answer claims: its statements, apart from questions, courtesies and admissions of not knowing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple

from evalwright.scorers.phrases import load_phrases
from evalwright.scorers.rag.admission import admits
from evalwright.scorers.text.sentences import sentences
from evalwright.scorers.text.words import words

_MARKER = re.compile(r"\s*\[\^?[\w.:/#-]{1,80}(?:\s*[,;]\s*[\w.:/#-]{1,80})*\]")
_CONJUNCTION = re.compile(
    r";\s+|,\s+(?:and|but|while|whereas|although|und|aber|während|sondern|y|pero|mientras|et|mais|tandis que)\s+"
)
_SHORTEST_CLAUSE = 4
_LOOK = 200
_OPENING = 40
_LONGEST_COURTESY = 16


class Kind(StrEnum):
    """What a piece of an answer does."""

    STATEMENT = "statement"
    QUESTION = "question"
    COURTESY = "courtesy"
    ABSTENTION = "abstention"


class Claim(NamedTuple):
    """One piece of an answer, without citation markers, and its place in the text."""

    text: str
    start: int
    end: int
    kind: Kind


def claims(text: str) -> list[Claim]:
    """Cut an answer into claims: sentences, and clauses that stand on their own.

    A clause is cut off at a semicolon or a coordinating conjunction after a comma when both sides have at least four
    words. Deterministic; English, German, Spanish and French conjunctions are known, others stay whole sentences.

    Example:
        >>> [c.text for c in claims("Refunds take five days, but cards may take ten days. Anything else?")]
        ['Refunds take five days', 'cards may take ten days.', 'Anything else?']
    """
    doubtful = admits(text)
    return [
        Claim(_MARKER.sub("", text[start:end]).strip(), start, end, _kind(text[start:end], doubtful=doubtful))
        for sentence in sentences(text)
        for start, end in _clauses(text, sentence.start, sentence.end)
        if words(text[start:end])
    ]


def statements(text: str) -> list[Claim]:
    """The claims of an answer that state something."""
    return [claim for claim in claims(text) if is_statement(claim)]


def is_statement(claim: Claim) -> bool:
    """Whether a claim states something in words."""
    return claim.kind is Kind.STATEMENT and bool(words(claim.text))


def _clauses(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    begin = start
    for cut in _CONJUNCTION.finditer(text, start, end):
        before = text[max(begin, cut.start() - _LOOK) : cut.start()]
        if _stands_alone(before) and _stands_alone(text[cut.end() : min(end, cut.end() + _LOOK)]):
            yield begin, cut.start()
            begin = cut.end()
    yield begin, end


def _stands_alone(clause: str) -> bool:
    return len(words(clause)) >= _SHORTEST_CLAUSE


def _kind(piece: str, *, doubtful: bool) -> Kind:
    if piece.rstrip("\"'”’») ").endswith(("?", "？", "؟")):
        return Kind.QUESTION
    if _courteous(piece):
        return Kind.COURTESY
    return Kind.ABSTENTION if doubtful and admits(piece) else Kind.STATEMENT


def _courteous(piece: str) -> bool:
    opening = load_phrases("courtesy").find(piece[:_OPENING])
    return opening is not None and opening.start == 0 and len(words(piece)) <= _LONGEST_COURTESY
