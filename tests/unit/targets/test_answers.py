import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.core.errors import TargetError
from evalwright.core.output import Output, Passage, Step, ToolCall, Usage
from evalwright.models import jsonio
from evalwright.targets.answers import BadAnswer, as_output, output_of, passages, tool_calls


def test_a_text_a_mapping_and_an_output():
    assert as_output("hi", source="f") == Output(text="hi")
    assert as_output({"text": "hi", "cost": 0.5}, source="f") == Output(text="hi", cost=0.5)
    output = Output(text="hi", contexts=(Passage(id="1"),))
    assert as_output(output, source="f") is output


@pytest.mark.parametrize("answer", [None, 5, True, ["a"], b"bytes", object(), (x for x in ())])
def test_other_types_are_refused_with_what_came(answer):
    with pytest.raises(TargetError, match="f returned") as raised:
        as_output(answer, source="f")
    assert (raised.value.kind, raised.value.retryable) == ("wrong_type", False)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"answer": "x"}, "unknown output field `answer`"),
        ({"text": 5}, "`text` is a number, not a text"),
        ({"contexts": [5]}, r"`contexts\[0\]` is a number"),
        ({"contexts": [{"text": ["x"]}]}, r"`contexts\[0\].text` is a list"),
        ({"citations": [{"title": "x"}]}, r"`citations\[0\]` is nothing"),
        ({"tool_calls": [{"arguments": {}}]}, r"`tool_calls\[0\]` has no `name`"),
        ({"usage": 5}, "`usage` is a number"),
        ({"cost": "cheap"}, "`cost` is a text, not a number"),
        ({"messages": "x"}, "`messages` is a text"),
        ({"steps": [{"name": "x"}]}, "`steps`.*kind"),
        ({"metadata": []}, "`metadata` is a list"),
        ({"data": object()}, "`data`.*no JSON form"),
        (Output(text=5), "`text` is a number"),
        (Output(text="x", usage={"input_tokens": []}), "`usage.input_tokens`"),
    ],
)
def test_a_wrong_part_is_named(answer, message):
    with pytest.raises(TargetError, match=message) as raised:
        as_output(answer, source="f")
    assert raised.value.kind == "wrong_type"


def test_passages_in_their_many_shapes():
    found = passages(
        [
            "plain",
            {"id": 7, "text": "a", "score": "0.5", "lang": "de"},
            {"document_id": "d", "page_content": "b", "metadata": {"page": 2}},
            Passage(id="p"),
            None,
        ]
    )
    assert found == (
        Passage(text="plain"),
        Passage(id="7", text="a", score=0.5, metadata={"lang": "de"}),
        Passage(id="d", text="b", metadata={"page": 2}),
        Passage(id="p"),
    )
    assert passages("one") == (Passage(text="one"),)
    assert passages([{"id": 7.0, "score": float("nan")}]) == (Passage(id="7"),)


def test_tool_calls_in_their_many_shapes():
    call = ToolCall(name="f", arguments={"x": 1})
    assert tool_calls({"name": "f", "args": {"x": 1}}) == (call,)
    assert tool_calls([{"function": {"name": "f", "arguments": '{"x": 1}'}}]) == (call,)
    assert tool_calls([{"type": "tool_use", "name": "f", "input": {"x": 1}, "id": 3}])[0].id == "3"
    assert tool_calls([{"name": "f", "arguments": "not json"}])[0].arguments == "not json"
    assert tool_calls([{"function": "f", "result": 2, "error": "late"}]) == (
        ToolCall(name="f", result=2, error="late"),
    )


def test_the_other_fields():
    output = output_of(
        {
            "citations": ["a", 2, {"id": "c"}],
            "usage": {"prompt_tokens": "12", "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}},
            "latency_s": "0.25",
            "steps": [{"kind": "llm", "children": [{"kind": "tool"}]}],
            "data": {"n": np.float64(0.5)},
            "model": "m",
            "text": None,
        }
    )
    assert output.citations == ("a", "2", "c")
    assert output.usage == Usage(input_tokens=12, output_tokens=3, cached_tokens=4)
    assert (output.latency_s, output.model, output.data) == (0.25, "m", {"n": 0.5})
    assert output.steps == (Step(kind="llm", children=(Step(kind="tool"),)),)


@pytest.mark.parametrize("answer", ["a\ud800", {"text": "\udfff", "contexts": ["\ud800"]}, Output(text="\ud800")])
def test_lone_surrogates_can_be_stored(answer):
    assert "�" in jsonio.encode(as_output(answer, source="f")).decode()


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["id", "text", "name", "x"]), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(sorted(Output.__struct_fields__)), JSON))
def test_whatever_comes_is_an_output_that_can_be_stored_or_is_refused(parts):
    try:
        output = output_of(parts)
    except BadAnswer:
        return
    assert jsonio.decode(jsonio.encode(output)) is not None
