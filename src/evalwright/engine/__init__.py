"""Plans and executes runs: order, retries, rate limits, budget, cache, recording. Knows no target or scorer by name."""

from evalwright.engine.cache import AnswerCache, cache_key
from evalwright.engine.control import Action, Command, RunState, read_state, send_command
from evalwright.engine.job import Job, LimitChange, Outcome, Resource, StopRun, UnitEstimate
from evalwright.engine.meter import Meter
from evalwright.engine.run import run, run_async

__all__ = [
    "Action",
    "AnswerCache",
    "Command",
    "Job",
    "LimitChange",
    "Meter",
    "Outcome",
    "Resource",
    "RunState",
    "StopRun",
    "UnitEstimate",
    "cache_key",
    "read_state",
    "run",
    "run_async",
    "send_command",
]
