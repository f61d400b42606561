"""Planning a paired comparison of pass rates: cases, power and the smallest visible difference."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from scipy import special

from evalwright.stats._arrays import FloatArray
from evalwright.stats._dist import z_quantile
from evalwright.stats.power import z_sum

Test = Literal["mid_p", "exact", "score"]


def mcnemar_cases(discordant: float, difference: float, *, level: float = 0.95, power: float = 0.8) -> float:
    """Pairs needed to see a paired difference of pass rates: (z√ψ + z_β·sqrt(ψ - Δ²))²/Δ². Round up.

    Args:
        discordant: share of cases whose verdict changes (ψ), above the difference.
        difference: difference of the pass rates (Δ), not 0.
        level: confidence level of the two-sided test.
        power: probability of seeing it.

    Raises:
        ValueError: |difference| is 0 or above `discordant`, or a share outside (0, 1].

    Source: Connor 1987, Biometrics 43:207; Miettinen 1968.

    >>> round(mcnemar_cases(0.1, 0.03), 1)
    869.7
    """
    _check(discordant, difference)
    if difference == 0.0:
        raise ValueError("no number of cases shows a difference of 0")
    z_sum(level, power)
    z, z_power = z_quantile(0.5 + level / 2.0), z_quantile(power)
    spread = math.sqrt(max(discordant - difference**2, 0.0))
    return (z * math.sqrt(discordant) + z_power * spread) ** 2 / difference**2


def _check(discordant: float, difference: float) -> None:
    if not 0.0 < discordant <= 1.0 or abs(difference) > discordant:
        raise ValueError(f"need 0 < discordant <= 1 and |difference| <= discordant, got {discordant} and {difference}")


def mcnemar_detectable(n: int, discordant: float, *, level: float = 0.95, power: float = 0.8) -> float | None:
    """Smallest difference of pass rates that n pairs show; None when not even ψ itself (all changes one way).

    Inverts `mcnemar_cases`: with w = z√ψ, Δ solves n·Δ² = (w + z_β·sqrt(ψ - Δ²))².

    Raises:
        ValueError: n not positive, a share outside (0, 1].

    >>> round(mcnemar_detectable(500, 0.1), 4)
    0.0395
    """
    if n <= 0:
        raise ValueError(f"n must be positive, got {n}")
    _check(discordant, 0.0)
    if mcnemar_cases(discordant, discordant, level=level, power=power) > n:
        return None
    low, high = 1e-12, discordant
    for _ in range(200):
        middle = math.sqrt(low * high) if high / low > 4 else (low + high) / 2.0
        if mcnemar_cases(discordant, middle, level=level, power=power) > n:
            low = middle
        else:
            high = middle
    return high


def mcnemar_power(
    n: int,
    gained: float,
    lost: float,
    *,
    level: float = 0.95,
    test: Test = "mid_p",
    sides: Literal[1, 2] = 2,
) -> float:
    """Exact power of McNemar's test by enumeration over all outcomes.

    Args:
        n: pairs.
        gained: probability that a case fails first and passes second.
        lost: probability of the reverse.
        level: confidence level; the test rejects at p <= 1 - level.
        test: "mid_p", "exact" or "score" (asymptotic).
        sides: 2, or 1 for the side on which the larger of the two probabilities lies.

    Raises:
        ValueError: probabilities negative or above 1 together, n not positive, level out of range.

    Source: enumeration over binomial(n, ψ) x binomial(m, lost/ψ).

    >>> round(mcnemar_power(50, 0.08, 0.32, test="exact", sides=1), 6)
    0.839357
    """
    if n <= 0 or min(gained, lost) < 0.0 or gained + lost > 1.0 or not 0.0 < level < 1.0:
        raise ValueError(
            f"need n > 0, probabilities with a sum of at most 1, level in (0, 1); got {n}, {gained}, {lost}"
        )
    discordant = gained + lost
    if discordant == 0.0:
        return 0.0
    share = max(gained, lost) / discordant
    changes = np.arange(n + 1)
    weights = _binomial_pmf(n, discordant)
    keep = weights > 1e-15
    return float(
        sum(
            w * _reject(int(m), share, 1.0 - level, test, sides)
            for m, w in zip(changes[keep], weights[keep], strict=True)
        )
    )


def _binomial_pmf(n: int, p: float) -> FloatArray:
    k = np.arange(n + 1, dtype=np.float64)
    if p >= 1.0:
        return np.asarray((k == n) * 1.0, dtype=np.float64)
    if p <= 0.0:
        return np.asarray((k == 0) * 1.0, dtype=np.float64)
    log = special.gammaln(n + 1.0) - special.gammaln(k + 1.0) - special.gammaln(n - k + 1.0)
    return np.asarray(np.exp(log + k * math.log(p) + (n - k) * math.log1p(-p)), dtype=np.float64)


def _reject(m: int, share: float, alpha: float, test: Test, sides: int) -> float:
    """Probability that the test rejects when m verdicts changed and each goes the likely way with `share`."""
    if m == 0:
        return 0.0
    rejected = _p_values(m, test, sides) <= alpha * (1.0 + 1e-12)
    return float(_binomial_pmf(m, share) @ rejected)


def _p_values(m: int, test: Test, sides: int) -> FloatArray:
    """P-value for each number 0..m of changes in the likely direction."""
    k = np.arange(m + 1, dtype=np.float64)
    if test == "score":
        z = (2.0 * k - m) / math.sqrt(m)
        return np.asarray(special.ndtr(-z) if sides == 1 else 2.0 * special.ndtr(-np.abs(z)), dtype=np.float64)
    pmf = _binomial_pmf(m, 0.5)
    upper = special.bdtrc(np.arange(m + 1) - 1.0, m, 0.5)
    upper[0] = 1.0
    tail = upper - (0.5 * pmf if test == "mid_p" else 0.0)
    if sides == 1:
        return np.asarray(tail, dtype=np.float64)
    return np.asarray(np.minimum(2.0 * np.minimum(tail, tail[::-1]), 1.0), dtype=np.float64)


def noninferiority_cases(
    discordant: float, margin: float, *, difference: float = 0.0, level: float = 0.95, power: float = 0.8
) -> float:
    """Pairs needed to show "not worse by `margin`": (z + z_β)²·(ψ - Δ²)/(Δ + margin)². Round up.

    Args:
        discordant: share of cases whose verdict changes (ψ).
        margin: largest tolerable loss, above 0.
        difference: true difference assumed (Δ), above -margin.
        level: level of the two-sided interval the verdict is read from.
        power: probability of passing.

    Raises:
        ValueError: difference at or below -margin, shares out of range.

    Source: Nam 1997, Biometrics 53:1422 (Wald form).

    >>> round(noninferiority_cases(0.1, 0.02))
    1962
    """
    _check(discordant, difference)
    if margin <= 0.0 or difference <= -margin:
        raise ValueError(f"need margin above 0 and difference above -margin, got {margin} and {difference}")
    return z_sum(level, power) ** 2 * (discordant - difference**2) / (difference + margin) ** 2
