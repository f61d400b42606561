"""Whatever a scorer does becomes a score."""

import asyncio
import math
import signal
import threading
import time

import numpy as np
import pytest

from evalwright.core.case import Case
from evalwright.core.output import Output
from evalwright.core.score import Score, ScoreStatus
from evalwright.core.scorer import BoundScorer, ScoreContext, ScoreInfo, scorer
from evalwright.engine.alarm import Alarm
from evalwright.engine.scoring import Scorers

CONTEXT = ScoreContext(case=Case(id="a", input="x", expected="y"), output=Output(text="y"))


class Plain:
    """A scorer whose function is the test's."""

    def __init__(self, function, **info):
        self.function = function
        self.info = ScoreInfo(name="plain", **info)

    def score(self, ctx):
        return self.function(ctx)

    def describe(self):
        return {}


async def one(function, *, info=None, timeout_s=5.0, **bound):
    entry = BoundScorer(scorer=Plain(function, **(info or {})), metric="m", **bound)
    scores = await Scorers([entry], timeout_s=timeout_s).score(CONTEXT)
    return scores["m"]


@pytest.mark.parametrize(
    ("returned", "value", "passed"),
    [(True, 1.0, True), (0.25, 0.25, None), (3, 3.0, None), (Score.of(0.5, passed=False), 0.5, False)],
)
async def test_numbers_bools_and_scores_are_taken(returned, value, passed):
    score = await one(lambda _: returned)
    assert (score.status, score.value, score.passed) == (ScoreStatus.SCORED, value, passed)


async def test_a_skip_stays_a_skip_even_when_negated():
    score = await one(lambda _: Score.skip("no price"), negate=True, threshold=0.5)
    assert (score.status, score.reason, score.value) == (ScoreStatus.SKIPPED, "no price", None)


@pytest.mark.parametrize(
    ("returned", "words"),
    [
        (math.nan, "finite"),
        (math.inf, "finite"),
        (Score(value=math.nan), "finite"),
        (Score(value=1.0, parts={"a": math.inf}), "finite"),
        (Score(value=1.0, stats=(1.0, math.nan)), "finite"),
        (Score(value="high"), "TypeError"),
        (Score(value=1.0, parts=None), "AttributeError"),
        (Score(), "without a value"),
        (None, "must return a Score, a bool or a number, not NoneType"),
        ("yes", "not str"),
    ],
)
async def test_what_is_no_score_is_a_failure_that_names_the_scorer(returned, words):
    score = await one(lambda _: returned)
    assert score.status is ScoreStatus.ERROR
    assert score.value is None
    assert score.reason.startswith("m: ")
    assert words in score.reason


async def test_numpy_numbers_are_numbers():
    assert (await one(lambda _: float(np.float64(0.5)))).value == 0.5
    assert (await one(lambda _: Score(value=np.float64(0.5)))).value == 0.5


@pytest.mark.parametrize("error", [ValueError("bad"), SystemExit(1), KeyError("x"), RecursionError()])
async def test_what_a_scorer_raises_is_recorded(error):
    def function(_):
        raise error

    async def later(_):
        raise error

    for raised in (await one(function), await one(later) if not isinstance(error, SystemExit) else await one(function)):
        assert raised.status is ScoreStatus.ERROR
        assert raised.reason.startswith(f"m: {type(error).__name__}: ")


async def test_a_very_long_error_is_cut():
    def function(_):
        raise ValueError("x" * 100_000)

    assert len((await one(function)).reason) == 2000


async def test_negation_turns_value_and_verdict_round():
    score = await one(lambda _: Score.of(0.2, passed=False), negate=True)
    assert (score.value, score.passed) == (0.8, True)
    score = await one(lambda _: 1.0, info={"low": 1.0, "high": 5.0}, negate=True)
    assert score.value == 5.0
    score = await one(lambda _: 1.0, info={"high": None}, negate=True)
    assert score.reason == "m: a scorer without bounds can't be negated"


@pytest.mark.parametrize(
    ("value", "higher", "negate", "passed"),
    [(0.8, True, False, True), (0.4, True, False, False), (0.4, False, False, True), (0.4, True, True, True)],
)
async def test_a_threshold_gives_the_row_verdict_on_the_value_shown(value, higher, negate, passed):
    score = await one(lambda _: value, info={"higher_is_better": higher}, threshold=0.5, negate=negate)
    assert score.passed is passed


async def test_a_threshold_leaves_the_scorers_own_verdict():
    assert (await one(lambda _: Score.of(0.9, passed=False), threshold=0.5)).passed is False


async def test_asynchronous_scorers_run_together_and_keep_their_order():
    @scorer("slow")
    async def slow(_):
        await asyncio.sleep(0.1)
        return True

    bound = [BoundScorer(scorer=slow, metric=name) for name in "abcd"]
    bound.insert(2, BoundScorer(scorer=Plain(lambda _: 0.5), metric="quick"))
    start = time.monotonic()
    scores = await Scorers(bound, timeout_s=5).score(CONTEXT)
    assert time.monotonic() - start < 3
    assert list(scores) == ["a", "b", "quick", "c", "d"]


async def test_an_asynchronous_scorer_that_hangs_is_ended():
    async def hang(_):
        await asyncio.sleep(60)

    assert (await one(hang, timeout_s=0.05)).reason == "m: no verdict within 0.05 s"


async def test_a_timeout_of_the_scorers_own_is_told_apart():
    async def own(_):
        raise TimeoutError("the judge's own")

    assert (await one(own)).reason == "m: TimeoutError: the judge's own"


async def test_a_plain_scorer_that_hangs_is_broken_into():
    def hang(_):
        while True:
            try:
                time.sleep(0.001)
            except Exception:
                continue

    alarm = Alarm()
    entries = [BoundScorer(scorer=Plain(hang), metric="m"), BoundScorer(scorer=Plain(lambda _: True), metric="n")]
    before = signal.getsignal(signal.SIGALRM)
    with alarm.installed():
        scores = await Scorers(entries, timeout_s=0.1, alarm=alarm).score(CONTEXT)
    assert scores["m"].reason == "m: no verdict within 0.1 s"
    assert scores["n"].value == 1.0
    assert signal.getsignal(signal.SIGALRM) is before
    assert signal.getitimer(signal.ITIMER_REAL) == (0.0, 0.0)


def test_an_alarm_clock_in_use_or_another_thread_is_left_alone():
    signal.signal(signal.SIGALRM, signal.SIG_IGN)
    signal.setitimer(signal.ITIMER_REAL, 50)
    try:
        alarm = Alarm()
        with alarm.installed():
            alarm.set(0.01)
            alarm.clear()
            assert signal.getitimer(signal.ITIMER_REAL)[0] > 40
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    other = []

    def elsewhere():
        with Alarm().installed():
            other.append(signal.getsignal(signal.SIGALRM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert other == [signal.SIG_DFL]
