"""Runs of the same cases, compared: paired figures, what differs between the runs, and what it all means."""

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


class Weight(StrEnum):
    """How much a difference between two runs' circumstances matters to their comparison."""

    BREAKS = "breaks"
    """The figures concerned can't be compared."""
    LIMITS = "limits"
    """They can, over fewer cases or with a caution."""
    EXPLAINS = "explains"
    """It is what the comparison is about, such as another model or prompt."""


class Mismatch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that is not the same in the two runs, and what that means.

    Attributes:
        what: `dataset`, `cases`, `scorer`, `judge`, `slices`, `trials`, `target`, …
        weight: How much it matters.
        baseline: What the baseline had.
        candidate: What the candidate has.
        meaning: In a sentence: what it does to the comparison.
        metrics: The metrics concerned; empty for all.
    """

    what: str
    weight: Weight
    meaning: str
    baseline: str = ""
    candidate: str = ""
    metrics: tuple[str, ...] = ()


class Pairing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the cases of two runs were brought together.

    Attributes:
        pairs: Cases of the same id whose input and expectation are the same in both runs.
        relabelled: Of these, cases whose other fields (metadata, tags, cluster) differ.
        changed: Cases of the same id whose input or expectation differs; left out.
        baseline_only: Cases that only the baseline has.
        candidate_only: Cases that only the candidate has.
    """

    pairs: int
    relabelled: int = 0
    changed: int = 0
    baseline_only: int = 0
    candidate_only: int = 0


