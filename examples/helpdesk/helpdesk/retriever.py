"""Retrieval: one BM25 index per language, over passages."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from math import log
from pathlib import Path

import bm25s

from helpdesk.articles import ARTICLE_DIR, Passage, load_articles, split_passages
from helpdesk.language import tokens

UNKNOWN_WORD_FREQUENCY = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A passage with its BM25 score (0 upward, comparable within one query only)."""

    passage: Passage
    score: float


class LocaleIndex:
    """BM25 over the passages of one language."""

    def __init__(self, passages: Iterable[Passage], locale: str) -> None:
        self.locale = locale
        self.passages = tuple(passages)
        self._words = [tokens(passage.searchable, locale) for passage in self.passages]
        self._bm25 = bm25s.BM25(k1=1.2, b=0.6)
        self._bm25.index(self._words, show_progress=False)
        self._document_frequency = _document_frequency(self._words)

    def search(self, query: list[str], limit: int) -> list[Hit]:
        """The best ``limit`` passages with a positive score, best first; ties by position."""
        known = [word for word in query if word in self._document_frequency]
        if not known:
            return []
        scores = self._bm25.get_scores(known)
        order = sorted(range(len(scores)), key=lambda row: (-scores[row], row))
        found = [Hit(passage=self.passages[row], score=round(float(scores[row]), 4)) for row in order[:limit]]
        return [hit for hit in found if hit.score > 0]

    def weight(self, word: str) -> float:
        """How much a word tells: inverse document frequency; a word no passage has counts like a fairly rare one.

        Rare words decide what a question is about, but customers also use words of their own ("freelancer"
        for a team member), which must not outweigh everything that was found.
        """
        count = self._document_frequency.get(word, UNKNOWN_WORD_FREQUENCY)
        return log(1 + (len(self.passages) - count + 0.5) / (count + 0.5))


class Retriever:
    """All languages of the help centre."""

    def __init__(self, passages: Iterable[Passage]) -> None:
        by_locale: dict[str, list[Passage]] = {}
        for passage in passages:
            by_locale.setdefault(passage.locale, []).append(passage)
        self._indexes = {locale: LocaleIndex(found, locale) for locale, found in by_locale.items()}

    def index(self, locale: str) -> LocaleIndex:
        """The index of a language that has articles."""
        return self._indexes[locale]

    def search(self, question: str, locale: str, limit: int = 5) -> list[Hit]:
        """The best passages for a question in its own language, one list, best first."""
        return self.index(locale).search(tokens(question, locale), limit)


@cache
def default_retriever(directory: Path = ARTICLE_DIR) -> Retriever:
    """The index over the articles of ``directory``, built once per process (about 50 ms)."""
    return Retriever(passage for article in load_articles(directory) for passage in split_passages(article))


def _document_frequency(documents: list[list[str]]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for document in documents:
        for word in set(document):
            counts[word] = counts.get(word, 0) + 1
    return counts
