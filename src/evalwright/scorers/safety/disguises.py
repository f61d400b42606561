"""A text read in all the ways something may be hidden in it: look-alikes, invisible characters, encodings."""

from __future__ import annotations

import base64
import binascii
import html
import re
import unicodedata
from collections.abc import Callable, Iterator
from urllib.parse import unquote

READ = 200_000
"""Characters of a text that are read; more is cut off."""

_LOOKALIKES = {
    ord(like): plain
    for like, plain in zip(
        "асеіјорѕхуАВСЕНІЈКМОРЅТХУαοιυɐɔǝɟƃɥᴉɾʞɯɹʇʌʍʎ", "aceijopsxyABCEHIJKMOPSTXYaoiuacefghijkmrtvwy", strict=True
    )
}
_LEET = str.maketrans("0134578", "oieastb")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_BASE32 = re.compile(r"[A-Z2-7]{8,}={0,6}")
_HEX = re.compile(r"(?:(?:0x|\\x)?[0-9A-Fa-f]{2}[\s,:-]?){6,}")
_BITS = re.compile(r"(?:[01]{8}[\s,]*){6,}")
_NUMBERS = re.compile(r"(?:\d{2,6}[\s,;]+){5,}\d{2,6}")
_ESCAPED = re.compile(r"\\u([0-9A-Fa-f]{4})")
_QUOTED = re.compile(r"=([0-9A-F]{2})")
_MORSE_RUN = re.compile(r"(?:[.\-·–—/|]+\s*){4,}")
_INITIALS = re.compile(r"^[^\w\n]{0,100}(\w)", re.MULTILINE)
_BRAILLE = dict(zip("⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵", "abcdefghijklmnopqrstuvwxyz", strict=True))
_MORSE = {
    ".-": "a", "-...": "b", "-.-.": "c", "-..": "d", ".": "e", "..-.": "f", "--.": "g", "....": "h", "..": "i",
    ".---": "j", "-.-": "k", ".-..": "l", "--": "m", "-.": "n", "---": "o", ".--.": "p", "--.-": "q", ".-.": "r",
    "...": "s", "-": "t", "..-": "u", "...-": "v", ".--": "w", "-..-": "x", "-.--": "y", "--..": "z", "-----": "0",
    ".----": "1", "..---": "2", "...--": "3", "....-": "4", ".....": "5", "-....": "6", "--...": "7", "---..": "8",
    "----.": "9",
}  # fmt: skip
_NATO = {
    "alfa": "a", "alpha": "a", "bravo": "b", "charlie": "c", "delta": "d", "echo": "e", "foxtrot": "f", "golf": "g",
    "hotel": "h", "india": "i", "juliett": "j", "juliet": "j", "kilo": "k", "lima": "l", "mike": "m", "november": "n",
    "oscar": "o", "papa": "p", "quebec": "q", "romeo": "r", "sierra": "s", "tango": "t", "uniform": "u",
    "victor": "v", "whiskey": "w", "whisky": "w", "xray": "x", "yankee": "y", "zulu": "z", "zero": "0", "one": "1",
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z]+")


def squeeze(text: str) -> str:
    r"""Letters and digits alone: compatibility forms, look-alikes, case, spacing and invisible characters removed.

    Example:
        >>> squeeze("K\u200bE-s Ｔ")
        'kest'
    """
    if text.isascii():
        return "".join(filter(str.isalnum, text)).lower()
    plain = unicodedata.normalize("NFKD", text.translate(_LOOKALIKES)).casefold().translate(_LOOKALIKES)
    return "".join(filter(_telling, plain))


def _telling(char: str) -> bool:
    """Letters and digits; and Braille cells, whose removal would join what stands on either side."""
    return char.isalnum() or "\u2801" <= char <= "\u28ff"


def disguises(text: str, *, depth: int = 2) -> Iterator[tuple[str, str]]:
    """Every way to read a text that gives something: its name, and the text so read (not squeezed).

    Args:
        text: The text; at most `READ` characters are read.
        depth: How many readings may follow one another (Base64 of hexadecimal bytes needs two).
    """
    text = text[:READ]
    yield "as it is", text
    for name, reader in _READERS.items():
        found = reader(text)
        if len(found) > 3 and found != text:
            yield name, found
            if depth > 1:
                yield from ((f"{inner} in {name}", t) for inner, t in disguises(found, depth=depth - 1) if t != found)


