"""A candidate against a baseline: figures over all cases and per slice, corrected for having looked at many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np

from evalwright.analysis.crossing import SliceCases, slice_cases
from evalwright.analysis.difference import PairOptions
from evalwright.analysis.frame import BoolArray, CaseFrame, FloatArray, IntArray
from evalwright.analysis.paired import PairRows, paired_figure
from evalwright.core.comparison import Change, Flip, Flips, PairedFigure
from evalwright.stats import adjust_p

FEW = 5
"""Slices with fewer pairs are shown but not tested: no p-value of theirs could be small."""

PERCENTILES_SHOWN = ("mean", "p50", "p95")
"""Statistics of times; of other metrics the mean."""

ROW = ""
"""Name of the row verdict over all scorers, among the metrics of flips."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareSettings:
    """What a comparison is to look at.

    Attributes:
        options: Levels and power.
        margin: Largest loss that does not matter, in points of a share (0.02) or of a metric's range.
        combinations: Slices to combine, such as `locale & tier`.
        min_n: Slices with fewer pairs are shown but not judged.
        flips: Most cases listed each way, per metric.
        metrics: Only these metrics; all when empty.
    """

    options: PairOptions = field(default_factory=PairOptions)
    margin: float = 0.02
    combinations: tuple[str, ...] = ()
    min_n: int = FEW
    flips: int = 1_000
    metrics: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PairMaterial:
    """Two runs, ready to be compared.

    Attributes:
        rows: By metric: the pairs both scored.
        frame: Clusters and slices of the pairs.
        sliced: Metrics that are also looked at per slice.
        case_id: Id of the case of a pair.
        failing: Row verdicts: pairs that failed in the baseline and in the candidate; None where no row has one.
    """

    rows: Mapping[str, PairRows]
    frame: CaseFrame
    sliced: frozenset[str]
    case_id: Callable[[int], str]
    failing: tuple[BoolArray, BoolArray] | None = None


def overall_figures(material: PairMaterial, settings: CompareSettings) -> list[PairedFigure]:
    """Every metric over all pairs; times with their percentiles."""
    return [
        paired_figure(rows, settings.options, statistic=statistic)
        for rows in material.rows.values()
        for statistic in (PERCENTILES_SHOWN if rows.record.unit == "s" else ("mean",))
    ]


def slice_figures(material: PairMaterial, settings: CompareSettings) -> list[PairedFigure]:
    """Every sliced metric per slice value and combination that has pairs."""
    places = slice_cases(material.frame, settings.combinations)
    options = _brief(settings.options)
    found: list[PairedFigure] = []
    for name, rows in material.rows.items():
        if name in material.sliced:
            found.extend(_slice_figure(rows, place, options) for place in places if len(place.members))
    return [figure for figure in found if figure.n]


def _brief(options: PairOptions) -> PairOptions:
    """The options without what costs time on many slices."""
    return PairOptions(level=options.level, confidence=options.confidence, power=options.power, detail=False)


def _slice_figure(rows: PairRows, place: SliceCases, options: PairOptions) -> PairedFigure:
    return paired_figure(rows, options, members=place.members, slice_label=place.label)


def adjust_family(figures: Sequence[PairedFigure], *, min_n: int = 0) -> list[PairedFigure]:
    """The figures with p-values adjusted by Holm for having been looked at together.

    Figures of fewer than `min_n` pairs (never fewer than `FEW`) are not tested and get neither p.
    """
    few = max(min_n, FEW) if min_n else 0
    tested = [place for place, figure in enumerate(figures) if figure.p is not None and figure.n >= few]
    adjusted = adjust_p([figures[place].p or 0.0 for place in tested], "holm")
    by_place = dict(zip(tested, adjusted.tolist(), strict=True))
    return [_with_p(figure, by_place.get(place)) for place, figure in enumerate(figures)]


def _with_p(figure: PairedFigure, adjusted: float | None) -> PairedFigure:
    if adjusted is not None:
        return msgspec.structs.replace(figure, p_adjusted=adjusted)
    note = "; ".join(filter(None, [figure.note, "too few cases to judge"])) if figure.n else figure.note
    return msgspec.structs.replace(figure, p=None, exact_p=None, note=note)


def adjust_by_metric(figures: Sequence[PairedFigure], *, min_n: int) -> list[PairedFigure]:
    """Slice figures with p-values adjusted within each metric, worst first within a metric."""
    groups: dict[tuple[str, str], list[PairedFigure]] = {}
    for figure in figures:
        groups.setdefault((figure.metric, figure.statistic), []).append(figure)
    return sort_slices([figure for group in groups.values() for figure in adjust_family(group, min_n=min_n)])


