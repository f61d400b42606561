"""Lists of runs, and one run with its figures."""

from __future__ import annotations

from pathlib import Path

import msgspec

from evalwright.core.case import BadRow
from evalwright.core.errors import StoreError
from evalwright.core.estimate import ALL, Estimate
from evalwright.core.gate import Decision
from evalwright.core.ports import Progress
from evalwright.core.run import Manifest, RunStatus, Totals
from evalwright.engine.control import RunState, read_state
from evalwright.services.browsing.browser import Browser
from evalwright.services.browsing.paging import Page, checked_limit, next_cursor, offset_of
from evalwright.store.cards import Card, CardStore
from evalwright.store.catalog import RunEntry, RunFilter
from evalwright.store.results import RunStore

HIDDEN = frozenset({"run.lock", "published.json"})
"""Files of a run's folder that are nobody's business."""


class Live(msgspec.Struct, frozen=True, kw_only=True):
    """Where a run stands that is not finished.

    Attributes:
        alive: Whether a process works on it right now; when not, it was cut off and can be resumed.
        status: What it last said.
        paused: Whether it is held.
        updated_at: When it last said something.
        progress: Counts, rate, seconds left, running means (without interval: they are no figures yet).
        reason: Why it stopped.
    """

    alive: bool
    status: RunStatus
    paused: bool = False
    updated_at: float = 0.0
    progress: Progress | None = None
    reason: str = ""


class ListedRun(RunEntry, frozen=True, kw_only=True):
    """A run of a list: what the catalog knows, its gate's verdict, and the one figure that stands for it.

    Attributes:
        verdict: The gate's verdict, None when there was no gate or no decision yet.
        headline: The figure of the rule that decided, else `overall`, else the first metric.
        live: Where it stands, while it is not finished.
        problem: Why the run can't be read; empty when it can.
    """

    verdict: str | None = None
    headline: Estimate | None = None
    live: Live | None = None
    problem: str = ""


class SliceGroup(msgspec.Struct, frozen=True, kw_only=True):
    """The figures of one slice's values.

    Attributes:
        name: Name of the slice.
        values: Its estimates, of all values and metrics; worst first within a metric.
    """

    name: str
    values: tuple[Estimate, ...]


class Artefact(msgspec.Struct, frozen=True, kw_only=True):
    """A file of the run's folder."""

    name: str
    bytes: int
    at: float


class RunDetail(msgspec.Struct, frozen=True, kw_only=True):
    """A run's page.

    Attributes:
        entry: The run as lists show it.
        manifest: Everything needed to repeat it.
        totals: Counts, tokens, cost; None when it has none yet.
        estimates: Figures over all cases.
        slices: Figures by slice.
        decision: The gate's decision.
        notes: What a reader must know.
        bad_rows: Dataset rows set aside.
        failing: Cases whose row verdict is False.
        cards: By metric: what is known of the errors of the judge that made it.
        artefacts: Files of the run.
        live: Where it stands, while it is not finished.
    """

    entry: ListedRun
    manifest: Manifest
    totals: Totals | None
    estimates: tuple[Estimate, ...]
    slices: tuple[SliceGroup, ...]
    decision: Decision | None
    notes: tuple[str, ...]
    bad_rows: tuple[BadRow, ...]
    failing: int
    cards: dict[str, Card]
    artefacts: tuple[Artefact, ...]
    live: Live | None


def list_runs(
    browser: Browser, wanted: RunFilter, *, sort: str = "-created_at", cursor: str | None = None, limit: int = 50
) -> Page[ListedRun]:
    """Runs that fit, a page at a time.

    Raises:
        UsageError: The order or the cursor can't be used.
    """
    question = [msgspec.to_builtins(wanted), sort]
    offset = offset_of(cursor, question)
    found = browser.workspace.catalog.page(wanted, sort=sort, offset=offset, limit=checked_limit(limit))
    items = listed(browser, found.items)
    browser.warm(entry.run_id for entry in found.items if entry.finished_at is not None)
    return Page(items=items, total=found.total, next=next_cursor(offset, len(items), found.total, question))


