"""What the statistics return: an interval with its provenance, and the result of a test."""

from __future__ import annotations

from dataclasses import dataclass, replace

from evalwright.stats._arrays import Alternative, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An estimate with its confidence interval and everything needed to defend it.

    No field is ever NaN. `value` is None when there was nothing to average (n = 0). `low` or `high` is None
    when the data do not bound that side: a single value of an unbounded score, one cluster, or a percentile
    further out than the sample reaches. A bounded quantity (a proportion, a score with declared bounds) has its
    bound there instead, so an empty proportion reads value=None, low=0, high=1.

    Attributes:
        value: the point estimate.
        low: lower end; the natural bound (or None) for a one-sided upper interval.
        high: upper end; the natural bound (or None) for a one-sided lower interval.
        level: confidence level, such as 0.95. A one-sided interval spends all of 1 - level on its side.
        method: name of the method that made the interval.
        n: number of independent units: cases, or pairs of cases. Repeated trials do not count.
        side: "two-sided", "lower" (a lower bound) or "upper".
        clusters: number of clusters, when the cases were clustered.
        trials: number of observations before trials were averaged within their case.
        se: standard error, where the method has one.
        df: degrees of freedom behind the quantile, where it is Student's t.
        resamples: number of bootstrap resamples.
        seed: whole number the random generator was made from, if it was.
        notes: codes of what the reader must know, such as "few_clusters" (see `NOTES`).
    """

    value: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    n: int
    side: Side = "two-sided"
    clusters: int | None = None
    trials: int | None = None
    se: float | None = None
    df: float | None = None
    resamples: int | None = None
    seed: int | None = None
    notes: tuple[str, ...] = ()

    @property
    def width(self) -> float | None:
        """Distance between the ends; None when an end is missing."""
        return None if self.low is None or self.high is None else self.high - self.low

    def contains(self, value: float) -> bool:
        """Whether `value` lies in the closed interval; a missing end is no limit."""
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)

    def mapped(self, *, scale: float = 1.0, offset: float = 0.0) -> Interval:
        """The interval of `scale * x + offset`; a negative scale swaps the ends.

        >>> from evalwright.stats import wilson
        >>> failures = wilson(17, 20).mapped(scale=-1.0, offset=1.0)
        >>> round(failures.value, 2), round(failures.low, 3), round(failures.high, 3)
        (0.15, 0.052, 0.36)
        """
        value, low, high = (None if x is None else scale * x + offset for x in (self.value, self.low, self.high))
        if scale < 0:
            low, high = high, low
        se = None if self.se is None else abs(scale) * self.se
        flipped: dict[Side, Side] = {"two-sided": "two-sided", "lower": "upper", "upper": "lower"}
        side = flipped[self.side] if scale < 0 else self.side
        return replace(self, value=value, low=low, high=high, se=se, side=side)

    def noted(self, *notes: str) -> Interval:
        """A copy that carries further notes, without repetition."""
        return replace(self, notes=tuple(dict.fromkeys((*self.notes, *notes))))


NOTES: dict[str, str] = {
    "empty": "there was nothing to measure",
    "single_value": "one case: its spread is unknown, so the interval is everything possible",
    "no_variation": "all values are equal, so their spread says nothing about the uncertainty",
    "one_cluster": "all cases share one cluster: nothing is known about other clusters",
    "few_clusters": "fewer than 5 clusters: do not decide anything on this interval",
    "clipped": "an end was cut at the bound of the score",
    "open_low": "the sample is too small to bound this from below",
    "open_high": "the sample is too small to bound this from above",
    "binned": "the resamples were drawn from grouped values, with the spread inside each group added back",
    "undefined_resamples": "the statistic was undefined in some resamples, which were left out",
    "short_cases": "cases with fewer than k tries were left out",
    "disjoint": "earlier and later intervals do not meet: the order of cases was not random, or the system changed",
    "unlabelled_verdict": "a verdict has no labelled cases; its rate is a guess around one half",
    "degenerate": "the statistic is the same in every resample",
    "too_few_pairs": "fewer than 5 pairs: no p-value could have been small",
    "regularised": "a small penalty kept a perfect record finite",
    "disconnected": "some items were never compared, even through others",
    "capped": "the effective number of cases was capped at the number observed",
    "outside": "the corrected estimate fell outside 0 to 1 and was cut",
}
"""Meaning of the codes in `Interval.notes`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TestResult:
    """A significance test.

    Attributes:
        p_value: probability, under no effect, of data at least this extreme; 0 to 1.
        statistic: the test statistic; its meaning depends on the method.
        method: name of the method.
        alternative: "two-sided", "greater" or "less".
        n: number of independent units the test used.
        notes: codes as in `Interval.notes`.
    """

    __test__ = False

    p_value: float
    statistic: float
    method: str
    alternative: Alternative
    n: int
    notes: tuple[str, ...] = ()
