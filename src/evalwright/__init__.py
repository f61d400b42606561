"""Evalwright measures AI features and turns the measurements into release decisions.

The names here are the public door; each is loaded when it is first used, so that `import evalwright` stays quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evalwright.api import Run, evaluate, open_run
    from evalwright.core.case import Case
    from evalwright.core.errors import ConfigError, EvalwrightError, UsageError
    from evalwright.core.estimate import Estimate
    from evalwright.core.gate import Decision, Rule, Verdict
    from evalwright.core.output import Output, Passage, ToolCall, Usage
    from evalwright.core.run import Budget, CacheMode, RunSettings
    from evalwright.core.score import Evidence, Score
    from evalwright.core.scorer import BoundScorer, ScoreContext, ScoreInfo, scorer
    from evalwright.core.suite import SliceSpec, Suite
    from evalwright.core.target import TargetCall
    from evalwright.services.comparing import RunComparison, compare

_HOMES = {
    "BoundScorer": "core.scorer",
    "Budget": "core.run",
    "CacheMode": "core.run",
    "Case": "core.case",
    "ConfigError": "core.errors",
    "Decision": "core.gate",
    "Estimate": "core.estimate",
    "Evidence": "core.score",
    "EvalwrightError": "core.errors",
    "Output": "core.output",
    "Passage": "core.output",
    "Rule": "core.gate",
    "Run": "api",
    "RunComparison": "services.comparing",
    "RunSettings": "core.run",
    "Score": "core.score",
    "ScoreContext": "core.scorer",
    "ScoreInfo": "core.scorer",
    "SliceSpec": "core.suite",
    "Suite": "core.suite",
    "TargetCall": "core.target",
    "ToolCall": "core.output",
    "Usage": "core.output",
    "UsageError": "core.errors",
    "Verdict": "core.gate",
    "compare": "services.comparing",
    "evaluate": "api",
    "open_run": "api",
    "scorer": "core.scorer",
}

__all__ = [
    "BoundScorer",
    "Budget",
    "CacheMode",
    "Case",
    "ConfigError",
    "Decision",
    "Estimate",
    "EvalwrightError",
    "Evidence",
    "Output",
    "Passage",
    "Rule",
    "Run",
    "RunComparison",
    "RunSettings",
    "Score",
    "ScoreContext",
    "ScoreInfo",
    "SliceSpec",
    "Suite",
    "TargetCall",
    "ToolCall",
    "Usage",
    "UsageError",
    "Verdict",
    "compare",
    "evaluate",
    "open_run",
    "scorer",
]


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'evalwright' has no attribute {name!r}")
    # `core.scorer` holds the name `scorer`: look the attribute up in the module, not the module itself
    value = getattr(importlib.import_module(f"evalwright.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
