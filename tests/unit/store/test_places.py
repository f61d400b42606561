"""The same workspace in a folder, with its catalog on PostgreSQL, and with its runs in object storage besides."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path

import pytest

from evalwright import Case, Suite, evaluate
from evalwright.core.errors import StoreError, UsageError
from evalwright.core.gate import Rule
from evalwright.scorers import ExactMatch
from evalwright.services.browsing.browser import Browser
from evalwright.services.browsing.case import case_page
from evalwright.services.browsing.cases import list_cases
from evalwright.services.browsing.compare import compare_view
from evalwright.services.browsing.overview import overview
from evalwright.services.browsing.runs import list_runs
from evalwright.services.gating import gate_run
from evalwright.services.golden import Goldens
from evalwright.services.waivers import WaiverRequest, approve_waiver, request_waiver
from evalwright.store.browse_query import UnitFilter
from evalwright.store.catalog import RunFilter
from evalwright.store.database import CatalogAway
from evalwright.store.governance import waivers
from evalwright.store.objects import ObjectsAway
from evalwright.store.workspace import Workspace
from tests.shared_places import Bucket, Place, aws_environment


def suite() -> Suite:
    cases = [Case(id=f"c{n}", input=f"n{n}", expected=f"n{n}") for n in range(20)]
    gate = [Rule(metric="exact_match", at_least=0.95, name="exact")]
    return Suite(name="echo", cases=cases, scorers=[ExactMatch()], gate=gate)


def same(text: str) -> str:
    return text


def shorter(text: str) -> str:
    return text[:2]


def run(workspace: Workspace, target) -> str:
    return evaluate(suite(), target=target, workspace=workspace).run_id


def test_a_run_of_one_machine_is_read_on_another(place: Place) -> None:
    first = run(place.machine("one"), same)
    second = run(place.machine("one"), shorter)
    other = Browser(place.machine("two"))
    assert [one.run_id for one in list_runs(other, RunFilter()).items] == [second, first]
    assert all(not one.problem for one in list_runs(other, RunFilter()).items)
    for run_id in (first, second):
        other.ready(run_id)
    failed = list_cases(other, second, UnitFilter(status="failed"))
    assert failed.total == 10
    assert [past.passed for past in case_page(other, second, "c15").history] == [False, True]
    assert compare_view(other, first, [second]).candidates[0].flips[0].pass_fail == 10
    assert overview(other).suites[0].run_id == second
    with other.workspace.run(second) as store:
        assert len(list(store.units())) == 20
        assert store.totals().units == 20


def test_a_decision_made_elsewhere_reaches_the_first_machine(place: Place) -> None:
    one, two = place.machine("one"), place.machine("two")
    run_id = run(one, shorter)
    now = time.time()
    wanted = WaiverRequest(rule="exact", reason="known", lasts_s=3600, user="erik", now=now)
    waiver = request_waiver(two, two.run(run_id), wanted)
    approve_waiver(one, waiver.id, user="lea", now=now)
    assert [w.state(now) for w in waivers(two)] == ["active"]
    decided = gate_run(two, two.run(run_id))
    assert decided.decision is not None
    assert decided.decision.verdict == "pass"
    again = one.run(run_id).summary()
    assert again is not None
    assert again.decision == decided.decision
    entry = one.catalog.get(run_id)
    assert entry is not None
    assert entry.decision == "pass"


def test_golden_sets_are_shared_with_their_cases(place: Place) -> None:
    one, two = Goldens(place.machine("one"), by="erik"), Goldens(place.machine("two"), by="lea")
    one.add("tickets", [Case(id="a", input="1"), Case(id="b", input="2")])
    two.add("tickets", [Case(id="c", input="3")])
    two.move("tickets@v1", "approved")
    golden = one.get("tickets")
    assert [version.cases for version in golden.versions] == [2, 3]
    assert golden.state(golden.versions[0]) == "approved"
    assert [case.id for case in one.open(golden.versions[1])] == ["a", "b", "c"]
    assert one.logs.names() == ["tickets"]


def test_writers_of_one_log_wait_for_one_another(place: Place) -> None:
    place.machine().ensure()
    if place.shared:
        assert place.machine().catalog.runs() == []

    def add(name: str) -> None:
        for number in range(5):
            with place.machine().logs.writing("governance/test") as log:
                known = len(log.lines())
                log.append(json.dumps([name, number, known]).encode())

    threads = [threading.Thread(target=add, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = [json.loads(line) for line in place.machine().logs.lines("governance/test")]
    assert [known for _, _, known in lines] == list(range(20))


def test_projects_see_nothing_of_one_another(place: Place) -> None:
    root = place.machine()
    run_id = run(root, same)
    other = root.project("other")
    assert other.catalog.runs() == []
    with pytest.raises(StoreError):
        other.run(run_id)
    own = run(other, same)
    assert [entry.run_id for entry in other.catalog.runs()] == [own]
    assert [entry.run_id for entry in root.catalog.runs()] == [run_id]


def test_the_folder_remembers_where_the_rest_is(place: Place) -> None:
    run_id = run(place.machine(), same)
    again = Workspace.open(place.machine().root) if place.shared else place.machine()
    if place.shared:  # the test's password is not written down
        assert again.catalog_address is None
        assert "127.0.0.1" not in (again.root / "workspace.json").read_text()
    assert again.objects_address == place.objects
    assert place.machine().catalog.get(run_id) is not None


def test_references_are_written_down_and_passwords_are_not(tmp_path: Path, monkeypatch) -> None:
    Workspace.open(tmp_path / "a", catalog="postgresql://me:${PW}@127.0.0.1:1/db").ensure()
    assert Workspace.open(tmp_path / "a").catalog_address == "postgresql://me:${PW}@127.0.0.1:1/db"
    Workspace.open(tmp_path / "b", catalog="postgresql://me:secret@127.0.0.1:1/db").ensure()
    assert "secret" not in (tmp_path / "b" / "workspace.json").read_text()
    monkeypatch.delenv("PW", raising=False)
    with pytest.raises(UsageError, match=r"names \$\{PW\}, which is not set"):
        _ = Workspace.open(tmp_path / "a").catalog


def test_a_catalog_that_is_away_is_told_without_its_password(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, catalog="postgresql://me:secret@127.0.0.1:1/db")
    with pytest.raises(CatalogAway, match="can't be reached") as found:
        _ = workspace.catalog
    assert "secret" not in str(found.value)
    with pytest.raises(UsageError, match="no address of a catalog"):
        _ = Workspace.open(tmp_path, catalog="nonsense").catalog
    with pytest.raises(UsageError, match="SQLite or PostgreSQL"):
        _ = Workspace.open(tmp_path, catalog="mysql://me@127.0.0.1/db").catalog
    with pytest.raises(UsageError, match="no address of object storage"):
        _ = Workspace.open(tmp_path, objects="ftp://there").objects


def test_a_storage_that_is_a_folder(tmp_path: Path) -> None:
    place = Place(tmp_path, f"sqlite:///{tmp_path / 'catalog.db'}", f"file://{tmp_path}/objects")
    run_id = run(place.machine("one"), shorter)
    other = Browser(place.machine("two"))
    assert list_cases(other, run_id, UnitFilter(status="failed")).total == 10


def test_what_could_not_be_put_is_put_later(tmp_path: Path, caplog) -> None:
    bucket = tmp_path / "objects"
    place = Place(tmp_path, f"sqlite:///{tmp_path / 'catalog.db'}", f"file://{bucket}")
    first = run(place.machine("one"), same)
    bucket.rename(tmp_path / "gone")
    bucket.write_text("no folder")
    workspace = place.machine("one")
    second = run(workspace, shorter)
    assert "is kept in" in caplog.text
    assert workspace.run(second).summary() is not None
    assert workspace.shared.waiting
    bucket.unlink()
    (tmp_path / "gone").rename(bucket)
    assert place.machine("two").catalog.headlines([second])
    report = place.machine("one").shared.sync()
    assert report.runs_put == 1
    assert not place.machine("one").shared.waiting
    other = Browser(place.machine("two"))
    assert {one.run_id for one in list_runs(other, RunFilter()).items} == {first, second}
    assert list_cases(other, second, UnitFilter(status="failed")).total == 10


def test_an_object_that_was_changed_is_refused(tmp_path: Path) -> None:
    place = Place(tmp_path, f"sqlite:///{tmp_path / 'catalog.db'}", f"file://{tmp_path}/objects")
    run_id = run(place.machine("one"), same)
    for path in (tmp_path / "objects" / "blobs").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes() + b"!")
    with pytest.raises(ObjectsAway, match="its content has another hash"):
        place.machine("two").run(run_id)


def test_a_folder_that_was_used_alone_is_shared_by_sync(place: Place) -> None:
    if not place.shared:
        pytest.skip("nothing to share with")
    alone = Workspace.open(place.folder / "one")
    run_id = run(alone, same)
    Goldens(alone, by="erik").add("tickets", [Case(id="a", input="1")])
    report = place.machine("one").shared.sync()
    assert (report.runs_put, report.logs_moved) == (1, 1)
    assert (report.content_put > 0) is (place.objects is not None)
    two = place.machine("two")
    assert [entry.run_id for entry in two.catalog.runs()] == [run_id]
    assert two.run(run_id).summary() is not None
    assert Goldens(two).get("tickets").versions[0].cases == 1
    assert place.machine("one").shared.sync().runs_put == 0


@pytest.mark.slow
def test_a_bucket_that_is_away_and_comes_back(tmp_path: Path, monkeypatch, s3_server: Bucket) -> None:
    aws_environment(monkeypatch, s3_server.url)
    monkeypatch.setattr("evalwright.store.objects.RETRY_S", 1)
    place = Place(tmp_path, f"sqlite:///{tmp_path / 'catalog.db'}", s3_server.new())
    run(place.machine("one"), same)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    second = run(place.machine("one"), shorter)
    assert place.machine("one").shared.waiting
    with pytest.raises(StoreError, match="on another machine"):
        place.machine("two").run(second)
    entry = place.machine("two").catalog.get(second)
    assert entry is not None
    assert entry.status == "complete"
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    third = run(place.machine("one"), same)
    assert not place.machine("one").shared.waiting
    assert place.machine("two").run(second).summary() is not None
    assert place.machine("two").run(third).summary() is not None


class Switch:
    """A database that can be taken away from everybody and given back."""

    def __init__(self, address: str) -> None:
        server, _, self.name = address.rpartition("/")
        self._admin = f"{server}/postgres"

    def _say(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(statement)

    def off(self) -> None:
        self._say(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS false")
        self._say(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{self.name}'")

    def on(self) -> None:
        self._say(f"ALTER DATABASE {self.name} ALLOW_CONNECTIONS true")


def test_a_catalog_that_goes_away_in_the_middle_of_a_run(tmp_path: Path, postgres_server, caplog) -> None:
    address = postgres_server()
    switch, place = Switch(address), Place(tmp_path, address, None)
    asked: list[str] = []

    def target(text: str) -> str:
        asked.append(text)
        if len(asked) == 10:
            switch.off()
        return text

    cases = [Case(id=f"c{n}", input=f"n{n}", expected=f"n{n}") for n in range(20)]
    plain = Suite(name="plain", cases=cases, scorers=[ExactMatch()])
    run_id = evaluate(plain, target=target, workspace=place.machine()).run_id
    assert "is kept in" in caplog.text
    assert place.machine().store_of(run_id).summary() is not None
    with pytest.raises(CatalogAway, match="can't be reached"):
        place.machine().catalog.runs()
    switch.on()
    assert place.machine().shared.sync().runs_put == 1
    entry = place.machine().catalog.get(run_id)
    assert entry is not None
    assert (entry.status, entry.done) == ("complete", 20)


def test_a_gate_is_not_decided_without_its_catalog_and_nothing_is_lost(tmp_path: Path, postgres_server) -> None:
    address = postgres_server()
    switch, place = Switch(address), Place(tmp_path, address, None)

    def target(text: str) -> str:
        if text == "n5":
            switch.off()
        return text

    with pytest.raises(CatalogAway, match="can't be reached"):
        evaluate(suite(), target=target, workspace=place.machine())
    (run_id,) = place.machine().run_ids()
    store = place.machine().store_of(run_id)
    assert (store.sealed, store.summary(), store.totals().done) == (True, None, 20)
    switch.on()
    entry = place.machine().catalog.get(run_id)
    assert entry is not None
    assert entry.status == "running"  # `evalwright resume` decides it
