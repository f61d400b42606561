"""Golden sets: versions, references, approvals, pins; several processes; a process that dies."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import ConfigError, StoreError, UsageError
from evalwright.core.suite import DatasetSpec
from evalwright.datasets.versions import SetInfo
from evalwright.services.golden import Goldens, opened
from evalwright.services.pins import GoldenRows, read_lock, update_pins
from evalwright.store.workspace import Workspace


def cases(*ids: str, text: str = "x") -> list[Case | BadRow]:
    return [Case(id=name, input=f"{text} {name}", metadata={"locale": name[0]}) for name in ids]


@pytest.fixture
def goldens(tmp_path: Path) -> Goldens:
    return Goldens(Workspace.open(tmp_path / "w"), by="ann")


def test_adding_replaces_known_cases_in_place_and_appends_new_ones(goldens: Goldens) -> None:
    goldens.add("t", cases("a", "b", "c"))
    version, _ = goldens.add("t", cases("b", "d", text="y"), message="more")
    assert version is not None
    assert (version.number, version.added, version.changed, version.removed) == (2, 1, 1, 0)
    assert [(c.id, c.input) for c in goldens.open(version)] == [("a", "x a"), ("b", "y b"), ("c", "x c"), ("d", "y d")]
    assert [c.input for c in goldens.open(goldens.find("t@v1")[1])] == ["x a", "x b", "x c"]


def test_the_same_cases_again_make_no_version(goldens: Goldens) -> None:
    goldens.add("t", cases("a", "b"))
    assert goldens.add("t", cases("b"))[0] is None
    assert len(goldens.get("t").versions) == 1


def test_replacing_drops_what_is_not_given(goldens: Goldens) -> None:
    goldens.add("t", cases("a", "b"))
    version, _ = goldens.add("t", cases("b"), replace=True)
    assert version is not None
    assert (version.cases, version.removed) == (1, 1)


def test_removing(goldens: Goldens) -> None:
    goldens.add("t", cases("a", "b"))
    version = goldens.remove("t", ["a"])
    assert version is not None
    assert [c.id for c in goldens.open(version)] == ["b"]
    with pytest.raises(UsageError, match="no case 'z'"):
        goldens.remove("t", ["z"])
    with pytest.raises(UsageError, match="can't be emptied"):
        goldens.remove("t", ["b"])


def test_references(goldens: Goldens) -> None:
    first, _ = goldens.add("t", cases("a"))
    second, _ = goldens.add("t", cases("b"))
    assert first is not None
    assert second is not None
    goldens.tag("t@v1", "release-7")
    for reference, number in [
        ("t", 2), ("t@latest", 2), ("t@1", 1), ("t@v2", 2), ("t@release-7", 1), (f"t@{first.short}", 1),
        ("t@2999-01", 2),
    ]:  # fmt: skip
        assert goldens.find(reference)[1].number == number, reference
    for reference in ("t@v3", "t@1999-01", "t@2024-13", "t@nothing", "t@approved", "t@2024-02-31"):
        with pytest.raises(UsageError, match="has no version"):
            goldens.find(reference)
    with pytest.raises(UsageError, match="there is no golden set 'u'"):
        goldens.find("u")


@pytest.mark.parametrize("tag", ["latest", "v3", "12", "approved", "2026-08", "a b", "", "../x"])
def test_words_that_can_be_no_tag(goldens: Goldens, tag: str) -> None:
    goldens.add("t", cases("a"))
    with pytest.raises(UsageError, match="can't be a tag"):
        goldens.tag("t", tag)


@pytest.mark.parametrize("name", ["../x", "a/b", "", ".hidden", "a b"])
def test_names_that_lead_elsewhere(goldens: Goldens, name: str) -> None:
    with pytest.raises(UsageError, match="can't be the name"):
        goldens.create(SetInfo(name=name, at=0.0))


def test_an_author_can_not_approve_their_own_version(goldens: Goldens) -> None:
    goldens.add("t", cases("a"))
    goldens.move("t", "in_review")
    with pytest.raises(UsageError, match="made by ann, who can't approve it"):
        goldens.move("t", "approved")
    Goldens(goldens.workspace, by="bob").move("t", "approved", comment="fine")
    golden, version = goldens.find("t@approved")
    assert golden.state(version) == "approved"
    assert [(change.state, change.by) for change in golden.changes(version)] == [
        ("in_review", "ann"),
        ("approved", "bob"),
    ]
    with pytest.raises(UsageError, match="is approved; it can't become in review"):
        goldens.move("t", "in_review")


def test_the_history_of_a_case(goldens: Goldens) -> None:
    goldens.add("t", cases("a", "b"))
    goldens.add("t", cases("a", text="y"))
    goldens.remove("t", ["a"])
    found = goldens.history("t", "a")
    assert [(version.number, what) for version, what, _ in found] == [(1, "added"), (2, "changed"), (3, "removed")]
    with pytest.raises(UsageError, match="no version of t has a case 'z'"):
        goldens.history("t", "z")


def test_bad_rows_only_leave_the_set_unchanged(goldens: Goldens) -> None:
    goldens.add("t", cases("a"))
    with pytest.raises(ConfigError, match="no case is left"):
        goldens.add("t", [BadRow(line=1, reason="broken")])
    assert len(goldens.get("t").versions) == 1


def test_a_line_that_was_not_finished_does_not_count(goldens: Goldens) -> None:
    goldens.add("t", cases("a"))
    path = goldens.workspace.root / "golden" / "t.jsonl"
    with path.open("ab") as file:
        file.write(b'{"type":"version","number":2,"dig')
    assert len(goldens.get("t").versions) == 1
    goldens.add("t", cases("b"))
    assert [version.number for version in goldens.get("t").versions] == [1, 2]


def test_a_damaged_log_is_named_with_its_line(goldens: Goldens) -> None:
    goldens.add("t", cases("a"))
    path = goldens.workspace.root / "golden" / "t.jsonl"
    path.write_bytes(b"rubbish\n" + path.read_bytes())
    with pytest.raises(StoreError, match=r"t\.jsonl:1 can't be read"):
        goldens.get("t")


def add_one(root: Path, name: str) -> None:
    Goldens(Workspace.open(root), by=name).add("t", cases(name))


def test_processes_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=add_one, args=(tmp_path, name)) for name in ("p", "q", "r")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    goldens = Goldens(Workspace.open(tmp_path))
    versions = goldens.get("t").versions
    assert [version.number for version in versions] == [1, 2, 3]
    assert {c.id for c in goldens.open(versions[-1])} == {"p", "q", "r"}


def approve(root: Path, name: str) -> None:
    try:
        Goldens(Workspace.open(root), by=name).move("t", "approved", comment=name)
    except UsageError:
        return


def test_of_two_who_approve_at_once_one_does(tmp_path: Path) -> None:
    Goldens(Workspace.open(tmp_path), by="ann").add("t", cases("a"))
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=approve, args=(tmp_path, name)) for name in ("bob", "cid")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    golden, version = Goldens(Workspace.open(tmp_path)).find("t@approved")
    assert len(golden.changes(version)) == 1


def spec(version: str = "latest", **sample: object) -> DatasetSpec:
    return DatasetSpec(golden="t", version=version, sample=sample, source="s.yaml", line=3)


def test_a_suite_reads_its_version_and_a_pin_holds_it(goldens: Goldens, tmp_path: Path) -> None:
    root = goldens.workspace.root
    goldens.add("t", cases("a"))
    rows = GoldenRows(spec(), tmp_path, root)
    assert [c.id for c in rows] == ["a"]
    assert "is not pinned" in rows.warnings[0]
    reference, before, now, path = update_pins(tmp_path / "s.yaml", spec(), goldens)
    assert (reference, before, now.number, path.name) == ("t@latest", None, 1, "evalwright.lock")
    goldens.add("t", cases("b"))
    pinned = GoldenRows(spec(), tmp_path, root)
    assert ([c.id for c in pinned], pinned.warnings, pinned.name()) == (["a"], (), "t@v1")
    update_pins(tmp_path / "s.yaml", spec(), goldens)
    assert [c.id for c in GoldenRows(spec(), tmp_path, root)] == ["a", "b"]
    assert read_lock(tmp_path).golden["t@latest"].cases == 2


def test_a_missing_version_is_told_at_the_suites_line(goldens: Goldens, tmp_path: Path) -> None:
    goldens.add("t", cases("a"))
    with pytest.raises(ConfigError) as caught:
        list(GoldenRows(spec("v9"), tmp_path, goldens.workspace.root))
    assert (caught.value.problems[0].file, caught.value.problems[0].line) == ("s.yaml", 3)


def test_a_sample_keeps_the_strata(goldens: Goldens, tmp_path: Path) -> None:
    goldens.add("t", cases(*(f"{letter}{n}" for letter in "ab" for n in range(10 if letter == "b" else 30))))
    found = [c.id for c in GoldenRows(spec(size=8, stratify_by=["locale"], seed=1), tmp_path, goldens.workspace.root)]
    assert [sum(name[0] == letter for name in found) for letter in "ab"] == [6, 2]
    assert found == [
        c.id for c in GoldenRows(spec(size=8, stratify_by=["locale"], seed=1), tmp_path, goldens.workspace.root)
    ]


def test_a_broken_lock_file(tmp_path: Path) -> None:
    (tmp_path / "evalwright.lock").write_text("{")
    with pytest.raises(ConfigError, match="the lock file can't be read"):
        read_lock(tmp_path)


def test_plain_files_can_be_opened_as_sets_are(goldens: Goldens, tmp_path: Path) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text(json.dumps({"id": "a", "input": "x"}) + "\n")
    with opened(str(path), goldens.workspace) as found:
        assert [c.id for c in found] == ["a"]
