"""What a run needs before its first call, whichever executor does the work, and its outcome afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from evalwright.core.run import RunStatus
from evalwright.engine.board import Board
from evalwright.engine.budget import Budget
from evalwright.engine.director import Director
from evalwright.engine.history import History, read_history
from evalwright.engine.job import Ending, Job, Outcome
from evalwright.engine.monitor import Monitor
from evalwright.engine.plan import IndexArray, Plan
from evalwright.store.lock import RunLock


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """A run about to begin.

    Attributes:
        job: What to do.
        plan: All units.
        left: Places in the plan that are not recorded yet, in order.
        history: Earlier sittings.
        board: Numbers the processes share.
        monitor: Counts and listeners.
        director: Signals and commands.
        started_at: Seconds since the epoch.
    """

    job: Job
    plan: Plan
    left: IndexArray
    history: History
    board: Board
    monitor: Monitor
    director: Director
    started_at: float

    def places(self) -> Iterator[int]:
        """Places of the plan to work on; every process that asks gets others."""
        while (index := self.board.next_place()) < len(self.left):
            yield int(self.left[index])

    def outcome(self, endings: Sequence[Ending]) -> Outcome:
        """How the run ended, for its state file and its caller."""
        monitor, complete = self.monitor, self.monitor.tally.done >= len(self.plan)
        stopped = [ending for ending in (self.director.ending, *endings) if ending.reason]
        end = stopped[0] if stopped else Ending(status=RunStatus.INTERRUPTED)
        changes = sorted((change for ending in endings for change in ending.limits), key=lambda change: change.at)
        outcome = Outcome(
            status=RunStatus.COMPLETE if complete else end.status,
            reason="" if complete else end.reason,
            units=len(self.plan),
            recorded=monitor.tally.done,
            fresh=monitor.fresh,
            started_at=self.started_at,
            duration_s=monitor.elapsed_s,
            limits=tuple(changes),
            damaged=self.history.damaged,
        )
        self.director.write_state(outcome.status, reason=outcome.reason)
        return outcome


@contextmanager
def staged(job: Job, *, shared: bool) -> Iterator[Stage]:
    """Take the run's lock, read what it holds and plan the rest; with a `shared` board for several processes.

    Raises:
        RunBusy: Another process works on this run.
        StoreError: The run's folder can't be used.
    """
    started_at, settings = job.clock.now(), job.settings
    with RunLock(job.run_dir, now=started_at):
        plan = Plan(job.cases, selection=job.selection, trials=settings.trials, seed=settings.seed)
        history = read_history(job.run_dir, units=len(plan), retry_errored=job.retry_errored)
        left = plan.remaining(history.done)
        history.done.clear()
        board = Board(shared=shared)
        Budget(settings.budget, board, job.estimate).start(history.tally)
        monitor = Monitor(history.tally, job.listeners, max_errors=settings.max_errors, clock=job.clock)
        director = Director(job, board, monitor)
        try:
            yield Stage(
                job=job,
                plan=plan,
                left=left,
                history=history,
                board=board,
                monitor=monitor,
                director=director,
                started_at=started_at,
            )
        finally:
            board.close()
