import multiprocessing

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalwright.core.errors import StoreError
from evalwright.governance.log import EventLog
from evalwright.store.workspace import Workspace


class Said(msgspec.Struct, frozen=True):
    text: str


def log_at(path):
    return EventLog(Workspace.open(path / "ws"), "said", Said)


def append(path, *texts):
    log = log_at(path)
    with log.writing() as writer:
        writer.append(*map(Said, texts))


def test_records_come_back_in_order(tmp_path):
    append(tmp_path, "a", "b")
    append(tmp_path, "line\nfeed")
    assert [record.text for record in log_at(tmp_path).read()] == ["a", "b", "line\nfeed"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(cut=st.integers(1, 14))
def test_a_line_cut_off_at_any_place_does_not_count_and_makes_way(tmp_path, cut):
    path = tmp_path / f"cut{cut}"
    if not path.exists():
        append(path, "a", "b")
        file = path / "ws" / "governance" / "said.jsonl"
        file.write_bytes(file.read_bytes()[:-cut])
    before = [record.text for record in log_at(path).read()]
    assert before in ([], ["a"], ["a", "b"])
    append(path, "c")
    assert [record.text for record in log_at(path).read()][: len(before) + 1] == [*before, "c"]


def test_a_line_that_is_no_record_is_named(tmp_path):
    append(tmp_path, "a")
    file = tmp_path / "ws" / "governance" / "said.jsonl"
    file.write_bytes(file.read_bytes() + b"{}\n")
    with pytest.raises(StoreError, match=r"said\.jsonl:2 can't be read"):
        log_at(tmp_path).read()


def _count(path, times):
    log = log_at(path)
    for _ in range(times):
        with log.writing() as writer:
            writer.append(Said(str(len(writer.records))))


def test_writers_of_several_processes_see_each_other(tmp_path):
    workers = [multiprocessing.get_context("spawn").Process(target=_count, args=(tmp_path, 10)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert [record.text for record in log_at(tmp_path).read()] == [str(n) for n in range(20)]
