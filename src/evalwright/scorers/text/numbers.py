"""Numbers as people and models write them: `1,234.5`, `1.234,5`, `$3`, `12 %`, `−7`, `3/4`, `1 ½`, `2e5`."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple

Decimal = Literal["auto", ".", ","]

_MINUS = "-−–﹣－"
_CURRENCY = "$€£¥₹₽₩₺₫₴₦฿¢"
_VULGAR = "¼½¾⅐-⅞"
_GROUP = "\u00a0\u202f\u2009 '’"
_DIGITS = rf"\d(?:[\d.,]|(?<=\d)[{_GROUP}](?=\d{{3}}(?!\d)))*"
_NUMBER = re.compile(
    rf"(?P<sign>(?<![\w)\]])[{_MINUS}+](?=\s?[{_CURRENCY}\d.,{_VULGAR}]))?"
    rf"\s?(?P<money>[{_CURRENCY}]\s?(?P<sign2>[{_MINUS}])?)?"
    rf"(?:(?P<vulgar>[{_VULGAR}])"
    rf"|(?P<digits>{_DIGITS}|(?<!\d)[.,]\d+)"
    rf"(?P<exponent>[eE][-+−]?\d{{1,3}}(?!\w))?"
    rf"(?:\s?(?P<tail>[{_VULGAR}])|(?P<slash>\s?/\s?\d+(?![\d/]))|(?P<mixed>\s\d+/\d+(?![\d/])))?)"
    rf"(?P<percent>\s?[%٪％])?"
)
_DIGIT = re.compile(rf"[\d{_VULGAR}]")
_WHOLE = re.compile(r"\d+")
_LONGEST = 300


class Number(NamedTuple):
    """A number found in a text: its value, its place, and whether a percent sign follows."""

    value: float
    start: int
    end: int
    percent: bool


def find_numbers(text: str, *, decimal: Decimal = "auto") -> list[Number]:
    """Every number in a text, in order; those too large for a float are left out.

    Thousands are grouped by commas, full stops, spaces or apostrophes, in threes or the Indian way (`1,23,456`).
    With `decimal="auto"` the later of two different separators is the decimal one; a single one followed by exactly
    three digits groups thousands when it is a comma, and is decimal when it is a full stop.

    Args:
        text: Any text.
        decimal: The decimal separator, when known.

    Example:
        >>> [n.value for n in find_numbers("It fell from 1,234.50 € to −3/4, i.e. 12 %.")]
        [1234.5, -0.75, 12.0]
    """
    if not _DIGIT.search(text):
        return []
    return [number for match in _NUMBER.finditer(text) for number in _read(text, match, decimal)]


def _read(text: str, match: re.Match[str], decimal: Decimal) -> Iterator[Number]:
    if match["slash"] and text[match.start() - 1 : match.start()] == "/":
        yield from _listed(match)
        return
    value = _value(match, decimal)
    if value is not None and math.isfinite(value):
        yield Number(value, match.start(), match.end(), match["percent"] is not None)
    elif value is None and match["digits"]:
        yield from _listed(match)


def _listed(match: re.Match[str]) -> Iterator[Number]:
    """The whole numbers of what is no single number: `1,2,3`, a version, the end of a date."""
    for part in _WHOLE.finditer(match.group()):
        if len(part.group()) <= _LONGEST:
            yield Number(float(part.group()), match.start() + part.start(), match.start() + part.end(), percent=False)


def _value(match: re.Match[str], decimal: Decimal) -> float | None:
    size = _magnitude(match, decimal)
    if size is None:
        return None
    return -size if (match["sign"] or "+") in _MINUS or match["sign2"] else size


def _magnitude(match: re.Match[str], decimal: Decimal) -> float | None:
    if match["vulgar"]:
        return unicodedata.numeric(match["vulgar"])
    digits = _plain(match["digits"].rstrip(".,"), decimal)
    if digits is None:
        return None
    value = float(digits + _exponent(match["exponent"]))
    if match["tail"]:
        return value + unicodedata.numeric(match["tail"])
    if match["slash"]:
        return _divided(value, match["slash"].replace("/", " ").strip())
    if match["mixed"]:
        top, bottom = match["mixed"].split("/")
        part = _divided(float(top), bottom)
        return None if part is None else value + part
    return value


def _exponent(text: str | None) -> str:
    return text.replace("−", "-") if text else ""


def _divided(top: float, bottom: str) -> float | None:
    divisor = float(bottom)
    return top / divisor if divisor else None


def _plain(digits: str, decimal: Decimal) -> str | None:
    """Digits with at most one full stop, as `float` reads them; None for what is no number (`1.2.3`)."""
    bare = re.sub(rf"[{_GROUP}]", "", digits)
    point = _decimal_sign(bare) if decimal == "auto" else decimal
    for separator in {".", ","} - {point}:
        bare = bare.replace(separator, "")
    if bare.count(point) > 1:
        return None
    return bare.replace(point, ".")


def _decimal_sign(digits: str) -> str:
    comma, stop = digits.rfind(","), digits.rfind(".")
    if comma >= 0 and stop >= 0:
        return "," if comma > stop else "."
    if comma >= 0:
        return "." if _grouped(digits, ",") else ","
    return "," if digits.count(".") > 1 and _grouped(digits, ".") else "."


def _grouped(digits: str, separator: str) -> bool:
    head, *groups = digits.split(separator)
    western = all(len(group) == 3 for group in groups)
    indian = len(groups) > 1 and len(groups[-1]) == 3 and all(len(group) == 2 for group in groups[:-1])
    return 1 <= len(head) <= 3 and head != "0" and (western or indian)
