"""The engine's door: run what is left of a job."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

from evalwright.core.errors import UsageError
from evalwright.engine.job import Ending, Job, Outcome
from evalwright.engine.processes import run_processes
from evalwright.engine.sitting import Sitting
from evalwright.engine.stage import Stage, staged
from evalwright.store.journal import JournalWriter, segment_path

try:
    import uvloop
except ImportError:  # not built for this platform
    _new_loop: Callable[[], asyncio.AbstractEventLoop] | None = None
else:
    _new_loop = uvloop.new_event_loop

T = TypeVar("T")


def run(job: Job) -> Outcome:
    """Run every unit of the job that its folder does not hold yet, and say how it ended.

    In the main thread the first SIGINT or SIGTERM drains the run and the second ends it at once.

    Raises:
        RunBusy: Another process works on this run.
        DiskFull: No room to record; everything recorded so far is kept.
        StoreError: The run's folder can't be used.
        UsageError: An event loop is running in this thread.
        Exception: What a listener, the case source or the target's `open` raised.
    """
    if asyncio._get_running_loop() is not None:
        raise UsageError("a run was started inside a running event loop", hint="use `await run_async(job)` there")
    several = job.settings.workers > 1
    with staged(job, shared=several) as stage, stage.director.signals():
        if several:
            endings = run_processes(stage, _run_loop)
        else:
            endings = [_run_alone(stage)]
        stage.monitor.progress(0)
        return stage.outcome(endings)


def _run_alone(stage: Stage) -> Ending:
    try:
        return _run_loop(_run_here(stage))
    except KeyboardInterrupt:
        if not stage.director.ending.reason:
            raise
        return stage.director.ending


async def run_async(job: Job) -> Outcome:
    """The same inside a running event loop, always in this one process.

    Raises:
        Exception: As `run`.
    """
    with staged(job, shared=False) as stage, stage.director.signals():
        ending = await _run_here(stage)
        stage.monitor.progress(0)
        return stage.outcome([ending])


async def _run_here(stage: Stage) -> Ending:
    journal = JournalWriter(segment_path(stage.job.run_dir, 0))
    sitting = Sitting(stage.job, stage.plan, stage.places(), journal, stage.board)
    sitting.on_record, sitting.on_tick = stage.director.record, stage.director.tick
    await sitting.run()
    return sitting.ending


def _run_loop(main: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine on the fastest event loop there is."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(main)
