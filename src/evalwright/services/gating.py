"""The gate of a run: its rules, what they are judged on, the decision, and the record of all that."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import msgspec

from evalwright.core.errors import EvalwrightError, StoreError, UsageError
from evalwright.core.gate import Decision, Rule, RuleResult
from evalwright.core.identity import short_hash
from evalwright.core.ports import Clock, SystemClock
from evalwright.core.result import Summary
from evalwright.core.run import Manifest
from evalwright.gates import conclude, judge_rule, policy_hash, waived
from evalwright.gates.explain import exceptions
from evalwright.gates.record import FILE, DecisionRecord
from evalwright.gates.stopping import StoppingRecord, look_confidence
from evalwright.services.baselines import find_baseline
from evalwright.services.figures import RunFigures, run_figures, slice_specs
from evalwright.services.gate_figures import GateFigures
from evalwright.services.golden import Goldens
from evalwright.services.run_columns import stored_aggregates
from evalwright.services.stopping import stopping_record
from evalwright.store.cards import CardStore
from evalwright.store.catalog import RunFilter
from evalwright.store.files import write_atomic
from evalwright.store.governance import Waiver, quarantine, waivers
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace
from evalwright.suites.policy import read_policy


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRequest:
    """What a run is to be judged by.

    Attributes:
        workspace: Where baselines, waivers and quarantined cases are.
        rules: The rules.
        baseline: The run to compare with, as `find_baseline` takes it.
        policy: The file the rules were read from, empty for those of the suite.
        clock: Time.
    """

    workspace: Workspace
    rules: tuple[Rule, ...]
    baseline: str | None = None
    policy: str = ""
    clock: Clock = field(default_factory=SystemClock)


def judge(run: RunStore, figures: RunFigures, request: GateRequest) -> Decision | None:
    """Decide on a run and keep the record of it in its folder; None, and no record, without rules.

    Raises:
        UsageError: There is no such baseline.
    """
    if not request.rules:
        return None
    manifest, now = run.manifest(), request.clock.now()
    baseline = baseline_of(run, request)
    isolated = quarantined_ids(request.workspace, manifest.suite, now)
    figure_of = GateFigures(
        run,
        figures,
        baseline=baseline,
        quarantined=isolated,
        cards=CardStore(request.workspace.root),
        now=now,
        dataset_at=dataset_at(request.workspace, manifest),
    )
    looks, basis = stopping_record(run.folder), judging_basis(run, baseline, isolated)
    decided = conclude(tuple(_judged(rule, figure_of, looks, basis) for rule in request.rules))
    used = _waivers(request, manifest.suite, run_digest(run), now)
    decision = msgspec.structs.replace(
        waived(decided, {waiver.rule: waiver.id for waiver in used}),
        baseline=None if baseline is None else baseline.run_id,
        quarantined=len(figure_of.left_out),
        attempts=_attempts(run, request),
    )
    in_use = {result.waived for result in decision.results}
    record = DecisionRecord(
        run_id=run.run_id,
        run_digest=run_digest(run),
        decision=decision,
        baseline_digest="" if baseline is None else run_digest(baseline),
        waivers=tuple(waiver for waiver in used if waiver.id in in_use),
        quarantined=tuple(sorted(run.cases[int(i)].id for i in figure_of.left_out)),
    )
    _keep(run, record, request)
    return decision


def _keep(run: RunStore, record: DecisionRecord, request: GateRequest) -> None:
    """Write the record of a decision into the run's folder, with where everything came from."""
    manifest = run.manifest()
    whole = msgspec.structs.replace(
        record,
        policy=request.policy,
        suite=manifest.suite,
        suite_hash=manifest.suite_hash,
        target_hash=manifest.target_hash,
        dataset_digest=run.cases.digest,
        decided_at=round(request.clock.now(), 3),
        version=version("evalwright"),
    )
    write_atomic(run.folder / FILE, msgspec.json.format(msgspec.json.encode(whole), indent=2))


def judging_basis(run: RunStore, baseline: RunStore | None, quarantined: frozenset[str]) -> str:
    """What a decision rests on beside the run's rows, as a hash; scoring again changes it too."""
    name = "" if baseline is None else baseline.run_id
    return short_hash([name, sorted(quarantined), len(run.score_sets())])


def dataset_at(workspace: Workspace, manifest: Manifest) -> float | None:
    """When the version of the golden set that a run used was made; None for other datasets."""
    if manifest.dataset is None or "@v" not in manifest.dataset.source:
        return None
    try:
        return Goldens(workspace).find(manifest.dataset.source)[1].at
    except EvalwrightError:
        return None  # a file whose name looks like one, or a set that is gone


def _judged(rule: Rule, figure_of: GateFigures, looks: StoppingRecord | None, basis: str) -> RuleResult:
    """One rule: as the looks found it, where the run was watched; else on its figure, as sure as the looks ask for."""
    if looks is None or not looks.taken:
        return judge_rule(rule, figure_of(rule))
    known = looks.result(rule)
    if known is not None and looks.basis == basis:
        return known
    confidence = look_confidence(looks.method, looks.planned, looks.taken - 1, rule.confidence) or rule.confidence
    result = judge_rule(rule, figure_of(msgspec.structs.replace(rule, confidence=confidence)))
    return msgspec.structs.replace(result, rule=rule)


