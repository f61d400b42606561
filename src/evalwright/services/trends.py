"""Where a suite's trend breaks: between which runs figures stopped being comparable, and why."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from evalwright.core.errors import StoreError
from evalwright.core.run import Manifest, ScorerRecord
from evalwright.governance.proposals import Comparable
from evalwright.store.catalog import RunFilter
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace


class Break(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a trend where comparability ended.

    Attributes:
        at: When the later run was made, seconds since the epoch.
        before: The last run of the old kind.
        after: The first run of the new kind.
        what: `cases`, `scorer`, `metric` or `trials`.
        comparable: `in part` (on the common cases) or `no`.
        meaning: Why, in a sentence.
        metrics: Metrics concerned; empty for all.
        common: Cases both runs have, for breaks by cases; None otherwise.
    """

    at: float
    before: str
    after: str
    what: str
    comparable: Comparable
    meaning: str
    metrics: tuple[str, ...] = ()
    common: int | None = None


def breaks(workspace: Workspace, suite: str, *, limit: int = 200) -> list[Break]:
    """The breaks between consecutive runs of a suite, oldest first.

    Two runs that used the same cases and scorers are comparable whatever their target was; what differs between targets
    is what a trend is to show.

    Args:
        workspace: Where the runs are.
        suite: Name of the suite.
        limit: Runs looked at, the newest.
    """
    entries = workspace.catalog.runs(RunFilter(suite=suite), limit=limit) if workspace.has_catalog else []
    found: list[Break] = []
    last: RunStore | None = None
    for entry in sorted(entries, key=lambda e: (e.created_at, e.run_id)):
        try:
            run = workspace.run(entry.run_id)
            run.manifest()
        except StoreError:
            continue
        if last is not None:
            found += _between(last, run)
        last = run
    return found


def _between(before: RunStore, after: RunStore) -> Iterator[Break]:
    old, new = before.manifest(), after.manifest()
    if _digest(old) != _digest(new):
        yield _cases(before, after)
    yield from _scorers(before, after)
    if old.settings.trials != new.settings.trials:
        meaning = f"Each case was asked {new.settings.trials} times, {old.settings.trials} before: intervals differ."
        yield _break(before, after, "trials", "in part", meaning)


def _digest(manifest: Manifest) -> str:
    return manifest.dataset.digest if manifest.dataset else ""


def _source(manifest: Manifest) -> str:
    return (manifest.dataset and manifest.dataset.source) or "the dataset"


def _cases(before: RunStore, after: RunStore) -> Break:
    common = len(np.intersect1d(before.cases.hashes, after.cases.hashes))
    names = [
        (m.dataset.source or "the cases") if m.dataset else "no cases" for m in (before.manifest(), after.manifest())
    ]
    change = f"The cases of {names[0]} gave way to {names[1]}"
    change = change if names[0] != names[1] else f"The content of {names[0]} changed"
    meaning = f"{change}; {common:,} of {len(before.cases):,} and {len(after.cases):,} cases are the same."
    made = _break(before, after, "cases", "in part" if common else "no", meaning)
    return msgspec.structs.replace(made, common=common)


def _scorers(before: RunStore, after: RunStore) -> Iterator[Break]:
    old, new = _by_metric(before), _by_metric(after)
    for metric in old.keys() & new.keys():
        one, other = old[metric], new[metric]
        if one.digest != other.digest:
            changed = sorted(
                key for key in {*one.options, *other.options} if one.options.get(key) != other.options.get(key)
            )
            what = f"its {', '.join(changed)} changed" if changed else f"{one.version} became {other.version}"
            meaning = f"`{metric}` is scored in another way: {what}."
            yield _break(before, after, "scorer", "no", meaning, (metric,))
    gone, made = sorted(old.keys() - new.keys()), sorted(new.keys() - old.keys())
    if gone or made:
        meaning = f"Metrics that ended: {', '.join(gone) or 'none'}; that begin: {', '.join(made) or 'none'}."
        yield _break(before, after, "metric", "in part", meaning, (*gone, *made))


def _by_metric(run: RunStore) -> dict[str, ScorerRecord]:
    """Scorers as the run's current scores were made."""
    return {record.metric: record for record in run.scorers()}


def _break(
    before: RunStore, after: RunStore, what: str, comparable: Comparable, meaning: str, metrics: tuple[str, ...] = ()
) -> Break:
    return Break(
        at=after.manifest().created_at,
        before=before.run_id,
        after=after.run_id,
        what=what,
        comparable=comparable,
        meaning=meaning,
        metrics=metrics,
    )
