"""A program of any language as the system under test, spoken to in JSON lines."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import msgspec
from pydantic import Field, PositiveInt

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.target import LimitKey, RateLimit, TargetCall
from evalwright.models import jsonio
from evalwright.models.secrets import Secret, find_secrets, redact, resolve_text
from evalwright.targets.answers import as_output
from evalwright.targets.options import Duration, RateLimitOption, TargetOptions, config_error
from evalwright.targets.rows import file_digest
from evalwright.targets.worker import Launch, Worker

_PASSED_ON = (
    "PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "TEMP", "TMP", "USER", "SHELL", "SYSTEMROOT",
    "SYSTEMDRIVE", "COMSPEC", "PATHEXT", "APPDATA", "LOCALAPPDATA", "USERPROFILE", "VIRTUAL_ENV", "PYTHONPATH",
    "PYTHONUTF8", "PYTHONIOENCODING", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
)  # fmt: skip


class ProcessTargetOptions(TargetOptions):
    """A program that reads one JSON line per case and writes one JSON line per answer.

    It reads `{"id", "input", "metadata", "case_id", "trial", "seed"}` and writes `{"id": …}` (the same id) with the
    output's fields (`text`, `contexts`, `usage` …), or `{"id": …, "error": "…", "retryable": false}`. Standard output
    is for answers only; what it writes to standard error is kept for messages. It is started again after a crash.
    """

    command: list[str] = Field(min_length=1, description="Program and arguments, e.g. `[python, answer.py]`; no shell.")
    cwd: str = Field(".", description="Folder it runs in, relative to the suite file.")
    env: dict[str, str] = Field(
        default_factory=dict,
        description='Environment variables for it, secrets by reference: `{ API_KEY: "${API_KEY}" }`. It sees these '
        "and the usual ones of the system (`PATH`, `HOME`, `LANG` …), nothing else.",
    )
    workers: PositiveInt = Field(1, le=256, description="Copies of the program.")
    mode: Literal["concurrent", "serial"] = Field(
        "concurrent",
        description="`concurrent`: a copy may be asked again before it has answered; `serial`: one at a time per copy.",
    )
    timeout: Duration | None = Field(
        None, description="Longest time for one answer; a program silent for as long is killed and started again."
    )
    max_line: PositiveInt = Field(32 * 1024 * 1024, description="Longest answer line, in bytes.")
    rate_limit: RateLimitOption = Field(None, description="Limit of requests, e.g. `300/min`; none by default.")

    def bind(self, context: BindContext) -> ProcessTarget:
        """Check the folder and the environment.

        Raises:
            ConfigError: The folder does not exist, a variable is not set, or a secret is literal.
        """
        cwd = (context.base_dir / self.cwd).resolve()
        if not cwd.is_dir():
            raise config_error(f"there is no folder `{self.cwd}`", key="cwd", hint="it is relative to the suite file")
        for path, found in find_secrets(self.command, path=("command",)):
            hint = "hand it over in `env`, by reference"
            raise config_error(f"this looks like {found}", key=".".join(map(str, path)), hint=hint)
        given = {name: resolve_text(value, context.environment, key=f"env.{name}") for name, value in self.env.items()}
        return ProcessTarget(self, cwd, given, context.environment)


class ProcessTarget:
    """Sends cases to one or several copies of a program; made by `ProcessTargetOptions.bind`.

    Attributes:
        max_concurrency: Requests it can work on at once; None for any number.
    """

    def __init__(
        self,
        options: ProcessTargetOptions,
        cwd: Path,
        given: Mapping[str, str | Secret],
        environment: Mapping[str, str],
    ) -> None:
        self.options = options
        self.max_concurrency = options.workers if options.mode == "serial" else None
        self._secrets = tuple(value for value in given.values() if isinstance(value, Secret))
        variables = {name: environment[name] for name in _PASSED_ON if name in environment}
        variables |= {name: value.reveal() if isinstance(value, Secret) else value for name, value in given.items()}
        self._launch = Launch(tuple(options.command), cwd, variables, options.max_line)
        self._workers: list[Worker] = []
        self._free: asyncio.Queue[Worker] | None = None
        self._next_id = 0

    @property
    def name(self) -> str:
        """The program and its script."""
        return " ".join(Path(part).name for part in self.options.command[:2])

    @property
    def limit_key(self) -> LimitKey | None:
        """One limit for the program when the user gave one; otherwise none."""
        return LimitKey("process", self.name) if self.options.rate_limit else None

    @property
    def rate_limit(self) -> RateLimit | None:
        """The limit given."""
        limit: RateLimit | None = self.options.rate_limit
        return limit

    def describe(self) -> dict[str, Json]:
        """The command, a hash of every file of its own it names, and the environment's references."""
        own = [(part, self._launch.cwd / part) for part in self.options.command]
        files = {part: file_digest(path) for part, path in own if not Path(part).is_absolute() and path.is_file()}
        command = [Path(part).name if Path(part).is_absolute() else part for part in self.options.command]
        return {
            "type": "process",
            "command": list(command),
            "files": files,
            "env": dict(sorted(self.options.env.items())),
        }

    async def open(self) -> None:
        """Start the copies.

        Raises:
            ConfigError: The program can't be started.
        """
        if self._workers:
            return
        self._workers = [Worker(self._launch) for _ in range(self.options.workers)]
        try:
            await asyncio.gather(*(worker.start() for worker in self._workers))
        except OSError as error:
            await self.close()
            hint = "give the program and each argument as an item of `command`"
            raise config_error(
                f"`{self.options.command[0]}` can't be started: {error}", key="command", hint=hint
            ) from None
        if self.options.mode == "serial":
            self._free = asyncio.Queue()
            for worker in self._workers:
                self._free.put_nowait(worker)

    async def close(self) -> None:
        """End the copies: their input is closed, and what is still running two seconds later is killed."""
        workers, self._workers, self._free = self._workers, [], None
        await asyncio.gather(*(worker.stop() for worker in workers))

    async def respond(self, call: TargetCall) -> Output:
        """Ask the program.

        Raises:
            TargetError: It crashed, hung, said something that is not an answer, or answered with an error.
        """
        if not self._workers:
            await self.open()
        self._next_id += 1
        line = jsonio.encode(_request(self._next_id, call))
        try:
            start = time.perf_counter()
            answer = await self._ask(self._next_id, line)
            elapsed = time.perf_counter() - start
        except TargetError as error:
            raise self._redacted(error) from None
        return self._output(answer, elapsed)

    async def _ask(self, number: int, line: bytes) -> dict[str, Json]:
        if self._free is None:
            worker = min(self._workers, key=lambda candidate: candidate.pending)
            return await worker.ask(number, line, self.options.timeout)
        worker = await self._free.get()
        try:
            return await worker.ask(number, line, self.options.timeout)
        finally:
            self._free.put_nowait(worker)

    def _output(self, answer: dict[str, Json], elapsed: float) -> Output:
        parts = {name: value for name, value in answer.items() if name != "id"}
        if parts.get("error") is not None:
            raise self._redacted(_told_error(parts))
        wrapped = parts.get("output") if set(parts) == {"output"} else None
        given: Any = parts if wrapped is None else wrapped
        known = {name: value for name, value in given.items() if name != "error"} if isinstance(given, dict) else given
        output = as_output(known, source=self.name)
        return output if output.latency_s is not None else msgspec.structs.replace(output, latency_s=elapsed)

    def _redacted(self, error: TargetError) -> TargetError:
        return TargetError(
            redact(error.message, self._secrets),
            kind=error.kind,
            retryable=error.retryable,
            retry_after_s=error.retry_after_s,
            max_attempts=error.max_attempts,
        )


def _request(number: int, call: TargetCall) -> dict[str, Json]:
    return {
        "id": number,
        "input": call.input,
        "metadata": call.metadata,
        "case_id": call.case_id,
        "trial": call.trial,
        "seed": call.seed,
    }


def _told_error(parts: Mapping[str, Json]) -> TargetError:
    """An error the program reports itself: a text, or an object with `message`."""
    told = parts["error"]
    text = told.get("message", told) if isinstance(told, Mapping) else told
    message = text if isinstance(text, str) else jsonio.encode(text).decode()
    return TargetError(
        f"the program reports: {message[:1500]}", kind="exception", retryable=parts.get("retryable") is True
    )
