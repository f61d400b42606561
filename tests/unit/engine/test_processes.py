"""Several processes: the same result, one budget, one limit, and nothing lost when one of them dies."""

import asyncio
import os
import signal
import time

import pytest

from evalwright.core.errors import DiskFull, TargetError
from evalwright.core.output import Output
from evalwright.core.run import Budget, CacheMode, RunStatus
from evalwright.core.target import LimitKey, RateLimit
from evalwright.engine import StopRun, read_state, run
from evalwright.engine.processes import WorkerFailed
from evalwright.store.cache import AnswerStore
from evalwright.store.journal import read_journal, segment_path, segments

from .kit import Ears, FunctionTarget, comparable, echo, job, recorded, records, signal_when, slow


async def who(call):
    """The process that answered, in the metadata; the text as ever."""
    await asyncio.sleep(0.002)
    output = await echo(call)
    return Output(text=output.text, usage=output.usage, metadata={"pid": os.getpid()})


def test_several_processes_find_what_one_finds(tmp_path):
    (tmp_path / "one").mkdir()
    (tmp_path / "three").mkdir()
    run(job(tmp_path / "one", FunctionTarget(who), 60, settings={"trials": 2}))
    ears = Ears()
    settings = {"trials": 2, "workers": 3, "concurrency": 4}
    outcome = run(job(tmp_path / "three", FunctionTarget(who), 60, settings=settings, listeners=(ears,)))
    assert (outcome.status, outcome.recorded, outcome.fresh) == (RunStatus.COMPLETE, 120, 120)
    assert comparable(tmp_path / "three") == comparable(tmp_path / "one")
    assert len(segments(tmp_path / "three")) == 3
    assert sum(len(list(read_journal(path))) for path in segments(tmp_path / "three")) == 120
    pids = {record.output.metadata["pid"] for record in records(tmp_path / "three").values()}
    assert len(pids) > 1  # the last to start may find the work done
    assert os.getpid() not in pids
    assert len(ears.units) == 120
    assert ears.progress[-1].done == 120
    assert read_state(tmp_path / "three").status is RunStatus.COMPLETE


def test_it_resumes_what_another_number_of_processes_left(tmp_path):
    run(job(tmp_path, FunctionTarget(who), 30, settings={"workers": 2}))
    outcome = run(job(tmp_path, FunctionTarget(who), 80, settings={"workers": 3}))
    assert (outcome.fresh, outcome.recorded) == (50, 80)
    outcome = run(job(tmp_path, FunctionTarget(who), 90, settings={"workers": 1}))
    assert (outcome.fresh, outcome.recorded) == (10, 90)


def test_one_budget_for_all(tmp_path):
    settings = {"workers": 3, "concurrency": 8, "budget": Budget(calls=50)}
    outcome = run(job(tmp_path, FunctionTarget(who), 300, settings=settings))
    assert outcome.status is RunStatus.BUDGET
    assert outcome.reason.startswith("the budget of 50 calls is spent")
    assert sum(record.calls for record in records(tmp_path).values()) == 50


def test_one_limit_for_all(tmp_path):
    target = FunctionTarget(who, limit_key=LimitKey("local"), rate_limit=RateLimit(requests_per_minute=6000))
    start = time.monotonic()
    outcome = run(job(tmp_path, target, 60, settings={"workers": 3, "concurrency": 20}))
    assert time.monotonic() - start > 0.5
    assert [(change.what, change.new) for change in outcome.limits] == [("requests", 5940.0)]


def test_one_cache_for_all(tmp_path):
    store = AnswerStore(tmp_path / "answers.db")
    for name, cached in [("a", False), ("b", True)]:
        (tmp_path / name).mkdir()
        run(job(tmp_path / name, FunctionTarget(who), 40, cache=store, settings={"workers": 2, "cache": CacheMode.ON}))
        assert {record.cached for record in records(tmp_path / name).values()} == {cached}


def test_a_listener_in_the_parent_can_end_it(tmp_path):
    class Enough(Ears):
        def on_unit(self, record):
            raise StopRun("enough", status=RunStatus.DECIDED)

    settings = {"workers": 2, "concurrency": 2}
    outcome = run(job(tmp_path, FunctionTarget(slow(0.02)), 5000, settings=settings, listeners=(Enough(),)))
    assert (outcome.status, outcome.reason) == (RunStatus.DECIDED, "enough")
    assert outcome.recorded == len(records(tmp_path)) < 200


def test_too_many_errors_end_it(tmp_path):
    async def refuse(_):
        await asyncio.sleep(0.005)
        raise TargetError("no", kind="refused")

    settings = {"workers": 2, "concurrency": 2, "max_errors": 0.5}
    outcome = run(job(tmp_path, FunctionTarget(refuse), 5000, settings=settings))
    assert outcome.status is RunStatus.STOPPED
    assert outcome.recorded == len(records(tmp_path)) < 1000


def test_a_signal_drains_all(tmp_path):
    timer = signal_when(lambda: recorded(tmp_path), signal.SIGINT)
    outcome = run(job(tmp_path, FunctionTarget(slow(0.05)), 5000, settings={"workers": 2, "concurrency": 4}))
    timer.join()
    assert (outcome.status, outcome.reason) == (RunStatus.INTERRUPTED, "stopped by SIGINT")
    assert 0 < outcome.recorded == len(records(tmp_path)) < 5000


def test_a_worker_that_is_killed_is_named_and_its_units_run_again(tmp_path):
    async def die(call):
        if call.case_id == "q7":
            os.kill(os.getpid(), signal.SIGKILL)
        return await who(call)

    outcome = run(job(tmp_path, FunctionTarget(die), 400, settings={"workers": 2, "concurrency": 2}))
    assert outcome.status is RunStatus.INTERRUPTED
    assert "was killed by SIGKILL" in outcome.reason
    assert outcome.recorded == len(records(tmp_path)) < 400
    again = run(job(tmp_path, FunctionTarget(who), 400, settings={"workers": 2}))
    assert (again.status, again.recorded) == (RunStatus.COMPLETE, 400)


class Shut(FunctionTarget):
    def __init__(self, error):
        super().__init__(echo)
        self.error = error

    async def open(self):
        raise self.error


@pytest.mark.parametrize(
    ("raised", "kind", "words"),
    [
        (TargetError("no such host", kind="connection"), TargetError, "no such host"),
        (DiskFull("no room", hint="free some"), DiskFull, "no room\nhint: free some"),
        (ZeroDivisionError("oops"), WorkerFailed, "ZeroDivisionError: oops"),
    ],
)
def test_what_a_worker_raises_reaches_the_caller(tmp_path, raised, kind, words):
    with pytest.raises(kind) as caught:
        run(job(tmp_path, Shut(raised), 10, settings={"workers": 2}))
    assert words in str(caught.value)


def test_a_listener_that_fails_ends_all_workers(tmp_path):
    class Broken(Ears):
        def on_unit(self, record):
            raise RuntimeError("ear ache")

    settings = {"workers": 2, "concurrency": 2}
    with pytest.raises(RuntimeError, match="ear ache"):
        run(job(tmp_path, FunctionTarget(slow(0.02)), 5000, settings=settings, listeners=(Broken(),)))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_no_process_is_left_behind(tmp_path):
    run(job(tmp_path, FunctionTarget(who), 10, settings={"workers": 2}))
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_segment_of_each_worker_is_named_after_it(tmp_path):
    run(job(tmp_path, FunctionTarget(who), 10, settings={"workers": 2}))
    assert segments(tmp_path) == [segment_path(tmp_path, 0), segment_path(tmp_path, 1)]
