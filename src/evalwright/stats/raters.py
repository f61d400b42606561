"""Agreement of any number of raters with gaps: Krippendorff's alpha, Fleiss, Gwet, Brennan-Prediger.

Every coefficient is a function of sums over units, so its bootstrap resamples units (the pairs within a unit are not
independent; resampling pairs undercovers).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_matrix, ordered_labels
from evalwright.stats._dist import z_cdf
from evalwright.stats.agreement import Weighting, disagreement_weights
from evalwright.stats.bootstrap import CorpusStatistic, corpus_replicates
from evalwright.stats.records import Interval

Scale = Literal["nominal", "ordinal", "interval", "ratio"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatingCounts:
    """How many raters gave each unit each category.

    Attributes:
        counts: array (units, categories).
        values: the categories as numbers, in increasing order (0, 1, … for names).
        labels: the categories as they were given.
    """

    counts: FloatArray
    values: FloatArray
    labels: tuple[Any, ...]

    @property
    def units(self) -> int:
        """Units, including those with fewer than two ratings."""
        return len(self.counts)

    @property
    def ratings(self) -> int:
        """Ratings in all."""
        return round(float(self.counts.sum()))


def rating_counts(ratings: Any, *, missing: Any = None) -> RatingCounts:
    """Counts from a table of ratings.

    Args:
        ratings: rows of ratings, one row per unit, one column per rater; any hashable labels.
        missing: what stands for "not rated" (None and NaN always do).

    Raises:
        ValueError: rows of different lengths, or not one rating.

    >>> rating_counts([["good", "good"], ["bad", None]]).counts.tolist()
    [[0.0, 2.0], [1.0, 0.0]]
    """
    rows = [list(row) for row in ratings]
    if len({len(row) for row in rows}) > 1:
        raise ValueError("ratings: every unit needs one column per rater")
    labels = ordered_labels(r for row in rows for r in row if not _absent(r, missing))
    if not labels:
        raise ValueError("ratings: there is not one rating")
    index = {label: i for i, label in enumerate(labels)}
    counts = np.zeros((len(rows), len(labels)))
    for u, row in enumerate(rows):
        for rating in row:
            if not _absent(rating, missing):
                counts[u, index[rating]] += 1.0
    numeric = all(isinstance(x, (int, float, np.number)) for x in labels)
    values = np.array(labels, dtype=np.float64) if numeric else np.arange(len(labels), dtype=np.float64)
    return RatingCounts(counts=counts, values=values, labels=tuple(labels))


def _absent(rating: Any, missing: Any) -> bool:
    return (
        rating is None
        or (isinstance(rating, float) and math.isnan(rating))
        or (missing is not None and rating == missing)
    )


def coincidences(counts: FloatArray) -> FloatArray:
    """Each unit's share of the coincidence matrix, shape (units, q, q); units with one rating give none."""
    raters = counts.sum(axis=1)
    pairs = counts[:, :, None] * counts[:, None, :]
    q = counts.shape[1]
    pairs[:, np.arange(q), np.arange(q)] -= counts
    return np.asarray(pairs / np.maximum(raters - 1.0, 1.0)[:, None, None], dtype=np.float64)


def _distances(scale: Scale, values: FloatArray, totals: FloatArray) -> FloatArray:
    """Squared distances between categories, shape (..., q, q); ordinal ones depend on the totals."""
    if scale == "nominal":
        return 1.0 - np.eye(len(values))
    if scale == "interval":
        return np.asarray((values[:, None] - values[None, :]) ** 2, dtype=np.float64)
    if scale == "ratio":
        total = values[:, None] + values[None, :]
        gap = values[:, None] - values[None, :]
        return np.asarray(np.divide(gap, total, out=np.zeros_like(gap), where=total != 0) ** 2, dtype=np.float64)
    midpoint = np.cumsum(totals, axis=-1) - totals / 2.0
    return np.asarray((midpoint[..., :, None] - midpoint[..., None, :]) ** 2, dtype=np.float64)


def alpha_of_coincidences(coincidence: FloatArray, scale: Scale, values: FloatArray) -> FloatArray:
    """Alpha 1 - Do/De from coincidence matrices (..., q, q); NaN where nothing varies."""
    totals = coincidence.sum(axis=-1)
    n = totals.sum(axis=-1)
    squared = _distances(scale, values, totals)
    observed = (coincidence * squared).sum(axis=(-1, -2))
    crossed = totals[..., :, None] * totals[..., None, :]
    expected = (crossed * squared).sum(axis=(-1, -2))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1.0 - (n - 1.0) * observed / np.where(expected > 0, expected, np.nan), dtype=np.float64)


