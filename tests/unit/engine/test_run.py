"""A run from job to journal."""

import asyncio
import os
import signal
import time

import pytest

from evalwright.core.case import Case
from evalwright.core.errors import RunBusy, TargetError, UsageError
from evalwright.core.output import Output
from evalwright.core.run import Budget, RunStatus
from evalwright.core.score import Score, ScoreStatus
from evalwright.core.scorer import BoundScorer, scorer
from evalwright.engine import StopRun, run, run_async
from evalwright.store.journal import segment_path
from evalwright.store.lock import RunLock

from .kit import EXACT, Ears, FunctionTarget, comparable, echo, failing, job, recorded, records, signal_when, slow


def test_every_unit_is_answered_scored_and_recorded_once(tmp_path):
    ears, target = Ears(), FunctionTarget(echo)
    outcome = run(job(tmp_path, target, 30, settings={"trials": 3}, listeners=(ears,)))
    assert (outcome.status, outcome.units, outcome.recorded, outcome.fresh) == (RunStatus.COMPLETE, 90, 90, 90)
    assert len(ears.units) == len(records(tmp_path)) == len(target.calls) == 90
    assert all(count == 1 for count in target.answered.values())
    assert (target.opened, target.closed) == (1, 1)
    last = ears.progress[-1]
    assert (last.done, last.units, last.errored, last.in_flight) == (90, 90, 0, 0)
    values = [record.scores["exact"].value for record in ears.units]
    assert last.running == {"exact": pytest.approx(sum(values) / 90)}


def test_a_second_run_in_the_folder_does_only_the_rest(tmp_path):
    run(job(tmp_path, FunctionTarget(echo), 10))
    target = FunctionTarget(echo)
    outcome = run(job(tmp_path, target, 25))
    assert len(target.calls) == 15
    assert (outcome.fresh, outcome.recorded, outcome.status) == (15, 25, RunStatus.COMPLETE)


def test_the_order_of_work_follows_the_seed_alone(tmp_path):
    orders = []
    for name, seed in [("a", 1), ("b", 1), ("c", 2)]:
        (tmp_path / name).mkdir()
        target = FunctionTarget(echo)
        run(job(tmp_path / name, target, 50, settings={"seed": seed, "concurrency": 1}))
        orders.append([call.case_id for call in target.calls])
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[0]) == sorted(orders[2])
    assert orders[0] != sorted(orders[0])


def test_a_target_is_never_shown_what_is_expected_nor_private_metadata(tmp_path):
    case = Case(id="a", input={"q": "hi"}, expected="secret", metadata={"tier": "gold", "label": "secret"})
    target = FunctionTarget(echo)
    run(job(tmp_path, target, [case], settings={"public": ("tier",)}))
    assert "secret" not in repr(target.calls[0])
    assert target.calls[0].metadata == {"tier": "gold"}


def test_a_target_that_changes_its_input_changes_nothing_else(tmp_path):
    async def spoil(call):
        call.input["q"] = "spoiled"
        return await echo(call)

    seen = []

    @scorer("peek")
    def peek(ctx):
        seen.append(ctx.case.input)
        return True

    bound = BoundScorer(scorer=peek, metric="peek")
    run(
        job(
            tmp_path, FunctionTarget(spoil), [Case(id="a", input={"q": "hi"})], settings={"trials": 2}, scorers=(bound,)
        )
    )
    assert seen == [{"q": "hi"}, {"q": "hi"}]
    assert len({record.case_hash for record in records(tmp_path).values()}) == 1


def test_what_may_succeed_is_repeated_and_its_history_kept(tmp_path):
    target = FunctionTarget(failing("server", times=2, retryable=True, status=503, retry_after_s=0.001))
    run(job(tmp_path, target, 5))
    for record in records(tmp_path).values():
        assert record.output is not None
        assert record.calls == 3
        assert [(a.kind, a.status) for a in record.attempts] == [("server", 503)] * 2
        assert record.attempts[0].waited_s >= 0.001
    assert len({call.idempotency_key for call in target.calls}) == 5


def test_what_cannot_succeed_is_errored_at_once_and_never_scored(tmp_path):
    outcome = run(job(tmp_path, FunctionTarget(failing("refused", times=9, status=400)), 5))
    assert outcome.status is RunStatus.COMPLETE
    for record in records(tmp_path).values():
        assert (record.output, record.scores, record.calls) == (None, {}, 1)
        assert (record.error.kind, record.error.status) == ("refused", 400)


def test_retries_end(tmp_path):
    target = FunctionTarget(failing("server", times=99, retryable=True, retry_after_s=0.0))
    run(job(tmp_path, target, 4, settings={"retries": 2}))
    assert [record.calls for record in records(tmp_path).values()] == [3] * 4


