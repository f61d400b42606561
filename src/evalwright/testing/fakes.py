"""A target that answers as scripted, and a scorer that always says the same."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from evalwright.core.case import Json
from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo
from evalwright.core.target import LimitKey, RateLimit, TargetCall

Answer = str | Output | BaseException
_STATIC = ScoreInfo(name="static")

Script = Answer | Sequence[Answer] | Callable[[TargetCall], Any]


@dataclass
class FakeTarget:
    """A target that answers as scripted, fails as scripted, and remembers what it was asked.

    Attributes:
        answers: By case id: a text, an `Output`, an exception to raise, a list of these (one per call for that case,
            the last one repeated), or a function of the call. Instead of the mapping, a function of every call.
        default: Answer for cases that `answers` does not name; None makes them fail as `missing`.
        delay_s: Seconds each answer takes, without blocking the event loop.
        name: Name in reports.
        limit_key: Rate limit the calls fall under.
        rate_limit: Limits to be kept.
        calls: Every call received, in order.
        running: Calls being answered now.
        most_running: The most calls ever answered at once.
        opened: How often `open` was called.
        closed: How often `close` was called.

    Example:
        >>> target = FakeTarget({"a": "yes", "b": [TargetError("busy", kind="server", retryable=True), "no"]})
    """

    answers: Mapping[str, Script] | Callable[[TargetCall], Any] = field(default_factory=dict)
    default: Answer | None = None
    delay_s: float = 0.0
    name: str = "fake"
    limit_key: LimitKey | None = None
    rate_limit: RateLimit | None = None
    calls: list[TargetCall] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    opened: int = 0
    closed: int = 0
    _seen: Counter[str] = field(default_factory=Counter)

    def describe(self) -> dict[str, Json]:
        """The scripted answers as text, so that another script is another target."""
        script = repr(sorted(self.answers.items())) if isinstance(self.answers, Mapping) else repr(self.answers)
        return {"type": "fake", "name": self.name, "answers": script, "default": repr(self.default)}

    async def open(self) -> None:
        """Count the opening."""
        self.opened += 1

    async def close(self) -> None:
        """Count the closing."""
        self.closed += 1

    async def respond(self, call: TargetCall) -> Output:
        """Answer as scripted.

        Raises:
            TargetError: Scripted so, or the script has nothing for this case.
        """
        self.calls.append(call)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await asyncio.sleep(self.delay_s)
            return self._output(self._answer(call))
        finally:
            self.running -= 1

    def _answer(self, call: TargetCall) -> Any:
        if not isinstance(self.answers, Mapping):
            return self.answers(call)
        script = self.answers.get(call.case_id, self.default)
        if callable(script):
            return script(call)
        if isinstance(script, (list, tuple)):
            turn = min(self._seen[call.case_id], len(script) - 1)
            self._seen[call.case_id] += 1
            return script[turn]
        if script is None:
            raise TargetError(f"no answer is scripted for case `{call.case_id}`", kind="missing")
        return script

    def _output(self, answer: Any) -> Output:
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Output):
            return answer
        return Output(text=str(answer), latency_s=self.delay_s)


@dataclass(frozen=True)
class StaticScorer:
    """A scorer that gives every output the same score, or raises the same error.

    Attributes:
        result: A score, a number, a verdict, or an exception to raise.
        info: What it says of itself.
    """

    result: Score | float | bool | BaseException = True
    info: ScoreInfo = _STATIC

    def score(self, ctx: ScoreContext) -> Score:  # noqa: ARG002
        """The fixed score."""
        if isinstance(self.result, BaseException):
            raise self.result
        return self.result if isinstance(self.result, Score) else Score.of(self.result)

    def describe(self) -> dict[str, Json]:
        """The fixed score as text."""
        return {"result": repr(self.result)}
