"""Scripted users: what the target behind them is sent at each turn, and what comes back together."""

import asyncio

import pytest
from pydantic import ValidationError

from evalwright.core.errors import ConfigError, TargetError
from evalwright.core.output import Output, ToolCall, Usage
from evalwright.core.target import Target
from evalwright.targets.dialogue import DialogueTarget, DialogueTargetOptions
from evalwright.testing import FakeTarget
from tests.unit.targets.kit import answer, call, context, failure


def dialogue(inner, **options):
    return DialogueTarget(inner, DialogueTargetOptions(target={"type": "python", "callable": "a:b"}, **options))


def echo(asked):
    text = asked.input[-1]["content"]
    return Output(text=f"you said {text}", cost=0.5, usage=Usage(input_tokens=2), tool_calls=(ToolCall(name=text),))


def play(target, value):
    return asyncio.run(answer(target, value, idempotency_key="k"))


def test_turns_are_sent_with_the_target_s_own_answers_between():
    inner = FakeTarget(echo)
    output = play(dialogue(inner), ["one", {"content": "two"}])
    assert [c.input for c in inner.calls] == [
        [{"role": "user", "content": "one"}],
        [
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "you said one"},
            {"role": "user", "content": "two"},
        ],
    ]
    assert [c.idempotency_key for c in inner.calls] == ["k/1", "k/2"]
    assert output.text == "you said two"
    assert [m["content"] for m in output.messages] == ["one", "you said one", "two", "you said two"]
    assert [c.name for c in output.tool_calls] == ["one", "two"]
    assert (output.cost, output.usage.input_tokens) == (1.0, 4)
    assert [(step.kind, step.name) for step in output.steps] == [("turn", "turn 1"), ("turn", "turn 2")]


def test_the_script_may_hold_a_system_message_and_answers():
    inner = FakeTarget(echo)
    script = [
        {"role": "system", "content": "Be kind"},
        "one",
        {"role": "assistant", "content": "scripted"},
        {"content": "two", "new_session": True},
    ]
    output = play(dialogue(inner), {"turns": script})
    assert inner.calls[1].input == [{"role": "system", "content": "Be kind"}, {"role": "user", "content": "two"}]
    assert [m["role"] for m in output.messages] == ["system", "user", "assistant", "assistant", "user", "assistant"]
    assert output.messages[4]["new_session"] is True


def test_targets_that_keep_the_conversation_are_sent_the_turn_alone():
    inner = FakeTarget(lambda c: c.input.upper())
    assert play(dialogue(inner, form="text"), ["a", "b"]).text == "B"
    assert [c.input for c in inner.calls] == ["a", "b"]


def test_targets_with_objects_are_sent_the_turn_and_what_was_before():
    inner = FakeTarget(lambda c: "ok")
    play(dialogue(inner, form="object", text="ask", history="past"), {"turns": ["a", "b"], "locale": "de"})
    assert inner.calls[0].input == {"locale": "de", "ask": "a", "past": []}
    assert [m["content"] for m in inner.calls[1].input["past"]] == ["a", "ok"]


def test_what_one_turn_does_not_tell_is_unknown_for_all():
    answers = iter([Output(text="a", cost=1.0), Output(text="b")])
    assert play(dialogue(FakeTarget(lambda c: next(answers))), ["x", "y"]).cost is None


def test_a_failed_turn_says_which_and_keeps_what_the_failure_is():
    def fail(asked):
        if len(asked.input) > 1:
            return TargetError("busy", kind="server", retryable=True, status=503)
        return "fine"

    error = asyncio.run(failure(dialogue(FakeTarget(fail)), ["a", "b"]))
    assert (error.message, error.kind, error.retryable, error.status) == ("user turn 2: busy", "server", True, 503)


@pytest.mark.parametrize(
    "value", [[], {"other": 1}, 5, [{"role": "user"}], ["x"] * 201, [{"role": "system", "content": "x"}]]
)
def test_inputs_that_are_no_script_are_refused(value):
    error = asyncio.run(failure(dialogue(FakeTarget(echo)), value))
    assert (error.kind, error.retryable) == ("bad_input", False)


def test_the_target_behind_is_made_from_its_options(tmp_path):
    (tmp_path / "bot.py").write_text("def talk(messages):\n    return f'{len(messages)} messages'\n", encoding="utf-8")
    options = DialogueTargetOptions(target={"type": "python", "callable": "bot.py:talk"})
    assert options.imports_code
    target = options.bind(context(tmp_path))
    assert isinstance(target, Target)
    assert target.name == "bot.py:talk"
    assert target.describe()["target"]["type"] == "python"
    assert asyncio.run(answer(target, ["a", "b"])).text == "3 messages"


def test_conversations_at_once_do_not_mix():
    target = dialogue(FakeTarget(echo, delay_s=0.01))

    async def both():
        return await asyncio.gather(*(target.respond(call([name, f"{name}!"], name)) for name in "ab"))

    assert [[m["content"] for m in o.messages][2] for o in asyncio.run(both())] == ["a!", "b!"]


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        ({}, "`target` needs a `type`"),
        ({"type": "dialogue"}, "`target` needs a `type`"),
        ({"type": "chat", "modell": "x"}, r"`target\.model"),
    ],
)
def test_wrong_options_are_named(inner, message):
    with pytest.raises(ValidationError, match=message):
        DialogueTargetOptions(target=inner)


def test_answers_that_exist_can_not_be_asked(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": "a", "text": "x"}\n', encoding="utf-8")
    with pytest.raises(ConfigError, match="turn by turn"):
        DialogueTargetOptions(target={"type": "recorded", "file": "a.jsonl"}).bind(context(tmp_path))
