"""Names of people and postal addresses, where an engine is configured that knows them; without one none are looked for.

An engine is anything with `find(text)` that yields spans. Engines for spaCy and Presidio come with the extra `pii`; a
user's own is a Python object.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from evalwright.core.errors import MissingExtra, UsageError
from evalwright.core.extras import optional
from evalwright.detect.finding import Confidence, Finding

NAME_KINDS = ("person", "address", "place")
"""What an engine may find: a person's name, a postal address, a town or country (which alone is nobody's address)."""

EXTRA = "pii"
MAX_TEXT = 100_000
SURE_FROM = 0.6
"""A span with a score below this is only possible."""

_LABELS = {
    "PERSON": "person", "PER": "person", "FAC": "address", "ADDRESS": "address", "STREET_ADDRESS": "address",
    "LOCATION": "place", "LOC": "place", "GPE": "place",
}  # fmt: skip
_STREET = re.compile(
    r"\b\d{1,5}[A-Za-z]?,?\s+(?!The\b)(?:[A-Z][\w.'’-]*\s+){1,4}"
    r"(?:Street|St|Road|Rd|Avenue|Ave|Lane|Ln|Drive|Dr|Way|Court|Ct|Boulevard|Blvd|Place|Pl|Square|Sq|Terrace|Crescent"
    r"|Close|Parkway|Pkwy|Circle|Highway|Hwy|Trail)\b\.?"
    r"|\b[A-ZÄÖÜ][\wäöüß-]*(?:\s?Straße|straße|strasse|str\.|gasse|weg|platz|allee|ring|damm)\s+\d{1,4}\s?[a-z]?\b"
    r"|\b(?:rue|avenue|boulevard|calle|via|viale|piazza)\s+(?:de\s+|del\s+|della\s+|des\s+|du\s+|la\s+)*"
    r"[A-ZÀ-Ý][\w'’-]*(?:\s[A-ZÀ-Ý][\w'’-]*){0,3},?\s+\d{1,4}\b"
    r"|\b(?:P\.?\s?O\.?\s+Box|Postfach)\s+\d{1,6}\b",
    re.UNICODE,
)
_PARTICLES = frozenset(
    {"de", "da", "dos", "del", "della", "der", "den", "di", "van", "von", "zu", "bin", "ibn", "al", "la", "le"}
)
_WORDS = re.compile(r"[^\W\d_][\w'’.-]*")


class Named(NamedTuple):
    """A span an engine found: one of `NAME_KINDS`, from where to where, and how sure (0 to 1; None when not told)."""

    kind: str
    start: int
    end: int
    score: float | None = None


class NameEngine(Protocol):
    """Finds names."""

    def find(self, text: str) -> Iterable[Named]:
        """The spans of a text, in any order."""
        ...


class SpacyEngine:
    """Names by a spaCy model.

    Args:
        nlp: A loaded pipeline.
    """

    def __init__(self, nlp: Any) -> None:
        self._nlp = nlp

    @classmethod
    def load(cls, model: str) -> SpacyEngine:
        """A model by its package or folder.

        Raises:
            MissingExtra: spaCy is not installed.
            UsageError: The model is not.
        """
        spacy = optional("spacy", extra=EXTRA)
        try:
            return cls(spacy.load(model, exclude=["parser", "tagger", "lemmatizer", "attribute_ruler"]))
        except OSError as error:
            hint = f"python -m spacy download {model}, or name a folder"
            raise UsageError(f"there is no spaCy model {model!r}", hint=hint) from error

    def find(self, text: str) -> Iterator[Named]:
        """The entities spaCy sees."""
        for entity in self._nlp(text).ents:
            if kind := _LABELS.get(entity.label_):
                yield Named(kind, entity.start_char, entity.end_char)


class PresidioEngine:
    """Names by a Presidio analyzer.

    Args:
        analyzer: Anything with Presidio's `analyze`.
        language: Of the texts.
    """

    def __init__(self, analyzer: Any, language: str = "en") -> None:
        self._analyzer = analyzer
        self._language = language

    @classmethod
    def load(cls, language: str) -> PresidioEngine:
        """Presidio's default analyzer for a language.

        Raises:
            MissingExtra: Presidio is not installed.
        """
        return cls(optional("presidio_analyzer", extra=EXTRA).AnalyzerEngine(), language or "en")

    def find(self, text: str) -> Iterator[Named]:
        """The persons and places Presidio sees."""
        for found in self._analyzer.analyze(text=text, language=self._language, entities=["PERSON", "LOCATION"]):
            if kind := _LABELS.get(found.entity_type):
                yield Named(kind, found.start, found.end, found.score)


def load_engine(spec: str) -> NameEngine:
    """An engine by `spacy:MODEL`, `presidio:LANGUAGE`, or `package.module:name` (an object with `find`, or its class).

    Raises:
        MissingExtra: The package is not installed.
        UsageError: There is no such engine or model.
    """
    kind, _, rest = spec.partition(":")
    if kind == "spacy":
        return SpacyEngine.load(rest or "en_core_web_sm")
    if kind == "presidio":
        return PresidioEngine.load(rest)
    try:
        found: Any = getattr(importlib.import_module(kind), rest)
    except (ImportError, AttributeError, ValueError) as error:
        if isinstance(error, MissingExtra):
            raise
        hint = "spacy:en_core_web_sm, presidio:en, or package.module:name"
        raise UsageError(f"there is no engine for names {spec!r}: {error}", hint=hint) from error
    engine: NameEngine = found() if isinstance(found, type) else found
    if not hasattr(engine, "find"):
        raise UsageError(f"{spec} has no `find(text)`")
    return engine


class Names:
    """Findings of an engine, and of the shapes of street addresses, as the detector takes them.

    A name of two words or more in capitals is likely one, and so is an address with a number; a single word, and a town
    or country, is only possible: a person looks.

    Args:
        engine: The engine.
    """

    def __init__(self, engine: NameEngine) -> None:
        self._engine = engine

    def __call__(self, text: str) -> Iterator[Finding]:
        """The findings of a text; of a text longer than 100,000 characters piece by piece."""
        for start in range(0, len(text), MAX_TEXT):
            yield from self._piece(text, start)

    def _piece(self, text: str, start: int) -> Iterator[Finding]:
        piece = text[start : start + MAX_TEXT]
        for found in _STREET.finditer(piece):
            yield _finding("address", text, start + found.start(), start + found.end(), Confidence.LIKELY)
        for named in self._engine.find(piece):
            if named.kind in NAME_KINDS and 0 <= named.start < named.end <= len(piece):
                sure = _confidence(named, piece[named.start : named.end])
                yield _finding(named.kind, text, start + named.start, start + named.end, sure)


def _finding(kind: str, text: str, start: int, end: int, confidence: Confidence) -> Finding:
    return Finding(kind=kind, start=start, end=end, text=text[start:end], confidence=confidence)


def _confidence(named: Named, shown: str) -> Confidence:
    if named.kind == "place" or (named.score is not None and named.score < SURE_FROM):
        return Confidence.POSSIBLE
    if named.kind == "address":
        return Confidence.LIKELY if any(c.isdigit() for c in shown) else Confidence.POSSIBLE
    words = _WORDS.findall(shown)
    proper = len(words) > 1 and all(word[0].isupper() or word in _PARTICLES for word in words) and words[0] != "The"
    return Confidence.LIKELY if proper else Confidence.POSSIBLE
