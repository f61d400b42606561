"""What the engine is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
import numpy as np
import numpy.typing as npt

from evalwright.core.errors import EvalwrightError
from evalwright.core.media import Contents
from evalwright.core.output import Output
from evalwright.core.ports import CaseSource, Clock, RunListener, SystemClock
from evalwright.core.run import RunSettings, RunStatus
from evalwright.core.scorer import BoundScorer
from evalwright.core.target import Target
from evalwright.engine.cache import AnswerCache

IndexArray = npt.NDArray[np.int64]


class StopRun(EvalwrightError):
    """Raised by a run's listener to end the run in good order: work in flight is finished and recorded.

    Attributes:
        status: What the run ends as.
    """

    def __init__(self, message: str, *, status: RunStatus = RunStatus.STOPPED) -> None:
        super().__init__(message)
        self.status = status


class UnitEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """What one unit is expected to spend, reserved before its first call; corrected as answers come in.

    Attributes:
        calls: Calls, those of the judges included.
        tokens: Tokens, those of the judges included.
        cost: Money, that of the judges included.
    """

    calls: float = 1.0
    tokens: float = 0.0
    cost: float = 0.0


class Resource(Protocol):
    """Something a run needs open in each of its processes, such as a judge's connections."""

    async def open(self) -> None:
        """Acquire it."""
        ...

    async def close(self) -> None:
        """Release it; safe to call twice."""
        ...


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """A run as the engine sees it. What the run's folder already holds is kept, and only the rest is run.

    Attributes:
        run_dir: Folder of the run, which must exist: journal, lock, state.
        cases: The cases; read one at a time, by several processes when there are several workers.
        target: The system under test.
        settings: How to run.
        target_digest: Content hash of the target's configuration, part of idempotency and cache keys.
        selection: Indices of the cases to use, shape (selected,); all of them when None.
        scorers: The scorers with their metrics.
        services: Named helpers for scorers; the engine adds `meter`, through which they call models.
        resources: What scorers and services need open while the run lasts.
        listeners: Ears of the run.
        cache: Stored answers; used as `settings.cache` says.
        price: Cost of an answer that does not name its own; None when it can't be told.
        clock: Time.
        estimate: What a unit is expected to spend, for the budget.
        retry_errored: Run units again that failed for good in an earlier sitting.
        media: Where pictures, sound and documents of cases and answers are kept; None when there are none.
    """

    run_dir: Path
    cases: CaseSource
    target: Target
    settings: RunSettings = RunSettings()
    target_digest: str = ""
    selection: IndexArray | None = None
    scorers: tuple[BoundScorer, ...] = ()
    services: dict[str, Any] = {}
    resources: tuple[Resource, ...] = ()
    listeners: tuple[RunListener, ...] = ()
    cache: AnswerCache | None = None
    price: Callable[[Output], float | None] | None = None
    clock: Clock = SystemClock()
    estimate: UnitEstimate = UnitEstimate()
    retry_errored: bool = False
    media: Contents | None = None


class LimitChange(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A rate limit was set or changed during the run.

    Attributes:
        at: Seconds since the epoch.
        provider: Of the limit's key.
        model: Of the limit's key.
        what: `requests` or `tokens` (per minute), or `pause` (seconds).
        old: Before; None when there was no limit.
        new: After; None when the limit was lifted.
        reason: Why, in a few words.
    """

    at: float
    provider: str
    model: str = ""
    what: str = "requests"
    old: float | None = None
    new: float | None = None
    reason: str = ""


class Ending(msgspec.Struct, frozen=True, kw_only=True):
    """How one process ended: with the changes of limits it saw."""

    status: RunStatus
    reason: str = ""
    limits: tuple[LimitChange, ...] = ()


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a sitting ended. Totals are not here: they are always recomputed from the recorded units.

    Attributes:
        status: Where the run stands now.
        reason: Why it stopped before its end; empty when it did not.
        units: Units planned.
        recorded: Units recorded, those of earlier sittings included.
        fresh: Units recorded in this sitting.
        started_at: Start of the sitting, seconds since the epoch.
        duration_s: Wall seconds of the sitting.
        limits: Changes of rate limits, in order.
        damaged: Journal lines of earlier sittings that could not be read; their units were run again.
    """

    status: RunStatus
    reason: str = ""
    units: int = 0
    recorded: int = 0
    fresh: int = 0
    started_at: float = 0.0
    duration_s: float = 0.0
    limits: tuple[LimitChange, ...] = ()
    damaged: tuple[str, ...] = ()
