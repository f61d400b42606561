"""Worker processes of a server: scheduled runs, each an `evalwright run` of its own with its log kept."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from evalwright.core.errors import EvalwrightError
from evalwright.services.scheduling import run_words, suite_path
from evalwright.store.schedules import Schedule, ScheduleStore, Slot
from evalwright.store.workspace import Workspace

FOLDER = "schedules"
BEAT_S = 20.0
LONGEST_S = 24 * 3600.0
_DONE = {0, 1, 3, 4}
"""Exit codes of runs that ended in good order: passed, failed, inconclusive, incomplete."""

_COMMAND = [sys.executable, "-c", "from evalwright.cli.main import run; run()"]
_SERVER_ONLY = ("EVALWRIGHT_SERVER", "EVALWRIGHT_TOKEN")


class Workers:
    """Runs scheduled suites in processes, a few at once; the others wait."""

    def __init__(
        self, store: ScheduleStore, *, processes: int, now: Callable[[], float], place: Callable[[str], Workspace]
    ) -> None:
        """Take a store, how many processes run at once, a clock, and where projects are."""
        self._store = store
        self._now = now
        self._place = place
        self._pool = ThreadPoolExecutor(max(1, processes), thread_name_prefix="schedule")
        self._stopping = threading.Event()
        self._going: set[subprocess.Popen[bytes]] = set()
        self._lock = threading.Lock()

    def run(self, schedule: Schedule, slot: Slot, suites: Path) -> None:
        """Run a slot as soon as a process is free."""
        self._pool.submit(self._run, schedule, slot, suites)

    def stop(self) -> None:
        """End what is going in good order: what was recorded is kept, and `evalwright resume` goes on."""
        self._stopping.set()
        with self._lock:
            for process in self._going:
                process.send_signal(signal.SIGINT)
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _run(self, schedule: Schedule, slot: Slot, suites: Path) -> None:
        try:
            words = run_words(schedule, suite_path(suites, schedule.suite))
            log = log_path(self._place(schedule.project), slot)
            self._finish(slot, *self._process(words, slot, log, schedule.project, suites), log)
        except (EvalwrightError, OSError) as error:
            message = error.message if isinstance(error, EvalwrightError) else str(error)
            self._update(slot, state="failed", finished_at=self._now(), note=message[:1000])

    def _process(self, words: list[str], slot: Slot, log: Path, project: str, suites: Path) -> tuple[int, bytes]:
        place = self._place(project)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [*_COMMAND, *words, "--workspace", str(place.root)]
        with log.open("wb") as errors:
            process = subprocess.Popen(  # noqa: S603 - words are checked by `scheduling`, no shell
                command, stdout=subprocess.PIPE, stderr=errors, stdin=subprocess.DEVNULL, cwd=suites,
                env=environment_of(place), start_new_session=True,
            )  # fmt: skip
        with self._lock:
            self._going.add(process)
        self._update(slot, state="running", started_at=self._now(), alive_at=self._now())
        try:
            return self._waited(process, slot)
        finally:
            with self._lock:
                self._going.discard(process)

    def _waited(self, process: subprocess.Popen[bytes], slot: Slot) -> tuple[int, bytes]:
        """Exit code and output; says now and then that the run is alive, and stops one that takes far too long."""
        began, told_off = time.monotonic(), False
        if self._stopping.is_set():
            process.send_signal(signal.SIGINT)
        while True:
            try:
                out, _ = process.communicate(timeout=BEAT_S)
            except subprocess.TimeoutExpired:
                self._update(slot, alive_at=self._now())
                if time.monotonic() - began > LONGEST_S:
                    process.send_signal(signal.SIGKILL if told_off else signal.SIGINT)
                    told_off = True
            else:
                return process.returncode, out

    def _finish(self, slot: Slot, code: int, out: bytes, log: Path) -> None:
        note = "" if code in _DONE else last_line(log)
        state = "done" if code in _DONE else "failed"
        self._update(slot, state=state, finished_at=self._now(), exit_code=code, run_id=run_of(out), note=note)

    def _update(self, slot: Slot, **values: object) -> None:
        self._store.update(slot.schedule_id, slot.slot_at, **values)


def log_path(workspace: Workspace, slot: Slot) -> Path:
    """Where the log of a slot is kept."""
    return workspace.root / FOLDER / slot.schedule_id / f"{int(slot.slot_at)}.log"


def environment_of(workspace: Workspace) -> dict[str, str]:
    """The server's environment, the workspace's catalog and objects in it, other servers out of it."""
    found = {name: value for name, value in os.environ.items() if name not in _SERVER_ONLY}
    for name, attribute in (("EVALWRIGHT_CATALOG", "catalog_address"), ("EVALWRIGHT_OBJECTS", "objects_address")):
        value = getattr(workspace, attribute, None)
        if value:
            found[name] = value
    return found


def run_of(out: bytes) -> str | None:
    """The run's id in the JSON that `evalwright run --json` printed."""
    try:
        found = json.loads(out.splitlines()[-1])
    except (ValueError, IndexError):
        return None
    named = found.get("run_id") or found.get("run") if isinstance(found, dict) else None
    return named if isinstance(named, str) else None


def last_line(log: Path) -> str:
    """The last line a process wrote to its log that says something."""
    try:
        lines = log.read_bytes()[-4000:].decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    errors = [line for line in lines if line.startswith("error:")]
    return (errors or lines or [""])[-1][:1000]
