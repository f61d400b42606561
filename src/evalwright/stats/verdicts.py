"""From an interval to a verdict: bounds, non-inferiority, superiority, equivalence.

A verdict is read off an interval, so the two can not contradict each other, and "not significant" never counts as
"no regression".
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy.typing as npt

from evalwright.stats._arrays import as_vector
from evalwright.stats._dist import t_cdf
from evalwright.stats.means import mean_t
from evalwright.stats.records import Interval

BoundVerdict = Literal["pass", "fail", "inconclusive"]
MarginVerdict = Literal["pass", "worse_within_margin", "regressed", "fail", "inconclusive"]


def bound_verdict(interval: Interval, *, at_least: float | None = None, at_most: float | None = None) -> BoundVerdict:
    """Verdict on an absolute bound: "pass" or "fail" only when the whole interval lies on one side.

    Args:
        interval: the metric with its interval.
        at_least: lower requirement; or
        at_most: upper requirement.

    Raises:
        ValueError: not exactly one of the two is given.

    >>> from evalwright.stats import wilson
    >>> bound_verdict(wilson(95, 100), at_least=0.85), bound_verdict(wilson(95, 100), at_least=0.95)
    ('pass', 'inconclusive')
    """
    if (at_least is None) == (at_most is None):
        raise ValueError("give exactly one of at_least and at_most")
    if at_most is not None:
        interval, at_least = interval.mapped(scale=-1.0), -at_most
    assert at_least is not None
    if interval.low is not None and interval.low >= at_least:
        return "pass"
    return "fail" if interval.high is not None and interval.high < at_least else "inconclusive"


def margin_verdict(difference: Interval, margin: float, *, higher_is_better: bool = True) -> MarginVerdict:
    """Verdict on "not worse than the baseline by more than `margin`", from the interval (L, U) of the difference.

    | interval (positive is better) | verdict |
    | --- | --- |
    | L > -margin and U >= 0 | "pass" |
    | L > -margin and U < 0 | "worse_within_margin": surely worse, tolerably; the policy decides |
    | U < -margin | "fail": a material regression |
    | L <= -margin and U < 0 | "regressed": surely worse, size unclear; block by default |
    | otherwise | "inconclusive" |

    Args:
        difference: candidate minus baseline.
        margin: largest tolerable loss, at least 0, in the units of the metric; fixed before the run.
        higher_is_better: False for cost, latency, error rates.

    Raises:
        ValueError: a negative margin.

    >>> ci = Interval(value=-0.01, low=-0.018, high=-0.002, level=0.95, method="tango", n=4000)
    >>> margin_verdict(ci, 0.02), margin_verdict(ci, 0.01)
    ('worse_within_margin', 'regressed')
    """
    if not margin >= 0.0:
        raise ValueError(f"margin must be at least 0, got {margin}")
    d = difference if higher_is_better else difference.mapped(scale=-1.0)
    low = -math.inf if d.low is None else d.low
    high = math.inf if d.high is None else d.high
    if high < -margin:
        return "fail"
    if low > -margin:
        return "worse_within_margin" if high < 0.0 else "pass"
    return "regressed" if high < 0.0 else "inconclusive"


def superior(difference: Interval, *, higher_is_better: bool = True) -> bool:
    """Whether the whole interval of the difference is on the better side of 0.

    >>> superior(Interval(value=0.03, low=0.01, high=0.05, level=0.95, method="tango", n=900))
    True
    """
    if higher_is_better:
        return difference.low is not None and difference.low > 0.0
    return difference.high is not None and difference.high < 0.0


def cases_to_decide(interval: Interval, threshold: float) -> int | None:
    """How many more cases would settle on which side of `threshold` the metric lies, if the estimate stays.

    The end facing the threshold moves towards the estimate like 1/√n: n·(gap to that end / gap to the threshold)²
    in all. 0 when it is already settled; None when the estimate sits on the
    threshold (more than a billion cases would be needed) or there is no estimate.

    Args:
        interval: two-sided or one-sided interval of the metric or difference.
        threshold: the bound, or minus the margin.

    >>> cases_to_decide(Interval(value=0.90, low=0.84, high=0.95, level=0.95, method="wilson", n=100), 0.87)
    300
    """
    if interval.value is None or interval.value == threshold or interval.n == 0:
        return None
    facing = interval.low if interval.value > threshold else interval.high
    if facing is None:
        return None
    reach, gap = abs(interval.value - facing), abs(interval.value - threshold)
    if reach < gap:
        return 0
    needed = interval.n * (reach / gap) ** 2
    return None if needed > 1e9 else max(1, math.ceil(needed - 1e-6) - interval.n)


@dataclass(frozen=True, slots=True, kw_only=True)
class Equivalence:
    """Two one-sided tests of a mean difference.

    Attributes:
        equivalent: whether both tests reject at `alpha`.
        p_value: the larger of the two p-values.
        p_lower: p of H0 "difference <= low".
        p_upper: p of H0 "difference >= high".
        interval: the (1 - 2·alpha) interval; equivalent exactly when it lies inside (low, high).
    """

    equivalent: bool
    p_value: float
    p_lower: float
    p_upper: float
    interval: Interval


def tost(differences: npt.ArrayLike, low: float, high: float, *, alpha: float = 0.05) -> Equivalence:
    """Equivalence of two runs by two one-sided paired t-tests.

    Args:
        differences: candidate minus baseline per case, at least 2.
        low: largest tolerable loss, as a negative number.
        high: largest irrelevant gain.
        alpha: level of each one-sided test, in (0, 0.5).

    Raises:
        ValueError: fewer than 2 differences, low >= high, alpha out of range, NaN.

    Source: Schuirmann 1987; Lakens 2017.

    >>> tost([0.0, 0.01, -0.01, 0.005, -0.004], -0.03, 0.03).equivalent
    True
    """
    d = as_vector(differences, "differences")
    if len(d) < 2 or not low < high or not 0.0 < alpha < 0.5:
        raise ValueError(f"need 2 differences, low < high, alpha in (0, 0.5); got {len(d)}, {low}, {high}, {alpha}")
    ci = mean_t(d, level=1.0 - 2.0 * alpha)
    p_lower, p_upper = (_tail(ci, bound, sign) for bound, sign in ((low, 1.0), (high, -1.0)))
    p = max(p_lower, p_upper)
    return Equivalence(equivalent=p < alpha, p_value=p, p_lower=p_lower, p_upper=p_upper, interval=ci)


def _tail(ci: Interval, bound: float, sign: float) -> float:
    """P-value of the hypothesis that the mean lies on the far side of `bound` (sign +1: below it)."""
    gap = sign * ((ci.value or 0.0) - bound)
    if not ci.se:
        return 0.0 if gap > 0 else 1.0
    return t_cdf(-gap / ci.se, ci.df or 1.0)
