"""One metric in two runs: the paired difference with its uncertainty."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from evalwright.core.estimate import ALL


class Change(StrEnum):
    """What a paired figure says, in one word."""

    BETTER = "better"
    WORSE = "worse"
    CHANGED = "changed"
    """It moved, and the metric has no direction."""
    UNCLEAR = "unclear"
    """Too little evidence to say that it moved; not the same as "equal"."""


class PairedFigure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One metric in two runs, over the cases that both scored, with the difference and its uncertainty.

    Interval and p-value come from one family, so that the interval excludes 0 exactly when p < 1 - level.
    `difference`, `low`, `high`, `lower` and `upper` are candidate minus baseline in the metric's unit; the properties
    `gain`, `gain_ci`, `least_gain` and `most_gain` are the same with positive meaning better for the candidate.

    Attributes:
        metric: Name of the metric.
        baseline: Value of the baseline over the pairs; None without pairs.
        candidate: Value of the candidate over the pairs; None without pairs.
        difference: Candidate minus baseline; None without pairs.
        low: Lower end of the two-sided interval of the difference; None when the data do not bound it.
        high: Upper end.
        level: Confidence level of the interval.
        p: Two-sided p-value of no difference, of the interval's family; None when there is none.
        p_adjusted: `p` adjusted for all the figures it was looked at together with (Holm); None when it stood alone.
        exact_p: P-value of a test with weaker assumptions: McNemar's exact test for verdicts, sign flips for grades.
        lower: Lower confidence bound of the difference at `confidence`, one-sided; None when unbounded.
        upper: Upper confidence bound likewise.
        confidence: One-sided confidence of `lower` and of `upper`.
        n: Pairs: cases that both runs scored.
        wins: Pairs in which the candidate did better (scored higher, where the metric has no direction).
        losses: Pairs in which it did worse.
        ties: Pairs without a difference.
        clusters: Independent clusters among the pairs, None when every case is its own.
        trials: Scored rows behind the pairs, both runs together.
        se: Standard error of the difference, None when the method has none.
        df: Degrees of freedom behind the interval, where it is Student's t.
        effect: Difference in units of its standard deviation over cases; None when nothing varies.
        correlation: Correlation of the two runs over cases; None when one does not vary.
        detectable: Smallest true difference that a comparison like this one shows with 80 % power.
        method: How the interval was made, e.g. `tango`, `t`, `cluster_cr2_t`.
        test: How `p` was made, of the same family.
        slice: Name of the slice, `""` for all cases, else `locale=de`.
        statistic: `mean`, `p50`, `p95`, … or `corpus`.
        unit: Unit of the values.
        higher_is_better: Direction; None when neither.
        baseline_only: Cases that only the baseline scored.
        candidate_only: Cases that only the candidate scored.
        verdicts: Whether every row is 0 or 1, so that wins and losses are cases that flipped.
        share: Whether the metric lies between 0 and 1, so that differences are told in points (hundredths).
        note: What a reader should be warned of.
    """

    metric: str
    baseline: float | None
    candidate: float | None
    difference: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    p: float | None = None
    p_adjusted: float | None = None
    exact_p: float | None = None
    lower: float | None = None
    upper: float | None = None
    confidence: float = 0.95
    n: int = 0
    wins: int = 0
    losses: int = 0
    ties: int = 0
    clusters: int | None = None
    trials: int = 0
    se: float | None = None
    df: float | None = None
    effect: float | None = None
    correlation: float | None = None
    detectable: float | None = None
    method: str = ""
    test: str = ""
    slice: str = ALL
    statistic: str = "mean"
    unit: str = ""
    higher_is_better: bool | None = True
    baseline_only: int = 0
    candidate_only: int = 0
    verdicts: bool = False
    share: bool = False
    note: str = ""

    @property
    def sign(self) -> float:
        """1, or -1 where a lower value is better."""
        return -1.0 if self.higher_is_better is False else 1.0

    @property
    def ci(self) -> tuple[float, float] | None:
        """The interval of the difference as a pair, None when an end is missing."""
        return None if self.low is None or self.high is None else (self.low, self.high)

    @property
    def gain(self) -> float | None:
        """The difference, positive when the candidate is better."""
        return None if self.difference is None else self.sign * self.difference

    @property
    def gain_ci(self) -> tuple[float, float] | None:
        """The interval of `gain`."""
        ends = self.ci
        return None if ends is None else _turned(ends[0], ends[1], self.sign)

    @property
    def least_gain(self) -> float | None:
        """One-sided bound: the candidate is better by at least this (worse by at most its negative)."""
        end = self.lower if self.sign > 0 else self.upper
        return None if end is None else self.sign * end

    @property
    def most_gain(self) -> float | None:
        """One-sided bound: the candidate is better by at most this."""
        end = self.upper if self.sign > 0 else self.lower
        return None if end is None else self.sign * end

    @property
    def clear(self) -> bool:
        """Whether a difference is shown, after correction for what it was looked at together with."""
        p = self.p if self.p_adjusted is None else self.p_adjusted
        return p is not None and p < 1.0 - self.level

    @property
    def change(self) -> Change:
        """What the figure says in one word."""
        if not self.clear or not self.difference:
            return Change.UNCLEAR
        if self.higher_is_better is None:
            return Change.CHANGED
        return Change.BETTER if (self.gain or 0.0) > 0 else Change.WORSE

    @property
    def hint(self) -> bool:
        """Whether the interval excludes 0, but not beyond what having looked at many figures explains."""
        return self.p is not None and self.p < 1.0 - self.level and not self.clear

    def __repr__(self) -> str:
        where = f", slice={self.slice!r}" if self.slice else ""
        ends = "None" if self.ci is None else f"({self.ci[0]:.4g}, {self.ci[1]:.4g})"
        return (
            f"PairedFigure(metric={self.metric!r}, baseline={_short(self.baseline)}, "
            f"candidate={_short(self.candidate)}, difference={_short(self.difference)}, ci={ends}, "
            f"p={_short(self.p)}, n={self.n}, wins={self.wins}, losses={self.losses}, method={self.method!r}{where})"
        )


def _turned(low: float, high: float, sign: float) -> tuple[float, float]:
    return (low, high) if sign > 0 else (-high, -low)


def _short(value: float | None) -> str:
    return "None" if value is None else f"{value:.4g}"
