"""Steering a run from another terminal: two small files in the run's folder, one for its state, one for commands."""

from __future__ import annotations

import os
import socket
from enum import StrEnum
from pathlib import Path

import msgspec

from evalwright.core.errors import UsageError
from evalwright.core.ports import Progress
from evalwright.core.run import RunStatus
from evalwright.store.lock import is_locked

STATE_NAME = "state.json"
COMMANDS_NAME = "commands.jsonl"


class RunState(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a run stands, as it last wrote it.

    Attributes:
        status: `running`, or how the last sitting ended.
        pid: Process that runs it.
        host: Machine of that process.
        started_at: Start of the sitting, seconds since the epoch.
        updated_at: When this was written.
        paused: Whether it is held.
        concurrency: Units in flight at once, per process.
        workers: Processes.
        progress: Counts and figures.
        reason: Why it stopped.
        alive: Whether a process works on it right now (found out when read, never stored).
    """

    status: RunStatus
    pid: int
    host: str = ""
    started_at: float = 0.0
    updated_at: float = 0.0
    paused: bool = False
    concurrency: int = 0
    workers: int = 1
    progress: Progress | None = None
    reason: str = ""
    alive: bool = False


def write_state(run_dir: Path, state: RunState) -> None:
    """Write where a run stands; readers see the old state or the new one, never half of it."""
    path = run_dir / STATE_NAME
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    draft.write_bytes(msgspec.json.encode(state))
    draft.replace(path)


def read_state(run_dir: Path) -> RunState | None:
    """Where a run stands; None when it was never started.

    A run whose process was killed still says `running` but is not `alive`: it is to be resumed.
    """
    try:
        state = msgspec.json.decode((run_dir / STATE_NAME).read_bytes(), type=RunState)
    except (OSError, msgspec.DecodeError):
        return None
    return msgspec.structs.replace(state, alive=is_locked(run_dir))


class Action(StrEnum):
    """What may be asked of a running run."""

    PAUSE = "pause"
    """Begin nothing more for now; what is in flight is finished."""
    RESUME = "resume"
    """Go on after a pause."""
    CONCURRENCY = "concurrency"
    """Change the number of units in flight per process."""
    CANCEL = "cancel"
    """Finish what is in flight and end, resumable; asked twice, end at once."""


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Something asked of a running run; `value` is the new number for `concurrency`."""

    action: Action
    value: int | None = None


def send_command(run_dir: Path, command: Command) -> None:
    """Ask something of a running run; it obeys within a second.

    Raises:
        UsageError: The run is not running, or the value makes no sense.
    """
    if command.action is Action.CONCURRENCY and (command.value is None or command.value < 1):
        raise UsageError(f"concurrency must be 1 or more, not {command.value}")
    if not is_locked(run_dir):
        raise UsageError(f"run {run_dir.name} is not running", hint="`evalwright ps` shows what is running")
    fd = os.open(run_dir / COMMANDS_NAME, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(fd, msgspec.json.encode(command) + b"\n")
    finally:
        os.close(fd)


class CommandInbox:
    """Reads the commands sent to a run since it started."""

    def __init__(self, run_dir: Path) -> None:
        self._path = run_dir / COMMANDS_NAME
        self._offset = self._path.stat().st_size if self._path.exists() else 0

    def new(self) -> list[Command]:
        """Commands that came since the last call; what is no command is passed over."""
        if not self._path.exists() or self._path.stat().st_size <= self._offset:
            return []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            lines = file.read().splitlines(keepends=True)
        whole = [line for line in lines if line.endswith(b"\n")]
        self._offset += sum(map(len, whole))
        return [command for line in whole if (command := _parsed(line)) is not None]


def _parsed(line: bytes) -> Command | None:
    try:
        return msgspec.json.decode(line, type=Command)
    except msgspec.DecodeError:
        return None


def this_host() -> str:
    """Name of this machine."""
    return socket.gethostname()
