"""A record that JSON can't keep, made into one that says so."""

from __future__ import annotations

import msgspec

from evalwright.core.run import Failure, UnitRecord
from evalwright.core.score import Score
from evalwright.engine.attempt import clipped
from evalwright.store.journal import Unstorable, encode_record


def storable(record: UnitRecord, problem: Unstorable) -> UnitRecord:
    """The record with what can't be stored replaced: a score by a failed score, an output by a failure.

    Args:
        record: The record as it came from target and scorers.
        problem: Why it can't be stored.
    """
    bare = msgspec.structs.replace(record, scores={})
    if _problem(bare) is not None:
        failure = Failure(kind="malformed", message=clipped(f"the answer can't be stored: {problem}"))
        return msgspec.structs.replace(bare, output=None, error=failure)
    return msgspec.structs.replace(bare, scores={name: _score(bare, name, s) for name, s in record.scores.items()})


def _score(bare: UnitRecord, metric: str, score: Score) -> Score:
    problem = _problem(msgspec.structs.replace(bare, scores={metric: score}))
    return score if problem is None else Score.failure(clipped(f"{metric}: the score can't be stored: {problem}"))


def _problem(record: UnitRecord) -> str | None:
    try:
        encode_record(record)
    except Unstorable as error:
        return str(error)
    return None
