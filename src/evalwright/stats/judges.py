"""How well a judge agrees with people, and what its errors do to a measured pass rate."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from evalwright.stats._arrays import check_count, check_level
from evalwright.stats._dist import z_two_sided
from evalwright.stats.paired_binary import PairedCounts, mcnemar_exact
from evalwright.stats.proportions import wilson
from evalwright.stats.records import Interval

MIN_YOUDEN = 0.1
"""Below this sensitivity + specificity - 1 a judge is close to guessing and Rogan-Gladen is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeConfusion:
    """A judge's binary verdicts against human labels.

    Attributes:
        tp: both positive.
        fn: person positive, judge negative.
        fp: person negative, judge positive.
        tn: both negative.
    """

    tp: int
    fn: int
    fp: int
    tn: int

    def __post_init__(self) -> None:
        if min(self.tp, self.fn, self.fp, self.tn) < 0:
            raise ValueError("counts must not be negative")

    @property
    def n(self) -> int:
        """Labelled cases."""
        return self.tp + self.fn + self.fp + self.tn

    def sensitivity(self, *, level: float = 0.95) -> Interval:
        """Share of truly positive cases the judge calls positive, with Wilson's interval."""
        return wilson(self.tp, self.tp + self.fn, level=level)

    def specificity(self, *, level: float = 0.95) -> Interval:
        """Share of truly negative cases the judge calls negative, with Wilson's interval."""
        return wilson(self.tn, self.tn + self.fp, level=level)

    def accuracy(self, *, level: float = 0.95) -> Interval:
        """Share of verdicts that agree with the person, with Wilson's interval."""
        return wilson(self.tp + self.tn, self.n, level=level)

    @property
    def positive_predictive(self) -> float | None:
        """Share of positive verdicts that are right; None without positive verdicts."""
        return self.tp / (self.tp + self.fp) if self.tp + self.fp else None

    @property
    def negative_predictive(self) -> float | None:
        """Share of negative verdicts that are right; None without negative verdicts."""
        return self.tn / (self.tn + self.fn) if self.tn + self.fn else None

    @property
    def youden(self) -> float | None:
        """Sensitivity + specificity - 1: 0 is guessing, 1 is perfect; None without both kinds of cases."""
        if self.tp + self.fn == 0 or self.tn + self.fp == 0:
            return None
        return self.tp / (self.tp + self.fn) + self.tn / (self.tn + self.fp) - 1.0

    @property
    def bias(self) -> float | None:
        """(fp - fn)/n: how much the judge's rate exceeds the people's; None without cases."""
        return (self.fp - self.fn) / self.n if self.n else None

    @property
    def mcc(self) -> float | None:
        """Matthews correlation, -1 to 1; None when either side used one verdict only."""
        tp, fn, fp, tn = self.tp, self.fn, self.fp, self.tn
        product = (tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)
        return (tp * tn - fp * fn) / math.sqrt(product) if product else None

    @property
    def kappa(self) -> float | None:
        """Cohen's kappa; None when chance agreement is complete."""
        n = self.n
        if n == 0:
            return None
        said, true = (self.tp + self.fp) / n, (self.tp + self.fn) / n
        expected = said * true + (1.0 - said) * (1.0 - true)
        return None if expected >= 1.0 else ((self.tp + self.tn) / n - expected) / (1.0 - expected)


def rogan_gladen(positives: int, n: int, *, sensitivity: float, specificity: float, level: float = 0.95) -> Interval:
    """True rate from a judge's rate with *known* sensitivity and specificity: (ap + sp - 1)/(se + sp - 1).

    Wilson's ends are mapped the same way and cut at 0 and 1.

    Args:
        positives: cases the judge called positive.
        n: judged cases, at least 1.
        sensitivity: known, in [0, 1].
        specificity: known, in [0, 1].
        level: confidence level between 0 and 1.

    Raises:
        ValueError: a judge close to guessing (Youden below 0.1), or counts out of range.

    Source: Rogan & Gladen 1978, Am J Epidemiol 107:71.

    >>> ci = rogan_gladen(4, 80, sensitivity=0.9, specificity=0.99)
    >>> round(ci.value, 6), round(ci.low, 6), round(ci.high, 6)
    (0.044944, 0.010802, 0.125419)
    """
    x, total = check_count(positives, n)
    youden = _youden(sensitivity, specificity)
    apparent = wilson(x, total, level=level)
    if apparent.value is None:
        return apparent
    scale, offset = 1.0 / youden, (specificity - 1.0) / youden
    mapped = apparent.mapped(scale=scale, offset=offset)
    return _cut(mapped, "rogan_gladen")


def _youden(sensitivity: float, specificity: float) -> float:
    youden = sensitivity + specificity - 1.0
    if youden < MIN_YOUDEN:
        raise ValueError(
            f"sensitivity + specificity - 1 = {youden:.3f} is below {MIN_YOUDEN}: this judge is close to guessing, "
            "no correction can help; label cases by hand"
        )
    return youden


def _cut(ci: Interval, method: str) -> Interval:
    ends = [None if x is None else min(1.0, max(0.0, x)) for x in (ci.value, ci.low, ci.high)]
    outside = ci.value is not None and ends[0] != ci.value
    return Interval(
        value=ends[0], low=ends[1], high=ends[2], level=ci.level, method=method, n=ci.n, se=ci.se, notes=ci.notes
    ).noted(*(("outside",) if outside else ()))


