"""Errors of numerical predictions, with intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_vector, same_length
from evalwright.stats.bootstrap import bootstrap_corpus
from evalwright.stats.estimate import estimate_mean
from evalwright.stats.quantiles import quantile_interval
from evalwright.stats.records import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class RegressionErrors:
    """How far predictions lie from the truth, in the units of the target.

    Attributes:
        bias: mean of predicted minus actual.
        mae: mean absolute error.
        median_ae: median absolute error.
        rmse: root mean squared error.
        r2: 1 - squared error/variance of the target; None when the target does not vary.
    """

    bias: Interval
    mae: Interval
    median_ae: Interval
    rmse: Interval
    r2: Interval | None


def regression_errors(
    actual: npt.ArrayLike,
    predicted: npt.ArrayLike,
    *,
    rng: np.random.Generator,
    clusters: Any | None = None,
    resamples: int = 2_000,
    level: float = 0.95,
) -> RegressionErrors:
    """Bias, MAE, median error, RMSE and R² with intervals over cases (or clusters).

    Means take `estimate_mean`, the median its order statistics, RMSE and R² a bootstrap of sums.

    Args:
        actual: true number per case.
        predicted: predicted number per case.
        rng: source of randomness for the bootstrap.
        clusters: cluster label per case, or None.
        resamples: number of resamples.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: no cases, lengths that differ, NaN.

    >>> r = regression_errors([1.0, 2.0, 3.0], [1.5, 2.0, 2.0], rng=np.random.default_rng(1), resamples=100)
    >>> r.mae.value, round(r.r2.value, 3)
    (0.5, 0.375)
    """
    y, f = as_vector(actual, "actual"), as_vector(predicted, "predicted")
    same_length(y, f, ("actual", "predicted"))
    if len(y) == 0:
        raise ValueError("no cases")
    error = f - y
    centred = y - y.mean()
    rows = np.column_stack([error**2, centred, centred**2, np.ones(len(y))])

    def sums(statistic: Any) -> Interval:
        return bootstrap_corpus(rows, statistic, rng=rng, resamples=resamples, clusters=clusters, level=level)

    return RegressionErrors(
        bias=estimate_mean(error, clusters=clusters, level=level),
        mae=estimate_mean(np.abs(error), clusters=clusters, level=level),
        median_ae=quantile_interval(np.abs(error), 0.5, clusters=clusters, level=level),
        rmse=sums(_rmse),
        r2=sums(_r2) if centred.any() else None,
    )


def _rmse(sums: FloatArray) -> FloatArray:
    return np.asarray(np.sqrt(sums[..., 0] / sums[..., 3]), dtype=np.float64)


def _r2(sums: FloatArray) -> FloatArray:
    spread = sums[..., 2] - sums[..., 1] ** 2 / sums[..., 3]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(1.0 - sums[..., 0] / np.where(spread > 1e-300, spread, np.nan), dtype=np.float64)
