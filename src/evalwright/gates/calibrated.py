"""Rules on what a run rests on: a judge measured against people's labels, a golden set that is not too old."""

from __future__ import annotations

from evalwright.core.gate import Rule, RuleFigure, RuleResult, Verdict
from evalwright.gates.words import cases, number

DAY_S = 86_400.0


def judge_calibrated(rule: Rule, figure: RuleFigure) -> RuleResult:
    """A rule with `calibrated` on the card of the metric's judge.

    It fails without a card for exactly this judge, or with one that is too old or whose figure is surely too low; it
    is inconclusive when the labels can't tell whether the figure is high enough.
    """
    verdict, reason = _verdict(rule, figure)
    return RuleResult(rule=rule, verdict=verdict, estimate=figure.estimate, bound=figure.low, reason=reason)


def _verdict(rule: Rule, figure: RuleFigure) -> tuple[Verdict, str]:
    wanted = rule.calibrated or {}
    if figure.missing:
        return Verdict.FAIL, figure.missing
    age, oldest = figure.age_s or 0.0, _float(wanted.get("max_age_s"))
    if oldest is not None and age > oldest:
        days = f"{age / DAY_S:.0f} days ago"
        return Verdict.FAIL, f"it was measured {days}, more than the {oldest / DAY_S:.0f} days that are allowed"
    least = _float(wanted.get("at_least"))
    seen = f"its {figure.estimate.metric} with people is {number(figure.estimate.value)} on {cases(figure.estimate.n)}"
    if least is None:
        return Verdict.PASS, seen
    if figure.low is not None and figure.low >= least:
        return Verdict.PASS, f"{seen}, surely at least {number(figure.low)}"
    if figure.high is not None and figure.high < least:
        return Verdict.FAIL, f"{seen}, surely at most {number(figure.high)}"
    return Verdict.INCONCLUSIVE, (
        f"{seen}, but could truly be from {number(figure.low)} to {number(figure.high)}: more labels would settle it"
    )


def judge_age(rule: Rule, figure: RuleFigure) -> RuleResult:
    """A rule on the age of the golden set's version: known without doubt, so met or broken, or not known at all."""
    age = figure.age_s
    if age is None:
        return RuleResult(rule=rule, verdict=Verdict.INCONCLUSIVE, estimate=figure.estimate, reason=figure.missing)
    met = age <= (rule.at_most or 0.0)
    return RuleResult(
        rule=rule,
        verdict=Verdict.PASS if met else Verdict.FAIL,
        estimate=figure.estimate,
        bound=age,
        reason=f"the version of the golden set is {age / DAY_S:.1f} days old",
    )


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None
