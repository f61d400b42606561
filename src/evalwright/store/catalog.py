"""The catalog: which runs there are, how they ended, and which of them have names."""

from __future__ import annotations

import difflib
import json
import time
import weakref
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from evalwright.core.errors import NotFound, UsageError
from evalwright.core.estimate import Estimate
from evalwright.core.result import Summary
from evalwright.core.run import Manifest, RunStatus
from evalwright.store.database import connect, reading, writing
from evalwright.store.figure_rows import Figure, figure_rows
from evalwright.store.tables import ALIASES, FIGURES, RUNS

LATEST = "latest"


class RunEntry(msgspec.Struct, frozen=True, kw_only=True):
    """A run as lists show it.

    Attributes:
        run_id: Name of the run.
        suite: Name of the suite.
        suite_version: Version as its author gave it.
        suite_hash: Content hash of the suite.
        target: Short name of the target.
        target_hash: Content hash of the target.
        dataset_digest: Content hash of the cases.
        status: Where it stands.
        decision: `pass`, `fail` or `inconclusive`; None when no gate was asked, or not yet.
        created_at: Seconds since the epoch.
        finished_at: Seconds since the epoch; None while it runs.
        cases: Cases it works on.
        units: Units planned.
        done: Units recorded.
        errored: Units that failed for good.
        cost: Of target and judges together; None when unknown.
        tags: Words given to it.
    """

    run_id: str
    suite: str
    suite_version: str = ""
    suite_hash: str = ""
    target: str = ""
    target_hash: str = ""
    dataset_digest: str = ""
    status: RunStatus = RunStatus.RUNNING
    decision: str | None = None
    created_at: float = 0.0
    finished_at: float | None = None
    cases: int = 0
    units: int = 0
    done: int = 0
    errored: int = 0
    cost: float | None = None
    tags: tuple[str, ...] = ()


class RunFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs a list shows; what is not set does not matter.

    Attributes:
        suite: Name of the suite.
        target: Short name of the target.
        status: Where the run stands.
        decision: The gate's verdict.
        tag: A word given to the run.
        since: Created at this time or later, seconds since the epoch.
        until: Created before this time.
        text: Stands somewhere in the id, suite, target or tags.
    """

    suite: str | None = None
    target: str | None = None
    status: RunStatus | None = None
    decision: str | None = None
    tag: str | None = None
    since: float | None = None
    until: float | None = None
    text: str = ""


ORDERS = ("created_at", "finished_at", "run_id", "suite", "target", "status", "decision", "cases", "errored", "cost")
"""What a list of runs may be sorted by; with `-` in front the other way round."""


class RunPage(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of a list of runs, and how many there are in all."""

    items: tuple[RunEntry, ...]
    total: int


class Alias(msgspec.Struct, frozen=True, kw_only=True):
    """A name for a run, within a suite (`""` for all): `baseline`, `release-7`."""

    name: str
    run_id: str
    suite: str = ""
    updated_at: float = 0.0


_ANY = RunFilter()
_COLUMNS = [RUNS.c[name] for name in RunEntry.__struct_fields__]
_FIGURE_COLUMNS = [FIGURES.c[name] for name in ("run_id", "scorer", "headline", "estimate")]


