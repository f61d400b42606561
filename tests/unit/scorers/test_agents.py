"""Tool calls, policies, recovery, goal state and first attribution, by hand and on recorded data."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from evalwright.core.output import Output, Step, ToolCall
from evalwright.scorers import ErrorRecovery, GoalState, Steps, ToolCalls, ToolPolicy, TroubleFree
from evalwright.scorers.agents.blame import Sign, attribute, turns
from evalwright.scorers.agents.calls import Call, expected_calls, parse_call
from evalwright.scorers.agents.policy import ArgumentLimit, CallOrder
from evalwright.scorers.agents.rules import check_rule, fits
from evalwright.scorers.base import NotApplicable, OptionError
from evalwright.stats import PairedCounts, tango
from tests.unit.scorers.support import judged, reference_rows


def called(*calls: tuple[str, Any]) -> Output:
    return Output(tool_calls=tuple(ToolCall(name=name, arguments=arguments) for name, arguments in calls))


PAY = ("pay", {"to": "Ada", "amount": 20})
LOOK = ("look_up", {"name": "Ada"})
WANTED = [
    {"name": "look_up", "arguments": {"name": "Ada"}},
    {"name": "pay", "arguments": {"to": "Ada", "amount": 20.0}},
]


def test_calls_match_in_any_order_or_the_same() -> None:
    assert judged(ToolCalls(), called(PAY, LOOK), WANTED).value == 1.0
    assert judged(ToolCalls(order="same"), called(PAY, LOOK), WANTED).value == 0.0
    assert judged(ToolCalls(order="same"), called(LOOK, PAY), WANTED).value == 1.0
    more = called(LOOK, ("log", {}), PAY)
    assert judged(ToolCalls(), more, WANTED).value == 0.0
    assert judged(ToolCalls("subset", order="same"), more, WANTED).value == 1.0
    assert judged(ToolCalls("subset", order="same"), called(PAY, LOOK), WANTED).value == 0.0


def test_what_is_wrong_is_the_evidence() -> None:
    wrong = called(LOOK, ("pay", {"to": "Bob", "note": "x"}), ("log", None))
    score = judged(ToolCalls(), wrong, WANTED)
    assert score.parts == {"recall": 0.5, "precision": pytest.approx(1 / 3), "names": 0.0}
    assert [(span.where, span.text, span.note) for span in score.evidence] == [
        ("expected", "pay", "to is 'Bob', expected 'Ada'; amount is missing, expected 20.0; note is not expected"),
        ("tool_call", "pay", "not expected"),
        ("tool_call", "log", "not expected"),
    ]
    assert judged(ToolCalls(), called(LOOK), WANTED).evidence[0].note == "not called"


def test_no_call_expected() -> None:
    assert judged(ToolCalls(), "I can't do that.", []).value == 1.0
    assert judged(ToolCalls(), called(LOOK), []).value == 0.0
    assert judged(ToolCalls("subset"), called(LOOK), []).value == 0.0
    assert judged(ToolCalls(), "x").status == "skipped"
    assert judged(ToolCalls(), "x", WANTED).value == 0.0


def test_arguments_may_be_json_text_and_extra_ones_allowed() -> None:
    text = Output(tool_calls=(ToolCall(name="f", arguments='{"a": 1, "b": 2}'),))
    assert judged(ToolCalls(), text, ["f(a=1, b=2)"]).value == 1.0
    assert judged(ToolCalls(), text, ["f(a=1)"]).value == 0.0
    assert judged(ToolCalls(extra_arguments=True), text, ["f(a=1)"]).value == 1.0
    assert judged(ToolCalls(), Output(tool_calls=(ToolCall(name="f", arguments="{broken"),)), ["f(a=1)"]).value == 0.0
    loose = called(("f", {"city": "san-francisco, CA"}))
    assert judged(ToolCalls(loose_text=True), loose, ["f(city='San Francisco CA')"]).value == 1.0


def test_each_call_is_used_once() -> None:
    rules = [{"name": "f", "arguments": {"a": {"$any": True}}}, {"name": "f", "arguments": {"a": 1}}]
    assert judged(ToolCalls(), called(("f", {"a": 1}), ("f", {"a": 2})), rules).value == 1.0
    assert judged(ToolCalls(), called(("f", {"a": 1})), rules).parts["recall"] == 0.5


RULES: list[tuple[Any, Any, bool]] = [
    (5, 5.0, True), (True, 1, False), (1, True, False), ("5", 5, False), (None, None, True), ("a", "A", False),
    ([1, {"a": 2}], [1, {"a": 2}], True), ([1], [1, 2], False), ({"a": 1, "b": 2}, {"a": 1}, False),
    (3, {"$any_of": [1, 3]}, True), (4, {"$not": 4}, False), ("abc", {"$regex": "^a"}, True),
    (5, {"$regex": "5"}, False), ("abc", {"$contains": "bc"}, True), (["x", 3], {"$contains": 3}, True),
    (3.05, {"$near": [3, 0.1]}, True), (5, {"$min": 1, "$max": 4}, False), ("5", {"$min": 1}, False),
    (5.0, {"$type": "integer"}, True), (True, {"$type": "number"}, False), ([], {"$type": "array"}, True),
    ({"$any": True}, {"$literal": {"$any": True}}, True), (7, {"$literal": {"$any": True}}, False),
    ({"$gt": 5}, {"$gt": 5}, True), ({"a": 1}, {"a": 1, "b": {"$optional": 3}}, True),
    ({"a": 1, "b": 4}, {"a": 1, "b": {"$optional": 3}}, False), ({"a": [5]}, {"$literal": {"a": [5]}}, True),
]  # fmt: skip


@pytest.mark.parametrize(("given", "wanted", "right"), RULES)
def test_argument_rules(given: Any, wanted: Any, right: bool) -> None:
    assert fits(given, wanted) is right


@pytest.mark.parametrize(
    "rule",
    [
        {"$regex": "("},
        {"$type": "text"},
        {"$any_of": 3},
        {"$min": "a"},
        {"$near": [1]},
        {"a": [{"$not": {"$max": "x"}}]},
    ],
)
def test_rules_that_can_not_work(rule: Any) -> None:
    with pytest.raises(ValueError, match=r"\$|pattern"):
        check_rule(rule)


def test_forms_of_expected_calls() -> None:
    openai = {"type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
    assert expected_calls([openai, ["g(1, b=(2, 3))"]]) == [Call("f", {"a": 1}), Call("g", {"0": 1, "b": [2, 3]})]
    assert parse_call("files.move(source='a')") == Call("files.move", {"source": "a"})
    for bad in ("f(", "1 + 1", "f(a=open('x'))", "f(" * 5_000):
        with pytest.raises(NotApplicable):
            parse_call(bad)
    for value in (3, [{"arguments": {}}], [{"f": {"a": 1}}]):
        assert judged(ToolCalls(), called(LOOK), value).status == "skipped"


def test_policy() -> None:
    policy = ToolPolicy(
        forbidden=("delete_*",),
        arguments=(ArgumentLimit("pay", "amount", {"$max": 100}), ArgumentLimit("*", "to", {"$type": "string"})),
        before=(CallOrder("confirm", "pay"),),
        required=("log",),
        max_calls=3,
    )
    good = called(("confirm", {"to": "Ada"}), ("pay", {"to": "Ada", "amount": 20}), ("log", {"to": "x"}))
    assert judged(policy, good).value == 1.0
    bad = called(
        ("pay", {"amount": 200}), ("delete_all", {"to": "x"}), ("confirm", {"to": "x"}), ("confirm", {"to": "x"})
    )
    score = judged(policy, bad)
    assert score.reason == "6 breaches in 4 calls"
    notes = [(span.index, span.note) for span in score.evidence]
    assert (1, "forbidden") in notes
    assert (0, "amount is 200, which breaks $max: 100") in notes
    assert (0, "to is missing, which breaks $type: 'string'") in notes
    assert (0, "confirm was not called before") in notes
    assert (None, "required but not called") in notes
    assert (None, "more than 3 calls") in notes


def test_policy_from_a_suite_file() -> None:
    adapter = TypeAdapter(ToolPolicy)
    policy = adapter.validate_python(
        {"allowed": ["look_*"], "arguments": [{"tool": "look_up", "argument": "name", "must": {"$regex": "^A"}}]}
    )
    assert judged(policy, called(LOOK)).value == 1.0
    assert judged(policy, called(PAY)).evidence[0].note == "not among the allowed tools"
    assert judged(policy, "no call").value == 1.0
    assert json.loads(json.dumps(policy.describe()))["arguments"][0]["must"] == {"$regex": "^A"}
    with pytest.raises(ValidationError, match="must"):
        adapter.validate_python({"arguments": [{"tool": "a", "argument": "b", "most": 3}]})
    with pytest.raises(ValidationError, match="no rule"):
        adapter.validate_python({})
    with pytest.raises(OptionError):
        ToolPolicy()


def test_goal_state() -> None:
    state = Output(data={"orders": {"1": "paid"}, "balance": 80, "log": []})
    wanted = {"orders": {"1": "paid"}, "balance": {"$min": 0, "$max": 80}}
    assert judged(GoalState(), state, wanted).value == 1.0
    assert judged(GoalState(exact=True), state, wanted).evidence[0].text == "log is not expected"
    score = judged(GoalState(), state, {"orders": {"1": "open", "2": "paid"}, "balance": 80})
    assert (score.value, score.parts["share"]) == (0.0, pytest.approx(1 / 3))
    assert [span.text for span in score.evidence] == [
        "orders.1 is 'paid', expected 'open'",
        "orders.2 is missing, expected 'paid'",
    ]
    assert judged(GoalState("data.balance"), state, 80).value == 1.0
    assert judged(GoalState("metadata.state"), state, wanted).status == "skipped"
    assert judged(GoalState(), "x", wanted).status == "skipped"


def test_error_recovery() -> None:
    def tool(name: str, error: str | None = None) -> ToolCall:
        return ToolCall(name=name, error=error)

    output = Output(tool_calls=(tool("a", "timeout"), tool("b", "denied"), tool("a")))
    assert judged(ErrorRecovery(), output).value == 1.0
    score = judged(ErrorRecovery(same_tool=True), output)
    assert (score.value, score.evidence[0].note) == (0.5, "denied")
    assert judged(ErrorRecovery(), called(LOOK)).status == "skipped"


def test_steps() -> None:
    trace = (Step(kind="agent", children=(Step(kind="llm"), Step(kind="tool"))), Step(kind="llm"))
    output = Output(steps=trace, messages=({"role": "user"}, {"role": "assistant"}))
    assert [judged(Steps(count), output).value for count in ("steps", "model_calls", "turns")] == [4.0, 2.0, 1.0]
    assert judged(Steps(max=0), called(LOOK)).value == 0.0
    assert Steps("turns").info.unit == "turns"
    assert judged(Steps("steps"), "x").status == "skipped"
    assert judged(Steps("turns"), "x").status == "skipped"


def chat(*messages: tuple[str, str]) -> Output:
    return Output(messages=tuple({"name": name, "role": name, "content": text} for name, text in messages))


def test_attribution_follows_the_signs() -> None:
    output = chat(
        ("user", "Count the files."),
        ("Planner", "Coder, please count."),
        ("Coder", "print(len(fils))"),
        ("terminal", "exitcode: 1 NameError: name 'fils'"),
        ("Checker", "Let us assume there are 5."),
        ("Coder", "print(len(files))"),
        ("terminal", "exitcode: 0, 7"),
    )
    found = attribute(turns(output))
    assert found is not None
    assert (found.agent, found.step) == ("Coder", 2)
    assert [(sign.step, sign.sign) for sign in found.signs] == [(2, Sign.ERROR), (4, Sign.ASSUMPTION)]
    score = judged(TroubleFree(), output)
    assert (score.value, score.label, score.evidence[0].index) == (0.0, "Coder", 2)
    assert judged(TroubleFree(allow=(Sign.ERROR, Sign.ASSUMPTION)), output).value == 1.0


def test_attribution_sees_loops_and_failed_steps() -> None:
    loop = chat(("user", "x"), *[("Surfer", "I scrolled down one page.")] * 3)
    assert judged(TroubleFree(), loop).reason == "1 signs of trouble, first look at step 3 (Surfer)"
    steps = Output(steps=(Step(kind="tool", name="search", error="boom"), Step(kind="llm", name="answer")))
    assert judged(TroubleFree(), steps).label == "search"
    calls = Output(tool_calls=(ToolCall(name="a", result="fine"), ToolCall(name="b", result="fine")))
    assert judged(TroubleFree(), calls).value == 1.0
    assert judged(TroubleFree(), "x").status == "skipped"
    assert attribute(turns(chat(("user", "x")))) is None


SINGLE_TURN = ("simple_python", "multiple", "parallel", "parallel_multiple", "live_simple", "live_parallel")


def gold_calls(answer: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    pairs = [(name, arguments) for call in answer for name, arguments in call.items()]
    return [
        (name, {key: allowed[0] if allowed else [] for key, allowed in arguments.items()}) for name, arguments in pairs
    ]


def mutations(
    calls: list[tuple[str, Any]], answer: list[dict[str, Any]]
) -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    name, arguments = calls[0]
    allowed = next(iter(answer[0].values()))
    yield "wrong name", [(name + "_x", arguments), *calls[1:]]
    yield "extra argument", [(name, {**arguments, "no_such_argument": 1}), *calls[1:]]
    yield "extra call", [*calls, ("another_tool", {})]
    yield "missing call", calls[1:]
    required = [key for key, values in allowed.items() if values and "" not in values]
    if required:
        yield "missing argument", [(name, {k: v for k, v in arguments.items() if k != required[0]}), *calls[1:]]
    if arguments:
        yield "wrong value", [(name, {**arguments, next(iter(arguments)): "no such value"}), *calls[1:]]


@pytest.mark.shared
@pytest.mark.parametrize("part", SINGLE_TURN)
def test_gold_calls_are_right_and_mutated_ones_wrong(part: str) -> None:
    rows = list(reference_rows(f"bfcl/{part}.jsonl.gz"))
    for row in rows:
        answer = row["possible_answer"]
        calls = gold_calls(answer)
        assert judged(ToolCalls(), called(*calls), answer).value == 1.0, row["id"]
        assert judged(ToolCalls(order="same"), called(*calls), answer).value == 1.0, row["id"]
        for kind, mutated in mutations(calls, answer):
            assert judged(ToolCalls(), called(*mutated), answer).value == 0.0, (row["id"], kind)
        backwards = calls[::-1]
        if backwards != calls:
            in_order = judged(ToolCalls(order="same"), called(*backwards), answer).value
            assert in_order == float(_also_allowed(backwards, answer)), row["id"]


def _also_allowed(calls: list[tuple[str, Any]], answer: list[dict[str, Any]]) -> bool:
    return all(name in want and all(value in want[name].get(key, ()) for key, value in arguments.items())
               for (name, arguments), want in zip(calls, answer, strict=True))  # fmt: skip


@pytest.mark.shared
def test_multi_turn_answers_and_irrelevance() -> None:
    for row in reference_rows("bfcl/multi_turn_base.jsonl.gz"):
        calls = [parse_call(text) for turn in row["possible_answer"] for text in turn]
        output = called(*calls)
        assert judged(ToolCalls(order="same"), output, row["possible_answer"]).value == 1.0, row["id"]
        if len(calls) > 1:
            assert judged(ToolCalls(order="same"), called(*calls[1:]), row["possible_answer"]).value == 0.0
    for row in reference_rows("bfcl/irrelevance.jsonl.gz"):
        assert judged(ToolCalls(), called((row["function"][0]["name"], {})), []).value == 0.0
        assert judged(ToolCalls(), "I can't do that with my tools.", []).value == 1.0


@pytest.mark.shared
def test_attribution_beats_the_last_and_the_most_frequent_speaker() -> None:
    rows = list(reference_rows("who_and_when/dev.jsonl.gz"))
    agents: dict[str, list[float]] = {"ours": [], "last": [], "frequent": []}
    steps = 0
    for row in rows:
        trace = turns(Output(messages=tuple(row["history"])))
        found = attribute(trace)
        assert found is not None
        names = [turn.agent for turn in trace]
        named = {"ours": found.agent, "last": names[-1], "frequent": Counter(names).most_common(1)[0][0]}
        for who, name in named.items():
            agents[who].append(float(name == row["mistake_agent"]))
        steps += found.step == int(row["mistake_step"])
    shares = {who: round(sum(right) / len(rows), 4) for who, right in agents.items()}
    assert shares == {"ours": 0.6196, "last": 0.4674, "frequent": 0.4348}
    for other in ("last", "frequent"):  # paired on the 92 traces: better beyond chance than either
        assert tango(PairedCounts.of(agents[other], agents["ours"])).low > 0.0
    assert steps / len(rows) > 0.25


def test_what_a_named_agent_says_first_is_its_own_action() -> None:
    opening = {"role": "assistant", "name": "Solver", "content": "I will compute it."}
    ended = {"role": "user", "name": "Checker", "content": "TERMINATE"}
    found = attribute(turns(Output(messages=(opening, ended))))
    assert found is not None
    assert (found.agent, found.step) == ("Solver", 0)
