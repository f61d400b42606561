"""Two runs of the same cases on one metric: the paired difference, its interval, bounds and test, of one family.

Everything here works in *pair space*: index k stands for the k-th case both runs have (same id, same content), and the
columns and slices of both runs are expressed in it (`in_pair_space`, `frame_in_pair_space`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from evalwright.analysis.difference import Difference, PairedValues, PairOptions, mean_difference
from evalwright.analysis.frame import BoolArray, CaseFrame, FloatArray, IntArray, MetricColumn
from evalwright.analysis.metrics import PERCENTILES
from evalwright.analysis.other_differences import RowPair, corpus_difference, percentile_difference
from evalwright.core.comparison import PairedFigure
from evalwright.core.estimate import ALL
from evalwright.core.run import ScorerRecord
from evalwright.core.scorer import ScoreKind
from evalwright.stats import NOTES, mcnemar_exact

_QUIET = frozenset({"clipped", "no_variation", "empty", "binned", "capped"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PairRows:
    """One metric of two runs over the cases both scored, trials averaged within their case.

    Attributes:
        record: The scorer, as the candidate's manifest names it.
        baseline: The baseline's rows in pair space.
        candidate: The candidate's rows in pair space.
        pair: Pair index of each case both scored, ascending, shape (m,).
        left: Baseline's mean over trials, shape (m,).
        right: Candidate's mean over trials, shape (m,).
        rows: Scored rows behind each, both runs together, shape (m,).
        clusters: Cluster code of each, None when cases are independent.
        left_only: Pairs that only the baseline scored, shape (size,).
        right_only: Pairs that only the candidate scored, shape (size,).
        verdicts: Whether all rows are 0 or 1, one trial a case.
    """

    record: ScorerRecord
    baseline: MetricColumn
    candidate: MetricColumn
    pair: IntArray
    left: FloatArray
    right: FloatArray
    rows: IntArray
    clusters: IntArray | None
    left_only: BoolArray
    right_only: BoolArray
    verdicts: bool

    @property
    def difference(self) -> FloatArray:
        """Candidate minus baseline of each case, shape (m,)."""
        return self.right - self.left

    @property
    def gain(self) -> FloatArray:
        """The same, positive where the candidate did better."""
        return -self.difference if self.record.higher_is_better is False else self.difference

    def within(self, members: IntArray) -> PairRows:
        """Only the pairs of a slice.

        Args:
            members: Pair indices of the slice.
        """
        inside = np.zeros(len(self.left_only), dtype=np.bool_)
        inside[members] = True
        kept = inside[self.pair]
        return replace(
            self,
            pair=self.pair[kept],
            left=self.left[kept],
            right=self.right[kept],
            rows=self.rows[kept],
            clusters=None if self.clusters is None else self.clusters[kept],
            left_only=self.left_only & inside,
            right_only=self.right_only & inside,
        )


def in_pair_space(column: MetricColumn, place: IntArray) -> MetricColumn:
    """A run's column with its rows numbered by pair; rows of cases that are no pair are dropped.

    Args:
        column: The rows, numbered by the run's cases.
        place: Pair index of each case of the run, -1 where it is no pair, shape (cases,).
    """
    pair = place[column.case]
    kept = pair >= 0
    return replace(
        column,
        case=pair[kept],
        value=column.value[kept],
        error=column.error[kept],
        stats=None if column.stats is None else column.stats[kept],
    )


def frame_in_pair_space(frame: CaseFrame, place: IntArray, pairs: int) -> CaseFrame:
    """A run's clusters and slices, numbered by pair; see `in_pair_space`."""
    kept = np.flatnonzero(place >= 0)
    clusters: IntArray | None = None
    if frame.clusters is not None:
        clusters = np.empty(pairs, dtype=np.int64)
        clusters[place[kept]] = frame.clusters[kept]
        clusters = clusters if len(np.unique(clusters)) < pairs else None
    return CaseFrame(
        size=pairs,
        clusters=clusters,
        slices={name: {v: _moved(members, place) for v, members in by.items()} for name, by in frame.slices.items()},
    )


def _moved(members: IntArray, place: IntArray) -> IntArray:
    moved = place[members]
    return np.sort(moved[moved >= 0])


def pair_rows(baseline: MetricColumn, candidate: MetricColumn, frame: CaseFrame) -> PairRows:
    """One metric of both runs, brought together.

    Args:
        baseline: The baseline's rows in pair space.
        candidate: The candidate's rows in pair space.
        frame: The pairs' clusters.
    """
    left, left_rows = _case_means(baseline, frame.size)
    right, right_rows = _case_means(candidate, frame.size)
    both = (left_rows > 0) & (right_rows > 0)
    pair = np.flatnonzero(both)
    single = bool((left_rows <= 1).all() and (right_rows <= 1).all())
    return PairRows(
        record=candidate.record,
        baseline=baseline,
        candidate=candidate,
        pair=pair,
        left=left[pair],
        right=right[pair],
        rows=(left_rows + right_rows)[pair],
        clusters=None if frame.clusters is None else frame.clusters[pair],
        left_only=(left_rows > 0) & ~both,
        right_only=(right_rows > 0) & ~both,
        verdicts=single and _is_proportion(candidate.record) and _binary(baseline) and _binary(candidate),
    )


