"""Classical ciphers and telegraph alphabets."""

from __future__ import annotations

import string
from itertools import cycle

from evalwright.packs.transforms.base import TextFunction, Transform

_LOWER, _UPPER = string.ascii_lowercase, string.ascii_uppercase
_ATBASH = str.maketrans(_LOWER + _UPPER, _LOWER[::-1] + _UPPER[::-1])
_KEY = "lemon"
_RAILS = 3

MORSE = {
    "A": ".-", "B": "-...", "C": "-.-.", "D": "-..", "E": ".", "F": "..-.", "G": "--.", "H": "....", "I": "..",
    "J": ".---", "K": "-.-", "L": ".-..", "M": "--", "N": "-.", "O": "---", "P": ".--.", "Q": "--.-", "R": ".-.",
    "S": "...", "T": "-", "U": "..-", "V": "...-", "W": ".--", "X": "-..-", "Y": "-.--", "Z": "--..", "0": "-----",
    "1": ".----", "2": "..---", "3": "...--", "4": "....-", "5": ".....", "6": "-....", "7": "--...", "8": "---..",
    "9": "----.",
}  # fmt: skip
NATO = {
    "A": "Alfa", "B": "Bravo", "C": "Charlie", "D": "Delta", "E": "Echo", "F": "Foxtrot", "G": "Golf", "H": "Hotel",
    "I": "India", "J": "Juliett", "K": "Kilo", "L": "Lima", "M": "Mike", "N": "November", "O": "Oscar", "P": "Papa",
    "Q": "Quebec", "R": "Romeo", "S": "Sierra", "T": "Tango", "U": "Uniform", "V": "Victor", "W": "Whiskey",
    "X": "Xray", "Y": "Yankee", "Z": "Zulu", "0": "Zero", "1": "One", "2": "Two", "3": "Three", "4": "Four",
    "5": "Five", "6": "Six", "7": "Seven", "8": "Eight", "9": "Nine",
}  # fmt: skip


def rotate(text: str, by: int) -> str:
    """Each ASCII letter moved along the alphabet; everything else stays."""
    return "".join(_moved(char, by) for char in text)


def _moved(char: str, by: int) -> str:
    alphabet = _LOWER if char in _LOWER else _UPPER if char in _UPPER else ""
    return alphabet[(alphabet.index(char) + by) % 26] if alphabet else char


def _vigenere(text: str, sign: int) -> str:
    shifts = cycle(sign * _LOWER.index(letter) for letter in _KEY)
    return "".join(_moved(char, next(shifts)) if char in string.ascii_letters else char for char in text)


def _rail_order(length: int) -> list[int]:
    period = 2 * (_RAILS - 1)
    return sorted(range(length), key=lambda at: (min(at % period, period - at % period), at))


def _rail_fence(text: str) -> str:
    return "".join(text[at] for at in _rail_order(len(text)))


def _from_rail_fence(text: str) -> str:
    placed = dict(zip(_rail_order(len(text)), text, strict=True))
    return "".join(placed[at] for at in range(len(text)))


def spelled(text: str) -> str:
    """Upper-case ASCII letters and digits in words of one space each: what telegraph alphabets keep."""
    kept = "".join(char if char in MORSE else " " for char in text.translate(_TO_UPPER))
    return " ".join(kept.split())


_TO_UPPER = str.maketrans(_LOWER, _UPPER)


def _spell(table: dict[str, str], within: str, between: str) -> TextFunction:
    return lambda text: between.join(within.join(table[char] for char in word) for word in spelled(text).split())


def _unspell(table: dict[str, str], within: str, between: str) -> TextFunction:
    back = {code: char for char, code in table.items()}
    return lambda text: " ".join("".join(back[code] for code in word.split(within)) for word in _split(text, between))


def _split(text: str, between: str) -> list[str]:
    return text.split(between) if text else []


CIPHERS = (
    Transform(
        name="rot13",
        family="cipher",
        apply=lambda text: rotate(text, 13),
        invert=lambda text: rotate(text, 13),
        hint="ROT13",
    ),
    Transform(
        name="caesar",
        family="cipher",
        apply=lambda text: rotate(text, 3),
        invert=lambda text: rotate(text, -3),
        hint="a Caesar cipher that moves each letter three places forward",
    ),
    Transform(
        name="atbash",
        family="cipher",
        apply=lambda text: text.translate(_ATBASH),
        invert=lambda text: text.translate(_ATBASH),
        hint="Atbash",
    ),
    Transform(
        name="vigenere",
        family="cipher",
        apply=lambda text: _vigenere(text, 1),
        invert=lambda text: _vigenere(text, -1),
        hint=f"a Vigenère cipher with the key {_KEY}",
    ),
    Transform(
        name="rail_fence",
        family="cipher",
        apply=_rail_fence,
        invert=_from_rail_fence,
        hint="a rail-fence cipher with three rails",
    ),
    Transform(
        name="morse",
        family="cipher",
        apply=_spell(MORSE, " ", " / "),
        invert=_unspell(MORSE, " ", " / "),
        canonical=spelled,
        hint="Morse code",
    ),
    Transform(
        name="nato",
        family="cipher",
        apply=_spell(NATO, "-", " "),
        invert=_unspell(NATO, "-", " "),
        canonical=spelled,
        hint="the spelling alphabet",
    ),
)
