"""A Python function, sync or async, as the system under test."""

from __future__ import annotations

import asyncio
import functools
import inspect
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from pydantic import Field

from evalwright.core.case import Json
from evalwright.core.component import BindContext
from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.target import LimitKey, RateLimit, Target, TargetCall
from evalwright.targets.answers import as_output
from evalwright.targets.callables import (
    code_digest,
    exception_error,
    is_async,
    load_callable,
    read_signature,
)
from evalwright.targets.options import RateLimitOption, TargetOptions
from evalwright.targets.threads import ThreadPool


class PythonTargetOptions(TargetOptions):
    """A Python function, sync or async, in a module or file of your own.

    It is called with the case's input, or with the whole `TargetCall` when its first parameter is named `call` or
    annotated so; parameters named `trial`, `seed`, `metadata` and `case_id` are passed where declared. It returns a
    text, a mapping of output fields (`text`, `contexts`, `citations`, `usage` …) or an `Output`.
    """

    callable: str = Field(description="`module:function` or `file.py:function`; a class is made without arguments.")
    path: str = Field(".", description="Folder to import modules and files from, relative to the suite file.")
    rate_limit: RateLimitOption = Field(None, description="Limit of calls, e.g. `300/min`; none by default.")
    threads: int = Field(1024, ge=1, le=10_000, description="Threads at most for a synchronous function.")

    def bind(self, context: BindContext) -> Target:
        """Import the function.

        Raises:
            ConfigError: It can't be imported or can't be called with an input.
        """
        function = load_callable(self.callable, folder=context.base_dir / Path(self.path))
        if isinstance(function, Target):
            return function
        return PythonTarget(function, name=self.callable, rate_limit=self.rate_limit, threads=self.threads)


class PythonTarget:
    """Calls a function for each case; a synchronous one in a thread, so that the event loop never waits for it.

    Args:
        function: The function; see `PythonTargetOptions` for how it is called and what it returns.
        name: For reports; the function's own by default.
        rate_limit: Limit of calls.
        threads: Threads at most for a synchronous function.

    Raises:
        ConfigError: The function can't be called with an input.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        rate_limit: RateLimit | None = None,
        threads: int = 1024,
    ) -> None:
        self.function = function
        self._name = name or _name_of(function)
        self._rate_limit = rate_limit
        self._signature = read_signature(function, self._name)
        self._async = is_async(function)
        self._pool = ThreadPool(threads)

    @property
    def name(self) -> str:
        """`module:function` as given, or the function's own name."""
        return self._name

    @property
    def limit_key(self) -> LimitKey | None:
        """One limit for the function when the user gave one; otherwise none."""
        return LimitKey("python", self._name) if self._rate_limit else None

    @property
    def rate_limit(self) -> RateLimit | None:
        """The limit given."""
        return self._rate_limit

    def describe(self) -> dict[str, Json]:
        """The function's name and a hash of the file it is written in."""
        return {"type": "python", "callable": self._name, "code": code_digest(self.function)}

    async def open(self) -> None:
        """Nothing to do."""

    async def close(self) -> None:
        """Let the threads end."""
        self._pool.close()

    async def respond(self, call: TargetCall) -> Output:
        """Call the function.

        Raises:
            TargetError: It raised (kind `exception`, with type, message and place) or returned a wrong type.
        """
        start = time.perf_counter()
        answer = await self._call(call)
        elapsed = time.perf_counter() - start
        output = as_output(answer, source=self._name)
        return output if output.latency_s is not None else msgspec.structs.replace(output, latency_s=elapsed)

    async def _call(self, call: TargetCall) -> Any:
        argument, extras = self._signature.arguments(call)
        try:
            if self._async:
                return await self.function(argument, **extras)
            answer = await self._pool.run(functools.partial(self.function, argument, **extras))
            return await answer if inspect.isawaitable(answer) else answer
        except asyncio.CancelledError:
            if _asked_to_stop():
                raise
            raise TargetError(f"{self._name} cancelled itself", kind="exception") from None
        except Exception as error:
            raise exception_error(error, self._name) from error
        except SystemExit as error:
            raise TargetError(f"{self._name} called exit({error.code})", kind="exception") from error


def _asked_to_stop() -> bool:
    task = asyncio.current_task()
    return task is None or task.cancelling() > 0


def _name_of(function: Callable[..., Any]) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    return str(getattr(function, "__qualname__", None) or type(function).__name__)
