"""The release decision: each rule on its figure, then the gate as a whole."""

from evalwright.gates.decide import decide, judge_rule, rule_name

__all__ = ["decide", "judge_rule", "rule_name"]
