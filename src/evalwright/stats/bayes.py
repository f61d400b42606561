"""Small samples with a prior: posteriors of pass rates and of their difference, in closed form."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special

from evalwright.stats._arrays import check_count, check_level
from evalwright.stats._dist import beta_quantile, find_root
from evalwright.stats.paired_binary import PairedCounts
from evalwright.stats.records import Interval

Prior = Literal["uniform", "jeffreys"]


def _prior(prior: Prior) -> float:
    return 1.0 if prior == "uniform" else 0.5


def beta_posterior(successes: int, n: int, *, prior: Prior = "uniform", level: float = 0.95) -> Interval:
    """Posterior mean and equal-tailed credible interval of a pass rate.

    Args:
        successes: passes.
        n: cases; 0 gives the prior.
        prior: "uniform" Beta(1, 1) or "jeffreys" Beta(1/2, 1/2).
        level: probability inside the interval.

    Raises:
        ValueError: impossible counts, level out of range.

    Source: Bowyer, Aitchison & Ivanova 2025, arXiv 2503.01747.

    >>> ci = beta_posterior(9, 10)
    >>> round(ci.value, 4), round(ci.low, 4), round(ci.high, 4)
    (0.8333, 0.5872, 0.9772)
    """
    x, total = check_count(successes, n)
    check_level(level)
    a, b = x + _prior(prior), total - x + _prior(prior)
    sd = math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1.0)))
    return Interval(
        value=a / (a + b), low=beta_quantile(0.5 - level / 2.0, a, b), high=beta_quantile(0.5 + level / 2.0, a, b),
        level=level, method=f"beta_posterior_{prior}", n=total, se=sd,
    )  # fmt: skip


def probability_above(successes: int, n: int, threshold: float, *, prior: Prior = "uniform") -> float:
    """Posterior probability that the pass rate exceeds `threshold`.

    Raises:
        ValueError: impossible counts, threshold outside [0, 1].

    >>> round(probability_above(9, 10, 0.8), 4)
    0.6779
    """
    x, total = check_count(successes, n)
    if not 0.0 <= threshold <= 1.0:
        raise ValueError(f"threshold must lie between 0 and 1, got {threshold}")
    return float(special.betainc(total - x + _prior(prior), x + _prior(prior), 1.0 - threshold))


def probability_better(first: tuple[int, int], second: tuple[int, int]) -> float:
    """P(rate of the first > rate of the second) for two independent runs under uniform priors, exactly.

    Σ_{i<a1} B(a2+i, b1+b2)/((b1+i)·B(1+i, b1)·B(a2, b2)), a finite sum for whole counts.

    Args:
        first: (passes, cases).
        second: (passes, cases) on other cases; for the same cases use `paired_posterior`.

    Raises:
        ValueError: impossible counts.

    >>> round(probability_better((18, 20), (15, 20)), 6)
    0.881041
    """
    (x1, n1), (x2, n2) = check_count(*first), check_count(*second)
    a1, b1, a2, b2 = x1 + 1, n1 - x1 + 1, x2 + 1, n2 - x2 + 1
    i = np.arange(a1, dtype=np.float64)
    log = special.betaln(a2 + i, b1 + b2) - np.log(b1 + i) - special.betaln(1.0 + i, b1) - special.betaln(a2, b2)
    return min(1.0, float(np.exp(log).sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedPosterior:
    """Posterior of a paired difference of pass rates.

    Attributes:
        difference: posterior mean and equal-tailed interval of candidate minus baseline.
        better: posterior probability that the candidate is better.
    """

    difference: Interval
    better: float


def paired_posterior(counts: PairedCounts, *, level: float = 0.95) -> PairedPosterior:
    """Posterior of the difference under a uniform Dirichlet(1, 1, 1, 1) prior on the four cells, without sampling.

    P(better) = P(Beta(gained + 1, lost + 1) > 1/2). The difference is m·(2v - 1) with m ~ Beta(changed + 2,
    unchanged + 2) and v ~ Beta(gained + 1, lost + 1) independent; its quantiles come from one quadrature.

    Args:
        counts: the four counts.
        level: probability inside the interval.

    Raises:
        ValueError: level out of range.

    Source: Bowyer, Aitchison & Ivanova 2025, arXiv 2503.01747 (the Dirichlet alternative).

    >>> r = paired_posterior(PairedCounts(both=80, gained=6, lost=3, neither=11))
    >>> round(r.better, 6), round(r.difference.low, 4), round(r.difference.high, 4)
    (0.828125, -0.0323, 0.0934)
    """
    check_level(level)
    gained, lost = counts.gained + 1.0, counts.lost + 1.0
    total = counts.n + 4.0
    mean = (gained - lost) / total
    sd = math.sqrt(((gained + lost) / total - mean**2) / (total + 1.0))
    low, high = (_difference_quantile(counts, p) for p in (0.5 - level / 2.0, 0.5 + level / 2.0))
    interval = Interval(value=mean, low=low, high=high, level=level, method="dirichlet_posterior", n=counts.n, se=sd)
    return PairedPosterior(difference=interval, better=float(special.betainc(lost, gained, 0.5)))


def _difference_quantile(counts: PairedCounts, p: float) -> float:
    return find_root(lambda d: _difference_cdf(counts, d) - p, -1.0, 1.0, tol=1e-12)


def _difference_cdf(counts: PairedCounts, d: float) -> float:
    """P(m(2v - 1) <= d), integrating over m where m > |d| by Gauss-Legendre on the bulk of its Beta density."""
    gained, lost = counts.gained + 1.0, counts.lost + 1.0
    a, b = gained + lost, counts.n + 4.0 - gained - lost
    centre, spread = a / (a + b), math.sqrt(a * b / ((a + b) ** 2 * (a + b + 1.0)))
    low, high = max(abs(d), centre - 14.0 * spread, 1e-12), min(1.0, centre + 14.0 * spread)
    certain = float(special.betainc(a, b, d)) if d > 0.0 else 0.0
    if high <= low:
        return certain
    nodes, weights = _LEGENDRE
    m = low + (nodes + 1.0) / 2.0 * (high - low)
    density = np.exp(special.xlogy(a - 1.0, m) + special.xlog1py(b - 1.0, -m) - special.betaln(a, b))
    below = special.betainc(gained, lost, np.clip((d / m + 1.0) / 2.0, 0.0, 1.0))
    return certain + float(weights @ (density * below)) * (high - low) / 2.0


_LEGENDRE = np.polynomial.legendre.leggauss(160)
