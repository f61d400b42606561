"""Porter's stemmer for English, with the extensions that rouge-score inherits from NLTK.

M. F. Porter 1980, "An algorithm for suffix stripping", Program 14(3), and the author's later departures; a handful of
irregular words and short endings are treated as NLTK does, so that stemmed ROUGE agrees with rouge-score.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

_IRREGULAR = {
    "skies": "sky", "sky": "sky", "dying": "die", "lying": "lie", "tying": "tie", "news": "news", "innings": "inning",
    "inning": "inning", "outings": "outing", "outing": "outing", "cannings": "canning", "canning": "canning",
    "howe": "howe", "proceed": "proceed", "exceed": "exceed", "succeed": "succeed",
}  # fmt: skip
_STEP_2 = (
    ("ational", "ate"), ("tional", "tion"), ("enci", "ence"), ("anci", "ance"), ("izer", "ize"), ("bli", "ble"),
    ("alli", "al"), ("entli", "ent"), ("eli", "e"), ("ousli", "ous"), ("ization", "ize"), ("ation", "ate"),
    ("ator", "ate"), ("alism", "al"), ("iveness", "ive"), ("fulness", "ful"), ("ousness", "ous"), ("aliti", "al"),
    ("iviti", "ive"), ("biliti", "ble"), ("fulli", "ful"),
)  # fmt: skip
_STEP_3 = (
    ("icate", "ic"), ("ative", ""), ("alize", "al"), ("iciti", "ic"), ("ical", "ic"), ("ful", ""), ("ness", ""),
)  # fmt: skip
_STEP_4 = (
    "al", "ance", "ence", "er", "ic", "able", "ible", "ant", "ement", "ment", "ent", "ion", "ou", "ism", "ate", "iti",
    "ous", "ive", "ize",
)  # fmt: skip


@lru_cache(maxsize=65_536)
def porter_stem(word: str) -> str:
    """The stem of an English word.

    Example:
        >>> [porter_stem(w) for w in ("caresses", "relational", "hopping", "agreed")]
        ['caress', 'relat', 'hop', 'agre']
    """
    stem = word.lower()
    if stem in _IRREGULAR:
        return _IRREGULAR[stem]
    if len(stem) <= 2:
        return stem
    for step in (_plural, _past, _final_y, _long_suffix, _middle_suffix, _short_suffix, _final_e, _double_l):
        stem = step(stem)
    return stem


def _consonant(word: str, index: int) -> bool:
    if word[index] in "aeiou":
        return False
    return word[index] != "y" or index == 0 or not _consonant(word, index - 1)


def _forms(word: str) -> str:
    """`v` for vowel runs and `c` for consonant runs, each run one letter."""
    shape = ""
    previous_consonant = False
    for index, letter in enumerate(word):
        consonant = letter not in "aeiou" and (letter != "y" or index == 0 or not previous_consonant)
        sign = "c" if consonant else "v"
        if not shape.endswith(sign):
            shape += sign
        previous_consonant = consonant
    return shape


def _measure(stem: str) -> int:
    return _forms(stem).count("vc")


def _positive(stem: str) -> bool:
    return _measure(stem) > 0


def _has_vowel(stem: str) -> bool:
    return "v" in _forms(stem)


def _double_consonant(word: str) -> bool:
    return len(word) >= 2 and word[-1] == word[-2] and _consonant(word, len(word) - 1)


def _ends_cvc(word: str) -> bool:
    last = len(word) - 1
    if last == 1:
        return not _consonant(word, 0) and _consonant(word, 1)
    if last < 2 or word[-1] in "wxy":
        return False
    return _consonant(word, last) and not _consonant(word, last - 1) and _consonant(word, last - 2)


def _plural(word: str) -> str:
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _past(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _positive(word[:-3]) else word
    for ending in ("ed", "ing"):
        stem = word[: -len(ending)]
        if word.endswith(ending) and _has_vowel(stem):
            return _mended(stem)
    return word


def _mended(stem: str) -> str:
    if stem.endswith(("at", "bl", "iz")):
        return stem + "e"
    if _double_consonant(stem):
        return stem if stem[-1] in "lsz" else stem[:-1]
    return stem + "e" if _measure(stem) == 1 and _ends_cvc(stem) else stem


def _final_y(word: str) -> str:
    if word.endswith("y") and len(word) > 2 and _consonant(word, len(word) - 2):
        return word[:-1] + "i"
    return word


def _replaced(word: str, rules: tuple[tuple[str, str], ...], condition: Callable[[str], bool]) -> str:
    """Apply the longest ending that fits; when its condition fails, nothing else is tried."""
    fitting = [(ending, new) for ending, new in rules if word.endswith(ending)]
    if not fitting:
        return word
    ending, new = max(fitting, key=lambda rule: len(rule[0]))
    stem = word[: -len(ending)]
    return stem + new if condition(stem) else word


def _long_suffix(word: str) -> str:
    if word.endswith("alli") and _positive(word[:-4]):
        return _long_suffix(word[:-2])
    if word.endswith("logi"):
        return word[:-1] if _positive(word[:-3]) else word
    return _replaced(word, _STEP_2, _positive)


def _middle_suffix(word: str) -> str:
    return _replaced(word, _STEP_3, _positive)


def _short_suffix(word: str) -> str:
    ending = max((item for item in _STEP_4 if word.endswith(item)), key=len, default="")
    stem = word[: len(word) - len(ending)]
    if not ending or _measure(stem) <= 1 or (ending == "ion" and not stem.endswith(("s", "t"))):
        return word
    return stem


def _final_e(word: str) -> str:
    if not word.endswith("e"):
        return word
    stem = word[:-1]
    measure = _measure(stem)
    return stem if measure > 1 or (measure == 1 and not _ends_cvc(stem)) else word


def _double_l(word: str) -> str:
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word
