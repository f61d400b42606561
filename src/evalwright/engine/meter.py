"""Calls of models: under the limit of their endpoint, within the budget, with retries, and counted."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from evalwright.core.errors import TargetError
from evalwright.core.output import Usage
from evalwright.core.ports import Clock
from evalwright.core.run import Attempt
from evalwright.core.target import LimitKey, RateInfo, RateLimit
from evalwright.engine.attempt import as_target_error
from evalwright.engine.budget import Amount, Budget
from evalwright.engine.limits import Limits
from evalwright.engine.rates import Ticket
from evalwright.engine.retry import RetryPolicy


class Spent(Protocol):
    """An answer that may know what it used."""

    @property
    def usage(self) -> Usage | None:
        """Tokens, None when unknown."""
        ...

    @property
    def cost(self) -> float | None:
        """Money, None when unknown."""
        ...


T = TypeVar("T", bound=Spent)
_NO_TICKET = Ticket(0.0, 0.0)


class Till:
    """What all meters of a process share.

    Attributes:
        limits: Rate limits by key.
        budget: The purse; None when there are no caps.
        retry: When a failed call is repeated.
        timeout_s: Seconds one call may take.
        rng: Source of the jitter.
        clock: Time.
    """

    def __init__(
        self, limits: Limits, budget: Budget | None, retry: RetryPolicy, *, timeout_s: float, clock: Clock
    ) -> None:
        self.limits = limits
        self.budget = budget
        self.retry = retry
        self.timeout_s = timeout_s
        self.rng = random.Random()
        self.clock = clock


class Meter:
    """Through this one unit's scorers call models of their own: `ctx.services["meter"]`.

    Attributes:
        calls: Calls sent, retries included.
        usage: Tokens of the answers.
        cost: Money, None while unknown.
        refused: The budget did not allow a call; the unit can't be finished.
    """

    __slots__ = ("_prepaid", "_till", "calls", "cost", "refused", "usage")

    def __init__(self, till: Till, *, prepaid: bool = True) -> None:
        """Meter one unit; `prepaid` when its permit set aside what its scorers are expected to spend."""
        self._till = till
        self._prepaid = prepaid
        self.refused = False
        self.calls = 0
        self.usage = Usage()
        self.cost: float | None = None

    async def call(
        self,
        key: LimitKey,
        send: Callable[[Callable[[RateInfo], None]], Awaitable[T]],
        *,
        limit: RateLimit | None = None,
    ) -> T:
        """Make one call, repeated where that may help, and give its answer.

        Args:
            key: Rate limit it falls under.
            send: Sends the call; is given where to report rate-limit headers.
            limit: Limits the user gave for this key.

        Raises:
            TargetError: The call failed for good, or the budget does not allow it.
        """
        held = await self._hold()
        try:
            return await self._call(key, send, limit)
        finally:
            if held is not None and self._till.budget is not None:
                self._till.budget.release(held)

    async def _hold(self) -> Amount | None:
        """Set aside what the call is expected to spend, where that was not done with the unit's permit."""
        if self._prepaid or self._till.budget is None:
            return None
        held = await self._till.budget.hold()
        if held is None:
            self.refused = True
            raise TargetError(self._till.budget.exhausted or "the run ends", kind="budget")
        return held

    async def _call(
        self, key: LimitKey, send: Callable[[Callable[[RateInfo], None]], Awaitable[T]], limit: RateLimit | None
    ) -> T:
        till, failed = self._till, list[Attempt]()
        limiter = till.limits.limiter(key, limit)
        while True:
            ticket = await limiter.enter(essential=True) or _NO_TICKET
            self.calls += 1
            try:
                async with asyncio.timeout(till.timeout_s):
                    answer = await send(limiter.observe)
            except Exception as raised:
                error = raised if isinstance(raised, TargetError) else as_target_error(raised)
                limiter.failed(ticket, error)
                self._count(None)
                wait = till.retry.wait(error, failed, till.rng)
                if wait is None:
                    raise error from raised
                failed.append(Attempt(kind=error.kind, waited_s=wait))
                await asyncio.sleep(wait)
            else:
                limiter.answered(answer.usage.total_tokens if answer.usage else None)
                self._count(answer)
                return answer

    def _count(self, answer: Spent | None) -> None:
        usage = answer.usage if answer else None
        cost = answer.cost if answer else None
        if usage is not None:
            self.usage += usage
        if cost is not None:
            self.cost = cost + (self.cost or 0.0)
        if self._till.budget is not None:
            self._till.budget.spend((1, usage.total_tokens if usage else 0, cost or 0.0))
