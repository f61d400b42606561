"""The learned rate against servers that limit, in simulated time: hundreds of server seconds in a second of ours."""

import heapq
import random
from collections import Counter

import pytest

from evalwright.engine.board import Board
from evalwright.engine.rates import Bucket, Learner


class TokenBucketServer:
    def __init__(self, rate, burst, retry_after=1.0):
        self.rate, self.burst, self.retry_after = rate, burst, retry_after
        self.level, self.since = burst, 0.0

    def ask(self, now):
        self.level = min(self.burst, self.level + (now - self.since) * self.rate)
        self.since = now
        allowed = self.level >= 1
        self.level -= allowed
        return allowed, self.retry_after


class WindowServer:
    """So many calls in each fixed window."""

    def __init__(self, calls, window):
        self.calls, self.window, self.start, self.seen = calls, window, 0.0, 0

    def ask(self, now):
        if now >= self.start + self.window:
            self.start += (now - self.start) // self.window * self.window
            self.seen = 0
        self.seen += 1
        return self.seen <= self.calls, self.start + self.window - now


class FlakyServer:
    """No limit, but a share of the calls is refused whatever we do."""

    def __init__(self, share):
        self.share, self.rng = share, random.Random(5)

    def ask(self, _):
        return self.rng.random() >= self.share, 1.0


class Figures:
    def __init__(self):
        self.accepted = self.refused = 0
        self.by_second = Counter()


def simulate(server, *, concurrency, latency, seconds, warm_up, given=None, refusal=None, seed=1):
    """Run `concurrency` callers against a server and count the answers after the warm-up.

    An answer takes `latency` seconds, more or less, and a refusal `refusal` (as long as an answer when None).
    """
    block = Board().block("x")
    bucket, learner = Bucket(block[:3]), Learner(block[3:27], 1.0)
    if given:
        bucket.set_rate(given, 1.0)
    rng, now, free, paused, flying, figures = random.Random(seed), 1.0, concurrency, 0.0, [], Figures()
    while now < seconds:
        wait = 0.0
        while free and not wait:
            wait = max(0.0, paused - now) or bucket.take(1, now)
            if not wait:
                free -= 1
                allowed, asked = server.ask(now)
                takes = latency if allowed or refusal is None else refusal
                done = now + takes * rng.uniform(0.8, 1.2)
                heapq.heappush(flying, (done, rng.random(), allowed, asked, learner.sent(now)))
        now = min(flying[0][0] if flying else seconds, now + wait + 1e-6 if wait else seconds)
        while flying and flying[0][0] <= now:
            _, _, allowed, asked, ticket = heapq.heappop(flying)
            free += 1
            figures.by_second[int(now)] += allowed
            if now > warm_up:
                figures.accepted += allowed
                figures.refused += not allowed
            if not allowed:
                learner.refused(ticket, now, asked)
            verdict = learner.judge(now, bucket.rate)
            if verdict is not None:
                bucket.set_rate(verdict.rate if given is None else min(given, verdict.rate or given), now)
                paused = max(paused, now + verdict.pause_s) if verdict.pause_s else paused
    figures.goodput = figures.accepted / (seconds - warm_up)
    figures.refused_share = figures.refused / (figures.accepted + figures.refused)
    return figures


@pytest.mark.parametrize(
    ("server", "limit", "setting"),
    [
        (TokenBucketServer(200, 200), 200, {"seconds": 60, "warm_up": 4}),
        (TokenBucketServer(200, 20), 200, {"seconds": 60, "warm_up": 4, "refusal": 0.002}),
        (TokenBucketServer(20, 20), 20, {"seconds": 120, "warm_up": 20}),
        (TokenBucketServer(1000, 1000), 1000, {"seconds": 40, "warm_up": 4}),
        (TokenBucketServer(200, 200), 200, {"concurrency": 500, "latency": 0.8, "seconds": 60, "warm_up": 10}),
        (TokenBucketServer(50, 50), 50, {"latency": 3.0, "refusal": 0.02, "seconds": 120, "warm_up": 20}),
        (TokenBucketServer(8, 60), 8, {"latency": 3.0, "refusal": 0.02, "seconds": 300, "warm_up": 60}),
        (WindowServer(600, 60), 10, {"latency": 2.0, "refusal": 0.02, "seconds": 600, "warm_up": 120}),
        (WindowServer(10, 1), 10, {"latency": 0.5, "refusal": 0.02, "seconds": 120, "warm_up": 20}),
    ],
)
def test_an_unknown_limit_is_learned_and_used_in_full(server, limit, setting):
    found = simulate(server, **({"concurrency": 256, "latency": 0.05} | setting))
    assert found.goodput >= 0.95 * limit
    assert found.refused_share < 0.02


def test_a_slight_overload_is_noticed_too():
    found = simulate(TokenBucketServer(200, 200), concurrency=12, latency=0.05, seconds=120, warm_up=20)
    assert found.goodput >= 0.95 * 200
    assert found.refused_share < 0.02


@pytest.mark.parametrize("share", [0.05, 0.15])
def test_refusals_at_any_rate_slow_nothing_down(share):
    free = simulate(FlakyServer(0.0), concurrency=64, latency=0.05, seconds=30, warm_up=5)
    flaky = simulate(FlakyServer(share), concurrency=64, latency=0.05, seconds=30, warm_up=5)
    assert flaky.goodput >= 0.95 * (1 - share) * free.goodput


def test_a_given_rate_is_never_exceeded_but_lowered_where_the_server_wants_less():
    exact = simulate(TokenBucketServer(200, 20), concurrency=256, latency=0.05, seconds=40, warm_up=2, given=198)
    assert exact.refused == 0
    assert exact.goodput == pytest.approx(198, rel=0.01)
    hoped = simulate(TokenBucketServer(200, 200), concurrency=256, latency=0.05, seconds=60, warm_up=5, given=300)
    assert hoped.goodput >= 0.95 * 200
    assert hoped.refused_share < 0.02


def test_a_limit_that_rises_is_followed():
    server = TokenBucketServer(100, 100)

    class Rising:
        def ask(self, now):
            server.rate = 100 if now < 30 else 200
            return server.ask(now)

    found = simulate(Rising(), concurrency=256, latency=0.05, seconds=120, warm_up=90)
    assert found.goodput > 190


def test_a_bucket_paces_evenly_and_bears_a_debt():
    bucket = Bucket(Board().block("x")[:3])
    assert bucket.take(1, 5.0) == 0.0
    assert bucket.rate is None
    bucket.set_rate(10.0, 10.0)
    assert bucket.take(1, 10.0) == 0.0
    assert bucket.take(1, 10.0) == pytest.approx(0.1)
    assert bucket.take(1, 10.11) == 0.0
    bucket.correct(19)
    assert bucket.take(1, 10.11) == pytest.approx(2.0, rel=0.01)
    assert bucket.take(1, 1000.0) == 0.0
    assert bucket.take(1, 1000.0) > 0
