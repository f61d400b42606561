"""The terms of a text, in a form that survives inflection and spelling of numbers."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from evalwright.scorers.text.grammar import FUNCTION_WORDS, NUMERALS
from evalwright.scorers.text.porter import porter_stem
from evalwright.scorers.text.words import runs, spaceless

_LIGHT = 0.5


def terms(text: str) -> list[str]:
    """Stemmed lower-case words with numerals as digits; pairs of signs where a script puts no spaces.

    Example:
        >>> terms("Two refunds were issued.")
        ['2', 'refund', 'were', 'issu']
    """
    found: list[str] = []
    previous = ""
    for run in runs(text):
        if run.isascii() or not spaceless(run):
            found.append(_term(run))
            previous = ""
        else:
            found.append(previous + run if previous else run)
            previous = run
    return found


@lru_cache(maxsize=65_536)
def _term(word: str) -> str:
    if word in NUMERALS:
        return NUMERALS[word]
    return porter_stem(word) if len(word) > 3 and word.isascii() else word


_LIGHT_TERMS = frozenset(_term(word) for word in FUNCTION_WORDS)


def weight(term: str) -> float:
    """1 for a term that carries content, half of it for articles, pronouns, prepositions and the like."""
    return _LIGHT if term in _LIGHT_TERMS else 1.0


def content_terms(text: str) -> list[str]:
    """The terms that carry content, in order, each once."""
    return list(dict.fromkeys(term for term in terms(text) if term not in _LIGHT_TERMS))


def coverage(wanted: Iterable[str], present: set[str] | frozenset[str]) -> float:
    """Weighted share of the wanted terms that are present, 0 to 1; 0 when nothing is wanted."""
    total = found = 0.0
    for term in wanted:
        size = weight(term)
        total += size
        found += size * (term in present)
    return found / total if total else 0.0
