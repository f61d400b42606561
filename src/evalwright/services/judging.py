"""Scorers asked outside a run, on answers that are already there: metered, a bounded number at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from evalwright.core.case import Case
from evalwright.core.media import Contents
from evalwright.core.output import Output, Usage
from evalwright.core.ports import SystemClock
from evalwright.core.run import RunSettings
from evalwright.core.score import Score
from evalwright.core.scorer import BoundScorer, ScoreContext
from evalwright.engine import AnswerCache
from evalwright.engine.board import Board
from evalwright.engine.limits import Limits
from evalwright.engine.meter import Meter, Till
from evalwright.engine.retry import RetryPolicy
from evalwright.engine.scoring import Scorers
from evalwright.services.sources import scorer_resources


@dataclass(slots=True)
class Spending:
    """What the scorers' own model calls took.

    Attributes:
        calls: Calls, retries included.
        usage: Tokens.
        cost: Money, None while unknown.
    """

    calls: int = 0
    usage: Usage = field(default_factory=Usage)
    cost: float | None = None

    def add(self, meter: Meter) -> None:
        """Count what one meter measured."""
        self.calls += meter.calls
        self.usage += meter.usage
        if meter.cost is not None:
            self.cost = meter.cost + (self.cost or 0.0)


class Bench:
    """Where scorers judge answers outside a run: same limits, retries and time-outs, no target.

    Attributes:
        spending: What has been called so far.
    """

    def __init__(self, scorers: Sequence[BoundScorer], settings: RunSettings, *, media: Contents | None = None) -> None:
        """Make ready; `media` is where the content of pictures, sound and documents lies."""
        self._media = media
        clock = SystemClock()
        self._board = Board(shared=False)
        limits = Limits(self._board, clock)
        retry = RetryPolicy(retries=settings.retries)
        self._till = Till(limits, None, retry, timeout_s=settings.timeout_s, clock=clock)
        self._scorers = Scorers(scorers, timeout_s=settings.timeout_s)
        self._resources = scorer_resources(scorers)
        self._slots = asyncio.Semaphore(settings.concurrency)
        self.spending = Spending()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Bench]:
        """The bench with the scorers' connections open."""
        try:
            for resource in self._resources:
                await resource.open()
            yield self
        finally:
            for resource in self._resources:
                await resource.close()
            self._board.close()

    async def scores(self, case: Case, output: Output, *, trial: int = 0) -> dict[str, Score]:
        """All scorers on one answer."""
        meter = Meter(self._till)
        context = ScoreContext(case=case, output=output, trial=trial, services={"meter": meter, "media": self._media})
        async with self._slots:
            found = await self._scorers.score(context)
        self.spending.add(meter)
        return found


class Replies:
    """Judges' replies of earlier runs, kept among the stored answers under keys of their own.

    Args:
        store: The stored answers, opened and closed by the run.
        writes: Whether new replies are kept.
    """

    def __init__(self, store: AnswerCache, *, writes: bool) -> None:
        self._store = store
        self._writes = writes

    def get(self, key: str) -> Output | None:
        """A stored reply."""
        return self._store.get(key)

    def put(self, key: str, output: Output) -> None:
        """Keep a reply, where the run keeps any."""
        if self._writes:
            self._store.put(key, output)


Answered = tuple[Case, Output]


async def judge_all(bench: Bench, metric: str, answers: Iterable[Answered], *, trial: int = 0) -> list[Score]:
    """One metric's scores of many answers, in their order."""

    async def one(case: Case, output: Output) -> Score:
        return (await bench.scores(case, output, trial=trial))[metric]

    return list(await asyncio.gather(*(one(case, output) for case, output in answers)))
