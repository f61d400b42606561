"""What a run will probably take, before it starts: calls, tokens, money, minutes."""

from __future__ import annotations

import msgspec
import numpy as np

from evalwright.core.output import Usage
from evalwright.core.ports import CaseSource
from evalwright.engine import UnitEstimate
from evalwright.models.prices import PriceTable
from evalwright.services.sources import RunSource

SAMPLE = 200
"""Cases looked at to estimate the length of a prompt."""

CHARS_PER_TOKEN = 4.0
ANSWER_TOKENS = 256
"""Tokens of an answer where no maximum is given."""

CALL_SECONDS = 1.0
"""Seconds a call is taken to last."""


class RunEstimate(msgspec.Struct, frozen=True, kw_only=True):
    """What a run will probably take.

    Attributes:
        units: Cases times trials.
        calls: Calls of the target and of judges, without retries.
        tokens: Input and output tokens; None when no model is asked.
        cost: In the price table's currency; None when the price is unknown.
        minutes: With the run's concurrency and rate limit, at one second a call.
    """

    units: int
    calls: int
    tokens: int | None
    cost: float | None
    minutes: float


def unit_estimate(cases: CaseSource, source: RunSource, prices: PriceTable) -> UnitEstimate:
    """What one unit is expected to spend: prompt length from a sample of cases, answer length from `max_tokens`."""
    target, judges = _target_estimate(cases, source, prices), _judge_estimate(cases, source)
    return UnitEstimate(
        calls=target.calls + judges.calls, tokens=target.tokens + judges.tokens, cost=target.cost + judges.cost
    )


def _judge_estimate(cases: CaseSource, source: RunSource) -> UnitEstimate:
    """What the judges among the scorers take for one unit, and a simulated user where the target has one."""
    helpers = (source.target, *(bound.scorer for bound in source.scorers))
    judges = [helper.expected_spending for helper in helpers if hasattr(helper, "expected_spending")]
    if not judges:
        return UnitEstimate(calls=0.0)
    shown = _prompt_tokens(cases, source) + _answer_tokens(source)
    calls, tokens, cost = (sum(part) for part in zip(*(expected(shown) for expected in judges), strict=True))
    return UnitEstimate(calls=calls, tokens=tokens, cost=cost)


def _target_estimate(cases: CaseSource, source: RunSource, prices: PriceTable) -> UnitEstimate:
    model = _model(source)
    if model is None:
        return UnitEstimate()
    usage = Usage(input_tokens=_prompt_tokens(cases, source), output_tokens=_answer_tokens(source), estimated=True)
    return UnitEstimate(calls=1.0, tokens=float(usage.total_tokens), cost=prices.cost(model, usage) or 0.0)


def run_estimate(cases: CaseSource, source: RunSource, prices: PriceTable) -> RunEstimate:
    """What the whole run will probably take."""
    unit = unit_estimate(cases, source, prices)
    units = len(cases) * source.settings.trials
    known = unit.tokens > 0
    return RunEstimate(
        units=units,
        calls=round(units * unit.calls),
        tokens=round(units * unit.tokens) if known else None,
        cost=units * unit.cost if unit.cost else None,
        minutes=_minutes(units, _target_estimate(cases, source, prices), source),
    )


def _model(source: RunSource) -> str | None:
    described = source.target.describe()
    inner = described.get("target") if described.get("type") == "dialogue" else described
    model = inner.get("model") if isinstance(inner, dict) else None
    return model if isinstance(model, str) and model else None


def _prompt_tokens(cases: CaseSource, source: RunSource) -> int:
    step = max(1, len(cases) // SAMPLE)
    lengths = [len(msgspec.json.encode(cases[index].input)) for index in range(0, len(cases), step)]
    system = source.target.describe().get("system")
    fixed = len(system) if isinstance(system, str) else 0
    return round((float(np.mean(lengths)) + fixed) / CHARS_PER_TOKEN)


def _answer_tokens(source: RunSource) -> int:
    params = source.target.describe().get("params")
    limit = (params.get("max_tokens") or params.get("max_completion_tokens")) if isinstance(params, dict) else None
    return int(limit) if isinstance(limit, int) else ANSWER_TOKENS


def _minutes(units: int, unit: UnitEstimate, source: RunSource) -> float:
    settings = source.settings
    by_latency = units * CALL_SECONDS / (settings.concurrency * settings.workers) / 60
    limit = source.target.rate_limit
    by_requests = units / limit.requests_per_minute if limit and limit.requests_per_minute else 0.0
    by_tokens = units * unit.tokens / limit.tokens_per_minute if limit and limit.tokens_per_minute else 0.0
    return max(by_latency, by_requests, by_tokens)
