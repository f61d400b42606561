"""Rate limits: a token bucket a client, in memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

CLIENTS = 20_000
"""Clients remembered at most; those whose bucket is full again are forgotten first."""


class RateLimit:
    """So many requests a minute for each client, with some at once.

    Each server process counts for itself.
    """

    def __init__(self, *, per_min: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Set the limit; `per_min` of 0 means none."""
        self._rate = per_min / 60
        self._burst = float(max(1, burst))
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def wait_s(self, client: str) -> float:
        """Take one request of a client: 0 when it may go on, else seconds until it may, and nothing is taken."""
        if self._rate <= 0:
            return 0.0
        with self._lock:
            now = self._clock()
            if len(self._buckets) >= CLIENTS and client not in self._buckets:
                self._forget(now)
            left, at = self._buckets.get(client, (self._burst, now))
            left = min(self._burst, left + (now - at) * self._rate)
            if left < 1:
                self._buckets[client] = (left, now)
                return (1 - left) / self._rate
            self._buckets[client] = (left - 1, now)
            return 0.0

    def _forget(self, now: float) -> None:
        full_s = self._burst / self._rate
        self._buckets = {name: (left, at) for name, (left, at) in self._buckets.items() if now - at < full_s}
        while len(self._buckets) >= CLIENTS:
            self._buckets.pop(next(iter(self._buckets)))
