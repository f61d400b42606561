"""The shipped fakes do as they are told, and the kits find what is wrong."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest

from evalwright.core.case import Case
from evalwright.core.errors import TargetError
from evalwright.core.output import Output
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext, ScoreInfo, ScoreKind, scorer
from evalwright.core.target import Target, TargetCall
from evalwright.testing import ConformanceError, FakeTarget, ScorerKit, StaticScorer, check_scorer, check_target

ROW = (Case(id="a", input="q", expected="x", metadata={"k": [1]}), Output(text="x"))
KIT = ScorerKit(rows=[ROW, (Case(id="b", input="q", expected="y"), Output(text="x"))], needs=())


def call(case_id: str) -> TargetCall:
    return TargetCall(case_id=case_id, input="q")


async def test_fake_target_answers_fails_and_remembers() -> None:
    busy = TargetError("busy", kind="server", retryable=True)
    target = FakeTarget({"a": [busy, "now"], "b": Output(text="b", cost=1.0), "c": lambda asked: asked.case_id * 2})
    with pytest.raises(TargetError, match="busy"):
        await target.respond(call("a"))
    assert [(await target.respond(call(name))).text for name in "aabc"] == ["now", "now", "b", "cc"]
    with pytest.raises(TargetError, match="no answer is scripted") as missing:
        await target.respond(call("z"))
    assert missing.value.kind == "missing"
    assert [asked.case_id for asked in target.calls] == ["a", "a", "a", "b", "c", "z"]
    assert isinstance(target, Target)


async def test_fake_target_counts_what_overlaps() -> None:
    target = FakeTarget(lambda asked: asked.case_id, delay_s=0.01)
    await asyncio.gather(*(target.respond(call(str(index))) for index in range(5)))
    assert (target.most_running, target.running) == (5, 0)


async def test_fake_target_conforms() -> None:
    target = FakeTarget({"a": "x"}, default="y")
    await check_target(target, [call("a")])
    assert (target.opened, target.closed) == (1, 2)


class Careless(FakeTarget):
    def describe(self) -> dict[str, Any]:
        return {"now": next(COUNTER)}

    async def respond(self, asked: TargetCall) -> Any:
        if asked.case_id == "evalwright-no-such-case":
            raise KeyError("deep")
        return "not an output"

    async def close(self) -> None:
        self.closed += 1
        if self.closed > 1:
            raise RuntimeError("closed already")


COUNTER = itertools.count()


async def test_target_kit_lists_every_fault() -> None:
    with pytest.raises(ConformanceError) as error:
        await check_target(Careless(), [call("a")])
    message = str(error.value)
    for fault in (
        "describe() changes",
        "is a str, not an Output",
        "raised KeyError",
        "second time: raised RuntimeError",
    ):
        assert fault in message


def test_static_scorer_conforms() -> None:
    check_scorer(StaticScorer(0.5), KIT)
    check_scorer(StaticScorer(Score.of(True), ScoreInfo(name="p", kind=ScoreKind.PROPORTION)), KIT)
    with pytest.raises(ConformanceError, match="raised ValueError: broken"):
        check_scorer(StaticScorer(ValueError("broken")), KIT)


def test_async_scorers_are_waited_for() -> None:
    @scorer("slow")
    async def slow(ctx: ScoreContext) -> bool:
        await asyncio.sleep(0)
        return ctx.output.text == "x"

    check_scorer(slow, KIT)


def faults(subject: Any, kit: ScorerKit = KIT) -> str:
    with pytest.raises(ConformanceError) as error:
        check_scorer(subject, kit)
    return str(error.value)


def test_scorer_kit_finds_values_out_of_range() -> None:
    assert "1.5 is over 1.0" in faults(StaticScorer(1.5))
    assert "row is 0 or 1, not 0.5" in faults(StaticScorer(0.5, ScoreInfo(name="p", kind=ScoreKind.PROPORTION)))
    assert "scored with the value nan" in faults(StaticScorer(Score(value=float("nan"))))
    assert "skipped: nothing to do" in faults(StaticScorer(Score.skip("nothing to do")))
    assert "a corpus scorer needs aggregate" in faults(StaticScorer(0.5, ScoreInfo(name="c", kind=ScoreKind.CORPUS)))


def test_scorer_kit_finds_moods() -> None:
    @scorer("moody")
    def moody(_: ScoreContext) -> bool:
        return next(COUNTER) % 3 == 0

    assert "scored again in another order" in faults(moody)


def test_scorer_kit_finds_meddling() -> None:
    @scorer("meddler")
    def meddler(ctx: ScoreContext) -> bool:
        ctx.case.metadata.setdefault("k", []).append(2)
        return True

    assert "changes the case or the output" in faults(meddler)


def test_scorer_kit_wants_skips_and_quick_answers() -> None:
    assert "without `expected`: must be skipped" in faults(StaticScorer(), ScorerKit(rows=[ROW]))
    assert "without `metadata.k`" in faults(StaticScorer(), ScorerKit(rows=[ROW], needs=("metadata.k",)))
    assert "output without `cost`" in faults(StaticScorer(), ScorerKit(rows=[ROW], needs=(), needs_output=("cost",)))
    assert "took" in faults(StaticScorer(), ScorerKit(rows=[ROW], needs=(), long_seconds=-1.0))
    assert "at least one row" in faults(StaticScorer(), ScorerKit(needs=()))


def test_scorer_kit_wants_empty_answers_scored() -> None:
    @scorer("shy")
    def shy(ctx: ScoreContext) -> Score:
        return Score.of(1.0) if ctx.output.text else Score.skip("empty")

    assert "an empty output is an empty answer, not skipped" in faults(shy)
    check_scorer(shy, ScorerKit(rows=[ROW], needs=(), empty="any"))
