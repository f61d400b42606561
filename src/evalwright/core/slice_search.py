"""Slices that are worse than the rest, found by looking at many."""

from __future__ import annotations

import msgspec

from evalwright.core.estimate import Estimate


class SliceFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A slice against all other cases.

    Attributes:
        label: The slice: `locale=de & tier=1`.
        n: Its cases.
        value: Its value, with the interval.
        rest: The value of all other cases.
        gap: Slice minus rest, in the metric's unit.
        low: Lower end of the gap's interval.
        high: Upper end.
        shrunk: The gap drawn towards 0 by as much as its noise asks for: to rank by, never to decide on.
        p: P-value before correction.
        p_adjusted: Adjusted (Holm) for every slice that was looked at: to act on.
        q: Adjusted (Benjamini-Hochberg): the share of false alarms among slices with a q up to this; to look into.
        lost: Cases that would be right if the slice were as good as the rest; for shares only, else None.
    """

    label: str
    n: int
    value: Estimate
    rest: float
    gap: float
    low: float | None = None
    high: float | None = None
    shrunk: float = 0.0
    p: float = 1.0
    p_adjusted: float = 1.0
    q: float = 1.0
    lost: float | None = None


class SliceSearch(msgspec.Struct, frozen=True, kw_only=True):
    """What a search through slices found, worst first.

    Attributes:
        run: The run.
        metric: The metric searched.
        baseline: The baseline, where the search is for slices with the worst change; None for the worst value.
        whole: The figure over all cases: a metric's value, or its change.
        fields: What slices were made from.
        tested: How many slices were tested, combinations included.
        small: How many had too few cases and were not tested.
        min_n: Fewest cases a slice is tested with.
        rows: The slices, worst first; those that only repeat a worse parent are left out.
        repeats: How many were left out for that.
        higher_is_better: Direction of the metric.
        unit: Unit of the metric.
        share: Whether it lies between 0 and 1.
        level: Confidence level.
    """

    run: str
    metric: str
    whole: Estimate
    baseline: str | None = None
    fields: tuple[str, ...] = ()
    tested: int = 0
    small: int = 0
    min_n: int = 0
    rows: tuple[SliceFinding, ...] = ()
    repeats: int = 0
    higher_is_better: bool | None = True
    unit: str = ""
    share: bool = False
    level: float = 0.95

    @property
    def clear(self) -> tuple[SliceFinding, ...]:
        """Slices that are worse beyond what having searched explains."""
        sign = -1.0 if self.higher_is_better is False else 1.0
        return tuple(row for row in self.rows if row.p_adjusted < 1.0 - self.level and sign * row.gap < 0)