def _case_means(column: MetricColumn, size: int) -> tuple[FloatArray, IntArray]:
    scored = ~np.isnan(column.value)
    counts = np.bincount(column.case[scored], minlength=size)
    sums = np.bincount(column.case[scored], weights=column.value[scored], minlength=size)
    return sums / np.maximum(counts, 1), counts.astype(np.int64)


def _is_proportion(record: ScorerRecord) -> bool:
    if record.kind == ScoreKind.PROPORTION:
        return True
    return record.kind == ScoreKind.MEAN and (record.low, record.high) == (0.0, 1.0)


def _binary(column: MetricColumn) -> bool:
    value = column.value[~np.isnan(column.value)]
    return bool(((value == 0.0) | (value == 1.0)).all())


def paired_figure(
    rows: PairRows,
    options: PairOptions | None = None,
    *,
    members: IntArray | None = None,
    slice_label: str = ALL,
    statistic: str = "mean",
) -> PairedFigure:
    """The paired figure of a metric, over all pairs or one slice.

    | rows | interval and bounds | test |
    | --- | --- | --- |
    | 0/1 verdicts, one trial, independent cases | Tango's score interval | score (McNemar) |
    | grades, repeated trials, clusters | (clustered) t on the mean differences of cases | the same t |
    | percentiles of a quantity | both runs' order-statistic intervals combined (MOVER) | its inversion |
    | corpus metrics | their values per case (influence), or a bootstrap of both runs' cases together | the same |

    Args:
        rows: The metric in both runs.
        options: Levels.
        members: Pair indices of the slice; None for all pairs.
        slice_label: Name the figure carries, e.g. `locale=de`.
        statistic: `mean`, or `p50`, `p95`, `p99` for quantities; corpus metrics ignore it.
    """
    options = options or PairOptions()
    chosen = rows if members is None else rows.within(members)
    found = _difference(chosen, options, statistic)
    return _figure(chosen, found, options, slice_label, statistic)


def _difference(rows: PairRows, options: PairOptions, statistic: str) -> Difference:
    if rows.record.kind == ScoreKind.CORPUS:
        return corpus_difference(_row_pair(rows), options)
    if statistic in PERCENTILES:
        return percentile_difference(_row_pair(rows), PERCENTILES[statistic], options)
    values = PairedValues(
        left=rows.left,
        right=rows.right,
        clusters=rows.clusters,
        reach=_reach(rows.record),
        verdicts=rows.verdicts and rows.clusters is None,
    )
    return mean_difference(values, options)


def _reach(record: ScorerRecord) -> float | None:
    """Distance of the least and the greatest possible value: no difference is larger."""
    return None if record.low is None or record.high is None else record.high - record.low


def _row_pair(rows: PairRows) -> RowPair:
    """Both runs' scored rows of the chosen pairs."""
    chosen = np.zeros(len(rows.left_only), dtype=np.bool_)
    chosen[rows.pair] = True
    return RowPair(
        left=_scored(rows.baseline, chosen),
        right=_scored(rows.candidate, chosen),
        pair=rows.pair,
        clusters=rows.clusters,
    )


def _scored(column: MetricColumn, chosen: BoolArray) -> MetricColumn:
    kept = chosen[column.case] & ~np.isnan(column.value)
    return replace(
        column,
        case=column.case[kept],
        value=column.value[kept],
        error=column.error[kept],
        stats=None if column.stats is None else column.stats[kept],
    )


def _figure(rows: PairRows, found: Difference, options: PairOptions, slice_label: str, statistic: str) -> PairedFigure:
    record, interval, gain = rows.record, found.interval, rows.gain
    counts = found.counts
    return PairedFigure(
        metric=record.metric,
        baseline=found.baseline,
        candidate=found.candidate,
        difference=interval.value,
        low=interval.low,
        high=interval.high,
        level=options.level,
        p=found.p,
        exact_p=mcnemar_exact(counts).p_value if counts is not None else found.robust_p,
        lower=found.lower,
        upper=found.upper,
        confidence=options.confidence,
        n=len(rows.pair),
        wins=int(np.count_nonzero(gain > 0)),
        losses=int(np.count_nonzero(gain < 0)),
        ties=int(np.count_nonzero(gain == 0)),
        clusters=interval.clusters,
        trials=int(rows.rows.sum()),
        se=interval.se,
        df=interval.df,
        effect=found.effect,
        correlation=found.correlation,
        detectable=found.detectable,
        method=interval.method,
        test=found.test,
        slice=slice_label,
        statistic="corpus" if record.kind == ScoreKind.CORPUS else statistic,
        unit=record.unit,
        higher_is_better=record.higher_is_better,
        baseline_only=int(rows.left_only.sum()),
        candidate_only=int(rows.right_only.sum()),
        verdicts=rows.verdicts,
        share=(record.low, record.high) == (0.0, 1.0) and not record.unit,
        note="; ".join(NOTES.get(code, code) for code in interval.notes if code not in _QUIET),
    )
