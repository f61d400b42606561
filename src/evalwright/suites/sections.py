"""The shape of a suite file. These models are also the source of its JSON Schema."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from evalwright.core.gate import Verdict
from evalwright.core.run import RunSettings
from evalwright.suites.quantities import bound, budget, duration, share

_DEFAULTS = RunSettings()
_DURATION_SCHEMA = {"type": ["number", "string"], "description": "Seconds, or `500ms`, `30s`, `2m`, `1h30m`."}


def _as_tuple(value: Any) -> Any:
    """One word is a list of one; a list is a tuple already, as strict models want it after a function."""
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


Name = Annotated[str, Field(min_length=1, max_length=200)]
Duration = Annotated[float, BeforeValidator(duration), Field(gt=0), WithJsonSchema(_DURATION_SCHEMA)]
Share = Annotated[
    float, BeforeValidator(share), WithJsonSchema({"type": ["number", "string"], "examples": [0.05, "5%"]})
]
Level = Annotated[float, BeforeValidator(share), Field(gt=0.5, lt=1), WithJsonSchema({"type": ["number", "string"]})]
Bound = Annotated[float, BeforeValidator(bound), WithJsonSchema({"type": ["number", "string"]})]
Words = Annotated[
    tuple[Name, ...],
    BeforeValidator(_as_tuple),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]}),
]


class Section(BaseModel):
    """Base of every part of a suite file: unknown keys are refused, values keep their kinds."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class SampleSection(Section):
    """A sample of a golden set, the same for the same seed and version."""

    size: int = Field(ge=1, description="Cases to draw.")
    stratify_by: Words = Field((), description="Metadata keys or paths; each combination keeps its share.")
    seed: int = Field(0, ge=0, le=2**63 - 1, description="Seed of the draw.")


class DatasetSection(Section):
    """Where the cases come from: a file, a golden set, or cases written here."""

    golden: Name | None = Field(
        None, description="A golden set of the workspace: `evalwright dataset list` shows them."
    )
    version: str | int | None = Field(
        None, description="Of the golden set: number, tag, `latest`, `approved`, digest, or date. `latest` by default."
    )
    sample: SampleSection | None = Field(None, description="Draw from the golden set.")

    file: str | None = Field(None, description="A JSONL, JSON, CSV or Parquet file, relative to the suite file.")
    format: Literal["jsonl", "json", "csv", "parquet"] | None = Field(
        None, description="Format of the file; from its name when not given."
    )
    cases: tuple[Any, ...] | None = Field(None, description="Cases written into the suite file.")
    fields: dict[str, Any] = Field(
        default_factory=dict,
        description="Which column or dotted path feeds `id`, `input`, `expected`, `cluster`, `tags`; a mapping builds "
        "an object.",
    )
    public: Words = Field((), description="Metadata keys a target may see.")


class SliceSection(Section):
    """Named subsets of the cases: by a value, or by a condition."""

    by: str | None = Field(None, description="Path or expression whose value names the subset, e.g. `metadata.locale`.")
    when: str | None = Field(None, description="Condition, e.g. `length(input) > 800`.")
    min_n: int = Field(0, ge=0, description="Fewer scored cases than this are marked as too few to judge.")


class BudgetSection(Section):
    """Hard caps of a run; judge calls count."""

    cost: float | None = Field(None, gt=0, description="In US dollars.")
    tokens: int | None = Field(None, gt=0)
    calls: int | None = Field(None, gt=0)
    minutes: float | None = Field(None, gt=0)


def _budget(value: Any) -> Any:
    """Leave a mapping to its model, read anything else."""
    return value if isinstance(value, dict) else msgspec.to_builtins(budget(value))


BudgetOption = Annotated[
    BudgetSection,
    BeforeValidator(_budget),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["number", "string"], "examples": ["20 USD", "2M tokens", "500 calls", "30 min"]},
                BudgetSection.model_json_schema(),
            ]
        }
    ),
]


class RunSection(Section):
    """How the suite is run; command-line options win."""

    trials: int = Field(_DEFAULTS.trials, ge=1, description="Repetitions of each case.")
    concurrency: int = Field(_DEFAULTS.concurrency, ge=1, le=100_000, description="Cases in flight, per process.")
    workers: int = Field(_DEFAULTS.workers, ge=1, le=1_024, description="Processes.")
    seed: int = Field(_DEFAULTS.seed, ge=0, le=2**63 - 1, description="Seed of the order and of sampling.")
    retries: int = Field(_DEFAULTS.retries, ge=0, le=100, description="Further attempts where one may succeed.")
    timeout: Duration = Field(_DEFAULTS.timeout_s, description="Time one attempt may take, e.g. `30s`.")
    limit: int | None = Field(None, ge=1, description="Only this many cases, a seeded random sample.")
    max_errors: Share = Field(_DEFAULTS.max_errors, description="Stop when more than this share failed for good.")
    allowed_errors: Share = Field(_DEFAULTS.allowed_errors, description="Share of failed cases a run may end with.")
    budget: BudgetOption | None = Field(
        None, description="A hard cap, e.g. `20 USD`, `500 calls`, or a mapping of caps."
    )
    cache: Literal["off", "read", "on"] = Field("off", description="Use of stored answers of earlier runs.")
    cache_max_age: Duration | None = Field(None, description="Stored answers older than this are not used, e.g. `7d`.")
    strict: bool = Field(_DEFAULTS.strict, description="A bad dataset row is fatal.")
    level: Level = Field(_DEFAULTS.level, description="Confidence level of the intervals shown.")
    tags: Words = Field((), description="Only cases with one of these tags.")
    filter: str | None = Field(None, description="Only cases for which this expression is true.")


