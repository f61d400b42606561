"""Repeated trials of a case: average them first, then learn what more trials would buy."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, IntArray, as_matrix, as_vector, group_codes


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMeans:
    """Trials averaged within their case.

    Attributes:
        means: one mean per case, in order of the first appearance of the case (sorted order for plain labels).
        counts: trials of each case.
        clusters: cluster code of each case, or None.
        codes: for every observation, the position of its case in `means`.
    """

    means: FloatArray
    counts: IntArray
    clusters: IntArray | None
    codes: IntArray

    @property
    def trials(self) -> int:
        """Observations in all."""
        return int(self.counts.sum())


def case_means(values: npt.ArrayLike, units: Any, *, clusters: Any | None = None) -> CaseMeans:
    """Mean of the trials of each case.

    A case is one random draw however often it is repeated, so every interval is computed over these means.

    Args:
        values: one score per trial.
        units: case id of each trial.
        clusters: cluster label of each trial; all trials of a case must agree.

    Raises:
        ValueError: lengths that differ, NaN, or a case that lies in two clusters.

    >>> case_means([1, 0, 1, 1], ["a", "a", "b", "b"]).means.tolist()
    [0.5, 1.0]
    """
    y = as_vector(values)
    codes, cases = group_codes(units, len(y), "units")
    counts = np.bincount(codes, minlength=cases).astype(np.int64)
    means = np.bincount(codes, weights=y, minlength=cases) / np.maximum(counts, 1)
    return CaseMeans(means=means, counts=counts, clusters=_case_clusters(clusters, codes, cases), codes=codes)


def _case_clusters(clusters: Any | None, codes: IntArray, cases: int) -> IntArray | None:
    if clusters is None:
        return None
    labels, _ = group_codes(clusters, len(codes))
    per_case = np.zeros(cases, dtype=np.int64)
    per_case[codes] = labels
    wrong = np.flatnonzero(per_case[codes] != labels)
    if len(wrong):
        raise ValueError(f"clusters: trials of one case lie in different clusters (first at index {wrong[0]})")
    return per_case


@dataclass(frozen=True, slots=True, kw_only=True)
class VarianceComponents:
    """Where the variance of a score comes from, when every case has the same number of trials.

    Attributes:
        mean: grand mean.
        cases: number of cases.
        trials: trials per case.
        between: variance between cases (difficulty), floored at 0.
        within: variance between trials of one case (the system's own randomness).
        msb: mean square between cases.
        msw: mean square within cases.
        icc: between/(between + within), 0 when neither varies.
        se: standard error of the mean, sd of case means / √cases.
    """

    mean: float
    cases: int
    trials: int
    between: float
    within: float
    msb: float
    msw: float
    icc: float
    se: float

    def planned_se(self, *, trials: int, cases: int | None = None) -> float:
        """Standard error to expect with another number of trials (and cases): sqrt((σ²_b + σ²_w/K)/n).

        Raises:
            ValueError: a number is not positive.
        """
        size = self.cases if cases is None else cases
        if trials < 1 or size < 1:
            raise ValueError(f"trials and cases must be positive, got {trials} and {size}")
        return math.sqrt((self.between + self.within / trials) / size)


def variance_components(scores: npt.ArrayLike) -> VarianceComponents:
    """Between-case and within-case variance from a complete matrix of scores.

    within = MSW, between = max(0, (MSB - MSW)/K).

    Args:
        scores: matrix of shape (cases, trials) with at least 2 of each.

    Raises:
        ValueError: a matrix smaller than 2 × 2, or NaN.

    Source: law of total variance; Searle, Casella & McCulloch 1992 (analysis-of-variance estimators).

    >>> v = variance_components([[1, 1, 1], [1, 0, 1], [0, 0, 0], [1, 1, 0]])
    >>> round(v.within, 4), round(v.between, 4)
    (0.1667, 0.1204)
    """
    x = as_matrix(scores, "scores")
    cases, trials = x.shape
    if cases < 2 or trials < 2:
        raise ValueError(f"scores: need at least 2 cases and 2 trials, got shape {x.shape}")
    means = x.mean(axis=1)
    msb = trials * float(means.var(ddof=1))
    msw = float(x.var(axis=1, ddof=1).mean())
    between = max(0.0, (msb - msw) / trials)
    total = between + msw
    return VarianceComponents(
        mean=float(x.mean()), cases=cases, trials=trials, between=between, within=msw, msb=msb, msw=msw,
        icc=between / total if total > 0 else 0.0, se=math.sqrt(msb / trials / cases),
    )  # fmt: skip


def components_from_trials(values: npt.ArrayLike, units: Any) -> VarianceComponents:
    """`variance_components` for uneven numbers of trials (moment estimators, weighted by trials).

    within is pooled over cases; between = (MSB - MSW)/k0 with k0 = (N - Σk²/N)/(n-1). `trials` is k0 rounded.

    Args:
        values: one score per trial.
        units: case id of each trial.

    Raises:
        ValueError: fewer than 2 cases, or no case with 2 trials.

    >>> v = components_from_trials([1, 1, 0, 0, 1], ["a", "a", "b", "b", "c"])
    >>> v.within, v.cases
    (0.0, 3)
    """
    y = as_vector(values)
    c = case_means(y, units)
    n, total = len(c.means), len(y)
    if n < 2 or total == n:
        raise ValueError(f"need at least 2 cases and one case with 2 trials, got {n} cases and {total} trials")
    msw = float(np.sum((y - c.means[c.codes]) ** 2)) / (total - n)
    msb = float(np.sum(c.counts * (c.means - y.mean()) ** 2)) / (n - 1)
    k0 = (total - float(np.sum(c.counts**2)) / total) / (n - 1)
    between = max(0.0, (msb - msw) / k0)
    spread = between + msw
    return VarianceComponents(
        mean=float(c.means.mean()), cases=n, trials=max(1, round(k0)), between=between, within=msw, msb=msb, msw=msw,
        icc=between / spread if spread > 0 else 0.0, se=float(c.means.std(ddof=1)) / math.sqrt(n),
    )  # fmt: skip