def krippendorff_alpha(
    ratings: RatingCounts,
    *,
    scale: Scale = "nominal",
    rng: np.random.Generator | None = None,
    resamples: int = 2_000,
    level: float = 0.95,
) -> Interval:
    """Krippendorff's alpha with a bootstrap over units.

    Works for any number of raters and gaps. When all ratings are equal alpha is undefined (value None,
    "no_variation"): report `percent_agreement` instead. Krippendorff's own cut-offs: rely from .800, tentative
    from .667.

    Args:
        ratings: from `rating_counts`.
        scale: level of measurement of the rubric.
        rng: source of randomness; without it there are no ends.
        resamples: number of resamples.
        level: confidence level between 0 and 1.

    Source: Krippendorff 2011, Computing Krippendorff's alpha-reliability; Hayes & Krippendorff 2007.

    >>> r = rating_counts([[1, 1], [2, 2], [1, 2], [2, 2], [1, 1]])
    >>> round(krippendorff_alpha(r).value, 4)
    0.64
    """
    rows = coincidences(ratings.counts)
    q = len(ratings.values)

    def statistic(sums: FloatArray) -> FloatArray:
        return alpha_of_coincidences(sums.reshape(*sums.shape[:-1], q, q), scale, ratings.values)

    pairable = ratings.counts.sum(axis=1) >= 2
    method = f"krippendorff_alpha_{scale}"
    return _with_bootstrap(rows[pairable].reshape(-1, q * q), statistic, method, (rng, resamples, level))


def _with_bootstrap(
    rows: FloatArray,
    statistic: CorpusStatistic,
    method: str,
    plan: tuple[np.random.Generator | None, int, float],
) -> Interval:
    rng, resamples, level = plan
    empty = Interval(value=None, low=None, high=None, level=level, method=method, n=len(rows), notes=("empty",))
    if len(rows) == 0:
        return empty
    value = float(statistic(rows.sum(axis=0)[None, :])[0])
    if not math.isfinite(value):
        return Interval(
            value=None, low=None, high=None, level=level, method=method, n=len(rows), notes=("no_variation",)
        )
    if rng is None:
        return Interval(value=value, low=None, high=None, level=level, method=method, n=len(rows))
    ci = corpus_replicates(rows, statistic, rng=rng, resamples=resamples).interval(level=level)
    return Interval(
        value=value, low=ci.low, high=ci.high, level=level, method=method, n=len(rows), se=ci.se,
        resamples=ci.resamples, seed=ci.seed, notes=ci.notes,
    )  # fmt: skip


def _chance_rows(counts: FloatArray, w: FloatArray) -> FloatArray:
    """Per unit: its agreement, whether it has two ratings, its shares of categories, and 1 if rated at all."""
    raters = counts.sum(axis=1)
    rated = raters > 0
    kept = counts[rated]
    raters = raters[rated]
    pairs = (kept * (kept @ w - np.diag(w))).sum(axis=1)
    two = raters >= 2
    agreed = np.divide(pairs, raters * (raters - 1.0), out=np.zeros(len(kept)), where=two)
    return np.column_stack([agreed, two, kept / raters[:, None], np.ones(len(kept))])


