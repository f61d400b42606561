"""Graded ratings by several judges: intraclass correlations and generalizability theory."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy.typing as npt
from scipy import special

from evalwright.stats._arrays import as_matrix, check_level
from evalwright.stats.records import Interval


@dataclass(frozen=True, slots=True)
class _Squares:
    items: int
    judges: int
    rows: float
    within: float
    columns: float
    error: float


def _squares(scores: npt.ArrayLike) -> _Squares:
    x = as_matrix(scores, "scores")
    n, k = x.shape
    if n < 2 or k < 2:
        raise ValueError(f"scores: need at least 2 items and 2 judges without gaps, got shape {x.shape}")
    grand = x.mean()
    rows = k * float(((x.mean(axis=1) - grand) ** 2).sum())
    columns = n * float(((x.mean(axis=0) - grand) ** 2).sum())
    total = float(((x - grand) ** 2).sum())
    return _Squares(
        n, k, rows / (n - 1), (total - rows) / (n * (k - 1)), columns / (k - 1),
        max(total - rows - columns, 0.0) / ((n - 1) * (k - 1)),
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class IntraclassCorrelations:
    """Shrout and Fleiss' six coefficients with F-based intervals.

    Attributes:
        single_random: ICC(1,1): each item rated by different judges.
        single_agreement: ICC(2,1): judges are a sample; severity counts as error.
        single_consistency: ICC(3,1): these judges only; severity is forgiven.
        mean_random: ICC(1,k), for the mean of k judges.
        mean_agreement: ICC(2,k).
        mean_consistency: ICC(3,k).
    """

    single_random: Interval
    single_agreement: Interval
    single_consistency: Interval
    mean_random: Interval
    mean_agreement: Interval
    mean_consistency: Interval


def intraclass(scores: npt.ArrayLike, *, level: float = 0.95) -> IntraclassCorrelations:
    """Intraclass correlations of a complete matrix of grades.

    Args:
        scores: matrix (items, judges), at least 2 by 2, no gaps.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: a smaller matrix, NaN, no variation at all.

    Source: Shrout & Fleiss 1979, Psychological Bulletin 86:420.

    >>> icc = intraclass([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    >>> round(icc.single_agreement.value, 2), round(icc.mean_consistency.value, 2)
    (0.29, 0.91)
    """
    s = _squares(scores)
    tail = (1.0 - check_level(level)) / 2.0
    if s.within == 0.0 and s.rows == 0.0:
        raise ValueError("scores: nothing varies, so there is nothing to correlate")
    one = _one_way(s, tail)
    three = _consistency(s, tail)
    two = _agreement(s, tail)
    made = [_icc(s, ends, level, name) for ends, name in ((one, "icc_1"), (two, "icc_2"), (three, "icc_3"))]
    means = [_icc(s, _spearman_brown(ends, s.judges), level, f"{name}_k") for ends, name in (
        (one, "icc_1"), (two, "icc_2"), (three, "icc_3"),
    )]  # fmt: skip
    return IntraclassCorrelations(
        single_random=made[0], single_agreement=made[1], single_consistency=made[2],
        mean_random=means[0], mean_agreement=means[1], mean_consistency=means[2],
    )  # fmt: skip


_Triple = tuple[float, float, float]


def _icc(s: _Squares, ends: _Triple, level: float, method: str) -> Interval:
    return Interval(value=ends[0], low=ends[1], high=ends[2], level=level, method=method, n=s.items)


def _spearman_brown(ends: _Triple, k: int) -> _Triple:
    value, low, high = (k * r / (1.0 + (k - 1.0) * r) for r in ends)
    return value, low, high


def _f_quantile(p: float, df1: float, df2: float) -> float:
    return float(special.fdtri(df1, df2, p))


def _from_f(f: float, k: int) -> float:
    return (f - 1.0) / (f + k - 1.0) if math.isfinite(f) else 1.0


def _ratio(rows: float, error: float) -> float:
    return rows / error if error > 0.0 else math.inf


def _one_way(s: _Squares, tail: float) -> _Triple:
    f = _ratio(s.rows, s.within)
    df1, df2 = s.items - 1, s.items * (s.judges - 1)
    low, high = f / _f_quantile(1.0 - tail, df1, df2), f * _f_quantile(1.0 - tail, df2, df1)
    return _from_f(f, s.judges), _from_f(low, s.judges), _from_f(high, s.judges)


def _consistency(s: _Squares, tail: float) -> _Triple:
    f = _ratio(s.rows, s.error)
    df1, df2 = s.items - 1, (s.items - 1) * (s.judges - 1)
    low, high = f / _f_quantile(1.0 - tail, df1, df2), f * _f_quantile(1.0 - tail, df2, df1)
    return _from_f(f, s.judges), _from_f(low, s.judges), _from_f(high, s.judges)


def _agreement(s: _Squares, tail: float) -> _Triple:
    n, k = s.items, s.judges
    bottom = s.rows + (k - 1.0) * s.error + k * (s.columns - s.error) / n
    value = (s.rows - s.error) / bottom
    if s.error == 0.0:
        return value, value, value
    ratio = s.columns / s.error
    scaled = n * (1.0 + (k - 1.0) * value) - k * value
    top = (k - 1.0) * (n - 1.0) * (k * value * ratio + scaled) ** 2
    df = top / ((n - 1.0) * k**2 * value**2 * ratio**2 + scaled**2)
    f_low, f_high = _f_quantile(1.0 - tail, n - 1.0, df), _f_quantile(1.0 - tail, df, n - 1.0)
    base = k * s.columns + (k * n - k - n) * s.error
    low = n * (s.rows - f_low * s.error) / (f_low * base + n * s.rows)
    high = n * (f_high * s.rows - s.error) / (base + n * f_high * s.rows)
    return value, low, high


@dataclass(frozen=True, slots=True, kw_only=True)
class Generalizability:
    """Variance components of items x judges, one grade per cell.

    Attributes:
        items: number of items.
        judges: number of judges (or prompt wordings, or seeds).
        item: variance between items.
        judge: variance between judges (severity), floored at 0.
        residual: what is left.
    """

    items: int
    judges: int
    item: float
    judge: float
    residual: float

    def mean_se(self, *, items: int | None = None, judges: int | None = None, judges_fixed: bool = False) -> float:
        """Standard error of the mean over this design: sqrt(σ²_i/n + σ²_j/k + σ²_r/(nk)).

        With `judges_fixed` the judges' variance does not count: a statement about these judges only. With one
        judge the error never falls below sqrt(σ²_j), however many items there are.

        Raises:
            ValueError: a number is not positive.
        """
        n, k = items or self.items, judges or self.judges
        if n < 1 or k < 1:
            raise ValueError(f"items and judges must be positive, got {n} and {k}")
        severity = 0.0 if judges_fixed else self.judge / k
        return math.sqrt(self.item / n + severity + self.residual / (n * k))

    def dependability(self, judges: int) -> float:
        """Φ: share of variance of a k-judge mean that is the items', severity counted as error."""
        error = (self.judge + self.residual) / judges
        return self.item / (self.item + error) if self.item + error > 0 else 0.0

    def consistency(self, judges: int) -> float:
        """Eρ²: the same with severity forgiven (for ranking)."""
        error = self.residual / judges
        return self.item / (self.item + error) if self.item + error > 0 else 0.0


def generalizability(scores: npt.ArrayLike) -> Generalizability:
    """Variance components of a complete items x judges matrix, by the analysis of variance.

    Args:
        scores: matrix (items, judges), at least 2 by 2.

    Raises:
        ValueError: a smaller matrix, or NaN.

    Source: Brennan 2001, Generalizability Theory.

    >>> g = generalizability([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])
    >>> round(g.item, 4), round(g.judge, 4), round(g.residual, 4)
    (2.5556, 5.2444, 1.0194)
    """
    s = _squares(scores)
    return Generalizability(
        items=s.items, judges=s.judges, item=max(0.0, (s.rows - s.error) / s.judges),
        judge=max(0.0, (s.columns - s.error) / s.items), residual=s.error,
    )  # fmt: skip
