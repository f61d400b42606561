"""Runs of the same cases, compared: paired figures, what differs between the runs, and what it all means."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from evalwright.core.estimate import ALL
from evalwright.core.paired_figure import Change, PairedFigure

__all__ = [
    "Advice",
    "Change",
    "Comparison",
    "Flip",
    "Flips",
    "FrontierPoint",
    "Mismatch",
    "PairComparison",
    "PairedFigure",
    "Pairing",
    "Recommendation",
    "Reversal",
    "RunSide",
    "Weight",
]


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
