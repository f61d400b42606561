"""Normal forms of short answers, so that form does not decide."""

from __future__ import annotations

import re
import string
import unicodedata

_ARTICLES = re.compile(r"\b(a|an|the)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)


def nfc(text: str) -> str:
    """Unicode normal form C: an accented letter is the same however it was typed."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def squad_normalize(text: str) -> str:
    """Lower case, without punctuation, English articles and extra spaces.

    The answer normalisation of the SQuAD evaluation script (Rajpurkar et al. 2016, arXiv 1606.05250).

    Example:
        >>> squad_normalize("The  Eiffel-Tower!")
        'eiffeltower'
    """
    bare = nfc(text).lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())
