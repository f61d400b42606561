"""A cheap judge on many cases, people on few: estimates that keep the people's truth and the judge's precision."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_vector, check_level, same_length, seed_of
from evalwright.stats._dist import t_two_sided, z_two_sided
from evalwright.stats.records import Interval
from evalwright.stats.strata import normal_weights


def ppi_mean(
    labels: npt.ArrayLike,
    judged: npt.ArrayLike,
    unlabelled: npt.ArrayLike,
    *,
    weight: float | None = None,
    quantile: Literal["t", "z"] = "t",
    level: float = 0.95,
) -> Interval:
    """Prediction-powered mean: θ = λ·mean(judge, unlabelled) + mean(label - λ·judge, labelled).

    λ = cov(label, judge)/((1 + n/N)·var(judge)), cut to [0, 1] (PPI++): a useless judge gets weight 0 and the
    estimate is the people's own. λ = 1 is plain PPI, λ = 0 the labels alone. The labelled cases must be a random
    subset of the judged ones.

    Args:
        labels: human scores of the labelled cases.
        judged: the judge's scores of the same cases.
        unlabelled: the judge's scores of the other cases.
        weight: λ, or None to choose it from the data.
        quantile: "t" with n - 1 degrees of freedom, or "z" as published.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: fewer than 2 labels, no judged cases, lengths that differ, NaN.

    Source: Angelopoulos et al. 2023, Science 382:669 and arXiv 2311.01453.

    >>> ci = ppi_mean([1, 0, 1, 1], [1, 0, 1, 0], [1, 1, 0, 1, 1, 1], quantile="z")
    >>> round(ci.value, 4)
    0.8571
    """
    y, f, u = as_vector(labels, "labels"), as_vector(judged, "judged"), as_vector(unlabelled, "unlabelled")
    same_length(y, f, ("labels", "judged"))
    check_level(level)
    n, more = len(y), len(u)
    if n < 2 or more < 1:
        raise ValueError(f"need at least 2 labels and 1 judged case more, got {n} and {more}")
    tuned = _tuned(y, f, u) if weight is None else weight
    value = tuned * float(u.mean()) + float((y - tuned * f).mean())
    se = math.sqrt(float((tuned * u).var()) / more + float((y - tuned * f).var()) / n)
    q = z_two_sided(level) if quantile == "z" else t_two_sided(level, n - 1)
    method = "ppi_plus" if weight is None else f"ppi_weight_{weight:g}"
    notes = ("no_variation",) if se == 0.0 else ()
    return Interval(
        value=value, low=value - q * se, high=value + q * se, level=level, method=method, n=n, trials=n + more,
        se=se, df=float(n - 1) if quantile == "t" else None, notes=notes,
    )  # fmt: skip


def ppi_weight(labels: npt.ArrayLike, judged: npt.ArrayLike, unlabelled: npt.ArrayLike) -> float:
    """The weight λ that `ppi_mean` would choose: 0 for a useless judge, up to 1.

    >>> round(ppi_weight([1, 0, 1, 1], [1, 0, 1, 0], [1, 1, 0, 1, 1, 1]), 4)
    0.3214
    """
    return _tuned(as_vector(labels, "labels"), as_vector(judged, "judged"), as_vector(unlabelled, "unlabelled"))


def _tuned(y: FloatArray, f: FloatArray, u: FloatArray) -> float:
    spread = float(np.concatenate([f, u]).var(ddof=1))
    if spread == 0.0:
        return 0.0
    covariance = float(((y - y.mean()) * (f - f.mean())).mean())
    return min(1.0, max(0.0, covariance / ((1.0 + len(y) / len(u)) * spread)))


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedStratum:
    """Labels and judge scores of one stratum.

    Attributes:
        labels: human scores.
        judged: judge scores of the same cases.
        unlabelled: judge scores of the other cases.
    """

    labels: FloatArray
    judged: FloatArray
    unlabelled: FloatArray


def ppi_stratified(
    strata: Mapping[Any, JudgedStratum],
    weights: Mapping[Any, float],
    *,
    weight: float | None = None,
    level: float = 0.95,
) -> Interval:
    """Prediction-powered mean per stratum, added up by the strata's shares; λ is chosen per stratum when None.

    Args:
        strata: data per stratum, at least 2 labels each.
        weights: share of each stratum in the population, any positive scale.
        weight: λ for all strata, or None.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: a weighted stratum without data, or with fewer than 2 labels.

    Source: Fisch et al. 2024 (stratified prediction-powered inference).
    """
    shares = normal_weights(weights, strata)
    parts = {
        h: ppi_mean(s.labels, s.judged, s.unlabelled, weight=weight, level=level)
        for h, s in strata.items() if h in shares
    }  # fmt: skip
    value = sum(shares[h] * (ci.value or 0.0) for h, ci in parts.items())
    se = math.sqrt(sum((shares[h] * (ci.se or 0.0)) ** 2 for h, ci in parts.items()))
    half = z_two_sided(check_level(level)) * se
    n = sum(ci.n for ci in parts.values())
    return Interval(
        value=value, low=value - half, high=value + half, level=level, method="ppi_stratified", n=n,
        trials=sum(ci.trials or 0 for ci in parts.values()), se=se,
    )  # fmt: skip


def post_stratified_judge(
    verdicts: Mapping[Any, int],
    labels: Mapping[Any, tuple[int, int]],
    *,
    rng: np.random.Generator,
    draws: int = 20_000,
    level: float = 0.95,
) -> Interval:
    """True pass rate from a judge's verdicts and a random labelled subset: the default for binary labels.

    Post-stratifies by verdict: the share of each verdict among all judged cases gets a Dirichlet(1/2) posterior, the
    true rate within a verdict a Beta(1/2) posterior from its labelled cases, and the interval is the middle of
    the draws of their weighted sum. Keeps its coverage where the normal interval of PPI does not (few
    labels, rates near 0 or 1), at the same width. Works for any number of verdicts, such as a judge's grades.

    Args:
        verdicts: judged cases per verdict, labelled ones included.
        labels: (true positives, labelled cases) per verdict.
        rng: source of randomness.
        draws: posterior draws.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: no judged cases, impossible counts, a labelled verdict that was never judged.

    Source: Cochran 1977, section 12 (double sampling for stratification), with Jeffreys priors.

    >>> ci = post_stratified_judge(
    ...     {"pass": 1600, "fail": 400}, {"pass": (72, 80), "fail": (6, 20)}, rng=np.random.default_rng(1))
    >>> round(ci.value, 2), round(ci.low, 2), round(ci.high, 2)
    (0.78, 0.71, 0.84)
    """
    names = list(verdicts)
    counts = np.array([verdicts[name] for name in names], dtype=np.float64)
    unknown = set(labels) - set(names)
    if unknown or len(names) == 0 or counts.min() < 0 or counts.sum() == 0:
        raise ValueError(f"need judged cases for every labelled verdict; missing for {sorted(map(str, unknown))}")
    good, total = _label_counts(names, labels, verdicts)
    check_level(level)
    shares = rng.dirichlet(counts + 0.5, size=draws)
    rates = rng.beta(good + 0.5, total - good + 0.5, size=(draws, len(names)))
    mixed = (shares * rates).sum(axis=1)
    low, high = np.quantile(mixed, [0.5 - level / 2.0, 0.5 + level / 2.0])
    labelled = total > 0
    value = None
    if labelled[counts > 0].all():
        value = float((counts[labelled] * good[labelled] / total[labelled]).sum() / counts[labelled].sum())
    notes = () if value is not None else ("unlabelled_verdict",)
    return Interval(
        value=value if value is not None else float(mixed.mean()), low=float(low), high=float(high), level=level,
        method="post_stratified_judge", n=int(total.sum()), trials=int(counts.sum()), se=float(mixed.std(ddof=1)),
        resamples=draws, seed=seed_of(rng), notes=notes,
    )  # fmt: skip


def _label_counts(
    names: list[Any], labels: Mapping[Any, tuple[int, int]], verdicts: Mapping[Any, int]
) -> tuple[FloatArray, FloatArray]:
    pairs = [labels.get(name, (0, 0)) for name in names]
    for name, (good, total) in zip(names, pairs, strict=True):
        if not 0 <= good <= total <= verdicts[name]:
            raise ValueError(f"verdict {name!r}: {good} positive of {total} labelled of {verdicts[name]} judged")
    return np.array([g for g, _ in pairs], dtype=np.float64), np.array([t for _, t in pairs], dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelPlan:
    """How to split a budget between people and a judge.

    Attributes:
        labels: cases people should label (and the judge too).
        judged: cases the judge should score in all.
        se: standard error to expect.
        se_labels_only: standard error if all the money went to people.
    """

    labels: float
    judged: float
    se: float
    se_labels_only: float


def label_plan(
    *, correlation: float, label_cost: float, judge_cost: float, budget: float, variance: float
) -> LabelPlan:
    """Best split of a budget: labels/judged = sqrt(c_judge/c_label·(1 - ρ²)/ρ²).

    Variance of the estimate: σ²((1 - ρ²)/n + ρ²/N). A labelled case costs its label; every judged case costs the
    judge. With ρ = 0 everything goes to people.

    Args:
        correlation: of judge and human scores over cases (ρ).
        label_cost: cost of one human label.
        judge_cost: cost of one judge score.
        budget: total.
        variance: variance of the human score over cases (p(1-p) for verdicts).

    Raises:
        ValueError: a cost, budget or variance that is not positive, or |ρ| above 1.

    Source: Cochran 1977, chapter 12 (double sampling).

    >>> plan = label_plan(correlation=0.6, label_cost=2, judge_cost=0.01, budget=400, variance=0.16)
    >>> round(plan.labels), round(plan.judged), round(plan.se, 4)
    (190, 2014, 0.0238)
    """
    if min(label_cost, judge_cost, budget, variance) <= 0.0 or abs(correlation) > 1.0:
        raise ValueError("costs, budget and variance must be positive and the correlation within -1 and 1")
    alone = math.sqrt(variance * label_cost / budget)
    r2 = correlation**2
    if r2 in (0.0, 1.0) or judge_cost * (1.0 - r2) >= label_cost * r2:
        n = budget / label_cost if r2 < 1.0 else 0.0
        judged = budget / judge_cost if r2 == 1.0 else 0.0
        return LabelPlan(
            labels=n, judged=judged, se=alone if r2 < 1.0 else math.sqrt(variance / judged), se_labels_only=alone
        )
    ratio = math.sqrt(judge_cost / label_cost * (1.0 - r2) / r2)
    judged = budget / (label_cost * ratio + judge_cost)
    n = ratio * judged
    return LabelPlan(
        labels=n, judged=judged, se=math.sqrt(variance * ((1.0 - r2) / n + r2 / judged)), se_labels_only=alone
    )


def judge_worth(correlation: float) -> float:
    """Factor by which unlimited judging multiplies the effective number of labels, 1/(1 - ρ²).

    >>> round(judge_worth(0.6), 4)
    1.5625
    """
    if not -1.0 < correlation < 1.0:
        raise ValueError(f"correlation must lie strictly between -1 and 1, got {correlation}")
    return 1.0 / (1.0 - correlation**2)
