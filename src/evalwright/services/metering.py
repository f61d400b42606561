"""Figures about a project for monitoring: runs by verdict, the newest run's metrics, reviews that wait, spend."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import sqlalchemy as sa

from evalwright.core.estimate import Estimate
from evalwright.services.reviewing import backlog
from evalwright.store.database import reading
from evalwright.store.tables import FIGURES, RUNS
from evalwright.store.workspace import Workspace


class RunCount(msgspec.Struct, frozen=True, kw_only=True):
    """Runs of a suite with one status and verdict, and what they cost together."""

    suite: str
    status: str
    verdict: str
    runs: int
    cost: float


class NewestRun(msgspec.Struct, frozen=True, kw_only=True):
    """The newest decided or finished run of a suite, with its metrics over all cases."""

    suite: str
    verdict: str
    finished_at: float
    estimates: tuple[Estimate, ...]


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """Review items that wait."""

    open: int
    in_progress: int
    adjudication: int


def run_counts(workspace: Workspace) -> Iterator[RunCount]:
    """Runs by suite, status and verdict."""
    keys = (RUNS.c.suite, RUNS.c.status, RUNS.c.decision)
    query = sa.select(*keys, sa.func.count().label("runs"), sa.func.sum(RUNS.c.cost).label("cost")).group_by(*keys)
    with reading(workspace.catalog.engine) as connection:
        for row in connection.execute(query):
            yield RunCount(
                suite=row.suite, status=row.status, verdict=row.decision or "none", runs=row.runs, cost=row.cost or 0.0
            )


def newest_runs(workspace: Workspace) -> Iterator[NewestRun]:
    """The newest finished run of each suite."""
    latest = (
        sa.select(RUNS.c.suite, sa.func.max(RUNS.c.finished_at).label("at"))
        .where(RUNS.c.finished_at.is_not(None))
        .group_by(RUNS.c.suite)
        .subquery()
    )
    same = (RUNS.c.suite == latest.c.suite) & (RUNS.c.finished_at == latest.c.at)
    with reading(workspace.catalog.engine) as connection:
        columns = (RUNS.c.run_id, RUNS.c.suite, RUNS.c.decision, latest.c.at)
        for row in connection.execute(sa.select(*columns).join(latest, same)).all():
            where = (FIGURES.c.run_id == row.run_id) & (FIGURES.c.slice == "")
            found = connection.execute(sa.select(FIGURES.c.estimate).where(where).order_by(FIGURES.c.place))
            estimates = tuple(msgspec.json.decode(text, type=Estimate) for (text,) in found)
            yield NewestRun(suite=row.suite, verdict=row.decision or "none", finished_at=row.at, estimates=estimates)


def waiting(workspace: Workspace) -> Waiting:
    """Review items that wait for somebody."""
    found = backlog(workspace)
    return Waiting(open=found.open, in_progress=found.in_progress, adjudication=found.adjudication)
