"""The catalog: lists, lookups, names, migrations, two processes at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa

from evalwright.core.case import Case
from evalwright.core.errors import NewerWorkspace, StoreError, UsageError
from evalwright.core.gate import Decision, Verdict
from evalwright.core.result import Summary
from evalwright.core.run import DatasetRecord, Manifest, RunStatus, Totals
from evalwright.store.catalog import Catalog, RunFilter
from evalwright.store.migrations import FOLDER, HEAD, REVISIONS
from evalwright.store.tables import METADATA
from evalwright.store.workspace import Workspace
from tests.unit.store.runs import new_run


def a_manifest(run_id: str, *, suite: str = "codes", at: float = 0.0, **more: object) -> Manifest:
    dataset = DatasetRecord(source="c", digest="d" * 64, cases=10, selected=5)
    return Manifest(run_id=run_id, suite=suite, created_at=at, dataset=dataset, target_name="chat", **more)  # type: ignore[arg-type]


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    found = Catalog.at(tmp_path / "catalog ?%# ü.db")
    found.add(a_manifest("20260801-aa", at=1.0, tags=("nightly",)))
    found.add(a_manifest("20260802-ab", at=2.0, suite="other"))
    found.add(a_manifest("20260803-ba", at=3.0))
    return found


def test_runs_newest_first_and_filtered(catalog: Catalog) -> None:
    def ids(**wanted: object) -> list[str]:
        return [run.run_id for run in catalog.runs(RunFilter(**wanted))]  # type: ignore[arg-type]

    assert ids() == ["20260803-ba", "20260802-ab", "20260801-aa"]
    assert ids(suite="codes") == ["20260803-ba", "20260801-aa"]
    assert ids(tag="nightly") == ["20260801-aa"]
    assert ids(since=2.0) == ["20260803-ba", "20260802-ab"]
    assert ids(status=RunStatus.COMPLETE) == []
    assert len(catalog.runs(limit=2)) == 2
    assert catalog.suites() == ["codes", "other"]


def test_a_run_from_beginning_to_end(catalog: Catalog) -> None:
    begun = catalog.get("20260801-aa")
    assert begun is not None
    assert (begun.status, begun.cases, begun.units, begun.decision) == (RunStatus.RUNNING, 5, 5, None)
    summary = Summary(
        manifest=a_manifest("20260801-aa", at=1.0, tags=("nightly",)),
        status=RunStatus.COMPLETE,
        totals=Totals(units=5, done=5, errored=1, cost=0.5, judge_cost=0.25),
        decision=Decision(verdict=Verdict.FAIL),
    )
    catalog.finish(summary, finished_at=9.0)
    ended = catalog.get("20260801-aa")
    assert ended is not None
    assert (ended.status, ended.done, ended.errored, ended.cost) == (RunStatus.COMPLETE, 5, 1, 0.75)
    assert (ended.decision, ended.finished_at) == ("fail", 9.0)
    assert [run.run_id for run in catalog.runs(RunFilter(decision="fail"))] == ["20260801-aa"]
    assert catalog.summary("20260801-aa") == summary
    assert catalog.manifest("20260801-aa") == summary.manifest
    assert catalog.summary("20260803-ba") is None
    assert catalog.manifest("none") is None


def test_status_can_be_set(catalog: Catalog) -> None:
    catalog.set_status("20260801-aa", RunStatus.INTERRUPTED, finished_at=4.0)
    found = catalog.get("20260801-aa")
    assert found is not None
    assert (found.status, found.finished_at) == (RunStatus.INTERRUPTED, 4.0)
    with pytest.raises(UsageError, match="there is no run 'none'"):
        catalog.set_status("none", RunStatus.COMPLETE)


@pytest.mark.parametrize(
    ("reference", "run_id"),
    [
        ("20260801-aa", "20260801-aa"),
        ("20260802", "20260802-ab"),
        ("latest", "20260803-ba"),
        ("latest:other", "20260802-ab"),
    ],
)
def test_the_run_a_person_means(catalog: Catalog, reference: str, run_id: str) -> None:
    assert catalog.find(reference).run_id == run_id


@pytest.mark.parametrize(
    ("reference", "message", "hint"),
    [
        ("2026080", "beginning of 3 runs", "which: 20260801-aa, 20260802-ab, 20260803-ba?"),
        ("20260801-ax", "there is no run '20260801-ax'", "did you mean `20260801-aa`"),
        ("latex", "there is no run 'latex'", "did you mean `latest`"),
        ("latest:othr", "no run of the suite 'othr'", "did you mean `other`?"),
        ("%", "there is no run '%'", "the latest runs are: 20260803-ba"),
        ("", "there is no run ''", ""),
    ],
)
def test_references_that_fit_nothing_or_too_much(catalog: Catalog, reference: str, message: str, hint: str) -> None:
    with pytest.raises(UsageError) as caught:
        catalog.find(reference)
    assert message in caught.value.message
    assert hint in caught.value.hint


def test_an_empty_catalog_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no run yet"):
        Catalog.at(tmp_path / "c.db").find("latest")


def test_names_of_runs(catalog: Catalog) -> None:
    catalog.set_alias("baseline", "20260801-aa", suite="codes", now=5.0)
    catalog.set_alias("baseline", "20260802-ab")
    assert catalog.find("baseline", suite="codes").run_id == "20260801-aa"
    assert catalog.find("baseline").run_id == "20260802-ab"
    assert catalog.find("baseline", suite="unknown").run_id == "20260802-ab"
    catalog.set_alias("baseline", "20260803-ba", suite="codes")
    assert [(one.suite, one.name, one.run_id) for one in catalog.aliases()] == [
        ("", "baseline", "20260802-ab"),
        ("codes", "baseline", "20260803-ba"),
    ]
    assert catalog.remove_alias("baseline")
    assert not catalog.remove_alias("baseline")
    for name in ("latest", "a:b", ""):
        with pytest.raises(UsageError, match="can't be the name"):
            catalog.set_alias(name, "20260801-aa")
    with pytest.raises(UsageError, match="no run 'none'"):
        catalog.set_alias("release", "none")


def test_a_removed_run_takes_its_names_along(catalog: Catalog) -> None:
    catalog.set_alias("release", "20260801-aa")
    catalog.remove("20260801-aa")
    assert catalog.get("20260801-aa") is None
    assert catalog.aliases() == []


def test_migrations_make_the_tables_the_queries_expect(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    catalog = Catalog.at(tmp_path / "c.db")
    with catalog._engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), METADATA) == []
    script = ScriptDirectory(str(FOLDER))
    assert script.get_current_head() == HEAD
    assert tuple(sorted(one.revision for one in script.walk_revisions())) == REVISIONS


def test_a_current_catalog_opens_without_alembic(tmp_path: Path) -> None:
    Catalog.at(tmp_path / "c.db").close()
    script = (
        "import sys; from pathlib import Path; from evalwright.store.catalog import Catalog\n"
        "Catalog.at(Path(sys.argv[1])); print('alembic' in sys.modules)"
    )
    words = [sys.executable, "-c", script, str(tmp_path / "c.db")]
    assert subprocess.run(words, capture_output=True, text=True, check=True).stdout.strip() == "False"


def test_a_later_catalog_is_refused(tmp_path: Path) -> None:
    Catalog.at(tmp_path / "c.db").close()
    with sqlite3.connect(tmp_path / "c.db") as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    with pytest.raises(NewerWorkspace, match="revision 9999"):
        Catalog.at(tmp_path / "c.db")


def test_a_damaged_catalog_is_told(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_bytes(b"this is no database at all, " * 100)
    with pytest.raises(StoreError, match="is damaged"):
        Catalog.at(tmp_path / "c.db")


def test_a_busy_catalog_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("evalwright.store.database.BUSY_MS", 50)
    catalog = Catalog.at(tmp_path / "c.db")
    holder = sqlite3.connect(tmp_path / "c.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        with pytest.raises(StoreError, match="kept busy by another process"):
            catalog.add(a_manifest("x"))
    finally:
        holder.close()


def test_processes_write_side_by_side(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from evalwright.core.run import Manifest\n"
        "from evalwright.store.catalog import Catalog\n"
        "catalog = Catalog.at(Path(sys.argv[1]))\n"
        "for n in range(20): catalog.add(Manifest(run_id=f'{sys.argv[2]}-{n}', suite='s', created_at=float(n)))"
    )
    words = [sys.executable, "-c", script, str(tmp_path / "c.db")]
    workers = [subprocess.Popen([*words, name], stderr=subprocess.PIPE, text=True) for name in "abc"]
    assert [worker.communicate()[1] for worker in workers] == ["", "", ""]
    assert len(Catalog.at(tmp_path / "c.db").runs()) == 60


def test_a_lost_catalog_is_made_again_from_the_runs(tmp_path: Path) -> None:
    run = new_run(tmp_path, [Case(id="a", input=1), Case(id="b", input=2)])
    run.write_summary(Summary(manifest=run.manifest(), status=RunStatus.COMPLETE, totals=Totals(units=2, done=2)))
    damaged = Workspace.open(tmp_path / "ws").create_run("r2")
    (damaged.folder / "manifest.json").write_text("{")
    (entry,) = Workspace.open(tmp_path / "ws").catalog.runs()
    assert (entry.run_id, entry.status, entry.done) == ("r1", RunStatus.COMPLETE, 2)


def test_other_errors_of_the_database_are_ours(tmp_path: Path) -> None:
    catalog = Catalog.at(tmp_path / "c.db")
    with catalog._engine.begin() as connection:
        connection.execute(sa.text("DROP TABLE aliases"))
    with pytest.raises(StoreError, match="can't be used: no such table: aliases"):
        catalog.aliases()


def test_latest_can_be_counted_back(tmp_path):
    catalog = Catalog.open(f"sqlite:///{tmp_path / 'c.db'}")
    for number in range(3):
        catalog.add(Manifest(run_id=f"r{number}", suite="a" if number < 2 else "b", created_at=float(number)))
    assert [catalog.find(word).run_id for word in ("latest", "latest~1", "latest~2", "latest:a", "latest:a~1")] == [
        "r2",
        "r1",
        "r0",
        "r1",
        "r0",
    ]
    with pytest.raises(UsageError, match="only 3 runs"):
        catalog.find("latest~3")
    with pytest.raises(UsageError, match="names no run"):
        catalog.find("latest~x")
    catalog.close()
