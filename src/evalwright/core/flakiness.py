"""Cases whose verdict changes by chance, and cases whose verdict truly changed."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class Stability(StrEnum):
    """What repeated verdicts say of a case."""

    FLAKY = "flaky"
    """It passed and failed on the same version."""
    CHANGED = "changed"
    """Its pass rate differs between the versions beyond chance."""
    OPEN = "changed or flaky"
    """It differs between versions, with too few trials to say why."""


class FlakyCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case that does not always get the same score.

    Attributes:
        case_id: Id of the case.
        metric: The metric.
        stability: What it is.
        passes: Trials passed on the current version; the mean score for graded metrics is in `mean`.
        trials: Trials on the current version, those of earlier runs of the same version included.
        flip_rate: Chance that two trials of the current version disagree, 2c(K-c)/(K(K-1)).
        flaky: Probability that its pass rate lies between 5 % and 95 %.
        before_passes: Trials passed on earlier versions.
        before_trials: Trials on earlier versions.
        p: P-value of the same pass rate before and now, adjusted (Holm) for all cases; None without earlier trials.
        sd: Standard deviation between trials, for graded metrics.
        mean: Mean over trials, for graded metrics.
    """

    case_id: str
    metric: str
    stability: Stability
    passes: int = 0
    trials: int = 0
    flip_rate: float = 0.0
    flaky: float = 0.0
    before_passes: int = 0
    before_trials: int = 0
    p: float | None = None
    sd: float | None = None
    mean: float | None = None


class MetricStability(msgspec.Struct, frozen=True, kw_only=True):
    """How steady a metric is over repeated trials.

    Attributes:
        metric: The metric.
        cases: Cases scored on the current version.
        repeated: Cases with two or more trials on the current version.
        flip_rate: Chance that two trials of a case disagree, mean over repeated cases; None without any.
        low: Lower end of its interval.
        high: Upper end.
        expected_flips: Cases that change their verdict between two runs of the same version, on average.
        noise: Share of the variance of single scores that is chance and not the case.
        sd: Standard deviation between trials of a case, for graded metrics.
        flaky: How many cases are flaky.
        changed: How many changed.
        open: How many differ between versions for a reason that can't be told yet.
        verdicts: Whether the metric is pass or fail.
    """

    metric: str
    cases: int
    repeated: int = 0
    flip_rate: float | None = None
    low: float | None = None
    high: float | None = None
    expected_flips: float | None = None
    noise: float | None = None
    sd: float | None = None
    flaky: int = 0
    changed: int = 0
    open: int = 0
    verdicts: bool = True


class FlakyReport(msgspec.Struct, frozen=True, kw_only=True):
    """What trials and history say of the cases of a suite.

    Attributes:
        suite: Name of the suite.
        run: The run whose cases and version these are.
        same: Other runs of the same version, whose trials count too.
        before: Runs of earlier versions.
        metrics: How steady each metric is.
        cases: Cases that are not steady: changed first, then flaky by flip rate.
        cached: Answers from the cache, left out: the same answer again proves nothing.
        notes: What a reader must know.
    """

    suite: str
    run: str
    same: tuple[str, ...] = ()
    before: tuple[str, ...] = ()
    metrics: tuple[MetricStability, ...] = ()
    cases: tuple[FlakyCase, ...] = ()
    cached: int = 0
    notes: tuple[str, ...] = ()
