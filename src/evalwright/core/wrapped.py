"""A target around another: what it passes on unchanged."""

from __future__ import annotations

import msgspec

from evalwright.core.case import Json
from evalwright.core.target import LimitKey, RateLimit, Target, TargetCall, most_at_once, needs_meter


class WrappedTarget:
    """Base of targets that ask another target, once or several times a case; they add `describe` and `respond`.

    Args:
        inner: The target that answers.
    """

    def __init__(self, inner: Target) -> None:
        self.inner = inner

    @property
    def name(self) -> str:
        """Name of the target that answers."""
        return self.inner.name

    @property
    def limit_key(self) -> LimitKey | None:
        """Rate limit key of the target that answers."""
        return self.inner.limit_key

    @property
    def rate_limit(self) -> RateLimit | None:
        """Rate limit of the target that answers."""
        return self.inner.rate_limit

    @property
    def max_concurrency(self) -> int:
        """How many cases the target that answers can work on at once."""
        return most_at_once(self.inner)

    @property
    def needs_meter(self) -> bool:
        """Whether the target that answers calls models of the evaluation's own."""
        return needs_meter(self.inner)

    async def open(self) -> None:
        """Open the target that answers."""
        await self.inner.open()

    async def close(self) -> None:
        """Close the target that answers."""
        await self.inner.close()


def turn_of(call: TargetCall, value: Json, number: int) -> TargetCall:
    """The call of one turn of a case: its own input, and its own idempotency key, since turns are different requests.

    Args:
        call: The call of the whole case.
        value: What the target is given in this turn.
        number: Which turn, from 1.
    """
    key = f"{call.idempotency_key}/{number}" if call.idempotency_key else ""
    return msgspec.structs.replace(call, input=value, idempotency_key=key)
