"""Intervals for means of cases that come in clusters: one document, conversation, customer or template.

The cluster is whatever was sampled at random when the data were collected. Cases of one cluster rise and fall
together, so treating them as independent makes every interval too short.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import special

from evalwright.stats._arrays import FloatArray, IntArray, as_vector, check_level, group_codes
from evalwright.stats._dist import beta_quantile, t_quantile, t_two_sided
from evalwright.stats.means import standard_error
from evalwright.stats.proportions import wilson_ends
from evalwright.stats.records import Interval

FEW_CLUSTERS = 5
"""Below this many clusters an interval is computed but carries the note "few_clusters"."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterErrors:
    """Standard errors of a mean under clustering, side by side.

    Attributes:
        mean: plain mean over cases.
        n: cases.
        clusters: clusters.
        naive: s/√n, as if cases were independent.
        cr0: sandwich without correction (Miller 2024, appendix A); too small below about 50 clusters.
        cr1: cr0·sqrt(G/(G-1)).
        cr2: Bell-McCaffrey corrected sandwich.
        cr2_df: Satterthwaite degrees of freedom of `cr2`.
        icc: intra-cluster correlation, from the analysis of variance (may be negative).
        design_effect: (cr1/naive)²: how many times more cases this design needs than independent ones.
    """

    mean: float
    n: int
    clusters: int
    naive: float
    cr0: float
    cr1: float
    cr2: float
    cr2_df: float
    icc: float
    design_effect: float


def cluster_errors(values: npt.ArrayLike, clusters: Any) -> ClusterErrors:
    """All clustered standard errors of a mean.

    CR0² = Σ_g s_g²/n² with s_g the sum of residuals of cluster g; CR2² = Σ_g s_g²/(1 - n_g/n)/n².

    Args:
        values: one score per case.
        clusters: one label per case.

    Raises:
        ValueError: fewer than two clusters, lengths that differ, NaN.

    Source: Liang & Zeger 1986; Bell & McCaffrey 2002; Pustejovsky & Tipton 2018; Miller 2024 arXiv 2411.00640.

    >>> e = cluster_errors([1, 1, 0, 1, 0, 0, 0, 1], ["a", "a", "b", "b", "c", "c", "d", "d"])
    >>> round(e.cr1, 4), e.clusters
    (0.2041, 4)
    """
    y = as_vector(values)
    codes, groups = group_codes(clusters, len(y))
    if groups < 2:
        raise ValueError(f"clustered standard errors need at least two clusters, got {groups}")
    sizes = np.bincount(codes, minlength=groups).astype(np.float64)
    mean = float(y.mean())
    naive = standard_error(y)
    sums = np.bincount(codes, weights=y - mean, minlength=groups) if naive else np.zeros(groups)
    n = len(y)
    cr0 = math.sqrt(float(sums @ sums)) / n
    cr1 = cr0 * math.sqrt(groups / (groups - 1))
    cr2 = math.sqrt(float(np.sum(sums**2 / (1.0 - sizes / n)))) / n
    icc = _anova_icc(y, codes, sizes)
    deff = (cr1 / naive) ** 2 if naive else 1.0
    return ClusterErrors(
        mean=mean, n=n, clusters=groups, naive=naive, cr0=cr0, cr1=cr1,
        cr2=cr2, cr2_df=_satterthwaite(sizes), icc=icc, design_effect=deff,
    )  # fmt: skip


def _satterthwaite(sizes: FloatArray) -> float:
    """Degrees of freedom of CR2 for a mean, under independent errors of equal variance."""
    n = sizes.sum()
    u2 = (sizes / n) ** 2 / (1.0 - sizes / n) / n
    trace2 = np.sum((sizes / n**2) ** 2) + u2.sum() ** 2 - np.sum(u2**2)
    return float((1.0 / n) ** 2 / trace2)


