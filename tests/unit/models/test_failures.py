import json

import aiohttp
import pytest
from multidict import CIMultiDict

from evalwright.models.failures import error_in_answer, malformed, status_error, wire_error
from evalwright.models.secrets import Secret


def failed(status, error=None, headers=None, secrets=()):
    body = json.dumps({"error": error}).encode() if isinstance(error, dict) else (error or "").encode()
    return status_error(status, CIMultiDict(headers or {}), body, now=lambda: 0.0, secrets=secrets)


@pytest.mark.parametrize(
    ("status", "error", "kind", "retryable"),
    [
        (408, None, "timeout", True),
        (425, None, "server", True),
        (429, {"message": "Rate limit reached", "code": "rate_limit_exceeded"}, "rate_limit", True),
        (429, {"message": "You exceeded your quota", "code": "insufficient_quota"}, "quota", False),
        (400, {"message": "Your credit balance is too low to access the API"}, "quota", False),
        (500, None, "server", True),
        (501, None, "server", False),
        (502, "<html>bad gateway</html>", "server", True),
        (503, None, "server", True),
        (529, {"type": "overloaded_error", "message": "Overloaded"}, "server", True),
        (400, {"message": "bad"}, "bad_request", False),
        (401, {"message": "no key"}, "auth", False),
        (403, None, "auth", False),
        (404, None, "not_found", False),
        (413, None, "bad_request", False),
        (422, None, "bad_request", False),
        (400, {"message": "m", "code": "context_length_exceeded"}, "context_length", False),
        (400, {"message": "prompt is too long: 210000 tokens > 200000 maximum"}, "context_length", False),
        (400, {"message": "m", "code": "content_filter"}, "refused", False),
        (302, None, "redirect", False),
    ],
)
def test_what_each_status_means(status, error, kind, retryable):
    found = failed(status, error)
    assert (found.kind, found.retryable, found.status) == (kind, retryable, status)


def test_waiting_times_from_header_and_body():
    assert failed(429, None, {"Retry-After": "3"}).retry_after_s == 3
    assert failed(429, {"message": "m", "details": [{"retryDelay": "34s"}]}).retry_after_s == 34
    assert failed(429).retry_after_s is None


def test_without_retry_after_the_used_up_limit_says_how_long():
    used_up = {"x-ratelimit-remaining-requests": "0", "x-ratelimit-reset-requests": "1m3s"}
    assert failed(429, None, used_up).retry_after_s == 63
    assert failed(429, None, {**used_up, "x-ratelimit-remaining-requests": "5"}).retry_after_s is None


def test_messages_are_short_and_hold_no_secret():
    key = "sk-" + "1a" * 20
    found = failed(401, {"message": f"Incorrect API key provided: {key}. " + "x" * 5000})
    assert key not in found.message
    assert len(found.message) < 700
    opaque = failed(401, {"message": "bad key opaque-1"}, secrets=[Secret("opaque-1", "${K}")])
    assert "opaque-1" not in opaque.message


def test_a_redirect_names_the_place_to_go():
    assert "https://new.example/v1" in failed(301, None, {"Location": "https://new.example/v1"}).message


def test_broken_exchanges():
    assert wire_error(TimeoutError()).kind == "timeout"
    assert wire_error(TimeoutError()).retryable
    assert wire_error(aiohttp.ServerDisconnectedError()).kind == "connection"
    assert wire_error(ConnectionResetError("reset")).retryable
    broken = wire_error(aiohttp.InvalidURL("x"))
    assert (broken.kind, broken.max_attempts) == ("malformed", 2)


def test_a_malformed_answer_is_tried_once_more_and_shows_its_beginning():
    found = malformed("not JSON", b"<html>\n<title>x" + b"y" * 9000)
    assert (found.kind, found.retryable, found.max_attempts) == ("malformed", True, 2)
    assert "<html> <title>x" in found.message
    assert len(found.message) < 300


@pytest.mark.parametrize(
    ("error", "kind", "retryable"),
    [
        ({"type": "overloaded_error", "message": "Overloaded"}, "server", True),
        ({"code": 429, "message": "slow down"}, "rate_limit", True),
        ({"type": "rate_limit_error", "message": "slow down"}, "rate_limit", True),
        ({"type": "invalid_request_error", "message": "no"}, "bad_request", False),
        ("it broke", "server", True),
    ],
)
def test_errors_inside_answers(error, kind, retryable):
    found = error_in_answer(error)
    assert (found.kind, found.retryable) == (kind, retryable)
