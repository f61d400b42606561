"""The release condition: rules, and the decision they lead to."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from evalwright.core.case import Json
from evalwright.core.estimate import Estimate


class Verdict(StrEnum):
    """What a gate or one of its rules says."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"


class Rule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of a gate. Exactly one of the bounds is set.

    Attributes:
        metric: Metric the rule looks at.
        at_least: The metric must not be below this.
        at_most: The metric must not be above this.
        versus: `baseline` for a paired rule against the baseline run.
        max_drop: How much worse than the baseline the metric may be (a non-inferiority margin, in its unit).
        min_gain: How much better than the baseline the metric must be.
        confidence: One-sided confidence the verdict must have.
        slice: Slice the rule looks at, e.g. `{"locale": "de"}`; None for all cases.
        statistic: `mean` by default, or `p50`, `p95`, `p99` for quantities.
        min_n: Fewer scored cases than this make the rule inconclusive.
        severity: `block` (decides the gate) or `warn` (shown, decides nothing).
        name: Name of the rule; made from its content when not given.
        line: Line in the policy or suite file, 0 when there is none.
    """

    metric: str
    at_least: float | None = None
    at_most: float | None = None
    versus: str | None = None
    max_drop: float | None = None
    min_gain: float | None = None
    confidence: float = 0.95
    slice: dict[str, Json] | None = None
    statistic: str = "mean"
    min_n: int = 0
    severity: str = "block"
    name: str = ""
    line: int = 0


class RuleFigure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The figure a rule looks at, with one-sided bounds at the rule's confidence.

    Attributes:
        estimate: The metric as reports show it (two-sided interval).
        low: Lower confidence bound: the metric is at least this, with the rule's confidence; None when unbounded.
        high: Upper confidence bound, likewise.
        method: How the bounds were made, e.g. `clopper-pearson`.
    """

    estimate: Estimate
    low: float | None = None
    high: float | None = None
    method: str = ""


class RuleResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one rule says, on which figure, and why.

    Attributes:
        rule: The rule.
        verdict: Pass, fail or inconclusive.
        estimate: The figure the rule looked at, None when there is none.
        bound: The one-sided confidence bound the verdict rests on.
        reason: The verdict in a sentence without statistics.
        cases_needed: How many cases in all would probably decide, when inconclusive and foreseeable.
    """

    rule: Rule
    verdict: Verdict
    estimate: Estimate | None = None
    bound: float | None = None
    reason: str = ""
    cases_needed: int | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The gate's verdict with everything it rests on.

    Attributes:
        verdict: Fail when a blocking rule fails, else inconclusive when one is, else pass.
        results: One per rule, in the policy's order.
        policy_hash: Content hash of the rules.
        reason: The decision in a sentence.
    """

    verdict: Verdict
    results: tuple[RuleResult, ...] = ()
    policy_hash: str = ""
    reason: str = ""
