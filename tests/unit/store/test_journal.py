"""The journal on disk: what goes in comes out, whatever happens in between."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.core.errors import DiskFull, RunBusy, StoreError
from evalwright.core.output import Output
from evalwright.core.run import Failure, UnitRecord
from evalwright.core.score import Score
from evalwright.store.journal import (
    JournalFollower,
    JournalWriter,
    Unstorable,
    encode_record,
    read_journal,
    read_run,
    segment_path,
    segments,
)
from evalwright.store.lock import RunLock, is_locked, read_holder


def record(number=0, **fields):
    fields.setdefault("output", Output(text=f"answer {number}"))
    return UnitRecord(case_id=f"q{number}", case_hash=f"{number:016x}", position=number, **fields)


def write(path, *records):
    journal = JournalWriter(path)
    for each in records:
        journal.append(each)
    journal.close()


def test_what_was_appended_is_read(tmp_path):
    path = segment_path(tmp_path, 0)
    rows = [record(n, scores={"exact": Score.of(n % 2 == 0, reason="because")}) for n in range(10)]
    write(path, *rows[:6])
    write(path, *rows[6:])
    assert list(read_journal(path)) == rows


def test_a_record_is_with_the_system_before_append_returns(tmp_path):
    path = segment_path(tmp_path, 0)
    journal = JournalWriter(path)
    journal.append(record(1))
    assert len(list(read_journal(path))) == 1
    assert journal.unsynced == 1
    journal.sync()
    assert journal.unsynced == 0
    journal.close()
    journal.close()


@given(text=st.text(st.characters(codec=None), max_size=30))
def test_any_text_is_kept_but_for_lone_surrogates(text):
    line = encode_record(record(output=Output(text=text, metadata={text: [text]})))
    assert line.count(b"\n") == 1
    kept = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    assert kept.encode() in line.replace(b"\\n", b"\n") or not kept.isprintable() or '"' in kept or "\\" in kept


@given(cut=st.integers(min_value=0, max_value=2000))
def test_a_journal_cut_anywhere_loses_the_torn_record_only(cut, tmp_path_factory):
    path = segment_path(tmp_path_factory.mktemp("run"), 0)
    rows = [record(n) for n in range(12)]
    write(path, *rows)
    data = path.read_bytes()
    path.write_bytes(data[:cut])
    whole = data[:cut].count(b"\n")
    assert list(read_journal(path)) == rows[:whole]
    write(path, *rows[whole:])
    assert path.read_bytes() == data


def test_the_cut_is_reported_and_zeros_after_a_power_cut_go_too(tmp_path):
    path = segment_path(tmp_path, 0)
    write(path, record(1))
    size = path.stat().st_size
    path.write_bytes(path.read_bytes() + b"\0" * 3_000_000)
    journal = JournalWriter(path)
    assert journal.cut == 3_000_000
    journal.close()
    assert path.stat().st_size == size


def test_a_damaged_line_is_named_or_set_aside(tmp_path):
    path = segment_path(tmp_path, 0)
    write(path, record(1), record(2), record(3))
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"\0\xff{not json\n" + lines[2])
    with pytest.raises(StoreError, match=r"journal-000.jsonl:2: "):
        list(read_journal(path))
    bad = []
    assert [r.case_id for r in read_journal(path, on_bad=bad.append)] == ["q1", "q3"]
    assert [(b.path, b.line) for b in bad] == [(path, 2)]
    assert [r.case_id for r in read_run(tmp_path, on_bad=bad.append)] == ["q1", "q3"]


@pytest.mark.parametrize(
    "output",
    [
        Output(text="x", data=object()),
        Output(text=3),
        Output(text="x", data={(1, 2): 3}),
        Output(text="x", cost="1 USD"),
    ],
)
def test_what_could_not_be_read_back_is_refused_and_nothing_written(tmp_path, output):
    path = segment_path(tmp_path, 0)
    journal = JournalWriter(path)
    with pytest.raises(Unstorable):
        journal.append(record(output=output))
    journal.append(record(1))
    journal.close()
    assert list(read_journal(path)) == [record(1)]


@pytest.mark.parametrize("depth", [199, 201, 100_000])
def test_nesting_has_a_bound(depth):
    data = 0
    for _ in range(depth - 2):
        data = [data]
    if depth < 200:
        assert encode_record(record(output=Output(data=data)))
    else:
        with pytest.raises(Unstorable):
            encode_record(record(output=Output(data=data)))


def test_numpy_numbers_are_plain_numbers(tmp_path):
    numpy = pytest.importorskip("numpy")
    path = segment_path(tmp_path, 0)
    write(path, record(output=Output(data=[numpy.float32(0.5), numpy.arange(3)])))
    assert next(read_journal(path)).output.data == [0.5, [0, 1, 2]]


def test_a_full_disk_says_so_and_keeps_what_was_recorded(tmp_path):
    """The system's own limit of the size of a file stands for the full disk: same error, same partial write."""
    script = """
import resource, signal, sys
from pathlib import Path
from evalwright.core.errors import DiskFull
from evalwright.core.output import Output
from evalwright.core.run import UnitRecord
from evalwright.store.journal import JournalWriter
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
journal = JournalWriter(Path(sys.argv[1]))
for n in range(100):
    try:
        journal.append(UnitRecord(case_id=f"q{n}", case_hash=f"{n:016x}", output=Output(text="x" * 400)))
    except DiskFull as error:
        print(n, error)
        break
journal.close()
"""
    path = segment_path(tmp_path, 0)
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    written = int(done.stdout.split()[0])
    assert "no room left to record results" in done.stdout
    assert "everything recorded so far is kept" in done.stdout
    assert 15 < written < 25
    assert len(list(read_journal(path))) == written
    assert path.read_bytes().endswith(b"\n")
    assert resource.getrlimit(resource.RLIMIT_FSIZE) != (10_000, 10_000)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_the_disks_own_word_for_full_is_understood():
    fd = os.open("/dev/full", os.O_WRONLY)
    with pytest.raises(OSError, match="No space") as caught:
        os.write(fd, b"x")
    os.close(fd)
    from evalwright.store.journal import _store_error

    assert caught.value.errno == errno.ENOSPC
    assert isinstance(_store_error(caught.value, "/dev/full"), DiskFull)


