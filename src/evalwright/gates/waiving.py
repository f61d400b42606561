"""Waivers: rules that are set aside, and what remains of the decision."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from evalwright.core.gate import Decision, RuleResult, Verdict
from evalwright.gates.decide import conclude
from evalwright.gates.words import rule_name


def waived(decision: Decision, waivers: Mapping[str, str]) -> Decision:
    """The decision with waived rules set aside; a rule that holds, or must not be waived, keeps its say.

    Args:
        decision: As the rules say.
        waivers: Id of the waiver by the name of the rule.
    """
    if not waivers:
        return decision
    return conclude(tuple(_set_aside(result, waivers) for result in decision.results))


def _set_aside(result: RuleResult, waivers: Mapping[str, str]) -> RuleResult:
    waiver = waivers.get(rule_name(result.rule))
    if waiver is None or not result.rule.waivable or result.verdict is Verdict.PASS:
        return result
    return msgspec.structs.replace(result, waived=waiver, reason=f"waived ({waiver}): {result.reason}")
