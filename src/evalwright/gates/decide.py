"""Absolute rules: a bound the metric must keep, with a confidence. Pass, fail, or not enough evidence."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from evalwright.core.estimate import Estimate
from evalwright.core.gate import Decision, Rule, RuleFigure, RuleResult, Verdict
from evalwright.core.identity import short_hash

FigureOf = Callable[[Rule], RuleFigure | None]


def decide(rules: Sequence[Rule], figure_of: FigureOf) -> Decision | None:
    """The gate's decision on a run; None when there are no rules.

    A blocking rule that fails makes the gate fail; otherwise one without enough evidence makes it inconclusive.
    Rules of severity `warn` are judged and shown but decide nothing.
    """
    if not rules:
        return None
    results = tuple(judge_rule(rule, figure_of(rule)) for rule in rules)
    deciding = [r for r in results if r.rule.severity != "warn"]
    verdict = _overall([r.verdict for r in deciding])
    return Decision(verdict=verdict, results=results, policy_hash=short_hash(list(rules)), reason=_reason(deciding))


def _overall(verdicts: Sequence[Verdict]) -> Verdict:
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE if Verdict.INCONCLUSIVE in verdicts else Verdict.PASS


def _reason(results: Sequence[RuleResult]) -> str:
    failed = [r for r in results if r.verdict is Verdict.FAIL]
    open_ = [r for r in results if r.verdict is Verdict.INCONCLUSIVE]
    if failed:
        return failed[0].reason + _more(len(failed) - 1, "failed")
    if open_:
        return open_[0].reason + _more(len(open_) - 1, "undecided")
    return f"all {len(results)} rules hold" if len(results) != 1 else results[0].reason


def _more(count: int, what: str) -> str:
    return "" if not count else f" ({count} more rule{'s' if count > 1 else ''} {what})"


def rule_name(rule: Rule) -> str:
    """A rule in one line, e.g. `groundedness >= 0.9 in locale=de`."""
    if rule.name:
        return rule.name
    metric = rule.metric if rule.statistic == "mean" else f"{rule.statistic}({rule.metric})"
    where = "".join(f" in {name}={value}" for name, value in (rule.slice or {}).items())
    return f"{metric} {_condition(rule)}{where}"


def _condition(rule: Rule) -> str:
    if rule.at_least is not None:
        return f">= {rule.at_least:g}"
    if rule.at_most is not None:
        return f"<= {rule.at_most:g}"
    if rule.max_drop is not None:
        return f"no more than {rule.max_drop:g} worse than the baseline"
    return f"at least {rule.min_gain or 0:g} better than the baseline"


def judge_rule(rule: Rule, figure: RuleFigure | None) -> RuleResult:
    """One rule on its figure.

    With the rule's confidence c, it passes when the one-sided c bound of the metric keeps the threshold, fails when
    the bound on the other side breaks it, and is inconclusive in between or when there are fewer cases than `min_n`.
    """
    if figure is None or figure.estimate.value is None:
        estimate = figure.estimate if figure else None
        return RuleResult(rule=rule, verdict=Verdict.INCONCLUSIVE, estimate=estimate, reason=_nothing(rule, estimate))
    if rule.at_least is None and rule.at_most is None:
        return RuleResult(
            rule=rule,
            verdict=Verdict.INCONCLUSIVE,
            estimate=figure.estimate,
            reason=f"{rule_name(rule)}: there is no baseline run to compare with",
        )
    if figure.estimate.n < rule.min_n:
        return _too_few(rule, figure)
    return _absolute(rule, figure)


def _absolute(rule: Rule, figure: RuleFigure) -> RuleResult:
    floor = rule.at_least is not None
    threshold = rule.at_least if rule.at_least is not None else (rule.at_most or 0.0)
    near, far = (figure.low, figure.high) if floor else (figure.high, figure.low)
    keeps = near is not None and (near >= threshold if floor else near <= threshold)
    breaks = far is not None and (far < threshold if floor else far > threshold)
    if keeps:
        return _result(rule, figure, Verdict.PASS, near)
    if breaks:
        return _result(rule, figure, Verdict.FAIL, far)
    return _result(rule, figure, Verdict.INCONCLUSIVE, near, needed=_cases_needed(figure, threshold))


def _result(
    rule: Rule, figure: RuleFigure, verdict: Verdict, bound: float | None, *, needed: int | None = None
) -> RuleResult:
    return RuleResult(
        rule=rule,
        verdict=verdict,
        estimate=figure.estimate,
        bound=bound,
        reason=_sentence(rule, figure.estimate, verdict, bound, needed),
        cases_needed=needed,
    )


def _sentence(rule: Rule, estimate: Estimate, verdict: Verdict, bound: float | None, needed: int | None) -> str:
    seen = f"{rule_name(rule)}: measured {_number(estimate.value)} on {estimate.n} cases"
    sure = f"{rule.confidence:.0%} confidence"
    edge = "least" if rule.at_least is not None else "most"
    if verdict is Verdict.PASS:
        return f"{seen}; it is at {edge} {_number(bound)} with {sure}"
    if verdict is Verdict.FAIL:
        other = "most" if edge == "least" else "least"
        return f"{seen}; it is at {other} {_number(bound)} with {sure}"
    more = f"; about {needed:,} cases would decide" if needed else ""
    return f"{seen}: not enough evidence either way at {sure}{more}"


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.4g}"


def _nothing(rule: Rule, estimate: Estimate | None) -> str:
    if estimate is None:
        return f"{rule_name(rule)}: the run has no metric `{rule.metric}`"
    return f"{rule_name(rule)}: no case was scored ({estimate.skipped} skipped, {estimate.errors} errors)"


def _too_few(rule: Rule, figure: RuleFigure) -> RuleResult:
    estimate = figure.estimate
    return RuleResult(
        rule=rule,
        verdict=Verdict.INCONCLUSIVE,
        estimate=estimate,
        reason=f"{rule_name(rule)}: only {estimate.n} cases were scored; the rule asks for at least {rule.min_n}",
        cases_needed=rule.min_n,
    )


def _cases_needed(figure: RuleFigure, threshold: float) -> int | None:
    """Cases at which the interval, shrinking with 1/√n, would probably leave the threshold outside."""
    value = figure.estimate.value
    if value is None or value == threshold:
        return None
    side = figure.low if value > threshold else figure.high
    if side is None:
        return None
    ratio = (value - side) / (value - threshold)
    needed = math.ceil(figure.estimate.n * ratio * ratio)
    return max(needed, figure.estimate.n + 1) if needed < 10_000_000 else None
