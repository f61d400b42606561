"""What happens in a project, found by looking: finished runs, changed gates, waivers that end, sets that grow old.

Runs may come from anywhere (a schedule, an upload, somebody's terminal on the same workspace), so that looking at the
catalog is what finds them all. Each event is told once, also with several servers.
"""

from __future__ import annotations

from collections.abc import Iterator

from evalwright.core.run import RunStatus
from evalwright.services.golden import Goldens
from evalwright.services.notifying import Event, publish
from evalwright.store.catalog import RunEntry, RunFilter
from evalwright.store.governance import DAY_S, waivers
from evalwright.store.webhooks import WebhookStore
from evalwright.store.workspace import Workspace

NEWEST = 200
"""Runs looked at each time."""

WARN_S = 3 * 86_400.0
"""How long before its end a waiver is warned of."""


def look(store: WebhookStore, project: str, workspace: Workspace, *, now: float) -> list[Event]:
    """Find and queue what is new in a project since the last look; the first look only notes how things stand."""
    since = store.notice(f"watch:{project}")
    if since is None:
        since = str(now)
        if store.first_notice(f"watch:{project}", now, since):
            _note_gates(store, project, workspace, now)
    found = [
        *_runs(store, project, workspace, float(since), now),
        *_waivers(store, project, workspace, now),
        *_sets(store, project, workspace, now),
    ]
    for event in found:
        publish(store, event)
    return found


def _note_gates(store: WebhookStore, project: str, workspace: Workspace, now: float) -> None:
    """Note the verdict of each suite's newest decided run, so that the next one can differ from it."""
    for entry in sorted(workspace.catalog.runs(RunFilter(), limit=NEWEST), key=_ended):
        if entry.decision is not None and entry.finished_at is not None:
            store.note(f"gate:{project}:{entry.suite}", _mark(entry), now)


def _ended(entry: RunEntry) -> float:
    return entry.finished_at or 0.0


def _mark(entry: RunEntry) -> str:
    return f"{_ended(entry):.3f} {entry.decision}"


def _runs(store: WebhookStore, project: str, workspace: Workspace, since: float, now: float) -> Iterator[Event]:
    entries = workspace.catalog.runs(RunFilter(), limit=NEWEST)
    for entry in sorted(entries, key=_ended):
        if entry.status is RunStatus.RUNNING or entry.finished_at is None or entry.finished_at < since:
            continue
        if store.first_notice(f"run:{project}:{entry.run_id}", now):
            yield _finished(project, entry, now)
        if entry.decision is not None:
            yield from _gate(store, project, entry, now)


def _finished(project: str, entry: RunEntry, now: float) -> Event:
    verdict = entry.decision or "no gate"
    text = f"{entry.done:,} of {entry.units:,} units, {entry.errored:,} failed; target {entry.target}"
    return Event(
        type="run.finished",
        project=project,
        at=now,
        title=f"{entry.suite}: run finished, {verdict}",
        text=text,
        data={"suite": entry.suite, "run_id": entry.run_id, "verdict": entry.decision, "status": entry.status.value},
        path=f"/p/{project}/runs/{entry.run_id}",
    )


def _gate(store: WebhookStore, project: str, entry: RunEntry, now: float) -> Iterator[Event]:
    """The gate of a suite, when its verdict differs from the one before; a waiver may change that of a run itself."""
    key = f"gate:{project}:{entry.suite}"
    if not store.first_notice(f"{key}:{entry.run_id}:{entry.decision}", now):
        return
    at, _, was = (store.notice(key) or "0 ").partition(" ")
    if float(at) > round(_ended(entry), 3):
        return
    store.note(key, _mark(entry), now)
    if was and was != entry.decision:
        yield Event(
            type="gate.changed",
            project=project,
            at=now,
            title=f"{entry.suite}: gate went from {was} to {entry.decision}",
            data={"suite": entry.suite, "run_id": entry.run_id, "verdict": entry.decision, "before": was},
            path=f"/p/{project}/runs/{entry.run_id}",
        )


def _waivers(store: WebhookStore, project: str, workspace: Workspace, now: float) -> Iterator[Event]:
    for waiver in waivers(workspace):
        ends_soon = waiver.state(now) == "active" and waiver.expires_at - now <= WARN_S
        if ends_soon and store.first_notice(f"waiver:{project}:{waiver.id}", now):
            hours = max(0, round((waiver.expires_at - now) / 3600))
            yield Event(
                type="waiver.expiring",
                project=project,
                at=now,
                title=f"{waiver.suite}: a waiver ends in {hours} h",
                text=f"{waiver.rule}, agreed to by {waiver.approved_by}",
                data={"waiver": waiver.id, "suite": waiver.suite, "rule": waiver.rule, "expires_at": waiver.expires_at},
                path=f"/p/{project}/gates",
            )


def _sets(store: WebhookStore, project: str, workspace: Workspace, now: float) -> Iterator[Event]:
    goldens = Goldens(workspace)
    for name in goldens.logs.names():
        found = goldens.get(name)
        cadence, latest = found.info.cadence_days, found.versions[-1] if found.versions else None
        if cadence is None or latest is None:
            continue
        age = (now - latest.at) / DAY_S
        if age > cadence and store.first_notice(f"stale:{project}:{name}:{latest.number}", now):
            yield Event(
                type="set.stale",
                project=project,
                at=now,
                title=f"Golden set {name} is {age:.0f} days old",
                text=f"It should be refreshed every {cadence} days.",
                data={"set": name, "version": latest.number, "age_days": round(age, 2), "cadence_days": cadence},
                path=f"/p/{project}/datasets/{name}",
            )
