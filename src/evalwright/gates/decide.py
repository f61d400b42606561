"""The gate: each rule on its figure, then the whole. Pass, fail, or not enough evidence."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from evalwright.core.gate import (
    DATASET_AGE,
    NEWLY_FAILING,
    Decision,
    NewlyFailing,
    Rule,
    RuleFigure,
    RuleResult,
    Verdict,
)
from evalwright.core.identity import short_hash
from evalwright.gates.absolute import judge_bound
from evalwright.gates.calibrated import judge_age, judge_calibrated
from evalwright.gates.versus import judge_versus
from evalwright.gates.words import cases, rule_name

FigureOf = Callable[[Rule], RuleFigure | None]
"""From a rule to the figure it looks at; None when the run has no such metric."""


def decide(rules: Sequence[Rule], figure_of: FigureOf) -> Decision | None:
    """The gate's decision on a run; None when there are no rules.

    A blocking rule that fails makes the gate fail; otherwise one without enough evidence makes it inconclusive.
    Rules of severity `warn` are judged and shown but decide nothing.
    """
    if not rules:
        return None
    return conclude(tuple(judge_rule(rule, figure_of(rule)) for rule in rules))


def conclude(results: tuple[RuleResult, ...]) -> Decision:
    """The decision that follows from the rules' verdicts; a rule that was waived decides nothing."""
    deciding = [r for r in results if r.rule.severity != "warn" and r.waived is None]
    return Decision(
        verdict=_overall([r.verdict for r in deciding]),
        results=results,
        policy_hash=policy_hash([r.rule for r in results]),
        reason=_reason(results, deciding),
    )


def policy_hash(rules: Sequence[Rule]) -> str:
    """Content hash of rules; where they stand in their file does not matter."""
    return short_hash([msgspec.structs.replace(rule, line=0) for rule in rules])


def _overall(verdicts: Sequence[Verdict]) -> Verdict:
    if Verdict.FAIL in verdicts:
        return Verdict.FAIL
    return Verdict.INCONCLUSIVE if Verdict.INCONCLUSIVE in verdicts else Verdict.PASS


def _reason(results: Sequence[RuleResult], deciding: Sequence[RuleResult]) -> str:
    for verdict, what in ((Verdict.FAIL, "failed"), (Verdict.INCONCLUSIVE, "undecided")):
        found = [r for r in deciding if r.verdict is verdict]
        if found:
            return f"{rule_name(found[0].rule)}: {found[0].reason}{_more(len(found) - 1, what)}"
    waived = sum(r.waived is not None for r in results)
    beside = f", {waived} waived" if waived else ""
    if len(deciding) == 1:
        return f"{rule_name(deciding[0].rule)}: {deciding[0].reason}{beside}"
    return f"all {len(deciding)} rules hold{beside}" if deciding else f"no rule decides{beside}"


def _more(count: int, what: str) -> str:
    return "" if not count else f" ({count} more rule{'s' if count > 1 else ''} {what})"


def judge_rule(rule: Rule, figure: RuleFigure | None) -> RuleResult:
    """One rule on its figure; without a figure, or with fewer cases than `min_n`, it is inconclusive."""
    if figure is None:
        return _open(rule, None, f"the run has no metric `{rule.metric}`")
    if rule.metric == DATASET_AGE:
        return judge_age(rule, figure)
    if rule.calibrated is not None:
        return judge_calibrated(rule, figure)
    if figure.missing:
        return _open(rule, figure, figure.missing)
    if rule.metric == NEWLY_FAILING:
        return _newly(rule, figure)
    if rule.max_drop is not None or rule.min_gain is not None:
        return _versus(rule, figure)
    estimate = figure.estimate
    if estimate.value is None:
        return _open(rule, figure, f"no case was scored ({estimate.skipped} skipped, {estimate.errors} errors)")
    if estimate.n < rule.min_n:
        return _too_few(rule, figure, estimate.n)
    return judge_bound(rule, figure)


def _versus(rule: Rule, figure: RuleFigure) -> RuleResult:
    paired = figure.paired
    if paired is None:
        return _open(rule, figure, NO_BASELINE)
    if paired.gain is None:
        return _open(rule, figure, "no case was scored in both runs")
    if paired.n < rule.min_n:
        return _too_few(rule, figure, paired.n)
    return judge_versus(rule, figure, paired)


NO_BASELINE = "there is no baseline run to compare with (--baseline RUN, or `evalwright baseline set RUN`)"


def _newly(rule: Rule, figure: RuleFigure) -> RuleResult:
    newly = figure.newly
    if newly is None:
        return _open(rule, figure, NO_BASELINE)
    if not newly.pairs:
        return _open(rule, figure, "no case that counts here passed in the baseline run")
    if newly.pairs < rule.min_n:
        return _too_few(rule, figure, newly.pairs)
    allowed = rule.at_most or 0.0
    verdict = Verdict.PASS if newly.count <= allowed else Verdict.FAIL
    fail = "now fails" if newly.count == 1 else "now fail"
    reason = f"{newly.count or 'none'} of {cases(newly.pairs)} that passed in the baseline run {fail}{_named(newly)}"
    return RuleResult(
        rule=rule, verdict=verdict, estimate=figure.estimate, bound=float(newly.count), reason=reason, newly=newly
    )


def _named(newly: NewlyFailing) -> str:
    left = newly.count - len(newly.cases)
    rest = f" and {left} more" if left else ""
    return f": {', '.join(newly.cases)}{rest}" if newly.cases else ""


def _open(rule: Rule, figure: RuleFigure | None, reason: str) -> RuleResult:
    estimate = figure.estimate if figure else None
    return RuleResult(rule=rule, verdict=Verdict.INCONCLUSIVE, estimate=estimate, reason=reason)


def _too_few(rule: Rule, figure: RuleFigure, n: int) -> RuleResult:
    return RuleResult(
        rule=rule,
        verdict=Verdict.INCONCLUSIVE,
        estimate=figure.estimate,
        reason=f"only {cases(n)} were scored; the rule asks for at least {rule.min_n}",
        cases_needed=rule.min_n,
        paired=figure.paired,
    )
