"""The main job: a suite against a target, from rows to a summary with figures and a decision."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import msgspec

from evalwright import engine
from evalwright.core.errors import UsageError
from evalwright.core.identity import content_hash
from evalwright.core.ports import Clock, RunListener, SystemClock
from evalwright.core.result import Summary
from evalwright.core.run import CacheMode, DatasetRecord, Manifest, RunSettings, RunStatus
from evalwright.core.target import Target
from evalwright.datasets import Prepared, prepare, select
from evalwright.engine import Job, LimitChange, Outcome
from evalwright.gates.stopping import Method
from evalwright.models.prices import price_table
from evalwright.services.anchors import check_run, worth_checking
from evalwright.services.baselines import find_baseline
from evalwright.services.conversation_notes import conversation_notes
from evalwright.services.corrections import with_corrections
from evalwright.services.early_stop import check_decidable, watcher
from evalwright.services.estimating import RunEstimate, run_estimate, unit_estimate
from evalwright.services.figures import RunEnd, aggregates_of, summarise
from evalwright.services.gating import GateRequest, judge
from evalwright.services.judging import Replies
from evalwright.services.provenance import code_record, environment_record, package_versions
from evalwright.services.run_ids import new_run_id
from evalwright.services.slicing import case_filter
from evalwright.services.sources import RunSource, scorer_record, scorer_resources, suite_hash
from evalwright.services.stopping import stopping_notes, stopping_record
from evalwright.services.tracing import TraceExporter
from evalwright.store.cache import AnswerStore
from evalwright.store.cards import CardStore
from evalwright.store.cases import CaseSelection
from evalwright.store.results import RunStore, Sitting
from evalwright.store.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Where and for whom a run happens.

    Attributes:
        workspace: Where results are kept.
        listeners: Ears of the run.
        clock: Time.
        command: The command line that started it, None from Python.
        started_from: Folder the code version is read from.
        baseline: The run to compare with; None for the suite's baseline, where a rule asks for one.
        until_decided: Stop when every rule of the gate is decided, errors being kept in check in this way.
        traces: Where the run's own traces go; None for nowhere.
        announce: Told before the first call what the run will probably take; None when nobody asks.
    """

    workspace: Workspace
    listeners: tuple[RunListener, ...] = ()
    clock: Clock = field(default_factory=SystemClock)
    command: str | None = None
    started_from: Path = Path()
    baseline: str | None = None
    until_decided: Method | None = None
    traces: TraceExporter | None = None
    announce: Callable[[RunEstimate], None] | None = None

    def ears(self, manifest: Manifest) -> tuple[RunListener, ...]:
        """The listeners of a run, the trace exporter among them."""
        if self.traces is None:
            return self.listeners
        self.traces.on_manifest(manifest)
        return (*self.listeners, self.traces)


def start_run(source: RunSource, context: RunContext) -> Summary:
    """Run a suite from its beginning and keep everything in the workspace.

    Raises:
        ConfigError: The dataset is empty or, when strict, has a bad row.
        UsageError: No case is selected.
        DiskFull: No space is left; what was recorded is kept.
    """
    if context.until_decided is not None:
        baseline = find_baseline(context.workspace, context.baseline, suite=source.name)
        check_decidable(source.rules, has_baseline=baseline is not None)
    prepared = prepare(source.rows, context.workspace.blobs, strict=source.settings.strict, source=source.dataset_name)
    selection = _selection(prepared, source.settings)
    if context.announce is not None:
        context.announce(run_estimate(selection, source, price_table(os.environ)))
    manifest = _manifest(source, prepared, selection, context)
    run = context.workspace.create_run(manifest.run_id)
    run.write_bad_rows(prepared.bad_rows)
    run.write_manifest(manifest)
    run.write_selection(selection)
    context.workspace.catalog.add(manifest)
    return execute(run, source, context)


def estimate_run(source: RunSource, workspace: Workspace) -> RunEstimate:
    """What a run will probably take; nothing is called and no run is made."""
    prepared = prepare(source.rows, workspace.blobs, strict=source.settings.strict, source=source.dataset_name)
    return run_estimate(_selection(prepared, source.settings), source, price_table(os.environ))


def execute(run: RunStore, source: RunSource, context: RunContext, *, retry_errors: bool = False) -> Summary:
    """Do what is left of a run, then seal and summarise it; with `retry_errors`, failed units are run again."""
    watch = watcher(run, gate_request(source, context), context.until_decided, aggregates_of(source.scorers))
    ears = context.ears(run.manifest())
    heard = ears if watch is None else (*ears, watch)
    job = msgspec.structs.replace(_job(run, source, context), retry_errored=retry_errors, listeners=heard)
    outcome = engine.run(job)
    run.add_sitting(Sitting(started_at=outcome.started_at, duration_s=outcome.duration_s, status=outcome.status.value))
    end = _run_end(source, outcome)
    if worth_checking(outcome.status):
        run.seal()
        end = replace(end, notes=(*end.notes, *check_run(run, source, context.workspace.root, now=context.clock.now())))
    return finish(run, source, context, end)


def finish(run: RunStore, source: RunSource, context: RunContext, end: RunEnd) -> Summary:
    """Seal a run's journal and write its summary."""
    run.seal()
    looks = stopping_record(run.folder)
    if looks is not None:
        end = replace(end, notes=(*end.notes, *stopping_notes(looks, run.totals())))
    end = replace(end, notes=(*end.notes, *conversation_notes(run)))
    request = gate_request(source, context)
    summary = summarise(run, lambda f: judge(run, f, request), end, aggregates=aggregates_of(source.scorers))
    summary = with_corrections(summary, run, CardStore(context.workspace.root))
    run.write_summary(summary)
    context.workspace.finish(summary, finished_at=context.clock.now())
    return summary