class Catalog:
    """Runs and aliases in a database; several processes may use it at once."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        weakref.finalize(self, engine.dispose)

    @classmethod
    def open(cls, url: str | sa.URL) -> Catalog:
        """Open a catalog by its SQLAlchemy URL; makes or migrates its tables when needed.

        Raises:
            NewerWorkspace: A later version of Evalwright wrote it.
            StoreError: It can't be opened.
        """
        return cls(connect(url))

    @classmethod
    def at(cls, path: Path) -> Catalog:
        """Open a catalog in an SQLite file; see `open`."""
        return cls(connect(sa.URL.create("sqlite", database=str(path.resolve()))))

    @property
    def engine(self) -> sa.Engine:
        """The database, for the other tables of the same catalog."""
        return self._engine

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def add(self, manifest: Manifest, *, status: RunStatus = RunStatus.RUNNING) -> None:
        """Note a run that begins; what was noted of a run of this id before is replaced."""
        self._save(manifest.run_id, {**_of_manifest(manifest), "status": status.value})

    def finish(self, summary: Summary, *, finished_at: float, published: str | None = None) -> None:
        """Note how a run ended, its figures, and under which name its files are in the object storage."""
        values = {**_of_manifest(summary.manifest), **_of_summary(summary, finished_at)}
        values |= {} if published is None else {"published": published}
        self._save(summary.manifest.run_id, values, figure_rows(msgspec.to_builtins(summary)))

    def _save(self, run_id: str, values: dict[str, object], figures: Sequence[dict[str, object]] = ()) -> None:
        with writing(self._engine) as connection:
            done = connection.execute(sa.update(RUNS).where(RUNS.c.run_id == run_id).values(values))
            if not done.rowcount:
                connection.execute(sa.insert(RUNS).values(values))
            connection.execute(sa.delete(FIGURES).where(FIGURES.c.run_id == run_id))
            if figures:
                connection.execute(sa.insert(FIGURES), list(figures))

    def set_status(self, run_id: str, status: RunStatus, *, finished_at: float | None = None) -> None:
        """Change where a run stands.

        Raises:
            UsageError: There is no such run.
        """
        values = {"status": status.value, "finished_at": finished_at}
        with writing(self._engine) as connection:
            done = connection.execute(sa.update(RUNS).where(RUNS.c.run_id == run_id).values(values))
        if not done.rowcount:
            raise NotFound(f"there is no run {run_id!r}")

    def remove(self, run_id: str) -> None:
        """Forget a run and its names."""
        with writing(self._engine) as connection:
            connection.execute(sa.delete(ALIASES).where(ALIASES.c.run_id == run_id))
            connection.execute(sa.delete(FIGURES).where(FIGURES.c.run_id == run_id))
            connection.execute(sa.delete(RUNS).where(RUNS.c.run_id == run_id))

    def runs(self, wanted: RunFilter = _ANY, *, limit: int | None = None) -> list[RunEntry]:
        """Runs, newest first.

        Args:
            wanted: Which.
            limit: How many at most.
        """
        query = sa.select(*_COLUMNS).order_by(RUNS.c.created_at.desc(), RUNS.c.run_id.desc())
        return self._entries(query.where(*_conditions(wanted)).limit(limit))

    def page(self, wanted: RunFilter = _ANY, *, sort: str = "-created_at", offset: int = 0, limit: int = 50) -> RunPage:
        """A stretch of the runs that fit.

        Args:
            wanted: Which.
            sort: One of `ORDERS`, with `-` in front for the other way round.
            offset: Runs to pass over.
            limit: How many at most.

        Raises:
            UsageError: Runs can't be sorted by this.
        """
        name = sort.removeprefix("-")
        if name not in ORDERS:
            raise UsageError(f"runs can't be sorted by {name!r}", hint=f"by one of {', '.join(ORDERS)}")
        column = RUNS.c[name]
        order = column.desc() if sort.startswith("-") else column.asc()
        conditions = _conditions(wanted)
        query = sa.select(*_COLUMNS).where(*conditions).order_by(order.nulls_last(), RUNS.c.run_id.desc())
        with reading(self._engine) as connection:
            total = connection.execute(sa.select(sa.func.count()).select_from(RUNS).where(*conditions)).scalar_one()
        return RunPage(items=tuple(self._entries(query.limit(limit).offset(offset))), total=int(total))

    def headlines(self, run_ids: Sequence[str]) -> dict[str, Figure]:
        """By run: the one figure that stands for it; runs without figures are left out."""
        query = sa.select(*_FIGURE_COLUMNS).where(FIGURES.c.run_id.in_(run_ids), FIGURES.c.headline)
        return {figure.run_id: figure for figure in self._figures(query)}

    def figures(self, run_ids: Sequence[str], *, slice: str | None = "") -> list[Figure]:
        """The figures of runs in the order of their summaries; of one slice, or of all with None."""
        query = sa.select(*_FIGURE_COLUMNS).where(FIGURES.c.run_id.in_(run_ids))
        query = query if slice is None else query.where(FIGURES.c.slice == slice)
        return self._figures(query.order_by(FIGURES.c.run_id, FIGURES.c.place))

    def figures_of(
        self, run_ids: Sequence[str], metric: str, *, slice: str = "", statistic: str | None = None
    ) -> list[Figure]:
        """One metric of each of the runs that have it."""
        query = sa.select(*_FIGURE_COLUMNS).where(
            FIGURES.c.run_id.in_(run_ids), FIGURES.c.metric == metric, FIGURES.c.slice == slice
        )
        query = query if statistic is None else query.where(FIGURES.c.statistic == statistic)
        return self._figures(query.order_by(FIGURES.c.run_id, FIGURES.c.place))

    def _figures(self, query: sa.Select[Any]) -> list[Figure]:
        with reading(self._engine) as connection:
            return [
                Figure(run_id=run, scorer=scorer, headline=headline, estimate=msgspec.json.decode(text, type=Estimate))
                for run, scorer, headline, text in connection.execute(query)
            ]

    def _entries(self, query: sa.Select[tuple[object, ...]]) -> list[RunEntry]:
        with reading(self._engine) as connection:
            return [_entry(row._mapping) for row in connection.execute(query)]

    def get(self, run_id: str) -> RunEntry | None:
        """The run of exactly this id, None when there is none."""
        return next(iter(self._entries(sa.select(*_COLUMNS).where(RUNS.c.run_id == run_id))), None)

    def find(self, reference: str, *, suite: str | None = None) -> RunEntry:
        """The run a person means.

        Args:
            reference: A whole id, the beginning of one, `latest`, `latest:<suite>`, either with `~N` for the Nth run
                before it, or a name given by `set_alias`.
            suite: The suite whose names count, and of which `latest` is; names for all suites count too.

        Raises:
            UsageError: No run fits, or several do; the hint names what comes close.
        """
        if reference.partition("~")[0] == LATEST or reference.startswith(f"{LATEST}:"):
            name, _, back = reference.partition("~")
            return self._latest(name.partition(":")[2] or suite, _steps_back(reference, back))
        named = self.alias(reference, suite=suite or "") or self.alias(reference)
        exact = self.get(named.run_id if named else reference)
        return exact or self._by_prefix(reference)

    def _latest(self, suite: str | None, back: int) -> RunEntry:
        found = self.runs(RunFilter(suite=suite), limit=back + 1)
        if len(found) > back:
            return found[back]
        if found:
            of = "" if suite is None else f" of the suite {suite!r}"
            raise NotFound(f"there are only {len(found)} runs{of}", hint=f"the oldest is {found[-1].run_id}")
        if suite is None:
            raise NotFound("there is no run yet", hint="`evalwright run SUITE.yaml` makes one")
        raise NotFound(f"there is no run of the suite {suite!r}", hint=_near(suite, self.suites(), "the suites are"))

    def _by_prefix(self, reference: str) -> RunEntry:
        query = sa.select(*_COLUMNS).where(RUNS.c.run_id.startswith(reference, autoescape=True))
        found = [one for one in self._entries(query) if one.run_id.startswith(reference)] if reference else []
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(sorted(one.run_id for one in found)[:5])
            raise UsageError(f"{reference!r} is the beginning of {len(found)} runs", hint=f"which: {ids}?")
        known = [one.run_id for one in self.runs(limit=500)] + [one.name for one in self.aliases()] + [LATEST]
        raise NotFound(f"there is no run {reference!r}", hint=_near(reference, known, "the latest runs are"))

    def suites(self) -> list[str]:
        """Names of the suites that have runs, sorted."""
        with reading(self._engine) as connection:
            return list(connection.execute(sa.select(RUNS.c.suite).distinct().order_by(RUNS.c.suite)).scalars())

    def manifest(self, run_id: str) -> Manifest | None:
        """What was run; None when there is no such run."""
        text = self._text(RUNS.c.manifest, run_id)
        return None if text is None else msgspec.json.decode(text, type=Manifest)

    def summary(self, run_id: str) -> Summary | None:
        """Figures and decision; None when there is no such run, or it has none yet."""
        text = self._text(RUNS.c.summary, run_id)
        return None if text is None else msgspec.json.decode(text, type=Summary)

    def published(self, run_id: str) -> str | None:
        """Name of the list of a run's files in the object storage; None when they were not put there."""
        return self._text(RUNS.c.published, run_id)

    def _text(self, column: sa.Column[Any], run_id: str) -> str | None:
        with reading(self._engine) as connection:
            return connection.execute(sa.select(column).where(RUNS.c.run_id == run_id)).scalar()

    def set_alias(self, name: str, run_id: str, *, suite: str = "", now: float | None = None) -> Alias:
        """Give a run a name, which it takes over from the run that had it.

        Args:
            name: The name, e.g. `baseline`.
            run_id: Whole id of the run.
            suite: The suite within which the name counts, `""` for all.
            now: Seconds since the epoch; the clock's when not given.

        Raises:
            UsageError: There is no such run, or the name means something else already.
        """
        if not name or name == LATEST or ":" in name:
            raise UsageError(f"{name!r} can't be the name of a run")
        if self.get(run_id) is None:
            raise NotFound(f"there is no run {run_id!r}")
        made = Alias(name=name, run_id=run_id, suite=suite, updated_at=time.time() if now is None else now)
        same = (ALIASES.c.suite == suite) & (ALIASES.c.name == name)
        with writing(self._engine) as connection:
            connection.execute(sa.delete(ALIASES).where(same))
            connection.execute(sa.insert(ALIASES).values(msgspec.to_builtins(made)))
        return made

    def alias(self, name: str, *, suite: str = "") -> Alias | None:
        """The run that has a name; None when none has."""
        return next((one for one in self.aliases() if (one.name, one.suite) == (name, suite)), None)

    def aliases(self) -> list[Alias]:
        """All names, sorted by suite and name."""
        query = sa.select(ALIASES).order_by(ALIASES.c.suite, ALIASES.c.name)
        with reading(self._engine) as connection:
            return [msgspec.convert(_plain(row._mapping), Alias) for row in connection.execute(query)]

    def remove_alias(self, name: str, *, suite: str = "") -> bool:
        """Take a name away; whether there was one."""
        same = (ALIASES.c.suite == suite) & (ALIASES.c.name == name)
        with writing(self._engine) as connection:
            return bool(connection.execute(sa.delete(ALIASES).where(same)).rowcount)

    def add_missing(self, found: Iterable[tuple[Manifest, Summary | None]]) -> int:
        """Note runs the catalog does not know, from their folders; how many there were."""
        added = 0
        for manifest, summary in found:
            if self.get(manifest.run_id) is None:
                added += 1
                if summary is None:
                    self.add(manifest, status=RunStatus.INTERRUPTED)
                else:
                    self.finish(summary, finished_at=manifest.created_at + summary.totals.duration_s)
        return added


