"""What providers say about their limits: rate-limit headers and waiting times."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import re2

from evalwright.core.case import Json
from evalwright.core.target import RateInfo

_DURATION_PART = re2.compile(r"([0-9]*\.?[0-9]+)(ms|us|ns|s|m|h|d)")
_UNIT_S = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_LONGEST_S = 7 * 86400.0

_OPENAI = ("x-ratelimit-limit-{}", "x-ratelimit-remaining-{}", "x-ratelimit-reset-{}")
_ANTHROPIC = ("anthropic-ratelimit-{}-limit", "anthropic-ratelimit-{}-remaining", "anthropic-ratelimit-{}-reset")
_PLAIN = ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")


def rate_info(headers: Mapping[str, str], now: Callable[[], float]) -> RateInfo | None:
    """Rate limits from an answer's headers, None when it names none.

    Understood are OpenAI's and Azure's `x-ratelimit-*-requests|tokens`, Anthropic's `anthropic-ratelimit-*` (the
    tighter of input tokens and all tokens), and the draft standard's `ratelimit-remaining|reset` (whose limit is not
    taken, since its window may be any length).

    Args:
        headers: Case-insensitive headers.
        now: Clock in seconds since the epoch, for resets given as a time of day.
    """
    if "x-ratelimit-remaining-requests" in headers or "x-ratelimit-remaining-tokens" in headers:
        return _named(headers, _OPENAI, "requests", "tokens", now)
    if "anthropic-ratelimit-requests-remaining" in headers or "anthropic-ratelimit-tokens-remaining" in headers:
        return _named(headers, _ANTHROPIC, "requests", _tightest_tokens(headers), now)
    if "x-ratelimit-limit-requests" in headers or "x-ratelimit-limit-tokens" in headers:
        return _named(headers, _OPENAI, "requests", "tokens", now)
    if "ratelimit-remaining" in headers:
        return RateInfo(
            requests_remaining=_number(headers.get(_PLAIN[1])), requests_reset_s=_span(headers, _PLAIN[2], now)
        )
    return None


def reset_of(info: RateInfo | None) -> float | None:
    """Seconds until a used-up limit refills; None when none is used up."""
    if info is None:
        return None
    waits = [
        reset
        for remaining, reset in (
            (info.requests_remaining, info.requests_reset_s),
            (info.tokens_remaining, info.tokens_reset_s),
        )
        if remaining is not None and remaining <= 0 and reset is not None
    ]
    return max(waits) if waits else None


def retry_after(headers: Mapping[str, str], now: Callable[[], float]) -> float | None:
    """Seconds to wait as `Retry-After` (seconds or an HTTP date) or `retry-after-ms` say; None without one.

    Negative values count as 0, values beyond a week as a week.
    """
    exact = _number(headers.get("retry-after-ms"))
    if exact is not None:
        return _bounded(exact / 1000)
    text = headers.get("retry-after")
    if text is None:
        return None
    seconds = _number(text)
    if seconds is not None:
        return _bounded(seconds)
    try:
        moment = parsedate_to_datetime(text)
    except (TypeError, ValueError, IndexError):
        return None
    return _bounded(_epoch(moment) - now())


def parse_span(text: Json) -> float | None:
    """Seconds of a span such as `1s`, `6m0s`, `20ms` or `34.07s`; a plain number is seconds; None if it is neither."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    if not isinstance(text, str):
        return None
    plain = _number(text)
    if plain is not None:
        return plain
    if _DURATION_PART.sub("", text.strip()) or not text.strip():
        return None
    return sum(float(part.group(1)) * _UNIT_S[part.group(2)] for part in _DURATION_PART.finditer(text))


def _named(
    headers: Mapping[str, str], shapes: tuple[str, str, str], requests: str, tokens: str, now: Callable[[], float]
) -> RateInfo:
    limit, remaining, reset = shapes
    return RateInfo(
        requests_limit=_number(headers.get(limit.format(requests))),
        requests_remaining=_number(headers.get(remaining.format(requests))),
        requests_reset_s=_span(headers, reset.format(requests), now),
        tokens_limit=_number(headers.get(limit.format(tokens))),
        tokens_remaining=_number(headers.get(remaining.format(tokens))),
        tokens_reset_s=_span(headers, reset.format(tokens), now),
    )


def _tightest_tokens(headers: Mapping[str, str]) -> str:
    everything = _number(headers.get("anthropic-ratelimit-tokens-remaining"))
    inputs = _number(headers.get("anthropic-ratelimit-input-tokens-remaining"))
    return "input-tokens" if inputs is not None and (everything is None or inputs < everything) else "tokens"


def _span(headers: Mapping[str, str], name: str, now: Callable[[], float]) -> float | None:
    text = headers.get(name)
    if text is None:
        return None
    seconds = parse_span(text)
    if seconds is not None:
        return _bounded(seconds)
    try:
        return _bounded(_epoch(datetime.fromisoformat(text)) - now())
    except ValueError:
        return None


def _epoch(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def _number(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if -1e15 < value < 1e15 else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), _LONGEST_S)
