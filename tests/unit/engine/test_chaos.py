"""Everything goes wrong at random, and still every unit ends answered or errored with its history."""

import asyncio
import random
from collections import Counter

import pytest

from evalwright.core.errors import TargetError
from evalwright.core.output import Output, Usage
from evalwright.core.run import RunStatus
from evalwright.core.score import ScoreStatus
from evalwright.core.scorer import BoundScorer, scorer
from evalwright.core.target import LimitKey
from evalwright.engine import run

from .kit import EXACT, FunctionTarget, echo, job, records


class Chaos:
    """A target's behaviour, drawn anew at every call; counts what it did."""

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.did = Counter()

    async def __call__(self, call):
        what = self.rng.choices(
            ["answer", "limit", "server", "reset", "malformed", "refused", "crash", "garbage", "hang"],
            [60, 8, 8, 6, 6, 4, 4, 2, 2],
        )[0]
        self.did[what] += 1
        await asyncio.sleep(self.rng.random() * 0.003)
        return await getattr(self, what)(call)

    async def answer(self, call):
        return await echo(call)

    async def limit(self, _):
        raise TargetError("slow down", kind="rate_limit", status=429, retryable=True, retry_after_s=0.001)

    async def server(self, _):
        raise TargetError("oops", kind="server", status=500, retryable=True, retry_after_s=0.0)

    async def reset(self, _):
        raise ConnectionResetError("reset by peer")

    async def malformed(self, _):
        raise TargetError("half an answer", kind="malformed", retryable=True, retry_after_s=0.0, max_attempts=2)

    async def refused(self, _):
        raise TargetError("content policy", kind="refused", status=400)

    async def crash(self, _):
        raise RuntimeError("bug in the target")

    async def garbage(self, _):
        return Output(text="x", usage=Usage(input_tokens="many"))  # type: ignore[arg-type]

    async def hang(self, _):
        await asyncio.sleep(60)


def unreliable(seed):
    rng = random.Random(seed)

    @scorer("unreliable")
    def judge(_):
        dice = rng.random()
        if dice < 0.2:
            raise KeyError("missing")
        return float("nan") if dice < 0.4 else 0.5

    return BoundScorer(scorer=judge, metric="unreliable")


@pytest.mark.parametrize("seed", range(3))
def test_every_unit_ends_answered_or_errored_with_its_history(tmp_path, seed):
    chaos = Chaos(seed)
    target = FunctionTarget(chaos, limit_key=LimitKey("local"))
    settings = {"trials": 2, "concurrency": 24, "timeout_s": 1.0, "retries": 3}
    of = job(tmp_path, target, 150, settings=settings, scorers=(EXACT, unreliable(seed)))
    outcome = run(of)
    assert (outcome.status, outcome.recorded) == (RunStatus.COMPLETE, 300)
    rows = list(records(tmp_path).values())
    assert len(rows) == 300
    assert sum(row.calls for row in rows) == sum(chaos.did.values()) == len(target.calls)
    history = Counter(attempt.kind for row in rows for attempt in row.attempts)
    assert history["rate_limit"] == chaos.did["limit"]
    assert history["server"] == chaos.did["server"]
    assert history["timeout"] == chaos.did["hang"]
    assert history["refused"] == chaos.did["refused"]
    for row in rows:
        failed = len(row.attempts)
        if row.output is None:
            assert row.calls == failed
            assert (row.error.kind, row.scores) == (row.attempts[-1].kind, {})
        else:
            assert row.calls == failed + 1
            assert row.scores["exact"].status is ScoreStatus.SCORED
            assert row.scores["unreliable"].status in {ScoreStatus.SCORED, ScoreStatus.ERROR}
    assert sum(row.output is None for row in rows) > 10
    assert sum(row.output is not None for row in rows) > 200
