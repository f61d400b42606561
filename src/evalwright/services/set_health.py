"""Health of a golden set: the cases, other sets, and how they did in past runs."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

import msgspec

from evalwright.core.errors import StoreError, UsageError
from evalwright.datasets.embedding import embed
from evalwright.datasets.health import SHOWN, Health, HealthFinding, HealthQuestion, Outcomes, examine, input_text
from evalwright.datasets.meaning import similar_pairs
from evalwright.services.golden import Goldens, opened
from evalwright.services.set_needs import doubtful_labels, gate_needs
from evalwright.store.cases import CaseFile
from evalwright.store.workspace import Workspace

MAX_RUNS = 20
MAX_MEANING = 50_000


def set_health(
    workspace: Workspace,
    reference: str,
    *,
    strata: tuple[str, ...] = (),
    min_n: int = 30,
    against: tuple[str, ...] = (),
    suite: Path | None = None,
    model: Path | None = None,
) -> Health:
    """Look over a version of a golden set, or a plain file.

    Args:
        workspace: Where sets and runs are.
        reference: `name@version`, or a file.
        strata: Paths whose values each need enough cases.
        min_n: How many are enough.
        against: Other sets or files whose cases should not be in this one.
        suite: A suite whose gate says how many cases it needs.
        model: Folder of a model2vec model, to find what means the same in other words.

    Raises:
        UsageError: There is no such set or version.
        ConfigError: A file can't be read.
    """
    made_at, cadence = _age(workspace, reference)
    question = HealthQuestion(strata=strata, min_n=min_n, made_at=made_at, cadence_days=cadence, now=time.time())
    with ExitStack() as stack:
        cases = stack.enter_context(opened(reference, workspace))
        others = {name: stack.enter_context(opened(name, workspace)) for name in against}
        found = examine(cases, question, others=others, outcomes=past_outcomes(workspace))
        more = [*doubtful_labels(workspace, cases), *([] if suite is None else gate_needs(cases, suite))]
        more += [] if model is None else same_meaning(cases, others, model)
        return msgspec.structs.replace(found, findings=(*found.findings, *more))


MEANING = 0.9
"""Cosine similarity from which two inputs count as meaning the same."""


def same_meaning(cases: CaseFile, others: Mapping[str, CaseFile], model: Path) -> list[HealthFinding]:
    """Inputs that mean nearly the same by an embedding model, within the set and in others.

    Raises:
        UsageError: The folder holds no model, or the set is larger than 50,000 cases.
    """
    if len(cases) > MAX_MEANING:
        raise UsageError(f"--model compares at most {MAX_MEANING:,} cases", hint="take a sample first")
    ours = embed((input_text(case.input) for case in cases), model)
    pairs = [_pair(cases, cases, found) for found in similar_pairs(ours, at_least=MEANING)]
    findings = []
    if pairs:
        message = f"{len(pairs):,} pairs of inputs mean nearly the same"
        findings.append(_meaning("same_meaning", pairs, message))
    for name, other in others.items():
        theirs = embed((input_text(case.input) for case in other), model)
        pairs = [_pair(cases, other, found) for found in similar_pairs(ours, theirs, at_least=MEANING)]
        if pairs:
            message = f"{len(pairs):,} pairs mean nearly the same in {name}"
            findings.append(_meaning("leakage_of_meaning", pairs, message))
    return findings


def _pair(left: CaseFile, right: CaseFile, found: tuple[int, int, float]) -> str:
    return f"{left[found[0]].id} ~ {right[found[1]].id} ({found[2]:.2f})"


def _meaning(kind: str, pairs: list[str], message: str) -> HealthFinding:
    action = "keep one of each pair, or give both the same `cluster`"
    return HealthFinding(kind=kind, count=len(pairs), message=message, action=action, cases=tuple(pairs[:SHOWN]))


def _age(workspace: Workspace, reference: str) -> tuple[float | None, int | None]:
    goldens = Goldens(workspace)
    name = reference.partition("@")[0]
    if "/" in name or "." in name or not goldens.logs.exists(name):
        return None, None
    golden, version = goldens.find(reference)
    return version.at, golden.info.cadence_days


def past_outcomes(workspace: Workspace) -> dict[str, Outcomes]:
    """How cases did in the last twenty runs of the workspace, by case hash."""
    passed: defaultdict[str, set[str]] = defaultdict(set)
    failed: defaultdict[str, set[str]] = defaultdict(set)
    systems: dict[str, str] = {}
    for entry in workspace.catalog.runs(limit=MAX_RUNS) if workspace.has_catalog else ():
        systems[entry.run_id] = entry.target_hash + entry.suite_hash
        try:
            with workspace.run(entry.run_id) as run:
                failing = {int(index) for index in run.failing()}
                for index in range(len(run.cases)):
                    (failed if index in failing else passed)[run.cases.case_hash(index)].add(entry.run_id)
        except StoreError:
            continue
    return {
        case: Outcomes(
            passed=len(passed[case]),
            failed=len(failed[case]),
            both=not {systems[r] for r in passed[case]}.isdisjoint({systems[r] for r in failed[case]}),
        )
        for case in {*passed, *failed}
    }