def _conditions(wanted: RunFilter) -> list[sa.ColumnElement[bool]]:
    found = [
        RUNS.c[name] == str(value)
        for name in ("suite", "target", "status", "decision")
        if (value := getattr(wanted, name)) is not None
    ]
    if wanted.since is not None:
        found.append(RUNS.c.created_at >= wanted.since)
    if wanted.until is not None:
        found.append(RUNS.c.created_at < wanted.until)
    tags = sa.cast(RUNS.c.tags, sa.Text)
    if wanted.tag is not None:
        found.append(tags.contains(json.dumps(wanted.tag), autoescape=True))
    for word in wanted.text.split():
        searched = (RUNS.c.run_id, RUNS.c.suite, RUNS.c.target, tags)
        found.append(sa.or_(*(column.icontains(word, autoescape=True) for column in searched)))
    return found


def _steps_back(reference: str, text: str) -> int:
    """The N of `latest~N`; 0 when there is none, 1 for a bare `~`."""
    if "~" not in reference:
        return 0
    if text and not text.isdecimal():
        raise UsageError(f"{reference!r} names no run", hint="`latest~1` is the run before the latest")
    return int(text or 1)


def _entry(row: sa.RowMapping) -> RunEntry:
    return msgspec.convert(_plain(row), RunEntry)


