"""A target around another passes on what concerns the other, and gives each turn a key of its own."""

from evalwright.core.output import Output
from evalwright.core.target import LimitKey, RateLimit, TargetCall, most_at_once
from evalwright.core.wrapped import WrappedTarget, turn_of
from evalwright.packs.adapter import AttackTarget, InputShape


class Inner:
    """A product that takes two cases at once and remembers what it was asked."""

    name = "product"
    limit_key = LimitKey("local")
    rate_limit = RateLimit(requests_per_minute=60)
    max_concurrency = 2

    def __init__(self):
        self.calls = []
        self.opened = 0

    def describe(self):
        return {"type": "inner"}

    async def open(self):
        self.opened += 1

    async def close(self):
        self.opened -= 1

    async def respond(self, call):
        self.calls.append(call)
        return Output(text=f"answer {len(self.calls)}")


async def test_everything_but_the_answer_is_the_inner_targets():
    inner = Inner()
    around = WrappedTarget(inner)
    assert (around.name, around.limit_key, around.rate_limit) == (inner.name, inner.limit_key, inner.rate_limit)
    assert most_at_once(around) == 2
    await around.open()
    assert inner.opened == 1
    await around.close()
    assert inner.opened == 0


def test_turns_are_different_requests():
    call = TargetCall(case_id="a", input={"turns": 2}, idempotency_key="k")
    assert [turn_of(call, "x", number).idempotency_key for number in (1, 2)] == ["k/1", "k/2"]
    assert turn_of(TargetCall(case_id="a", input=""), "x", 1).idempotency_key == ""


async def test_the_turns_of_an_attack_have_keys_of_their_own():
    inner = Inner()
    attacker = AttackTarget(inner, InputShape())
    assert most_at_once(attacker) == 2
    output = await attacker.respond(TargetCall(case_id="a", input={"turns": ["one", "two"]}, idempotency_key="k"))
    assert output.text == "answer 2"
    assert [call.idempotency_key for call in inner.calls] == ["k/1", "k/2"]
