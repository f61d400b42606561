"""Scores that JSON can't keep, made into ones that say so."""

from __future__ import annotations

import msgspec

from evalwright.core.run import UnitRecord
from evalwright.core.score import Score
from evalwright.engine.attempt import clipped
from evalwright.store.journal import Unstorable, encode_record


def storable(record: UnitRecord) -> UnitRecord:
    """The record with every score that can't be stored replaced by a failed one."""
    bare = msgspec.structs.replace(record, scores={})
    return msgspec.structs.replace(bare, scores={name: _score(bare, name, s) for name, s in record.scores.items()})


def _score(bare: UnitRecord, metric: str, score: Score) -> Score:
    try:
        encode_record(msgspec.structs.replace(bare, scores={metric: score}))
    except Unstorable as error:
        return Score.failure(clipped(f"{metric}: the score can't be stored: {error}"))
    return score
