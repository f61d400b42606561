"""Means over strata: post-stratification to a production mix, its bootstrap, and Simpson reversals."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_vector, check_level, seed_of
from evalwright.stats._dist import t_two_sided
from evalwright.stats.records import Interval
from evalwright.stats.resampling import resampled_sums


@dataclass(frozen=True, slots=True, kw_only=True)
class StratumSummary:
    """Size, mean and variance of one stratum.

    Attributes:
        n: cases.
        mean: mean score.
        variance: sample variance (divided by n - 1; for counts of a binary score, p(1-p)·n/(n-1)).
    """

    n: int
    mean: float
    variance: float

    @classmethod
    def of(cls, values: npt.ArrayLike) -> StratumSummary:
        """Summary of scores; the variance of a single value is 0 and unknown (see `post_stratify`)."""
        y = as_vector(values)
        return cls(n=len(y), mean=float(y.mean()), variance=float(y.var(ddof=1)) if len(y) > 1 else 0.0)

    @classmethod
    def of_counts(cls, successes: int, n: int) -> StratumSummary:
        """Summary of a binary score from its counts, with variance p(1-p)·n/(n-1)."""
        p = successes / n
        return cls(n=n, mean=p, variance=p * (1 - p) * n / (n - 1) if n > 1 else 0.0)


def summarise_strata(values: npt.ArrayLike, strata: Any) -> dict[Hashable, StratumSummary]:
    """`StratumSummary` per stratum label, in order of first appearance.

    Raises:
        ValueError: lengths that differ, or NaN.

    >>> summarise_strata([1, 0, 1], ["de", "de", "en"])["de"].mean
    0.5
    """
    y = as_vector(values)
    labels = list(strata)
    if len(labels) != len(y):
        raise ValueError(f"strata: expected {len(y)} labels, got {len(labels)}")
    rows: dict[Hashable, list[int]] = {}
    for index, label in enumerate(labels):
        rows.setdefault(label, []).append(index)
    return {label: StratumSummary.of(y[index]) for label, index in rows.items()}


def normal_weights(weights: Mapping[Any, float], present: Any) -> dict[Hashable, float]:
    """Weights scaled to sum to 1.

    Raises:
        ValueError: a weight is negative or not finite, all are 0, or a stratum with weight has no cases. There is
            no adjusted figure for traffic the data do not contain.
    """
    for label, weight in weights.items():
        if not (math.isfinite(weight) and weight >= 0.0):
            raise ValueError(f"weight of stratum {label!r} must be a number of at least 0, got {weight}")
    missing = sorted(str(label) for label, weight in weights.items() if weight > 0 and label not in present)
    if missing:
        raise ValueError(f"no cases in the strata {', '.join(missing)}: nothing can be said about this mix")
    total = sum(weights.values())
    if total <= 0.0:
        raise ValueError("all weights are 0")
    return {label: weight / total for label, weight in weights.items() if weight > 0}


def post_stratify(
    strata: Mapping[Any, StratumSummary], weights: Mapping[Any, float], *, level: float = 0.95
) -> Interval:
    """Mean re-weighted to a known mix: θ = Σ w_h m_h, variance Σ w_h² s_h²/n_h, Student with Satterthwaite's df.

    Args:
        strata: summaries per stratum.
        weights: production mix per stratum, any positive scale.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: a stratum with weight has no cases, or weights are unusable.

    Source: Cochran 1977, chapter 5A; Kish 1965.

    >>> small, large = StratumSummary.of_counts(81, 87), StratumSummary.of_counts(192, 263)
    >>> round(post_stratify({"small": small, "large": large}, {"small": 357, "large": 343}).value, 6)
    0.832546
    """
    check_level(level)
    shares = normal_weights(weights, strata)
    value = sum(share * strata[label].mean for label, share in shares.items())
    parts = [(share**2 * strata[h].variance / strata[h].n, strata[h].n) for h, share in shares.items()]
    variance = sum(part for part, _ in parts)
    n = sum(strata[h].n for h in shares)
    notes = ("single_value",) if any(strata[h].n == 1 for h in shares) else ()
    if variance == 0.0:
        ends: tuple[float | None, float | None] = (None, None) if notes else (value, value)
        return Interval(
            value=value, low=ends[0], high=ends[1], level=level, method="post_stratified_t", n=n,
            se=None if notes else 0.0, notes=notes or ("no_variation",),
        )  # fmt: skip
    df = variance**2 / sum(part**2 / (size - 1) for part, size in parts if size > 1)
    se = math.sqrt(variance)
    half = t_two_sided(level, df) * se
    return Interval(
        value=value, low=value - half, high=value + half, level=level, method="post_stratified_t",
        n=n, se=se, df=df, notes=notes,
    )  # fmt: skip


def bootstrap_stratified_mean(
    values: npt.ArrayLike,
    strata: Any,
    *,
    rng: np.random.Generator,
    weights: Mapping[Any, float] | None = None,
    level: float = 0.95,
    resamples: int = 10_000,
) -> Interval:
    """Percentile bootstrap of Σ w_h m_h, resampling inside each stratum.

    Too narrow by sqrt((n_h-1)/n_h) when strata are tiny; `post_stratify` has no such fault.

    Args:
        values: one score per case.
        strata: one label per case.
        rng: source of randomness.
        weights: mix per stratum; the shares of the sample when None.
        level: confidence level between 0 and 1.
        resamples: number of resamples.

    Raises:
        ValueError: no cases, lengths that differ, a weighted stratum without cases.

    >>> ci = bootstrap_stratified_mean([1, 1, 0, 0], ["a", "a", "b", "b"], rng=np.random.default_rng(1))
    >>> ci.low, ci.value, ci.high
    (0.5, 0.5, 0.5)
    """
    y = as_vector(values)
    rows = _rows_by_label(strata, len(y))
    if len(y) == 0 or resamples < 1:
        raise ValueError(f"nothing to resample: {len(y)} rows, {resamples} resamples")
    shares = normal_weights(weights or {label: len(index) for label, index in rows.items()}, rows)
    replicates = np.zeros(resamples)
    estimate, n, binned = 0.0, 0, False
    for label, share in shares.items():
        part: FloatArray = y[rows[label]]
        drawn = resampled_sums(part[:, None], resamples, rng)
        replicates += share * drawn.sums[:, 0] / len(part)
        estimate, n, binned = estimate + share * float(part.mean()), n + len(part), binned or drawn.binned
    low, high = np.quantile(replicates, [0.5 - check_level(level) / 2.0, 0.5 + level / 2.0])
    notes = (("binned",) if binned else ()) + (("degenerate",) if replicates.min() == replicates.max() else ())
    return Interval(
        value=estimate, low=float(low), high=float(high), level=level, method="stratified_bootstrap_percentile", n=n,
        se=float(replicates.std(ddof=1)) if resamples > 1 else None, resamples=resamples, seed=seed_of(rng),
        notes=notes,
    )  # fmt: skip


def _rows_by_label(strata: Any, n: int) -> dict[Hashable, list[int]]:
    rows: dict[Hashable, list[int]] = {}
    for index, label in enumerate(strata):
        rows.setdefault(label, []).append(index)
    if sum(map(len, rows.values())) != n:
        raise ValueError(f"strata: expected {n} labels, got {sum(map(len, rows.values()))}")
    return rows


def kish_effective_n(weights: npt.ArrayLike) -> float:
    """Kish's effective sample size (Σw)²/Σw² of case weights.

    >>> kish_effective_n([1, 1, 2])
    2.6666666666666665
    """
    w = as_vector(weights, "weights")
    squares = float(w @ w)
    if len(w) == 0 or w.min() < 0.0 or squares == 0.0:
        raise ValueError("weights must be at least 0 with at least one above 0")
    return float(w.sum()) ** 2 / squares


def mix_effective_n(sizes: Mapping[Any, int], weights: Mapping[Any, float]) -> float:
    """Effective sample size after re-weighting strata of `sizes` cases to the mix `weights`: 1/Σ w_h²/n_h.

    >>> round(mix_effective_n({"a": 100, "b": 100, "c": 100}, {"a": .2, "b": .3, "c": .5}), 6)
    263.157895
    """
    shares = normal_weights(weights, {label for label, n in sizes.items() if n > 0})
    return 1.0 / sum(share**2 / sizes[label] for label, share in shares.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class MixComparison:
    """Two runs compared crudely and at one common mix.

    Attributes:
        crude: candidate minus baseline over all cases as they came.
        adjusted: the same difference at the common mix, with its interval.
        baseline: baseline at the common mix.
        candidate: candidate at the common mix.
        reversal: whether the crude and the adjusted difference have opposite signs (Simpson's paradox).
        opposed: strata whose own difference has the sign opposite to the crude one.
    """

    crude: float
    adjusted: Interval
    baseline: Interval
    candidate: Interval
    reversal: bool
    opposed: tuple[Hashable, ...]


def compare_mixes(
    baseline: Mapping[Any, StratumSummary],
    candidate: Mapping[Any, StratumSummary],
    weights: Mapping[Any, float],
    *,
    level: float = 0.95,
) -> MixComparison:
    """Crude against adjusted difference of two independent runs whose case mixes differ.

    Args:
        baseline: summaries per stratum of the reference run.
        candidate: summaries per stratum of the changed run.
        weights: common mix.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: a stratum with weight is missing in a run.

    Source: Simpson 1951; Charig et al. 1986 (the kidney stones).
    """
    left, right = (post_stratify(run, weights, level=level) for run in (baseline, candidate))
    crude = _crude(candidate) - _crude(baseline)
    shares = normal_weights(weights, baseline)
    pairs = {(0, h): baseline[h] for h in shares} | {(1, h): candidate[h] for h in shares}
    signed = {key: _signed(summary, negative=key[0] == 0) for key, summary in pairs.items()}
    doubled = {key: shares[key[1]] for key in pairs}
    adjusted = post_stratify(signed, doubled, level=level).mapped(scale=2.0)
    opposed = tuple(h for h in shares if crude * (candidate[h].mean - baseline[h].mean) < 0)
    return MixComparison(
        crude=crude, adjusted=adjusted, baseline=left, candidate=right,
        reversal=crude * (adjusted.value or 0.0) < 0, opposed=opposed,
    )  # fmt: skip


def _signed(summary: StratumSummary, *, negative: bool) -> StratumSummary:
    mean = -summary.mean if negative else summary.mean
    return StratumSummary(n=summary.n, mean=mean, variance=summary.variance)


def _crude(strata: Mapping[Any, StratumSummary]) -> float:
    return sum(s.n * s.mean for s in strata.values()) / sum(s.n for s in strata.values())
