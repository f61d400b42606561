"""The cases themselves: which are hard, which discriminate, which are flaky, which have changed."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from evalwright.stats._arrays import FloatArray, as_matrix, as_vector, same_length
from evalwright.stats._dist import z_cdf
from evalwright.stats.records import TestResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemStatistics:
    """Classical test theory over a matrix of systems (rows) and cases (columns).

    Attributes:
        difficulty: share of systems that pass each case (mean score).
        item_rest: correlation of each case with the sum of the others; None where it does not vary. Negative means
            better systems fail it more: look for a wrong label.
        alpha: Cronbach's alpha (KR-20 for verdicts): how consistently the cases rank the systems; None when the
            totals do not vary.
    """

    difficulty: FloatArray
    item_rest: tuple[float | None, ...]
    alpha: float | None


def item_statistics(scores: npt.ArrayLike) -> ItemStatistics:
    """Difficulty, item-rest correlation and alpha of the cases of a suite.

    Args:
        scores: matrix (systems, cases) without gaps; systems are runs, models or versions.

    Raises:
        ValueError: fewer than 2 systems or 2 cases, NaN.

    Source: Lord & Novick 1968; Cronbach 1951.

    >>> s = item_statistics([[1, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]])
    >>> s.difficulty.tolist(), round(s.alpha, 3)
    ([0.75, 0.5, 0.25], 0.75)
    """
    x = as_matrix(scores, "scores")
    systems, cases = x.shape
    if systems < 2 or cases < 2:
        raise ValueError(f"need at least 2 systems and 2 cases, got shape {x.shape}")
    total = x.sum(axis=1)
    spread = float(total.var(ddof=1))
    alpha = cases / (cases - 1.0) * (1.0 - float(x.var(axis=0, ddof=1).sum()) / spread) if spread > 1e-15 else None
    return ItemStatistics(difficulty=x.mean(axis=0), item_rest=_item_rest(x, total), alpha=alpha)


def _item_rest(x: FloatArray, total: FloatArray) -> tuple[float | None, ...]:
    rest = total[:, None] - x
    a, b = x - x.mean(axis=0), rest - rest.mean(axis=0)
    top = (a * b).sum(axis=0)
    bottom = np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    return tuple(float(t / d) if d > 1e-12 else None for t, d in zip(top, bottom, strict=True))


def flip_rate(passes: npt.ArrayLike, trials: npt.ArrayLike) -> FloatArray:
    """Unbiased probability that two trials of a case disagree, 2c(K - c)/(K(K - 1)); NaN-free: 0 for one trial.

    Args:
        passes: passed trials per case.
        trials: trials per case.

    Raises:
        ValueError: impossible counts.

    >>> flip_rate([2, 5], [3, 5]).tolist()
    [0.6666666666666666, 0.0]
    """
    c, k = _checked(passes, trials)
    return np.asarray(np.divide(2.0 * c * (k - c), k * (k - 1.0), out=np.zeros(len(c)), where=k > 1), dtype=np.float64)


def _checked(passes: npt.ArrayLike, trials: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    c, k = as_vector(passes, "passes"), as_vector(trials, "trials")
    same_length(c, k, ("passes", "trials"))
    if len(c) and ((c < 0).any() or (c > k).any()):
        raise ValueError("passes must lie between 0 and the trials of the case")
    return c, k


def flaky_probability(passes: npt.ArrayLike, trials: npt.ArrayLike, *, edge: float = 0.05) -> FloatArray:
    """Posterior probability that a case's pass rate lies between `edge` and 1 - `edge` (Jeffreys prior).

    "3 of 3 passed" leaves .56: it is no proof of stability.

    Args:
        passes: passed trials per case.
        trials: trials per case.
        edge: how far from 0 and 1 counts as flaky.

    Raises:
        ValueError: impossible counts, edge outside (0, 0.5).

    >>> flaky_probability([3], [3]).round(4).tolist()
    [0.563]
    """
    if not 0.0 < edge < 0.5:
        raise ValueError(f"edge must lie between 0 and 0.5, got {edge}")
    c, k = _checked(passes, trials)
    a, b = c + 0.5, k - c + 0.5
    return np.asarray(special.betainc(a, b, 1.0 - edge) - special.betainc(a, b, edge), dtype=np.float64)


def mixed_probability(pass_rate: float, trials: int) -> float:
    """Chance to see at least one pass and one failure in K trials of a case: 1 - p^K - (1 - p)^K.

    Raises:
        ValueError: pass_rate outside [0, 1], trials below 1.

    >>> round(mixed_probability(0.9, 3), 2)
    0.27
    """
    if not 0.0 <= pass_rate <= 1.0 or trials < 1:
        raise ValueError(f"need a rate in [0, 1] and at least 1 trial, got {pass_rate} and {trials}")
    return 1.0 - pass_rate**trials - (1.0 - pass_rate) ** trials


def changed_p_values(
    before: tuple[npt.ArrayLike, npt.ArrayLike],
    after: tuple[npt.ArrayLike, npt.ArrayLike],
    *,
    kind: Literal["mid_p", "exact"] = "mid_p",
) -> FloatArray:
    """Per case, two-sided p that its pass rate is the same before and after: tells a changed case from a flaky one.

    Fisher's test of trials before against trials after, conditional on all passes of the case. A case that
    passes 5 of 5 and then 0 of 5 has changed; one that passes 3 of 5 and then 2 of 5 is flaky. Adjust the p-values
    for the number of cases (`adjust_p`).

    Args:
        before: (passes, trials) per case.
        after: (passes, trials) of the same cases.
        kind: "mid_p" counts the observed table half; "exact" is Fisher's.

    Raises:
        ValueError: impossible counts, lengths that differ.

    Source: Fisher 1935; Lancaster 1961 (mid-p).

    >>> changed_p_values(([5, 3], [5, 5]), ([0, 2], [5, 5]), kind="exact").round(4).tolist()
    [0.0079, 1.0]
    """
    first, second = _checked(*before), _checked(*after)
    same_length(first[0], second[0], ("before", "after"))
    tables = np.stack([*first, *second], axis=1).astype(np.int64)
    distinct, inverse = np.unique(tables, axis=0, return_inverse=True)
    share = 0.5 if kind == "mid_p" else 1.0
    values = np.array([_fisher(c1, k1, c2, k2, share) for c1, k1, c2, k2 in distinct.tolist()], dtype=np.float64)
    return np.asarray(values[inverse.ravel()] if len(tables) else np.zeros(0), dtype=np.float64)


def _fisher(c1: int, k1: int, c2: int, k2: int, share: float) -> float:
    passes, n = c1 + c2, k1 + k2
    x = np.arange(max(0, passes - k2), min(k1, passes) + 1)
    log = _log_choose(k1, x) + _log_choose(k2, passes - x) - _log_choose(n, np.array(passes))
    pmf = np.exp(log)
    observed = float(pmf[c1 - int(x[0])])
    as_likely = np.abs(pmf - observed) <= 1e-9 * observed
    return min(1.0, float(pmf[(pmf < observed) & ~as_likely].sum()) + share * float(pmf[as_likely].sum()))


def _log_choose(n: int, k: npt.NDArray[np.int64]) -> FloatArray:
    return np.asarray(special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0))


def tarone(passes: npt.ArrayLike, trials: npt.ArrayLike) -> TestResult:
    """Tarone's test that cases differ in their pass rate (overdispersion), one-sided.

    Z = (Σ(x - kp)²/(p(1-p)) - Σk)/sqrt(2Σk(k-1)).

    Args:
        passes: passed trials per case.
        trials: trials per case, at least one case with 2.

    Raises:
        ValueError: impossible counts, all passed or none, no repeated trial.

    Source: Tarone 1979, Biometrika 66:585.

    >>> round(tarone([3, 3, 0, 0, 3], [3, 3, 3, 3, 3]).statistic, 3)
    3.873
    """
    c, k = _checked(passes, trials)
    total = float(k.sum())
    p = float(c.sum()) / total if total else 0.0
    spread = float((k * (k - 1.0)).sum())
    if p in (0.0, 1.0) or spread == 0.0:
        raise ValueError("need passes and failures, and a case with at least 2 trials")
    s = float(((c - k * p) ** 2).sum()) / (p * (1.0 - p))
    z = (s - total) / math.sqrt(2.0 * spread)
    return TestResult(p_value=z_cdf(-z), statistic=z, method="tarone", alternative="greater", n=len(c))
