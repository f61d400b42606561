"""Where a call gets its permit: the limit's turn first, then the budget's share."""

from __future__ import annotations

from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.run import Budget as Caps
from evalwright.core.target import RateInfo, helpers_of
from evalwright.engine.board import Board
from evalwright.engine.budget import Amount, Budget
from evalwright.engine.job import Job, LimitChange
from evalwright.engine.limits import Limiter, Limits
from evalwright.engine.meter import Meter, Till
from evalwright.engine.rates import Ticket
from evalwright.engine.retry import RetryPolicy


class Permit:
    """Leave to make one attempt. It is told how the attempt went."""

    __slots__ = ("_budget", "_held", "_limiter", "_ticket")

    def __init__(self, limiter: Limiter | None, ticket: Ticket, budget: Budget | None, held: Amount) -> None:
        self._limiter = limiter
        self._ticket = ticket
        self._budget = budget
        self._held = held

    def failed(self, error: TargetError) -> None:
        """The attempt failed; this ends the permit."""
        if self._limiter is not None:
            self._limiter.failed(self._ticket, error)
        if self._budget is not None:
            self._budget.spend((1, 0, 0))
            self._budget.release(self._held)

    def answered(self, output: Output) -> None:
        """The target answered."""
        if self._limiter is not None:
            self._limiter.answered(output.usage.total_tokens if output.usage else None)
        if self._budget is not None:
            self._budget.spend(_spent(output))

    def settle(self, output: Output, meter: Meter) -> None:
        """The answer is scored; this ends the permit."""
        if self._budget is not None:
            calls, tokens, cost = _spent(output)
            helpers = helpers_of(output)
            if helpers is not None:  # spent through a meter already, and part of what a unit takes
                calls, tokens, cost = calls + helpers.calls, tokens + helpers.tokens, cost + (helpers.cost or 0.0)
            whole = (calls + meter.calls, tokens + meter.usage.total_tokens, cost + (meter.cost or 0.0))
            self._budget.settle(self._held, whole)


def _spent(output: Output) -> Amount:
    return (1, output.usage.total_tokens if output.usage else 0, output.cost or 0.0)


_NOTHING: Amount = (0.0, 0.0, 0.0)
_NO_TICKET = Ticket(0.0, 0.0)
_FREE = Permit(None, _NO_TICKET, None, _NOTHING)


class Desk:
    """Gives out permits in one process."""

    def __init__(self, job: Job, board: Board, retry: RetryPolicy) -> None:
        settings, target = job.settings, job.target
        self._limits = Limits(board, job.clock)
        key = target.limit_key
        self._limiter = None if key is None else self._limits.limiter(key, target.rate_limit)
        capped = settings.budget != Caps(minutes=settings.budget.minutes)
        self._budget = Budget(settings.budget, board, job.estimate) if capped else None
        self._till = Till(self._limits, self._budget, retry, timeout_s=settings.timeout_s, clock=job.clock)
        self._closed = False

    @property
    def budget(self) -> Budget | None:
        """The purse; None when there are no caps."""
        return self._budget

    @property
    def exhausted(self) -> str:
        """Which cap is reached, as a sentence; empty while none is."""
        return "" if self._budget is None else self._budget.exhausted

    @property
    def changes(self) -> list[LimitChange]:
        """Changes of limits seen by this process."""
        return self._limits.changes

    def meter(self, *, prepaid: bool) -> Meter:
        """A meter for one unit's scorers; `prepaid` when a permit was given that sets aside what they spend."""
        return Meter(self._till, prepaid=prepaid)

    async def permit(self) -> Permit | None:
        """Leave for one attempt at the target; None when the run is ending."""
        if self._limiter is None and self._budget is None:
            return _FREE
        ticket = _NO_TICKET if self._limiter is None else await self._limiter.enter()
        if ticket is None or self._closed:
            return None
        held = _NOTHING if self._budget is None else await self._budget.hold()
        if held is None:
            return None
        return Permit(self._limiter, ticket, self._budget, held)

    def observe(self, info: RateInfo) -> None:
        """A target saw rate-limit headers."""
        if self._limiter is not None:
            self._limiter.observe(info)

    def close(self) -> None:
        """The run ends: turn away whoever waits for the target."""
        self._closed = True
        if self._budget is not None:
            self._budget.closed = True
        self._limits.turn_away()
