"""What a suite can see: the smallest difference it shows, and what it would take to see a smaller one."""

from __future__ import annotations

import msgspec

from evalwright.core.estimate import ALL


class PowerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What a comparison on this suite can see of one metric, over all cases or a slice.

    Attributes:
        metric: Name of the metric.
        slice: Name of the slice, `""` for all cases.
        n: Cases that are scored.
        trials: Trials per case the figures hold for.
        detectable: Smallest true difference shown with the asked power; None when even every case changing the same
            way would not be shown.
        half_width: How precisely a single run measures the metric: half the width of its interval; None when unknown.
        needed: Cases to show the asked difference; None when none was asked, or it can't be told.
        needed_no_worse: Cases to show that a candidate that is truly as good is no worse by more than the asked
            difference.
        changed: Share of cases whose verdict changes between runs, for verdicts.
        spread: Standard deviation of the difference per case, for everything else.
        noise: Share of that variance which is the system's own randomness; None when a run had one trial a case.
        design_effect: How many times more cases are needed because cases share clusters; 1 when they don't.
        double_cases: `detectable` with twice the cases.
        double_trials: `detectable` with twice the trials; None when the noise is not known.
        best_trials: Trials per case that see most for the money; None when the noise is not known.
        share: Whether the metric lies between 0 and 1.
        unit: Unit of the metric.
        basis: Where the variation comes from: `two runs`, `one run`, `assumed`.
    """

    metric: str
    n: int
    slice: str = ALL
    trials: int = 1
    detectable: float | None = None
    half_width: float | None = None
    needed: int | None = None
    needed_no_worse: int | None = None
    changed: float | None = None
    spread: float | None = None
    noise: float | None = None
    design_effect: float = 1.0
    double_cases: float | None = None
    double_trials: float | None = None
    best_trials: float | None = None
    share: bool = False
    unit: str = ""
    basis: str = "assumed"


class PowerPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a suite can see.

    Attributes:
        suite: Name of the suite.
        runs: Runs the variation was taken from; empty when it was assumed.
        rows: Metrics over all cases, then per slice, those that see least first.
        difference: The difference asked for, None when none was.
        level: Confidence level of the two-sided test.
        power: Probability of showing a true difference.
        notes: What the figures rest on.
    """

    suite: str
    runs: tuple[str, ...] = ()
    rows: tuple[PowerRow, ...] = ()
    difference: float | None = None
    level: float = 0.95
    power: float = 0.8
    notes: tuple[str, ...] = ()
