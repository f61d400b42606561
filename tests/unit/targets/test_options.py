import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from evalwright.core.target import RateLimit
from evalwright.targets.options import Duration, RateLimitOption, parse_duration, parse_rate_limit


class Options(BaseModel):
    timeout: Duration | None = None
    rate_limit: RateLimitOption = None


@pytest.mark.parametrize(
    ("given_value", "seconds"),
    [
        ("30s", 30),
        ("500ms", 0.5),
        ("2m", 120),
        ("1m30s", 90),
        ("1h", 3600),
        (" 1.5 s ", 1.5),
        (5, 5),
        ("7", 7),
        (0.5, 0.5),
    ],
)
def test_durations(given_value, seconds):
    assert parse_duration(given_value) == pytest.approx(seconds)


@pytest.mark.parametrize("wrong", ["", "soon", "-5s", 0, -1, True, None, [], "5 parsecs", "nan", float("inf"), "30d"])
def test_what_is_no_duration(wrong):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(wrong)


@given(st.integers(1, 10_000))
def test_milliseconds_and_seconds_agree(number):
    assert parse_duration(f"{number * 1000}ms") == pytest.approx(parse_duration(f"{number}s"))


@pytest.mark.parametrize(
    ("given_value", "requests", "tokens"),
    [
        ("300/min", 300, None),
        ("5/s", 300, None),
        ("100k tokens/min", None, 100_000),
        ("1.5M tokens per minute", None, 1_500_000),
        ("300 requests/min, 100k tokens/min", 300, 100_000),
        ("3600/hour", 60, None),
        ({"requests": "5/s", "tokens": 90_000}, 300, 90_000),
        ({"requests_per_minute": 10}, 10, None),
    ],
)
def test_rate_limits(given_value, requests, tokens):
    expected = RateLimit(requests_per_minute=requests, tokens_per_minute=tokens)
    assert parse_rate_limit(given_value) == expected


@pytest.mark.parametrize("wrong", ["300", "fast", "0/min", 300, [], {"reqs": 3}, {"requests": 0}, {"tokens": True}, ""])
def test_what_is_no_rate_limit(wrong):
    with pytest.raises(ValueError, match="rate"):
        parse_rate_limit(wrong)


def test_a_model_takes_them_and_names_the_field_at_fault():
    options = Options.model_validate({"timeout": "2m", "rate_limit": "300/min"})
    assert (options.timeout, options.rate_limit) == (120, RateLimit(requests_per_minute=300))
    with pytest.raises(ValidationError) as raised:
        Options.model_validate({"timeout": "soon", "rate_limit": "fast"})
    assert [error["loc"] for error in raised.value.errors()] == [("timeout",), ("rate_limit",)]


def test_the_json_schema_allows_both_forms():
    schema = Options.model_json_schema()["properties"]
    assert [part["type"] for part in schema["timeout"]["anyOf"]] == ["string", "number", "null"]
    assert [part["type"] for part in schema["rate_limit"]["anyOf"]] == ["string", "object"]
