"""Threads for synchronous user code: as many as calls in flight, none that keeps the program from ending.

The standard library's pool joins its threads when the interpreter exits, so one function that hangs would hang the
whole program; these are daemons, and one that hangs is left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

_Job = tuple[Callable[[], Any], "asyncio.Future[Any]", contextvars.Context]


class ThreadPool:
    """Runs functions in threads and gives their results to the event loop that asked.

    Args:
        limit: Threads at most; further calls wait for a free one.
    """

    def __init__(self, limit: int = 1024) -> None:
        self.limit = limit
        self._crew = _Crew()

    async def run(self, function: Callable[[], Any]) -> Any:
        """Call the function in a thread and wait for its result; what it raises is raised here."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._crew.take((function, future, contextvars.copy_context()), self.limit)
        return await future

    def close(self) -> None:
        """Let the threads end when they are done with what they are at; the pool can be used again."""
        crew, self._crew = self._crew, _Crew()
        crew.dismiss()


class _Crew:
    """Threads that share one queue."""

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        self._threads = 0

    def take(self, job: _Job, limit: int) -> None:
        self._jobs.put(job)
        if not self._idle.acquire(blocking=False) and self._threads < limit:
            self._threads += 1
            threading.Thread(target=self._work, name=f"evalwright-{self._threads}", daemon=True).start()

    def dismiss(self) -> None:
        for _ in range(self._threads):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            function, future, context = job
            if not future.cancelled():
                _run(function, future, context)
            del job, function, future, context
            self._idle.release()


def _run(function: Callable[[], Any], future: asyncio.Future[Any], context: contextvars.Context) -> None:
    loop = future.get_loop()
    try:
        result, error = context.run(function), None
    except BaseException as raised:  # noqa: BLE001  user code; nothing it raises may end the thread
        result, error = None, raised
    with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
        loop.call_soon_threadsafe(_settle, future, result, error)


def _settle(future: asyncio.Future[Any], result: Any, error: BaseException | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    elif isinstance(error, Exception) and not isinstance(error, StopIteration):
        future.set_exception(error)
    else:
        wrapped = RuntimeError(f"{type(error).__name__}: {error}")
        wrapped.__cause__ = error
        future.set_exception(wrapped)
