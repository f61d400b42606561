"""Figures at a production mix: slices weighted by their share of the traffic instead of by their share of the suite."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from evalwright.analysis.crossing import SliceCases
from evalwright.analysis.difference import PairOptions
from evalwright.analysis.frame import FloatArray, IntArray
from evalwright.analysis.paired import PairRows
from evalwright.core.comparison import PairedFigure
from evalwright.core.errors import UsageError
from evalwright.stats import Interval, StratumSummary, cluster_mean, difference_test, mix_effective_n, post_stratify


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Shares of the traffic by slice value.

    Attributes:
        shares: By label (`locale=de & tier=1`): share, on any positive scale.
        strata: The cases of each label.
        outside: Cases that no label covers.
    """

    shares: Mapping[str, float]
    strata: Sequence[SliceCases]
    outside: int = 0


def make_mix(shares: Mapping[str, float], places: Sequence[SliceCases], size: int) -> Mix:
    """Shares matched with the cases they stand for.

    Args:
        shares: By label.
        places: The values of the slice or combination the shares are about.
        size: Number of cases.

    Raises:
        UsageError: A label with a share has no case, a share is no positive number, or a case lies in two labels.
    """
    known = {place.label: place for place in places}
    _check_shares(shares, known)
    strata = [known[label] for label, share in shares.items() if share > 0]
    taken = np.zeros(size, dtype=np.int64)
    for stratum in strata:
        taken[stratum.members] += 1
    if taken.max(initial=0) > 1:
        raise UsageError(
            "a mix needs slices that share no case, and some cases lie in two of these",
            hint="weight by a slice whose expression gives one value a case",
        )
    return Mix(shares=dict(shares), strata=strata, outside=int(np.count_nonzero(taken == 0)))


def _check_shares(shares: Mapping[str, float], known: Mapping[str, SliceCases]) -> None:
    for label, share in shares.items():
        if not (np.isfinite(share) and share >= 0):
            raise UsageError(f"the share of {label} must be a number of at least 0, not {share}")
    if not sum(shares.values()) > 0:
        raise UsageError("all shares of the mix are 0")
    missing = [label for label, share in shares.items() if share > 0 and label not in known]
    if missing:
        raise UsageError(
            f"the suite has no case of {', '.join(missing[:5])}, a part of the mix: nothing can be said of it",
            hint=f"the suite has: {', '.join(list(known)[:10])}",
        )


def reweighted_interval(
    values: FloatArray, strata: IntArray, shares: FloatArray, *, level: float, clusters: IntArray | None = None
) -> Interval | None:
    """Mean of values at given shares of the strata; None where a stratum has no value.

    Independent cases: Σ w_h m_h with variance Σ w_h² s_h²/n_h (`stats.post_stratify`). Clustered cases: the CR2
    interval of the linearised values m + n·w_i·(y_i - m_h), whose mean is the weighted mean.

    Args:
        values: One per case.
        strata: Stratum number of each case.
        shares: Share of each stratum, positive.
        level: Confidence level.
        clusters: Cluster code of each case, None for independent cases.

    Source: Cochran 1977, chapter 5A; Binder 1983 (linearisation).
    """
    counts = np.bincount(strata, minlength=len(shares))
    if (counts == 0).any():
        return None
    if clusters is None:
        summaries = {h: StratumSummary.of(values[strata == h]) for h in range(len(shares))}
        return post_stratify(summaries, dict(enumerate(shares.tolist())), level=level)
    weights = shares / shares.sum()
    means = np.bincount(strata, weights=values, minlength=len(shares)) / counts
    value = float(weights @ means)
    linear = value + len(values) * (weights / counts)[strata] * (values - means[strata])
    return replace(cluster_mean(linear, clusters, level=level), method="post_stratified_cr2")


def reweighted_figure(rows: PairRows, mix: Mix, options: PairOptions) -> PairedFigure | None:
    """A metric's paired figure at the mix; None where a stratum of the mix has no pair."""
    codes = np.full(len(rows.left_only), -1, dtype=np.int64)
    for number, stratum in enumerate(mix.strata):
        codes[stratum.members] = number
    strata = codes[rows.pair]
    kept = strata >= 0
    shares = np.array([mix.shares[stratum.label] for stratum in mix.strata])
    clusters = None if rows.clusters is None else rows.clusters[kept]

    def interval(values: FloatArray, level: float) -> Interval | None:
        return reweighted_interval(values[kept], strata[kept], shares, level=level, clusters=clusters)

    found = interval(rows.difference, options.level)
    left, right = interval(rows.left, options.level), interval(rows.right, options.level)
    if found is None or left is None or right is None:
        return None
    return _figure(rows, (left, right, found), options, _effective(strata[kept], shares))


def _effective(strata: IntArray, shares: FloatArray) -> float:
    counts = np.bincount(strata, minlength=len(shares)).tolist()
    return mix_effective_n(dict(enumerate(counts)), dict(enumerate(shares.tolist())))


def _figure(
    rows: PairRows, found: tuple[Interval, Interval, Interval], options: PairOptions, effective: float
) -> PairedFigure:
    left, right, difference = found
    record, gain = rows.record, rows.gain
    lower, upper = _bounds(difference, options)
    return PairedFigure(
        metric=record.metric,
        baseline=left.value,
        candidate=right.value,
        difference=difference.value,
        low=difference.low,
        high=difference.high,
        level=options.level,
        p=difference_test(difference).p_value,
        lower=lower,
        upper=upper,
        confidence=options.confidence,
        n=difference.n,
        wins=int(np.count_nonzero(gain > 0)),
        losses=int(np.count_nonzero(gain < 0)),
        ties=int(np.count_nonzero(gain == 0)),
        clusters=difference.clusters,
        se=difference.se,
        df=difference.df,
        method=difference.method,
        test="weighted_t",
        unit=record.unit,
        higher_is_better=record.higher_is_better,
        share=(record.low, record.high) == (0.0, 1.0) and not record.unit,
        note=f"at the production mix; worth {effective:,.0f} cases drawn from it",
    )


def _bounds(ci: Interval, options: PairOptions) -> tuple[float | None, float | None]:
    if ci.value is None or ci.se is None or ci.df is None:
        return ci.low, ci.high
    reach = float(special.stdtrit(ci.df, options.confidence)) * ci.se
    return ci.value - reach, ci.value + reach
