"""Characters that look like others, or like nothing."""

from __future__ import annotations

import string
import unicodedata

from evalwright.packs.transforms.base import TextFunction, Transform

_ZERO_WIDTH = "\u200b"
_SOFT_HYPHEN = "\u00ad"
_MARK = "\u0336"
_TAGS = 0xE0000
_CARRIER = "\U0001f642"
_RLO, _PDF = "\u202e", "\u202c"

LOOKALIKES = dict(zip("aceijopsxyABCEHIJKMOPSTXY", "асеіјорѕхуАВСЕНІЈКМОРЅТХУ", strict=True))
"""Latin letters and Cyrillic ones drawn alike."""

_BRAILLE = dict(zip(string.ascii_lowercase, "⠁⠃⠉⠙⠑⠋⠛⠓⠊⠚⠅⠇⠍⠝⠕⠏⠟⠗⠎⠞⠥⠧⠺⠭⠽⠵", strict=True))
_FLIPPED = dict(zip("abcdefghijklmnpqrtuvwyz", "ɐqɔpǝɟƃɥᴉɾʞlɯudbɹʇnʌʍʎz", strict=True))
_BOLD = {
    **{char: chr(0x1D400 + at) for at, char in enumerate(string.ascii_uppercase)},
    **{char: chr(0x1D41A + at) for at, char in enumerate(string.ascii_lowercase)},
    **{char: chr(0x1D7CE + at) for at, char in enumerate(string.digits)},
}
_CIRCLED = {
    **{char: chr(0x24B6 + at) for at, char in enumerate(string.ascii_uppercase)},
    **{char: chr(0x24D0 + at) for at, char in enumerate(string.ascii_lowercase)},
}
_WIDE = {chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)} | {" ": "\u3000"}


def _table(table: dict[str, str]) -> TextFunction:
    ready = str.maketrans(table)
    return lambda text: text.translate(ready)


def _without(table: dict[str, str]) -> TextFunction:
    """What survives a table and its inverse: the look-alikes already in a text become what they look like."""
    return _table({value: key for key, value in table.items()})


def _lookalikes(name: str, table: dict[str, str], hint: str = "") -> Transform:
    back = _without(table)
    return Transform(name=name, family="unicode", apply=_table(table), invert=back, canonical=back, hint=hint)


def _between(mark: str) -> tuple[TextFunction, TextFunction]:
    return lambda text: mark.join(text.replace(mark, "")), lambda text: text.replace(mark, "")


def _after(mark: str) -> TextFunction:
    return lambda text: "".join(f"{char}{mark}" for char in text.replace(mark, ""))


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text)
    return "".join(char for char in plain if " " <= char <= "~")


def _tags(text: str) -> str:
    return "".join(chr(_TAGS + ord(char)) for char in _ascii(text))


def _from_tags(text: str) -> str:
    return "".join(chr(ord(char) - _TAGS) for char in text if _TAGS < ord(char) < _TAGS + 0x80)


def _selectors(text: str) -> str:
    """Bytes as variation selectors behind a harmless character, invisible in most fonts."""
    hidden = (chr(0xFE00 + byte if byte < 16 else 0xE0100 + byte - 16) for byte in text.encode("utf-8", "replace"))
    return _CARRIER + "".join(hidden)


def _from_selectors(text: str) -> str:
    codes = (ord(char) for char in text)
    data = bytes(code - 0xFE00 if code < 0xFF00 else code - 0xE0100 + 16 for code in codes if _is_selector(code))
    return data.decode()


def _is_selector(code: int) -> bool:
    return 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF


def _storable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


_SPREAD, _GATHER = _between(_ZERO_WIDTH)
_HYPHENED, _UNHYPHENED = _between(_SOFT_HYPHEN)

GLYPHS = (
    _lookalikes("homoglyphs", LOOKALIKES),
    _lookalikes("fullwidth", _WIDE),
    _lookalikes("bold_letters", _BOLD),
    _lookalikes("circled_letters", _CIRCLED),
    _lookalikes("braille", _BRAILLE, "Braille letters"),
    Transform(name="upside_down", family="unicode", apply=_table(_FLIPPED), hint="upside-down letters"),
    Transform(name="zero_width", family="unicode", apply=_SPREAD, invert=_GATHER, canonical=_GATHER),
    Transform(name="soft_hyphens", family="unicode", apply=_HYPHENED, invert=_UNHYPHENED, canonical=_UNHYPHENED),
    Transform(
        name="struck_through",
        family="unicode",
        apply=_after(_MARK),
        invert=lambda text: text.replace(_MARK, ""),
        canonical=lambda text: text.replace(_MARK, ""),
    ),
    Transform(
        name="bidi",
        family="unicode",
        apply=lambda text: f"{_RLO}{text[::-1]}{_PDF}",
        invert=lambda text: text[1:-1][::-1],
    ),
    Transform(
        name="tag_characters",
        family="unicode",
        apply=_tags,
        invert=_from_tags,
        canonical=_ascii,
        hint="invisible Unicode tag characters",
    ),
    Transform(
        name="variation_selectors",
        family="unicode",
        apply=_selectors,
        invert=_from_selectors,
        canonical=_storable,
        hint="variation selectors behind the first character, one byte each",
    ),
)
