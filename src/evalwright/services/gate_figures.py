"""The figures gate rules look at, in a run and against its baseline; quarantined cases left out."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

import msgspec
import numpy as np

from evalwright.analysis.difference import PairOptions
from evalwright.analysis.figures import rule_figure, slice_label
from evalwright.analysis.frame import BoolArray, IntArray, MetricColumn
from evalwright.analysis.paired import paired_figure
from evalwright.core.estimate import Estimate
from evalwright.core.gate import NEWLY_FAILING, NewlyFailing, Rule, RuleFigure
from evalwright.services.figures import RunFigures
from evalwright.services.pairing import PairedRuns
from evalwright.services.run_columns import ERRORS, RunColumns
from evalwright.store.results import RunStore

NAMED = 10
"""So many newly failing cases are named."""


class GateFigures:
    """Finds the figure of a rule; to be called with one.

    Args:
        run: The run that is judged.
        figures: Its columns.
        baseline: The run to compare with, None when there is none.
        quarantined: Ids of cases that do not count.
    """

    def __init__(
        self,
        run: RunStore,
        figures: RunFigures,
        *,
        baseline: RunStore | None = None,
        quarantined: frozenset[str] = frozenset(),
    ) -> None:
        self._run = run
        self._all = figures
        self._baseline = baseline
        self.left_out = _indices(run, quarantined)
        """Case indices that do not count, ascending."""

    def __call__(self, rule: Rule) -> RuleFigure | None:
        """The figure of a rule; None when the run has no such metric."""
        if rule.metric == NEWLY_FAILING:
            return self._newly(rule)
        found = self._absolute(rule)
        if found is None or rule.versus is None or self._baseline is None:
            return found
        return self._versus(rule, found)

    def _absolute(self, rule: Rule) -> RuleFigure | None:
        figures = self._figures
        errored = np.empty(0, dtype=np.int64) if rule.metric == ERRORS else figures.errored
        found = rule_figure(rule, self._columns(rule.metric), figures.frame, errored, level=figures.level)
        return found and msgspec.structs.replace(found, estimate=figures.labelled(found.estimate))

    @cached_property
    def _figures(self) -> RunFigures:
        if not len(self.left_out):
            return self._all
        kept = self._all.errored[~np.isin(self._all.errored, self.left_out)]
        return replace(self._all, columns=tuple(_without(c, self.left_out) for c in self._all.columns), errored=kept)

    def _columns(self, metric: str) -> tuple[MetricColumn, ...]:
        """The scored columns, with those every run has where no scorer makes the metric."""
        scored = self._figures.columns
        if any(column.record.metric == metric for column in scored):
            return scored
        found = RunColumns(self._run).columns.get(metric)
        return scored if found is None else (*scored, _without(found, self.left_out))

    # --- against the baseline -----------------------------------------------------------------------------------

    @cached_property
    def pairs(self) -> PairedRuns:
        """The run and its baseline, case by case."""
        assert self._baseline is not None
        aggregates = {c.record.metric: c.aggregate for c in self._all.columns if c.aggregate is not None}
        return PairedRuns.of(self._baseline, self._run, aggregates=aggregates)

    def _versus(self, rule: Rule, found: RuleFigure) -> RuleFigure:
        pairs = self.pairs
        if rule.metric not in pairs.metrics:
            return msgspec.structs.replace(found, missing=self._why_not(rule.metric))
        members, label = pairs.members(rule.slice)
        options = PairOptions(level=self._all.level, confidence=rule.confidence, detail=False)
        chosen = self._counting(members)
        paired = paired_figure(
            pairs.rows(rule.metric), options, members=chosen, slice_label=label, statistic=rule.statistic
        )
        return msgspec.structs.replace(found, paired=paired)

    def _why_not(self, metric: str) -> str:
        if metric in self.pairs.differently_scored:
            return f"`{metric}` was scored in another way in the baseline run: score that run again, or take another"
        return f"the baseline run has no metric `{metric}`"

    def _counting(self, members: IntArray | None) -> IntArray | None:
        if not len(self.left_out):
            return members
        members = np.arange(self.pairs.pairs) if members is None else members
        return members[~np.isin(self.pairs.alignment.candidate[members], self.left_out)]

    # --- newly failing ------------------------------------------------------------------------------------------

    def _newly(self, rule: Rule) -> RuleFigure:
        bare = RuleFigure(estimate=Estimate(metric=NEWLY_FAILING, value=None, slice=slice_label(rule.slice)))
        if self._baseline is None:
            return bare
        metrics = self._judging(rule)
        if not metrics:
            return msgspec.structs.replace(bare, missing="no scorer that counts here judges both runs the same way")
        pairs = self.pairs
        before = _verdicts(self._baseline, metrics)[pairs.alignment.baseline]
        now = _verdicts(self._run, metrics)[pairs.alignment.candidate]
        counts = self._chosen(rule) & (before == PASSED) & (now != UNJUDGED)
        broken = np.flatnonzero(counts & (now == FAILED))
        newly = NewlyFailing(
            count=len(broken),
            pairs=int(counts.sum()),
            cases=tuple(pairs.case_id(int(pair)) for pair in broken[:NAMED]),
        )
        estimate = msgspec.structs.replace(
            bare.estimate, value=float(newly.count), n=newly.pairs, higher_is_better=False, statistic="count"
        )
        return RuleFigure(estimate=estimate, newly=newly)

    def _judging(self, rule: Rule) -> list[str]:
        wanted = rule.newly_failing or {}
        names, severities = wanted.get("scorers") or (), wanted.get("severity") or ()
        comparable = set(self.pairs.metrics)
        return [
            record.metric
            for record in self._run.scorers()
            if record.metric in comparable
            and (not names or record.metric in names)
            and (not severities or record.severity in severities)
        ]

    def _chosen(self, rule: Rule) -> BoolArray:
        """Which pairs a rule on newly failing cases counts."""
        pairs = self.pairs
        members = self._counting(pairs.members(rule.slice)[0])
        chosen = np.ones(pairs.pairs, dtype=np.bool_)
        if members is not None:
            chosen = np.zeros(pairs.pairs, dtype=np.bool_)
            chosen[members] = True
        tags = set((rule.newly_failing or {}).get("tags") or ())
        if tags:
            cases = self._run.cases
            chosen &= np.array([not tags.isdisjoint(cases[int(i)].tags) for i in pairs.alignment.candidate], dtype=bool)
        return chosen


UNJUDGED, PASSED, FAILED = -1, 1, 0
"""Row verdicts of a case over its trials and scorers."""


def _verdicts(run: RunStore, metrics: list[str]) -> IntArray:
    """Each case's verdict: failed when any row failed or a unit has no answer, shape (cases,)."""
    found = np.full(len(run.cases), UNJUDGED, dtype=np.int64)
    present = set(run.metrics())
    columns = [run.columns(metric) for metric in metrics if metric in present]
    for column in columns:
        found[column.case[column.passed == PASSED]] = PASSED
    for column in columns:
        found[column.case[column.passed == FAILED]] = FAILED
    units = run.unit_columns()
    found[units.case[units.errored]] = FAILED
    return found


def _without(column: MetricColumn, cases: IntArray) -> MetricColumn:
    if not len(cases):
        return column
    kept = ~np.isin(column.case, cases)
    return replace(
        column,
        case=column.case[kept],
        value=column.value[kept],
        error=column.error[kept],
        stats=None if column.stats is None else column.stats[kept],
    )


def _indices(run: RunStore, ids: frozenset[str]) -> IntArray:
    found = []
    for case_id in ids:
        try:
            found.append(run.cases.find(case_id))
        except KeyError:
            continue
    return np.array(sorted(found), dtype=np.int64)