def test_malformed_answers_are_repeated_once(tmp_path):
    target = FunctionTarget(failing("malformed", times=99, retryable=True, retry_after_s=0.0, max_attempts=2))
    run(job(tmp_path, target, 4, settings={"retries": 5}))
    assert [record.calls for record in records(tmp_path).values()] == [2] * 4


async def _hang(_):
    await asyncio.sleep(60)


async def _raise(_):
    raise ZeroDivisionError("in the target")


async def _exit(_):
    raise SystemExit(3)


async def _cancel(_):
    raise asyncio.CancelledError


async def _garbage(_):
    return "just a string"


async def _wrong_field(_):
    return Output(text=12)  # type: ignore[arg-type]


async def _wrong_cost(_):
    return Output(text="x", cost="1 USD")  # type: ignore[arg-type]


async def _object(_):
    return Output(text="x", data=object())


@pytest.mark.parametrize(
    ("respond", "kind", "words"),
    [
        (_hang, "timeout", "no answer within 0.02 s"),
        (_raise, "exception", "ZeroDivisionError: in the target"),
        (_exit, "exception", "SystemExit: 3"),
        (_cancel, "exception", "cancelled itself"),
        (_garbage, "malformed", "returned str, not an Output"),
        (_wrong_field, "malformed", "text is int, not a string"),
        (_wrong_cost, "malformed", "Expected `float | null`, got `str`"),
        (_object, "malformed", "can't be stored"),
    ],
)
def test_whatever_a_target_does_is_recorded(tmp_path, respond, kind, words):
    outcome = run(job(tmp_path, FunctionTarget(respond), 3, settings={"timeout_s": 0.02, "retries": 0}))
    assert outcome.recorded == 3
    for record in records(tmp_path).values():
        assert record.output is None
        assert record.error.kind == kind
        assert words in record.error.message
        assert record.scores == {}


def test_hostile_text_goes_through(tmp_path):
    text = "half \ud800 pair, \x00, \u2028, \N{PILE OF POO}, " + "x" * 1_000_000

    async def respond(_):
        return Output(text=text, metadata={"\udfff": [float("nan"), 2**80]})

    run(job(tmp_path, FunctionTarget(respond), 1))
    (record,) = records(tmp_path).values()
    assert record.output.text == text.replace("\ud800", "\ufffd")
    assert segment_path(tmp_path, 0).read_bytes().count(b"\n") == 1


def test_a_score_that_cannot_be_stored_is_a_failed_score(tmp_path):
    @scorer("odd")
    def odd(_):
        return Score(value=1.0, metadata={"x": object()})

    run(job(tmp_path, FunctionTarget(echo), 2, scorers=(EXACT, BoundScorer(scorer=odd, metric="odd"))))
    for record in records(tmp_path).values():
        assert record.scores["exact"].status is ScoreStatus.SCORED
        assert record.scores["odd"].status is ScoreStatus.ERROR
        assert "odd: the score can't be stored" in record.scores["odd"].reason


def test_a_hopeless_run_stops_early_with_its_results_kept(tmp_path):
    target = FunctionTarget(failing("refused", times=9))
    outcome = run(job(tmp_path, target, 500, settings={"max_errors": 0.2, "concurrency": 4}))
    assert outcome.status is RunStatus.STOPPED
    assert "more than the allowed share of 0.2" in outcome.reason
    assert 50 <= outcome.recorded < 60
    assert outcome.recorded == len(records(tmp_path))


def test_a_listener_can_end_the_run(tmp_path):
    class Enough(Ears):
        def on_unit(self, record):
            super().on_unit(record)
            if len(self.units) == 7:
                raise StopRun("every rule is decided", status=RunStatus.DECIDED)

    outcome = run(job(tmp_path, FunctionTarget(echo), 100, listeners=(Enough(),), settings={"concurrency": 2}))
    assert (outcome.status, outcome.reason) == (RunStatus.DECIDED, "every rule is decided")
    assert 7 <= outcome.recorded <= 8


def test_a_listener_that_fails_ends_the_run_with_its_error(tmp_path):
    class Broken(Ears):
        def on_unit(self, record):
            raise RuntimeError("ear ache")

    target = FunctionTarget(echo)
    with pytest.raises(RuntimeError, match="ear ache"):
        run(job(tmp_path, target, 10, listeners=(Broken(),)))
    assert target.closed == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_finishes_what_is_in_flight(tmp_path, number):
    target = FunctionTarget(slow(0.1))
    timer = signal_when(lambda: bool(target.calls), number)
    outcome = run(job(tmp_path, target, 1000, settings={"concurrency": 5}))
    timer.join()
    assert outcome.status is RunStatus.INTERRUPTED
    assert number.name in outcome.reason
    assert outcome.recorded == len(target.calls) == len(records(tmp_path)) < 30


