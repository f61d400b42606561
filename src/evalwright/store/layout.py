"""The tables of a sealed run: their rows here, their columns in Parquet beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from evalwright.core.output import Output, Usage
from evalwright.core.run import Attempt, Failure, UnitRecord
from evalwright.core.score import Evidence, Score, ScoreStatus

_encode = msgspec.json.Encoder().encode


class UnitRow(msgspec.Struct, frozen=True, kw_only=True):
    """One unit: a row of `units.parquet`. `output` (all of the answer but its text) and `attempts` hold JSON."""

    case_index: int
    case_id: str
    case_hash: str
    trial: int
    position: int
    text: str | None
    output: str | None
    error_kind: str | None
    error_message: str | None
    error_status: int | None
    latency_s: float | None
    first_token_s: float | None
    input_tokens: int | None
    output_tokens: int | None
    cached_tokens: int | None
    tokens_estimated: bool | None
    cost: float | None
    model: str | None
    finish_reason: str | None
    attempts: str | None
    failed_attempts: int
    started_at: float
    duration_s: float
    calls: int
    cached: bool
    judge_input_tokens: int | None
    judge_output_tokens: int | None
    judge_cached_tokens: int | None
    judge_estimated: bool | None
    judge_cost: float | None


UNIT_COLUMNS = {
    "case_index": "INTEGER",
    "case_id": "VARCHAR",
    "case_hash": "VARCHAR",
    "trial": "INTEGER",
    "position": "BIGINT",
    "text": "VARCHAR",
    "output": "VARCHAR",
    "error_kind": "VARCHAR",
    "error_message": "VARCHAR",
    "error_status": "INTEGER",
    "latency_s": "DOUBLE",
    "first_token_s": "DOUBLE",
    "input_tokens": "BIGINT",
    "output_tokens": "BIGINT",
    "cached_tokens": "BIGINT",
    "tokens_estimated": "BOOLEAN",
    "cost": "DOUBLE",
    "model": "VARCHAR",
    "finish_reason": "VARCHAR",
    "attempts": "VARCHAR",
    "failed_attempts": "INTEGER",
    "started_at": "DOUBLE",
    "duration_s": "DOUBLE",
    "calls": "INTEGER",
    "cached": "BOOLEAN",
    "judge_input_tokens": "BIGINT",
    "judge_output_tokens": "BIGINT",
    "judge_cached_tokens": "BIGINT",
    "judge_estimated": "BOOLEAN",
    "judge_cost": "DOUBLE",
}


class ScoreRow(msgspec.Struct, frozen=True, kw_only=True):
    """One score: a row of `scores.parquet`. `parts`, `evidence` and `metadata` hold JSON."""

    case_index: int
    case_id: str
    trial: int
    metric: str
    status: str
    value: float | None
    passed: bool | None
    label: str | None
    reason: str
    parts: str | None
    evidence: str | None
    stats: tuple[float, ...] | None
    metadata: str | None


SCORE_COLUMNS = {
    "case_index": "INTEGER",
    "case_id": "VARCHAR",
    "trial": "INTEGER",
    "metric": "VARCHAR",
    "status": "VARCHAR",
    "value": "DOUBLE",
    "passed": "BOOLEAN",
    "label": "VARCHAR",
    "reason": "VARCHAR",
    "parts": "VARCHAR",
    "evidence": "VARCHAR",
    "stats": "DOUBLE[]",
    "metadata": "VARCHAR",
}


def unit_row(case_index: int, record: UnitRecord) -> UnitRow:
    """A record as a row, its scores left out."""
    output, error = record.output, record.error
    usage = output.usage if output else None
    judge = record.judge_usage
    return UnitRow(
        case_index=case_index,
        case_id=record.case_id,
        case_hash=record.case_hash,
        trial=record.trial,
        position=record.position,
        text=output.text if output else None,
        output=_json(msgspec.structs.replace(output, text="")) if output else None,
        error_kind=error.kind if error else None,
        error_message=error.message if error else None,
        error_status=error.status if error else None,
        latency_s=output.latency_s if output else None,
        first_token_s=output.first_token_s if output else None,
        input_tokens=usage.input_tokens if usage else None,
        output_tokens=usage.output_tokens if usage else None,
        cached_tokens=usage.cached_tokens if usage else None,
        tokens_estimated=usage.estimated if usage else None,
        cost=output.cost if output else None,
        model=output.model if output else None,
        finish_reason=output.finish_reason if output else None,
        attempts=_json(record.attempts or None),
        failed_attempts=len(record.attempts),
        started_at=record.started_at,
        duration_s=record.duration_s,
        calls=record.calls,
        cached=record.cached,
        judge_input_tokens=judge.input_tokens if judge else None,
        judge_output_tokens=judge.output_tokens if judge else None,
        judge_cached_tokens=judge.cached_tokens if judge else None,
        judge_estimated=judge.estimated if judge else None,
        judge_cost=record.judge_cost,
    )


def score_row(case_index: int, case_id: str, trial: int, metric: str, score: Score) -> ScoreRow:
    """A score as a row."""
    return ScoreRow(
        case_index=case_index,
        case_id=case_id,
        trial=trial,
        metric=metric,
        status=score.status.value,
        value=score.value,
        passed=score.passed,
        label=score.label,
        reason=score.reason,
        parts=_json(score.parts or None),
        evidence=_json(score.evidence or None),
        stats=score.stats or None,
        metadata=_json(score.metadata or None),
    )


def _json(value: object) -> str | None:
    return None if value is None else _encode(value).decode()


RECORD_COLUMNS = (
    "case_index",
    "case_id",
    "case_hash",
    "trial",
    "position",
    "text",
    "output",
    "error_kind",
    "error_message",
    "error_status",
    "attempts",
    "started_at",
    "duration_s",
    "calls",
    "cached",
    "judge_input_tokens",
    "judge_output_tokens",
    "judge_cached_tokens",
    "judge_estimated",
    "judge_cost",
)
"""What `unit_record` needs of a unit, in its order."""


def unit_record(cells: Sequence[Any], scores: dict[str, Score]) -> UnitRecord:
    """A unit's record again, from its cells in the order of `RECORD_COLUMNS`."""
    row = dict(zip(RECORD_COLUMNS, cells, strict=True))
    kind, output, attempts = row["error_kind"], row["output"], row["attempts"]
    return UnitRecord(
        case_id=row["case_id"],
        case_hash=row["case_hash"],
        trial=row["trial"],
        position=row["position"],
        output=None if output is None else msgspec.structs.replace(_outputs.decode(output), text=row["text"]),
        error=None if kind is None else Failure(kind=kind, message=row["error_message"], status=row["error_status"]),
        scores=scores,
        attempts=() if attempts is None else _attempts.decode(attempts),
        started_at=row["started_at"],
        duration_s=row["duration_s"],
        calls=row["calls"],
        cached=row["cached"],
        judge_usage=_judge_usage(row),
        judge_cost=row["judge_cost"],
    )


