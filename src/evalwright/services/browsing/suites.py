"""The registry of suites: who answers for each, and what is missing before it can carry a release."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from evalwright.core.run import Manifest
from evalwright.services.baselines import BASELINE
from evalwright.services.browsing.browser import Browser
from evalwright.services.browsing.overview import finished, latest_runs
from evalwright.store.catalog import RunEntry, RunFilter


class SuiteRow(msgspec.Struct, frozen=True, kw_only=True):
    """A suite as the registry shows it.

    Attributes:
        name: Name.
        file: The suite file, relative to where the latest run was started; None for a suite in Python.
        version: Version as its author gave it.
        owner: Who answers for it; None when nobody said.
        tier: 1 (critical) to 3; None when nobody said.
        runbook: What to do when its gate fails; None when there is none.
        description: What it is for.
        thresholds: Whether it has a gate with a blocking rule.
        complete: Whether nothing is missing.
        missing: What is, in words.
        dataset: Where its cases come from.
        metrics: What it measures.
        targets: Targets it was run on, latest first.
        last_run_at: When the latest run was started.
        last_run: That run.
        verdict: Verdict of the latest finished run's gate.
        runs: How often it was run.
        baseline: Its baseline run.
    """

    name: str
    file: str | None = None
    version: str = ""
    owner: str | None = None
    tier: int | None = None
    runbook: str | None = None
    description: str = ""
    thresholds: bool = False
    complete: bool = False
    missing: tuple[str, ...] = ()
    dataset: str | None = None
    metrics: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    last_run_at: float | None = None
    last_run: str | None = None
    verdict: str | None = None
    runs: int = 0
    baseline: str | None = None


def list_suites(browser: Browser) -> list[SuiteRow]:
    """Every suite that was ever run here, most critical first."""
    catalog = browser.workspace.catalog
    baselines = {alias.suite: alias.run_id for alias in catalog.aliases() if alias.name == BASELINE}
    rows = [_row(browser, suite, baselines.get(suite)) for suite in catalog.suites()]
    return sorted(rows, key=lambda row: (row.tier or 9, row.name))


def _row(browser: Browser, suite: str, baseline: str | None) -> SuiteRow:
    catalog = browser.workspace.catalog
    entries = latest_runs(browser, suite)
    try:
        manifest = catalog.manifest(entries[0].run_id) if entries else None
    except msgspec.MsgspecError:
        manifest = None
    total = catalog.page(RunFilter(suite=suite), limit=1).total
    bare = _bare(suite, entries, total)
    if manifest is None:
        return msgspec.structs.replace(bare, missing=("a manifest that can be read",))
    missing = tuple(missing_of(manifest, has_baseline=baseline is not None))
    return msgspec.structs.replace(
        bare,
        file=manifest.suite_path,
        version=manifest.suite_version,
        owner=manifest.owner,
        tier=manifest.tier,
        runbook=manifest.runbook,
        description=manifest.description,
        thresholds=_blocks(manifest),
        complete=not missing,
        missing=missing,
        dataset=manifest.dataset.source if manifest.dataset else None,
        metrics=tuple(scorer.metric for scorer in manifest.scorers),
        baseline=baseline,
    )


def _bare(suite: str, entries: Sequence[RunEntry], runs: int) -> SuiteRow:
    """What the catalog knows without the manifest."""
    done = finished(entries)
    return SuiteRow(
        name=suite,
        targets=tuple(dict.fromkeys(entry.target for entry in entries)),
        last_run_at=entries[0].created_at if entries else None,
        last_run=entries[0].run_id if entries else None,
        verdict=done[0].decision if done else None,
        runs=runs,
    )


def _blocks(manifest: Manifest) -> bool:
    return any(isinstance(rule, dict) and rule.get("severity", "block") == "block" for rule in manifest.gate)


def missing_of(manifest: Manifest, *, has_baseline: bool) -> Iterator[str]:
    """What a suite lacks before it can carry a release; a runbook is asked of Tier 1 and 2 only."""
    if not manifest.owner:
        yield "an owner"
    if manifest.tier is None:
        yield "a tier"
    if not manifest.runbook and (manifest.tier or 3) < 3:
        yield "a runbook"
    if not _blocks(manifest):
        yield "a gate with a blocking rule"
    if manifest.dataset is not None and "@v" not in manifest.dataset.source:
        yield "cases from a version of a golden set"
    versus = any(isinstance(rule, dict) and rule.get("versus") for rule in manifest.gate)
    if versus and not has_baseline:
        yield "a baseline run, which its gate compares with"
