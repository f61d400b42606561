"""What the gates of a suite ask of a golden set, and labels that past answers speak against."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

from evalwright.core.case import Case
from evalwright.core.errors import StoreError
from evalwright.core.gate import Rule
from evalwright.core.suite import SliceSpec
from evalwright.datasets.health import SHOWN, HealthFinding
from evalwright.datasets.minhash import normal_text
from evalwright.gates import rule_name
from evalwright.services.slicing import case_slices
from evalwright.services.suite_files import load_source
from evalwright.store.cases import CaseFile
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

MAX_RUNS = 20
SYSTEMS = 3
"""So many systems must agree on another answer before a label is doubted."""


def least_cases(rule: Rule) -> int:
    """Cases with which a rule can pass at all: its `min_n`, and for a bound on a share what it takes without a miss.

    Without a single miss n cases show a share of at least p with confidence c when p^n <= 1 - c (Clopper & Pearson).

    Example:
        >>> least_cases(Rule(metric="m", at_least=0.9)), least_cases(Rule(metric="m", at_most=0.01, min_n=50))
        (29, 299)
    """
    share = rule.at_least if rule.at_least is not None else None if rule.at_most is None else 1.0 - rule.at_most
    if share is None or not 0.0 < share < 1.0 or rule.statistic != "mean":
        return rule.min_n
    return max(rule.min_n, math.ceil(math.log(1.0 - rule.confidence) / math.log(share) - 1e-9))


def gate_needs(cases: CaseFile, suite: Path) -> list[HealthFinding]:
    """Rules of a suite that a set has too few cases for, so that they can't pass even without a miss.

    Raises:
        ConfigError: The suite file is wrong.
    """
    source = load_source(str(suite), for_scoring=True)
    counts = _slice_counts(cases, source.slices)
    short = []
    for rule in source.rules:
        have = _have(rule, counts, len(cases))
        if have < (need := least_cases(rule)):
            short.append(f"{rule_name(rule)} ({have:,} of {need:,})")
    if not short:
        return []
    message = f"{len(short):,} rules of {suite.name} can't pass: too few cases even if none fails"
    return [_found("gate_needs", short, message, "add cases there, or ask for less")]


def _slice_counts(cases: CaseFile, slices: Mapping[str, SliceSpec]) -> Counter[tuple[str, str]]:
    values = case_slices(slices)
    return Counter((name, text) for case in cases for name, texts in values(case).items() for text in texts)


def _have(rule: Rule, counts: Counter[tuple[str, str]], total: int) -> int:
    if not rule.slice:
        return total
    return min(counts[name, str(value)] for name, value in rule.slice.items())


def doubtful_labels(workspace: Workspace, cases: CaseFile) -> list[HealthFinding]:
    """Cases that no system passes and on which at least three systems give the same answer: is the label wrong?"""
    answers: defaultdict[str, dict[str, str]] = defaultdict(dict)
    passed: set[str] = set()
    for entry in workspace.catalog.runs(limit=MAX_RUNS) if workspace.catalog_path.is_file() else ():
        try:
            with workspace.run(entry.run_id) as run:
                for case_hash, text in _failed(run, passed):
                    answers[case_hash][entry.target_hash] = text
        except StoreError:
            continue
    told = (_doubt(case, answers[found]) for found, case in _hashes(cases) if found in answers and found not in passed)
    doubtful = [line for line in told if line]
    if not doubtful:
        return []
    message = f"{len(doubtful):,} cases fail everywhere, and {SYSTEMS} systems or more agree on another answer"
    return [_found("label_doubted", doubtful, message, "look at the expectation: it may be what is wrong")]


def _hashes(cases: CaseFile) -> Iterator[tuple[str, Case]]:
    return ((cases.case_hash(index), cases[index]) for index in range(len(cases)))


def _failed(run: RunStore, passed: set[str]) -> Iterator[tuple[str, str]]:
    """Hash and answer of each failing case; those of the others go into `passed`."""
    failing = {int(index) for index in run.failing()}
    passed.update(run.cases.case_hash(index) for index in range(len(run.cases)) if index not in failing)
    for index, record in run.units(sorted(failing)):
        if record.output is not None and record.trial == 0:
            yield run.cases.case_hash(index), normal_text(record.output.text)


def _doubt(case: Case, said: dict[str, str]) -> str:
    text, count = Counter(said.values()).most_common(1)[0]
    return f"{case.id} ({count} of {len(said)} systems: {text[:60]})" if count >= SYSTEMS and text else ""


def _found(kind: str, cases: list[str], message: str, action: str) -> HealthFinding:
    return HealthFinding(kind=kind, count=len(cases), message=message, action=action, cases=tuple(cases[:SHOWN]))
