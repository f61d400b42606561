"""Steers a run: hears signals, commands and listeners, tells the workers through the board, and says how it ended."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from evalwright.core.run import RunStatus, UnitRecord
from evalwright.engine.board import DRAIN, HALT, Board
from evalwright.engine.control import Action, Command, CommandInbox, RunState, this_host, write_state
from evalwright.engine.job import Ending, Job, StopRun
from evalwright.engine.monitor import Monitor

STATE_EVERY_S = 1.0
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Director:
    """One per run, in the process that was started."""

    def __init__(self, job: Job, board: Board, monitor: Monitor) -> None:
        self._job = job
        self._board = board
        self._monitor = monitor
        self._inbox = CommandInbox(job.run_dir)
        self._signals = 0
        self._started_at = job.clock.now()
        self._state_due = 0.0
        self._ending = Ending(status=RunStatus.COMPLETE)

    @property
    def ending(self) -> Ending:
        """What was asked of the run: its reason is empty as long as nothing stopped it."""
        return self._ending

    # --- stopping -----------------------------------------------------------------------------------------------

    def stop(self, status: RunStatus, reason: str) -> None:
        """Have the workers finish what is in flight and end; the first reason given stays."""
        if not self._board.stop:
            self._ending = Ending(status=status, reason=reason)
            self._board.stop = DRAIN

    def _interrupt(self, reason: str) -> None:
        """The first time drain, the second time end at once."""
        if self._board.stop:
            self._board.stop = HALT
        self.stop(RunStatus.INTERRUPTED, reason)

    @contextmanager
    def signals(self) -> Iterator[None]:
        """Hear SIGINT and SIGTERM: the first drains, the second ends at once, the third breaks into whatever hangs.

        Does nothing outside the main thread, where Python gives no signals.
        """
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        before = {number: signal.signal(number, self._signalled) for number in _SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler or signal.SIG_DFL)

    def _signalled(self, number: int, _: FrameType | None) -> None:
        self._signals += 1
        if self._signals > 2:
            raise KeyboardInterrupt
        self._interrupt(f"stopped by {signal.Signals(number).name}")

    # --- listening ----------------------------------------------------------------------------------------------

    def record(self, record: UnitRecord) -> None:
        """A unit was recorded."""
        try:
            self._monitor.record(record)
        except StopRun as stop:
            self.stop(stop.status, stop.message)

    def tick(self, in_flight: int) -> None:
        """To be called about four times a second."""
        for command in self._inbox.new():
            self._obey(command)
        minutes = self._job.settings.budget.minutes
        if minutes is not None and self._monitor.elapsed_s >= 60 * minutes:
            self.stop(RunStatus.BUDGET, f"the budget of {minutes:g} minutes is spent")
        try:
            self._monitor.progress(in_flight)
        except StopRun as stop:
            self.stop(stop.status, stop.message)
        if self._job.clock.monotonic() >= self._state_due:
            self._state_due = self._job.clock.monotonic() + STATE_EVERY_S
            self.write_state(RunStatus.RUNNING, in_flight)

    def _obey(self, command: Command) -> None:
        self._state_due = 0.0
        match command.action:
            case Action.PAUSE | Action.RESUME:
                self._board.paused = float(command.action is Action.PAUSE)
            case Action.CONCURRENCY:
                self._board.concurrency = float(command.value or 1)
            case Action.CANCEL:
                self._interrupt("cancelled")

    def write_state(self, status: RunStatus, in_flight: int = 0, reason: str = "") -> None:
        """Write where the run stands for other processes to read."""
        settings = self._job.settings
        state = RunState(
            status=status,
            pid=os.getpid(),
            host=this_host(),
            started_at=self._started_at,
            updated_at=self._job.clock.now(),
            paused=bool(self._board.paused),
            concurrency=int(self._board.concurrency) or settings.concurrency,
            workers=settings.workers,
            progress=self._monitor.snapshot(in_flight),
            reason=reason,
        )
        with suppress(OSError):  # a full disk is the journal's to report
            write_state(self._job.run_dir, state)