def test_the_second_signal_ends_at_once_and_keeps_what_is_recorded(tmp_path):
    async def mixed(call):
        await asyncio.sleep(30 if int(call.case_id[1:]) % 2 else 0.001)
        return await echo(call)

    timer = signal_when(lambda: recorded(tmp_path), signal.SIGINT, signal.SIGINT)
    outcome = run(job(tmp_path, FunctionTarget(mixed), 100, settings={"concurrency": 8}))
    timer.join()
    assert outcome.status is RunStatus.INTERRUPTED
    assert outcome.duration_s < 5
    assert outcome.recorded == len(records(tmp_path)) > 0
    rest = run(job(tmp_path, FunctionTarget(echo), 100))
    assert (rest.status, rest.recorded) == (RunStatus.COMPLETE, 100)


def test_a_third_signal_breaks_into_code_that_blocks_the_loop(tmp_path):
    async def block(call):
        if call.case_id == "q3":
            time.sleep(20)  # noqa: ASYNC251 - what a careless target does
        return await echo(call)

    timer = signal_when(lambda: recorded(tmp_path), signal.SIGINT, signal.SIGINT, signal.SIGINT)
    start = time.monotonic()
    outcome = run(job(tmp_path, FunctionTarget(block), 10, settings={"concurrency": 1}))
    timer.join()
    assert time.monotonic() - start < 5
    assert (outcome.status, outcome.reason) == (RunStatus.INTERRUPTED, "stopped by SIGINT")
    assert outcome.recorded == len(records(tmp_path)) < 10


def test_targets_that_answer_at_once_leave_time_for_everything_else(tmp_path):
    ears = Ears()
    settings = {"concurrency": 2, "budget": Budget(minutes=0.8 / 60)}
    outcome = run(job(tmp_path, FunctionTarget(echo), 200_000, settings=settings, listeners=(ears,)))
    assert outcome.status is RunStatus.BUDGET
    assert outcome.duration_s < 4
    assert len(ears.progress) >= 3


def test_signals_are_as_before_after_a_run(tmp_path):
    before = signal.getsignal(signal.SIGINT)
    run(job(tmp_path, FunctionTarget(echo), 1))
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_worker_on_the_same_run_is_refused(tmp_path):
    with RunLock(tmp_path), pytest.raises(RunBusy, match=f"process {os.getpid()} on .* since "):
        run(job(tmp_path, FunctionTarget(echo), 3))
    assert run(job(tmp_path, FunctionTarget(echo), 3)).recorded == 3


async def test_it_runs_inside_a_running_loop(tmp_path):
    with pytest.raises(UsageError, match="inside a running event loop") as caught:
        run(job(tmp_path, FunctionTarget(echo), 5))
    assert "run_async" in caught.value.hint
    outcome = await run_async(job(tmp_path, FunctionTarget(echo), 5))
    assert outcome.status is RunStatus.COMPLETE


def test_failed_units_are_kept_or_run_again_as_asked(tmp_path):
    run(job(tmp_path, FunctionTarget(failing("refused", times=9)), 5))
    assert run(job(tmp_path, FunctionTarget(echo), 5)).fresh == 0
    outcome = run(job(tmp_path, FunctionTarget(echo), 5, retry_errored=True))
    assert (outcome.fresh, outcome.recorded) == (5, 5)
    assert all(record.output is not None for record in records(tmp_path).values())
    assert run(job(tmp_path, FunctionTarget(echo), 5, retry_errored=True)).fresh == 0


def test_a_target_that_does_not_open_ends_the_run_with_its_error(tmp_path):
    class Shut(FunctionTarget):
        async def open(self):
            raise TargetError("no such host", kind="connection")

    with pytest.raises(TargetError, match="no such host"):
        run(job(tmp_path, Shut(echo), 3))
    assert run(job(tmp_path, FunctionTarget(echo), 3)).recorded == 3


def test_a_resumed_run_equals_one_in_one_go(tmp_path):
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    run(job(tmp_path / "whole", FunctionTarget(echo), 40))
    run(job(tmp_path / "parts", FunctionTarget(echo), 40))
    path = segment_path(tmp_path / "parts", 0)
    path.write_bytes(path.read_bytes()[:3000])
    assert run(job(tmp_path / "parts", FunctionTarget(echo), 40)).fresh > 20
    assert comparable(tmp_path / "parts") == comparable(tmp_path / "whole")
