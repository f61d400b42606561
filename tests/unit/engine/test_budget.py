"""Hard caps: never overshot by more than what is in flight, and resumable with more."""

import asyncio

import pytest

from evalwright.core.errors import TargetError
from evalwright.core.output import Output, Usage
from evalwright.core.run import Budget as Caps
from evalwright.core.run import CacheMode, RunStatus
from evalwright.core.scorer import BoundScorer, scorer
from evalwright.core.target import LimitKey
from evalwright.engine import UnitEstimate, run
from evalwright.engine.board import Board
from evalwright.engine.budget import Budget
from evalwright.store.cache import AnswerStore
from evalwright.store.journal import read_run

from .kit import FunctionTarget, echo, failing, job, records

PAID = Output(text="answer 1", usage=Usage(input_tokens=80, output_tokens=20), cost=0.01)


async def paid(_):
    await asyncio.sleep(0.002)
    return PAID


def spent(run_dir):
    rows = list(read_run(run_dir))
    answered = [row.output for row in rows if row.output is not None]
    judged = sum(row.judge_calls for row in rows)
    cost = sum(output.cost or 0 for output in answered) + sum(row.judge_cost or 0 for row in rows)
    return sum(row.calls for row in rows) + judged, sum(o.usage.total_tokens for o in answered if o.usage), cost


def test_a_cap_on_calls_is_exact(tmp_path):
    target = FunctionTarget(paid)
    outcome = run(job(tmp_path, target, 500, settings={"budget": Caps(calls=100), "concurrency": 32}))
    assert outcome.status is RunStatus.BUDGET
    assert outcome.reason == "the budget of 100 calls is spent (100 so far)"
    assert len(target.calls) == 100
    assert outcome.recorded == 100


@pytest.mark.parametrize(
    ("caps", "units"), [(Caps(tokens=5_000), 50), (Caps(cost=0.5), 50), (Caps(cost=1.0, calls=20), 20)]
)
def test_caps_on_tokens_and_money_are_kept_within_what_is_in_flight(tmp_path, caps, units):
    outcome = run(job(tmp_path, FunctionTarget(paid), 500, settings={"budget": caps, "concurrency": 16}))
    assert outcome.status is RunStatus.BUDGET
    assert units - 1 <= outcome.recorded <= units + 16


def test_with_an_estimate_nothing_is_overshot(tmp_path):
    estimate = UnitEstimate(calls=1, tokens=100, cost=0.01)
    settings = {"budget": Caps(tokens=5_050), "concurrency": 200}
    outcome = run(job(tmp_path, FunctionTarget(paid), 500, settings=settings, estimate=estimate))
    assert outcome.recorded == 50
    assert outcome.reason == "the budget of 5050 tokens is spent (5000 so far)"


def test_failed_calls_count(tmp_path):
    target = FunctionTarget(failing("server", times=1, retryable=True, retry_after_s=0.0))
    outcome = run(job(tmp_path, target, 100, settings={"budget": Caps(calls=30), "concurrency": 4}))
    assert outcome.status is RunStatus.BUDGET
    assert len(target.calls) == 30


def test_a_run_stopped_by_its_budget_goes_on_with_more(tmp_path):
    run(job(tmp_path, FunctionTarget(paid), 50, settings={"budget": Caps(calls=20)}))
    again = run(job(tmp_path, FunctionTarget(paid), 50, settings={"budget": Caps(calls=20)}))
    assert (again.status, again.fresh) == (RunStatus.BUDGET, 0)
    more = run(job(tmp_path, FunctionTarget(paid), 50, settings={"budget": Caps(calls=35)}))
    assert (more.status, more.fresh, more.recorded) == (RunStatus.BUDGET, 15, 35)
    rest = run(job(tmp_path, FunctionTarget(paid), 50, settings={"budget": Caps(calls=50)}))
    assert (rest.status, rest.recorded, rest.reason) == (RunStatus.COMPLETE, 50, "")
    assert spent(tmp_path)[0] == 50


def test_prices_fill_in_what_answers_do_not_say(tmp_path):
    settings = {"budget": Caps(cost=1.2), "concurrency": 2}
    outcome = run(job(tmp_path, FunctionTarget(echo), 50, settings=settings, price=lambda _: 0.1))
    assert outcome.status is RunStatus.BUDGET
    assert 12 <= outcome.recorded <= 14
    assert {record.output.cost for record in records(tmp_path).values()} == {0.1}


