"""Planning: how many cases, how many trials, and the smallest difference a suite can see."""

from __future__ import annotations

import math
from dataclasses import dataclass

from scipy import special

from evalwright.stats._dist import find_root, t_two_sided, z_cdf, z_quantile
from evalwright.stats.proportions import wilson_ends


def z_sum(level: float, power: float) -> float:
    """The z of the two-sided level plus z of the power, the constant of every sample-size formula."""
    for name, value in (("level", level), ("power", power)):
        if not 0.0 < value < 1.0:
            raise ValueError(f"{name} must lie strictly between 0 and 1, got {value}")
    return z_quantile(0.5 + level / 2.0) + z_quantile(power)


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedVariance:
    """Variance of a paired difference per case, taken apart.

    Attributes:
        between: variance over cases of the true difference (ω²).
        within_baseline: variance between trials of one case, baseline (σ²_A).
        within_candidate: the same of the candidate (σ²_B).
        trials_baseline: trials per case (K_A).
        trials_candidate: trials per case (K_B).
        design_effect: factor for clustering of cases, 1 for independent cases.
    """

    between: float
    within_baseline: float = 0.0
    within_candidate: float = 0.0
    trials_baseline: int = 1
    trials_candidate: int = 1
    design_effect: float = 1.0

    @property
    def per_case(self) -> float:
        """Variance one case contributes: deff·(ω² + σ²_A/K_A + σ²_B/K_B)."""
        noise = self.within_baseline / self.trials_baseline + self.within_candidate / self.trials_candidate
        return self.design_effect * (self.between + noise)


def paired_sample_size(
    difference: float, variance: PairedVariance, *, level: float = 0.95, power: float = 0.8
) -> float:
    """Cases needed to see a paired difference: (z + z_β)²·variance/δ². Round up.

    Raises:
        ValueError: a difference of 0, level or power out of range.

    Source: Miller 2024, arXiv 2411.00640, section 5.

    >>> round(paired_sample_size(0.03, PairedVariance(between=1 / 9)))
    969
    """
    if difference == 0.0:
        raise ValueError("no number of cases shows a difference of 0")
    return z_sum(level, power) ** 2 * variance.per_case / difference**2


def paired_detectable(n: float, variance: PairedVariance, *, level: float = 0.95, power: float = 0.8) -> float:
    """Smallest paired difference that n cases show with this power: (z + z_β)·sqrt(variance/n).

    Raises:
        ValueError: n not positive, level or power out of range.

    >>> round(paired_detectable(1000, PairedVariance(between=1 / 9)), 4)
    0.0295
    """
    if n <= 0:
        raise ValueError(f"n must be positive, got {n}")
    return z_sum(level, power) * math.sqrt(variance.per_case / n)


def optimal_trials(*, within: float, between: float, case_cost: float, trial_cost: float) -> float:
    """Trials per case that give the most precision for money: sqrt(σ²_w/σ²_b · cost of a case/cost of a trial).

    Infinite when cases do not differ. Round to a whole number of at least 1.

    Raises:
        ValueError: a negative variance or a cost that is not positive.

    Source: Cochran 1977, chapter 10 (two-stage sampling).

    >>> round(optimal_trials(within=0.16, between=0.04, case_cost=4.0, trial_cost=1.0), 6)
    4.0
    """
    if min(within, between) < 0.0 or min(case_cost, trial_cost) <= 0.0:
        raise ValueError("variances must be at least 0 and costs above 0")
    if between == 0.0:
        return math.inf if within else 1.0
    return math.sqrt(within / between * case_cost / trial_cost)


def design_effect(cluster_size: float, icc: float) -> float:
    """Variance inflation 1 + (m - 1)·ρ of clusters of m cases with intra-cluster correlation ρ (Kish 1965).

    >>> design_effect(5, 0.3)
    2.2
    """
    if cluster_size < 1.0 or not -1.0 <= icc <= 1.0:
        raise ValueError(f"need a cluster size of at least 1 and icc in [-1, 1], got {cluster_size} and {icc}")
    return 1.0 + (cluster_size - 1.0) * icc


def effective_cases(n: float, *, cluster_size: float, icc: float) -> float:
    """Independent cases worth as much as n clustered ones: n/deff.

    >>> round(effective_cases(1000, cluster_size=5, icc=0.3), 1)
    454.5
    """
    return n / design_effect(cluster_size, icc)


def zero_failure_cases(pass_rate: float, *, level: float = 0.95) -> int:
    """Cases that must all pass to claim at least `pass_rate` with one-sided confidence: ln(1-level)/ln(p).

    Raises:
        ValueError: pass_rate or level not strictly between 0 and 1.

    >>> zero_failure_cases(0.95), zero_failure_cases(0.999)
    (59, 2995)
    """
    if not (0.0 < pass_rate < 1.0 and 0.0 < level < 1.0):
        raise ValueError(f"pass_rate and level must lie strictly between 0 and 1, got {pass_rate} and {level}")
    return math.ceil(math.log(1.0 - level) / math.log(pass_rate) - 1e-9)