def sort_slices(figures: Sequence[PairedFigure]) -> list[PairedFigure]:
    """Slice figures by metric in their order, worst first within a metric."""
    metrics = list(dict.fromkeys((figure.metric, figure.statistic) for figure in figures))
    place = {name: at for at, name in enumerate(metrics)}
    return sorted(figures, key=lambda figure: (place[figure.metric, figure.statistic], _worst_first(figure)))


def _worst_first(figure: PairedFigure) -> tuple[int, float, float]:
    """Clearly worse ones first, then by how much worse; clearly better ones last, untested ones at the very end."""
    gain = figure.gain if figure.gain is not None else 0.0
    rank = 3 if figure.p is None else 0 if figure.clear and gain < 0 else 2 if figure.clear else 1
    return rank, gain, figure.p_adjusted if figure.p_adjusted is not None else 2.0


def flips_of(material: PairMaterial, settings: CompareSettings, slices: Sequence[PairedFigure] = ()) -> list[Flips]:
    """Per metric the cases that moved, both ways; the row verdict over all scorers comes first.

    Args:
        material: The runs.
        settings: How many to list.
        slices: Slice figures; cases of slices that are clearly worse are listed first.
    """
    order = _Order(first=_alarmed(material.frame, settings, slices), limit=settings.flips)
    found = [] if material.failing is None else [_row_flips(material, material.failing, order)]
    found.extend(_metric_flips(rows, material.case_id, order) for rows in _with_direction(material))
    return [flips for flips in found if flips.fixed_count or flips.broken_count or flips.verdicts]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Order:
    """Which flips are listed: pairs of clearly worse slices first, then by size, at most `limit` each way."""

    first: BoolArray
    limit: int

    def chosen(self, pairs: IntArray, sizes: FloatArray) -> IntArray:
        """Places in `pairs` in the order they are listed."""
        order = np.lexsort((np.arange(len(pairs)), -sizes, ~self.first[pairs]))
        return np.asarray(order[: self.limit], dtype=np.int64)


def _alarmed(frame: CaseFrame, settings: CompareSettings, slices: Sequence[PairedFigure]) -> BoolArray:
    found = np.zeros(frame.size, dtype=np.bool_)
    worse = {figure.slice for figure in slices if figure.change is Change.WORSE}
    for place in slice_cases(frame, settings.combinations) if worse else ():
        if place.label in worse:
            found[place.members] = True
    return found


def _with_direction(material: PairMaterial) -> Iterable[PairRows]:
    names = (name for name in material.rows if name in material.sliced)
    return (material.rows[name] for name in names if material.rows[name].record.higher_is_better is not None)


def _row_flips(material: PairMaterial, failing: tuple[BoolArray, BoolArray], order: _Order) -> Flips:
    before, after = failing
    fixed, broken = np.flatnonzero(before & ~after), np.flatnonzero(~before & after)

    def flips(pairs: IntArray, gain: float) -> tuple[Flip, ...]:
        left, right = (0.0, 1.0) if gain > 0 else (1.0, 0.0)
        chosen = pairs[order.chosen(pairs, np.ones(len(pairs)))].tolist()
        ids = map(material.case_id, chosen)
        return tuple(Flip(case_id=name, metric=ROW, baseline=left, candidate=right, gain=gain) for name in ids)

    return Flips(
        metric=ROW,
        fixed=flips(fixed, 1.0),
        broken=flips(broken, -1.0),
        fixed_count=len(fixed),
        broken_count=len(broken),
        both=int(np.count_nonzero(~before & ~after)),
        neither=int(np.count_nonzero(before & after)),
    )


def _metric_flips(rows: PairRows, case_id: Callable[[int], str], order: _Order) -> Flips:
    gain = rows.gain
    good = 0.0 if rows.record.higher_is_better is False else 1.0
    fixed, broken = np.flatnonzero(gain > 0), np.flatnonzero(gain < 0)

    def flips(places: IntArray) -> tuple[Flip, ...]:
        chosen = places[order.chosen(rows.pair[places], np.abs(gain[places]))].tolist()
        return tuple(_flip(rows, at, float(gain[at]), case_id) for at in chosen)

    return Flips(
        metric=rows.record.metric,
        fixed=flips(fixed),
        broken=flips(broken),
        fixed_count=len(fixed),
        broken_count=len(broken),
        both=int(np.count_nonzero((rows.left == good) & (rows.right == good))) if rows.verdicts else 0,
        neither=int(np.count_nonzero((rows.left != good) & (rows.right != good))) if rows.verdicts else 0,
        verdicts=rows.verdicts,
    )


def _flip(rows: PairRows, at: int, gain: float, case_id: Callable[[int], str]) -> Flip:
    return Flip(
        case_id=case_id(int(rows.pair[at])),
        metric=rows.record.metric,
        baseline=float(rows.left[at]),
        candidate=float(rows.right[at]),
        gain=gain,
    )
