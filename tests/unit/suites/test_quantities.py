from __future__ import annotations

import pytest

from evalwright.core.run import Budget
from evalwright.suites.quantities import bound, budget, duration, is_duration, rate, share, size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30s", 30),
        ("500ms", 0.5),
        ("2m", 120),
        ("1h30m", 5400),
        ("1d", 86400),
        ("1.5s", 1.5),
        (4, 4),
        ("4", 4),
        ("1m 5s", 65),
    ],
)
def test_durations(text, seconds):
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "fast", "3 parsecs", "-1s", "1s2", True, "1e3", "s", float("nan"), float("inf")])
def test_what_is_no_duration(text):
    with pytest.raises(ValueError):
        duration(text)


def test_a_duration_has_a_unit():
    assert is_duration("800ms")
    assert not is_duration("800")
    assert not is_duration("80%")


@pytest.mark.parametrize(
    ("text", "per_minute"), [("300/min", 300), ("5/s", 300), ("1000 per hour", 1000 / 60), (10, 10)]
)
def test_rates(text, per_minute):
    assert rate(text) == pytest.approx(per_minute)


@pytest.mark.parametrize("text", ["300", "fast", "3/fortnight", "/min", True])
def test_what_is_no_rate(text):
    with pytest.raises(ValueError):
        rate(text)


@pytest.mark.parametrize(
    ("text", "size_in_bytes"), [("20 MB", 20_000_000), ("1 GiB", 2**30), ("512", 512), (512, 512), ("1.5kB", 1500)]
)
def test_sizes(text, size_in_bytes):
    assert size(text) == size_in_bytes


@pytest.mark.parametrize("text", ["big", "20 parsecs", "-1", True])
def test_what_is_no_size(text):
    with pytest.raises(ValueError):
        size(text)


@pytest.mark.parametrize(("text", "value"), [("5%", 0.05), (0.05, 0.05), ("100%", 1), (0, 0)])
def test_shares(text, value):
    assert share(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["0.05", "120%", 1.2, -0.1, "half", True, float("nan")])
def test_what_is_no_share(text):
    with pytest.raises(ValueError):
        share(text)


@pytest.mark.parametrize(
    ("text", "value"), [("90%", 0.9), (0.9, 0.9), ("2s", 2), ("800ms", 0.8), ("0.02 USD", 0.02), (3, 3)]
)
def test_bounds(text, value):
    assert bound(text) == pytest.approx(value)


@pytest.mark.parametrize("text", ["lots", "", "90", float("nan"), True])
def test_what_is_no_bound(text):
    with pytest.raises(ValueError):
        bound(text)


@pytest.mark.parametrize(
    ("text", "caps"),
    [
        ("20 USD", Budget(cost=20)),
        ("$20", Budget(cost=20)),
        (20, Budget(cost=20)),
        ("20", Budget(cost=20)),
        ("2M tokens", Budget(tokens=2_000_000)),
        ("1.5k tokens", Budget(tokens=1500)),
        ("500 calls", Budget(calls=500)),
        ("1 call", Budget(calls=1)),
        ("30 min", Budget(minutes=30)),
        ("30min", Budget(minutes=30)),
        ("5m", Budget(minutes=5)),
        ("2 h", Budget(minutes=120)),
        ("20 USD, 500 calls, 2M tokens, 1h", Budget(cost=20, calls=500, tokens=2_000_000, minutes=60)),
    ],
)
def test_budgets(text, caps):
    assert budget(text) == caps


@pytest.mark.parametrize(
    "text", ["20 EUR", "", "0 USD", "-1", "a lot", "1 USD, 2 USD", True, 0, float("inf"), "5 x calls"]
)
def test_what_is_no_budget(text):
    with pytest.raises(ValueError):
        budget(text)


@pytest.mark.parametrize("read", [duration, rate, size, share, bound, budget])
@pytest.mark.parametrize("value", [None, [], [1], {}, {"a": 1}, True])
def test_no_value_but_a_number_or_a_text_is_a_quantity(read, value):
    with pytest.raises(ValueError):
        read(value)
