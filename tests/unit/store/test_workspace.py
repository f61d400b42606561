"""Finding, opening and refusing workspaces."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from evalwright.core.case import Case
from evalwright.core.errors import DiskFull, NewerWorkspace, StoreError, UsageError
from evalwright.store.files import atomic_file, disk_errors, sweep, write_atomic
from evalwright.store.workspace import VARIABLE, Workspace, find_root
from tests.unit.store.runs import new_run


@pytest.fixture(autouse=True)
def no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)


def test_where_the_workspace_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    monkeypatch.chdir(deep)
    assert find_root() == deep / ".evalwright"
    (tmp_path / ".evalwright").mkdir()
    assert find_root() == tmp_path / ".evalwright"
    monkeypatch.setenv(VARIABLE, str(tmp_path / "named"))
    assert find_root() == tmp_path / "named"
    assert find_root(tmp_path / "given") == tmp_path / "given"


def test_nothing_is_made_before_the_first_write(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path / "ws")
    assert not workspace.root.exists()
    assert list(workspace.run_ids()) == []
    workspace.ensure()
    workspace.ensure()
    assert sorted(path.name for path in workspace.root.iterdir()) == [".gitignore", "workspace.json"]
    Workspace.open(workspace.root, create=False)


def test_an_absent_workspace_that_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no workspace at"):
        Workspace.open(tmp_path / "ws", create=False)


def test_a_later_format_is_refused(tmp_path: Path) -> None:
    (tmp_path / "workspace.json").write_text('{"format": 99, "created_at": 0, "more": true}')
    with pytest.raises(NewerWorkspace, match="format 99, this one knows 2"):
        Workspace.open(tmp_path)


def test_a_damaged_marker_or_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "workspace.json").write_text("{")
    with pytest.raises(StoreError, match="can't be read"):
        Workspace.open(tmp_path)
    with pytest.raises(StoreError, match="is no folder"):
        Workspace.open(tmp_path / "workspace.json")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_can_not_be_written(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(StoreError, match="can't be written"):
        Workspace.open(tmp_path).ensure()


def test_a_place_below_a_file_can_not_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't be used"):
        Workspace.open(tmp_path / "file" / "ws").ensure()


@pytest.mark.parametrize("run_id", ["", "../x", "a/b", ".hidden", "a\0", "c:x"])
def test_run_ids_are_plain_names(tmp_path: Path, run_id: str) -> None:
    with pytest.raises(UsageError, match="is no run id"):
        Workspace.open(tmp_path).run_dir(run_id)


def test_runs_are_made_once(tmp_path: Path) -> None:
    run = new_run(tmp_path, [Case(id="a", input=1)])
    workspace = Workspace.open(tmp_path / "ws")
    assert list(workspace.run_ids()) == ["r1"]
    assert workspace.run("r1").manifest() == run.manifest()
    with pytest.raises(StoreError, match="there is a run r1 already"):
        workspace.create_run("r1")
    with pytest.raises(StoreError, match="no folder of the run r2"):
        workspace.run("r2")


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        (errno.ENOSPC, DiskFull, "the disk is full"),
        (errno.EDQUOT, DiskFull, "the disk is full"),
        (errno.EACCES, StoreError, "no permission"),
        (errno.EIO, StoreError, "can't be used: Input/output error"),
    ],
)
def test_errors_of_the_system_in_our_words(code: int, kind: type[StoreError], words: str) -> None:
    with pytest.raises(kind, match=words), disk_errors(Path("somewhere")):
        raise OSError(code, os.strerror(code))


def test_a_full_disk_leaves_the_former_file(tmp_path: Path) -> None:
    path = tmp_path / "f"
    write_atomic(path, b"old")

    def overwrite() -> None:
        with atomic_file(path) as file:
            file.write(b"new")
            raise OSError(errno.ENOSPC, "no room")

    with pytest.raises(DiskFull):
        overwrite()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_what_killed_processes_left_is_swept_when_old(tmp_path: Path) -> None:
    for name in (".old.tmp", ".new.tmp", "kept.tmp"):
        (tmp_path / name).write_text("")
    (tmp_path / ".folder.tmp").mkdir()
    (tmp_path / ".folder.tmp" / "piece").write_text("")
    for name in (".old.tmp", "kept.tmp", ".folder.tmp"):
        os.utime(tmp_path / name, (1.0, 1.0))
    sweep(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".new.tmp", "kept.tmp"]
