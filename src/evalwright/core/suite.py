"""A suite: the cases, how they are judged, how they are reported, and what a release needs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from evalwright.core.case import Case, Json
from evalwright.core.gate import Rule
from evalwright.core.run import RunSettings


class SliceSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How cases are put into named subsets.

    Attributes:
        by: Expression whose value names the subset, e.g. `metadata.locale`; a list puts a case into several.
        when: Expression that is true or false; the subset holds the cases for which it is true.
        min_n: Subsets with fewer scored cases are shown but marked as too small to judge.
    """

    by: str | None = None
    when: str | None = None
    min_n: int = 0


class Suite(msgspec.Struct, frozen=True, kw_only=True):
    """Dataset, scorers, slices and gate of one workflow.

    Attributes:
        name: Name of the suite.
        cases: The cases: a sequence, or any object with `__len__` and `__getitem__` that reads them lazily.
        scorers: Scorers or `BoundScorer`s.
        version: Version as its author gives it.
        slices: By name: a `SliceSpec`, or an expression as a string.
        gate: Rules of the release condition; empty when none is asked.
        settings: How to run it.
        description: What the suite is for.
        owner: Who answers for it.
        tier: 1 (critical) to 3.
        runbook: Where to read what to do when it fails.
        tags: Words given to its runs.
    """

    name: str
    cases: Sequence[Case] | Any = ()
    scorers: Sequence[Any] = ()
    version: str = "1"
    slices: dict[str, SliceSpec | str] = {}
    gate: Sequence[Rule] = ()
    settings: RunSettings = RunSettings()
    description: str = ""
    owner: str | None = None
    tier: int | None = None
    runbook: str | None = None
    tags: tuple[str, ...] = ()


class DatasetSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the cases of a suite come from and how rows become cases.

    Attributes:
        golden: Name of a golden set, instead of a file.
        version: Version of the golden set: number, tag, `latest`, `approved`, beginning of the digest, or date.
        sample: How to draw from the golden set: `size`, `stratify_by`, `seed`; empty for all cases.
        file: Path of a JSONL, JSON, CSV or Parquet file (`.gz` and `.zst` too), relative to the suite file.
        format: `jsonl`, `json`, `csv` or `parquet`; from the file's name when not given.
        cases: Rows written into the suite itself, instead of a file.
        fields: Which column or dotted path feeds which field of a case: `id`, `input`, `expected`, `cluster`, `tags`;
            a mapping as value builds an object (`input: {question: q, locale: lang}`). What is not mapped becomes
            metadata.
        public: Metadata keys a target may see.
        source: The suite file, for messages.
        line: Line of the dataset section, 0 when unknown.
    """

    file: str | None = None
    format: str | None = None
    cases: tuple[Json, ...] = ()
    fields: dict[str, Json] = {}
    public: tuple[str, ...] = ()
    source: str = ""
    line: int = 0
    golden: str | None = None
    version: str = "latest"
    sample: dict[str, Json] = {}
