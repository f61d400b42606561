"""No room left: a clear error, nothing half written, everything recorded still there."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from evalwright.core.case import Case
from evalwright.core.errors import DiskFull
from evalwright.store.blobs import Blobs
from evalwright.store.cases import CaseFileWriter
from evalwright.store.parquet import RowFile
from evalwright.store.results import RunStore
from tests.unit.store.runs import answered, new_run, record

CASES = [Case(id=f"q{n}", input=f"question {n}" * 10) for n in range(200)]


@contextmanager
def no_room() -> Iterator[None]:
    """Let no file grow beyond 4 kB: writing more fails as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def temporary_files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.name.endswith(".tmp")]


def test_cases(tmp_path: Path) -> None:
    def write() -> None:
        with CaseFileWriter(Blobs(tmp_path)) as writer:
            for case in CASES:
                writer.add(case)

    with no_room(), pytest.raises(DiskFull, match="the disk is full"):
        write()
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    "action", [lambda run: run.seal(), lambda run: run.export("csv", run.folder / "o.csv"), lambda run: run.totals()]
)
def test_runs(tmp_path: Path, action: Callable[[RunStore], object]) -> None:
    run = new_run(tmp_path, CASES)
    record(run, [answered(run, case.id) for case in CASES])
    with no_room(), pytest.raises(DiskFull):
        action(run)
    assert temporary_files(tmp_path) == []
    assert run.totals().done == 200
    run.seal()
    assert run.totals().done == 200
    run.close()


def test_the_parquet_file_itself(tmp_path: Path) -> None:
    with RowFile(tmp_path, "o.parquet", {"text": "VARCHAR"}) as rows:
        for number in range(3000):
            rows.add({"text": f"{number * 7919 * 104729:x}" * 3})
        with pytest.raises(DiskFull, match=r"o\.parquet can't be written"):
            save_without_room(rows, tmp_path / "o.parquet")
    assert list(tmp_path.iterdir()) == []


def save_without_room(rows: RowFile, path: Path) -> None:
    rows._flush()
    with no_room():
        rows.save(path)
