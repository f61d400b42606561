"""Packs reach a product in its own form of input."""

import pytest

from evalwright.core.errors import UsageError
from evalwright.core.output import Output, Usage
from evalwright.core.target import TargetCall
from evalwright.packs.adapter import AttackTarget, InputShape, infer_shape
from evalwright.testing import FakeTarget

CASE = {
    "turns": ["one", "two"],
    "documents": [{"id": "d", "title": "t", "text": "x"}],
    "system": "be kind",
    "language": "de",
}


async def sent(shape, value=CASE):
    inner = FakeTarget(lambda call: Output(text="ok", usage=Usage(input_tokens=1, output_tokens=2), latency_s=0.5))
    target = AttackTarget(inner, shape)
    await target.open()
    output = await target.respond(TargetCall(case_id="c", input=value))
    await target.close()
    assert (inner.opened, inner.closed) == (1, 1)
    return [call.input for call in inner.calls], output


async def test_a_text_target_gets_each_turn_as_text():
    asked, output = await sent(InputShape(form="text"))
    assert asked == ["one", "two"]
    assert output.usage == Usage(input_tokens=2, output_tokens=4)
    assert output.latency_s == 1.0
    assert [message["content"] for message in output.messages] == ["one", "ok", "two", "ok"]


async def test_chat_messages_carry_the_system_prompt_and_the_real_answers():
    asked, _ = await sent(InputShape(form="messages"))
    assert asked[0] == [{"role": "system", "content": "be kind"}, {"role": "user", "content": "one"}]
    assert [message["content"] for message in asked[1]] == ["be kind", "one", "ok", "two"]


async def test_an_object_gets_its_own_fields():
    shape = infer_shape(
        {"question": "q", "locale": "en", "conversation": [], "tenant": 7}, documents="extra", system="sys"
    )
    assert shape.fixed == {"tenant": 7}
    asked, _ = await sent(shape)
    assert asked[0] == {
        "tenant": 7,
        "question": "one",
        "locale": "de",
        "extra": CASE["documents"],
        "sys": "be kind",
    }
    assert asked[1]["conversation"] == [{"role": "user", "content": "one"}, {"role": "assistant", "content": "ok"}]


@pytest.mark.parametrize(
    ("example", "takes"),
    [
        ("hello", set()),
        ([{"role": "user", "content": "x"}], {"conversation", "system"}),
        ({"prompt": "x"}, set()),
        ({"prompt": "x", "history": [], "documents": []}, {"conversation", "documents"}),
    ],
)
def test_what_a_target_takes_is_read_from_an_ordinary_case(example, takes):
    assert infer_shape(example).capabilities == takes


def test_the_only_text_field_is_the_message():
    assert infer_shape({"ask": "x", "n": 3}).text == "ask"


@pytest.mark.parametrize("example", [{"a": "x", "b": "y"}, {}, {"n": 1}, 7, None])
def test_an_input_that_cannot_be_told_is_refused(example):
    with pytest.raises(UsageError):
        infer_shape(example)


def test_the_description_is_the_product_s_with_the_shape():
    target = AttackTarget(FakeTarget({}), InputShape(form="text"))
    assert target.describe()["type"] == "fake"
    assert target.describe()["attacked_as"] == {}
    assert (target.name, target.limit_key, target.rate_limit) == ("fake", None, None)
