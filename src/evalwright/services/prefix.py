"""The beginning of a run's random order, kept in memory while the run goes on, in the shape of a stored run.

Answers come back in the order they are finished, which is no random order: fast answers come first. So the records are
put at their places in the seeded order of work, and only a beginning without gaps is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import msgspec
import numpy as np

from evalwright.core.run import Manifest, ScorerRecord, UnitRecord
from evalwright.core.score import Score, ScoreStatus
from evalwright.engine.plan import work_order
from evalwright.store.columns import ABSENT, STATUS_CODES, IntArray, ScoreColumns, UnitColumns, stacked_stats
from evalwright.store.results import RunStore


class _Row(msgspec.Struct, frozen=True):
    """What figures need of a record; outputs are not kept."""

    answered: bool
    scores: dict[str, tuple[float, int, int, tuple[float, ...]]]
    latency_s: float
    input_tokens: float
    output_tokens: float
    cost: float
    calls: int


class Arrivals:
    """Records by their place in the order of work, and how far they go without a gap.

    Args:
        run: The run they belong to.
        seed: Seed of its order of work.
        trials: Repetitions of each case.
    """

    def __init__(self, run: RunStore, *, seed: int, trials: int) -> None:
        self.run = run
        self.trials = trials
        self.order = work_order(len(run.cases) * trials, seed)
        """By place: case index times trials plus trial."""
        self._rows: list[_Row | None] = [None] * len(self.order)
        self.complete = 0
        """Units from the first on that are all there."""

    def __len__(self) -> int:
        return len(self.order)

    def add(self, record: UnitRecord) -> None:
        """Put a record at its place; one that answers a failed one replaces it."""
        self._rows[record.position] = _row(record)
        while self.complete < len(self._rows) and self._rows[self.complete] is not None:
            self.complete += 1

    def case_of(self, places: slice) -> IntArray:
        """Case index of each unit at these places."""
        return (self.order[places] // self.trials).astype(np.int64)

    def first(self, units: int) -> PrefixRun:
        """The first units of the order, as a run.

        Args:
            units: How many, at most `complete`.
        """
        rows = [row for row in self._rows[:units] if row is not None]
        return PrefixRun(self.run, self.order[:units], self.trials, rows)


def _row(record: UnitRecord) -> _Row:
    output = record.output
    usage = output.usage if output is not None else None
    scores = {name: one for metric, score in record.scores.items() for name, one in _scores(metric, score)}
    return _Row(
        answered=output is not None,
        scores=scores,
        latency_s=_number(output.latency_s if output else None),
        input_tokens=_number(usage.input_tokens if usage else None),
        output_tokens=_number(usage.output_tokens if usage else None),
        cost=_number(output.cost if output else None),
        calls=record.calls + record.judge_calls,
    )


def _scores(metric: str, score: Score) -> Iterable[tuple[str, tuple[float, int, int, tuple[float, ...]]]]:
    status = STATUS_CODES[score.status.value]
    scored = score.status is ScoreStatus.SCORED
    verdict = -1 if score.passed is None else int(score.passed)
    yield metric, (_number(score.value if scored else None), status, verdict, score.stats)
    for part, value in score.parts.items():
        yield f"{metric}.{part}", (value, status, -1, ())


def _number(value: float | None) -> float:
    return float("nan") if value is None else float(value)


_NO_SCORE = (float("nan"), ABSENT, -1, ())


class PrefixRun:
    """The first units of a run; answers what figures ask of a `RunStore`."""

    def __init__(self, run: RunStore, order: IntArray, trials: int, rows: list[_Row]) -> None:
        self._run = run
        self.folder = run.folder
        self.run_id = run.run_id
        self.cases = run.cases
        self._case = (order // trials).astype(np.int64)
        self._trial = (order % trials).astype(np.int64)
        self._rows = rows

    def manifest(self) -> Manifest:
        """What is run."""
        return self._run.manifest()

    def summary(self) -> None:
        """There is none yet."""
        return

    def scorers(self) -> tuple[ScorerRecord, ...]:
        """The scorers."""
        return self._run.scorers()

    @cached_property
    def _answered(self) -> IntArray:
        return np.flatnonzero(np.array([row.answered for row in self._rows], dtype=np.bool_))

    @cached_property
    def _names(self) -> dict[str, None]:
        return dict.fromkeys(name for row in self._rows for name in row.scores)

    def metrics(self) -> list[str]:
        """Metrics with at least one row."""
        own = {record.metric for record in self.scorers()}
        return [name for name in self._names if name in own]

    def parts(self, metric: str) -> list[str]:
        """Names of a metric's parts."""
        return [name.removeprefix(f"{metric}.") for name in self._names if name.startswith(f"{metric}.")]

    def columns(self, metric: str) -> ScoreColumns:
        """The scores of a metric over the answered units, in the order of work."""
        chosen = [self._rows[int(place)].scores.get(metric, _NO_SCORE) for place in self._answered]
        lists = np.empty(len(chosen), dtype=object)
        lists[:] = [one[3] for one in chosen]
        return ScoreColumns(
            metric=metric,
            case=self._case[self._answered],
            trial=self._trial[self._answered],
            position=self._answered,
            value=np.array([one[0] for one in chosen], dtype=np.float64),
            status=np.array([one[1] for one in chosen], dtype=np.int8),
            passed=np.array([one[2] for one in chosen], dtype=np.int8),
            stats=stacked_stats(lists) if any(one[3] for one in chosen) else None,
        )

    def unit_columns(self) -> UnitColumns:
        """What the units took, in the order of work."""
        size = len(self._rows)
        unknown = np.full(size, np.nan)
        return UnitColumns(
            case=self._case,
            trial=self._trial,
            position=np.arange(size, dtype=np.int64),
            errored=np.array([not row.answered for row in self._rows], dtype=np.bool_),
            cached=np.zeros(size, dtype=np.bool_),
            latency_s=self._measured("latency_s"),
            first_token_s=unknown,
            duration_s=unknown,
            started_at=unknown,
            input_tokens=self._measured("input_tokens"),
            output_tokens=self._measured("output_tokens"),
            cost=self._measured("cost"),
            calls=self._measured("calls").astype(np.int64),
        )

    def _measured(self, name: str) -> Any:
        return np.array([getattr(row, name) for row in self._rows], dtype=np.float64)
