"""Correlation of offline with online figures, of a judge with people: always with its interval."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_vector, check_level, same_length
from evalwright.stats._dist import z_two_sided
from evalwright.stats.records import Interval


def _pairs(x: npt.ArrayLike, y: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    a, b = as_vector(x, "x"), as_vector(y, "y")
    same_length(a, b, ("x", "y"))
    return a, b


def _r(x: FloatArray, y: FloatArray) -> float | None:
    if len(x) < 2 or x.min() == x.max() or y.min() == y.max():
        return None
    a, b = x - x.mean(), y - y.mean()
    return float(np.clip(a @ b / math.sqrt(float(a @ a) * float(b @ b)), -1.0, 1.0))


def _fisher(r: float | None, variance: float | None, n: int, *, level: float, method: str) -> Interval:
    """Interval tanh(atanh r ± z·sqrt(variance)); everything possible when there is no variance."""
    check_level(level)
    if r is None:
        notes = ("empty",) if n == 0 else ("no_variation",)
        return Interval(value=None, low=-1.0, high=1.0, level=level, method=method, n=n, notes=notes)
    if variance is None:
        return Interval(value=r, low=-1.0, high=1.0, level=level, method=method, n=n, notes=("too_few_pairs",))
    if abs(r) == 1.0:
        return Interval(value=r, low=r, high=r, level=level, method=method, n=n, notes=("no_variation",))
    half = z_two_sided(level) * math.sqrt(variance)
    centre = math.atanh(r)
    return Interval(
        value=r, low=math.tanh(centre - half), high=math.tanh(centre + half), level=level, method=method, n=n
    )


def pearson(x: npt.ArrayLike, y: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Pearson correlation with Fisher's z interval, variance 1/(n-3).

    The unit is the row: with k releases n is k, however many cases each release ran. Values of one series over time
    are not independent; correlate their differences.

    Raises:
        ValueError: lengths that differ, NaN.

    Source: Fisher 1921, Metron 1:3.

    >>> ci = pearson([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5])
    >>> round(ci.value, 4), round(ci.low, 4), round(ci.high, 4)
    (0.8286, 0.0519, 0.9807)
    """
    a, b = _pairs(x, y)
    variance = 1.0 / (len(a) - 3.0) if len(a) > 3 else None
    return _fisher(_r(a, b), variance, len(a), level=level, method="pearson_fisher")


def spearman(
    x: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    variance: Literal["bonett_wright", "fieller"] = "bonett_wright",
    level: float = 0.95,
) -> Interval:
    """Spearman rank correlation; variance (1 + r²/2)/(n-3) (Bonett-Wright) or 1.06/(n-3) (Fieller).

    Raises:
        ValueError: lengths that differ, NaN.

    Source: Bonett & Wright 2000, Psychometrika 65:23; Fieller, Hartley & Pearson 1957.

    >>> round(spearman([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5]).value, 4)
    0.8286
    """
    a, b = _pairs(x, y)
    r = _r(average_ranks(a), average_ranks(b))
    spread = None
    if len(a) > 3 and r is not None:
        spread = (1.0 + r * r / 2.0 if variance == "bonett_wright" else 1.06) / (len(a) - 3.0)
    return _fisher(r, spread, len(a), level=level, method=f"spearman_{variance}")


def kendall(x: npt.ArrayLike, y: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Kendall's tau-b with Fieller's variance 0.437/(n-4) on the z scale.

    Raises:
        ValueError: lengths that differ, NaN.

    Source: Kendall 1945; Fieller, Hartley & Pearson 1957.

    >>> round(kendall([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5]).value, 4)
    0.6
    """
    a, b = _pairs(x, y)
    variance = 0.437 / (len(a) - 4.0) if len(a) > 4 else None
    return _fisher(_tau_b(a, b), variance, len(a), level=level, method="kendall_fieller")


def _tau_b(a: FloatArray, b: FloatArray) -> float | None:
    if len(a) < 2 or a.min() == a.max() or b.min() == b.max():
        return None
    if len(a) > 3000:
        from scipy import stats

        return float(stats.kendalltau(a, b).statistic)
    sign_a, sign_b = np.sign(a[:, None] - a[None, :]), np.sign(b[:, None] - b[None, :])
    agree = float((sign_a * sign_b).sum())
    return agree / math.sqrt(float((sign_a**2).sum()) * float((sign_b**2).sum()))


def average_ranks(values: npt.ArrayLike) -> FloatArray:
    """Ranks 1..n with ties sharing their mean rank.

    >>> average_ranks([10, 20, 20]).tolist()
    [1.0, 2.5, 2.5]
    """
    x = as_vector(values)
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return np.asarray((ends - (counts - 1) / 2.0)[inverse], dtype=np.float64)


def lin_ccc(x: npt.ArrayLike, y: npt.ArrayLike, *, level: float = 0.95) -> Interval:
    """Lin's concordance correlation 2s_xy/(s_x² + s_y² + (m_x - m_y)²): agreement on the same scale.

    The interval is Lin's, on the z scale.

    Raises:
        ValueError: lengths that differ, NaN.

    Source: Lin 1989, Biometrics 45:255 (with the 2000 correction).

    >>> round(lin_ccc([0.7, 0.72, 0.75, 0.8, 0.83, 0.9], [0.65, 0.7, 0.77, 0.79, 0.88, 0.91]).value, 4)
    0.9235
    """
    a, b = _pairs(x, y)
    bottom = float(a.var() + b.var() + (a.mean() - b.mean()) ** 2) if len(a) else 0.0
    if bottom == 0.0:
        return _fisher(None, None, len(a), level=level, method="lin_ccc")
    ccc = 2.0 * float(((a - a.mean()) * (b - b.mean())).mean()) / bottom
    return _fisher(ccc, _ccc_variance(a, b, ccc), len(a), level=level, method="lin_ccc")


def _ccc_variance(a: FloatArray, b: FloatArray, ccc: float) -> float | None:
    r = _r(a, b)
    if r is None or r == 0.0 or len(a) < 4 or abs(ccc) == 1.0:
        return None
    shift2 = float((a.mean() - b.mean()) ** 2) / math.sqrt(float(a.var()) * float(b.var()))
    first = (1.0 - r**2) * ccc**2 / ((1.0 - ccc**2) * r**2)
    second = 2.0 * ccc**3 * (1.0 - ccc) * shift2 / (r * (1.0 - ccc**2) ** 2)
    third = ccc**4 * shift2**2 / (2.0 * r**2 * (1.0 - ccc**2) ** 2)
    return max((first + second - third) / (len(a) - 2.0), 0.0)


def pairwise_accuracy(offline: npt.ArrayLike, online: npt.ArrayLike) -> float | None:
    """Share of pairs of systems that both figures order alike; pairs tied online are left out; None without pairs.

    Source: Kocmi et al. 2021, arXiv 2107.10821.

    >>> pairwise_accuracy([0.7, 0.8, 0.75], [1.0, 3.0, 2.0])
    1.0
    """
    a, b = _pairs(offline, online)
    upper = np.triu_indices(len(a), 1)
    gap_a, gap_b = (a[:, None] - a[None, :])[upper], (b[:, None] - b[None, :])[upper]
    decided = gap_b != 0.0
    if not decided.any():
        return None
    alike = np.asarray(np.sign(gap_a[decided]) == np.sign(gap_b[decided]), dtype=np.bool_)
    return float(np.count_nonzero(alike)) / len(alike)
