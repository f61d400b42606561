"""Does a passage support a statement? Shared words, and no contradiction in numbers, names or negation.

The deterministic tier of groundedness: no model and no training. It can't see a paraphrase that shares no word, or a
wrong relation between right words; its scores rank answers well and judge a single one with care.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from evalwright.core.score import Evidence
from evalwright.scorers.rag.terms import coverage, terms
from evalwright.scorers.text.grammar import CONTRARIES, FUNCTION_WORDS, GERMAN_WORDS, NEGATIONS, NUMERALS
from evalwright.scorers.text.numbers import find_numbers
from evalwright.scorers.text.sentences import Sentence, sentences
from evalwright.scorers.text.words import words

PENALTY = 0.75
"""What each kind of inconsistency leaves of a statement's support."""

_SAME_SUBJECT = 0.4
_SAME_SENTENCE = 0.6
_DIGITS = 12
_LONGEST_KEPT = 20_000
_MANY_CAPITALS = 0.6
_CONTRACTED = re.compile(r"n['’]t\b", re.IGNORECASE)


@dataclass(frozen=True)
class Source:
    """A passage made ready: its terms, numbers and sentences."""

    text: str
    index: int
    terms: frozenset[str]
    numbers: frozenset[float]
    sentences: tuple[tuple[Sentence, frozenset[str]], ...]


@dataclass(frozen=True)
class Support:
    """How well the sources support one statement.

    Attributes:
        value: Weighted share of the statement's terms that the best source has, times `PENALTY` per inconsistency.
        source: The best source, None when there is none.
        place: Its sentence that has most of the statement's terms.
        conflicts: Inconsistencies in words: a number or a name that no source has, another number for the same thing, a
            negation on one side only, a contrary.
        contradicted: Whether a number, a negation or a contrary is among them.
    """

    value: float
    source: Source | None
    place: Sentence | None
    conflicts: tuple[str, ...] = ()
    contradicted: bool = False

    def evidence(self, note: str = "") -> tuple[Evidence, ...]:
        """The supporting sentence as a span of its passage."""
        if self.source is None or self.place is None:
            return ()
        start, end, text = self.place.start, self.place.end, self.place.text[:500]
        return (Evidence(where="context", index=self.source.index, start=start, end=end, text=text, note=note),)


def sources(texts: Sequence[str]) -> list[Source]:
    """Make passages ready for `support`."""
    return [
        Source(text, index, *(_kept(text) if len(text) <= _LONGEST_KEPT else _prepared(text)))
        for index, text in enumerate(texts)
    ]


def _prepared(text: str) -> tuple[frozenset[str], frozenset[float], tuple[tuple[Sentence, frozenset[str]], ...]]:
    parts = tuple((part, frozenset(terms(part.text))) for part in sentences(text))
    return frozenset().union(*(found for _, found in parts)), frozenset(number_values(text)), parts


_kept = lru_cache(maxsize=1_024)(_prepared)
"""Passages come back: the same one is retrieved for many questions."""


def support(statement: str, known: Sequence[Source]) -> Support:
    """How well the best of the sources supports a statement, 0 to 1."""
    wanted = terms(statement)
    if not known or not wanted:
        return Support(0.0, None, None)
    best = max(known, key=lambda source: coverage(wanted, source.terms))
    value = coverage(wanted, best.terms)
    if not value:
        return Support(0.0, None, None)
    place = _best_sentence(wanted, best)
    number = _number_conflict(statement, known) or _measure_conflict(statement, wanted, place)
    contrary = _negation_conflict(statement, wanted, place) or _contrary(statement, wanted, place)
    conflicts = tuple(filter(None, (number, contrary, _name_conflict(statement, known))))
    return Support(
        value * PENALTY ** len(conflicts), best, place and place[0], conflicts, contradicted=bool(number or contrary)
    )


def _best_sentence(wanted: list[str], source: Source) -> tuple[Sentence, frozenset[str]] | None:
    return max(source.sentences, key=lambda part: coverage(wanted, part[1]), default=None)


def number_values(text: str) -> set[float]:
    """The numbers in a text, written numerals from two up included; of a percentage the number before the sign."""
    written = (NUMERALS.get(word.lower(), "1") for word in words(text))
    return {number.value for number in find_numbers(text)} | {float(digits) for digits in written if digits != "1"}


def _number_conflict(statement: str, known: Sequence[Source]) -> str:
    absent = [value for value in number_values(statement) if not any(value in source.numbers for source in known)]
    return f"number {', '.join(f'{value:g}' for value in sorted(absent)[:3])} is in no context" if absent else ""


def _negation_conflict(statement: str, wanted: list[str], place: tuple[Sentence, frozenset[str]] | None) -> str:
    if place is None or coverage(wanted, place[1]) < _SAME_SUBJECT:
        return ""
    mine, theirs = negated(statement), negated(place[0].text)
    if mine == theirs:
        return ""
    return "negated, but the context is not" if mine else "not negated, but the context is"


def _measure_conflict(statement: str, wanted: list[str], place: tuple[Sentence, frozenset[str]] | None) -> str:
    """The sentence gives another number for the same thing (`ten days` where it says `five days`)."""
    if place is None or coverage(wanted, place[1]) < _SAME_SENTENCE:
        return ""
    theirs = _measures(place[0].text)
    for thing, numbers in _measures(statement).items():
        if thing in theirs and numbers.isdisjoint(theirs[thing]):
            return f"{min(numbers):g} {thing}, where the context says {min(theirs[thing]):g}"
    return ""


def _measures(text: str) -> dict[str, set[float]]:
    """Numbers by the term right behind them."""
    found: dict[str, set[float]] = {}
    for number, thing in pairwise(terms(text)):
        if number.isascii() and number.isdigit() and not thing.isdigit() and len(number) <= _DIGITS:
            found.setdefault(thing, set()).add(float(number))
    return found


def _contrary(statement: str, wanted: list[str], place: tuple[Sentence, frozenset[str]] | None) -> str:
    """A word of the statement, absent from its sentence, that has its contrary there."""
    if place is None or coverage(wanted, place[1]) < _SAME_SENTENCE:
        return ""
    mine, theirs = (set(map(str.lower, words(text))) for text in (statement, place[0].text))
    for word in sorted(mine - theirs):
        against = CONTRARIES.get(word, frozenset()) & (theirs - mine)
        if against:
            return f"{word}, where the context says {min(against)}"
    return ""


def negated(text: str) -> bool:
    """Whether a text has a word of negation."""
    return _CONTRACTED.search(text) is not None or any(word in NEGATIONS for word in map(str.lower, words(text)))


def _name_conflict(statement: str, known: Sequence[Source]) -> str:
    absent = [name for name in names(statement) if not any(set(terms(name)) <= source.terms for source in known)]
    return f"name {', '.join(absent[:3])} is in no context" if absent else ""


def names(text: str) -> list[str]:
    """Words capitalised inside a sentence; none where capitals are common, as in German or in a heading."""
    found: list[str] = []
    for part in sentences(text):
        inner = words(part.text)[1:]
        capital = [word for word in inner if word[0].isupper() and word != "I" and word.lower() not in FUNCTION_WORDS]
        heading = len(capital) > _MANY_CAPITALS * len(inner) and len(inner) > 2
        if not heading and GERMAN_WORDS.isdisjoint(word.lower() for word in inner):
            found += capital
    return found