def baseline_of(run: RunStore, request: GateRequest) -> RunStore | None:
    """The run a run is compared with; None when no rule asks for one, or there is none.

    Raises:
        UsageError: The one named is not there.
    """
    if request.baseline is None and all(rule.versus is None for rule in request.rules):
        return None
    return find_baseline(request.workspace, request.baseline, suite=run.manifest().suite, not_run=run.run_id)


def quarantined_ids(workspace: Workspace, suite: str, now: float) -> frozenset[str]:
    """Ids of the cases of a suite that do not count at present."""
    found = quarantine(workspace)
    return frozenset(case.case_id for case in found if case.suite == suite and case.state(now) == "active")


def _waivers(request: GateRequest, suite: str, digest: str, now: float) -> list[Waiver]:
    """The waivers that hold for this run under these rules, checked anew each time."""
    policy = policy_hash(request.rules)
    return [
        waiver
        for waiver in waivers(request.workspace)
        if waiver.state(now) == "active"
        and waiver.approved_by != waiver.requested_by
        and (waiver.suite, waiver.policy_hash, waiver.run_digest) == (suite, policy, digest)
    ]


def _attempts(run: RunStore, request: GateRequest) -> int:
    """Runs of the same suite, target and data up to this one: trying again until it passes is seen."""
    mine = run.manifest()
    found = request.workspace.catalog.runs(RunFilter(suite=mine.suite))
    same = [
        entry
        for entry in found
        if (entry.suite_hash, entry.target_hash) == (mine.suite_hash, mine.target_hash)
        and (mine.dataset is None or entry.dataset_digest == mine.dataset.digest)
        and entry.created_at <= mine.created_at
    ]
    return max(1, len(same))


def run_digest(run: RunStore) -> str:
    """SHA-256 over a run's manifest and sealed results; another after scoring again or going on."""
    paths = sorted(path for path in run.folder.glob("*.parquet") if path.is_file())
    stamps = tuple((str(path), path.stat().st_mtime_ns, path.stat().st_size) for path in paths)
    return _digest(run.manifest().suite_hash, run.manifest().target_hash, run.cases.digest, stamps)


@lru_cache(maxsize=64)
def _digest(suite: str, target: str, cases: str, stamps: tuple[tuple[str, int, int], ...]) -> str:
    total = hashlib.sha256(f"{suite}/{target}/{cases}".encode())
    for name, _, _ in stamps:
        with Path(name).open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


# --- a stored run -----------------------------------------------------------------------------------------------


def gate_run(
    workspace: Workspace, run: RunStore, *, baseline: str | None = None, policy: Path | None = None
) -> Summary:
    """Decide on a stored run anew, by its own rules or those of a policy file, and keep the decision.

    Args:
        workspace: Where the run is.
        run: The run, which must have figures.
        baseline: The run to compare with, as `find_baseline` takes it.
        policy: A file of rules, instead of those the run was started with.

    Raises:
        UsageError: The run has no figures or no rules, or there is no such baseline.
        ConfigError: The policy file is wrong.
    """
    summary = run.summary()
    if summary is None:
        raise UsageError(f"the run {run.run_id} has no figures yet", hint=f"evalwright resume {run.run_id}")
    rules = stored_rules(summary) if policy is None else policy_rules(run, summary, policy)
    if not rules:
        raise UsageError(
            f"the run {run.run_id} has no gate: its suite names no rules", hint="name a file of rules: --policy FILE"
        )
    figures = run_figures(run, aggregates=stored_aggregates(run.scorers()), manifest=summary.manifest)
    request = GateRequest(
        workspace=workspace, rules=rules, baseline=baseline, policy="" if policy is None else str(policy)
    )
    decision = judge(run, figures, request)
    former = [] if summary.decision is None else exceptions(summary.decision)
    notes = [note for note in summary.notes if note not in former]
    notes += [] if decision is None else exceptions(decision)
    decided = msgspec.structs.replace(summary, decision=decision, notes=tuple(notes))
    run.write_summary(decided)
    entry = workspace.catalog.get(run.run_id)
    workspace.finish(decided, finished_at=entry.finished_at or 0.0 if entry else 0.0)
    return decided


def stored_rules(summary: Summary) -> tuple[Rule, ...]:
    """The rules a run was started with."""
    return tuple(msgspec.convert(rule, Rule) for rule in summary.manifest.gate)


def policy_rules(run: RunStore, summary: Summary, policy: Path) -> tuple[Rule, ...]:
    """The rules of a policy file, read against what a run has.

    Raises:
        ConfigError: The policy file is wrong.
    """
    names: Sequence[str] = [record.metric for record in run.scorers()]
    weighted = any(record.weight for record in run.scorers())
    return read_policy(policy, [*names, *(["overall"] if weighted else [])], slice_specs(summary.manifest))


def decision_record(run: RunStore) -> DecisionRecord | None:
    """The record of a run's last decision; None when there is none.

    Raises:
        StoreError: It can't be read.
    """
    path = run.folder / FILE
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=DecisionRecord)
    except (OSError, msgspec.DecodeError) as error:
        raise StoreError(f"{path} can't be read: {error}", hint=f"evalwright gate {run.run_id}") from error
