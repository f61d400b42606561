"""What to do next: retries whose wait is over first, then fresh units, in the order of the plan."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator

from evalwright.core.output import Output
from evalwright.core.run import Attempt
from evalwright.core.target import TargetCall
from evalwright.engine.plan import Unit


class Work:
    """A unit being worked on: what was tried so far.

    Attributes:
        unit: The unit.
        call: What the target is given next.
        attempts: Failed attempts, oldest first.
        calls: Calls sent.
        started_at: Seconds since the epoch.
        started: The same moment on the monotonic clock.
    """

    __slots__ = ("attempts", "call", "calls", "started", "started_at", "unit")

    def __init__(self, unit: Unit, call: TargetCall, *, started_at: float, started: float) -> None:
        self.unit = unit
        self.call = call
        self.attempts: list[Attempt] = []
        self.calls = 0
        self.started_at = started_at
        self.started = started


class Answer:
    """An output and whether it came from the cache."""

    __slots__ = ("cached", "output")

    def __init__(self, output: Output, *, cached: bool = False) -> None:
        self.output = output
        self.cached = cached


class Feed:
    """Hands out work to the workers of one process. A unit that waits for its retry holds no worker."""

    def __init__(self, fresh: Iterator[Work], *, most_deferred: int) -> None:
        """Feed from an iterator of fresh work; with `most_deferred` retries waiting no fresh unit is begun."""
        self._fresh = fresh
        self._most_deferred = most_deferred
        self._due: deque[Work] = deque()
        self._timers: set[asyncio.TimerHandle] = set()
        self._waiters: deque[asyncio.Future[None]] = deque()
        self._draining = False
        self._paused = False
        self.begun = 0
        """Fresh units handed out so far."""

    @property
    def draining(self) -> bool:
        """Whether nothing more is handed out."""
        return self._draining

    @property
    def deferred(self) -> int:
        """Retries waiting for their time or for a worker."""
        return len(self._timers) + len(self._due)

    async def take(self) -> Work | None:
        """The next piece of work, waiting for one if need be; None when this worker is no longer needed."""
        while not self._draining:
            if not self._paused:
                if self._due:
                    return self._due.popleft()
                if len(self._timers) < self._most_deferred and (work := next(self._fresh, None)) is not None:
                    self.begun += 1
                    return work
                if not self._timers:
                    break
            await self._wait()
        self._wake_all()
        return None

    async def _wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def defer(self, work: Work, delay_s: float) -> None:
        """Put a unit aside until its next attempt."""

        def due() -> None:
            self._timers.discard(timer)
            self._due.append(work)
            self._wake_one()

        timer = asyncio.get_running_loop().call_later(delay_s, due)
        self._timers.add(timer)

    def drain(self) -> None:
        """Hand out nothing more; waiting retries are dropped (their units stay unrecorded)."""
        self._draining = True
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()
        self._due.clear()
        self._wake_all()

    def pause(self, *, paused: bool) -> None:
        """Hold back, or hand out again."""
        self._paused = paused
        if not paused:
            self._wake_all()

    def _wake_one(self) -> None:
        while self._waiters:
            waiter = self._waiters.popleft()
            if not waiter.done():
                waiter.set_result(None)
                return

    def _wake_all(self) -> None:
        while self._waiters:
            self._wake_one()
