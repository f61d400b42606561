"""A case in two runs."""

from __future__ import annotations

import msgspec

from evalwright.core.case import Case
from evalwright.core.result import CaseResult


class CasePair(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A case with what both runs made of it.

    Attributes:
        case: The case, as the candidate's run has it.
        baseline: Its trials in the baseline.
        candidate: Its trials in the candidate.
    """

    case: Case
    baseline: CaseResult
    candidate: CaseResult
