"""What an expression sees of a case and of its result."""

from __future__ import annotations

from typing import Any

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.run import UnitRecord
from evalwright.core.score import Score

View = dict[str, Any]

CASE_NAMES = ("id", "input", "expected", "metadata", "tags", "cluster")
RESULT_NAMES = ("output", "scores", "error", "trial")


def case_view(case: Case) -> View:
    """A case as expressions see it: `id`, `input`, `expected`, `metadata`, `tags`, `cluster`."""
    return {
        "id": case.id,
        "input": case.input,
        "expected": case.expected,
        "metadata": case.metadata,
        "tags": case.tags,
        "cluster": case.cluster,
    }


def unit_view(case: Case, unit: UnitRecord) -> View:
    """A case with what a run recorded for it.

    Beside the names of `case_view`: `output` (null when there is no answer), `scores` by metric (`status`, `value`,
    `passed`, `label`, `reason`), `error` (null, or `kind`, `message`, `status`) and `trial`.
    """
    return {
        **case_view(case),
        "output": None if unit.output is None else _builtins(unit.output),
        "scores": {metric: _score(score) for metric, score in unit.scores.items()},
        "error": None
        if unit.error is None
        else {"kind": unit.error.kind, "message": unit.error.message, "status": unit.error.status},
        "trial": unit.trial,
    }


def _score(score: Score) -> View:
    return {
        "status": str(score.status),
        "value": score.value,
        "passed": score.passed,
        "label": score.label,
        "reason": score.reason,
    }


def _builtins(struct: msgspec.Struct) -> dict[str, Json]:
    return {name: msgspec.to_builtins(getattr(struct, name)) for name in struct.__struct_fields__}
