"""The release decision: each rule on its figure, then the gate as a whole."""

from evalwright.gates.decide import conclude, decide, judge_rule, policy_hash
from evalwright.gates.versus import Standing, standing
from evalwright.gates.waiving import waived
from evalwright.gates.words import rule_name

__all__ = ["Standing", "conclude", "decide", "judge_rule", "policy_hash", "rule_name", "standing", "waived"]
