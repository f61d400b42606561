"""The run as JSON: the object `--json` prints, and the full report with every case."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from evalwright.core.case import Json
from evalwright.core.estimate import Estimate
from evalwright.core.gate import Decision, RuleResult
from evalwright.core.output import Usage
from evalwright.core.result import CaseResult, Instrument, Summary
from evalwright.core.run import Totals
from evalwright.reports import figures
from evalwright.reports.caseview import reasons_of, status_of
from evalwright.reports.options import ReportOptions

FULL_FORMAT = "evalwright.report/1"
"""Value of `format` in a full JSON report; the number changes when a reader would have to."""


class MetricObject(msgspec.Struct, frozen=True, kw_only=True):
    """A metric over all cases (`slice` is empty) or over one slice (`locale=de`), as an `Estimate` has it."""

    name: str
    slice: str
    statistic: str
    value: float | None
    low: float | None
    high: float | None
    level: float
    method: str
    n: int
    skipped: int
    errors: int
    trials: int
    clusters: int | None
    se: float | None
    unit: str
    higher_is_better: bool | None
    note: str


class RuleObject(msgspec.Struct, frozen=True, kw_only=True):
    """One rule of the gate, what it says, and the figure it looked at."""

    rule: str
    metric: str
    slice: str
    statistic: str
    verdict: str
    severity: str
    reason: str
    at_least: float | None
    at_most: float | None
    max_drop: float | None
    min_gain: float | None
    confidence: float
    value: float | None
    low: float | None
    high: float | None
    bound: float | None
    n: int
    cases_needed: int | None
    line: int


class GateObject(msgspec.Struct, frozen=True, kw_only=True):
    """The gate's decision: verdict (`pass`, `fail`, `inconclusive`), the sentence why, and its rules."""

    verdict: str
    reason: str
    policy_hash: str
    rules: tuple[RuleObject, ...]


class UsageObject(msgspec.Struct, frozen=True, kw_only=True):
    """Tokens; `estimated` is true when any part was not counted by a provider."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int
    total_tokens: int
    estimated: bool


class CountsObject(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of the run: cases selected, failing row verdicts, dataset rows set aside, and units of work."""

    selected: int
    failing: int
    bad_rows: int
    units: int
    done: int
    answered: int
    errored: int
    retries: int
    cached: int


class RunObject(msgspec.Struct, frozen=True, kw_only=True):
    """What `evalwright run --json` prints: one object, no NaN, every key always there.

    `decision` is null when the suite asks for no gate. `usage`, `cost` hold target and judges together; the judges'
    part stands apart in `judge_usage` and `judge_cost`. Costs are null when unknown.
    """

    run_id: str
    suite: str
    target: str
    status: str
    decision: str | None
    gate: GateObject | None
    metrics: tuple[MetricObject, ...]
    cases: CountsObject
    usage: UsageObject
    judge_usage: UsageObject
    cost: float | None
    judge_cost: float | None
    calls: int
    duration_s: float
    models: dict[str, int]
    notes: tuple[str, ...]
    instruments: tuple[Instrument, ...]
    reports: dict[str, str]


def run_object(summary: Summary, reports: dict[str, str] | None = None) -> RunObject:
    """The `--json` object of a run.

    Args:
        summary: The run.
        reports: Where reports were written: format to path.
    """
    manifest, totals = summary.manifest, summary.totals
    return RunObject(
        run_id=manifest.run_id,
        suite=manifest.suite,
        target=manifest.target_name,
        status=str(summary.status),
        decision=str(summary.decision.verdict) if summary.decision else None,
        gate=_gate(summary.decision) if summary.decision else None,
        metrics=tuple(_metric(estimate) for estimate in summary.estimates),
        cases=_counts(summary),
        usage=_usage(totals.usage + totals.judge_usage),
        judge_usage=_usage(totals.judge_usage),
        cost=_cost(totals),
        judge_cost=totals.judge_cost,
        calls=totals.calls,
        duration_s=totals.duration_s,
        models=dict(totals.models),
        notes=summary.notes,
        instruments=summary.instruments,
        reports=dict(reports or {}),
    )


