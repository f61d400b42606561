"""The baseline of a suite: the run that later ones are compared with."""

from __future__ import annotations

from evalwright.core.errors import UsageError
from evalwright.store.catalog import Alias, RunEntry
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace

BASELINE = "baseline"
"""Name of the alias that marks a suite's baseline run."""


def set_baseline(workspace: Workspace, reference: str, *, name: str = BASELINE) -> Alias:
    """Make a run the baseline of its suite; the former one loses the name.

    Args:
        workspace: Where the runs are.
        reference: The run, as `Catalog.find` takes it.
        name: Another name than `baseline`, such as `release-7`.

    Raises:
        UsageError: There is no such run, it has no figures, or the name can't be one.
    """
    entry = workspace.catalog.find(reference)
    if workspace.run(entry.run_id).summary() is None:
        raise UsageError(f"the run {entry.run_id} has no figures yet", hint=f"evalwright resume {entry.run_id}")
    return workspace.catalog.set_alias(name, entry.run_id, suite=entry.suite)


def baselines(workspace: Workspace) -> list[tuple[Alias, RunEntry | None]]:
    """All named runs with what the catalog knows of them; None for a run that is gone."""
    return [(alias, workspace.catalog.get(alias.run_id)) for alias in workspace.catalog.aliases()]


def baseline_id(workspace: Workspace, reference: str | None, *, suite: str) -> str | None:
    """Id of a named baseline run, before the run that is compared with it exists; None when none is named.

    Raises:
        UsageError: As `find_baseline`.
    """
    found = None if reference is None else find_baseline(workspace, reference, suite=suite)
    return None if found is None else found.run_id


def find_baseline(workspace: Workspace, reference: str | None, *, suite: str, not_run: str = "") -> RunStore | None:
    """The run to compare with: the one named, else the suite's baseline, else none.

    Args:
        workspace: Where the runs are.
        reference: A run as `Catalog.find` takes it; `latest` is the suite's latest. None for the suite's baseline.
        suite: Name of the suite that is judged.
        not_run: Id of the run that is judged, which can't be its own baseline unless it is named so.

    Raises:
        UsageError: There is no such run, it has no figures, or it is the run that is judged.
    """
    catalog = workspace.catalog
    if reference is None:
        alias = catalog.alias(BASELINE, suite=suite)
        return None if alias is None or alias.run_id == not_run else workspace.run(alias.run_id)
    entry = catalog.find(reference, suite=suite)
    if entry.run_id == not_run:
        raise UsageError(f"the run {not_run} can't be its own baseline", hint="name an earlier run")
    store = workspace.run(entry.run_id)
    if store.summary() is None:
        raise UsageError(f"the baseline run {entry.run_id} has no figures yet", hint="name a finished run")
    return store
