"""A metric with its uncertainty. No figure leaves Evalwright without one."""

from __future__ import annotations

import msgspec

ALL = ""
"""Name of the slice that holds every case."""


class Estimate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An aggregate of scores over cases, with an interval.

    Attributes:
        metric: Name of the metric.
        value: Point estimate; None when no case was scored.
        low: Lower end of the interval; None when it can't be given.
        high: Upper end of the interval; None when it can't be given.
        level: Confidence level of the interval, e.g. 0.95.
        method: How the interval was made, e.g. `wilson`, `t`, `cr2`, `bootstrap-percentile`.
        n: Cases scored.
        skipped: Rows the scorer skipped.
        errors: Rows without a score because the target or the scorer failed.
        trials: Rows scored, repeats included.
        clusters: Independent clusters, None when every case is its own.
        se: Standard error, None when the method has none.
        slice: Name of the slice, `""` for all cases, else `locale=de`.
        unit: Unit of the value.
        higher_is_better: Direction; None when neither.
        statistic: `mean`, `p50`, `p95`, … or `corpus`.
        note: What a reader should be warned of (too few clusters, stopped early).
    """

    metric: str
    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str = ""
    n: int = 0
    skipped: int = 0
    errors: int = 0
    trials: int = 0
    clusters: int | None = None
    se: float | None = None
    slice: str = ALL
    unit: str = ""
    higher_is_better: bool | None = True
    statistic: str = "mean"
    note: str = ""

    @property
    def ci(self) -> tuple[float, float] | None:
        """The interval as a pair, None when there is none."""
        if self.low is None or self.high is None:
            return None
        return (self.low, self.high)

    def __repr__(self) -> str:
        shown = "None" if self.value is None else f"{self.value:.4g}"
        interval = "None" if self.ci is None else f"({self.ci[0]:.4g}, {self.ci[1]:.4g})"
        where = f", slice={self.slice!r}" if self.slice else ""
        return (
            f"Estimate(value={shown}, ci={interval}, level={self.level:g}, method={self.method!r}, "
            f"n={self.n}, skipped={self.skipped}, errors={self.errors}{where})"
        )
