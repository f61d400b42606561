"""Going on with a run that was interrupted, killed, or stopped by its budget."""

from __future__ import annotations

import msgspec

from evalwright.core.errors import UsageError
from evalwright.core.identity import content_hash
from evalwright.core.result import Summary
from evalwright.core.run import Manifest, RunStatus
from evalwright.services.evaluation import RunContext, execute
from evalwright.services.overrides import Overrides
from evalwright.services.sources import RunSource, scorer_record
from evalwright.store.catalog import RunFilter
from evalwright.store.results import RunStore

UNFINISHED = frozenset({RunStatus.RUNNING, RunStatus.INTERRUPTED, RunStatus.BUDGET, RunStatus.STOPPED})


def changes(manifest: Manifest, source: RunSource) -> list[str]:
    """What of a suite differs from what the run was started with, in words; empty when nothing does."""
    found: list[str] = []
    target = source.target.describe()
    if content_hash(target) != manifest.target_hash:
        found.append(f"the target ({_differing(manifest.target, target)})")
    before = {record.metric: record.digest for record in manifest.scorers}
    now = {record.metric: record.digest for record in map(scorer_record, source.scorers)}
    found.extend(f"the scorer `{name}` is gone" for name in before if name not in now)
    found.extend(f"the scorer `{name}` is new" for name in now if name not in before)
    found.extend(f"the scorer `{name}` changed" for name in now if before.get(name, now[name]) != now[name])
    if manifest.slices != {name: msgspec.to_builtins(spec) for name, spec in source.slices.items()}:
        found.append("the slices")
    if manifest.gate != tuple(msgspec.to_builtins(rule) for rule in source.rules):
        found.append("the gate")
    return found


def _differing(before: dict[str, object], now: dict[str, object]) -> str:
    keys = [key for key in sorted({*before, *now}) if before.get(key) != now.get(key)]
    return ", ".join(f"`{key}`" for key in keys[:5]) or "its content"


def resume_run(
    run: RunStore,
    source: RunSource,
    context: RunContext,
    *,
    overrides: Overrides | None = None,
    accept_changes: bool = False,
    retry_errors: bool = False,
) -> Summary:
    """Do what is left of a run. Every recorded unit is kept; only the rest is run.

    Args:
        run: The run.
        source: Its suite; cases and settings are those the run was started with.
        context: Where and for whom.
        overrides: Settings that may change between sittings: concurrency, budget, retries, timeout.
        accept_changes: Go on although the suite or target has changed.
        retry_errors: Run units again that failed for good.

    Raises:
        UsageError: The suite has changed and that was not accepted.
        RunBusy: Another process works on the run.
    """
    manifest = run.manifest()
    changed = changes(manifest, source)
    if changed and not accept_changes:
        raise UsageError(
            f"since the run {run.run_id} was started, this has changed: {'; '.join(changed)}",
            hint="`evalwright run` starts anew; `evalwright resume --accept-changes` mixes old and new answers",
        )
    settings = manifest.settings
    if overrides is not None:
        settings = msgspec.structs.replace(settings, **overrides.given())
    warnings = (*source.warnings, *(f"resumed with changes: {change}" for change in changed))
    again = msgspec.structs.replace(source, settings=settings, warnings=warnings)
    return execute(run, again, context, retry_errors=retry_errors)


def unfinished_like(source: RunSource, context: RunContext) -> str | None:
    """Id of the newest unfinished run of this suite on this target with these settings; None when there is none."""
    if not context.workspace.root.is_dir():
        return None
    wanted = RunFilter(suite=source.name, target=source.target.name)
    for entry in context.workspace.catalog.runs(wanted, limit=5):
        if entry.status in UNFINISHED and entry.done < entry.units:
            manifest = context.workspace.catalog.manifest(entry.run_id)
            same = manifest is not None and not changes(manifest, source) and manifest.settings == source.settings
            if same:
                return entry.run_id
    return None
