"""From what went wrong on the wire to a `TargetError` that says whether another attempt may succeed.

| seen | kind | another attempt |
| --- | --- | --- |
| 408, timeouts of our own | `timeout` | yes |
| 429 | `rate_limit` | yes, after `Retry-After` |
| 429 because the account's quota or credit is used up | `quota` | no |
| 425, 5xx | `server` | yes (501 and 505 no) |
| no connection, reset, closed early | `connection` | yes |
| an answer that can't be read | `malformed` | once |
| 401, 403 | `auth` | no |
| 404 | `not_found` | no |
| prompt longer than the model takes | `context_length` | no |
| stopped by the provider's content filter | `refused` | no |
| other 4xx | `bad_request` | no |
| 3xx | `redirect` | no |
| larger than the limit set | `too_large` | no |
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

import aiohttp

from evalwright.core.case import Json
from evalwright.core.errors import TargetError
from evalwright.models import jsonio
from evalwright.models.rates import parse_span, rate_info, reset_of, retry_after
from evalwright.models.secrets import Secret, redact

_FINAL_5XX = {501, 505}
_SHOWN = 500
_QUOTA = ("insufficient_quota", "billing_hard_limit", "billing_not_active", "credit balance is too low", "perday")
_CONTEXT = (
    "context_length_exceeded",
    "context length",
    "context window",
    "maximum context",
    "prompt is too long",
    "exceed_context_size",
    "input token count",
    "too many tokens",
    "string_above_max_length",
)
_FILTERED = ("content_filter", "content_policy_violation", "responsibleaipolicyviolation")


class Refused(TargetError):
    """An answer with an error status; its headers may still tell about rate limits.

    Attributes:
        headers: The answer's headers.
    """

    headers: Mapping[str, str] = {}


class ErrorAnswer:
    """What an answer with an error status says: message, codes, and how long to wait."""

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.message, self.marks, self.delay_s = _read(body)


def status_error(
    status: int,
    headers: Mapping[str, str],
    body: bytes,
    *,
    now: Callable[[], float],
    secrets: Iterable[Secret] = (),
) -> Refused:
    """The error an HTTP status of 300 or more stands for; the message never holds a secret."""
    answer = ErrorAnswer(status, headers, body)
    kind, retryable = _judge(answer)
    wait = retry_after(headers, now)
    if wait is None:
        wait = answer.delay_s if answer.delay_s is not None else reset_of(rate_info(headers, now))
    said = redact(answer.message, secrets)
    place = f", redirected to {redact(headers.get('location', '?')[:200], secrets)}" if kind == "redirect" else ""
    refused = Refused(
        f"HTTP {status}{place}" + (f": {said}" if said else ""),
        kind=kind,
        status=status,
        retryable=retryable,
        retry_after_s=wait,
    )
    refused.headers = headers
    return refused


def wire_error(error: Exception, *, secrets: Iterable[Secret] = ()) -> TargetError:
    """The error a failed exchange stands for (no connection, reset, timeout, broken HTTP)."""
    text = redact(str(error)[:_SHOWN], secrets) or type(error).__name__
    if isinstance(error, asyncio.TimeoutError):
        return TargetError(_timeout_text(error), kind="timeout", retryable=True)
    if isinstance(error, aiohttp.ClientConnectorCertificateError | aiohttp.ClientSSLError):
        return TargetError(f"the secure connection failed: {text}", kind="connection")
    if isinstance(error, aiohttp.ClientPayloadError | aiohttp.ClientConnectionError | OSError):
        return TargetError(f"the connection failed: {text}", kind="connection", retryable=True)
    return malformed(f"the answer is not HTTP we can read: {text}")


def malformed(message: str, body: bytes = b"", *, secrets: Iterable[Secret] = ()) -> TargetError:
    """An answer that can't be read: tried once more at most; the body's beginning is shown."""
    shown = f"; it begins with {redact(_text(body[:200]), secrets)!r}" if body else ""
    return TargetError(message + shown, kind="malformed", retryable=True, max_attempts=2)


def error_in_answer(error: Json, *, secrets: Iterable[Secret] = ()) -> TargetError:
    """The error an answer of status 200 or a stream carries in its body (`{"error": {…}}`)."""
    body = jsonio.encode({"error": error})
    code = error.get("code") if isinstance(error, Mapping) else None
    status = code if isinstance(code, int) and 300 <= code <= 599 else _implied_status(error)
    return status_error(status, {}, body, now=lambda: 0.0, secrets=secrets)


def _implied_status(error: Json) -> int:
    marks = str(error).lower()
    if "rate_limit" in marks or "resource_exhausted" in marks:
        return 429
    return 400 if "invalid" in marks or any(mark in marks for mark in (*_CONTEXT, *_FILTERED)) else 500


def _judge(answer: ErrorAnswer) -> tuple[str, bool]:
    status = answer.status
    if status < 400:
        return "redirect", False
    if _has(answer, _QUOTA) and status in {400, 402, 403, 429}:
        return "quota", False
    if status == 429:
        return "rate_limit", True
    if status == 408:
        return "timeout", True
    if status == 425 or status >= 500:
        return "server", status not in _FINAL_5XX
    return _client_fault(answer), False


def _client_fault(answer: ErrorAnswer) -> str:
    if answer.status in {401, 403}:
        return "auth"
    if answer.status == 404:
        return "not_found"
    if _has(answer, _FILTERED):
        return "refused"
    if answer.status in {400, 413, 422} and _has(answer, _CONTEXT):
        return "context_length"
    return "bad_request"


def _has(answer: ErrorAnswer, words: Iterable[str]) -> bool:
    return any(word in answer.marks for word in words)


def _read(body: bytes) -> tuple[str, str, float | None]:
    """Message to show, lower-case text to look for marks in, seconds to wait."""
    try:
        value = jsonio.decode(body[:1_000_000])
    except jsonio.BadJson:
        text = _text(body[:_SHOWN])
        return text, text.lower(), None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    error = value.get("error", value) if isinstance(value, Mapping) else value
    marks = _text(body[:20_000]).lower()
    if isinstance(error, Mapping):
        named = error.get("message") or error.get("detail") or error.get("title")
        return str(named if named is not None else _text(body))[:_SHOWN], marks, _asked_delay(error)
    return str(error)[:_SHOWN], marks, None


def _asked_delay(error: Mapping[str, Json]) -> float | None:
    """Google's `details: [{"retryDelay": "34s"}]`."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else []:
        if isinstance(detail, Mapping) and "retryDelay" in detail:
            return parse_span(detail["retryDelay"])
    return None


def _text(body: bytes) -> str:
    return " ".join(body.decode("utf-8", "replace").split())


def _timeout_text(error: Exception) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection within the connect timeout"
    text = str(error)
    return f"no answer in time ({text})" if text else "no answer in time"
