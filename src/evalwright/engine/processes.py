"""The executor of several processes: forked before any event loop exists, each with a journal segment of its own.

Nothing is sent between them. Workers take their places in the plan from the shared board, where limits and budget are
kept too; the parent learns what was recorded by following the journal segments.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import IO, Any, NoReturn

import msgspec

from evalwright.core.errors import DiskFull, EvalwrightError, StoreError, TargetError
from evalwright.core.run import RunStatus
from evalwright.engine.board import DRAIN, HALT
from evalwright.engine.job import Ending
from evalwright.engine.sitting import Sitting
from evalwright.engine.stage import Stage
from evalwright.store.journal import JournalFollower, JournalWriter, segment_path

RunLoop = Callable[[Coroutine[Any, Any, None]], None]
_LOOK_S = 0.1
_KNOWN = {kind.__name__: kind for kind in (DiskFull, StoreError)}


class WorkerFailed(EvalwrightError):
    """A worker process ended with an error of its own; the message is its traceback."""


class _Farewell(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker leaves behind: how it ended, or the error that ended it."""

    ending: Ending | None = None
    error: str = ""
    kind: str = ""
    hint: str = ""


class _Child:
    """A worker process, seen from its parent; its `letter` is a file that it writes and the parent reads."""

    def __init__(self, worker: int, pid: int, letter: IO[bytes], follower: JournalFollower) -> None:
        self.worker = worker
        self.pid = pid
        self.follower = follower
        self._letter = letter
        self.status: int | None = None

    def poll(self) -> bool:
        """Whether it still runs."""
        if self.status is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.status = status if pid else None
        return self.status is None

    def wait(self) -> None:
        """Wait for its end."""
        if self.status is None:
            _, self.status = os.waitpid(self.pid, 0)

    def farewell(self) -> _Farewell:
        """What it left behind, once it has ended."""
        self._letter.seek(0)
        text = self._letter.read()
        if text:
            return msgspec.json.decode(text, type=_Farewell)
        code = os.waitstatus_to_exitcode(self.status or 0)
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return _Farewell(ending=Ending(status=RunStatus.INTERRUPTED, reason=f"worker process {self.worker} {how}"))


def run_processes(stage: Stage, run_loop: RunLoop) -> list[Ending]:
    """Run a stage in as many processes as its settings say.

    Raises:
        DiskFull: No room to record; everything recorded so far is kept.
        WorkerFailed: A worker ended with an error.
    """
    gc.collect()
    with ExitStack() as stack:
        gc.freeze()
        stack.callback(gc.unfreeze)
        letters = [stack.enter_context(tempfile.TemporaryFile()) for _ in range(stage.job.settings.workers)]
        children = [_fork(stage, worker, letter, run_loop) for worker, letter in enumerate(letters)]
        _follow(stage, children)
        farewells = [child.farewell() for child in children]
    for farewell in farewells:
        if farewell.ending is None:
            raise _error(farewell)
    return [farewell.ending for farewell in farewells if farewell.ending is not None]


def _follow(stage: Stage, children: list[_Child]) -> None:
    """Record what the workers record, and steer, until all have ended."""
    in_flight = stage.board.block("in flight")
    try:
        while sum(child.poll() for child in children):
            _read(stage, children)
            stage.director.tick(int(sum(in_flight)))
            if any(child.status for child in children):
                stage.board.stop = stage.board.stop or DRAIN
            time.sleep(_LOOK_S)
        _read(stage, children)
    finally:
        stage.board.stop = HALT
        for child in children:
            child.wait()


def _read(stage: Stage, children: list[_Child]) -> None:
    for child in children:
        for record in child.follower.new():
            stage.director.record(record)


def _error(farewell: _Farewell) -> Exception:
    if farewell.kind == TargetError.__name__:
        return TargetError(farewell.error, kind="exception")
    return _KNOWN.get(farewell.kind, WorkerFailed)(farewell.error, hint=farewell.hint)


def _fork(stage: Stage, worker: int, letter: IO[bytes], run_loop: RunLoop) -> _Child:
    path = segment_path(stage.job.run_dir, worker)
    JournalWriter(path).close()  # cuts a torn tail, so that what follows it can be followed
    follower = JournalFollower(path, skip=True)
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    with _no_signals(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # threads of numeric libraries are idle and not used
        pid = os.fork()
        if not pid:
            _be_worker(stage, worker, letter, run_loop, parent)
    return _Child(worker, pid, letter, follower)


@contextmanager
def _no_signals() -> Iterator[None]:
    """Hold signals back, so that a child gets none before it ignores them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _be_worker(stage: Stage, worker: int, letter: IO[bytes], run_loop: RunLoop, parent: int) -> NoReturn:
    """The life of a worker; the parent hears the signals and tells it through the board."""
    code = 1
    try:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})
        letter.write(msgspec.json.encode(_live(stage, worker, run_loop, parent)))
        letter.flush()
        sys.stdout.flush()
        sys.stderr.flush()
        code = 0
    finally:
        os._exit(code)


def _live(stage: Stage, worker: int, run_loop: RunLoop, parent: int) -> _Farewell:
    in_flight = stage.board.block("in flight")

    def on_tick(busy: int) -> None:
        in_flight[worker % len(in_flight)] = busy
        if os.getppid() != parent:
            stage.board.stop = HALT

    try:
        journal = JournalWriter(segment_path(stage.job.run_dir, worker))
        sitting = Sitting(stage.job, stage.plan, stage.places(), journal, stage.board)
        sitting.on_tick = on_tick
        run_loop(sitting.run())
        on_tick(0)
    except EvalwrightError as error:
        stage.board.stop = stage.board.stop or DRAIN
        return _Farewell(error=error.message, kind=type(error).__name__, hint=error.hint)
    except Exception:  # noqa: BLE001 - reported to the parent, which raises it
        stage.board.stop = stage.board.stop or DRAIN
        return _Farewell(error=traceback.format_exc())
    return _Farewell(ending=sitting.ending)
