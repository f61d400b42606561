"""Many tests at once: adjusted p-values and the chance of a false alarm."""

from __future__ import annotations

from typing import Literal

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_vector

Method = Literal["holm", "hommel", "bonferroni", "benjamini_hochberg", "benjamini_yekutieli", "none"]


def adjust_p(p_values: npt.ArrayLike, method: Method = "holm") -> FloatArray:
    """Adjusted p-values in the order given; reject where one is at most the level.

    "holm", "hommel" and "bonferroni" bound the chance of any false alarm (to block on); "benjamini_hochberg"
    bounds the expected share of false alarms among the alarms (to triage), "benjamini_yekutieli" under any
    dependence. A gate that needs *all* slices to pass their own test needs no adjustment.

    Args:
        p_values: numbers in [0, 1]; none is fine.
        method: which procedure.

    Raises:
        ValueError: a p-value outside [0, 1], NaN, or an unknown method.

    Source: Holm 1979; Hommel 1988; Benjamini & Hochberg 1995, JRSS-B 57:289; Benjamini & Yekutieli 2001.

    >>> adjust_p([0.01, 0.04, 0.03]).tolist()
    [0.03, 0.06, 0.06]
    """
    p = as_vector(p_values, "p_values")
    if len(p) and (p.min() < 0.0 or p.max() > 1.0):
        raise ValueError(f"p-values lie between 0 and 1, got {p.min()} to {p.max()}")
    if method == "none" or len(p) == 0:
        return p.copy()
    if method == "bonferroni":
        return np.minimum(p * len(p), 1.0)
    order = np.argsort(p, kind="stable")
    adjusted = np.empty(len(p))
    adjusted[order] = _stepwise(p[order], method)
    return adjusted


def _stepwise(p: FloatArray, method: str) -> FloatArray:
    n = len(p)
    rank = np.arange(1, n + 1)
    if method == "holm":
        return np.asarray(np.minimum(np.maximum.accumulate(p * (n - rank + 1)), 1.0), dtype=np.float64)
    if method == "benjamini_hochberg":
        return _capped_minimum(p * n / rank)
    if method == "benjamini_yekutieli":
        scale = float(np.sum(1.0 / rank))
        return _capped_minimum(p * n * scale / rank)
    if method == "hommel":
        return _hommel(p)
    raise ValueError(f"unknown method {method!r}: use holm, hommel, bonferroni, benjamini_hochberg or _yekutieli")


def _capped_minimum(p: FloatArray) -> FloatArray:
    """Running minimum from the largest p-value down, at most 1."""
    return np.asarray(np.minimum(np.minimum.accumulate(p[::-1])[::-1], 1.0), dtype=np.float64)


def _hommel(p: FloatArray) -> FloatArray:
    """Hommel's procedure on sorted p-values (Wright 1992's algorithm)."""
    n = len(p)
    rank = np.arange(1, n + 1)
    q = np.full(n, float(np.min(n * p / rank)))
    adjusted = q.copy()
    for m in range(n - 1, 1, -1):
        head, tail = np.arange(n - m + 1), np.arange(n - m + 1, n)
        least = float(np.min(m * p[tail] / np.arange(2, m + 1)))
        q[head] = np.minimum(m * p[head], least)
        q[tail] = q[n - m]
        adjusted = np.maximum(adjusted, q)
    return np.asarray(np.minimum(np.maximum(adjusted, p), 1.0), dtype=np.float64)


def false_alarm_probability(tests: int, *, alpha: float = 0.05) -> float:
    """Chance of at least one false alarm among independent tests, 1 - (1 - alpha)^tests.

    >>> round(false_alarm_probability(20), 3)
    0.642
    """
    if tests < 0 or not 0.0 <= alpha <= 1.0:
        raise ValueError(f"need tests >= 0 and alpha in [0, 1], got {tests} and {alpha}")
    return 1.0 - (1.0 - alpha) ** tests
