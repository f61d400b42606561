"""Health of a golden set: the cases, other sets, and how they did in past runs."""

from __future__ import annotations

import time
from collections import defaultdict
from contextlib import ExitStack

from evalwright.core.errors import StoreError
from evalwright.datasets.health import Health, HealthQuestion, Outcomes, examine
from evalwright.services.golden import Goldens, opened
from evalwright.store.workspace import Workspace

MAX_RUNS = 20


def set_health(
    workspace: Workspace,
    reference: str,
    *,
    strata: tuple[str, ...] = (),
    min_n: int = 30,
    against: tuple[str, ...] = (),
) -> Health:
    """Look over a version of a golden set, or a plain file.

    Args:
        workspace: Where sets and runs are.
        reference: `name@version`, or a file.
        strata: Paths whose values each need enough cases.
        min_n: How many are enough.
        against: Other sets or files whose cases should not be in this one.

    Raises:
        UsageError: There is no such set or version.
        ConfigError: A file can't be read.
    """
    made_at, cadence = _age(workspace, reference)
    question = HealthQuestion(strata=strata, min_n=min_n, made_at=made_at, cadence_days=cadence, now=time.time())
    with ExitStack() as stack:
        cases = stack.enter_context(opened(reference, workspace))
        others = {name: stack.enter_context(opened(name, workspace)) for name in against}
        return examine(cases, question, others=others, outcomes=past_outcomes(workspace))


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
