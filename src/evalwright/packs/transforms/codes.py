"""Encodings of the bytes or characters of a text: Base64 and its like, escapes, character numbers."""

from __future__ import annotations

import base64
import html
import json
import quopri
import urllib.parse

from evalwright.packs.transforms.base import Transform


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogatepass")


def _numbers(text: str) -> str:
    return " ".join(str(ord(char)) for char in text)


def _from_numbers(text: str) -> str:
    return "".join(chr(int(number)) for number in text.split())


def _bits(text: str) -> str:
    return " ".join(f"{byte:08b}" for byte in _bytes(text))


def _from_bits(text: str) -> str:
    return _text(bytes(int(bits, 2) for bits in text.split()))


def _json_escape(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _from_json_escape(text: str) -> str:
    loaded: str = json.loads(f'"{text}"')
    return loaded


def _entities(text: str) -> str:
    return "".join(f"&#x{ord(char):x};" for char in text)


def _from_entities(text: str) -> str:
    """Numbers are read here and not by `html.unescape`, which replaces some control characters."""
    return "".join(chr(int(number, 16)) for number in text.replace("&#x", "").split(";") if number)


def _percent(text: str) -> str:
    return "".join(f"%{byte:02X}" for byte in _bytes(text))


def _quoted(text: str) -> str:
    return "".join(f"={byte:02X}" for byte in _bytes(text))


CODES = (
    Transform(
        name="base64",
        family="code",
        apply=lambda text: base64.b64encode(_bytes(text)).decode(),
        invert=lambda text: _text(base64.b64decode(text)),
        hint="Base64",
    ),
    Transform(
        name="base64url",
        family="code",
        apply=lambda text: base64.urlsafe_b64encode(_bytes(text)).decode(),
        invert=lambda text: _text(base64.urlsafe_b64decode(text)),
        hint="URL-safe Base64",
    ),
    Transform(
        name="base32",
        family="code",
        apply=lambda text: base64.b32encode(_bytes(text)).decode(),
        invert=lambda text: _text(base64.b32decode(text)),
        hint="Base32",
    ),
    Transform(
        name="ascii85",
        family="code",
        apply=lambda text: base64.a85encode(_bytes(text)).decode(),
        invert=lambda text: _text(base64.a85decode(text)),
        hint="Ascii85",
    ),
    Transform(
        name="hex",
        family="code",
        apply=lambda text: _bytes(text).hex(),
        invert=lambda text: _text(bytes.fromhex(text)),
        hint="hexadecimal bytes",
    ),
    Transform(name="binary", family="code", apply=_bits, invert=_from_bits, hint="binary bytes"),
    Transform(name="char_codes", family="code", apply=_numbers, invert=_from_numbers, hint="character numbers"),
    Transform(
        name="url",
        family="code",
        apply=_percent,
        invert=lambda text: _text(urllib.parse.unquote_to_bytes(text)),
        hint="URL percent-encoding",
    ),
    Transform(
        name="json_escape", family="code", apply=_json_escape, invert=_from_json_escape, hint="JSON Unicode escapes"
    ),
    Transform(name="html_entities", family="code", apply=_entities, invert=_from_entities, hint="HTML entities"),
    Transform(
        name="html_escape",
        family="code",
        apply=html.escape,
        invert=None,
    ),
    Transform(
        name="quoted_printable",
        family="code",
        apply=_quoted,
        invert=lambda text: _text(quopri.decodestring(text.encode())),
        hint="quoted-printable",
    ),
)
"""Every one keeps the whole text but `html_escape`, whose inverse would also read what was escaped before."""
