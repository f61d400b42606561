"""How BLEU cuts a text into tokens; the cut is part of the metric's definition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from typing import Any

import re2

Ngrams = Counter[tuple[str, ...]]

_ENTITIES = {"&quot;": '"', "&lt;": "<", "&gt;": ">", "&amp;": "&"}
_ENTITY = re.compile("&(?:quot|lt|gt|amp);")
_13A = (
    (re.compile(r"([{-~\[-` -&(-+:-@/])"), r" \1 "),
    (re.compile(r"([^0-9])([.,])"), r"\1 \2 "),
    (re.compile(r"([.,])([^0-9])"), r" \1 \2"),
    (re.compile(r"([0-9])(-)"), r"\1 \2 "),
)
_INTL = ((r"(\PN)(\pP)", r"\1 \2 "), (r"(\pP)(\PN)", r" \1 \2"), (r"(\pS)", r" \1 "))


def tokenize_13a(text: str) -> list[str]:
    """Tokens as NIST's mteval-v13a cuts them: punctuation apart, but not inside numbers."""
    line = text.rstrip().replace("<skipped>", "").replace("-\n", "").replace("\n", " ")
    line = f" {_ENTITY.sub(lambda match: _ENTITIES[match.group()], line)} "
    for pattern, replacement in _13A:
        line = pattern.sub(replacement, line)
    return line.split()


def tokenize_intl(text: str) -> list[str]:
    """Tokens as NIST's mteval-v14 cuts them in international mode: by Unicode punctuation and symbols."""
    line: Any = text.rstrip()
    for pattern, replacement in _INTL:
        line = re2.sub(pattern, replacement, line)
    return str(line).split()


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
