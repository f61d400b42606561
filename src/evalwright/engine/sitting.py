"""The loop of one process: workers take a unit, ask the target, score the answer, record it, and take the next."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from typing import Any

import msgspec

from evalwright.core.errors import TargetError
from evalwright.core.identity import derived_seed, unit_key
from evalwright.core.output import Output
from evalwright.core.run import Attempt, Failure, RunStatus, UnitRecord
from evalwright.core.scorer import ScoreContext
from evalwright.core.target import TargetCall, answers_exist, most_at_once, needs_meter, public_metadata
from evalwright.engine.alarm import Alarm
from evalwright.engine.answers import Answers
from evalwright.engine.attached import shelved, with_content
from evalwright.engine.attempt import answer, clipped
from evalwright.engine.board import HALT, Board
from evalwright.engine.desk import Desk, Permit
from evalwright.engine.feed import Feed, Work
from evalwright.engine.job import Ending, Job
from evalwright.engine.meter import Meter
from evalwright.engine.plan import Plan, Unit
from evalwright.engine.retry import RetryPolicy
from evalwright.engine.scoring import Scorers
from evalwright.engine.storable import storable
from evalwright.store.journal import JournalWriter, Unstorable

SYNC_S = 0.05
"""Seconds between syncs of the journal, and between looks at the board."""
TICK_S = 0.25
BREATHE_S = 0.02
"""Longest that workers keep the loop to themselves."""


class Sitting:
    """Works through units until none is left or the board says stop.

    Attributes:
        desk: Limits and budget.
        in_flight: Units being worked on.
        on_record: Told of every record.
        on_tick: Told the units in flight about four times a second.
    """

    def __init__(self, job: Job, plan: Plan, positions: Iterable[int], journal: JournalWriter, board: Board) -> None:
        settings = job.settings
        self._job = job
        self._plan = plan
        self._journal = journal
        self._board = board
        self._alarm = Alarm()
        self._scorers = Scorers(job.scorers, timeout_s=settings.timeout_s, alarm=self._alarm)
        self._retry = RetryPolicy(retries=settings.retries)
        self._rng = random.Random()
        self._public = frozenset(settings.public)
        self._answers = Answers(job.cache, settings.cache, job.target_digest)
        self._feed = Feed(self._fresh(positions), most_deferred=max(100, 4 * settings.concurrency))
        self._workers: set[asyncio.Task[None]] = set()
        self._crew_size = 0
        self._most = most_at_once(job.target)
        self._wanted = min(settings.concurrency, self._most)
        self._call_weight = 0 if answers_exist(job.target) else 1
        self._lends_meter = needs_meter(job.target)
        self._breathe_at = 0.0
        self.desk = Desk(job, board, self._retry)
        self.in_flight = 0
        self.on_record: Callable[[UnitRecord], None] = _ignore
        self.on_tick: Callable[[int], None] = _ignore

    async def run(self) -> None:
        """Open what is needed, work to the end, close everything.

        Raises:
            DiskFull: No room to record; what was recorded is kept.
            Exception: What a listener, the case source or the target's `open` raised.
        """
        async with AsyncExitStack() as stack:
            stack.callback(self._journal.close)
            stack.enter_context(self._alarm.installed())
            self._answers.open()
            stack.callback(self._answers.close)
            for resource in (self._job.target, *self._job.resources):
                stack.push_async_callback(resource.close)
                await resource.open()
            await self._work_all()

    @property
    def ending(self) -> Ending:
        """How it ended, as far as this process knows: the reason is empty when only the board said stop."""
        status = RunStatus.BUDGET if self.desk.exhausted else RunStatus.COMPLETE
        return Ending(status=status, reason=self.desk.exhausted, limits=tuple(self.desk.changes))

    # --- workers ------------------------------------------------------------------------------------------------

    async def _work_all(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                chore = group.create_task(self._keep_house(group))
                self._crew(group, chore)
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    def _crew(self, group: asyncio.TaskGroup, chore: asyncio.Task[None]) -> None:
        """Have as many workers as are wanted; too many leave by themselves."""

        def left(worker: asyncio.Task[None]) -> None:
            self._workers.discard(worker)
            if not self._workers:
                chore.cancel()

        while self._crew_size < min(self._wanted, max(1, len(self._plan))):
            self._crew_size += 1
            worker = group.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(left)

    async def _work(self) -> None:
        try:
            while self._crew_size <= self._wanted and (work := await self._next()) is not None:
                self.in_flight += 1
                try:
                    await self._turn(work)
                finally:
                    self.in_flight -= 1
        finally:
            self._crew_size -= 1

    async def _next(self) -> Work | None:
        if time.monotonic() >= self._breathe_at:  # targets that answer at once never give the loop a turn
            await asyncio.sleep(0)
            self._breathe_at = time.monotonic() + BREATHE_S
        if self._board.stop:
            self._drain()
        return await self._feed.take()

    async def _turn(self, work: Work) -> None:
        """One attempt at a unit, and what follows from it: a record, or another attempt later."""
        if (stored := self._answers.find(work)) is not None:
            await self._answered(work, stored, cached=True)
            return
        permit = await self.desk.permit()
        if permit is None:
            self._refused_by_budget()
            return
        tried = self._job.clock.monotonic()
        work.calls += self._call_weight
        try:
            output = await answer(self._job.target, self._filled(work.call), self._job.settings.timeout_s)
        except TargetError as error:
            permit.failed(error)
            self._failed(work, error, self._job.clock.monotonic() - tried)
        else:
            output = shelved(self._priced(output), self._job.media)
            permit.answered(output)
            self._answers.keep(work, output)
            await self._answered(work, output, permit)

    def _filled(self, call: TargetCall) -> TargetCall:
        """The call with what only its sending needs."""
        call = with_content(call, self._job.media)
        return msgspec.structs.replace(call, meter=self.desk.meter(prepaid=True)) if self._lends_meter else call

    def _refused_by_budget(self) -> None:
        if self.desk.exhausted:
            self._drain()

    def _priced(self, output: Output) -> Output:
        if output.cost is not None or self._job.price is None:
            return output
        return msgspec.structs.replace(output, cost=self._job.price(output))

    def _failed(self, work: Work, error: TargetError, duration_s: float) -> None:
        wait = self._retry.wait(error, work.attempts, self._rng)
        message = clipped(error.message)
        attempt = Attempt(
            kind=error.kind,
            message=message,
            status=error.status,
            duration_s=round(duration_s, 6),
            waited_s=round(wait or 0.0, 6),
        )
        work.attempts.append(attempt)
        if wait is None:
            self._record(work, error=Failure(kind=error.kind, message=message, status=error.status))
        else:
            work.call = msgspec.structs.replace(work.call, attempt=work.call.attempt + 1)
            self._feed.defer(work, wait)

    async def _answered(
        self, work: Work, output: Output, permit: Permit | None = None, *, cached: bool = False
    ) -> None:
        meter = self.desk.meter(prepaid=permit is not None)
        services = {**self._job.services, "meter": meter, "media": self._job.media}
        context = ScoreContext(case=work.unit.case, output=output, trial=work.unit.trial, services=services)
        scores = await self._scorers.score(context)
        if permit is not None:
            permit.settle(output, meter)
        if meter.refused:
            self._drain()
            return
        self._record(work, output=output, scores=scores, cached=cached, **_judged(meter))

    def _record(self, work: Work, **parts: Any) -> None:
        unit = work.unit
        record = UnitRecord(
            case_id=unit.case.id,
            case_hash=unit.case_hash,
            trial=unit.trial,
            position=unit.position,
            attempts=tuple(work.attempts),
            started_at=round(work.started_at, 6),
            duration_s=round(self._job.clock.monotonic() - work.started, 6),
            calls=work.calls,
            **parts,
        )
        try:
            self._journal.append(record)
        except Unstorable:
            record = storable(record)
            self._journal.append(record)
        self.on_record(record)

    # --- fresh units --------------------------------------------------------------------------------------------

    def _fresh(self, positions: Iterable[int]) -> Iterator[Work]:
        clock = self._job.clock
        for position in positions:
            unit = self._plan.unit(position)
            yield Work(unit, self._call(unit), started_at=clock.now(), started=clock.monotonic())

    def _call(self, unit: Unit) -> TargetCall:
        case = unit.case
        return TargetCall(
            case_id=case.id,
            input=case.input if isinstance(case.input, str) else _copy(case.input),
            metadata=_copy(public_metadata(case, self._public)) if self._public else {},
            trial=unit.trial,
            seed=derived_seed(self._job.settings.seed, case.id, unit.trial),
            idempotency_key=unit_key(unit.case_hash, unit.trial, self._job.target_digest),
            observe=self.desk.observe,
        )

    # --- house --------------------------------------------------------------------------------------------------

    async def _keep_house(self, group: asyncio.TaskGroup) -> None:
        """Sync the journal, look at the board, tell how it goes."""
        loop, chore = asyncio.get_running_loop(), asyncio.current_task()
        assert chore is not None
        tick_due = 0.0
        while True:
            await asyncio.sleep(SYNC_S)
            if self._journal.unsynced:
                await loop.run_in_executor(None, self._journal.sync)
            if loop.time() >= tick_due:
                tick_due = loop.time() + TICK_S
                self.on_tick(self.in_flight)
            self._heed(group, chore)

    def _heed(self, group: asyncio.TaskGroup, chore: asyncio.Task[None]) -> None:
        if self._board.stop:
            self._drain()
            if self._board.stop == HALT:
                for worker in self._workers:
                    worker.cancel()
            return
        self._feed.pause(paused=bool(self._board.paused))
        wanted = int(self._board.concurrency)
        if wanted and min(wanted, self._most) != self._wanted:
            self._wanted = min(wanted, self._most)
            self._crew(group, chore)

    def _drain(self) -> None:
        if not self._feed.draining:
            self._feed.drain()
            self.desk.close()


def _judged(meter: Meter) -> dict[str, Any]:
    if not meter.calls:
        return {}
    return {"judge_calls": meter.calls, "judge_usage": meter.usage, "judge_cost": meter.cost}


def _ignore(_: Any) -> None:
    """Nobody listens."""


def _copy(value: Any) -> Any:
    """A JSON value of the target's own, so that a target that changes its input changes nothing else."""
    return msgspec.json.decode(msgspec.json.encode(value))
