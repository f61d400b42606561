"""Rules with a bound of their own: the metric must keep it, with a confidence."""

from __future__ import annotations

from evalwright.core.gate import Rule, RuleFigure, RuleResult, Verdict
from evalwright.gates.needed import cases_needed
from evalwright.gates.words import cases, number, sure, would_settle


def judge_bound(rule: Rule, figure: RuleFigure) -> RuleResult:
    """A rule with `at_least` or `at_most` on its figure.

    With the rule's confidence c it passes when the one-sided c bound of the metric keeps the threshold, fails when the
    bound on the other side breaks it, and is inconclusive in between.
    """
    floor = rule.at_least is not None
    threshold = rule.at_least if rule.at_least is not None else (rule.at_most or 0.0)
    near, far = (figure.low, figure.high) if floor else (figure.high, figure.low)
    if near is not None and (near >= threshold if floor else near <= threshold):
        return _result(rule, figure, Verdict.PASS, near)
    if far is not None and (far < threshold if floor else far > threshold):
        return _result(rule, figure, Verdict.FAIL, far)
    return _result(rule, figure, Verdict.INCONCLUSIVE, near)


def _result(rule: Rule, figure: RuleFigure, verdict: Verdict, bound: float | None) -> RuleResult:
    needed = _needed(rule, figure) if verdict is Verdict.INCONCLUSIVE else None
    return RuleResult(
        rule=rule,
        verdict=verdict,
        estimate=figure.estimate,
        bound=bound,
        reason=_reason(rule, figure, verdict, bound, needed),
        cases_needed=needed,
    )


def _needed(rule: Rule, figure: RuleFigure) -> int | None:
    threshold = rule.at_least if rule.at_least is not None else (rule.at_most or 0.0)
    return cases_needed(figure.estimate.n, figure.estimate.value, (figure.low, figure.high), threshold)


def _reason(rule: Rule, figure: RuleFigure, verdict: Verdict, bound: float | None, needed: int | None) -> str:
    estimate = figure.estimate
    unit = estimate.unit
    seen = f"measured {number(estimate.value, unit)} on {cases(estimate.n)}"
    if verdict is Verdict.INCONCLUSIVE:
        return f"{seen}, which is not enough evidence either way: {_range(figure, unit)}{would_settle(needed)}"
    at_least = (rule.at_least is not None) is (verdict is Verdict.PASS)
    edge = "at least" if at_least else "at most"
    return f"{seen}; we can be {sure(rule.confidence)} that the true value is {edge} {number(bound, unit)}"


def _range(figure: RuleFigure, unit: str) -> str:
    low, high = figure.low, figure.high
    if low is None and high is None:
        return "the true value could be anything"
    if low is None:
        return f"the true value could be anything up to {number(high, unit)}"
    if high is None:
        return f"the true value could be anything from {number(low, unit)} up"
    return f"the true value could be anywhere from {number(low, unit)} to {number(high, unit)}"
