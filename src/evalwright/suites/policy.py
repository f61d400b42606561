"""A policy file: the rules of a gate, apart from the suite."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from evalwright.core.errors import ConfigError, Problem
from evalwright.core.gate import Rule
from evalwright.core.suite import SliceSpec
from evalwright.suites.document import Problems
from evalwright.suites.gate_rules import RuleReader
from evalwright.suites.scorer_entries import ScorerSet
from evalwright.suites.yaml_reader import read_yaml


def read_policy(path: Path, metrics: Iterable[str], slices: Mapping[str, SliceSpec]) -> tuple[Rule, ...]:
    """Read the rules of a policy file against the metrics and slices of a run.

    Args:
        path: A list of rules, or a mapping with the one key `gate`.
        metrics: Metrics the run has.
        slices: Slices the run has.

    Raises:
        ConfigError: With everything that is wrong, in the order of the file.
    """
    if not path.is_file():
        raise ConfigError([Problem(message=f"there is no policy file {path}")])
    problems = Problems(read_yaml(path))
    data = problems.document.data
    scorers = ScorerSet(metrics=dict.fromkeys(metrics))
    reader = RuleReader(problems, scorers, slices)
    wrapped = isinstance(data, dict) and set(data) == {"gate"}
    rules = reader.read(data["gate"], ("gate",)) if wrapped and isinstance(data, dict) else reader.read(data, ())
    problems.stop()
    if not rules:
        raise ConfigError([Problem(message=f"the policy file {path} holds no rule", file=str(path))])
    return rules