def _runs(pattern: re.Pattern[str], decode: Callable[[str], bytes]) -> Callable[[str], str]:
    def read(text: str) -> str:
        found: list[str] = []
        for run in _with_pieces(pattern.findall(text)):
            try:
                found.append(decode(run).decode("utf-8", "ignore"))
            except (ValueError, binascii.Error, OverflowError):
                continue
        return "\n".join(found)

    return read


def _with_pieces(runs: list[str]) -> Iterator[str]:
    """The runs, and those between the slashes of an address."""
    for run in runs:
        yield run
        if "/" in run:
            yield from (piece for piece in run.split("/") if len(piece) > 7)


def _base64(run: str) -> bytes:
    plain = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    return base64.b64decode(plain[: len(plain) - (len(plain) % 4 == 1)] + "=" * (-len(plain) % 4))


def _base32(run: str) -> bytes:
    plain = run.rstrip("=")
    plain = plain[: len(plain) // 8 * 8 + {0: 0, 1: 0, 2: 2, 3: 2, 4: 4, 5: 5, 6: 5, 7: 7}[len(plain) % 8]]
    return base64.b32decode(plain + "=" * (-len(plain) % 8))


def _hex(run: str) -> bytes:
    return bytes.fromhex(re.sub(r"0x|\\x|[^0-9A-Fa-f]", "", run))


def _bits(run: str) -> bytes:
    digits = re.sub(r"[^01]", "", run)
    return bytes(int(digits[at : at + 8], 2) for at in range(0, len(digits) - 7, 8))


def _numbers(run: str) -> bytes:
    codes = [int(number) for number in re.findall(r"\d+", run)]
    return "".join(chr(code) for code in codes if 32 <= code < 0x110000 and not 0xD800 <= code < 0xE000).encode()


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text) if "\\u" in text else ""


def _entities(text: str) -> str:
    return html.unescape(text) if "&" in text else ""


def _percent(text: str) -> str:
    return unquote(text, errors="ignore") if "%" in text else ""


def _quoted(text: str) -> str:
    return _QUOTED.sub(lambda found: chr(int(found[1], 16)), text) if "=" in text else ""


def _morse(text: str) -> str:
    if text.count(".") + text.count("-") < 8:
        return ""
    runs = _MORSE_RUN.findall(text.translate(str.maketrans("·–—|", ".--/")))
    return "\n".join("".join(_MORSE.get(code, " ") for code in run.replace("/", " ").split()) for run in runs)


def _nato(text: str) -> str:
    letters = [_NATO.get(word.lower(), " ") for word in _WORD.findall(text.replace("X-ray", "Xray"))]
    return " ".join("".join(letters).split())


def _initials(text: str) -> str:
    return "".join(_INITIALS.findall(text)) if text.count("\n") > 3 else ""


def _braille(text: str) -> str:
    return "".join(_BRAILLE.get(char, char) for char in text) if max(text, default="") > "⠀" else ""


def _tags(text: str) -> str:
    if text.isascii():
        return ""
    return "".join(chr(ord(char) - 0xE0000) for char in text if 0xE0020 <= ord(char) < 0xE007F)


def _selectors(text: str) -> str:
    if text.isascii():
        return ""
    codes = map(ord, text)
    data = bytes(
        code - 0xFE00 if code <= 0xFE0F else code - 0xE0100 + 16
        for code in codes
        if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF
    )
    return data.decode("utf-8", "ignore")


_READERS: dict[str, Callable[[str], str]] = {
    "base64": _runs(_BASE64, _base64),
    "base32": _runs(_BASE32, _base32),
    "hex": _runs(_HEX, _hex),
    "binary": _runs(_BITS, _bits),
    "character numbers": _runs(_NUMBERS, _numbers),
    "URL encoding": _percent,
    "HTML entities": _entities,
    "JSON escapes": _unescaped,
    "quoted-printable": _quoted,
    "Morse code": _morse,
    "spelling alphabet": _nato,
    "first letters of lines": _initials,
    "Braille": _braille,
    "tag characters": _tags,
    "variation selectors": _selectors,
}


def unleet(text: str) -> str:
    """A squeezed text with the digits that stand for letters read as letters."""
    return text.translate(_LEET)
