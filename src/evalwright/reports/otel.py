"""Units of a run as OpenTelemetry spans in OTLP/JSON, after the GenAI semantic conventions.

Each unit is a trace: a root span `evaluate <suite>`, below it one span for the call of the target
(`<operation> <model>`, with `gen_ai.*` attributes) and on that span one event `gen_ai.evaluation.result` per score.
Failed attempts are events of the root span.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

import msgspec

from evalwright.core.run import Attempt, Manifest, UnitRecord
from evalwright.core.score import Score

SCOPE = {"name": "evalwright"}
_OK, _ERROR = 1, 2
_INTERNAL, _CLIENT = 1, 3

Attributes = list[dict[str, Any]]


class SpanMaker:
    """Turns units of one run into spans.

    Args:
        manifest: The run.
        content: Also export the answers' text (`gen_ai.output.messages`) and the scorers' reasons, which may quote it;
            off by default, it may be personal.
    """

    def __init__(self, manifest: Manifest, *, content: bool = False) -> None:
        self._manifest = manifest
        self._content = content
        self._resource = {
            "attributes": _attributes(
                {
                    "service.name": "evalwright",
                    "service.version": manifest.packages.get("evalwright", ""),
                    "evalwright.run_id": manifest.run_id,
                    "evalwright.suite": manifest.suite,
                    "evalwright.suite_version": manifest.suite_version,
                }
            )
        }

    def request(self, records: list[UnitRecord]) -> dict[str, Any]:
        """An `ExportTraceServiceRequest` as JSON."""
        spans = [span for record in records for span in self.spans(record)]
        scope = {"scope": SCOPE, "spans": spans}
        return {"resourceSpans": [{"resource": self._resource, "scopeSpans": [scope]}]}

    def spans(self, record: UnitRecord) -> Iterator[dict[str, Any]]:
        """The root span of a unit, then the span of its call where it was answered."""
        trace = _hex(f"{self._manifest.run_id}/{record.case_hash}/{record.trial}", 32)
        root = _hex(f"{trace}/root", 16)
        start = record.started_at
        end = start + record.duration_s
        yield {
            "traceId": trace,
            "spanId": root,
            "name": f"evaluate {self._manifest.suite}",
            "kind": _INTERNAL,
            "startTimeUnixNano": _nanos(start),
            "endTimeUnixNano": _nanos(end),
            "attributes": _attributes(self._unit_attributes(record)),
            "events": list(_attempt_events(record.attempts, start)),
            "status": {"code": _OK} if record.error is None else {"code": _ERROR, "message": record.error.message},
        }
        if record.output is not None:
            yield self._call_span(record, trace, root, end)

    def _unit_attributes(self, record: UnitRecord) -> dict[str, Any]:
        return {
            "evalwright.case_id": record.case_id,
            "evalwright.trial": record.trial,
            "evalwright.cached": record.cached,
            "error.type": record.error.kind if record.error else None,
        }

    def _call_span(self, record: UnitRecord, trace: str, parent: str, end: float) -> dict[str, Any]:
        output = record.output
        assert output is not None
        model = output.model or str(self._manifest.target.get("model") or self._manifest.target_name)
        started = end - (output.latency_s or 0.0)
        return {
            "traceId": trace,
            "spanId": _hex(f"{trace}/call", 16),
            "parentSpanId": parent,
            "name": f"chat {model}",
            "kind": _CLIENT,
            "startTimeUnixNano": _nanos(started),
            "endTimeUnixNano": _nanos(end),
            "attributes": _attributes(self._call_attributes(record, model)),
            "events": [self._evaluation_event(metric, score, end) for metric, score in record.scores.items()],
            "status": {"code": _OK},
        }

    def _call_attributes(self, record: UnitRecord, model: str) -> dict[str, Any]:
        output = record.output
        assert output is not None
        usage = output.usage
        messages = [{"role": "assistant", "parts": [{"type": "text", "content": output.text}]}]
        return {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": self._manifest.target.get("dialect") or self._manifest.target.get("type"),
            "gen_ai.request.model": self._manifest.target.get("model"),
            "gen_ai.response.model": model,
            "gen_ai.response.finish_reasons": [output.finish_reason] if output.finish_reason else None,
            "gen_ai.response.time_to_first_chunk": output.first_token_s,
            "gen_ai.usage.input_tokens": usage.input_tokens if usage else None,
            "gen_ai.usage.output_tokens": usage.output_tokens if usage else None,
            "gen_ai.usage.cache_read.input_tokens": usage.cached_tokens if usage and usage.cached_tokens else None,
            "gen_ai.output.messages": msgspec.json.encode(messages).decode() if self._content else None,
        }

    def _evaluation_event(self, metric: str, score: Score, at: float) -> dict[str, Any]:
        label = score.label or (None if score.passed is None else "pass" if score.passed else "fail")
        attributes = {
            "gen_ai.evaluation.name": metric,
            "gen_ai.evaluation.score.value": score.value,
            "gen_ai.evaluation.score.label": label,
            "gen_ai.evaluation.explanation": (score.reason or None) if self._content else None,
            "error.type": "scorer_error" if score.status == "error" else None,
        }
        return {"name": "gen_ai.evaluation.result", "timeUnixNano": _nanos(at), "attributes": _attributes(attributes)}


def _attempt_events(attempts: tuple[Attempt, ...], start: float) -> Iterator[dict[str, Any]]:
    at = start
    for attempt in attempts:
        at += attempt.duration_s
        attributes = {
            "error.type": attempt.kind,
            "exception.message": attempt.message or None,
            "http.response.status_code": attempt.status,
            "evalwright.waited_s": attempt.waited_s,
        }
        yield {
            "name": "gen_ai.client.operation.exception",
            "timeUnixNano": _nanos(at),
            "attributes": _attributes(attributes),
        }
        at += attempt.waited_s


def _attributes(values: dict[str, Any]) -> Attributes:
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value is not None]


def _value(value: Any) -> dict[str, Any]:
    """A value as OTLP/JSON writes it; 64-bit integers are strings."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": str(value).encode(errors="replace").decode()}


def _nanos(seconds: float) -> str:
    return str(round(seconds * 1e9))


def _hex(text: str, digits: int) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:digits]
