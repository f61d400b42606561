"""How BLEU cuts a text into tokens; the cut is part of the metric's definition."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable

Ngrams = Counter[tuple[str, ...]]

_ENTITIES = {"&quot;": '"', "&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ENTITY = re.compile("&(?:quot|lt|gt|amp);")
_13A = (
    (re.compile(r"([{-~\[-` -&(-+:-@/])"), r" \1 "),
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)


def tokenize_13a(text: str) -> list[str]:
    """Tokens as NIST's mteval-v13a cuts them: punctuation apart, but not inside numbers."""
    line = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    line = f" {_ENTITY.sub(lambda match: _ENTITIES[match.group()], line)} "
    for pattern, replacement in _13A:
        line = pattern.sub(replacement, line)
    return line.split()


def tokenize_intl(text: str) -> list[str]:
    """Tokens as NIST's mteval-v14 cuts them in international mode: by Unicode punctuation and symbols."""
    line = text.rstrip()
    for pattern, layout in _INTL:
        line = _laid_out(line, pattern, layout)
    return line.split()


def _laid_out(text: str, pattern: re.Pattern[str], layout: str) -> str:
    """Replace what a pattern of category letters finds, character by character, by a layout with the characters."""
    pieces: list[str] = []
    at = 0
    for match in pattern.finditer(text.translate(_CATEGORIES)):
        pieces += (text[at : match.start()], layout % tuple(text[match.start() : match.end()]))
        at = match.end()
    return "".join([*pieces, text[at:]])


class _Categories(dict[int, str]):
    """First letter of each character's Unicode category, looked up once."""

    def __missing__(self, code: int) -> str:
        letter = self[code] = unicodedata.category(chr(code))[0]
        return letter


_CATEGORIES = _Categories()
_INTL = ((re.compile("[^N]P"), "%s %s "), (re.compile("P[^N]"), " %s %s"), (re.compile("S"), " %s "))


def tokenize_char(text: str) -> list[str]:
    """Every character but space is a token."""
    return [sign for sign in text if not sign.isspace()]


TOKENIZERS: dict[str, Callable[[str], list[str]]] = {
    "13a": tokenize_13a,
    "intl": tokenize_intl,
    "char": tokenize_char,
    "none": str.split,
}


def ngrams(tokens: list[str], order: int) -> Ngrams:
    """How often each run of `order` tokens occurs."""
    return Counter(zip(*(tokens[start:] for start in range(order)), strict=False))
