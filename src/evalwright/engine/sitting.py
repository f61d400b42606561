"""The loop of one process: workers take a unit, ask the target, score the answer, record it, and take the next."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from evalwright.core.errors import TargetError
from evalwright.core.identity import derived_seed, unit_key
from evalwright.core.output import Output
from evalwright.core.run import Attempt, Failure, RunStatus, UnitRecord
from evalwright.core.scorer import ScoreContext
from evalwright.core.target import TargetCall, public_metadata
from evalwright.engine.attempt import answer, clipped
from evalwright.engine.feed import Feed, Work
from evalwright.engine.job import Job, StopRun
from evalwright.engine.monitor import Monitor
from evalwright.engine.plan import Plan, Unit
from evalwright.engine.retry import RetryPolicy
from evalwright.engine.scoring import Scorers
from evalwright.engine.storable import storable
from evalwright.store.journal import JournalWriter, Unstorable

SYNC_S = 0.05
"""Seconds between syncs of the journal. (At 10,000 units a second this is every 500 records.)"""
TICK_S = 0.25


class Sitting:
    """Works through units until none is left or it is told to stop.

    Attributes:
        status: What the run ends as if units are left.
        reason: Why it was stopped.
    """

    def __init__(
        self, job: Job, plan: Plan, positions: Iterable[int], journal: JournalWriter, monitor: Monitor
    ) -> None:
        settings = job.settings
        self._job = job
        self._plan = plan
        self._journal = journal
        self._monitor = monitor
        self._scorers = Scorers(job.scorers, timeout_s=settings.timeout_s)
        self._retry = RetryPolicy(retries=settings.retries)
        self._rng = random.Random()
        self._public = frozenset(settings.public)
        self._feed = Feed(self._fresh(positions), most_deferred=max(100, 4 * settings.concurrency))
        self._workers: set[asyncio.Task[None]] = set()
        self._busy = 0
        self.status = RunStatus.COMPLETE
        self.reason = ""

    # --- from outside -------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Open the target, work to the end, close everything.

        Raises:
            DiskFull: No room to record; what was recorded is kept.
            Exception: Whatever a listener, the case source or the target's `open` raised.
        """
        try:
            await self._job.target.open()
            await self._work_all()
        finally:
            self._journal.close()
            await self._job.target.close()

    def stop(self, status: RunStatus, reason: str) -> None:
        """Begin nothing more and end when the work in flight is recorded; the first reason given stays."""
        if not self._feed.draining:
            self.status, self.reason = status, reason
            self._feed.drain()

    def halt(self) -> None:
        """End at once: calls in flight are given up, recorded units stay."""
        for worker in self._workers:
            worker.cancel()

    @property
    def in_flight(self) -> int:
        """Units being worked on."""
        return self._busy

    # --- workers ------------------------------------------------------------------------------------------------

    async def _work_all(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                chores = [group.create_task(self._keep_synced()), group.create_task(self._keep_watch())]
                for _ in range(min(self._job.settings.concurrency, max(1, len(self._plan)))):
                    worker = group.create_task(self._work())
                    self._workers.add(worker)
                    worker.add_done_callback(lambda done: self._worker_left(done, chores))
        except BaseExceptionGroup as errors:
            raise errors.exceptions[0] from None

    def _worker_left(self, worker: asyncio.Task[None], chores: list[asyncio.Task[None]]) -> None:
        self._workers.discard(worker)
        if not self._workers:
            for chore in chores:
                chore.cancel()

    async def _work(self) -> None:
        while (work := await self._feed.take()) is not None:
            self._busy += 1
            try:
                await self._turn(work)
            except StopRun as stop:
                self.stop(stop.status, stop.message)
            finally:
                self._busy -= 1

    async def _turn(self, work: Work) -> None:
        """One attempt at a unit, and what follows from it: a record, or another attempt later."""
        clock, tried = self._job.clock, self._job.clock.monotonic()
        work.calls += 1
        try:
            output = await answer(self._job.target, work.call, self._job.settings.timeout_s)
        except TargetError as error:
            self._failed(work, error, clock.monotonic() - tried)
        else:
            await self._answered(work, output)

    def _failed(self, work: Work, error: TargetError, duration_s: float) -> None:
        wait = self._retry.wait(error, work.attempts, self._rng)
        work.attempts.append(
            Attempt(
                kind=error.kind,
                message=clipped(error.message),
                status=error.status,
                duration_s=round(duration_s, 6),
                waited_s=round(wait or 0.0, 6),
            )
        )
        if wait is None:
            self._record(work, error=Failure(kind=error.kind, message=clipped(error.message), status=error.status))
        else:
            work.call = msgspec.structs.replace(work.call, attempt=work.call.attempt + 1)
            self._feed.defer(work, wait)

    async def _answered(self, work: Work, output: Output) -> None:
        if output.cost is None and self._job.price is not None:
            output = msgspec.structs.replace(output, cost=self._job.price(output))
        context = ScoreContext(case=work.unit.case, output=output, trial=work.unit.trial, services=self._job.services)
        self._record(work, output=output, scores=await self._scorers.score(context))

    def _record(self, work: Work, **parts: Any) -> None:
        unit, clock = work.unit, self._job.clock
        record = UnitRecord(
            case_id=unit.case.id,
            case_hash=unit.case_hash,
            trial=unit.trial,
            position=unit.position,
            attempts=tuple(work.attempts),
            started_at=round(work.started_at, 6),
            duration_s=round(clock.monotonic() - work.started, 6),
            calls=work.calls,
            **parts,
        )
        try:
            self._journal.append(record)
        except Unstorable as error:
            record = storable(record, error)
            self._journal.append(record)
        self._monitor.record(record)

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
        )

    # --- chores -------------------------------------------------------------------------------------------------

    async def _keep_synced(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(SYNC_S)
            if self._journal.unsynced:
                await loop.run_in_executor(None, self._journal.sync)

    async def _keep_watch(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            try:
                self._monitor.progress(self._busy)
            except StopRun as stop:
                self.stop(stop.status, stop.message)


def _copy(value: Any) -> Any:
    """A JSON value of the target's own, so that a target that changes its input changes nothing else."""
    return msgspec.json.decode(msgspec.json.encode(value))
