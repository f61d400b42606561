"""When a failed attempt is repeated, and how long to wait before."""

from __future__ import annotations

import random
from collections.abc import Sequence

import msgspec

from evalwright.core.errors import TargetError
from evalwright.core.run import Attempt

BASE_S = 0.5
CAP_S = 30.0
LONGEST_WAIT_S = 300.0
"""A provider that asks to wait longer than this has in effect refused."""
PATIENCE = 10
"""Refusals for the rate's sake say nothing about the request: this many times `retries` of them are borne."""


class RetryPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """Full jitter under an exponential cap ("Exponential Backoff and Jitter", AWS Architecture Blog, 2015).

    Attributes:
        retries: Further attempts after one that may succeed next time; refusals for the rate's sake are counted apart.
        base_s: Cap of the first wait; doubles with every attempt.
        cap_s: Longest wait that is our own choice.
    """

    retries: int = 3
    base_s: float = BASE_S
    cap_s: float = CAP_S

    def wait(self, error: TargetError, earlier: Sequence[Attempt], rng: random.Random) -> float | None:
        """Seconds to wait before the next attempt; None when there is none.

        Args:
            error: What just went wrong.
            earlier: Failed attempts before this one.
            rng: Source of the jitter.
        """
        if not error.retryable or not self._may_repeat(error, earlier):
            return None
        if error.retry_after_s is None:
            return rng.uniform(0, min(self.cap_s, self.base_s * 2 ** min(len(earlier), 16)))
        if error.retry_after_s > LONGEST_WAIT_S:
            return None
        asked = max(0.0, error.retry_after_s)
        return asked + rng.uniform(0, min(self.base_s, 0.1 * asked))

    def _may_repeat(self, error: TargetError, earlier: Sequence[Attempt]) -> bool:
        alike = 1 + sum(attempt.kind == error.kind for attempt in earlier)
        if error.max_attempts is not None and alike >= error.max_attempts:
            return False
        if error.kind == "rate_limit":
            return alike <= self.retries * PATIENCE
        return 1 + sum(attempt.kind != "rate_limit" for attempt in earlier) <= self.retries
