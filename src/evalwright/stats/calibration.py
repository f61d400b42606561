"""Whether stated probabilities are right: Brier score, log loss, calibration error, reliability bins."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, IntArray, as_matrix, as_vector, same_length
from evalwright.stats.proportions import wilson
from evalwright.stats.records import Interval

Binning = Literal["width", "mass"]


def _forecasts(probabilities: npt.ArrayLike, outcomes: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    p, y = as_vector(probabilities, "probabilities"), as_vector(outcomes, "outcomes")
    same_length(p, y, ("probabilities", "outcomes"))
    if len(p) and (p.min() < 0.0 or p.max() > 1.0):
        raise ValueError(f"probabilities lie between 0 and 1, got {p.min()} to {p.max()}")
    if not np.isin(y, (0.0, 1.0)).all():
        raise ValueError("outcomes must be 0 or 1")
    return p, y


def brier_terms(probabilities: npt.ArrayLike, outcomes: npt.ArrayLike) -> FloatArray:
    """Squared error (p - y)² per case; its mean is the Brier score, 0 (best) to 1. Average with `estimate_mean`.

    Raises:
        ValueError: lengths that differ, a probability outside [0, 1], an outcome that is not 0 or 1.

    Source: Brier 1950, Monthly Weather Review 78:1.

    >>> brier_terms([0.5, 1.0], [1, 1]).tolist()
    [0.25, 0.0]
    """
    p, y = _forecasts(probabilities, outcomes)
    return np.asarray((p - y) ** 2, dtype=np.float64)


def log_loss_terms(probabilities: npt.ArrayLike, outcomes: npt.ArrayLike, *, clip: float = 1e-15) -> FloatArray:
    """-ln(probability given to what happened) per case, 0 is best; probabilities are kept `clip` away from 0 and 1.

    Raises:
        ValueError: as `brier_terms`.

    >>> round(float(log_loss_terms([0.5], [1])[0]), 4)
    0.6931
    """
    p, y = _forecasts(probabilities, outcomes)
    given = np.clip(np.where(y == 1.0, p, 1.0 - p), clip, 1.0)
    return np.asarray(-np.log(given), dtype=np.float64)


def multiclass_log_loss_terms(
    probabilities: npt.ArrayLike, classes: npt.ArrayLike, *, clip: float = 1e-15
) -> FloatArray:
    """-ln(probability of the true class) per case, for a matrix (cases, classes) and class codes 0...

    Raises:
        ValueError: rows that do not sum to 1, or a code outside the columns.

    >>> round(float(multiclass_log_loss_terms([[0.2, 0.8]], [1])[0]), 4)
    0.2231
    """
    p, code = as_matrix(probabilities, "probabilities"), np.asarray(classes, dtype=np.int64)
    if len(code) != len(p) or (len(code) and (code.min() < 0 or code.max() >= p.shape[1])):
        raise ValueError(f"classes: need one code below {p.shape[1]} per row")
    if len(p) and not np.allclose(p.sum(axis=1), 1.0, atol=1e-6):
        raise ValueError("probabilities: every row must sum to 1")
    return np.asarray(-np.log(np.clip(p[np.arange(len(p)), code], clip, 1.0)), dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityBin:
    """Cases whose stated probability fell into one bin.

    Attributes:
        low: lower edge.
        high: upper edge.
        n: cases.
        stated: their mean stated probability.
        observed: share that came true, with Wilson's interval.
    """

    low: float
    high: float
    n: int
    stated: float
    observed: Interval


def sensible_bins(n: int) -> int:
    """Number of equal-mass bins for n cases: about n^(1/3), 2 to 15, so that a bin holds enough cases to mean it.

    >>> sensible_bins(1000), sensible_bins(20)
    (10, 3)
    """
    return max(2, min(15, round(n ** (1.0 / 3.0)))) if n else 2


def reliability(
    probabilities: npt.ArrayLike,
    outcomes: npt.ArrayLike,
    *,
    bins: int | None = None,
    binning: Binning = "mass",
    level: float = 0.95,
) -> list[ReliabilityBin]:
    """The reliability diagram as data; empty bins are left out.

    Args:
        probabilities: stated probability per case.
        outcomes: 0 or 1 per case.
        bins: number of bins; `sensible_bins` when None.
        binning: "mass" for equal numbers of cases, "width" for equal width (right-closed, the published ECE).
        level: confidence level of the observed shares.

    Raises:
        ValueError: as `brier_terms`, or fewer than 1 bin.
    """
    p, y = _forecasts(probabilities, outcomes)
    codes, edges = _bin(p, bins if bins is not None else sensible_bins(len(p)), binning)
    found: list[ReliabilityBin] = []
    for code in np.unique(codes).tolist():
        inside = codes == code
        n = int(inside.sum())
        observed = wilson(int(y[inside].sum()), n, level=level)
        low, high = float(edges[code]), float(edges[code + 1])
        found.append(ReliabilityBin(low=low, high=high, n=n, stated=float(p[inside].mean()), observed=observed))
    return found


def _bin(p: FloatArray, bins: int, binning: Binning) -> tuple[IntArray, FloatArray]:
    if bins < 1:
        raise ValueError(f"bins must be at least 1, got {bins}")
    edges = np.linspace(0.0, 1.0, bins + 1)
    if binning == "mass" and len(p):
        edges = np.unique(np.quantile(p, edges))
        edges = np.array([edges[0], edges[0]]) if len(edges) == 1 else edges
    codes = np.clip(np.searchsorted(edges, p, side="left") - 1, 0, len(edges) - 2)
    return codes.astype(np.int64), edges


def calibration_error(
    probabilities: npt.ArrayLike,
    outcomes: npt.ArrayLike,
    *,
    bins: int | None = None,
    binning: Binning = "mass",
) -> float:
    """Expected calibration error Σ n_b/n·|stated - observed|, 0 (best) to 1.

    It is never exactly 0 even for a perfect forecaster: with b bins of n/b cases expect about
    sqrt(2b·p(1-p)/(πn)) from chance alone. Compare with `chance_calibration_error`.

    Args:
        probabilities: stated probability per case.
        outcomes: 0 or 1 per case.
        bins: number of bins; `sensible_bins` when None.
        binning: "mass" or "width".

    Raises:
        ValueError: no cases, or as `reliability`.

    Source: Guo et al. 2017, arXiv 1706.04599.

    >>> round(calibration_error([0.9, 0.8, 0.2], [1, 1, 0], bins=2, binning="width"), 4)
    0.1667
    """
    p, y = _forecasts(probabilities, outcomes)
    if len(p) == 0:
        raise ValueError("no cases")
    codes, edges = _bin(p, bins if bins is not None else sensible_bins(len(p)), binning)
    gaps = np.bincount(codes, weights=p - y, minlength=len(edges) - 1)
    return float(np.abs(gaps).sum() / len(p))


def chance_calibration_error(
    probabilities: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    bins: int | None = None,
    binning: Binning = "mass",
    draws: int = 1_000,
    level: float = 0.95,
) -> float:
    """Quantile of the calibration error a perfectly calibrated forecaster would show with these probabilities.

    Raises:
        ValueError: no cases, a probability outside [0, 1].

    >>> chance_calibration_error([0.5] * 100, rng=np.random.default_rng(1), bins=1, draws=200) < 0.12
    True
    """
    p, _ = _forecasts(probabilities, np.zeros(np.shape(probabilities)))
    if len(p) == 0:
        raise ValueError("no cases")
    codes, edges = _bin(p, bins if bins is not None else sensible_bins(len(p)), binning)
    member = np.zeros((len(p), len(edges) - 1))
    member[np.arange(len(p)), codes] = 1.0
    size = max(1, 4_000_000 // len(p))
    parts: list[FloatArray] = []
    for start in range(0, draws, size):
        y = rng.random((min(size, draws - start), len(p))) < p
        parts.append(np.abs((p - y) @ member).sum(axis=1) / len(p))
    return float(np.quantile(np.concatenate(parts), level))


def auc_standard_error(auc: float, positives: int, negatives: int) -> float:
    """Hanley-McNeil standard error of an AUC from its value and the two group sizes (for planning).

    Source: Hanley & McNeil 1982, Radiology 143:29.

    >>> round(auc_standard_error(0.8, 50, 50), 4)
    0.0445
    """
    if positives < 1 or negatives < 1 or not 0.0 <= auc <= 1.0:
        raise ValueError(f"need cases of both kinds and an AUC in [0, 1], got {positives}, {negatives}, {auc}")
    q1, q2 = auc / (2.0 - auc), 2.0 * auc**2 / (1.0 + auc)
    spread = auc * (1.0 - auc) + (positives - 1) * (q1 - auc**2) + (negatives - 1) * (q2 - auc**2)
    return math.sqrt(spread / (positives * negatives))