def _judge_usage(row: dict[str, Any]) -> Usage | None:
    if row["judge_input_tokens"] is None:
        return None
    return Usage(
        input_tokens=row["judge_input_tokens"],
        output_tokens=row["judge_output_tokens"],
        cached_tokens=row["judge_cached_tokens"],
        estimated=row["judge_estimated"],
    )


CELL_COLUMNS = (
    "case_index",
    "trial",
    "metric",
    "status",
    "value",
    "passed",
    "label",
    "reason",
    "parts",
    "evidence",
    "stats",
    "metadata",
)
"""What `score_of` needs of a score, in its order; the first three say whose it is."""


def score_of(cells: Sequence[Any]) -> Score:
    """A score again, from its cells in the order of `CELL_COLUMNS`."""
    status, value, passed, label, reason, parts, evidence, stats, metadata = cells[3:]
    return Score(
        status=ScoreStatus(status),
        value=value,
        passed=passed,
        label=label,
        reason=reason,
        parts={} if parts is None else msgspec.json.decode(parts, type=dict[str, float]),
        evidence=() if evidence is None else _evidence.decode(evidence),
        stats=() if stats is None else tuple(stats),
        metadata={} if metadata is None else msgspec.json.decode(metadata),
    )


_outputs = msgspec.json.Decoder(Output)
_attempts = msgspec.json.Decoder(tuple[Attempt, ...])
_evidence = msgspec.json.Decoder(tuple[Evidence, ...])
