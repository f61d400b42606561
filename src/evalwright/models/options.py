"""What the options of targets and judges have in common: durations, rate limits, and how a mistake is told."""

from __future__ import annotations

import math
from typing import Annotated, Any

import re2
from pydantic import BeforeValidator, WithJsonSchema

from evalwright.core.case import Json
from evalwright.core.errors import ConfigError, Problem
from evalwright.core.target import RateLimit

_SPAN = re2.compile(r"^(?:[0-9]*\.?[0-9]+\s*(?:ms|s|m|min|h)\s*)+$")
_SPAN_PART = re2.compile(r"([0-9]*\.?[0-9]+)\s*(ms|min|s|m|h)")
_UNIT_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0}
_RATE = re2.compile(
    r"(?i)^([0-9]*\.?[0-9]+)\s*([km]?)\s*(requests?|req|calls?|tokens?|tok)?\s*(?:/|per)\s*(s|sec|second|min|minute|h|hour)$"
)
_PER_MINUTE = {"s": 60.0, "sec": 60.0, "second": 60.0, "min": 1.0, "minute": 1.0, "h": 1 / 60, "hour": 1 / 60}
_SCALE = {"": 1.0, "k": 1e3, "m": 1e6}
_RATE_HINT = 'write "300/min", "5/s", "100k tokens/min", several with a comma, or a mapping of `requests` and `tokens`'


def config_error(message: str, *, key: str, hint: str = "") -> ConfigError:
    """A mistake in one option, without a place in a file (whoever read the file adds it)."""
    return ConfigError([Problem(message=message, key=key, hint=hint)])


def parse_duration(value: Json) -> float:
    """Seconds from `30s`, `500ms`, `2m`, `1m30s`, `1h`, or a plain number of seconds.

    Raises:
        ValueError: It is none of these, not positive, or longer than a week.
    """
    seconds = _seconds(value)
    if seconds is None or not math.isfinite(seconds) or not 0 < seconds <= 7 * 86400:
        raise ValueError(f"`{value}` is not a duration; write `30s`, `500ms`, `2m` or a number of seconds above 0")
    return seconds


def _seconds(value: Json) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, str):
        return None
    text = value.strip()
    if _SPAN.match(text):
        return sum(float(part.group(1)) * _UNIT_S[part.group(2)] for part in _SPAN_PART.finditer(text))
    try:
        return float(text)
    except ValueError:
        return None


def parse_rate_limit(value: Any) -> RateLimit | None:
    """Limits per minute from `300/min`, `5/s`, `100k tokens/min`, `300/min, 100k tokens/min` or a mapping.

    A mapping has `requests` and `tokens` (or `requests_per_minute`, `tokens_per_minute`): numbers per minute or texts.

    Raises:
        ValueError: It is none of these.
    """
    if value is None or isinstance(value, RateLimit):
        return value
    if isinstance(value, str):
        found = dict(_rate(part) for part in value.split(","))
    elif isinstance(value, dict):
        found = dict(_named_rate(str(name), rate) for name, rate in value.items())
    else:
        raise ValueError(f"`{value}` is not a rate limit; {_RATE_HINT}")  # noqa: TRY004  pydantic reads ValueError
    return RateLimit(requests_per_minute=found.get("requests"), tokens_per_minute=found.get("tokens"))


def _rate(text: str) -> tuple[str, float]:
    match = _RATE.match(text.strip())
    if not match or float(match.group(1)) <= 0:
        raise ValueError(f"`{text.strip()}` is not a rate; {_RATE_HINT}")
    number, scale, what, unit = match.groups()
    per_minute = float(number) * _SCALE[(scale or "").lower()] * _PER_MINUTE[unit.lower()]
    return ("tokens" if (what or "").lower().startswith("tok") else "requests"), per_minute


def _named_rate(name: str, rate: Json) -> tuple[str, float]:
    what = name.removesuffix("_per_minute")
    if what not in {"requests", "tokens"}:
        raise ValueError(f"`{name}` is not a rate limit; allowed are `requests` and `tokens`")
    if isinstance(rate, str):
        return what, _rate(rate)[1]
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
        raise ValueError(f"`{name}: {rate}` is not a rate; {_RATE_HINT}")
    return what, float(rate)


_DURATION_SCHEMA = {
    "anyOf": [
        {"type": "string", "pattern": r"^([0-9.]+ *(ms|s|m|min|h)? *)+$"},
        {"type": "number", "exclusiveMinimum": 0},
    ],
}
_RATE_SCHEMA = {
    "anyOf": [
        {"type": "string", "examples": ["300/min", "5/s", "100k tokens/min", "300/min, 100k tokens/min"]},
        {
            "type": "object",
            "properties": {"requests": {"type": ["number", "string"]}, "tokens": {"type": ["number", "string"]}},
            "additionalProperties": False,
        },
    ],
}

Duration = Annotated[float, BeforeValidator(parse_duration), WithJsonSchema(_DURATION_SCHEMA)]
"""Seconds, given as `30s`, `500ms`, `2m` or a number."""

RateLimitOption = Annotated[Any, BeforeValidator(parse_rate_limit), WithJsonSchema(_RATE_SCHEMA)]
"""A `RateLimit`, given as `300/min`, `100k tokens/min` or a mapping."""
