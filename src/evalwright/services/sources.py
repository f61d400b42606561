"""What there is to run: a suite file or a Python suite, brought to one shape."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from evalwright.core.case import BadRow, Case
from evalwright.core.component import Bindable, BindContext
from evalwright.core.errors import UsageError
from evalwright.core.gate import Rule
from evalwright.core.identity import content_hash, short_hash
from evalwright.core.run import RunSettings, ScorerRecord
from evalwright.core.scorer import BoundScorer, Scorer
from evalwright.core.suite import SliceSpec, Suite
from evalwright.core.target import Target


class RunSource(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a run is made from, whichever way the suite was written.

    Attributes:
        name: Name of the suite.
        version: Version as its author gives it.
        rows: Cases and bad rows, read once.
        dataset_name: The dataset's file, or `inline`, for messages and the manifest.
        scorers: Scorers with their metrics.
        slices: Slice definitions by name.
        rules: The gate.
        settings: How to run.
        target: The system under test.
        public: Metadata keys the target may see.
        path: The suite file, None for a Python suite.
        text: The suite file's text, None for a Python suite.
        owner: Who answers for the suite.
        tier: 1 (critical) to 3.
        runbook: Where to read what to do when it fails.
        description: What the suite is for.
        tags: Words given to the run.
        warnings: What a reader of the run should know about the suite file.
    """

    name: str
    rows: Iterable[Case | BadRow]
    target: Any
    version: str = "1"
    dataset_name: str = "inline"
    scorers: tuple[BoundScorer, ...] = ()
    slices: dict[str, SliceSpec] = {}
    rules: tuple[Rule, ...] = ()
    settings: RunSettings = RunSettings()
    path: Path | None = None
    text: str | None = None
    owner: str | None = None
    tier: int | None = None
    runbook: str | None = None
    description: str = ""
    tags: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def from_suite(suite: Suite, target: Target, settings: RunSettings | None = None) -> RunSource:
    """A suite with the target it runs against.

    Raises:
        UsageError: There are no scorers, a scorer follows no protocol, or two share a metric's name.
    """
    return RunSource(
        name=suite.name,
        version=str(suite.version),
        rows=suite.cases,
        target=target,
        scorers=bound_scorers(suite.scorers),
        slices={name: as_slice(spec) for name, spec in suite.slices.items()},
        rules=tuple(suite.gate),
        settings=settings or suite.settings,
        owner=suite.owner,
        tier=suite.tier,
        runbook=suite.runbook,
        description=suite.description,
        tags=suite.tags,
    )


def as_slice(spec: SliceSpec | str) -> SliceSpec:
    """A slice given as an expression, or already as a definition."""
    return SliceSpec(by=spec) if isinstance(spec, str) else spec


def bound_scorers(scorers: Iterable[Any]) -> tuple[BoundScorer, ...]:
    """Scorers with the names of their metrics; the scorer's own name unless it is bound already.

    Raises:
        UsageError: A scorer follows no protocol, or two share a metric's name.
    """
    bound = tuple(_bound(scorer) for scorer in scorers)
    seen: set[str] = set()
    for item in bound:
        if item.metric in seen:
            raise UsageError(
                f"two scorers make the metric `{item.metric}`",
                hint="give one another name: `as: NAME` in a suite file, BoundScorer(scorer=…, metric=NAME) in Python",
            )
        seen.add(item.metric)
    return bound


def _bound(scorer: Any) -> BoundScorer:
    if isinstance(scorer, BoundScorer):
        return scorer
    if isinstance(scorer, type):
        raise UsageError(f"{scorer.__name__} is a class", hint=f"make a scorer of it: {scorer.__name__}()")
    if isinstance(scorer, Bindable):
        bound = scorer.bind(BindContext(base_dir=Path(), environment=os.environ))
        return BoundScorer(scorer=bound, metric=bound.info.name)
    if not isinstance(scorer, Scorer):
        raise UsageError(
            f"{scorer!r} is no scorer",
            hint='decorate a function with @scorer("name"), or give a class `info`, `score` and `describe`',
        )
    return BoundScorer(scorer=scorer, metric=scorer.info.name)


def scorer_record(bound: BoundScorer) -> ScorerRecord:
    """A scorer as the manifest names it; its digest changes when its version or options do."""
    info = bound.info
    options = bound.scorer.describe()
    return ScorerRecord(
        metric=bound.metric,
        name=info.name,
        version=info.version,
        digest=short_hash([info.name, info.version, options, bound.negate, bound.threshold]),
        kind=info.kind.value,
        options=options,
        low=info.low,
        high=info.high,
        higher_is_better=info.higher_is_better,
        unit=info.unit,
        weight=bound.weight,
        negate=bound.negate,
        severity=bound.severity,
        threshold=bound.threshold,
    )


def scorer_resources(scorers: Iterable[BoundScorer]) -> tuple[Any, ...]:
    """The scorers that hold connections: those with `open` and `close`, such as judges."""
    names = ("open", "close")
    return tuple(b.scorer for b in scorers if all(callable(getattr(b.scorer, name, None)) for name in names))


def suite_hash(source: RunSource) -> str:
    """Content hash of what decides a suite's figures: scorers, slices, gate, trials; not the target or the data."""
    return content_hash(
        {
            "name": source.name,
            "scorers": [[r.metric, r.digest, r.weight] for r in map(scorer_record, source.scorers)],
            "slices": source.slices,
            "gate": source.rules,
            "trials": source.settings.trials,
        }
    )
