"""Token buckets: how fast a client may ask."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.server.limits import CLIENTS, RateLimit


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def limit(per_min, burst):
    clock = Clock()
    return RateLimit(per_min=per_min, burst=burst, clock=clock), clock


def test_a_burst_goes_through_then_one_at_a_time():
    rate, clock = limit(60, 3)
    assert [rate.wait_s("a") for _ in range(4)] == [0, 0, 0, pytest.approx(1.0)]
    clock.now = 1.0
    assert rate.wait_s("a") == 0
    assert rate.wait_s("a") == pytest.approx(1.0)
    assert rate.wait_s("b") == 0


def test_no_limit():
    rate, _ = limit(0, 1)
    assert not any(rate.wait_s("a") for _ in range(1000))


@given(st.lists(st.floats(0, 10), min_size=1, max_size=60), st.integers(1, 10), st.integers(1, 600))
def test_never_more_than_the_burst_and_the_rate(pauses, burst, per_min):
    rate, clock = limit(per_min, burst)
    through = 0
    for pause in pauses:
        clock.now += pause
        through += rate.wait_s("a") == 0
    assert through <= burst + clock.now * per_min / 60 + 1e-6


def test_many_clients_are_forgotten_when_their_buckets_are_full():
    rate, clock = limit(60, 2)
    for number in range(CLIENTS + 100):
        rate.wait_s(f"c{number}")
    assert len(rate._buckets) <= CLIENTS
    clock.now = 10.0
    rate.wait_s("new")
    assert len(rate._buckets) <= CLIENTS
