"""Content-addressed files and the cases in them."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.core.case import Case
from evalwright.core.errors import StoreError, UsageError
from evalwright.core.identity import case_hash
from evalwright.core.ports import CaseSource
from evalwright.store.blobs import Blobs
from evalwright.store.cases import CaseFile, CaseFileWriter, CaseSelection
from evalwright.store.ids import IdTable, id_hash


def written(root: Path, cases: list[Case]) -> CaseFile:
    with CaseFileWriter(Blobs(root)) as writer:
        for case in cases:
            writer.add(case)
    return writer.file


CASES = [Case(id=f"q{n}", input={"n": n, "text": "ü\n\u2028" * n}, tags=("t",)) for n in range(20)]


def test_blobs_are_named_by_content_and_stored_once(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path)
    first, second = blobs.put(b"hello"), blobs.put(b"hello")
    assert first == second == hashlib.sha256(b"hello").hexdigest()
    assert blobs.get(first) == b"hello"
    assert first in blobs
    assert "0" * 64 not in blobs
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [blobs.path(first)]


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    def write() -> None:
        with Blobs(tmp_path).writer() as blob:
            blob.write(b"half")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        write()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_blob_digests_are_checked(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no content digest"):
        Blobs(tmp_path).path("../../etc/passwd")
    with pytest.raises(StoreError, match="holds no content"):
        Blobs(tmp_path).get("0" * 64)


def test_cases_come_back_by_index_in_any_order(tmp_path: Path) -> None:
    file = written(tmp_path, CASES)
    assert isinstance(file, CaseSource)
    assert [file[n] for n in (7, 0, 19)] == [CASES[7], CASES[0], CASES[19]]
    assert list(file) == CASES
    assert [file.case_hash(n) for n in range(20)] == [case_hash(case) for case in CASES]
    assert file.find("q13") == 13
    with pytest.raises(KeyError):
        file.find("q20")
    with pytest.raises(IndexError):
        file[20]
    with pytest.raises(IndexError):
        file[-1]


def test_the_digest_is_that_of_the_content(tmp_path: Path) -> None:
    file = written(tmp_path / "a", CASES)
    assert file.digest == hashlib.sha256(file.path.read_bytes()).hexdigest()
    assert file.digest == written(tmp_path / "b", CASES).digest
    assert file.digest != written(tmp_path / "c", CASES[::-1]).digest


@pytest.mark.parametrize("damage", [b"", b"no numpy", None])
def test_a_missing_or_damaged_index_is_made_again(tmp_path: Path, damage: bytes | None) -> None:
    digest = written(tmp_path, CASES).digest
    (index,) = tmp_path.rglob("*.index.npy")
    if damage is None:
        index.unlink()
    else:
        index.write_bytes(damage)
    file = CaseFile.open(Blobs(tmp_path), digest)
    assert list(file) == CASES
    assert file.case_hash(3) == case_hash(CASES[3])
    assert file.find("q3") == 3


def test_an_index_of_another_file_is_not_believed(tmp_path: Path) -> None:
    digest = written(tmp_path, CASES).digest
    (index,) = tmp_path.rglob("*.index.npy")
    np.save(index, np.ones((3, 5), dtype=np.uint64))
    assert len(CaseFile.open(Blobs(tmp_path), digest)) == 20


def test_unknown_cases_are_told(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="does not hold the cases"):
        CaseFile.open(Blobs(tmp_path), "0" * 64)


def test_a_second_case_of_an_id_is_not_written(tmp_path: Path) -> None:
    with CaseFileWriter(Blobs(tmp_path)) as writer:
        assert writer.add(Case(id="a", input=1), line=3) is None
        assert writer.add(Case(id="a", input=2), line=9) == 3
        assert len(writer) == 1
    assert [case.input for case in writer.file] == [1]


def test_an_unfinished_writer_says_so(tmp_path: Path) -> None:
    writer = CaseFileWriter(Blobs(tmp_path))
    with pytest.raises(UsageError, match="inside a `with` block"):
        writer.add(CASES[0])
    with pytest.raises(UsageError, match="not finished"):
        _ = writer.file


@given(ids=st.lists(st.text(max_size=8), max_size=300))
def test_the_id_table_agrees_with_a_dict(ids: list[str]) -> None:
    table, plain = IdTable(), {}
    for number, name in enumerate(ids):
        assert table.add(name, number) == plain.get(name)
        plain.setdefault(name, number)
    assert len(table) == len(plain)


def test_the_id_table_grows() -> None:
    table = IdTable()
    assert all(table.add(f"id-{n}", n) is None for n in range(5000))
    assert [table.add(f"id-{n}", 0) for n in (0, 2500, 4999)] == [0, 2500, 4999]
    assert id_hash("a") != id_hash("b")


def test_a_selection_is_a_source_of_its_own(tmp_path: Path) -> None:
    file = written(tmp_path, CASES)
    some = CaseSelection(file, [9, 2, 5])
    assert isinstance(some, CaseSource)
    assert [case.id for case in some] == ["q2", "q5", "q9"]
    assert some.find("q9") == 2
    assert some.case_hash(1) == case_hash(CASES[5])
    assert some.digest not in {file.digest, CaseSelection(file, [2, 5]).digest}
    with pytest.raises(KeyError):
        some.find("q3")
    with pytest.raises(UsageError, match="within the 20 cases"):
        CaseSelection(file, [20])


def test_a_selection_of_all_is_the_file(tmp_path: Path) -> None:
    file = written(tmp_path, CASES)
    assert CaseSelection(file).complete
    assert CaseSelection(file).digest == file.digest


def test_many_cases_take_little_memory(tmp_path: Path) -> None:
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from evalwright.core.case import Case; from evalwright.store.blobs import Blobs\n"
        "from evalwright.store.cases import CaseFileWriter\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024\n"
        "before = peak()\n"
        "with CaseFileWriter(Blobs(Path(sys.argv[1]))) as writer:\n"
        "    for n in range(100_000): writer.add(Case(id=f'case-{n}', input='x' * 500))\n"
        "file = writer.file; total = sum(len(file[n].input) for n in range(0, 100_000, 7))\n"
        "print(len(file), peak() - before)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=True)
    count, grown = map(int, done.stdout.split())
    assert count == 100_000
    assert grown < 24