KEY = LimitKey("judges", "j")


def judge(calls=2, fail_first=False):
    """A scorer that asks a model `calls` times through the meter."""
    asked = []

    async def send(observe):
        asked.append(observe)
        await asyncio.sleep(0.001)
        if fail_first and len(asked) == 1:
            raise TargetError("busy", kind="server", retryable=True, retry_after_s=0.0)
        return Output(text="yes", usage=Usage(input_tokens=5, output_tokens=5), cost=0.005)

    @scorer("judged")
    async def judged(ctx):
        for _ in range(calls):
            answer = await ctx.services["meter"].call(KEY, send)
        return answer.text == "yes"

    return BoundScorer(scorer=judged, metric="judged")


def test_judges_calls_are_counted_with_the_unit(tmp_path):
    run(job(tmp_path, FunctionTarget(paid), 3, scorers=(judge(2, fail_first=True),), settings={"concurrency": 1}))
    rows = sorted(records(tmp_path).values(), key=lambda row: row.position)
    assert [row.judge_calls for row in rows] == [3, 2, 2]
    assert {row.judge_cost for row in rows} == {0.01}
    assert {row.judge_usage.total_tokens for row in rows} == {20}
    assert all(row.scores["judged"].value == 1.0 for row in rows)


def test_judges_calls_count_against_the_caps(tmp_path):
    settings = {"budget": Caps(calls=60), "concurrency": 4}
    outcome = run(job(tmp_path, FunctionTarget(paid), 500, scorers=(judge(2),), settings=settings))
    assert outcome.status is RunStatus.BUDGET
    assert 58 <= spent(tmp_path)[0] <= 60 + 2 * 4
    again = run(job(tmp_path, FunctionTarget(paid), 500, scorers=(judge(2),), settings=settings))
    assert again.fresh == 0


def test_judging_cached_answers_spends_too_and_what_can_not_be_judged_stays_for_later(tmp_path):
    store = AnswerStore(tmp_path / "answers.db")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    settings = {"cache": CacheMode.ON, "concurrency": 4}
    run(job(tmp_path / "first", FunctionTarget(paid), 40, cache=store, settings=settings))
    settings["budget"] = Caps(calls=30)
    target = FunctionTarget(paid)
    second = job(tmp_path / "second", target, 40, cache=store, scorers=(judge(2),), settings=settings)
    outcome = run(second)
    assert outcome.status is RunStatus.BUDGET
    assert target.calls == []
    rows = list(read_run(tmp_path / "second"))
    assert all(row.scores["judged"].value == 1.0 for row in rows)
    assert 10 <= len(rows) <= 15
    assert sum(row.judge_calls for row in rows) <= 30


def test_cached_answers_without_judges_cost_nothing(tmp_path):
    store = AnswerStore(tmp_path / "answers.db")
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    settings = {"cache": CacheMode.ON}
    run(job(tmp_path / "first", FunctionTarget(paid), 40, cache=store, settings=settings))
    settings["budget"] = Caps(calls=5)
    outcome = run(job(tmp_path / "second", FunctionTarget(paid), 40, cache=store, settings=settings))
    assert (outcome.status, outcome.recorded) == (RunStatus.COMPLETE, 40)


def test_a_judge_that_fails_for_good_is_a_failed_score(tmp_path):
    async def broken(_):
        raise TargetError("no such model", kind="refused", status=404)

    @scorer("judged")
    async def judged(ctx):
        await ctx.services["meter"].call(KEY, broken)
        return True

    run(job(tmp_path, FunctionTarget(paid), 2, scorers=(BoundScorer(scorer=judged, metric="judged"),)))
    for row in records(tmp_path).values():
        assert row.scores["judged"].reason == "judged: TargetError: no such model"
        assert row.judge_calls == 1


async def test_one_purse_for_all_processes():
    board = Board(shared=True)
    ours, theirs = (Budget(Caps(calls=10), board, UnitEstimate()) for _ in range(2))
    held = [await ours.hold() for _ in range(6)] + [await theirs.hold() for _ in range(4)]
    assert None not in held
    waiting = asyncio.ensure_future(theirs.hold())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    ours.release(held[0])
    assert await waiting is not None
    board.close()
