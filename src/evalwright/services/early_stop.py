"""`run --until-decided`: watch the rules on the beginning of the random order, stop when all of them are decided."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import msgspec
import numpy as np

from evalwright.analysis.figures import value_text
from evalwright.analysis.frame import BoolArray
from evalwright.core.errors import UsageError
from evalwright.core.gate import DATASET_AGE, NEWLY_FAILING, Rule, RuleResult, Verdict
from evalwright.core.ports import Progress
from evalwright.core.run import RunStatus, UnitRecord
from evalwright.engine.job import StopRun
from evalwright.gates import judge_rule
from evalwright.gates.stopping import (
    Method,
    RuleWatch,
    StoppingRecord,
    look_confidence,
    planned_looks,
    rule_hash,
    watched,
)
from evalwright.services.anchors import is_anchor_rule
from evalwright.services.figures import Aggregates, run_figures, slice_specs
from evalwright.services.frames import run_frame
from evalwright.services.gating import GateRequest, baseline_of, judging_basis, quarantined_ids
from evalwright.services.prefix import Arrivals
from evalwright.services.sequential_figures import Look, SequentialFigures
from evalwright.services.stopping import save_record, stopping_record
from evalwright.store.journal import read_run
from evalwright.store.results import RunStore


class WatchRequest(msgspec.Struct, frozen=True, kw_only=True):
    """What is watched.

    Attributes:
        run: The run.
        rules: The rules of its gate.
        method: How errors are kept in check over the looks.
        baseline: The run to compare with, None when there is none.
        quarantined: Ids of cases that do not count.
        aggregates: Of corpus metrics.
    """

    run: Any
    rules: tuple[Rule, ...]
    method: Method = Method.LOOKS
    baseline: Any = None
    quarantined: frozenset[str] = frozenset()
    aggregates: Aggregates = {}


class EarlyStop:
    """Ears of a run that end it when every blocking rule is decided that cases can decide.

    Args:
        request: What is watched.
    """

    def __init__(self, request: WatchRequest) -> None:
        self._request = request
        self._run: RunStore = request.run
        manifest = self._run.manifest()
        settings = manifest.settings
        self._arrivals = Arrivals(self._run, seed=settings.seed, trials=settings.trials)
        self._frame = run_frame(self._run, slice_specs(manifest))
        self._planned = planned_looks(request.method, len(self._arrivals))
        self._counts: dict[str, tuple[int, ...]] = {}
        rules = [rule for rule in request.rules if self._can_be_decided(rule)]
        self._rules = {rule_hash(rule): rule for rule in rules}
        level = settings.level
        self.record = StoppingRecord(
            method=request.method,
            units=len(self._arrivals),
            planned=self._planned,
            watches=tuple(RuleWatch(rule_hash=key, error=1.0 - r.confidence) for key, r in self._rules.items()),
            basis=judging_basis(self._run, request.baseline, request.quarantined),
            level=level,
            look_level=level,
        )
        self._hear_earlier_sittings()

    def _can_be_decided(self, rule: Rule) -> bool:
        """Whether cases could ever decide a rule: it has a baseline where it needs one, and enough cases bear on it."""
        if not _on_cases(rule):
            return False
        if rule.versus is not None and self._request.baseline is None:
            return False
        return self._counts_of(rule)[-1] // self._arrivals.trials >= max(1, rule.min_n)

    def _hear_earlier_sittings(self) -> None:
        """Take in what was recorded before, and take the looks again that this allows."""
        for record in read_run(self._run.folder):
            self._arrivals.add(record)
        self._look_as_far_as_possible()

    def on_unit(self, record: UnitRecord) -> None:
        """A unit was recorded.

        Raises:
            StopRun: Every rule is decided.
        """
        self._arrivals.add(record)
        self._look_as_far_as_possible()
        if self.record.stopped:
            raise StopRun(_stop_message(self.record), status=RunStatus.DECIDED)

    def on_progress(self, progress: Progress) -> None:
        """Nothing depends on it."""

    def _look_as_far_as_possible(self) -> None:
        record = self.record
        while not self.record.stopped and self.record.taken < len(record.planned):
            if self._arrivals.complete < record.planned[self.record.taken]:
                return
            self._look()

    def _look(self) -> None:
        number, units = self.record.taken, self.record.planned[self.record.taken]
        level = self._look_level(number)
        watches = tuple(self._judged(number, units, level))
        last = number + 1 == len(self.record.planned)
        blocking = [w for w in watches if self._rules[w.rule_hash].severity != "warn"]
        stopped = bool(blocking) and not last and not any(watch.open for watch in blocking)
        self.record = msgspec.structs.replace(
            self.record, taken=number + 1, watches=watches, stopped=stopped, look_level=level
        )
        self.save()

    def _look_level(self, number: int) -> float:
        """Two-sided level that an interval must have at this look to hold at the run's level over all of them."""
        level = self.record.level
        found = look_confidence(self.record.method, self.record.planned, number, 0.5 + level / 2.0)
        return level if found is None else 2.0 * found - 1.0

    def _judged(self, number: int, units: int, level: float) -> list[RuleWatch]:
        prefix = cast(RunStore, self._arrivals.first(units))
        figures = run_figures(prefix, aggregates=self._request.aggregates, look_level=level)
        look = Look(
            method=self._request.method,
            number=number,
            counts=self._counts_of,
            place=self._places(),
            trials=self._arrivals.trials,
            units=units,
        )
        figure_of = SequentialFigures(
            prefix, figures, look, baseline=self._request.baseline, quarantined=self._request.quarantined
        )
        return [self._one(watch, figure_of, units) for watch in self.record.watches]

    def _one(self, watch: RuleWatch, figure_of: SequentialFigures, units: int) -> RuleWatch:
        if not watch.open:
            return watch
        rule = self._rules[watch.rule_hash]
        figure = figure_of(rule)
        if figure is None:
            return watch
        result = judge_rule(rule, figure)
        if rule.metric == NEWLY_FAILING and result.verdict is Verdict.PASS and units < self.record.units:
            return msgspec.structs.replace(watch, result=_not_yet(result))
        return watched(watch, _told(result, units, self.record.units, self._arrivals.trials), units)

    def _places(self) -> Any:
        place = np.empty(len(self._run.cases), dtype=np.int64)
        cases = self._arrivals.case_of(slice(None))
        place[cases[::-1]] = np.arange(len(cases))[::-1]
        return place

    def _counts_of(self, rule: Rule) -> tuple[int, ...]:
        """Units that bear on a rule at each planned look: known beforehand, since the order is."""
        key = rule_hash(msgspec.structs.replace(rule, confidence=0.95))
        if key not in self._counts:
            inside = self._inside(rule)[self._arrivals.case_of(slice(None))]
            total = np.cumsum(inside)
            self._counts[key] = tuple(int(total[units - 1]) for units in self._planned)
        return self._counts[key]

    def _inside(self, rule: Rule) -> BoolArray:
        inside = np.ones(len(self._run.cases), dtype=np.bool_)
        for name, value in (rule.slice or {}).items():
            inside &= self._frame.mask(name, value_text(value))
        return inside

    def save(self) -> None:
        """Keep the looks in the run's folder."""
        save_record(self._run.folder, self.record)