def _metric(estimate: Estimate) -> MetricObject:
    fields = {name: getattr(estimate, name) for name in MetricObject.__struct_fields__ if name != "name"}
    return MetricObject(name=estimate.metric, **fields)


def _gate(decision: Decision) -> GateObject:
    rules = tuple(_rule(result) for result in decision.results)
    verdict = str(decision.verdict)
    return GateObject(verdict=verdict, reason=decision.reason, policy_hash=decision.policy_hash, rules=rules)


def _rule(result: RuleResult) -> RuleObject:
    rule, estimate = result.rule, result.estimate
    return RuleObject(
        rule=rule.name or figures.rule_words(rule),
        metric=rule.metric,
        slice=figures.slice_name(rule.slice),
        statistic=rule.statistic,
        verdict=str(result.verdict),
        severity=rule.severity,
        reason=result.reason,
        at_least=rule.at_least,
        at_most=rule.at_most,
        max_drop=rule.max_drop,
        min_gain=rule.min_gain,
        confidence=rule.confidence,
        value=estimate.value if estimate else None,
        low=estimate.low if estimate else None,
        high=estimate.high if estimate else None,
        bound=result.bound,
        n=estimate.n if estimate else 0,
        cases_needed=result.cases_needed,
        line=rule.line,
    )


def _counts(summary: Summary) -> CountsObject:
    totals, dataset = summary.totals, summary.manifest.dataset
    return CountsObject(
        selected=dataset.selected if dataset else 0,
        failing=summary.failing,
        bad_rows=dataset.bad_rows if dataset else len(summary.bad_rows),
        units=totals.units,
        done=totals.done,
        answered=totals.answered,
        errored=totals.errored,
        retries=totals.retries,
        cached=totals.cached,
    )


def _usage(usage: Usage) -> UsageObject:
    return UsageObject(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cached_tokens=usage.cached_tokens,
        total_tokens=usage.total_tokens,
        estimated=usage.estimated,
    )


def _cost(totals: Totals) -> float | None:
    known = [cost for cost in (totals.cost, totals.judge_cost) if cost is not None]
    return sum(known) if known else None


def json_line(value: object) -> str:
    """A value as JSON on one line. NaN and infinities become null; lone surrogates the replacement character."""
    try:
        return msgspec.json.encode(value).decode()
    except (UnicodeEncodeError, msgspec.EncodeError, ValueError):
        return msgspec.json.encode(_clean(msgspec.to_builtins(value))).decode()


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_clean(key): _clean(item) for key, item in value.items()}
    return [_clean(item) for item in value] if isinstance(value, list | tuple) else value


def full_report(summary: Summary, cases: Iterable[CaseResult], options: ReportOptions) -> Iterator[str]:
    """The full report, piece by piece: `{"format", "run", "summary", "cases": [...]}` with one case per line.

    With a baseline its `--json` object stands in `baseline`.

    `summary` and the cases are the records of `evalwright.core`, whose fields are left out at their default; each case
    also has `status` (`fail`, `error`, `pass`, `unjudged`, `absent`) and `reasons`.
    """
    head = json_line({"format": FULL_FORMAT, "run": run_object(summary, options.reports), **_baseline(options)})
    yield f'{head[:-1]},"summary":{json_line(summary)},"cases":['
    for place, result in enumerate(cases):
        yield f"{',' if place else ''}\n{json_line(_case(result))}"
    yield "\n]}\n"


def _baseline(options: ReportOptions) -> dict[str, RunObject]:
    return {"baseline": run_object(options.baseline)} if options.baseline is not None else {}


def _case(result: CaseResult) -> dict[str, Any]:
    return {
        "case": result.case,
        "status": str(status_of(result)),
        "passed": result.passed,
        "slices": result.slices,
        "reasons": reasons_of(result),
        "trials": result.trials,
    }


def run_schema() -> dict[str, Any]:
    """The JSON Schema of the `--json` object; the same text lies in `schema/run.schema.json`."""
    schema: dict[str, Any] = json.loads(json.dumps(msgspec.json.schema(RunObject)))  # defaults as JSON has them
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "evalwright run --json",
        **schema,
    }


if __name__ == "__main__":
    print(json.dumps(run_schema(), indent=2))  # noqa: T201 - writes schema/run.schema.json
