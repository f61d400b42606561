"""Numbers with units as suite files and command lines write them: `30s`, `90%`, `300/min`, `20 MB`, `20 USD`."""

from __future__ import annotations

import math

import re2

from evalwright.core.run import Budget

_NUMBER = r"([0-9]+(?:_[0-9]+)*(?:\.[0-9]+)?)"
_WITH_UNIT = re2.compile(rf"{_NUMBER}\s*([A-Za-z%$€£]*)")
_PARTS = re2.compile(rf"(?:{_NUMBER}(ms|s|m|h|d))")
_DURATION = re2.compile(rf"(?:{_NUMBER}(?:ms|s|m|h|d)\s*)+")
_RATE = re2.compile(rf"{_NUMBER}\s*(?:/|\s+per\s+)\s*(s|sec|second|m|min|minute|h|hour)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_PER_MINUTE = {"s": 60.0, "m": 1.0, "h": 1 / 60}
_BYTES = {"": 1, "b": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}
_COUNTS = {"": 1, "k": 1_000, "m": 1_000_000}
_MONEY = frozenset({"USD", "usd", "$"})
_MINUTES = frozenset({"m", "min", "minute", "minutes"})


def duration(value: str | float) -> float:
    """Seconds of a duration: a number of seconds, or `500ms`, `30s`, `2m`, `1h30m`, `1d`.

    Raises:
        ValueError: It is none, or is not finite.

    Example:
        >>> duration("1h30m")
        5400.0
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(float(value))
    text = str(value).strip()
    if is_duration(text):
        return sum(_number(number) * _SECONDS[unit] for number, unit in _PARTS.findall(text))
    if _WITH_UNIT.fullmatch(text) and text.replace("_", "").replace(".", "", 1).isdigit():
        return _number(text)
    raise ValueError(f"`{value}` is not a duration; write e.g. `30s`, `2m` or `500ms`")


def is_duration(text: str) -> bool:
    """Whether a text is a duration with a unit, such as `800ms`.

    Example:
        >>> is_duration("2s"), is_duration("2")
        (True, False)
    """
    return bool(_DURATION.fullmatch(text.strip()))


def rate(value: str | float) -> float:
    """Events per minute of a rate: a number per minute, or `300/min`, `5/s`, `1000 per hour`.

    Raises:
        ValueError: It is none.

    Example:
        >>> rate("5/s")
        300.0
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(float(value))
    match = _RATE.fullmatch(str(value).strip())
    if match is None:
        raise ValueError(f"`{value}` is not a rate; write e.g. `300/min` or `5/s`")
    return _number(match.group(1)) * _PER_MINUTE[match.group(2)[0]]


def size(value: str | int) -> int:
    """Bytes of a size: a number of bytes, or `500 kB`, `20 MB`, `1 GiB`.

    Raises:
        ValueError: It is none.

    Example:
        >>> size("20 MB")
        20000000
    """
    match = _WITH_UNIT.fullmatch(str(value).strip())
    if match is None or isinstance(value, bool) or match.group(2).lower() not in _BYTES:
        raise ValueError(f"`{value}` is not a size; write e.g. `20 MB`")
    return round(_number(match.group(1)) * _BYTES[match.group(2).lower()])


def share(value: str | float) -> float:
    """A share from 0 to 1: a number, or `5%`.

    Raises:
        ValueError: It is none.

    Example:
        >>> share("5%")
        0.05
    """
    if isinstance(value, str):
        match = _WITH_UNIT.fullmatch(value.strip())
        if match is None or match.group(2) != "%":
            raise ValueError(f"`{value}` is not a share; write e.g. `0.05` or `5%`")
        value = _number(match.group(1)) / 100
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"`{value}` is not a share; write e.g. `0.05` or `5%`")  # noqa: TRY004  pydantic reads these
    if not 0 <= value <= 1:
        raise ValueError(f"a share is between 0 and 1, not {value}")
    return float(value)


def bound(value: str | float) -> float:
    """The bound of a gate rule: a number, a percentage, dollars, or a duration (in seconds).

    Raises:
        ValueError: It is none of these.

    Example:
        >>> bound("800ms")
        0.8
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _finite(float(value))
    text = str(value).strip()
    match = _WITH_UNIT.fullmatch(text)
    if match is not None and match.group(2) == "%":
        return _number(match.group(1)) / 100
    if match is not None and match.group(2) in _MONEY:
        return _number(match.group(1))
    if is_duration(text):
        return duration(text)
    raise ValueError(f"`{value}` is not a number; write e.g. `0.9`, `90%` or, for a metric in seconds, `2s`")


def budget(value: str | float) -> Budget:
    """A cap on a run: `20 USD` (or a bare number of dollars), `2M tokens`, `500 calls`, `30 min`.

    Several are separated by commas: `20 USD, 500 calls`.

    Raises:
        ValueError: A part is none of these, or a cap is given twice.

    Example:
        >>> budget("20 USD, 500 calls").calls
        500
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return Budget(cost=_positive(float(value)))
    caps: dict[str, float] = {}
    for part in str(value).split(","):
        name, amount = _cap(part.strip())
        if name in caps:
            raise ValueError(f"the cap on {name} is given twice in `{value}`")
        caps[name] = amount
    return Budget(
        cost=caps.get("cost"),
        tokens=_whole(caps.get("tokens")),
        calls=_whole(caps.get("calls")),
        minutes=caps.get("minutes"),
    )


_CAP = re2.compile(rf"([$]?)\s*{_NUMBER}\s*([kM]?)\s*([A-Za-z$]*)")


def _cap(text: str) -> tuple[str, float]:
    match = _CAP.fullmatch(text)
    if match is None:
        raise ValueError(_not_a_budget(text))
    sign, digits, factor, unit = match.groups()
    unit, factor = (factor, "") if factor in _MINUTES and not unit else (unit, factor)
    amount = _positive(_number(digits) * _COUNTS[factor.lower()])
    if sign or unit in _MONEY or not unit:
        return "cost", amount
    if factor == "M" and unit == "in":
        return "minutes", _number(digits)
    if unit in ("h", "hour", "hours"):
        return "minutes", amount * 60
    for name in ("tokens", "calls", "minutes"):
        if unit in (name, name[:-1]) or (name == "minutes" and unit in _MINUTES):
            return name, amount
    raise ValueError(_not_a_budget(text))


def _not_a_budget(text: str) -> str:
    return f"`{text}` is not a budget; write e.g. `20 USD`, `2M tokens`, `500 calls` or `30 min`"


def _number(digits: str) -> float:
    return _finite(float(digits.replace("_", "")))


def _finite(number: float) -> float:
    if not math.isfinite(number):
        raise ValueError(f"{number} is not a finite number")
    return number


def _positive(number: float) -> float:
    if _finite(number) <= 0:
        raise ValueError("a budget must be more than 0")
    return number


def _whole(number: float | None) -> int | None:
    return None if number is None else round(number)
