"""Figures of a growing run, with bounds that hold although it is looked at more than once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np

from evalwright.analysis.figures import value_text
from evalwright.analysis.frame import FloatArray, IntArray
from evalwright.analysis.metrics import Rows, select_rows
from evalwright.core.comparison import PairedFigure
from evalwright.core.gate import NEWLY_FAILING, Rule, RuleFigure
from evalwright.core.run import ScorerRecord
from evalwright.core.scorer import ScoreKind
from evalwright.gates.stopping import SUREST, Method, look_confidence
from evalwright.services.figures import RunFigures
from evalwright.services.gate_figures import GateFigures
from evalwright.stats import betting_cs, finite_look_levels, hypergeometric_interval
from evalwright.store.results import RunStore

Ends = tuple[float | None, float | None, str]
"""Lower bound, upper bound, method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A look at a growing run.

    Attributes:
        method: How errors are kept in check over the looks.
        number: Which look, from 0.
        counts: For a rule: the units that bear on it at each planned look, the last being all there will be.
        place: Place in the order of work of each case (its first trial), shape (cases,).
        trials: Repetitions of each case.
        units: Units looked at.
    """

    method: Method
    number: int
    counts: Callable[[Rule], tuple[int, ...]]
    place: IntArray
    trials: int
    units: int


class SequentialFigures(GateFigures):
    """Finds the figure of a rule at a look; its bounds hold at the rule's confidence over all looks together.

    `LOOKS` and `ALWAYS` make the usual bounds surer, as much as the looks ask for. With `SUITE`, shares of independent
    cases get exact bounds and means betting ones, both without replacement; percentiles, corpus metrics, clusters and
    repeated trials use planned looks.
    """

    def __init__(
        self,
        run: RunStore,
        figures: RunFigures,
        look: Look,
        *,
        baseline: RunStore | None = None,
        quarantined: frozenset[str] = frozenset(),
    ) -> None:
        super().__init__(run, figures, baseline=baseline, quarantined=quarantined)
        self._look = look

    def __call__(self, rule: Rule) -> RuleFigure | None:
        """The figure of a rule at this look; None when it has none, or nothing new bears on the rule."""
        if rule.metric == NEWLY_FAILING:
            return super().__call__(rule)
        confidence = look_confidence(self._look.method, self._look.counts(rule), self._look.number, rule.confidence)
        if confidence is None:
            return None
        found = super().__call__(msgspec.structs.replace(rule, confidence=confidence))
        if found is None or self._look.method is not Method.SUITE:
            return found
        return self._otherwise(rule, found)

    def _counting(self, members: IntArray | None) -> IntArray | None:
        """Only pairs the look can see: the rest of the run is still to come."""
        found = super()._counting(members)
        found = np.arange(self.pairs.pairs) if found is None else found
        return found[self._look.place[self.pairs.alignment.candidate[found]] < self._look.units]

    def _otherwise(self, rule: Rule, found: RuleFigure) -> RuleFigure:
        """With the bounds of another method, where that can be used."""
        if rule.versus is not None:
            ends = None if found.paired is None else self._paired_ends(rule)
            if ends is None or found.paired is None:
                return found
            low, high, method = ends
            paired: PairedFigure = msgspec.structs.replace(
                found.paired, lower=low, upper=high, method=method, confidence=rule.confidence
            )
            return msgspec.structs.replace(found, paired=paired)
        ends = self._own_ends(rule)
        return found if ends is None else msgspec.structs.replace(found, low=ends[0], high=ends[1], method=ends[2])

    def _plain(self, rule: Rule, record: ScorerRecord) -> bool:
        """Whether exact sampling without replacement applies: one trial, independent cases, a mean with limits."""
        single = self._look.trials == 1 and self._all.frame.clusters is None
        limited = record.low is not None and record.high is not None
        return single and limited and rule.statistic == "mean" and record.kind != ScoreKind.CORPUS.value

    def _own_ends(self, rule: Rule) -> Ends | None:
        column = next((c for c in self._columns(rule.metric) if c.record.metric == rule.metric), None)
        if column is None or not self._plain(rule, column.record):
            return None
        members = self._members(rule)
        rows = select_rows(column, self._all.frame, np.empty(0, dtype=np.int64), members)
        if rows.is_proportion:
            return self._exact(rule, rows)
        values = rows.value[np.argsort(self._look.place[rows.case], kind="stable")]
        return self._running(rule, values, _limits(column.record))

    def _exact(self, rule: Rule, rows: Rows) -> Ends:
        counts = self._look.counts(rule)
        total = max(counts[-1], len(rows.value))
        shares = sorted({count / counts[-1] for count in counts if count})
        levels = finite_look_levels(shares, level=2.0 * rule.confidence - 1.0)
        level = min(0.5 + levels[shares.index(counts[self._look.number] / counts[-1])] / 2.0, SUREST)
        passes, n = int(rows.value.sum()), len(rows.value)
        lower = hypergeometric_interval(passes, n, total, level=level, side="lower")
        upper = hypergeometric_interval(passes, n, total, level=level, side="upper")
        return lower.low, upper.high, "hypergeometric"

    def _paired_ends(self, rule: Rule) -> Ends | None:
        rows = self.pairs.rows(rule.metric)
        if not self._plain(rule, rows.record):
            return None
        members = self._counting(self.pairs.members(rule.slice)[0])
        chosen = rows if members is None else rows.within(members)
        order = np.argsort(self._look.place[self.pairs.alignment.candidate[chosen.pair]], kind="stable")
        low, high = _limits(chosen.record)
        return self._running(rule, chosen.difference[order], (low - high, high - low))

    def _running(self, rule: Rule, values: FloatArray, bounds: tuple[float, float]) -> Ends:
        total = max(self._look.counts(rule)[-1], len(values))
        ci = betting_cs(values, bounds=bounds, level=rule.confidence, population=total)
        return ci.low, ci.high, ci.method

    def _members(self, rule: Rule) -> IntArray | None:
        if not rule.slice:
            return None
        found = np.ones(self._all.frame.size, dtype=np.bool_)
        for name, value in rule.slice.items():
            found &= self._all.frame.mask(name, value_text(value))
        return np.flatnonzero(found)


def _limits(record: ScorerRecord) -> tuple[float, float]:
    assert record.low is not None
    assert record.high is not None
    return record.low, record.high
