"""The verdict of a row: pass, fail, or none."""

from __future__ import annotations

from collections.abc import Sequence

from evalwright.core.run import UnitRecord


def row_verdict(trials: Sequence[UnitRecord]) -> bool | None:
    """Verdict of a case over its trials: False when a unit failed or any scorer says False; None when none says."""
    if any(record.output is None for record in trials):
        return False
    verdicts = [score.passed for record in trials for score in record.scores.values() if score.passed is not None]
    return all(verdicts) if verdicts else None