def _on_cases(rule: Rule) -> bool:
    """Whether a rule looks at the run's cases: not at a judge's card or anchors, nor at the age of the data."""
    return rule.calibrated is None and rule.metric != DATASET_AGE and not is_anchor_rule(rule)


def check_decidable(rules: Sequence[Rule], *, has_baseline: bool) -> None:
    """Refuse to watch a gate that no case can decide.

    Raises:
        UsageError: There is no blocking rule, or all of them need a baseline that is not there.
    """
    own = [rule for rule in rules if rule.severity != "warn" and _on_cases(rule)]
    if not any(rule.versus is None or has_baseline for rule in own):
        raise UsageError(
            "nothing can be decided early: the gate has no blocking rule that can be judged",
            hint="add rules under `gate:`; rules against a baseline need one (evalwright baseline set RUN)",
        )


def watcher(run: RunStore, request: GateRequest, method: Method | None, aggregates: Aggregates) -> EarlyStop | None:
    """The ears that stop a run early; None when nobody asked for that, nor in an earlier sitting."""
    before = stopping_record(run.folder)
    if method is None and before is None:
        return None
    if before is not None:
        method = before.method
    wanted = WatchRequest(
        run=run,
        rules=request.rules,
        method=method or Method.LOOKS,
        baseline=baseline_of(run, request),
        quarantined=quarantined_ids(request.workspace, run.manifest().suite, request.clock.now()),
        aggregates=aggregates,
    )
    watch = EarlyStop(wanted)
    watch.save()
    return watch


def _not_yet(result: RuleResult) -> RuleResult:
    return msgspec.structs.replace(
        result, verdict=Verdict.INCONCLUSIVE, reason=f"{result.reason} so far; only the whole run can show that none do"
    )


def _told(result: RuleResult, units: int, total: int, trials: int) -> RuleResult:
    if result.verdict is Verdict.INCONCLUSIVE or units >= total:
        return result
    what = "cases" if trials == 1 else "calls"
    return msgspec.structs.replace(result, reason=f"{result.reason}, decided after {units:,} of {total:,} {what}")


def _stop_message(record: StoppingRecord) -> str:
    return f"stopped early: every rule was decided after {record.seen:,} of {record.units:,} units"