def _plain(row: sa.RowMapping) -> dict[str, object]:
    return {str(name): value for name, value in row.items()}


def _of_manifest(manifest: Manifest) -> dict[str, object]:
    selected = manifest.dataset.selected if manifest.dataset else 0
    return {
        "run_id": manifest.run_id,
        "suite": manifest.suite,
        "suite_version": manifest.suite_version,
        "suite_hash": manifest.suite_hash,
        "target": manifest.target_name[:500],
        "target_hash": manifest.target_hash,
        "dataset_digest": manifest.dataset.digest if manifest.dataset else "",
        "created_at": manifest.created_at,
        "finished_at": None,
        "decision": None,
        "cases": selected,
        "units": selected * manifest.settings.trials,
        "done": 0,
        "errored": 0,
        "cost": None,
        "tags": list(manifest.tags),
        "manifest": msgspec.json.encode(manifest).decode(),
        "summary": None,
    }


def _of_summary(summary: Summary, finished_at: float) -> dict[str, object]:
    totals = summary.totals
    costs = [cost for cost in (totals.cost, totals.judge_cost) if cost is not None]
    return {
        "status": summary.status.value,
        "decision": summary.decision.verdict.value if summary.decision else None,
        "finished_at": finished_at,
        "units": totals.units,
        "done": totals.done,
        "errored": totals.errored,
        "cost": sum(costs) if costs else None,
        "summary": msgspec.json.encode(summary).decode(),
    }


def _near(word: str, known: Sequence[str], heading: str) -> str:
    close = difflib.get_close_matches(word, known, n=3, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(f"`{name}`" for name in close) + "?"
    return f"{heading}: {', '.join(known[:5])}" if known else "there is no run yet"
