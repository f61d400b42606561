"""Whether today's inputs, outputs or scores look like the reference: distances, tests and what chance would give.

At a million rows every p-value is 0: decide on a distance above a minimum *and* above what chance would give.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_matrix, as_vector, same_length
from evalwright.stats._dist import chi2_quantile, chi2_tail
from evalwright.stats.records import TestResult


def _shares(counts: npt.ArrayLike, name: str) -> FloatArray:
    x = as_vector(counts, name)
    if len(x) == 0 or x.min() < 0.0 or x.sum() <= 0.0:
        raise ValueError(f"{name}: need counts or shares of at least 0 with a positive sum")
    return np.asarray(x / x.sum(), dtype=np.float64)


def _both(reference: npt.ArrayLike, current: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    p, q = _shares(reference, "reference"), _shares(current, "current")
    same_length(p, q, ("reference", "current"))
    return p, q


def psi(reference: npt.ArrayLike, current: npt.ArrayLike, *, floor: float = 1e-4) -> float:
    """Population stability index Σ(a - e)·ln(a/e) over bins, 0 for equal distributions.

    The usual 0.1 and 0.25 ignore the sample size: compare with `psi_chance`. Empty bins are set to `floor`, which
    then dominates; merge them when you can.

    Args:
        reference: counts or shares per bin (expected).
        current: counts or shares per bin (actual).
        floor: share an empty bin is given.

    Raises:
        ValueError: numbers of bins that differ, negative counts, no counts.

    Source: Siddiqi 2006; Yurdakul & Naranjo 2020.

    >>> round(psi([50, 30, 15, 5], [40, 30, 20, 10]), 6)
    0.071356
    """
    e, a = (np.where(x > 0.0, x, floor) for x in _both(reference, current))
    return float(((a - e) * np.log(a / e)).sum())


def psi_chance(n_reference: int, n_current: int, bins: int, *, level: float = 0.95) -> float:
    """Quantile of PSI when nothing changed: (1/n + 1/m)·χ²_{B-1}.

    Raises:
        ValueError: counts below 1, fewer than 2 bins.

    Source: Yurdakul & Naranjo 2020, Journal of Risk Model Validation 14(3).

    >>> round(psi_chance(1000, 1000, 10), 4)
    0.0338
    """
    if min(n_reference, n_current) < 1 or bins < 2:
        raise ValueError(f"need rows and at least 2 bins, got {n_reference}, {n_current}, {bins}")
    return (1.0 / n_reference + 1.0 / n_current) * chi2_quantile(level, bins - 1)


def quantile_bins(reference: npt.ArrayLike, bins: int = 10) -> FloatArray:
    """Inner bin edges at quantiles of the reference; equal ones are merged. Use with `bin_counts`.

    >>> quantile_bins([1.0, 2.0, 3.0, 4.0], 2).tolist()
    [2.5]
    """
    x = as_vector(reference, "reference")
    if len(x) == 0 or bins < 2:
        raise ValueError(f"need rows and at least 2 bins, got {len(x)} and {bins}")
    return np.unique(np.quantile(x, np.linspace(0.0, 1.0, bins + 1)[1:-1]))


def bin_counts(values: npt.ArrayLike, edges: npt.ArrayLike) -> FloatArray:
    """Counts of values between inner edges (below the first, …, above the last).

    >>> bin_counts([1, 2, 9], [2.5]).tolist()
    [2.0, 1.0]
    """
    cuts = as_vector(edges, "edges")
    codes = np.searchsorted(cuts, as_vector(values), side="left")
    return np.bincount(codes, minlength=len(cuts) + 1).astype(np.float64)


def jensen_shannon(reference: npt.ArrayLike, current: npt.ArrayLike, *, base: float = math.e) -> float:
    """Jensen-Shannon *divergence* between two distributions, 0 to ln 2 (1 in base 2). Its square root is the distance.

    Raises:
        ValueError: as `psi`.

    Source: Lin 1991, IEEE Trans. Information Theory 37:145.

    >>> round(jensen_shannon([50, 30, 15, 5], [40, 30, 20, 10]), 6)
    0.008823
    """
    p, q = _both(reference, current)
    m = (p + q) / 2.0

    def kl(a: FloatArray) -> float:
        used = a > 0.0
        return float((a[used] * np.log(a[used] / m[used])).sum())

    return max(0.0, (kl(p) + kl(q)) / 2.0 / math.log(base))


@dataclass(frozen=True, slots=True, kw_only=True)
class CategoryDrift:
    """Chi-square comparison of two categorical samples.

    Attributes:
        chi2: Pearson's statistic.
        df: degrees of freedom.
        p_value: of "same distribution".
        cramers_v: effect size, 0 to 1.
    """

    chi2: float
    df: int
    p_value: float
    cramers_v: float


def category_drift(reference: npt.ArrayLike, current: npt.ArrayLike) -> CategoryDrift:
    """Chi-square test of homogeneity with Cramér's V.

    Args:
        reference: counts per category.
        current: counts per category in the same order.

    Raises:
        ValueError: as `psi`.

    >>> round(category_drift([50, 30, 15, 5], [40, 30, 20, 10]).cramers_v, 6)
    0.132137
    """
    _both(reference, current)
    table = np.stack([as_vector(reference), as_vector(current)])
    table = table[:, table.sum(axis=0) > 0]
    n = float(table.sum())
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / n
    chi2 = float(((table - expected) ** 2 / expected).sum())
    df = table.shape[1] - 1
    return CategoryDrift(chi2=chi2, df=df, p_value=chi2_tail(chi2, df), cramers_v=math.sqrt(chi2 / n))


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberDrift:
    """Two samples of numbers compared.

    Attributes:
        ks: largest distance between the distribution functions, 0 to 1.
        ks_p: p of the Kolmogorov-Smirnov test.
        wasserstein: mean distance to move one distribution onto the other, in the units of the data.
        energy: energy distance (square root form).
        mann_whitney_p: p of "neither tends to be larger".
        shift: difference of medians, current minus reference.
    """

    ks: float
    ks_p: float
    wasserstein: float
    energy: float
    mann_whitney_p: float
    shift: float


def number_drift(reference: npt.ArrayLike, current: npt.ArrayLike) -> NumberDrift:
    """Distances and tests between two samples of numbers (scipy's).

    Raises:
        ValueError: an empty sample, NaN.

    >>> d = number_drift([0.1, 0.4, 0.5, 0.7], [0.5, 0.8, 0.9, 1.0])
    >>> d.ks, round(d.wasserstein, 3)
    (0.75, 0.375)
    """
    from scipy import stats

    x, y = as_vector(reference, "reference"), as_vector(current, "current")
    if len(x) == 0 or len(y) == 0:
        raise ValueError(f"both samples need rows, got {len(x)} and {len(y)}")
    ks = stats.ks_2samp(x, y)
    return NumberDrift(
        ks=float(ks.statistic), ks_p=float(ks.pvalue), wasserstein=float(stats.wasserstein_distance(x, y)),
        energy=float(stats.energy_distance(x, y)), shift=float(np.median(y) - np.median(x)),
        mann_whitney_p=float(stats.mannwhitneyu(x, y, alternative="two-sided").pvalue),
    )  # fmt: skip


def _squared_distances(x: FloatArray, y: FloatArray) -> FloatArray:
    d = (x**2).sum(axis=1)[:, None] + (y**2).sum(axis=1)[None, :] - 2.0 * x @ y.T
    return np.asarray(np.maximum(d, 0.0), dtype=np.float64)


def median_gamma(points: npt.ArrayLike) -> float:
    """Kernel width 1/median squared distance (the median heuristic), over at most 1,000 points.

    >>> median_gamma([[0.0], [1.0], [2.0]])
    1.0
    """
    x = as_matrix(points, "points")
    step = max(1, len(x) // 1000)
    d = _squared_distances(x[::step], x[::step])
    positive = d[np.triu_indices(len(d), 1)]
    middle = float(np.median(positive)) if len(positive) else 0.0
    return 1.0 / middle if middle > 0.0 else 1.0


def mmd2(
    reference: npt.ArrayLike, current: npt.ArrayLike, *, gamma: float | None = None, biased: bool = False
) -> float:
    """Squared maximum mean discrepancy with the kernel exp(-γ|x-y|²), for embeddings.

    Args:
        reference: matrix (n, d).
        current: matrix (m, d).
        gamma: kernel width; `median_gamma` of both together when None.
        biased: the V-statistic, never negative, instead of the unbiased U-statistic.

    Raises:
        ValueError: fewer than 2 rows, NaN.

    Source: Gretton et al. 2012, JMLR 13:723, equations 3 and 5.

    >>> round(mmd2([[0.0], [1.0]], [[3.0], [4.0]], gamma=0.5), 4)
    1.1341
    """
    x, y = as_matrix(reference, "reference"), as_matrix(current, "current")
    n, m = len(x), len(y)
    if n < 2 or m < 2:
        raise ValueError(f"need at least 2 rows each, got {n} and {m}")
    g = median_gamma(np.vstack([x, y])) if gamma is None else gamma
    kxx, kyy, kxy = (np.exp(-g * _squared_distances(a, b)) for a, b in ((x, x), (y, y), (x, y)))
    if biased:
        return float(kxx.mean() + kyy.mean() - 2.0 * kxy.mean())
    off_x, off_y = float(kxx.sum() - np.trace(kxx)), float(kyy.sum() - np.trace(kyy))
    return off_x / (n * (n - 1)) + off_y / (m * (m - 1)) - 2.0 * float(kxy.mean())


def mmd_test(
    reference: npt.ArrayLike,
    current: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    gamma: float | None = None,
    permutations: int = 500,
) -> TestResult:
    """Permutation test of MMD: p = (hits + 1)/(permutations + 1), all permutations by one matrix product.

    The statistic is the biased MMD². Memory grows with (n + m)²; sample a few thousand rows.

    Args:
        reference: matrix (n, d).
        current: matrix (m, d).
        rng: source of randomness.
        gamma: kernel width; `median_gamma` when None.
        permutations: number of random relabellings.

    Raises:
        ValueError: fewer than 2 rows, NaN.

    >>> x = np.arange(20.0)[:, None]
    >>> mmd_test(x, x + 30.0, rng=np.random.default_rng(1), permutations=99).p_value
    0.01
    """
    x, y = as_matrix(reference, "reference"), as_matrix(current, "current")
    n, m = len(x), len(y)
    if n < 2 or m < 2:
        raise ValueError(f"need at least 2 rows each, got {n} and {m}")
    pooled = np.vstack([x, y])
    g = median_gamma(pooled) if gamma is None else gamma
    kernel = np.exp(-g * _squared_distances(pooled, pooled))
    signs = np.append(np.full(n, 1.0 / n), np.full(m, -1.0 / m))
    observed = float(signs @ kernel @ signs)
    shuffled = rng.permuted(np.tile(signs, (permutations, 1)), axis=1)
    null = ((shuffled @ kernel) * shuffled).sum(axis=1)
    hits = int(np.count_nonzero(null >= observed - 1e-12))
    return TestResult(
        p_value=(hits + 1) / (permutations + 1), statistic=observed, method="mmd_permutation",
        alternative="greater", n=n + m,
    )  # fmt: skip
