"""From repeated scores to flaky and changed cases."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from evalwright.analysis.frame import BoolArray, FloatArray, IntArray
from evalwright.core.flakiness import FlakyCase, MetricStability, Stability
from evalwright.stats import (
    adjust_p,
    changed_p_values,
    components_from_trials,
    flaky_probability,
    flip_rate,
    mean_t,
)

ALPHA = 0.05
WIDE = 0.25
"""A graded case is flaky when its trials vary by more than this share of the scale (standard deviation)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trials:
    """Scores of one metric over the trials of one version.

    Attributes:
        case: Case index of each score.
        value: The scores, finite.
    """

    case: IntArray
    value: FloatArray

    def counts(self, size: int) -> tuple[IntArray, IntArray]:
        """Passed trials and trials per case, for verdicts."""
        trials = np.bincount(self.case, minlength=size)
        passes = np.bincount(self.case, weights=self.value, minlength=size)
        return np.rint(passes).astype(np.int64), trials.astype(np.int64)

    @property
    def verdicts(self) -> bool:
        """Whether all scores are 0 or 1."""
        return bool(((self.value == 0.0) | (self.value == 1.0)).all())


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """One metric on the current and on earlier versions, over the cases of the current run.

    Attributes:
        metric: Name of the metric.
        now: Trials of the current version.
        before: Trials of earlier versions.
        size: Number of cases.
        case_id: Id of a case.
        reach: Distance of the least and the greatest score; None when unbounded.
    """

    metric: str
    now: Trials
    before: Trials
    size: int
    case_id: Callable[[int], str]
    reach: float | None = 1.0


def assess(history: History) -> tuple[MetricStability, list[FlakyCase]]:
    """How steady a metric is, and the cases that are not."""
    if history.now.verdicts and history.before.verdicts:
        return _verdicts(history)
    return _grades(history)


def _verdicts(history: History) -> tuple[MetricStability, list[FlakyCase]]:
    passes, trials = history.now.counts(history.size)
    old_passes, old_trials = history.before.counts(history.size)
    p = _changed(passes, trials, old_passes, old_trials)
    rates = flip_rate(passes, trials)
    mixed = (passes > 0) & (passes < trials)
    changed = ~np.isnan(p) & (p < ALPHA)
    rate, old_rate = (a / np.maximum(b, 1) for a, b in ((passes, trials), (old_passes, old_trials)))
    differs = (trials > 0) & (old_trials > 0) & (rate != old_rate) & ~changed & ~mixed
    stability = np.where(changed, 0, np.where(mixed, 1, np.where(differs, 2, -1)))
    kinds = (Stability.CHANGED, Stability.FLAKY, Stability.OPEN)
    likely = flaky_probability(passes, trials)
    order = sorted(np.flatnonzero(stability >= 0).tolist(), key=lambda i: (stability[i], -rates[i], -likely[i]))
    cases = [
        FlakyCase(
            case_id=history.case_id(i),
            metric=history.metric,
            stability=kinds[int(stability[i])],
            passes=int(passes[i]),
            trials=int(trials[i]),
            flip_rate=float(rates[i]),
            flaky=float(likely[i]),
            before_passes=int(old_passes[i]),
            before_trials=int(old_trials[i]),
            p=None if np.isnan(p[i]) else float(p[i]),
        )
        for i in order
    ]
    return _steadiness(history, rates, trials, cases), cases


def _changed(passes: IntArray, trials: IntArray, old_passes: IntArray, old_trials: IntArray) -> FloatArray:
    """Adjusted p of the same pass rate before and now; NaN where one of the two was not tried."""
    found = np.full(len(trials), np.nan)
    both = (trials > 0) & (old_trials > 0)
    if both.any():
        p = changed_p_values((old_passes[both], old_trials[both]), (passes[both], trials[both]))
        found[both] = adjust_p(np.minimum(p, 1.0), "holm")
    return found


def _steadiness(history: History, rates: FloatArray, trials: IntArray, cases: list[FlakyCase]) -> MetricStability:
    repeated: BoolArray = trials >= 2
    count = int(np.count_nonzero(trials))
    ci = mean_t(rates[repeated]) if repeated.sum() >= 2 else None
    rate = float(rates[repeated].mean()) if repeated.any() else None
    kinds = [case.stability for case in cases]
    return MetricStability(
        metric=history.metric,
        cases=count,
        repeated=int(repeated.sum()),
        flip_rate=rate,
        low=None if ci is None or ci.low is None else max(0.0, ci.low),
        high=None if ci is None or ci.high is None else min(1.0, ci.high),
        expected_flips=None if rate is None else rate * count,
        noise=_noise(history.now),
        flaky=kinds.count(Stability.FLAKY),
        changed=kinds.count(Stability.CHANGED),
        open=kinds.count(Stability.OPEN),
    )


def _noise(trials: Trials) -> float | None:
    """Share of the variance of single scores that lies between trials of one case."""
    cases = len(np.unique(trials.case))
    if cases < 2 or cases == len(trials.case):
        return None
    parts = components_from_trials(trials.value, trials.case)
    total = parts.within + parts.between
    return parts.within / total if total > 0 else 0.0


def _grades(history: History) -> tuple[MetricStability, list[FlakyCase]]:
    case, value = history.now.case, history.now.value
    trials = np.bincount(case, minlength=history.size)
    means = np.bincount(case, weights=value, minlength=history.size) / np.maximum(trials, 1)
    squares = np.bincount(case, weights=(value - means[case]) ** 2, minlength=history.size)
    sd = np.sqrt(squares / np.maximum(trials - 1, 1))
    wide = np.inf if history.reach is None else WIDE * history.reach
    moved = np.flatnonzero((trials >= 2) & (sd > wide))
    cases = [
        FlakyCase(
            case_id=history.case_id(int(i)),
            metric=history.metric,
            stability=Stability.FLAKY,
            trials=int(trials[i]),
            sd=float(sd[i]),
            mean=float(means[i]),
        )
        for i in moved[np.argsort(-sd[moved], kind="stable")]
    ]
    repeated = trials >= 2
    pooled = float(np.sqrt(squares[repeated].sum() / (trials[repeated] - 1).sum())) if repeated.any() else None
    found = MetricStability(
        metric=history.metric,
        cases=int(np.count_nonzero(trials)),
        repeated=int(repeated.sum()),
        noise=_noise(history.now),
        sd=pooled,
        flaky=len(cases),
        verdicts=False,
    )
    return found, cases
