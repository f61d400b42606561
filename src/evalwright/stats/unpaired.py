"""Two independent groups of cases: two runs on different cases, or a slice against the rest."""

from __future__ import annotations

import math
from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from evalwright.stats._arrays import FloatArray, as_vector, check_count, check_level
from evalwright.stats._dist import t_p_value, t_two_sided, z_two_sided
from evalwright.stats.clusters import cluster_mean
from evalwright.stats.estimate import estimate_mean
from evalwright.stats.means import mean_t
from evalwright.stats.multiplicity import Method, adjust_p
from evalwright.stats.proportions import wilson_ends
from evalwright.stats.records import Interval, TestResult


def newcombe_unpaired(first: tuple[int, int], second: tuple[int, int], *, level: float = 0.95) -> Interval:
    """Newcombe's hybrid score interval of p1 - p2 for independent groups.

    Args:
        first: (passes, cases) of the first group.
        second: (passes, cases) of the second group.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: impossible counts.

    Source: Newcombe 1998, Statistics in Medicine 17:873, method 10.

    >>> ci = newcombe_unpaired((56, 70), (48, 80))
    >>> round(ci.low, 4), round(ci.high, 4)
    (0.0524, 0.3339)
    """
    (x1, n1), (x2, n2) = check_count(*first), check_count(*second)
    check_level(level)
    if n1 == 0 or n2 == 0:
        return Interval(value=None, low=-1.0, high=1.0, level=level, method="newcombe", n=n1 + n2, notes=("empty",))
    z = z_two_sided(level)
    p1, p2 = x1 / n1, x2 / n2
    low1, high1 = wilson_ends(p1, n1, z)
    low2, high2 = wilson_ends(p2, n2, z)
    d, se = p1 - p2, math.sqrt(p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2)
    low, high = d - math.hypot(p1 - low1, high2 - p2), d + math.hypot(high1 - p1, p2 - low2)
    return Interval(value=d, low=low, high=high, level=level, method="newcombe", n=n1 + n2, se=se)


def combine_difference(first: Interval, second: Interval, *, level: float = 0.95) -> Interval:
    """Interval of the difference of two independent estimates, from their own intervals (MOVER).

    L = d - sqrt((v1-l1)² + (u2-v2)²) and likewise U: keeps the asymmetry of each interval.

    Args:
        first: two-sided interval of the first.
        second: two-sided interval of the second, of the same level.
        level: the level of both.

    Raises:
        ValueError: an interval without value or ends.

    Source: Zou & Donner 2008, Statistics in Medicine 27:1693.

    >>> from evalwright.stats import wilson
    >>> ci = combine_difference(wilson(56, 70), wilson(48, 80))
    >>> round(ci.low, 4), round(ci.high, 4)
    (0.0524, 0.3339)
    """
    v1, l1, u1 = _three(first)
    v2, l2, u2 = _three(second)
    d = v1 - v2
    return Interval(
        value=d, low=d - math.hypot(v1 - l1, u2 - v2), high=d + math.hypot(u1 - v1, v2 - l2), level=level,
        method="mover", n=first.n + second.n, notes=tuple(dict.fromkeys(first.notes + second.notes)),
    )  # fmt: skip


def _three(ci: Interval) -> tuple[float, float, float]:
    if ci.value is None or ci.low is None or ci.high is None:
        raise ValueError("both estimates need a value and two ends")
    return ci.value, ci.low, ci.high


def welch_difference(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    first_clusters: Any | None = None,
    second_clusters: Any | None = None,
    level: float = 0.95,
) -> Interval:
    """Difference of two independent means: Welch's t, or with clusters the CR2 errors of both groups.

    Degrees of freedom by Satterthwaite from those of the groups. When neither group varies there is no error to
    measure the difference by: no ends, "no_variation".

    Args:
        first: scores of the first group.
        second: scores of the second group.
        first_clusters: cluster labels of the first group, or None.
        second_clusters: cluster labels of the second group, or None.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: NaN, lengths that differ, level out of range.

    Source: Welch 1947, Biometrika 34:28.

    >>> ci = welch_difference([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.5])
    >>> round(ci.value, 4), round(ci.df, 2)
    (0.3333, 3.39)
    """
    a = _one(as_vector(first, "first"), first_clusters, level)
    b = _one(as_vector(second, "second"), second_clusters, level)
    n = a.n + b.n
    if a.value is None or b.value is None:
        return Interval(value=None, low=None, high=None, level=level, method="welch", n=n, notes=("empty",))
    d = a.value - b.value
    notes = tuple(dict.fromkeys(a.notes + b.notes))
    if a.se is None or b.se is None:
        return Interval(value=d, low=None, high=None, level=level, method="welch", n=n, notes=notes)
    se = math.hypot(a.se, b.se)
    if se == 0.0:
        return Interval(value=d, low=None, high=None, level=level, method="welch", n=n, notes=("no_variation",))
    df = se**4 / (a.se**4 / (a.df or math.inf) + b.se**4 / (b.df or math.inf))
    half = t_two_sided(level, df) * se
    return Interval(
        value=d, low=d - half, high=d + half, level=level, method="welch", n=n, se=se, df=df,
        notes=tuple(note for note in notes if note != "no_variation"),
    )  # fmt: skip


def _one(x: FloatArray, clusters: Any | None, level: float) -> Interval:
    return mean_t(x, level=level) if clusters is None else cluster_mean(x, clusters, level=level)


