"""Rules against the baseline run: not worse by more than a margin, better by at least a gain."""

from __future__ import annotations

from enum import StrEnum

from evalwright.core.comparison import PairedFigure
from evalwright.core.gate import Rule, RuleFigure, RuleResult, Verdict
from evalwright.gates.needed import cases_needed
from evalwright.gates.words import cases, number, sure, would_settle
from evalwright.stats import Interval, margin_verdict


class Standing(StrEnum):
    """What a paired figure says of "not worse by more than a margin"."""

    PASS = "pass"
    """Surely not worse by more than the margin."""
    WITHIN = "worse_within_margin"
    """Surely worse, and surely by no more than the margin."""
    REGRESSED = "regressed"
    """Surely worse; whether by more than the margin is not certain."""
    FAIL = "fail"
    """Surely worse by more than the margin."""
    OPEN = "inconclusive"
    """Nothing of this is certain."""


def standing(rule: Rule, paired: PairedFigure) -> Standing:
    """Where a paired figure stands between "no worse" and "too much worse", at the rule's confidence on each side.

    Source: `evalwright.stats.margin_verdict`.
    """
    interval = Interval(
        value=paired.gain, low=paired.least_gain, high=paired.most_gain, level=rule.confidence, method="", n=paired.n
    )
    return Standing(margin_verdict(interval, rule.max_drop or 0.0))


def judge_versus(rule: Rule, figure: RuleFigure, paired: PairedFigure) -> RuleResult:
    """A rule with `max_drop` or `min_gain` on the paired difference.

    | the true change is surely … | verdict |
    | --- | --- |
    | not worse by more than `max_drop` | pass; `within_margin` when it is surely worse, though by less |
    | worse by more than `max_drop` | fail |
    | worse, and by how much is not certain | `regressed` (fail by default) |
    | better by `min_gain` or more | pass |
    | not better by `min_gain` | fail |
    | none of these | inconclusive |
    """
    verdict, why = _drop(rule, paired) if rule.max_drop is not None else _gain(rule, paired)
    threshold = -rule.max_drop if rule.max_drop is not None else (rule.min_gain or 0.0)
    needed = None
    if verdict is Verdict.INCONCLUSIVE:
        needed = cases_needed(paired.n, paired.gain, (paired.least_gain, paired.most_gain), threshold)
        why += would_settle(needed)
    return RuleResult(
        rule=rule,
        verdict=verdict,
        estimate=figure.estimate,
        bound=paired.least_gain if verdict is not Verdict.FAIL else paired.most_gain,
        reason=f"{_seen(paired)}; {why}{_unpaired(paired)}",
        cases_needed=needed,
        paired=paired,
    )


def _drop(rule: Rule, paired: PairedFigure) -> tuple[Verdict, str]:
    where, unit = standing(rule, paired), paired.unit
    belief, margin = f"we can be {sure(rule.confidence)} that it is", number(rule.max_drop, unit)
    least, most = paired.least_gain, paired.most_gain
    if where is Standing.PASS:
        return Verdict.PASS, f"{belief} {_not_worse(least, unit)}"
    if where is Standing.WITHIN:
        why = f"{belief} worse, but only by {_size(most, least, unit)}, within the allowed {margin}"
        return rule.within_margin, why
    if where is Standing.REGRESSED:
        why = f"{belief} worse, by {_size(most, least, unit)}: perhaps more than the allowed {margin}"
        return rule.regressed, why
    if where is Standing.FAIL:
        return Verdict.FAIL, f"{belief} worse by at least {number(-(most or 0.0), unit)}"
    return Verdict.INCONCLUSIVE, f"these cases can't tell: {_change_range(least, most, unit)}"


def _gain(rule: Rule, paired: PairedFigure) -> tuple[Verdict, str]:
    wanted, unit = rule.min_gain or 0.0, paired.unit
    belief = f"we can be {sure(rule.confidence)} that it is"
    least, most = paired.least_gain, paired.most_gain
    if least is not None and (least >= wanted if wanted else least > 0.0):
        return Verdict.PASS, f"{belief} better by at least {number(least, unit)}"
    if most is not None and most < wanted:
        if most < 0.0:
            return Verdict.FAIL, f"{belief} worse by at least {number(-most, unit)}"
        return Verdict.FAIL, f"{belief} better by at most {number(most, unit)}"
    return Verdict.INCONCLUSIVE, f"these cases can't tell: {_change_range(least, most, unit)}"


def _seen(paired: PairedFigure) -> str:
    before, now = number(paired.baseline, paired.unit), number(paired.candidate, paired.unit)
    same = f"on the same {cases(paired.n)}"
    if not paired.difference:
        return f"{before} in the baseline and now {same}"
    moved = "dropped" if paired.difference < 0 else "rose"
    return f"{moved} by {number(abs(paired.difference), paired.unit)}, from {before} to {now} {same}"


def _not_worse(least: float | None, unit: str) -> str:
    if least is not None and least > 0.0:
        return f"better by at least {number(least, unit)}"
    return f"worse by no more than {number(-(least or 0.0), unit)}"


def _size(most: float | None, least: float | None, unit: str) -> str:
    low = number(-(most or 0.0), unit)
    return f"{low} or more" if least is None else f"{low} to {number(-least, unit)}"


def _change_range(least: float | None, most: float | None, unit: str) -> str:
    low = "any amount worse" if least is None else _signed(least, unit)
    high = "any amount better" if most is None else _signed(most, unit)
    return f"the truth lies between {low} and {high}"


def _signed(gain: float, unit: str) -> str:
    if gain == 0.0:
        return "no change"
    return f"{number(abs(gain), unit)} {'better' if gain > 0 else 'worse'}"


def _unpaired(paired: PairedFigure) -> str:
    left = paired.baseline_only + paired.candidate_only
    return f" ({cases(left)} scored in only one of the two runs left out)" if left else ""
