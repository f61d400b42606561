"""One worker at a time in a run's folder."""

from __future__ import annotations

import fcntl
import os
import socket
import time
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import msgspec

from evalwright.core.errors import RunBusy, StoreError

LOCK_NAME = "run.lock"


class Holder(msgspec.Struct, frozen=True, kw_only=True):
    """Who works on a run: process id, machine, and since when (seconds since the epoch)."""

    pid: int
    host: str
    since: float

    def __str__(self) -> str:
        when = datetime.fromtimestamp(self.since, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
        return f"process {self.pid} on {self.host} since {when}"


class RunLock:
    """Exclusive use of a run's folder for as long as the process, and those it forked, live.

    The lock is the operating system's (`flock`): a killed process leaves none behind.
    """

    def __init__(self, run_dir: Path, *, now: float | None = None) -> None:
        """Take the lock.

        Raises:
            RunBusy: Another process has it; the message names it.
            StoreError: The folder can't be written.
        """
        self.path = run_dir / LOCK_NAME
        try:
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise StoreError(f"the run folder {run_dir} can't be used: {error.strerror}") from error
        if not _try_lock(self._fd):
            os.close(self._fd)
            raise _busy(run_dir)
        holder = Holder(pid=os.getpid(), host=socket.gethostname(), since=time.time() if now is None else now)
        os.ftruncate(self._fd, 0)
        os.pwrite(self._fd, msgspec.json.encode(holder), 0)

    def release(self) -> None:
        """Give the lock back; safe to call twice."""
        if self._fd >= 0:
            os.ftruncate(self._fd, 0)
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> RunLock:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.release()


def _try_lock(fd: int) -> bool:
    """Take the lock; several tries, because `is_locked` of another process holds it for an instant."""
    for left in range(4, -1, -1):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(0.01 if left else 0)
        else:
            return True
    return False


def _busy(run_dir: Path) -> RunBusy:
    holder = read_holder(run_dir)
    who = f": {holder}" if holder else ""
    return RunBusy(
        f"run {run_dir.name} is being worked on{who}",
        hint="wait for it, or stop it with `evalwright cancel`; `evalwright ps` shows what is running",
    )


def read_holder(run_dir: Path) -> Holder | None:
    """What the lock file says of who works on a run, whether that process still lives or not; None when empty."""
    try:
        return msgspec.json.decode((run_dir / LOCK_NAME).read_bytes(), type=Holder)
    except (OSError, msgspec.DecodeError):
        return None


def is_locked(run_dir: Path) -> bool:
    """Whether some process works on a run right now."""
    try:
        fd = os.open(run_dir / LOCK_NAME, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(fd)
