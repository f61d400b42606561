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
from evalwright.core.gate import DATASET_AGE, NEWLY_FAILING, NewlyFailing, Rule, RuleFigure
from evalwright.services.anchors import anchor_figure
from evalwright.services.figures import RunFigures
from evalwright.services.pairing import PairedRuns
from evalwright.services.run_columns import ERRORS, RunColumns
from evalwright.store.cards import CardStore
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
        cards: Cards of judges, None where rules on them are not judged.
        now: Seconds since the epoch, for the age of cards and golden sets.
        dataset_at: When the golden set's version was made, None when the cases are from none.
    """

    def __init__(
        self,
        run: RunStore,
        figures: RunFigures,
        *,
        baseline: RunStore | None = None,
        quarantined: frozenset[str] = frozenset(),
        cards: CardStore | None = None,
        now: float = 0.0,
        dataset_at: float | None = None,
    ) -> None:
        self._run = run
        self._all = figures
        self._baseline = baseline
        self._cards = cards
        self._now = now
        self._dataset_at = dataset_at
        self.left_out = _indices(run, quarantined)
        """Case indices that do not count, ascending."""

    def __call__(self, rule: Rule) -> RuleFigure | None:
        """The figure of a rule; None when the run has no such metric."""
        if rule.metric == NEWLY_FAILING:
            return self._newly(rule)
        if rule.metric == DATASET_AGE:
            return self._dataset_age()
        if rule.calibrated is not None:
            return self._calibrated(rule, str(rule.calibrated.get("figure") or "agreement"))
        if (anchors := anchor_figure(self._run, rule)) is not None:
            return anchors
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

    def _dataset_age(self) -> RuleFigure:
        if self._dataset_at is None:
            estimate = Estimate(metric=DATASET_AGE, value=None, unit="s")
            return RuleFigure(estimate=estimate, missing="the cases are from no golden set, so their age is not known")
        age = max(0.0, self._now - self._dataset_at)
        estimate = Estimate(metric=DATASET_AGE, value=age, unit="s", n=len(self._run.cases), higher_is_better=False)
        return RuleFigure(estimate=estimate, age_s=age)

    def _calibrated(self, rule: Rule, name: str) -> RuleFigure:
        """What people's labels showed of the scorer of a metric; its card must be of exactly this scorer."""
        digest = next((r.digest for r in self._run.scorers() if r.metric == rule.metric), "")
        card = None if self._cards is None else self._cards.of(rule.metric, digest)
        figure = None if card is None else card.figure(name)
        if card is None or figure is None:
            other = self._cards is not None and self._cards.latest(rule.metric) is not None
            why = f"its card does not tell its {name}" if card else "it was never measured against people's labels"
            why = "it was changed since it was measured against people's labels" if other and not card else why
            return RuleFigure(estimate=Estimate(metric=name, value=None), missing=f"{why} (evalwright calibrate)")
        return RuleFigure(
            estimate=figure,
            low=figure.low,
            high=figure.high,
            method=figure.method,
            age_s=max(0.0, self._now - card.created_at),
        )

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
