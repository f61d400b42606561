"""Answers on disk."""

import multiprocessing

import pytest

from evalwright.core.errors import StoreError
from evalwright.core.output import Output, Usage
from evalwright.engine import AnswerCache
from evalwright.store.cache import AnswerStore, CacheStats


class HandClock:
    def __init__(self):
        self.time = 1000.0

    def now(self):
        return self.time

    def monotonic(self):
        return self.time


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def store(tmp_path, clock):
    store = AnswerStore(tmp_path / "cache" / "answers.db", max_age_s=100, clock=clock)
    store.open()
    yield store
    store.close()


def reopened(store):
    store.close()
    store.open()
    return store


def test_what_is_kept_is_found_by_its_key_alone(store):
    output = Output(text="héllo \u2028", usage=Usage(input_tokens=3), cost=0.5, metadata={"a": [1, None]})
    cache: AnswerCache = store
    cache.put("k1", output)
    assert reopened(store).get("k1") == output
    assert store.get("k2") is None
    assert store.problem == ""


def test_old_answers_are_not_given_out(store, clock):
    store.put("k", Output(text="x"))
    reopened(store)
    clock.time += 99
    assert store.get("k") is not None
    clock.time += 2
    assert store.get("k") is None


def test_a_newer_answer_takes_the_place_of_an_older(store):
    for number in range(3):
        store.put("k", Output(text=str(number)))
    assert reopened(store).get("k").text == "2"
    assert store.stats().entries == 1


def test_stats_clear_and_prune(store, clock):
    for number in range(10):
        store.put(f"k{number}", Output(text="x" * 100))
        clock.time += 10
    reopened(store)
    stats = store.stats()
    assert (stats.entries, stats.oldest, stats.newest) == (10, 1000.0, 1090.0)
    assert stats.size == 10 * len('{"text":""}') + 1000
    assert store.prune(max_age_s=75) == 3
    assert store.prune(max_size=350) == 4
    assert store.get("k9") is not None
    assert [store.get(f"k{n}") is not None for n in range(4, 10)] == [False] * 3 + [True] * 3
    assert store.clear() == 3
    assert store.stats() == CacheStats()


def test_no_file_is_an_empty_cache(tmp_path):
    store = AnswerStore(tmp_path / "none.db")
    assert store.stats() == CacheStats()
    assert (store.clear(), store.prune(max_age_s=1, max_size=1)) == (0, 0)
    assert not store.path.exists()


def test_a_file_that_is_no_cache_is_refused_with_a_remedy(tmp_path):
    path = tmp_path / "answers.db"
    path.write_text("not a database, not even a small one" * 100)
    for use in (AnswerStore(path).open, AnswerStore(path).stats, AnswerStore(path).clear):
        with pytest.raises(StoreError, match="can't be used: file is not a database") as caught:
            use()
        assert "--cache off" in caught.value.hint


def test_what_cannot_be_kept_is_dropped_and_told(store):
    store.put("bad", Output(text="x", data=object()))
    store.put("half", Output(text="\ud800"))
    store.put("good", Output(text="x"))
    assert reopened(store).get("good") is not None
    assert store.dropped == 2
    assert store.problem


def test_a_damaged_answer_is_no_answer(store):
    store.put("k", Output(text="x"))
    reopened(store)
    with store._session() as connection, connection:
        connection.execute("UPDATE answers SET output = '{\"text\": 3}'")
    assert store.get("k") is None


def _fill(path, start):
    store = AnswerStore(path)
    store.open()
    for number in range(start, start + 200):
        store.put(f"k{number}", Output(text=str(number)))
    store.close()
    assert store.problem == ""


def test_several_processes_keep_answers_at_once(tmp_path):
    path = tmp_path / "answers.db"
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_fill, args=(path, 200 * n)) for n in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0, 0]
    assert AnswerStore(path).stats().entries == 600
