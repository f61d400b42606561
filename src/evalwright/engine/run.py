"""The engine's door: run what is left of a job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from evalwright.core.run import RunStatus
from evalwright.engine.history import read_history
from evalwright.engine.job import Job, Outcome
from evalwright.engine.local import run_local
from evalwright.engine.monitor import Monitor
from evalwright.engine.plan import Plan
from evalwright.engine.sitting import Sitting
from evalwright.store.journal import JournalWriter, segment_path
from evalwright.store.lock import RunLock

try:
    import uvloop
except ImportError:  # not built for this platform
    _new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None
else:
    _new_loop = uvloop.new_event_loop


def run(job: Job) -> Outcome:
    """Run every unit of the job that its folder does not hold yet, and say how it ended.

    In the main thread the first SIGINT or SIGTERM drains the run and the second ends it at once.

    Raises:
        RunBusy: Another process works on this run.
        DiskFull: No room to record; everything recorded so far is kept.
        StoreError: The run's folder can't be used.
        Exception: What a listener, the case source or the target's `open` raised.
    """
    return _run_loop(run_async(job))


def _run_loop(main: Coroutine[Any, Any, Outcome]) -> Outcome:
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(main)


async def run_async(job: Job) -> Outcome:
    """The same inside a running event loop, always in this one process.

    Raises:
        Exception: As `run`.
    """
    started_at = job.clock.now()
    settings = job.settings
    with RunLock(job.run_dir, now=started_at):
        plan = Plan(job.cases, selection=job.selection, trials=settings.trials, seed=settings.seed)
        history = read_history(job.run_dir, units=len(plan), retry_errored=job.retry_errored)
        monitor = Monitor(history.tally, job.listeners, max_errors=settings.max_errors, clock=job.clock)
        journal = JournalWriter(segment_path(job.run_dir, 0))
        positions = map(int, plan.remaining(history.done))
        sitting = Sitting(job, plan, positions, journal, monitor)
        await run_local(sitting)
        monitor.progress(0)
    complete = monitor.tally.done >= len(plan)
    return Outcome(
        status=RunStatus.COMPLETE if complete else sitting.status,
        reason="" if complete else sitting.reason,
        units=len(plan),
        recorded=monitor.tally.done,
        fresh=monitor.fresh,
        started_at=started_at,
        duration_s=monitor.elapsed_s,
        damaged=history.damaged,
    )