def wilson_cases(pass_rate: float, half_width: float, *, level: float = 0.95) -> int:
    """Least number of cases whose Wilson interval at `pass_rate` is at most ± `half_width`.

    Raises:
        ValueError: pass_rate outside [0, 1], half_width outside (0, 0.5), level out of range.

    >>> wilson_cases(0.5, 0.05)
    381
    """
    if not (0.0 <= pass_rate <= 1.0 and 0.0 < half_width < 0.5):
        raise ValueError(f"need pass_rate in [0, 1] and half_width in (0, 0.5), got {pass_rate} and {half_width}")
    z = z_quantile(0.5 + level / 2.0)

    def excess(n: float) -> float:
        low, high = wilson_ends(pass_rate, n, z)
        return (high - low) / 2.0 - half_width

    top = z * z / (4.0 * half_width**2) + z * z / half_width + 4.0
    return 1 if excess(1.0) <= 0.0 else math.ceil(find_root(excess, 1.0, top) - 1e-9)


def paired_t_power(effect: float, n: int, *, level: float = 0.95) -> float:
    """Power of the two-sided paired (or one-sample) t-test for a standardised mean difference dz.

    Raises:
        ValueError: n below 2, level out of range.

    Source: Cohen 1988; non-central t.

    >>> round(paired_t_power(0.15, 200), 4)
    0.5601
    """
    if n < 2:
        raise ValueError(f"n must be at least 2, got {n}")
    return _t_power(effect, float(n), level)


def _t_power(effect: float, n: float, level: float) -> float:
    df = n - 1.0
    critical = t_two_sided(level, df)
    shift = abs(effect) * math.sqrt(n)
    below = float(special.nctdtr(df, shift, critical))
    far = float(special.nctdtr(df, shift, -critical))
    return 1.0 - below + far


def paired_t_cases(effect: float, *, level: float = 0.95, power: float = 0.8) -> float:
    """Pairs for a paired t-test to reach `power` at a standardised difference dz. Round up.

    Raises:
        ValueError: an effect of 0, level or power out of range.

    >>> round(paired_t_cases(0.2), 2)
    198.15
    """
    if effect == 0.0:
        raise ValueError("no number of cases shows an effect of 0")
    guess = (z_sum(level, power) / effect) ** 2
    if _t_power(effect, 2.0, level) >= power:
        return 2.0
    return find_root(lambda n: _t_power(effect, n, level) - power, 2.0, 2.0 * guess + 30.0, tol=1e-10)


def two_proportions_cases(p1: float, p2: float, *, level: float = 0.95, power: float = 0.8) -> float:
    """Cases per run for two *unpaired* pass rates, by the arcsine effect size. Round up.

    Pairing the same cases needs far fewer: `mcnemar_cases`.

    Raises:
        ValueError: rates equal or outside [0, 1], level or power out of range.

    Source: Cohen 1988, chapter 6.

    >>> round(two_proportions_cases(0.85, 0.80))
    902
    """
    if p1 == p2 or not (0.0 <= p1 <= 1.0 and 0.0 <= p2 <= 1.0):
        raise ValueError(f"need two different rates in [0, 1], got {p1} and {p2}")
    h = 2.0 * abs(math.asin(math.sqrt(p1)) - math.asin(math.sqrt(p2)))
    target = power
    z = z_quantile(0.5 + level / 2.0)
    start = (z_sum(level, power) / h) ** 2 * 2.0

    def excess(n: float) -> float:
        shift = h * math.sqrt(n / 2.0)
        return z_cdf(shift - z) + z_cdf(-shift - z) - target

    return find_root(excess, start * 0.25, start * 1.5, tol=1e-12)


def unpaired_detectable(rate: float, n: float, *, level: float = 0.95, power: float = 0.8) -> float | None:
    """Smallest drop from `rate` that two unpaired runs of n cases each show; None when even 0 % is not shown.

    Raises:
        ValueError: rate outside (0, 1], n not positive.

    >>> round(unpaired_detectable(0.85, 902), 3)
    0.05
    """
    if not 0.0 < rate <= 1.0 or n <= 0:
        raise ValueError(f"need rate in (0, 1] and n above 0, got {rate} and {n}")
    h = z_sum(level, power) * math.sqrt(2.0 / n)
    angle = math.asin(math.sqrt(rate)) - h / 2.0
    return rate - math.sin(angle) ** 2 if angle >= 0.0 else None