def _corrected(
    expected: Callable[[FloatArray], FloatArray],
) -> CorpusStatistic:
    """(pa - pe)/(1 - pe) from the sums of `_chance_rows`."""

    def statistic(sums: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            agreed = sums[..., 0] / sums[..., 1]
            chance = expected(sums[..., 2:-1] / sums[..., -1:])
            return np.asarray((agreed - chance) / np.where(chance < 1.0 - 1e-15, 1.0 - chance, np.nan))

    return statistic


def gwet_ac(
    ratings: RatingCounts,
    *,
    weighting: Weighting = "none",
    rng: np.random.Generator | None = None,
    resamples: int = 2_000,
    level: float = 0.95,
) -> Interval:
    """Gwet's AC1 (AC2 when weighted): chance agreement T·Σπ(1-π)/(q(q-1)), stable under skewed categories.

    Args:
        ratings: from `rating_counts`.
        weighting: "linear" or "quadratic" for an ordered scale.
        rng: source of randomness; without it there are no ends.
        resamples: number of resamples of units.
        level: confidence level between 0 and 1.

    Source: Gwet 2008, BJMSP 61:29; Gwet 2014.

    >>> r = rating_counts([[1, 1], [2, 2], [1, 2], [2, 2], [1, 1]])
    >>> round(gwet_ac(r).value, 4)
    0.6
    """
    q = len(ratings.values)
    w = disagreement_weights(q, weighting)
    factor = float(w.sum()) / (q * (q - 1)) if q > 1 else 0.0
    statistic = _corrected(lambda share: factor * (share * (1.0 - share)).sum(axis=-1))
    method = "gwet_ac1" if weighting == "none" else f"gwet_ac2_{weighting}"
    return _with_bootstrap(_chance_rows(ratings.counts, w), statistic, method, (rng, resamples, level))


def brennan_prediger(
    ratings: RatingCounts,
    *,
    weighting: Weighting = "none",
    rng: np.random.Generator | None = None,
    resamples: int = 2_000,
    level: float = 0.95,
) -> Interval:
    """Brennan-Prediger coefficient: chance agreement as if categories were used evenly, Σw/q².

    Source: Brennan & Prediger 1981.

    >>> r = rating_counts([[1, 1], [2, 2], [1, 2], [2, 2], [1, 1]])
    >>> round(brennan_prediger(r).value, 4)
    0.6
    """
    q = len(ratings.values)
    w = disagreement_weights(q, weighting)
    chance = float(w.sum()) / q**2
    statistic = _corrected(lambda share: np.full(share.shape[:-1], chance))
    return _with_bootstrap(_chance_rows(ratings.counts, w), statistic, "brennan_prediger", (rng, resamples, level))


def fleiss_kappa(
    ratings: RatingCounts,
    *,
    rng: np.random.Generator | None = None,
    resamples: int = 2_000,
    level: float = 0.95,
) -> Interval:
    """Fleiss' kappa, generalised to gaps as by Gwet (mean shares over units); chance Σπ².

    Source: Fleiss 1971, Psychological Bulletin 76:378.

    >>> r = rating_counts([[1, 1], [2, 2], [1, 2], [2, 2], [1, 1]])
    >>> round(fleiss_kappa(r).value, 4)
    0.6
    """
    q = len(ratings.values)
    statistic = _corrected(lambda share: (share**2).sum(axis=-1))
    return _with_bootstrap(_chance_rows(ratings.counts, np.eye(q)), statistic, "fleiss_kappa", (rng, resamples, level))


def fleiss_z(ratings: RatingCounts) -> tuple[float, float]:
    """Z and two-sided p of the hypothesis that Fleiss' kappa is 0; every unit must have the same number of raters.

    Raises:
        ValueError: numbers of raters that differ, or fewer than 2.

    Source: Fleiss, Nee & Landis 1979.

    >>> z, p = fleiss_z(rating_counts([[1, 1], [2, 2], [1, 2], [2, 2], [1, 1]]))
    >>> round(z, 4)
    1.3416
    """
    raters = ratings.counts.sum(axis=1)
    k = raters[0]
    if k < 2 or (raters != k).any():
        raise ValueError("every unit needs the same number of raters, at least 2")
    n = ratings.units
    p = ratings.counts.sum(axis=0) / (n * k)
    q = 1.0 - p
    even = float((p * q).sum())
    variance = 2.0 / (even**2 * n * k * (k - 1.0)) * (even**2 - float((p * q * (q - p)).sum()))
    z = (fleiss_kappa(ratings).value or 0.0) / math.sqrt(variance)
    return z, 2.0 * z_cdf(-abs(z))


def percent_agreement(
    ratings: RatingCounts,
    *,
    rng: np.random.Generator | None = None,
    resamples: int = 2_000,
    level: float = 0.95,
) -> Interval:
    """Mean share of agreeing pairs of raters per unit; always defined when a unit has two ratings.

    >>> r = rating_counts([[1, 1, 2], [2, 2, 2]])
    >>> round(percent_agreement(r).value, 4)
    0.6667
    """
    q = len(ratings.values)

    def statistic(sums: FloatArray) -> FloatArray:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(sums[..., 0] / sums[..., 1], dtype=np.float64)

    rows = _chance_rows(ratings.counts, np.eye(q))
    return _with_bootstrap(rows[rows[:, 1] > 0], statistic, "percent_agreement", (rng, resamples, level))


def rater_severity(scores: npt.ArrayLike) -> FloatArray:
    """Each rater's mean minus the grand mean, from a complete matrix (units, raters).

    >>> rater_severity([[1, 3], [2, 4]]).tolist()
    [-1.0, 1.0]
    """
    x = as_matrix(scores, "scores")
    return np.asarray(x.mean(axis=0) - x.mean(), dtype=np.float64)


def rely_on(alpha: float) -> str:
    """Krippendorff's reading of alpha: "rely" from .800, "tentative" from .667, else "unreliable"."""
    return "rely" if alpha >= 0.8 else "tentative" if alpha >= 0.667 else "unreliable"
