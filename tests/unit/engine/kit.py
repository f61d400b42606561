"""Real small targets, scorers and jobs for the engine's tests."""

from __future__ import annotations

import asyncio
import hashlib
import os
import threading
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from evalwright.core.case import Case
from evalwright.core.errors import TargetError
from evalwright.core.output import Output, Usage
from evalwright.core.ports import Progress
from evalwright.core.run import RunSettings, UnitRecord
from evalwright.core.scorer import BoundScorer, ScoreContext, scorer
from evalwright.core.target import LimitKey, RateLimit, TargetCall
from evalwright.engine import Job
from evalwright.store.journal import read_run, segments


class Cases(list[Case]):
    """Cases in memory."""

    @property
    def digest(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()


def cases(n: int) -> Cases:
    return Cases(Case(id=f"q{i}", input=f"question {i}", expected=f"answer {i % 5}") for i in range(n))


class FunctionTarget:
    """A target made of an async function; counts its calls."""

    def __init__(
        self,
        respond: Callable[[TargetCall], Awaitable[Any]],
        *,
        limit_key: LimitKey | None = None,
        rate_limit: RateLimit | None = None,
    ) -> None:
        self._respond = respond
        self.limit_key = limit_key
        self.rate_limit = rate_limit
        self.name = "function"
        self.calls: list[TargetCall] = []
        self.answered: Counter[tuple[str, int]] = Counter()
        self.opened = self.closed = 0

    def describe(self) -> dict[str, Any]:
        return {"type": "function"}

    async def open(self) -> None:
        self.opened += 1

    async def close(self) -> None:
        self.closed += 1

    async def respond(self, call: TargetCall) -> Output:
        self.calls.append(call)
        output: Output = await self._respond(call)
        self.answered[call.case_id, call.trial] += 1
        return output


async def echo(call: TargetCall) -> Output:
    """Right for one case in five or so, the same whenever asked."""
    return Output(text=f"answer {call.seed % 5 if call.seed else 0}", usage=Usage(input_tokens=10, output_tokens=2))


def slow(seconds: float) -> Callable[[TargetCall], Awaitable[Output]]:
    async def respond(call: TargetCall) -> Output:
        await asyncio.sleep(seconds)
        return await echo(call)

    return respond


def failing(kind: str, *, times: int, **fields: Any) -> Callable[[TargetCall], Awaitable[Output]]:
    """Fails the first `times` attempts at every unit."""

    async def respond(call: TargetCall) -> Output:
        if call.attempt <= times:
            raise TargetError(f"{kind} at attempt {call.attempt}", kind=kind, **fields)
        return await echo(call)

    return respond


@scorer("exact")
def exact(ctx: ScoreContext) -> bool:
    return bool(ctx.output.text == ctx.case.expected)


EXACT = BoundScorer(scorer=exact, metric="exact")


class Ears:
    """Remembers what a run told."""

    def __init__(self) -> None:
        self.units: list[UnitRecord] = []
        self.progress: list[Progress] = []

    def on_unit(self, record: UnitRecord) -> None:
        self.units.append(record)

    def on_progress(self, progress: Progress) -> None:
        self.progress.append(progress)


def job(run_dir: Path, target: Any, n: int | Sequence[Case] = 20, **fields: Any) -> Job:
    settings = RunSettings(**fields.pop("settings", {}))
    source = cases(n) if isinstance(n, int) else Cases(n)
    fields.setdefault("scorers", (EXACT,))
    return Job(run_dir=run_dir, cases=source, target=target, settings=settings, target_digest="t" * 64, **fields)


def records(run_dir: Path) -> dict[tuple[str, int], UnitRecord]:
    return {(record.case_id, record.trial): record for record in read_run(run_dir)}


def comparable(run_dir: Path) -> dict[tuple[str, int], Any]:
    """What a run found, without its timings."""
    found = {}
    for key, record in records(run_dir).items():
        output = record.output
        text = None if output is None else (output.text, output.usage, output.cost)
        found[key] = (record.case_hash, record.position, text, record.error, record.scores)
    return found


def recorded(run_dir):
    """Whether a run has recorded anything yet."""
    return any(path.stat().st_size for path in segments(run_dir))


def signal_when(ready, *numbers):
    """Send this process signals, a tenth of a second apart, once `ready()` is true; returns the thread that does."""

    def send():
        wait = threading.Event()
        for _ in range(400):
            if ready():
                break
            wait.wait(0.05)
        for number in numbers:
            os.kill(os.getpid(), number)
            wait.wait(0.1)

    thread = threading.Thread(target=send)
    thread.start()
    return thread
