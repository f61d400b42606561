"""What the product knows about its three languages: words to ignore, endings to cut, phrases to say."""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

from bm25s.stopwords import STOPWORDS_EN_PLUS, STOPWORDS_GERMAN, STOPWORDS_SPANISH

DEFAULT_LOCALE = "en"
_WORD = re.compile(r"[a-z0-9]+(?:[.,][0-9]+)*")
_NUMBER = re.compile(r"[0-9]")
_SHORTEST_STEM = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """Data for one language; the code that uses it is the same for all.

    ``follow_up`` opens questions that lean on the conversation, ``steps`` asks for instructions and
    ``amount`` for a figure.
    """

    stopwords: frozenset[str]
    endings: tuple[str, ...]
    unknown: str
    follow_up: tuple[str, ...]
    steps: tuple[str, ...]
    amount: tuple[str, ...]


def fold(text: str) -> str:
    """Lower case without accents, so that ``Kündigung`` and ``kundigung`` meet."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words(text: str) -> list[str]:
    """Folded words of a text in order, numbers kept whole (``99.9``)."""
    return _WORD.findall(fold(text))


def _words(listed: tuple[str, ...], added: str) -> frozenset[str]:
    return frozenset(words(f"{' '.join(listed)} {added}"))


LANGUAGES = {
    "en": Language(
        stopwords=_words(
            STOPWORDS_EN_PLUS, "how many much long often could would please hi hello thanks us get i'm i've"
        ),
        endings=("ations", "ation", "ings", "ing", "ies", "ied", "ers", "ed", "es", "er", "s", "e", "y"),
        unknown="I don't know: the help centre has no answer to this. You can write to help@quillhour.example.",
        follow_up=("and", "what about", "how about", "it", "that", "those", "they", "them", "this", "then", "also"),
        steps=("how do i", "how can i", "how to", "where do i", "where can i", "steps"),
        amount=(
            "how many",
            "how much",
            "how long",
            "how often",
            "how fast",
            "how big",
            "when",
            "price",
            "cost",
            "limit",
        ),
    ),
    "de": Language(
        stopwords=_words(STOPWORDS_GERMAN, "wie viel viele lange oft bitte hallo danke gibt geht darf mochte"),
        endings=("ungen", "ung", "ern", "en", "em", "er", "es", "st", "e", "n", "s", "t"),
        unknown="Das weiß ich nicht: Im Hilfebereich steht dazu nichts. Schreiben Sie an help@quillhour.example.",
        follow_up=("und", "was ist mit", "wie ist es", "das", "dann", "es", "dort", "auch", "dafür", "davon"),
        steps=("wie kann ich", "wie mache ich", "wo finde ich", "wo kann ich", "wie lege ich", "wie stelle ich"),
        amount=("wie viel", "wie lang", "wie oft", "wie hoch", "wann", "kostet", "preis", "frist"),
    ),
    "es": Language(
        stopwords=_words(STOPWORDS_SPANISH, "cuanto cuanta cuantos cuantas hola gracias favor puedo puede quiero hay"),
        endings=(
            *("aciones", "acion", "iones", "ion", "ados", "ado", "adas", "ada"),
            *("ar", "er", "ir", "es", "os", "as", "o", "a", "e", "s"),
        ),
        unknown="No lo sé: el centro de ayuda no trata esta pregunta. Puede escribir a help@quillhour.example.",
        follow_up=("y", "qué pasa con", "eso", "entonces", "también", "ese", "esa", "lo"),
        steps=("cómo puedo", "cómo se", "dónde puedo", "cómo hago", "pasos"),
        amount=("cuánt", "cuándo", "cuesta", "precio", "plazo"),
    ),
}


@cache
def stem(word: str, locale: str) -> str:
    """Cut the longest known ending, leaving at least three letters; numbers stay as they are."""
    if _NUMBER.search(word):
        return word
    for ending in LANGUAGES[locale].endings:
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word[: -len(ending)]
    return word


def asks_for(phrases: tuple[str, ...], question: str) -> bool:
    """Whether one of the phrases stands in the question, case and accents aside."""
    folded = fold(question)
    return any(fold(phrase) in folded for phrase in phrases)


def tokens(text: str, locale: str) -> list[str]:
    """Content words of ``text``, stemmed for ``locale``: what index and query are made of."""
    ignored = LANGUAGES[locale].stopwords
    return [stem(word, locale) for word in words(text) if word not in ignored]


def guess_locale(text: str) -> str:
    """The language whose function words occur most in ``text``; English when in doubt."""
    found = set(words(text))
    counts = {locale: len(found & language.stopwords) for locale, language in LANGUAGES.items()}
    best = max(counts, key=lambda locale: counts[locale])
    return best if counts[best] > counts[DEFAULT_LOCALE] else DEFAULT_LOCALE


def base_locale(locale: str | None, text: str) -> str:
    """``de-AT`` becomes ``de``; without a known locale the text decides."""
    short = (locale or "").split("-")[0].split("_")[0].lower()
    return short if short in LANGUAGES else guess_locale(text)
