"""From how scores vary to what a comparison can see, and whether cases or trials are the better buy."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from evalwright.analysis.difference import one_way_detectable
from evalwright.analysis.frame import FloatArray, IntArray, MetricColumn
from evalwright.core.planning import PowerRow
from evalwright.stats import (
    PairedVariance,
    cluster_errors,
    components_from_trials,
    mcnemar_cases,
    mcnemar_detectable,
    noninferiority_cases,
    optimal_trials,
    paired_detectable,
    paired_sample_size,
)

MIN_CLUSTERS = 5
FLOOR = 0.01
"""Least share of changed verdicts assumed, where two runs showed fewer: never plan on nothing changing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerSettings:
    """What is asked of a suite.

    Attributes:
        difference: The difference of shares to be seen; None for none.
        level: Confidence level of the two-sided test.
        power: Probability of showing a true difference.
        changed: Share of verdicts assumed to change, where no two runs tell.
        correlation: Correlation of two runs over cases assumed for graded scores, where no two runs tell.
        case_cost: Cost of a further case in calls: writing and checking it, against one more trial.
    """

    difference: float | None = None
    level: float = 0.95
    power: float = 0.8
    changed: float = 0.10
    correlation: float = 0.6
    case_cost: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Variation:
    """How the difference of two runs varies from case to case, of one metric in one place.

    Attributes:
        metric: Name of the metric.
        slice: Name of the slice.
        n: Cases.
        trials: Trials per case.
        changed: Share of verdicts that change; None for graded scores or repeated trials.
        variance: Variance of a case's difference with these trials.
        within: Variance between trials of a case, both runs added; None when unknown.
        design_effect: Of clustering.
        half_width: Half the interval of a single run.
        share: Whether the metric lies between 0 and 1.
        unit: Unit of the metric.
        basis: Where this comes from.
    """

    metric: str
    n: int
    slice: str = ""
    trials: int = 1
    changed: float | None = None
    variance: float = 0.0
    within: float | None = None
    design_effect: float = 1.0
    half_width: float | None = None
    share: bool = False
    unit: str = ""
    basis: str = "assumed"

    @property
    def between(self) -> float:
        """Variance of the true differences of cases: what more trials can't reduce."""
        return max(0.0, self.variance - (self.within or 0.0) / self.trials)

    def paired(self, trials: int) -> PairedVariance:
        """The variance with another number of trials."""
        within = self.within or 0.0
        between = self.between if self.within is not None else self.variance
        return PairedVariance(
            between=between,
            within_baseline=within / 2,
            within_candidate=within / 2,
            trials_baseline=trials,
            trials_candidate=trials,
            design_effect=self.design_effect,
        )


def detectable(
    found: Variation, settings: PowerSettings, *, n: int | None = None, trials: int | None = None
) -> float | None:
    """Smallest true difference shown with the asked power by `n` cases of `trials` trials."""
    size = found.n if n is None else n
    if size < 2:
        return None
    level, power = settings.level, settings.power
    if found.changed is not None and trials in (None, found.trials):
        cases = max(2, round(size / found.design_effect))
        seen = mcnemar_detectable(cases, found.changed, level=level, power=power)
        return one_way_detectable(cases, level=level, power=power) if seen is None else seen
    variance = found.paired(trials or found.trials)
    return paired_detectable(size, variance, level=level, power=power) if variance.per_case > 0 else None


def power_row(found: Variation, settings: PowerSettings) -> PowerRow:
    """What a comparison can see of a metric, and what would help."""
    noise = None if found.within is None or not found.variance else found.within / found.trials / found.variance
    best = None
    if found.within is not None:
        best = optimal_trials(within=found.within, between=found.between, case_cost=settings.case_cost, trial_cost=1.0)
    return PowerRow(
        metric=found.metric,
        slice=found.slice,
        n=found.n,
        trials=found.trials,
        detectable=detectable(found, settings),
        half_width=found.half_width,
        needed=_needed(found, settings),
        needed_no_worse=_needed_no_worse(found, settings),
        changed=found.changed,
        spread=None if found.changed is not None else math.sqrt(found.variance),
        noise=None if noise is None else min(1.0, noise),
        design_effect=found.design_effect,
        double_cases=detectable(found, settings, n=2 * found.n),
        double_trials=None if found.within is None else detectable(found, settings, trials=2 * found.trials),
        best_trials=None if best is None or math.isinf(best) else max(1.0, best),
        share=found.share,
        unit=found.unit,
        basis=found.basis,
    )


def _needed(found: Variation, settings: PowerSettings) -> int | None:
    difference = settings.difference
    if difference is None or not found.share:
        return None
    if found.changed is not None:
        share = min(1.0, max(found.changed, difference))
        cases = mcnemar_cases(share, difference, level=settings.level, power=settings.power)
        return math.ceil(cases * found.design_effect)
    variance = found.paired(found.trials)
    if variance.per_case <= 0:
        return None
    return math.ceil(paired_sample_size(difference, variance, level=settings.level, power=settings.power))


def _needed_no_worse(found: Variation, settings: PowerSettings) -> int | None:
    margin = settings.difference
    if margin is None or not found.share:
        return None
    if found.changed is not None:
        cases = noninferiority_cases(found.changed, margin, level=settings.level, power=settings.power)
        return math.ceil(cases * found.design_effect)
    return _needed(found, settings)


def trial_variance(column: MetricColumn) -> float | None:
    """Variance between trials of one case; None when no case has two scored trials."""
    scored = ~np.isnan(column.value)
    case, value = column.case[scored], column.value[scored]
    if len(np.unique(case)) in (len(case), 0, 1):
        return None
    return components_from_trials(value, case).within


def clustering(values: FloatArray, clusters: IntArray | None) -> float:
    """Design effect of clustered values, at least 1; 1 for independent ones or too few clusters to tell."""
    if clusters is None or len(np.unique(clusters)) < MIN_CLUSTERS or not len(values) or not values.std():
        return 1.0
    return max(1.0, cluster_errors(values, clusters).design_effect)


def with_floor(found: Variation) -> Variation:
    """The variation with at least `FLOOR` of the verdicts changing."""
    return found if found.changed is None else replace(found, changed=max(found.changed, FLOOR))