def test_a_unit_recorded_twice_counts_once(tmp_path):
    failed = record(1, output=None, error=Failure(kind="server"), started_at=5.0)
    answered = record(1, started_at=3.0)
    later = record(2, output=None, error=Failure(kind="later"), started_at=9.0)
    earlier = record(2, output=None, error=Failure(kind="earlier"), started_at=8.0)
    write(segment_path(tmp_path, 0), answered, later, record(3))
    write(segment_path(tmp_path, 1), failed, earlier, record(1, trial=1))
    found = {(r.case_id, r.trial): r for r in read_run(tmp_path)}
    assert found == {("q1", 0): answered, ("q2", 0): later, ("q3", 0): record(3), ("q1", 1): record(1, trial=1)}
    assert len(list(read_run(tmp_path))) == 4


def test_segments_are_found_in_order(tmp_path):
    for worker in (11, 2, 0):
        write(segment_path(tmp_path, worker), record(worker))
    (tmp_path / "journal-notes.txt").write_text("x")
    assert [path.name for path in segments(tmp_path)] == [f"journal-{n:03d}.jsonl" for n in (0, 2, 11)]


def test_a_follower_sees_whole_records_as_they_come(tmp_path):
    path = segment_path(tmp_path, 0)
    follower = JournalFollower(path)
    assert list(follower.new()) == []
    write(path, record(1), record(2))
    assert [r.case_id for r in follower.new()] == ["q1", "q2"]
    line = encode_record(record(3))
    with path.open("ab") as file:
        file.write(line[:20])
    assert list(follower.new()) == []
    with path.open("ab") as file:
        file.write(line[20:])
    assert [r.case_id for r in follower.new()] == ["q3"]
    assert list(JournalFollower(path, skip=True).new()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(StoreError, match="can't be written"):
        JournalWriter(tmp_path / "missing" / "journal-000.jsonl")
    with pytest.raises(StoreError, match="can't be used"):
        RunLock(tmp_path / "missing")


def test_the_lock_names_its_holder_and_ends_with_its_process(tmp_path):
    script = (
        "import sys, time; from pathlib import Path; from evalwright.store.lock import RunLock\n"
        "lock = RunLock(Path(sys.argv[1])); print('held', flush=True); time.sleep(60)"
    )
    assert not is_locked(tmp_path)
    holder = subprocess.Popen([sys.executable, "-c", script, tmp_path], stdout=subprocess.PIPE)
    try:
        assert holder.stdout.readline() == b"held\n"
        assert is_locked(tmp_path)
        assert read_holder(tmp_path).pid == holder.pid
        with pytest.raises(RunBusy, match=f"process {holder.pid} on "):
            RunLock(tmp_path)
    finally:
        holder.kill()
        holder.wait()
        holder.stdout.close()
    assert not is_locked(tmp_path)
    with RunLock(tmp_path):
        assert is_locked(tmp_path)
    assert read_holder(tmp_path) is None
