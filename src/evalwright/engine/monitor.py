"""Ears of a run: counts what is recorded, tells the listeners, and says when there are too many errors."""

from __future__ import annotations

import math
from collections.abc import Sequence

from evalwright.core.ports import Clock, Progress, RunListener
from evalwright.core.run import UnitRecord
from evalwright.core.score import ScoreStatus
from evalwright.core.target import helpers_of
from evalwright.engine.job import StopRun

ERRORS_FROM = 50
"""Units recorded before the share of errors is looked at."""
_RATE_SPAN_S = 10.0


class Tally:
    """Running counts, for progress only: a run's totals are always recomputed from its rows."""

    def __init__(self, units: int) -> None:
        self.units = units
        self.done = 0
        self.errored = 0
        self.cached = 0
        self.calls = 0
        self.tokens = 0
        self.cost: float | None = None
        self._sums: dict[str, list[float]] = {}

    def add(self, record: UnitRecord) -> None:
        """Count one recorded unit."""
        self.done += 1
        self.calls += record.calls + record.judge_calls
        output = record.output
        if output is None:
            self.errored += 1
        elif record.cached:
            self.cached += 1
        else:
            if output.usage is not None:
                self.tokens += output.usage.total_tokens
            self._pay(output.cost)
            helpers = helpers_of(output)
            if helpers is not None:
                self.calls += helpers.calls
                self.tokens += helpers.tokens
                self._pay(helpers.cost)
        self._pay(record.judge_cost)
        if record.judge_usage is not None:
            self.tokens += record.judge_usage.total_tokens
        self._add_scores(record)

    def _pay(self, cost: float | None) -> None:
        if cost is not None and math.isfinite(cost):
            self.cost = cost + (self.cost or 0.0)

    def _add_scores(self, record: UnitRecord) -> None:
        for metric, score in record.scores.items():
            if score.value is not None and score.status is ScoreStatus.SCORED:
                sums = self._sums.setdefault(metric, [0.0, 0.0])
                sums[0] += score.value
                sums[1] += 1

    def means(self) -> dict[str, float]:
        """Mean of each metric over the rows scored so far."""
        return {metric: total / n for metric, (total, n) in self._sums.items()}


class Monitor:
    """Follows the records of a run, from wherever they are made."""

    def __init__(self, tally: Tally, listeners: Sequence[RunListener], *, max_errors: float, clock: Clock) -> None:
        """Follow a run.

        Args:
            tally: Counts of earlier sittings.
            listeners: Told of every record and of the progress.
            max_errors: Share of failed units above which the run is to stop.
            clock: Time.
        """
        self.tally = tally
        self.earlier = tally.done
        self._listeners = tuple(listeners)
        self._max_errors = max_errors
        self._clock = clock
        self._start = clock.monotonic()
        self._marks = [(self._start, tally.done)]

    @property
    def fresh(self) -> int:
        """Units recorded in this sitting."""
        return self.tally.done - self.earlier

    @property
    def elapsed_s(self) -> float:
        """Seconds of this sitting."""
        return self._clock.monotonic() - self._start

    def record(self, record: UnitRecord) -> None:
        """A unit was recorded.

        Raises:
            StopRun: Too many units failed, or a listener wants the run to end.
        """
        self.tally.add(record)
        for listener in self._listeners:
            listener.on_unit(record)
        done, errored = self.tally.done, self.tally.errored
        if record.output is None and done >= ERRORS_FROM and errored > self._max_errors * done:
            raise StopRun(f"{errored} of {done} units failed, more than the allowed share of {self._max_errors:g}")

    def progress(self, in_flight: int) -> None:
        """Tell the listeners where the run stands.

        Raises:
            StopRun: A listener wants the run to end.
        """
        progress = self.snapshot(in_flight)
        for listener in self._listeners:
            listener.on_progress(progress)

    def snapshot(self, in_flight: int) -> Progress:
        """Where the run stands."""
        tally, rate = self.tally, self._rate()
        return Progress(
            units=tally.units,
            done=tally.done,
            errored=tally.errored,
            in_flight=in_flight,
            cached=tally.cached,
            cost=tally.cost,
            elapsed_s=self.elapsed_s,
            rate=rate,
            eta_s=(tally.units - tally.done) / rate if rate > 0 else None,
            running=tally.means(),
        )

    def _rate(self) -> float:
        """Units per second over the last ten seconds or so."""
        now = self._clock.monotonic()
        self._marks.append((now, self.tally.done))
        while len(self._marks) > 2 and self._marks[1][0] < now - _RATE_SPAN_S:
            self._marks.pop(0)
        since, done = self._marks[0]
        return (self.tally.done - done) / (now - since) if now > since else 0.0
