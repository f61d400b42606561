"""Stopping early: when a run is looked at, and what the looks have decided."""

from __future__ import annotations

import math
from collections.abc import Sequence
from enum import StrEnum

import msgspec

from evalwright.core.gate import Rule, RuleResult, Verdict
from evalwright.gates.decide import policy_hash
from evalwright.stats import asymptotic_cs_half_width, sequential_plan

FILE = "stopping.json"
"""Name of the record in a run's folder."""

SUREST = 1.0 - 1e-9
"""No bound is asked to be surer than this; the first of many looks would be."""

FIRST, STEP = 0.1, 0.02
"""Shares of all the units: the first look worth taking, and what each further one must add."""

LEAST = 20
"""No look is taken at fewer units."""


class Method(StrEnum):
    """How a growing run is judged so that the error rate holds over all looks."""

    LOOKS = "looks"
    """A few planned looks with stricter bounds the earlier they are (Lan-DeMets, O'Brien-Fleming type)."""
    ALWAYS = "always"
    """Asymptotic confidence sequences, valid however often one looks."""
    SUITE = "suite"
    """The suite itself is what counts, not the questions it stands for: exact sampling without replacement."""


LOOKS_OF = {Method.LOOKS: 4, Method.SUITE: 8, Method.ALWAYS: 50}
"""Looks that are planned at most."""


class RuleWatch(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One rule as the looks have found it.

    Attributes:
        rule_hash: Hash of the rule.
        result: What the last look, or the look that decided, says.
        decided_at: Units looked at when it was decided; None while it is open.
        error: Chance, over all looks together, that the verdict is wrong.
    """

    rule_hash: str
    error: float
    result: RuleResult | None = None
    decided_at: int | None = None

    @property
    def open(self) -> bool:
        """Whether another look may still decide it."""
        return self.decided_at is None


class StoppingRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The looks at a run: those planned, those taken, and what they decided.

    Attributes:
        method: How it was judged.
        units: Units the whole run has.
        planned: Units at each planned look, increasing; the last is `units`.
        taken: How many looks were taken.
        watches: One per watched rule.
        stopped: Whether every rule was decided before the end.
        basis: What the looks were judged on beside the run (baseline, cases in quarantine), as a hash: on another basis
            their results don't hold.
        level: Level of the intervals that hold over the looks.
        look_level: Level at which an interval must be computed now to hold at `level` over the looks.
    """

    method: Method
    units: int
    planned: tuple[int, ...]
    taken: int = 0
    watches: tuple[RuleWatch, ...] = ()
    stopped: bool = False
    basis: str = ""
    level: float = 0.95
    look_level: float = 0.95

    @property
    def seen(self) -> int:
        """Units of the last look."""
        return self.planned[self.taken - 1] if self.taken else 0

    def result(self, rule: Rule) -> RuleResult | None:
        """What the looks say of a rule; None when it was not watched, or no look was taken."""
        wanted = rule_hash(rule)
        return next((watch.result for watch in self.watches if watch.rule_hash == wanted), None)


def rule_hash(rule: Rule) -> str:
    """Hash of one rule, whatever its line."""
    return policy_hash([rule])


def planned_looks(method: Method, units: int) -> tuple[int, ...]:
    """Units at each look: evenly spaced, not before `LEAST`, the last at the end.

    >>> planned_looks(Method.LOOKS, 400), planned_looks(Method.LOOKS, 50)
    ((100, 200, 300, 400), (25, 50))
    """
    count = max(1, min(LOOKS_OF[method], units // LEAST))
    if method is Method.ALWAYS:
        step = max(5, -(-units // LOOKS_OF[method]))
        return (*range(LEAST, units, step), units) if units > LEAST else (units,)
    return tuple(-(-units * (k + 1) // count) for k in range(count))


def look_confidence(method: Method, counts: Sequence[int], look: int, confidence: float) -> float | None:
    """One-sided confidence that a bound at one look must have, for all looks together to have `confidence`.

    Args:
        method: Planned looks (also for `SUITE`), or a confidence sequence.
        counts: Units that bear on the rule at each planned look, not decreasing.
        look: Which look, from 0.
        confidence: What the rule asks for.

    Returns:
        The confidence; None when too little is known for a look, or too little new since the one before.

    Source: Lan & DeMets 1983 for looks; Waudby-Smith et al. 2024 (asymptotic confidence sequences) otherwise.

    >>> [round(look_confidence(Method.LOOKS, [100, 200, 300, 400], k, 0.95), 4) for k in range(4)]
    [0.9999, 0.9945, 0.9781, 0.9573]
    """
    if not counts[look]:
        return None
    if method is Method.ALWAYS:
        return _running_confidence(counts[look], counts[-1], confidence)
    steps = _steps(tuple(counts))
    if counts[look] not in steps or (look and counts[look] == counts[look - 1]):
        return None
    plan = sequential_plan([step / steps[-1] for step in steps], alpha=round(1.0 - confidence, 12))
    return min(0.5 + plan.look_level(steps.index(counts[look])) / 2.0, SUREST)


def _running_confidence(units: int, total: int, confidence: float) -> float:
    """Confidence of the normal bound that is as wide as the confidence sequence after so many units."""
    half = asymptotic_cs_half_width(1.0, units, best_at=max(1, total // 2), alpha=2.0 * (1.0 - confidence))
    return min(0.5 + 0.5 * math.erf(half * math.sqrt(units / 2.0)), SUREST)


def _steps(counts: tuple[int, ...]) -> list[int]:
    """The looks worth taking: from a share of `FIRST` on, each with `STEP` more than the one before, and the last."""
    kept: list[int] = []
    for count in counts:
        before = kept[-1] if kept else 0
        if count >= FIRST * counts[-1] and count - before >= STEP * counts[-1]:
            kept.append(count)
    return kept if kept[-1] == counts[-1] else [*kept[:-1], counts[-1]]


def watched(watch: RuleWatch, result: RuleResult, units: int) -> RuleWatch:
    """A rule after a look: decided when the look says pass or fail."""
    done = result.verdict is not Verdict.INCONCLUSIVE
    return msgspec.structs.replace(watch, result=result, decided_at=units if done else None)
