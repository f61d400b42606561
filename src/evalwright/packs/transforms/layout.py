"""The order and spacing of letters and words, and payloads given in pieces."""

from __future__ import annotations

import json
import re

from evalwright.packs.transforms.base import Transform

_LEET = str.maketrans("aeiostAEIOST", "431057431057")
_PIECE = 7
_ASSIGNMENT = re.compile(r'^(v\d+) = ("(?:[^"\\]|\\.)*")$', re.MULTILINE)
_VOWELS = "aeiouAEIOU"
_WORD = re.compile(r"[A-Za-z]+")


def _words_reversed(text: str) -> str:
    return " ".join(reversed(text.split(" ")))


def _each_word_reversed(text: str) -> str:
    return " ".join(word[::-1] for word in text.split(" "))


def _pig_latin(text: str) -> str:
    return _WORD.sub(lambda found: _pig(found[0]), text)


def _pig(word: str) -> str:
    at = next((index for index, char in enumerate(word) if char in _VOWELS), 0)
    return f"{word[at:]}{word[:at]}ay"


def _alternating(text: str) -> str:
    return "".join(char.upper() if at % 2 else char.lower() for at, char in enumerate(text))


def _assigned(text: str) -> str:
    """Pieces assigned to variables, last first, and the order to join them in."""
    pieces = [text[at : at + _PIECE] for at in range(0, len(text), _PIECE)] or [""]
    named = [f"v{number} = {json.dumps(piece)}" for number, piece in enumerate(pieces, 1)]
    order = " + ".join(f"v{number}" for number in range(1, len(pieces) + 1))
    return "\n".join([*reversed(named), order])


def _joined(text: str) -> str:
    values = {name: json.loads(literal) for name, literal in _ASSIGNMENT.findall(text)}
    return "".join(values[name] for name in text.rpartition("\n")[2].split(" + "))


def _columns(text: str) -> str:
    """Odd characters first, then even ones, with their number so that the halves can be told apart."""
    return f"{len(text)}|{text[::2]}{text[1::2]}"


def _from_columns(text: str) -> str:
    count, _, mixed = text.partition("|")
    half = (int(count) + 1) // 2
    paired = [""] * int(count)
    paired[::2], paired[1::2] = mixed[:half], mixed[half:]
    return "".join(paired)


def _lines(text: str) -> str:
    return "\n".join(json.dumps(word)[1:-1] for word in text.split(" "))


def _from_lines(text: str) -> str:
    return " ".join(json.loads(f'"{line}"') for line in text.split("\n"))


LAYOUT = (
    Transform(
        name="reverse",
        family="layout",
        apply=lambda text: text[::-1],
        invert=lambda text: text[::-1],
        hint="reversed letters",
    ),
    Transform(
        name="reverse_words", family="layout", apply=_words_reversed, invert=_words_reversed, hint="reversed words"
    ),
    Transform(
        name="reverse_each_word",
        family="layout",
        apply=_each_word_reversed,
        invert=_each_word_reversed,
        hint="words with reversed letters",
    ),
    Transform(
        name="spaced_letters",
        family="layout",
        apply=" ".join,
        invert=lambda text: text[::2],
    ),
    Transform(name="one_word_a_line", family="layout", apply=_lines, invert=_from_lines),
    Transform(name="leet", family="layout", apply=lambda text: text.translate(_LEET)),
    Transform(name="pig_latin", family="layout", apply=_pig_latin, hint="Pig Latin"),
    Transform(name="alternating_case", family="layout", apply=_alternating),
    Transform(
        name="assigned_pieces",
        family="split",
        apply=_assigned,
        invert=_joined,
        hint="pieces of text assigned to variables, joined in the order of the last line",
    ),
    Transform(
        name="odd_even",
        family="split",
        apply=_columns,
        invert=_from_columns,
        hint="its length, then the letters at odd places, then those at even places",
    ),
)
