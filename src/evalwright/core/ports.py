"""What the outside must provide: cases, clocks, ears."""

from __future__ import annotations

import time
from typing import Protocol, runtime_checkable

import msgspec

from evalwright.core.case import Case
from evalwright.core.run import UnitRecord


@runtime_checkable
class CaseSource(Protocol):
    """Cases that may be too many to hold at once: read one at a time by index, in any order."""

    @property
    def digest(self) -> str:
        """Content hash of all the cases in order."""
        ...

    def __len__(self) -> int:
        """Number of cases."""
        ...

    def __getitem__(self, index: int, /) -> Case:
        """The case at an index from 0."""
        ...


class Clock(Protocol):
    """Time, so that tests need no patch."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time()

    def monotonic(self) -> float:
        """Seconds of a clock that never goes back."""
        return time.monotonic()


class Progress(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run stands, for whoever shows it.

    Attributes:
        units: Units planned.
        done: Units recorded, those of an earlier sitting included.
        errored: Units that failed for good.
        in_flight: Units being worked on.
        cached: Units answered from the cache.
        cost: So far, None when unknown.
        elapsed_s: Seconds of this sitting.
        rate: Units per second of late.
        eta_s: Seconds left, None when it can't be told.
        running: Running mean of each metric.
    """

    units: int
    done: int = 0
    errored: int = 0
    in_flight: int = 0
    cached: int = 0
    cost: float | None = None
    elapsed_s: float = 0.0
    rate: float = 0.0
    eta_s: float | None = None
    running: dict[str, float] = {}


class RunListener(Protocol):
    """Ears of a run. Both methods must return quickly; what they raise ends the run."""

    def on_unit(self, record: UnitRecord) -> None:
        """A unit was recorded."""
        ...

    def on_progress(self, progress: Progress) -> None:
        """Called about four times a second, and once at the end."""
        ...
