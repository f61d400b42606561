"""Plans and executes runs: order, retries, rate limits, budget, cache, recording. Knows no target or scorer by name."""

from evalwright.engine.cache import AnswerCache, cache_key
from evalwright.engine.job import Job, LimitChange, Outcome, StopRun, UnitEstimate
from evalwright.engine.plan import sample_cases
from evalwright.engine.run import run, run_async

__all__ = [
    "AnswerCache",
    "Job",
    "LimitChange",
    "Outcome",
    "StopRun",
    "UnitEstimate",
    "cache_key",
    "run",
    "run_async",
    "sample_cases",
]
