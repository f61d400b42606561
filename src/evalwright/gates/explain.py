"""A decision in plain words: for a terminal, a pull request, a meeting."""

from __future__ import annotations

import time
from collections.abc import Iterator

from evalwright.core.gate import DATASET_AGE, NEWLY_FAILING, Decision, Rule, RuleResult, Verdict
from evalwright.gates.record import DecisionRecord
from evalwright.gates.words import cases, number, rule_name

HEADLINES = {
    Verdict.PASS: "PASS: every rule that decides is met, with the certainty it asks for.",
    Verdict.FAIL: "FAIL: at least one rule is broken, and not by chance.",
    Verdict.INCONCLUSIVE: "INCONCLUSIVE: the cases that were run can't tell whether a rule is met.",
}

FOLLOWS = {
    Verdict.PASS: "The rule is met.",
    Verdict.FAIL: "The rule is broken.",
    Verdict.INCONCLUSIVE: "The rule can't be decided.",
}


def decision_lines(decision: Decision) -> list[str]:
    """The verdict, and each rule with its reason on the next line."""
    lines = [HEADLINES[decision.verdict]]
    for result in decision.results:
        lines += [f"  {_mark(result):14} {rule_name(result.rule)}", f"  {'':14} {result.reason}"]
    return lines + [f"note: {note}" for note in decision_notes(decision)]


def decision_notes(decision: Decision) -> list[str]:
    """What a reader of the verdict must know beside the rules."""
    notes = exceptions(decision)
    if decision.attempts > 1:
        notes.append(
            f"this is run {decision.attempts} of the same suite, target settings and data: where nothing was "
            "changed in between, trying again until it passes makes a pass worth less"
        )
    return notes


def exceptions(decision: Decision) -> list[str]:
    """What was set aside in a decision: waived rules, and cases in quarantine."""
    notes = []
    waived = sum(result.waived is not None for result in decision.results)
    if waived:
        notes.append(f"{waived} rule{'s are' if waived > 1 else ' is'} waived (evalwright waive list)")
    if decision.quarantined:
        are = "case is" if decision.quarantined == 1 else "cases are"
        notes.append(f"{decision.quarantined} {are} in quarantine and did not count (evalwright quarantine list)")
    return notes


def _mark(result: RuleResult) -> str:
    if result.waived is not None:
        return "waived"
    return f"{result.verdict}{' (warn)' if result.rule.severity == 'warn' else ''}"


def explanation(record: DecisionRecord) -> list[str]:
    """A recorded decision at length: each rule, what it asks, what was seen, what follows."""
    decision = record.decision
    decided = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(record.decided_at))
    lines = [HEADLINES[decision.verdict], "", f"Run {record.run_id} of the suite {record.suite}, decided {decided}."]
    if decision.baseline:
        lines.append(f"Compared with the baseline run {decision.baseline}, case by case.")
    lines.append(f"Rules: {record.policy or 'of the suite'}, version {decision.policy_hash}.")
    for place, result in enumerate(decision.results, start=1):
        lines += ["", f"{place}. {rule_name(result.rule)}", *(f"   {line}" for line in _rule_lines(result))]
    notes = decision_notes(decision)
    return [*lines, "", *(f"Note: {note}." for note in notes)] if notes else lines


def _rule_lines(result: RuleResult) -> Iterator[str]:
    yield f"Asks: {asks(result.rule)}."
    yield f"Seen: {result.reason}."
    if result.estimate is not None and (result.estimate.skipped or result.estimate.errors):
        estimate = result.estimate
        yield f"Left out: {estimate.skipped} skipped, {estimate.errors} errors; they are not counted as wrong."
    yield f"{FOLLOWS[result.verdict]}{_consequence(result)}"


def _consequence(result: RuleResult) -> str:
    if result.waived is not None:
        return f" A waiver ({result.waived}) sets it aside."
    if result.rule.severity == "warn":
        return " It is only a warning and decides nothing."
    if result.verdict is Verdict.INCONCLUSIVE and result.cases_needed:
        return f" About {cases(result.cases_needed)} in all would probably decide it."
    return ""


def asks(rule: Rule) -> str:
    """What a rule demands, in a sentence."""
    where = "".join(f", among the cases with {name} {value}" for name, value in (rule.slice or {}).items())
    least = f", on {cases(rule.min_n)} or more" if rule.min_n else ""
    if rule.metric == NEWLY_FAILING:
        allowed = rule.at_most or 0
        what = "no case that counts" if not allowed else f"at most {cases(int(allowed))}"
        return f"{what} may fail now that passed in the baseline run{where}{least}"
    if rule.metric == DATASET_AGE:
        return f"the version of the golden set must not be older than {(rule.at_most or 0.0) / 86_400:g} days"
    if rule.calibrated is not None:
        return f"the scorer of {rule.metric} must have been measured against people's labels (evalwright calibrate)"
    what = rule.metric if rule.statistic == "mean" else f"{rule.statistic} of {rule.metric}"
    risk = number(100 * (1 - rule.confidence))
    return f"{what} must be {_bound(rule)}{where}{least}, with a risk of error of at most {risk} %"


def _bound(rule: Rule) -> str:
    if rule.at_least is not None:
        return f"{number(rule.at_least)} or more"
    if rule.at_most is not None:
        return f"{number(rule.at_most)} or less"
    if rule.max_drop is not None:
        return f"no more than {number(rule.max_drop)} worse than in the baseline run"
    return f"better than in the baseline run{f' by {number(rule.min_gain)} or more' if rule.min_gain else ''}"
