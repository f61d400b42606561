"""The release condition: rules, and the decision they lead to."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from evalwright.core.case import Json
from evalwright.core.comparison import PairedFigure
from evalwright.core.estimate import Estimate

NEWLY_FAILING = "newly_failing"
"""Name of the metric of rules that count cases which passed in the baseline run and fail now."""


DATASET_AGE = "dataset_age"
"""Name of the metric of rules on the seconds since the golden set's version was made."""


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
        newly_failing: For rules on cases that passed in the baseline run and fail now (metric `newly_failing`): which
            cases and scorers count, `{"severity": "block", "tags": ["critical"]}`; empty for all of them.
        calibrated: For rules on the judge behind the metric instead of its figure: what its card must show,
            `{"figure": "kappa", "at_least": 0.6, "max_age_s": 7776000}`.
        within_margin: Verdict when the metric is surely worse than the baseline's, surely by no more than `max_drop`.
        regressed: Verdict when it is surely worse, and whether by more than `max_drop` is not certain.
        waivable: Whether a waiver may set the rule aside.
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
    newly_failing: dict[str, Json] | None = None
    calibrated: dict[str, Json] | None = None
    within_margin: Verdict = Verdict.PASS
    regressed: Verdict = Verdict.FAIL
    waivable: bool = True
    name: str = ""
    line: int = 0


class NewlyFailing(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Cases that passed in the baseline run and fail now.

    Attributes:
        count: How many.
        pairs: Cases of both runs that passed in the baseline run.
        cases: Ids of the first of them.
    """

    count: int
    pairs: int
    cases: tuple[str, ...] = ()


class RuleFigure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The figure a rule looks at, with one-sided bounds at the rule's confidence.

    Attributes:
        estimate: The metric as reports show it (two-sided interval).
        low: Lower confidence bound: the metric is at least this, with the rule's confidence; None when unbounded.
        high: Upper confidence bound, likewise.
        method: How the bounds were made, e.g. `clopper-pearson`.
        paired: The difference from the baseline run, for rules that compare with it.
        newly: The count, for rules on newly failing cases.
        age_s: Seconds since the card of a judge was made, for rules on its calibration.
        missing: Why a figure that the rule needs is not there, in a sentence.
    """

    estimate: Estimate
    low: float | None = None
    high: float | None = None
    method: str = ""
    paired: PairedFigure | None = None
    newly: NewlyFailing | None = None
    age_s: float | None = None
    missing: str = ""


class RuleResult(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What one rule says, on which figure, and why.

    Attributes:
        rule: The rule.
        verdict: Pass, fail or inconclusive.
        estimate: The figure the rule looked at, None when there is none.
        bound: The one-sided confidence bound the verdict rests on.
        reason: Why, in a sentence that needs no statistics to be read; the rule's own words are not repeated in it.
        cases_needed: How many cases in all would probably decide, when inconclusive and foreseeable.
        paired: The difference from the baseline run, for rules that compare with it.
        newly: The count, for rules on newly failing cases.
        waived: Id of the waiver that set the rule aside, None when there is none.
    """

    rule: Rule
    verdict: Verdict
    estimate: Estimate | None = None
    bound: float | None = None
    reason: str = ""
    cases_needed: int | None = None
    paired: PairedFigure | None = None
    newly: NewlyFailing | None = None
    waived: str | None = None


class Decision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The gate's verdict with everything it rests on.

    Attributes:
        verdict: Fail when a blocking rule fails, else inconclusive when one is, else pass.
        results: One per rule, in the policy's order.
        policy_hash: Content hash of the rules.
        reason: The decision in a sentence.
        baseline: Id of the baseline run, None when there was none.
        quarantined: Cases that were run and shown but did not count.
        attempts: How many runs of this suite, target and data were decided, this one included; 0 when not counted.
    """

    verdict: Verdict
    results: tuple[RuleResult, ...] = ()
    policy_hash: str = ""
    reason: str = ""
    baseline: str | None = None
    quarantined: int = 0
    attempts: int = 0
