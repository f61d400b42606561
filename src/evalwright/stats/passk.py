"""Success within k tries, success in all of k tries, and attack success within k attempts."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, IntArray
from evalwright.stats.clusters import korn_graubard
from evalwright.stats.estimate import estimate_mean
from evalwright.stats.records import Interval


def pass_at_k(n: int, c: int, k: int) -> float:
    """Unbiased probability that at least one of k tries succeeds: 1 - C(n-c, k)/C(n, k).

    Args:
        n: tries made of the case.
        c: tries that succeeded.
        k: tries in question, at most n.

    Raises:
        ValueError: unless 0 <= c <= n and 1 <= k <= n.

    Source: Chen et al. 2021, arXiv 2107.03374, eq. 1. (The plug-in 1 - (1 - c/n)^k is biased down.)

    >>> round(pass_at_k(10, 3, 5), 6)
    0.916667
    """
    _check(n, c, k)
    return 1.0 - _none_of(n, n - c, k)


def pass_all_k(n: int, c: int, k: int) -> float:
    """Unbiased probability that all of k tries succeed (pass^k): C(c, k)/C(n, k).

    Raises:
        ValueError: unless 0 <= c <= n and 1 <= k <= n.

    Source: Yao et al. 2024, arXiv 2406.12045.

    >>> round(pass_all_k(8, 6, 4), 6)
    0.214286
    """
    _check(n, c, k)
    return _none_of(n, c, k)


def _check(n: int, c: int, k: int) -> None:
    if not 0 <= c <= n:
        raise ValueError(f"successes must lie between 0 and the {n} tries, got {c}")
    if not 1 <= k <= n:
        raise ValueError(f"k must lie between 1 and the {n} tries made, got {k}")


def _none_of(n: int, good: int, k: int) -> float:
    """C(good, k)/C(n, k): all k drawn from the good ones; the shorter of two equal products."""
    bad = n - good
    if good < k:
        return 0.0
    if bad <= k:
        return float(np.prod(1.0 - k / (n - np.arange(bad, dtype=np.float64))))
    return float(np.prod(1.0 - bad / (n - np.arange(k, dtype=np.float64))))


def at_k_values(
    successes: npt.ArrayLike, trials: npt.ArrayLike, k: int, *, need: Literal["any", "all"] = "any"
) -> FloatArray:
    """`pass_at_k` ("any") or `pass_all_k` ("all") of each case.

    Raises:
        ValueError: a case with fewer than k tries, or impossible counts.

    >>> at_k_values([0, 1, 2], [2, 2, 2], 2).tolist()
    [0.0, 1.0, 1.0]
    """
    c, n = _counts(successes, trials)
    one = pass_at_k if need == "any" else pass_all_k
    pairs, inverse = np.unique(np.stack([n, c], axis=1), axis=0, return_inverse=True)
    values = np.array([one(int(tries), int(hits), k) for tries, hits in pairs.tolist()], dtype=np.float64)
    return values[inverse.ravel()]


def _counts(successes: npt.ArrayLike, trials: npt.ArrayLike) -> tuple[IntArray, IntArray]:
    c, n = np.asarray(successes), np.asarray(trials)
    if c.shape != n.shape or c.ndim != 1:
        raise ValueError(f"successes and trials must be lists of one length, got {c.shape} and {n.shape}")
    whole_c, whole_n = c.astype(np.int64), n.astype(np.int64)
    if (whole_c != c).any() or (whole_n != n).any():
        raise ValueError("successes and trials must be whole numbers")
    return whole_c, whole_n


def estimate_at_k(
    successes: npt.ArrayLike,
    trials: npt.ArrayLike,
    k: int,
    *,
    need: Literal["any", "all"] = "any",
    clusters: Any | None = None,
    level: float = 0.95,
) -> Interval:
    """Suite value of pass@k or pass^k with an interval over cases.

    The mean over cases; the spread is that between cases, never between trials. Cases with fewer than k tries
    are left out and counted by the note "short_cases".

    Args:
        successes: tries that succeeded, per case.
        trials: tries made, per case.
        k: tries in question.
        need: "any" for pass@k, "all" for pass^k.
        clusters: cluster label per case, or None.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: impossible counts, k below 1.

    >>> round(estimate_at_k([3, 10, 0], [10, 10, 10], 5).value, 4)
    0.6389
    """
    c, n = _counts(successes, trials)
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    enough = n >= k
    values = at_k_values(c[enough], n[enough], k, need=need)
    labels = None if clusters is None else np.asarray(list(clusters), dtype=object)[enough]
    result = _bounded(values, labels, int(n[enough].sum()), level)
    return result if enough.all() else result.noted("short_cases")


def _bounded(values: FloatArray, labels: Any | None, observations: int, level: float) -> Interval:
    if len(values) < 2 or np.isin(values, (0.0, 1.0)).all():
        return estimate_mean(values, kind="proportion", clusters=labels, level=level)
    groups = range(len(values)) if labels is None else labels
    return korn_graubard(values, groups, level=level, observations=observations)


def attack_success_at_k(
    successes: npt.ArrayLike,
    attempts: npt.ArrayLike,
    k: int,
    *,
    clusters: Any | None = None,
    level: float = 0.95,
) -> Interval:
    """ASR@k: share of attack goals that succeed within k attempts. Lower is better.

    Args:
        successes: attempts of the goal that got through.
        attempts: attempts made.
        k: attempts an attacker is granted.
        clusters: family of the attack (technique, harm), or None.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: impossible counts, k below 1.

    >>> attack_success_at_k([0, 1, 0, 0], [5, 5, 5, 5], 5).value
    0.25
    """
    return estimate_at_k(successes, attempts, k, need="any", clusters=clusters, level=level)
