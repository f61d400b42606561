import pytest
from multidict import CIMultiDict

from evalwright.models.rates import parse_span, rate_info, retry_after

NOON = 1_767_268_800.0  # 2026-01-01T12:00:00Z


def headers(**named):
    return CIMultiDict({name.replace("_", "-"): value for name, value in named.items()})


def now():
    return NOON


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1s", 1), ("6m0s", 360), ("20ms", 0.02), ("1h2m3.5s", 3723.5), ("12", 12), (7, 7), ("soon", None), ("", None)],
)
def test_spans(text, seconds):
    assert parse_span(text) == (None if seconds is None else pytest.approx(seconds))


def test_openai_headers():
    info = rate_info(
        headers(
            X_RateLimit_Limit_Requests="5000",
            X_RateLimit_Remaining_Requests="4999",
            X_RateLimit_Reset_Requests="12ms",
            X_RateLimit_Limit_Tokens="800000",
            X_RateLimit_Remaining_Tokens="799000",
            X_RateLimit_Reset_Tokens="6m0s",
        ),
        now,
    )
    assert info is not None
    assert (info.requests_limit, info.requests_remaining, info.requests_reset_s) == (5000, 4999, 0.012)
    assert (info.tokens_limit, info.tokens_remaining, info.tokens_reset_s) == (800_000, 799_000, 360)


def test_anthropic_headers_take_the_tighter_token_limit():
    found = {
        "anthropic-ratelimit-requests-limit": "50",
        "anthropic-ratelimit-requests-remaining": "49",
        "anthropic-ratelimit-requests-reset": "2026-01-01T12:00:30Z",
        "anthropic-ratelimit-tokens-limit": "90000",
        "anthropic-ratelimit-tokens-remaining": "80000",
        "anthropic-ratelimit-tokens-reset": "2026-01-01T12:00:05Z",
        "anthropic-ratelimit-input-tokens-limit": "40000",
        "anthropic-ratelimit-input-tokens-remaining": "100",
        "anthropic-ratelimit-input-tokens-reset": "2026-01-01T11:00:00Z",
    }
    info = rate_info(CIMultiDict(found), now)
    assert info is not None
    assert (info.requests_limit, info.requests_reset_s) == (50, 30)
    assert (info.tokens_limit, info.tokens_remaining, info.tokens_reset_s) == (40_000, 100, 0)


def test_the_draft_standard_and_no_headers():
    info = rate_info(headers(RateLimit_Limit="10", RateLimit_Remaining="3", RateLimit_Reset="7"), now)
    assert info is not None
    assert (info.requests_limit, info.requests_remaining, info.requests_reset_s) == (None, 3, 7)
    assert rate_info(headers(Content_Type="application/json"), now) is None


def test_hostile_header_values_are_dropped():
    info = rate_info(headers(X_RateLimit_Remaining_Requests="nan", X_RateLimit_Reset_Requests="next tuesday"), now)
    assert info is not None
    assert info.requests_remaining is None
    assert info.requests_reset_s is None


@pytest.mark.parametrize(
    ("named", "seconds"),
    [
        ({"Retry_After": "2"}, 2),
        ({"Retry_After": "0.25"}, 0.25),
        ({"Retry_After": "Thu, 01 Jan 2026 12:00:20 GMT"}, 20),
        ({"Retry_After": "Thu, 01 Jan 2026 11:00:00 GMT"}, 0),
        ({"Retry_After_Ms": "1500", "Retry_After": "9"}, 1.5),
        ({"Retry_After": "-5"}, 0),
        ({"Retry_After": "1e99"}, None),
        ({"Retry_After": "99999999"}, 604_800),
        ({"Retry_After": "whenever"}, None),
        ({}, None),
    ],
)
def test_retry_after(named, seconds):
    assert retry_after(headers(**named), now) == seconds