class Flip(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case whose score moved.

    Attributes:
        case_id: Id of the case.
        metric: The metric; `""` for the row verdict over all scorers.
        baseline: Score in the baseline (mean over trials).
        candidate: Score in the candidate.
        gain: Candidate minus baseline, positive when better.
    """

    case_id: str
    metric: str
    baseline: float
    candidate: float
    gain: float


class Flips(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Cases whose verdict changed on a metric, both ways, largest change first.

    Attributes:
        metric: The metric.
        fixed: Cases that do better in the candidate; cut to a limit.
        broken: Cases that do worse; cut to a limit.
        fixed_count: How many do better.
        broken_count: How many do worse.
        both: Cases that pass in both, for verdicts.
        neither: Cases that fail in both, for verdicts.
        verdicts: Whether the scores are verdicts (0 or 1), so that a change is a flip.
    """

    metric: str
    fixed: tuple[Flip, ...] = ()
    broken: tuple[Flip, ...] = ()
    fixed_count: int = 0
    broken_count: int = 0
    both: int = 0
    neither: int = 0
    verdicts: bool = True


class Reversal(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The total says one thing, its parts another.

    Attributes:
        metric: The metric.
        dimension: Name of the slice whose parts contradict; `""` when it is the choice of cases.
        kind: `hidden` (the total rises, a part clearly falls, or the other way round), `mix` (the plain averages of
            the runs and the same cases compared point in opposite directions) or `weights` (the sign changes when
            the parts are weighted by the production mix).
        total: Difference over all cases, positive when better.
        parts: Slices that go the other way.
        sentence: What happened, for a reader.
    """

    metric: str
    kind: str
    sentence: str
    dimension: str = ""
    total: float | None = None
    parts: tuple[str, ...] = ()


class RunSide(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run as a comparison names it.

    Attributes:
        run_id: Name of the run.
        label: Short name in tables: the target's name, or the run's id where targets share a name.
        suite: Name of the suite.
        target: Name of the target.
        dataset: Digest of the cases, shortened.
        cases: Cases selected.
        errored: Units without an answer.
        units: Units recorded.
        cost: Money for target and judges; None when unknown.
        created_at: Seconds since the epoch.
        status: How the run ended.
    """

    run_id: str
    label: str
    suite: str = ""
    target: str = ""
    dataset: str = ""
    cases: int = 0
    errored: int = 0
    units: int = 0
    cost: float | None = None
    created_at: float = 0.0
    status: str = ""


class Advice(StrEnum):
    """What a comparison recommends."""

    SHIP = "ship"
    """Something is clearly better, and nothing is worse."""
    KEEP = "keep"
    """Something is clearly worse, and nothing is better."""
    TRADE = "trade-off"
    """Some things are better, others worse: a person decides."""
    EVIDENCE = "not enough evidence"
    """No difference shown, and the comparison could have missed one that matters."""
    EQUAL = "no difference that matters"
    """No difference shown, and one that matters would probably have been seen."""
    INCOMPARABLE = "not comparable"


class Recommendation(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The comparison in words a product manager reads.

    Attributes:
        advice: What to do.
        headline: One sentence.
        reasons: What it rests on, a sentence each.
        limits: What it does not cover, a sentence each.
    """

    advice: Advice
    headline: str
    reasons: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


class PairComparison(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A candidate against a baseline.

    Attributes:
        baseline: Run id of the baseline.
        candidate: Run id of the candidate.
        pairing: How the cases were brought together.
        mismatches: What differs in the circumstances, gravest first.
        figures: Metrics over all pairs.
        slices: Metrics per slice; worst first within a metric.
        flips: Per metric with verdicts: the cases that changed.
        reversals: Where total and parts contradict.
        reweighted: Metrics at the production mix, where one was given.
        recommendation: What it means.
    """

    baseline: str
    candidate: str
    pairing: Pairing
    mismatches: tuple[Mismatch, ...] = ()
    figures: tuple[PairedFigure, ...] = ()
    slices: tuple[PairedFigure, ...] = ()
    flips: tuple[Flips, ...] = ()
    reversals: tuple[Reversal, ...] = ()
    reweighted: tuple[PairedFigure, ...] = ()
    recommendation: Recommendation | None = None

    @property
    def comparable(self) -> bool:
        """Whether anything can be compared: there are pairs, and some metric is scored the same way in both."""
        return any(figure.n for figure in self.figures)

    def metric(self, name: str, *, slice: str = ALL, statistic: str | None = None) -> PairedFigure:
        """The paired figure of a metric, over all cases or one slice (`locale=de`).

        Raises:
            KeyError: There is no such metric or slice; the message lists what there is.
        """
        rows = self.figures if slice == ALL else self.slices
        for figure in rows:
            if figure.metric == name and figure.slice == slice and statistic in (None, figure.statistic):
                return figure
        known = sorted({f.metric for f in rows if f.slice == slice})
        raise KeyError(f"no metric {name!r} in slice {slice!r}; there are: {', '.join(known) or 'none'}")


class FrontierPoint(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A run on the map of quality, safety, cost and latency.

    Attributes:
        run_id: The run.
        label: Its short name.
        values: By aspect (`quality`, `safety`, `cost`, `latency`): the value, None when unknown.
        metrics: By aspect: the metric and statistic it stands for.
        dominated_by: Runs that are at least as good in every aspect and better in one; empty when it is on the
            frontier.
    """

    run_id: str
    label: str
    values: dict[str, float | None] = {}
    metrics: dict[str, str] = {}
    dominated_by: tuple[str, ...] = ()


class Comparison(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Two or more runs compared.

    Attributes:
        runs: The runs; the first is the baseline where one is.
        pairs: One comparison for two runs; against the baseline, or every pair, for more.
        design: `pair`, `baseline` (each against the first) or `all` (every pair).
        level: Confidence level of intervals; 1 - level is the chance of any false alarm among the adjusted p-values
            of one family.
        family: What p-values were adjusted for, in a sentence.
        margin: Largest loss that does not matter, in points of a share (0.02 is two points).
        frontier: The runs on the map of quality, safety, cost and latency.
        mix: The production mix figures were re-weighted to, by slice value, where one was given.
    """

    runs: tuple[RunSide, ...]
    pairs: tuple[PairComparison, ...]
    design: str = "pair"
    level: float = 0.95
    family: str = ""
    margin: float = 0.02
    frontier: tuple[FrontierPoint, ...] = ()
    mix: dict[str, float] = {}

    def side(self, run_id: str) -> RunSide:
        """The run of this id.

        Raises:
            KeyError: It is not part of the comparison.
        """
        for run in self.runs:
            if run.run_id == run_id:
                return run
        raise KeyError(run_id)