def welch_test(first: npt.ArrayLike, second: npt.ArrayLike) -> TestResult:
    """Two-sided Welch t-test, of the same family as `welch_difference`.

    >>> round(welch_test([1.0, 2.0, 3.0, 4.0], [2.0, 2.0, 2.5]).p_value, 4)
    0.6477
    """
    return difference_test(welch_difference(first, second))


def difference_test(difference: Interval) -> TestResult:
    """Two-sided t (or z) test that a difference is 0, from its interval; p is 1 when there is no standard error."""
    value, se = difference.value or 0.0, difference.se
    df = difference.df if difference.df is not None else math.inf
    if not se:
        return TestResult(
            p_value=1.0, statistic=0.0, method=difference.method, alternative="two-sided", n=difference.n,
            notes=difference.notes,
        )  # fmt: skip
    t = value / se
    return TestResult(
        p_value=t_p_value(t, df, "two-sided"), statistic=t, method=difference.method, alternative="two-sided",
        n=difference.n, notes=difference.notes,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupGap:
    """One group of cases against all others.

    Attributes:
        group: its label.
        value: its mean with interval.
        rest: the mean of all other cases.
        gap: group minus rest with interval.
        p_value: two-sided p of gap 0 (score test for verdicts, Welch's t else).
        p_adjusted: adjusted for having looked at every group.
    """

    group: Hashable
    value: Interval
    rest: Interval
    gap: Interval
    p_value: float
    p_adjusted: float


def group_gaps(
    values: npt.ArrayLike,
    groups: Any,
    *,
    clusters: Any | None = None,
    level: float = 0.95,
    adjust: Method = "holm",
) -> list[GroupGap]:
    """Each group against the rest, worst first: fairness gaps, weak slices.

    Verdicts get Wilson and Newcombe intervals and the pooled score test; grades get Welch's; clustered cases get
    cluster-robust errors (clusters that span groups make the gap's interval conservative or, when the gap is
    within clusters, too wide: compare within clusters then).

    Args:
        values: one score per case.
        groups: group label per case.
        clusters: cluster label per case, or None.
        level: confidence level between 0 and 1.
        adjust: how to adjust for the number of groups.

    Raises:
        ValueError: lengths that differ, NaN, fewer than 2 groups.

    >>> gaps = group_gaps([1, 1, 1, 0, 0, 0], ["a", "a", "a", "b", "b", "b"])
    >>> [g.group for g in gaps], gaps[0].gap.value
    (['b', 'a'], -1.0)
    """
    y = as_vector(values)
    labels = list(groups)
    if len(labels) != len(y):
        raise ValueError(f"groups: expected {len(y)} labels, got {len(labels)}")
    names = list(dict.fromkeys(labels))
    if len(names) < 2:
        raise ValueError("need at least 2 groups to compare")
    codes = np.array([names.index(label) for label in labels]) if len(names) < 50 else _codes(names, labels)
    cluster_array = None if clusters is None else np.asarray(list(clusters), dtype=object)
    found = [_gap(name, y, codes == i, cluster_array, level) for i, name in enumerate(names)]
    adjusted = adjust_p([gap.p_value for gap in found], adjust)
    final = [replace(gap, p_adjusted=float(p)) for gap, p in zip(found, adjusted, strict=True)]
    return sorted(final, key=lambda gap: gap.gap.value or 0.0)


def _codes(names: list[Any], labels: list[Any]) -> npt.NDArray[np.int64]:
    index = {name: i for i, name in enumerate(names)}
    return np.array([index[label] for label in labels], dtype=np.int64)


def _gap(
    name: Hashable, y: FloatArray, inside: npt.NDArray[np.bool_], clusters: npt.NDArray[Any] | None, level: float
) -> GroupGap:
    kind = "proportion" if np.isin(y, (0.0, 1.0)).all() else "mean"
    parts = [(y[m], None if clusters is None else clusters[m]) for m in (inside, ~inside)]
    estimates = [estimate_mean(v, kind=kind, clusters=c, level=level) for v, c in parts]  # type: ignore[arg-type]
    if kind == "proportion" and clusters is None:
        cells = [(int(v.sum()), len(v)) for v, _ in parts]
        gap, p = newcombe_unpaired(cells[0], cells[1], level=level), pooled_score_test(*cells).p_value
    else:
        (a, ca), (b, cb) = parts
        gap = welch_difference(a, b, first_clusters=ca, second_clusters=cb, level=level)
        p = difference_test(gap).p_value
    return GroupGap(group=name, value=estimates[0], rest=estimates[1], gap=gap, p_value=p, p_adjusted=p)


def pooled_score_test(first: tuple[int, int], second: tuple[int, int]) -> TestResult:
    """Two-sided score (Pearson chi-square) test of equal pass rates of independent groups.

    >>> round(pooled_score_test((56, 70), (48, 80)).p_value, 4)
    0.008
    """
    (x1, n1), (x2, n2) = check_count(*first), check_count(*second)
    pooled = (x1 + x2) / (n1 + n2) if n1 + n2 else 0.0
    if n1 == 0 or n2 == 0 or pooled in (0.0, 1.0):
        return TestResult(p_value=1.0, statistic=0.0, method="score", alternative="two-sided", n=n1 + n2)
    z = (x1 / n1 - x2 / n2) / math.sqrt(pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n2))
    return TestResult(
        p_value=t_p_value(z, math.inf, "two-sided"), statistic=z, method="score", alternative="two-sided", n=n1 + n2
    )
