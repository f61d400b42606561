"""Agreement of two raters on the same units: kappa, and what to read beside it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_matrix, check_level, ordered_labels
from evalwright.stats._dist import z_two_sided
from evalwright.stats.proportions import wilson
from evalwright.stats.records import Interval

Weighting = Literal["none", "linear", "quadratic"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairAgreement:
    """Two raters compared.

    Attributes:
        percent: share of units rated alike, with Wilson's interval.
        kappa: Cohen's kappa (weighted, if asked); value None when a rater used one category only, for both.
        ac1: Gwet's AC1, which does not collapse when one category dominates.
        pabak: prevalence- and bias-adjusted kappa, (q·agreement - 1)/(q - 1).
        prevalence: with two categories, |share both say 1 - share both say 0|; high values depress kappa.
        bias: with two categories, |difference of the raters' shares|.
        specific: for each category, the share of agreement among the ratings that used it.
        labels: categories, in table order.
        n: units.
    """

    percent: Interval
    kappa: Interval
    ac1: float | None
    pabak: float
    prevalence: float | None
    bias: float | None
    specific: tuple[float | None, ...]
    labels: tuple[Any, ...]
    n: int


def rating_table(first: Sequence[Any], second: Sequence[Any], *, labels: Sequence[Any] | None = None) -> FloatArray:
    """Cross table of two raters' ratings, shape (q, q), first rater in rows.

    Args:
        first: rating per unit.
        second: rating per unit in the same order.
        labels: categories in order; all ratings that occur, sorted, when None.

    Raises:
        ValueError: lengths that differ, or a rating that is not among the labels.

    >>> rating_table(["a", "b", "b"], ["a", "a", "b"]).tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    if len(first) != len(second):
        raise ValueError(f"raters must rate the same units, got {len(first)} and {len(second)} ratings")
    names = list(labels) if labels is not None else ordered_labels((*first, *second))
    index = {label: i for i, label in enumerate(names)}
    unknown = [r for r in (*first, *second) if r not in index]
    if unknown:
        raise ValueError(f"rating {unknown[0]!r} is not among the labels {names}")
    table = np.zeros((len(names), len(names)))
    np.add.at(table, ([index[r] for r in first], [index[r] for r in second]), 1.0)
    return table


def disagreement_weights(q: int, weighting: Weighting) -> FloatArray:
    """Agreement weights of q ordered categories: 1 on the diagonal, less with distance unless "none"."""
    gap = np.abs(np.arange(q)[:, None] - np.arange(q)[None, :]) / max(q - 1, 1)
    if weighting == "none":
        return np.eye(q)
    return np.asarray(1.0 - (gap if weighting == "linear" else gap**2), dtype=np.float64)


def cohen_kappa(table: npt.ArrayLike, *, weighting: Weighting = "none", level: float = 0.95) -> Interval:
    """Cohen's (weighted) kappa from a cross table, with the Fleiss-Cohen-Everitt standard error.

    κ = (po - pe)/(1 - pe). Value None with "no_variation" when chance agreement is complete (one category used).

    Args:
        table: counts (q, q).
        weighting: "linear" or "quadratic" for an ordered scale.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: a table that is not square, empty or negative.

    Source: Cohen 1960, 1968; Fleiss, Cohen & Everitt 1969.

    >>> ci = cohen_kappa([[20, 5], [10, 15]])
    >>> round(ci.value, 3), round(ci.low, 3), round(ci.high, 3)
    (0.4, 0.151, 0.649)
    """
    p, n = _shares(table)
    check_level(level)
    w = disagreement_weights(len(p), weighting)
    row, column = p.sum(axis=1), p.sum(axis=0)
    expected = float(row @ w @ column)
    method = "cohen_kappa" if weighting == "none" else f"cohen_kappa_{weighting}"
    if expected >= 1.0 - 1e-15:
        return Interval(value=None, low=-1.0, high=1.0, level=level, method=method, n=n, notes=("no_variation",))
    kappa = (float((p * w).sum()) - expected) / (1.0 - expected)
    reach = (w @ column)[:, None] + (w.T @ row)[None, :]
    spread = float((p * (w - reach * (1.0 - kappa)) ** 2).sum()) - (kappa - expected * (1.0 - kappa)) ** 2
    se = math.sqrt(max(spread, 0.0) / n) / (1.0 - expected)
    half = z_two_sided(level) * se
    return Interval(
        value=kappa, low=max(-1.0, kappa - half), high=min(1.0, kappa + half), level=level, method=method, n=n, se=se
    )


def _shares(table: npt.ArrayLike) -> tuple[FloatArray, int]:
    counts = as_matrix(table, "table")
    total = counts.sum()
    if counts.shape[0] != counts.shape[1] or total <= 0 or counts.min() < 0:
        raise ValueError(f"table: expected a square table of counts with something in it, got shape {counts.shape}")
    return counts / total, round(float(total))


def compare_raters(
    table: npt.ArrayLike, *, labels: Sequence[Any] | None = None, weighting: Weighting = "none", level: float = 0.95
) -> PairAgreement:
    """Everything worth reporting about two raters.

    Kappa is low for skewed labels even under high agreement; on such labels judge by AC1 and the specific
    agreement of the rare category.

    Args:
        table: counts (q, q), first rater in rows.
        labels: names of the categories.
        weighting: weights of kappa.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: a table that is not square, empty or negative.

    Source: Gwet 2008, BJMSP 61:29; Feinstein & Cicchetti 1990.

    >>> r = compare_raters([[118, 5], [2, 0]])
    >>> round(r.kappa.value, 4), round(r.ac1, 4), round(r.percent.value, 3)
    (-0.0234, 0.9408, 0.944)
    """
    p, n = _shares(table)
    q = len(p)
    agreed = float(np.trace(p))
    row, column = p.sum(axis=1), p.sum(axis=0)
    used = row + column
    specific = tuple(float(2 * p[i, i] / used[i]) if used[i] > 0 else None for i in range(q))
    return PairAgreement(
        percent=wilson(round(agreed * n), n, level=level), kappa=cohen_kappa(table, weighting=weighting, level=level),
        ac1=_ac1(agreed, used / 2.0), pabak=(q * agreed - 1.0) / (q - 1.0) if q > 1 else 1.0,
        prevalence=float(abs(p[0, 0] - p[1, 1])) if q == 2 else None,
        bias=float(abs(row[0] - column[0])) if q == 2 else None,
        specific=specific, labels=tuple(labels if labels is not None else range(q)), n=n,
    )  # fmt: skip


def _ac1(agreed: float, share: FloatArray) -> float | None:
    q = len(share)
    if q < 2:
        return None
    expected = float((share * (1.0 - share)).sum()) / (q - 1)
    return (agreed - expected) / (1.0 - expected) if expected < 1.0 else None
