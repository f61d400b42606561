"""From an output to its scores: every scorer is called, and whatever it does becomes a `Score`."""

from __future__ import annotations

import asyncio
import inspect
import math
from collections.abc import Awaitable, Sequence
from typing import Any

import msgspec

from evalwright.core.score import Score, ScoreStatus
from evalwright.core.scorer import BoundScorer, ScoreContext, as_score
from evalwright.engine.alarm import Alarm, TooLong
from evalwright.engine.attempt import clipped


class Scorers:
    """The scorers of a run."""

    def __init__(self, bound: Sequence[BoundScorer], *, timeout_s: float, alarm: Alarm | None = None) -> None:
        """Take the scorers; each may take `timeout_s` seconds a row, plain ones where an alarm can interrupt them."""
        self._bound = tuple(bound)
        self._timeout_s = timeout_s
        self._alarm = alarm or Alarm()

    async def score(self, context: ScoreContext) -> dict[str, Score]:
        """Scores by metric, in the order of the scorers; asynchronous scorers run at the same time."""
        scores: dict[str, Score] = {}
        waiting: list[tuple[BoundScorer, Awaitable[Any]]] = []
        for bound in self._bound:
            result = self._call(bound, context)
            if inspect.isawaitable(result):
                waiting.append((bound, result))
                scores[bound.metric] = _PENDING
            else:
                scores[bound.metric] = finished(bound, result)
        if waiting:
            results = await asyncio.gather(*(self._wait(bound, result) for bound, result in waiting))
            scores.update({bound.metric: score for (bound, _), score in zip(waiting, results, strict=True)})
        return scores

    def _call(self, bound: BoundScorer, context: ScoreContext) -> Any:
        try:
            self._alarm.set(self._timeout_s)
            try:
                return bound.scorer.score(context)
            finally:
                self._alarm.clear()
        except TooLong:
            return self._too_long(bound)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - a scorer is foreign code
            return failure(bound, error)

    def _too_long(self, bound: BoundScorer) -> Score:
        return Score.failure(f"{bound.metric}: no verdict within {self._timeout_s:g} s")

    async def _wait(self, bound: BoundScorer, result: Awaitable[Any]) -> Score:
        try:
            async with asyncio.timeout(self._timeout_s) as timer:
                return finished(bound, await result)
        except Exception as error:  # noqa: BLE001 - a scorer is foreign code
            return self._too_long(bound) if timer.expired() else failure(bound, error)


_PENDING = Score.failure("not finished")


def failure(bound: BoundScorer, error: BaseException) -> Score:
    """The score of a row on which the scorer failed."""
    return Score.failure(clipped(f"{bound.metric}: {type(error).__name__}: {error}"))


def finished(bound: BoundScorer, result: object) -> Score:
    """What a scorer returned, checked, turned round where the suite says so, and with its row verdict."""
    try:
        score = _checked(as_score(result))
    except Exception as error:  # noqa: BLE001 - a scorer may have put anything into its score
        return failure(bound, error)
    if score.status is not ScoreStatus.SCORED:
        return score
    if bound.negate:
        score = _negated(bound, score)
    if bound.threshold is not None and score.passed is None and score.value is not None:
        return msgspec.structs.replace(score, passed=_passes(bound, score.value, bound.threshold))
    return score


def _checked(score: Score) -> Score:
    """The score itself.

    Raises:
        ValueError: A number in it is missing, NaN or infinite.
    """
    if score.status is not ScoreStatus.SCORED:
        return score
    if score.value is None and not score.stats and score.label is None:
        raise ValueError("a score without a value: use Score.skip or Score.failure")
    for number in (score.value, *score.parts.values(), *score.stats):
        if number is not None and not math.isfinite(number):
            raise ValueError(f"a score must be a finite number, not {number}")
    return score


def _negated(bound: BoundScorer, score: Score) -> Score:
    passed = None if score.passed is None else not score.passed
    if score.value is None:
        return msgspec.structs.replace(score, passed=passed)
    low, high = bound.info.low, bound.info.high
    if low is None or high is None:
        return Score.failure(f"{bound.metric}: a scorer without bounds can't be negated")
    return msgspec.structs.replace(score, value=low + high - score.value, passed=passed)


def _passes(bound: BoundScorer, value: float, threshold: float) -> bool:
    return value <= threshold if bound.info.higher_is_better is False else value >= threshold
