"""A bound on plain Python code that does not come back: the system's alarm clock breaks into it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooLong(BaseException):
    """Raised in code that ran past its time. No `Exception`, so that `except Exception` in a loop does not keep it."""


class Alarm:
    """Interrupts scorers in the main thread of a process; elsewhere, or when the alarm clock is taken, does nothing.

    Code that hangs inside a C extension is interrupted when it comes back to Python.
    """

    def __init__(self) -> None:
        self._active = False
        self._works = False

    @contextmanager
    def installed(self) -> Iterator[None]:
        """Have the alarm clock for the time of a run."""
        in_main = threading.current_thread() is threading.main_thread()
        if not in_main or signal.getitimer(signal.ITIMER_REAL)[0]:
            yield
            return
        before = signal.signal(signal.SIGALRM, self._rings)
        self._works = True
        try:
            yield
        finally:
            self._works = False
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before or signal.SIG_DFL)

    def _rings(self, _: int, __: FrameType | None) -> None:
        if self._active:
            self._active = False
            raise TooLong

    def set(self, seconds: float) -> None:
        """Ring once after so many seconds."""
        if self._works:
            self._active = True
            signal.setitimer(signal.ITIMER_REAL, seconds)

    def clear(self) -> None:
        """Don't ring."""
        self._active = False
        if self._works:
            signal.setitimer(signal.ITIMER_REAL, 0)
