"""Stored answers in a run."""

import msgspec

from evalwright.core.run import CacheMode
from evalwright.core.target import TargetCall
from evalwright.engine import cache_key, run
from evalwright.store.cache import AnswerStore

from .kit import Ears, FunctionTarget, echo, failing, job, records


def folder(tmp_path, name):
    path = tmp_path / name
    path.mkdir()
    return path


def test_hits_cost_no_call_and_are_counted_apart(tmp_path):
    store, settings = AnswerStore(tmp_path / "answers.db"), {"cache": CacheMode.ON, "trials": 2}
    first, second = folder(tmp_path, "a"), folder(tmp_path, "b")
    run(job(first, FunctionTarget(echo), 20, cache=store, settings=settings))
    target, ears = FunctionTarget(echo), Ears()
    run(job(second, target, 25, cache=store, settings=settings, listeners=(ears,)))
    assert len(target.calls) == 10
    assert ears.progress[-1].cached == 40
    hits = [record for record in records(second).values() if record.cached]
    assert len(hits) == 40
    assert {record.calls for record in hits} == {0}
    for key, record in records(first).items():
        assert records(second)[key].output == record.output


def test_read_only_keeps_nothing_and_off_reads_nothing(tmp_path):
    store = AnswerStore(tmp_path / "answers.db")
    run(job(folder(tmp_path, "a"), FunctionTarget(echo), 5, cache=store, settings={"cache": CacheMode.READ}))
    assert store.stats().entries == 0
    run(job(folder(tmp_path, "b"), FunctionTarget(echo), 5, cache=store, settings={"cache": CacheMode.ON}))
    assert store.stats().entries == 5
    target = FunctionTarget(echo)
    run(job(folder(tmp_path, "c"), target, 5, cache=store, settings={"cache": CacheMode.OFF}))
    assert len(target.calls) == 5


def test_failures_are_not_kept(tmp_path):
    store = AnswerStore(tmp_path / "answers.db")
    settings = {"cache": CacheMode.ON}
    run(job(folder(tmp_path, "a"), FunctionTarget(failing("refused", times=9)), 5, cache=store, settings=settings))
    assert store.stats().entries == 0


def test_the_key_is_of_everything_the_target_is_given():
    call = TargetCall(case_id="a", input={"q": "x"}, metadata={"tier": 1}, trial=0, seed=3)
    keys = {
        cache_key("t", call),
        cache_key("other", call),
        cache_key("t", msgspec.structs.replace(call, input={"q": "y"})),
        cache_key("t", msgspec.structs.replace(call, metadata={})),
        cache_key("t", msgspec.structs.replace(call, trial=1)),
        cache_key("t", msgspec.structs.replace(call, seed=4)),
    }
    assert len(keys) == 6
    again = msgspec.structs.replace(call, attempt=2, idempotency_key="x", input={"q": "x"})
    assert cache_key("t", again) == cache_key("t", call)