def rogan_gladen_estimated(
    positives: int,
    n: int,
    calibration: JudgeConfusion,
    *,
    method: Literal["lang_reiczigel", "delta"] = "lang_reiczigel",
    level: float = 0.95,
) -> Interval:
    """Rogan-Gladen with sensitivity and specificity from a calibration set.

    "lang_reiczigel" adds one success and one failure to each calibration rate, z²/2 to each side of the judged
    rate, and shifts the centre; it stays in [0, 1]. "delta" is the plain error propagation and may leave it. Use
    either only when the labelled cases are *not* from the judged population; otherwise `ppi_mean` or
    `post_stratified_judge` need far fewer labels.

    Args:
        positives: cases the judge called positive.
        n: judged cases, at least 1.
        calibration: the judge against labels elsewhere.
        method: which interval.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: a judge close to guessing, no positive or no negative calibration case, counts out of range.

    Source: Lang & Reiczigel 2014, Prev Vet Med 113:13; Lee et al. 2025, arXiv 2511.21140.

    >>> ci = rogan_gladen_estimated(1640, 2000, JudgeConfusion(tp=84, fn=16, fp=12, tn=88))
    >>> round(ci.value, 4), round(ci.low, 4), ci.high
    (0.9722, 0.8871, 1.0)
    """
    x, total = check_count(positives, n)
    pos, neg = calibration.tp + calibration.fn, calibration.tn + calibration.fp
    if total == 0 or pos == 0 or neg == 0:
        raise ValueError(f"need judged cases and calibration cases of both kinds, got {total}, {pos} and {neg}")
    check_level(level)
    se, sp, ap = calibration.tp / pos, calibration.tn / neg, x / total
    youden = _youden(se, sp)
    value = (ap + sp - 1.0) / youden
    rates = (ap, se, sp), (total, pos, neg)
    spread, centre = (_delta(rates, value), value) if method == "delta" else _lang_reiczigel(rates, level)
    half = z_two_sided(level) * spread
    result = Interval(
        value=value, low=centre - half, high=centre + half, level=level, method=f"rogan_gladen_{method}", n=total,
        se=spread,
    )  # fmt: skip
    return result if method == "delta" else _cut(result, result.method)


_Rates = tuple[tuple[float, float, float], tuple[int, int, int]]


def _delta(rates: _Rates, value: float) -> float:
    (ap, se, sp), (n, pos, neg) = rates
    youden = se + sp - 1.0
    variance = ap * (1 - ap) / n + se * (1 - se) / pos * value**2 + sp * (1 - sp) / neg * (1 - value) ** 2
    return math.sqrt(variance) / youden


def _lang_reiczigel(rates: _Rates, level: float) -> tuple[float, float]:
    (ap, se, sp), (n, pos, neg) = rates
    z = z_two_sided(level)
    se_adj, sp_adj = (pos * se + 1.0) / (pos + 2.0), (neg * sp + 1.0) / (neg + 2.0)
    n_adj = n + z * z
    ap_adj = (n * ap + z * z / 2.0) / n_adj
    youden = se_adj + sp_adj - 1.0
    p = (ap_adj + sp_adj - 1.0) / youden
    of_se, of_sp = se_adj * (1 - se_adj) / (pos + 2.0), sp_adj * (1 - sp_adj) / (neg + 2.0)
    shift = 2.0 * z * z * (p * of_se - (1.0 - p) * of_sp)
    variance = ap_adj * (1 - ap_adj) / n_adj + of_se * p**2 + of_sp * (1.0 - p) ** 2
    return math.sqrt(variance) / youden, p + shift


Verdict = Literal["first", "second", "tie"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapConsistency:
    """A pairwise judge asked twice with the order of answers swapped.

    Attributes:
        consistent: share of pairs where both verdicts name the same answer (or both a tie), with Wilson's interval.
        both_first: pairs where it preferred whatever came first.
        both_second: pairs where it preferred whatever came second.
        first_share: among those, the share of "first", with Wilson's interval.
        p_value: sign test that position does not matter.
        conflict: share of pairs decided by position alone.
    """

    consistent: Interval
    both_first: int
    both_second: int
    first_share: Interval
    p_value: float
    conflict: float


def swap_consistency(counts: Mapping[tuple[Verdict, Verdict], int], *, level: float = 0.95) -> SwapConsistency:
    """Position bias from pairs of verdicts (original order, swapped order).

    Args:
        counts: how often each pair of verdicts occurred, by position shown. Verdicts that could not be read are
            outcomes too: count them apart, do not drop them silently.
        level: confidence level between 0 and 1.

    Raises:
        ValueError: no pairs.

    >>> r = swap_consistency({("first", "second"): 60, ("first", "first"): 30, ("second", "second"): 10})
    >>> r.consistent.value, r.first_share.value
    (0.6, 0.75)
    """
    n = sum(counts.values())
    if n == 0:
        raise ValueError("no pairs of verdicts")
    same = sum(counts.get(pair, 0) for pair in _SAME)
    first, second = counts.get(("first", "first"), 0), counts.get(("second", "second"), 0)
    test = mcnemar_exact(PairedCounts(both=0, gained=first, lost=second, neither=0))
    return SwapConsistency(
        consistent=wilson(same, n, level=level), both_first=first, both_second=second,
        first_share=wilson(first, first + second, level=level), p_value=test.p_value, conflict=(first + second) / n,
    )  # fmt: skip


_SAME: tuple[tuple[Verdict, Verdict], ...] = (("first", "second"), ("second", "first"), ("tie", "tie"))