class NewlySection(Section):
    """Which newly failing cases count; what is not given does not matter."""

    severity: Words = Field((), description="Only row verdicts of scorers of these severities, e.g. `block`.")
    scorers: Words = Field((), description="Only row verdicts of these metrics.")
    tags: Words = Field((), description="Only cases with one of these tags.")


class CalibratedSection(Section):
    """What the card of a judge must show."""

    figure: Name = Field("agreement", description="A figure of the card: agreement, kappa, sensitivity, specificity.")
    at_least: Bound | None = Field(None, description="It must surely not be below this.")
    max_age: Duration | None = Field(None, description="The card must not be older, e.g. `90d`.")


class RuleSection(Section):
    """One rule of the gate: a metric and exactly one bound."""

    model_config = ConfigDict(
        json_schema_extra={"anyOf": [{"required": ["metric"]}, {"required": ["newly_failing"]}]},
    )

    metric: Name = Field("", description="Name of a metric of this suite, or errors, cost, latency, input_tokens.")
    newly_failing: NewlySection | None = Field(
        None, description="Instead of a metric: count the cases that passed in the baseline and fail now."
    )
    at_least: Bound | None = Field(None, description="The metric must not be below this.")
    at_most: Bound | None = Field(None, description="The metric must not be above this.")
    versus: Literal["baseline"] | None = Field(None, description="Compare with the baseline run, case by case.")
    max_drop: Bound | None = Field(None, ge=0, description="How much worse than the baseline it may be.")
    min_gain: Bound | None = Field(None, ge=0, description="How much better than the baseline it must be.")
    calibrated: Literal[True] | CalibratedSection | None = Field(
        None, description="Instead of a bound: the metric's judge was measured against people's labels."
    )
    confidence: Level = Field(0.95, description="One-sided confidence the verdict must have.")
    slice: str | dict[str, Any] | None = Field(None, description="A slice of the suite, e.g. `{ locale: de }`.")
    statistic: Literal["mean", "p50", "p90", "p95", "p99"] = Field("mean", description="A percentile for quantities.")
    min_n: int = Field(0, ge=0, description="Fewer scored cases than this are inconclusive.")
    severity: Literal["block", "warn"] = Field("block", description="`warn` is shown and decides nothing.")
    within_margin: Verdict = Field(Verdict.PASS, description="Verdict when surely worse, but within `max_drop`.")
    regressed: Verdict = Field(Verdict.FAIL, description="Verdict when surely worse, by how much being unclear.")
    waivable: bool = Field(True, description="Whether a waiver may set the rule aside.")
    name: str = Field("", description="Name of the rule in reports.")


class ScorerKeys(Section):
    """Keys every scorer takes beside its own options."""

    as_: Name | None = Field(None, alias="as", description="Name of the metric.")
    weight: float | None = Field(None, gt=0, description="Share in the metric `overall`.")
    not_: bool = Field(False, alias="not", description="Turn the verdict round.")
    severity: Literal["block", "high", "medium", "low"] | None = Field(None, description="How grave a failed row is.")
    threshold: float | None = Field(None, description="Value from which a row passes.")


class SuiteSection(Section):
    """An evaluation: cases, the system under test, how answers are judged, and what a release needs."""

    suite: Name = Field(description="Name of the suite.")
    version: str | int | float = Field("1", description="Version, as you like to write it.")
    description: str = Field("", description="What the suite is for.")
    owner: str | None = Field(None, description="Who answers for it.")
    tier: Annotated[int, Field(ge=1, le=3)] | None = Field(None, description="1 (critical) to 3.")
    runbook: str | None = Field(None, description="Where to read what to do when it fails.")
    tags: Words = Field((), description="Words given to its runs.")
    target: Any = Field(None, description="The system under test.")
    dataset: Any = Field(description="The cases.")
    slices: dict[str, Any] = Field(default_factory=dict, description="Named subsets that are reported on their own.")
    scorers: list[Any] = Field(default_factory=list, description="How each answer is judged.")
    run: Any = Field(default_factory=dict, description="How the suite is run.")
    gate: Any = Field(default_factory=list, description="What a release needs.")
    policy: str | None = Field(None, description="A file with the gate's rules, instead of `gate`.")