def listed(browser: Browser, entries: tuple[RunEntry, ...]) -> tuple[ListedRun, ...]:
    """Runs with their headlines."""
    headlines = browser.workspace.catalog.headlines([entry.run_id for entry in entries])
    figures = {run: figure.estimate for run, figure in headlines.items()}
    return tuple(_listed(browser, entry, figures.get(entry.run_id)) for entry in entries)


def _listed(browser: Browser, entry: RunEntry, headline: Estimate | None) -> ListedRun:
    live = live_state(browser, entry)
    progress = live.progress if live is not None else None
    fields = msgspec.structs.asdict(entry)
    if progress is not None:
        fields |= {"done": progress.done, "errored": progress.errored, "cost": progress.cost}
    return ListedRun(**fields, verdict=entry.decision, headline=headline, live=live, problem=_problem(browser, entry))


def _problem(browser: Browser, entry: RunEntry) -> str:
    """Why a run of the catalog can't be opened."""
    folder = browser.workspace.run_dir(entry.run_id)
    if browser.workspace.has_run(entry.run_id):
        return ""
    return f"its folder {folder.name} is gone" if not folder.is_dir() else "it has no manifest"


def live_state(browser: Browser, entry: RunEntry) -> Live | None:
    """Where a run stands that has not ended; None for finished ones."""
    if entry.status is not RunStatus.RUNNING:
        return None
    state = read_state(browser.workspace.run_dir(entry.run_id))
    return Live(alive=False, status=entry.status) if state is None else _live(state)


def _live(state: RunState) -> Live:
    return Live(
        alive=state.alive,
        status=state.status,
        paused=state.paused,
        updated_at=state.updated_at,
        progress=state.progress,
        reason=state.reason,
    )


def run_page(browser: Browser, run_id: str) -> RunDetail:
    """A run with everything but its rows; a running run has no figures yet, and says so.

    Raises:
        UsageError: There is no such run.
        StoreError: It can't be read.
    """
    store = browser.store(run_id)
    entry = browser.entry(run_id)
    summary = browser.summary(run_id)
    manifest = summary.manifest if summary is not None else store.manifest()
    row = listed(browser, (entry,))[0]
    estimates = summary.estimates if summary is not None else ()
    return RunDetail(
        entry=row,
        manifest=manifest,
        totals=summary.totals if summary is not None else None,
        estimates=tuple(estimate for estimate in estimates if estimate.slice == ALL),
        slices=_groups(estimates),
        decision=summary.decision if summary is not None else None,
        notes=summary.notes if summary is not None else (),
        bad_rows=summary.bad_rows if summary is not None else store.bad_rows()[:100],
        failing=summary.failing if summary is not None else 0,
        cards=_cards(browser, store),
        artefacts=tuple(_artefacts(store.folder)),
        live=row.live,
    )


def _groups(estimates: tuple[Estimate, ...]) -> tuple[SliceGroup, ...]:
    found: dict[str, list[Estimate]] = {}
    for estimate in estimates:
        if estimate.slice != ALL:
            found.setdefault(estimate.slice.partition("=")[0], []).append(estimate)
    return tuple(SliceGroup(name=name, values=tuple(values)) for name, values in found.items())


def _cards(browser: Browser, store: RunStore) -> dict[str, Card]:
    """The cards of the run's own scorers, without the labelled cases."""
    cards = CardStore(browser.workspace.root)
    measured = set(cards.metrics())
    found: dict[str, Card] = {}
    for scorer in store.scorers() if measured else ():
        try:
            card = cards.of(scorer.metric, scorer.digest)
        except StoreError:
            continue
        if card is not None:
            found[scorer.metric] = msgspec.structs.replace(card, entries=())
    return found


def _artefacts(folder: Path) -> list[Artefact]:
    found = [path for path in sorted(folder.iterdir()) if path.is_file() and not path.name.startswith(".")]
    return [
        Artefact(name=path.name, bytes=path.stat().st_size, at=path.stat().st_mtime)
        for path in found
        if path.name not in HIDDEN
    ]