def _anova_icc(y: FloatArray, codes: IntArray, sizes: FloatArray) -> float:
    n, groups = len(y), len(sizes)
    if n == groups:
        return 0.0
    means = np.bincount(codes, weights=y, minlength=groups) / sizes
    within = float(np.sum((y - means[codes]) ** 2)) / (n - groups)
    between = float(np.sum(sizes * (means - y.mean()) ** 2)) / (groups - 1)
    n0 = (n - float(sizes @ sizes) / n) / (groups - 1)
    total = between + (n0 - 1.0) * within
    return (between - within) / total if total > 0 else 0.0


def cluster_mean(
    values: npt.ArrayLike, clusters: Any, *, level: float = 0.95, kind: Literal["cr2", "cr1"] = "cr2"
) -> Interval:
    """Interval of a mean over clustered cases.

    "cr2" takes the Bell-McCaffrey standard error and Satterthwaite's degrees of freedom; "cr1" takes t with G-1.
    Below 5 clusters the result carries "few_clusters" and should decide nothing; with one cluster it has no ends.

    Args:
        values: one score per case.
        clusters: one label per case.
        level: confidence level between 0 and 1.
        kind: which standard error.

    Raises:
        ValueError: lengths that differ, NaN, level out of range.

    >>> y = [1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 1]
    >>> ci = cluster_mean(y, [1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 4, 4, 5, 6, 6, 6])
    >>> round(ci.low, 6), round(ci.high, 6), round(ci.df, 3)
    (0.187079, 0.924032, 4.094)
    """
    y = as_vector(values)
    check_level(level)
    codes, groups = group_codes(clusters, len(y))
    if groups < 2:
        return _one_cluster(y, groups, level, kind)
    e = cluster_errors(y, codes)
    se, df = (e.cr2, e.cr2_df) if kind == "cr2" else (e.cr1, float(groups - 1))
    half = t_two_sided(level, df) * se
    notes = cluster_notes(groups) + (("no_variation",) if e.naive == 0.0 else ())
    return Interval(
        value=e.mean, low=e.mean - half, high=e.mean + half, level=level, method=f"cluster_{kind}_t",
        n=len(y), clusters=groups, se=se, df=df, notes=notes,
    )  # fmt: skip


def cluster_notes(groups: int) -> tuple[str, ...]:
    """The note an interval over this many clusters must carry."""
    if groups == 1:
        return ("one_cluster",)
    return ("few_clusters",) if groups < FEW_CLUSTERS else ()


def _one_cluster(y: FloatArray, groups: int, level: float, kind: str) -> Interval:
    value = float(y.mean()) if len(y) else None
    notes = ("one_cluster",) if groups else ("empty",)
    method = f"cluster_{kind}_t"
    return Interval(
        value=value, low=None, high=None, level=level, method=method, n=len(y), clusters=groups, notes=notes
    )


def korn_graubard(
    values: npt.ArrayLike, clusters: Any, *, level: float = 0.95, observations: int | None = None
) -> Interval:
    """Bounded interval of a clustered pass rate: Clopper-Pearson at the effective number of cases.

    n* = p(1-p)/CR1² · (t(n-1)/t(G-1))², never more than the number of observations; ends are Beta quantiles
    B(α/2; n*p, n*(1-p)+1) and B(1-α/2; n*p+1, n*(1-p)). When all values are 0 or all are 1 nothing is known of
    the correlation and n* is the number of clusters.

    Args:
        values: pass rates per case in [0, 1]: verdicts, or shares of passed trials.
        clusters: one label per case.
        level: confidence level between 0 and 1.
        observations: trials behind `values` when they are shares over trials; the cap of n*.

    Raises:
        ValueError: values outside [0, 1], lengths that differ, NaN, level out of range.

    Source: Korn & Graubard 1998, Survey Methodology 24:193.

    >>> y = [1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 1]
    >>> ci = korn_graubard(y, [1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 4, 4, 5, 6, 6, 6])
    >>> round(ci.low, 6), round(ci.high, 6)
    (0.215844, 0.859985)
    """
    y, codes, groups = _shares(values, clusters, level)
    if groups < 2:
        return _bounded_single(y, groups, level, "korn_graubard")
    e = cluster_errors(y, codes)
    size, notes = _effective(e, level, observations or len(y))
    low = beta_quantile(0.5 - level / 2.0, size * e.mean, size * (1.0 - e.mean) + 1.0)
    high = beta_quantile(0.5 + level / 2.0, size * e.mean + 1.0, size * (1.0 - e.mean))
    return Interval(
        value=e.mean, low=low, high=high, level=level, method="korn_graubard", n=len(y), clusters=groups,
        trials=observations, se=e.cr1, df=float(groups - 1), notes=notes + cluster_notes(groups),
    )  # fmt: skip


