"""A run: its settings, its manifest, and the record of each unit of work."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from evalwright.core.case import Json
from evalwright.core.output import Output, Usage
from evalwright.core.score import Score


class RunStatus(StrEnum):
    """Where a run stands."""

    RUNNING = "running"
    COMPLETE = "complete"
    INTERRUPTED = "interrupted"
    """Stopped by a person or a signal; can be resumed."""
    STOPPED = "stopped"
    """Stopped by a rule of its own: too many errors."""
    BUDGET = "budget"
    """Stopped by its budget; can be resumed with more."""
    DECIDED = "decided"
    """Stopped early because every gate rule was decided."""


class CacheMode(StrEnum):
    """Use of stored answers of earlier runs."""

    OFF = "off"
    READ = "read"
    ON = "on"


class Budget(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hard caps of a run; None means no cap. Judge calls count."""

    cost: float | None = None
    tokens: int | None = None
    calls: int | None = None
    minutes: float | None = None


class RunSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How a suite is run. The command line, suite files and Python all end in this one record.

    Attributes:
        trials: Repetitions of each case.
        concurrency: Units of work in flight at once, per process.
        workers: Processes.
        seed: Seed of the order of work and of the targets' own seeds.
        retries: Further attempts after one that may succeed next time.
        timeout_s: Seconds one attempt may take in all.
        limit: Use only this many cases (a seeded random sample), None for all.
        max_errors: Stop when more than this share of the units failed for good (looked at from 50 units on).
        allowed_errors: Share of errored cases above which a finished run counts as incomplete (exit code 4).
        budget: Hard caps.
        cache: Use of stored answers.
        cache_max_age_s: Stored answers older than this many seconds are not used; None for any age.
        strict: A bad dataset row is fatal.
        level: Confidence level of the intervals shown.
        tags: Only cases with one of these tags.
        filter: Only cases for which this expression is true.
        public: Metadata keys a target may see.
    """

    trials: int = 1
    concurrency: int = 32
    workers: int = 1
    seed: int = 0
    retries: int = 3
    timeout_s: float = 120.0
    limit: int | None = None
    max_errors: float = 0.9
    allowed_errors: float = 0.0
    budget: Budget = Budget()
    cache: CacheMode = CacheMode.OFF
    cache_max_age_s: float | None = None
    strict: bool = False
    level: float = 0.95
    tags: tuple[str, ...] = ()
    filter: str | None = None
    public: tuple[str, ...] = ()


class Attempt(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One failed try at a unit: what went wrong and how long was waited before the next.

    Attributes:
        kind: `timeout`, `rate_limit`, `server`, `connection`, `malformed`, `refused`, `exception`, …
        message: What was seen, at most 2,000 characters.
        status: HTTP status where there was one.
        duration_s: Seconds the try took.
        waited_s: Seconds waited after it.
    """

    kind: str
    message: str = ""
    status: int | None = None
    duration_s: float = 0.0
    waited_s: float = 0.0


class Failure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Why a unit has no output: the last attempt's kind and message."""

    kind: str
    message: str = ""
    status: int | None = None


class UnitRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One completed unit of work, as the journal keeps it: answered with scores, or failed with its history.

    Attributes:
        case_id: Id of the case.
        case_hash: Content hash of the case.
        trial: Which repetition, from 0.
        position: Place in the seeded order of work, so that a prefix of the plan can be told.
        output: The answer, None when every attempt failed.
        error: Why there is no answer.
        scores: By metric; empty when there is no answer.
        attempts: Failed tries, oldest first.
        started_at: Seconds since the epoch.
        duration_s: Wall seconds of the unit, waits included.
        calls: Calls sent to the target (0 for a cache hit or a recorded answer).
        cached: The answer came from the cache.
        judge_calls: Calls the judges sent, retries included.
        judge_usage: Tokens of the judges.
        judge_cost: Cost of the judges.
    """

    case_id: str
    case_hash: str
    trial: int = 0
    position: int = 0
    output: Output | None = None
    error: Failure | None = None
    scores: dict[str, Score] = {}
    attempts: tuple[Attempt, ...] = ()
    started_at: float = 0.0
    duration_s: float = 0.0
    calls: int = 0
    cached: bool = False
    judge_calls: int = 0
    judge_usage: Usage | None = None
    judge_cost: float | None = None


class ScorerRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A scorer as the manifest names it."""

    metric: str
    name: str
    version: str
    digest: str
    kind: str = "mean"
    options: dict[str, Json] = {}
    low: float | None = 0.0
    high: float | None = 1.0
    higher_is_better: bool | None = True
    unit: str = ""
    weight: float | None = None
    negate: bool = False
    severity: str | None = None
    threshold: float | None = None


class DatasetRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The cases a run used: where from, which content, how many, and what was set aside."""

    source: str
    digest: str
    cases: int
    selected: int
    bad_rows: int = 0
    version: str | None = None


class CodeRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The code a run was started from: git commit and whether the tree had changes; None outside git."""

    commit: str | None = None
    dirty: bool | None = None
    branch: str | None = None


class Manifest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything needed to repeat a run; written before the first call.

    Attributes:
        run_id: Name of the run, sortable by time.
        suite: Name of the suite.
        suite_version: Version as its author gave it.
        suite_hash: Content hash of the suite (scorers, slices, gate, settings).
        suite_path: The suite file relative to where the run was started, None for a Python suite.
        suite_source: The suite file's text, None for a Python suite.
        target: The target's `describe()`.
        target_name: Short name of the target.
        target_hash: Content hash of `target`.
        dataset: The cases.
        scorers: The scorers with versions and digests.
        slices: Slice definitions by name.
        gate: Rules of the gate.
        settings: The settings in force.
        code: Commit of the working directory.
        packages: Versions of Evalwright, Python and the packages it stands on.
        environment: Platform, processor count, host-independent facts.
        created_at: Seconds since the epoch.
        command: The command line, None from Python.
        tags: Words given to the run.
    """

    run_id: str
    suite: str
    suite_version: str = ""
    suite_hash: str = ""
    suite_path: str | None = None
    suite_source: str | None = None
    target: dict[str, Json] = {}
    target_name: str = ""
    target_hash: str = ""
    dataset: DatasetRecord | None = None
    scorers: tuple[ScorerRecord, ...] = ()
    slices: dict[str, Json] = {}
    gate: tuple[Json, ...] = ()
    settings: RunSettings = RunSettings()
    code: CodeRecord = CodeRecord()
    packages: dict[str, str] = {}
    environment: dict[str, Json] = {}
    created_at: float = 0.0
    command: str | None = None
    owner: str | None = None
    tier: int | None = None
    runbook: str | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    format: int = 1


class Totals(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Counts of a run, always recomputed from its rows.

    Attributes:
        units: Units planned (cases times trials).
        done: Units recorded.
        answered: Units with an output.
        errored: Units that failed for good.
        calls: Calls sent to the target, retries included.
        retries: Attempts that failed and were repeated or given up.
        cached: Units answered from the cache.
        usage: Tokens of the target; answers from the cache cost nothing and are left out.
        cost: Cost of the target, likewise; None when unknown.
        judge_usage: Tokens of the judges.
        judge_cost: Cost of the judges, None when there are none.
        duration_s: Wall seconds, the sum over sittings.
        models: Models as answered, with counts.
    """

    units: int = 0
    done: int = 0
    answered: int = 0
    errored: int = 0
    calls: int = 0
    retries: int = 0
    cached: int = 0
    usage: Usage = Usage()
    cost: float | None = None
    judge_usage: Usage = Usage()
    judge_cost: float | None = None
    duration_s: float = 0.0
    models: dict[str, int] = {}
