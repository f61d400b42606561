"""One running copy of a program that answers JSON lines: requests by id, restart after a crash, the end of stderr."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Mapping
from pathlib import Path

import msgspec

from evalwright.core.case import Json
from evalwright.core.errors import TargetError
from evalwright.models import jsonio
from evalwright.models.failures import malformed

_LINES_KEPT = 10
_LINE_SHOWN = 300
_GRACE_S = 2.0
_IN_VAIN = 20


class Launch(msgspec.Struct, frozen=True):
    """How a program is started.

    Attributes:
        command: Program and arguments.
        cwd: Folder it runs in.
        variables: Its whole environment.
        max_line: Longest answer line in bytes.
    """

    command: tuple[str, ...]
    cwd: Path
    variables: Mapping[str, str]
    max_line: int


class Worker:
    """One copy of the program, started again when it ended; twenty ends in a row without an answer are the last."""

    def __init__(self, launch: Launch) -> None:
        self._launch = launch
        self._running: _Running | None = None
        self._starting = asyncio.Lock()
        self._in_vain = 0

    @property
    def pending(self) -> int:
        """Requests not answered yet."""
        return len(self._running.waiting) if self._running else 0

    async def start(self) -> None:
        """Start the program if it is not running.

        Raises:
            OSError: It can't be started.
        """
        await self._current()

    async def stop(self) -> None:
        """Close its input, wait two seconds, then kill it and its children."""
        running, self._running = self._running, None
        if running is not None:
            await running.stop()

    async def ask(self, number: int, line: bytes, timeout: float | None) -> dict[str, Json]:
        """Send one request line and wait for the answer of the same id.

        When the wait is given up (timeout or cancelled) and the program has said nothing since, it hangs: it is killed,
        and started again by the next request.

        Raises:
            TargetError: It crashed, hung, or said something that is not an answer.
        """
        try:
            running = await self._current()
        except OSError as error:
            raise TargetError(f"the program can't be started again: {error}", kind="crashed") from None
        return await running.ask(number, line, timeout)

    async def _current(self) -> _Running:
        async with self._starting:
            if self._running is not None and self._running.alive:
                return self._running
            if self._running is not None:
                self._in_vain = 0 if self._running.answered else self._in_vain + 1
            if self._in_vain >= _IN_VAIN:
                last = self._running.last_words() if self._running else ""
                raise TargetError(f"the program ended {_IN_VAIN} times without an answer{last}", kind="crashed")
            self._running = await _Running.launched(self._launch)
            return self._running


class _Running:
    """One process, from its start to its end, and the requests it is working on."""

    def __init__(self, process: Process, max_line: int) -> None:
        self.alive = True
        self.answered = False
        self.waiting: dict[int, asyncio.Future[dict[str, Json]]] = {}
        self._process = process
        self._max_line = max_line
        self._errors: deque[str] = deque(maxlen=_LINES_KEPT)
        self._heard = 0.0
        self._error_task = asyncio.create_task(self._keep_errors())
        self._read_task = asyncio.create_task(self._read())

    @classmethod
    async def launched(cls, launch: Launch) -> _Running:
        """Start the program.

        Raises:
            OSError: It can't be started.
        """
        process = await asyncio.create_subprocess_exec(
            *launch.command,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            cwd=launch.cwd,
            env=dict(launch.variables),
            limit=launch.max_line,
            start_new_session=True,
        )
        return cls(process, launch.max_line)

    async def ask(self, number: int, line: bytes, timeout: float | None) -> dict[str, Json]:
        """Send one request and wait for its answer."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[dict[str, Json]] = loop.create_future()
        sent = loop.time()
        self.waiting[number] = future
        try:
            async with asyncio.timeout(timeout):
                await self._write(line)
                return await future
        except TimeoutError:
            message = f"no answer within {timeout:g} s{self.last_words()}"
            raise TargetError(message, kind="timeout", retryable=True) from None
        finally:
            del self.waiting[number]
            if (not future.done() or future.cancelled()) and self._heard <= sent:
                self._kill()

    async def stop(self) -> None:
        """Ask it to end by closing its input, then make it."""
        tasks = (self._read_task, self._error_task)
        if self._process.stdin is not None:
            self._process.stdin.close()
        await asyncio.wait(tasks, timeout=_GRACE_S)
        self._kill()
        # A grandchild in a session of its own may still hold the pipes: do not wait for it for ever.
        _, open_ended = await asyncio.wait(tasks, timeout=_GRACE_S)
        for task in open_ended:
            task.cancel()
        await asyncio.gather(*open_ended, return_exceptions=True)
        await self._process.wait()

    def last_words(self) -> str:
        """The end of what it wrote to standard error, as part of a message."""
        return "; it last wrote to standard error:\n" + "\n".join(self._errors) if self._errors else ""

    async def _write(self, line: bytes) -> None:
        stdin = self._process.stdin
        if stdin is None:
            return
        with contextlib.suppress(ConnectionError, RuntimeError):  # it ended: the reader fails the request
            stdin.write(line + b"\n")
            await stdin.drain()

    async def _read(self) -> None:
        stdout = self._process.stdout
        failure: TargetError | None = None
        try:
            while failure is None and stdout is not None and (line := await stdout.readline()):
                self._heard = asyncio.get_running_loop().time()
                failure = self._take(line)
        except ValueError:
            failure = malformed(f"an answer line is longer than {self._max_line:,} bytes")
        self.alive = False
        if failure is not None:
            self._kill()
        await asyncio.wait((self._error_task,), timeout=_GRACE_S)
        self._kill()
        self._fail(failure or self._crash(await self._process.wait()))

    def _fail(self, failure: TargetError) -> None:
        for future in self.waiting.values():
            if not future.done():
                future.set_exception(failure)

    def _take(self, line: bytes) -> TargetError | None:
        """Give an answer to whoever waits for it; an error when the line is not an answer."""
        if not line.strip():
            return None
        try:
            answer = jsonio.decode(line)
        except jsonio.BadJson:
            return malformed("the program wrote a line that is not JSON (logs belong on standard error)", line)
        if not isinstance(answer, dict):
            return malformed("the program wrote a line that is not a JSON object", line)
        future = self.waiting.get(self._number(answer.get("id")))
        if future is not None and not future.done():
            self.answered = True
            future.set_result(answer)
        return None

    def _number(self, given: Json) -> int:
        """The request an answer is for; one without an id is for the only request there is."""
        if given is None and len(self.waiting) == 1:
            return next(iter(self.waiting))
        text = str(given)
        return int(text) if text.isdecimal() and len(text) < 20 else -1

    async def _keep_errors(self) -> None:
        stderr = self._process.stderr
        while stderr is not None and (chunk := await stderr.read(65536)):
            for line in chunk.decode("utf-8", "replace").splitlines():
                if line.strip():
                    self._errors.append(line[:_LINE_SHOWN])

    def _crash(self, code: int) -> TargetError:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        return TargetError(f"the program {how}{self.last_words()}", kind="crashed", retryable=True)

    def _kill(self) -> None:
        """Kill the program and the children it started, if any is left."""
        self.alive = False
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if sys.platform == "win32":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)
