"""Extractive answers: the sentences that cover the question best, each with its source, or "I don't know"."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from helpdesk.articles import Passage
from helpdesk.language import LANGUAGES, asks_for, tokens
from helpdesk.quoting import harmless
from helpdesk.retriever import Hit, LocaleIndex

MIN_COVERAGE = 0.45
MAX_SENTENCES = 3
TELLING_WORDS = 6
FIGURE_BONUS = 0.3
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜÁÉÍÓÚÑ¿¡0-9\"“*])")
_DIGIT = re.compile(r"[0-9]")
_LIST_ITEM = re.compile(r"^(?:\d+\.|-)\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """An answer and how sure the extractor is of it.

    ``confidence`` is the share of the question's information (by inverse document frequency) that the
    best passage contains, from 0 to 1. ``citations`` is empty when the answer is "I don't know".
    """

    text: str
    citations: tuple[str, ...]
    confidence: float


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    passage: Passage
    score: float


def extract_answer(question: str, hits: Sequence[Hit], index: LocaleIndex) -> Extract:
    """Answer from the passages found, in the language of the index."""
    wanted = set(tokens(question, index.locale))
    confidence = max((coverage(wanted, hit.passage.searchable, index) for hit in hits[:2]), default=0.0)
    if confidence < MIN_COVERAGE:
        return Extract(text=LANGUAGES[index.locale].unknown, citations=(), confidence=confidence)
    steps = _steps(question, hits[0].passage)
    figure = asks_for(LANGUAGES[index.locale].amount, question)
    chosen = steps or _best_sentences(wanted, hits, index, figure=figure)
    citations = tuple(dict.fromkeys(sentence.passage.id for sentence in chosen))
    return Extract(text=_render(chosen), citations=citations, confidence=confidence)


def coverage(wanted: set[str], text: str, index: LocaleIndex) -> float:
    """Share of the question's weight whose words occur in ``text``, from 0 to 1.

    A long question tells a story; no passage repeats it. So the six most telling words make up the whole.
    """
    total = sum(sorted((index.weight(word) for word in wanted), reverse=True)[:TELLING_WORDS])
    if not total:
        return 0.0
    present = wanted & set(tokens(text, index.locale))
    return min(1.0, round(sum(index.weight(word) for word in present) / total, 4))


def _steps(question: str, passage: Passage) -> list[_Sentence]:
    """The numbered list of the best passage, when the question asks how to do something."""
    asks_how = asks_for(LANGUAGES[passage.locale].steps, question)
    numbered = [line.strip() for line in passage.text.splitlines() if re.match(r"\d+\. ", line)]
    return [_Sentence(" ".join(numbered), passage, 0.0)] if asks_how and len(numbered) > 1 else []


def _best_sentences(wanted: set[str], hits: Sequence[Hit], index: LocaleIndex, *, figure: bool) -> list[_Sentence]:
    """The best sentences of the three best passages, in reading order; with ``figure``, those with digits gain."""
    top = hits[0].score
    scored = [
        _Sentence(text, hit.passage, hit.score / top * (_prior(text, figure=figure) + coverage(wanted, text, index)))
        for hit in hits[:3]
        for text in sentences(hit.passage.text)
    ]
    best = sorted(scored, key=lambda sentence: -sentence.score)[:MAX_SENTENCES]
    return [sentence for sentence in scored if sentence in best]


def _prior(text: str, *, figure: bool) -> float:
    return 0.2 + (FIGURE_BONUS if figure and _DIGIT.search(text) else 0.0)


def sentences(text: str) -> Iterator[str]:
    """Sentences and list items of a passage, without list markers."""
    for block in re.split(r"\n\s*\n|\n(?=\s*(?:\d+\.|-)\s)", text):
        joined = _LIST_ITEM.sub("", " ".join(block.split()))
        yield from (part for part in _SENTENCE_END.split(joined) if part)


def _render(chosen: Sequence[_Sentence]) -> str:
    """Sentences in reading order; the citation follows the last sentence taken from its article."""
    parts: list[str] = []
    for position, sentence in enumerate(chosen):
        parts.append(harmless(sentence.text))
        following = chosen[position + 1].passage.id if position + 1 < len(chosen) else None
        if following != sentence.passage.id:
            parts.append(f"[{sentence.passage.id}]")
    return " ".join(parts)