def _effective(e: ClusterErrors, level: float, observations: int) -> tuple[float, tuple[str, ...]]:
    """Effective number of cases and what to note about it."""
    if e.mean in (0.0, 1.0):
        return float(e.clusters), ("no_variation",)
    ratio = t_two_sided(level, e.n - 1) / t_two_sided(level, e.clusters - 1)
    if e.cr1**2 * observations <= e.mean * (1.0 - e.mean) * ratio**2:
        return float(observations), ("capped",)
    return e.mean * (1.0 - e.mean) / e.cr1**2 * ratio**2, ()


def _shares(values: npt.ArrayLike, clusters: Any, level: float) -> tuple[FloatArray, IntArray, int]:
    y = as_vector(values)
    check_level(level)
    if len(y) and (y.min() < 0.0 or y.max() > 1.0):
        raise ValueError(f"a pass rate lies between 0 and 1, got values from {y.min()} to {y.max()}")
    codes, groups = group_codes(clusters, len(y))
    return y, codes, groups


def _bounded_single(y: FloatArray, groups: int, level: float, method: str) -> Interval:
    value = float(y.mean()) if len(y) else None
    notes = ("one_cluster",) if groups else ("empty",)
    return Interval(value=value, low=0.0, high=1.0, level=level, method=method, n=len(y), clusters=groups, notes=notes)


def logit_t(values: npt.ArrayLike, clusters: Any, *, level: float = 0.95) -> Interval:
    """Bounded interval of a clustered pass rate: Student's on the logit scale, mapped back.

    expit(logit(p) ± t(G-1)·CR1/(p(1-p))). Shorter than `korn_graubard`; when all values are 0 or all are 1 the
    logit does not exist and the Wilson interval for as many cases as there are clusters is given instead.

    Args:
        values: pass rates per case in [0, 1].
        clusters: one label per case.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: values outside [0, 1], lengths that differ, NaN, level out of range.

    Source: Korn & Graubard 1998; `svyciprop(method="xlogit")` of R's survey package.

    >>> y = [1, 1, 0, 1, 0, 0, 0, 1, 1, 1, 0, 1, 1, 0, 1, 0, 0, 1]
    >>> ci = logit_t(y, [1, 1, 1, 1, 2, 2, 2, 3, 3, 4, 4, 4, 4, 4, 5, 6, 6, 6])
    >>> round(ci.low, 6), round(ci.high, 6)
    (0.236093, 0.834865)
    """
    y, codes, groups = _shares(values, clusters, level)
    if groups < 2:
        return _bounded_single(y, groups, level, "logit_t")
    e = cluster_errors(y, codes)
    low, high = _logit_ends(e, level)
    notes = cluster_notes(groups) + (("no_variation",) if e.mean in (0.0, 1.0) else ())
    return Interval(
        value=e.mean, low=low, high=high, level=level, method="logit_t", n=len(y), clusters=groups,
        se=e.cr1, df=float(groups - 1), notes=notes,
    )  # fmt: skip


def _logit_ends(e: ClusterErrors, level: float) -> tuple[float, float]:
    if e.mean in (0.0, 1.0):
        return wilson_ends(e.mean, e.clusters, t_quantile(0.5 + level / 2.0, e.clusters - 1))
    half = t_two_sided(level, e.clusters - 1) * e.cr1 / (e.mean * (1.0 - e.mean))
    centre = special.logit(e.mean)
    return float(special.expit(centre - half)), float(special.expit(centre + half))