def gate_request(source: RunSource, context: RunContext) -> GateRequest:
    """What a run of this source is judged by."""
    return GateRequest(workspace=context.workspace, rules=source.rules, baseline=context.baseline, clock=context.clock)


def _selection(prepared: Prepared, settings: RunSettings) -> CaseSelection:
    wanted = case_filter(settings.filter) if settings.filter else None
    return CaseSelection(prepared.case_file, select(prepared.case_file, settings, wanted))


def _manifest(source: RunSource, prepared: Prepared, selection: CaseSelection, context: RunContext) -> Manifest:
    target = source.target.describe()
    now = context.clock.now()
    return Manifest(
        run_id=new_run_id(source.name, now),
        suite=source.name,
        suite_version=source.version,
        suite_hash=suite_hash(source),
        suite_path=None if source.path is None else str(source.path),
        suite_source=source.text,
        target=target,
        target_name=source.target.name,
        target_hash=content_hash(target),
        dataset=_dataset(source, prepared, selection),
        scorers=tuple(map(scorer_record, source.scorers)),
        slices={name: msgspec.to_builtins(spec) for name, spec in source.slices.items()},
        gate=tuple(msgspec.to_builtins(rule) for rule in source.rules),
        settings=source.settings,
        code=code_record(context.started_from),
        packages=package_versions(),
        environment=environment_record(),
        created_at=round(now, 3),
        command=context.command,
        owner=source.owner,
        tier=source.tier,
        runbook=source.runbook,
        description=source.description,
        tags=source.tags,
    )


def _dataset(source: RunSource, prepared: Prepared, selection: CaseSelection) -> DatasetRecord:
    return DatasetRecord(
        source=source.dataset_name,
        digest=prepared.case_file.digest,
        cases=prepared.count,
        selected=len(selection),
        bad_rows=prepared.bad_count,
    )


def _job(run: RunStore, source: RunSource, context: RunContext) -> Job:
    manifest = run.manifest()
    target: Target = source.target
    prices = price_table(os.environ)
    asked = str(target.describe().get("model", ""))
    mode = source.settings.cache
    cache = answer_store(context.workspace, source.settings) if mode is not CacheMode.OFF else None
    return Job(
        run_dir=run.folder,
        cases=run.cases,
        target=target,
        settings=source.settings,
        target_digest=manifest.target_hash,
        scorers=source.scorers,
        resources=scorer_resources(source.scorers),
        listeners=context.listeners,
        cache=cache,
        services={} if cache is None else {"replies": Replies(cache, writes=mode is CacheMode.ON)},
        price=lambda output: prices.cost(output.model or "", output.usage, asked=asked),
        estimate=unit_estimate(run.cases, source, prices),
        clock=context.clock,
        media=context.workspace.blobs,
    )


def answer_store(workspace: Workspace, settings: RunSettings) -> AnswerStore:
    """The workspace's stored answers, those that are not too old."""
    workspace.ensure()
    workspace.cache_dir.mkdir(parents=True, exist_ok=True)
    return AnswerStore(workspace.cache_dir / "answers.db", max_age_s=settings.cache_max_age_s)


def _run_end(source: RunSource, outcome: Outcome) -> RunEnd:
    notes = [*source.warnings]
    if outcome.reason:
        notes.append(outcome.reason)
    notes.extend(f"unreadable journal line, its unit was run again: {line}" for line in outcome.damaged)
    return RunEnd(status=outcome.status, notes=tuple(notes), limits=tuple(map(_limit, outcome.limits)))


def _limit(change: LimitChange) -> dict[str, object]:
    found: dict[str, object] = msgspec.to_builtins(change)
    return found


EXIT_PASS, EXIT_FAIL, EXIT_INCONCLUSIVE, EXIT_INCOMPLETE, EXIT_INTERRUPTED = 0, 1, 3, 4, 130


def exit_code(summary: Summary) -> int:
    """The exit code a finished run asks for (see `docs/reference/errors.md`)."""
    if summary.status is RunStatus.INTERRUPTED:
        return EXIT_INTERRUPTED
    if summary.status in {RunStatus.STOPPED, RunStatus.BUDGET, RunStatus.RUNNING} or too_many_errors(summary):
        return EXIT_INCOMPLETE
    if summary.decision is None:
        return EXIT_PASS
    return {"pass": EXIT_PASS, "fail": EXIT_FAIL}.get(summary.decision.verdict.value, EXIT_INCONCLUSIVE)


def too_many_errors(summary: Summary) -> bool:
    """Whether more units failed for good than the settings allow."""
    totals = summary.totals
    return bool(totals.done) and totals.errored / totals.done > summary.manifest.settings.allowed_errors


def check_settings(settings: RunSettings) -> RunSettings:
    """Refuse settings nobody can mean.

    Raises:
        UsageError: A number is out of range; the message names it.
    """
    limits: Sequence[tuple[str, float, bool]] = (
        ("trials", settings.trials, settings.trials >= 1),
        ("concurrency", settings.concurrency, settings.concurrency >= 1),
        ("workers", settings.workers, settings.workers >= 1),
        ("retries", settings.retries, settings.retries >= 0),
        ("timeout_s", settings.timeout_s, settings.timeout_s > 0),
        ("level", settings.level, 0 < settings.level < 1),
        ("max_errors", settings.max_errors, 0 <= settings.max_errors <= 1),
        ("allowed_errors", settings.allowed_errors, 0 <= settings.allowed_errors <= 1),
    )
    for name, value, fits in limits:
        if not fits:
            raise UsageError(f"`{name}` can't be {value}", hint="see the run settings: evalwright run --help")
    return settings
