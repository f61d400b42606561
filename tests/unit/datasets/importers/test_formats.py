"""Formats of which small files are written here: counts, mapping, checks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalwright.core.case import BadRow, Case
from evalwright.datasets.importers import Answer, Check, Figures, Label, Mapping, Source, guess_format, read_import
from evalwright.datasets.importers.assertions import from_cell, map_assertions


def write(path: Path, *rows: Any) -> Path:
    whole = path.suffix == ".json"
    path.write_text(json.dumps(rows[0]) if whole else "".join(json.dumps(row) + "\n" for row in rows))
    return path


def imported(path: Path) -> tuple[str, dict[type, list[Any]]]:
    name = guess_format(path)
    found: dict[type, list[Any]] = {kind: [] for kind in (Case, BadRow, Answer, Check, Figures, Label, Mapping)}
    for item in read_import(Source(path), name):
        found.setdefault(type(item), []).append(item)
    return name, found


def hosted(question: str, right: str, answer: str, **passes: bool) -> dict[str, Any]:
    sample = {"outputs": [{"role": "assistant", "content": answer}], "finish_reason": "stop", "error": None}
    sample["token_usage"] = {"prompt_tokens": 10, "completion_tokens": 3}
    grades = {name: float(value) for name, value in passes.items()}
    item = {"ticket_text": question, "correct_label": right}
    return {"run_id": "r", "data_source_idx": 0, "item": item, "sample": sample, "grades": grades, "passes": passes}


def test_hosted_items_and_graders_guessed_from_their_verdicts(tmp_path: Path) -> None:
    rows = [
        hosted("My screen is black", "Hardware", "hardware", label=True, taste=True),
        hosted("I forgot my password", "Software", "Hardware", label=False, taste=True),
        hosted("It is slow", "Software", "software", label=True, taste=False),
    ]
    name, found = imported(write(tmp_path / "items.jsonl", *rows))
    assert name == "openai-hosted"
    assert (found[Case][0].input, found[Case][0].expected) == ({"ticket_text": "My screen is black"}, "Hardware")
    assert found[Answer][0].output.usage.input_tokens == 10
    label, taste = found[Check]
    assert (label.scorer, label.options) == ("exact_match", {"ignore_case": True})
    assert "all 3 rows" in label.reason
    assert taste.scorer is None
    assert found[Figures][0].values["label: passed"] == 2


def test_hosted_definition_beside_the_items(tmp_path: Path) -> None:
    checks = [
        {"type": "string_check", "name": "Right label", "input": "{{ sample.output_text }}",
         "reference": "{{ item.correct_label }}", "operation": "ilike"},
        {"type": "text_similarity", "name": "near", "input": "{{sample.output_text}}",
         "reference": "{{item.correct_label}}", "evaluation_metric": "rouge_l", "pass_threshold": 0.5},
        {"type": "score_model", "name": "tone"},
        {"type": "python", "name": "code"},
    ]  # fmt: skip
    write(tmp_path / "eval.json", {"object": "eval", "testing_criteria": checks})
    _, found = imported(write(tmp_path / "items.jsonl", hosted("a", "b", "b", x=True)))
    scorers = [(c.name, c.scorer, c.options) for c in found[Check]]
    assert scorers[0] == ("right_label", "contains", {"ignore_case": True})
    assert scorers[1] == ("near", "rouge", {"variant": "rougeL", "threshold": 0.5})
    assert [scorer for _, scorer, _ in scorers[2:]] == [None, None]


def test_output_items_of_the_api(tmp_path: Path) -> None:
    item = {
        "object": "eval.run.output_item",
        "datasource_item": {"input": "1+1", "ground_truth": "2"},
        "sample": {"output": [{"role": "assistant", "content": "2"}], "usage": {"prompt_tokens": 1}},
        "results": [{"name": "eq", "passed": True, "score": 1}],
    }
    name, found = imported(write(tmp_path / "out.json", {"object": "list", "data": [item]}))
    assert (name, found[Case][0].input, found[Case][0].expected) == ("openai-hosted", "1+1", "2")
    assert found[Check][0].scorer == "exact_match"


def test_openai_log(tmp_path: Path) -> None:
    rows = [
        {"spec": {"completion_fns": ["gpt-4"], "eval_name": "arith.dev.v0", "run_id": "r"}},
        {
            "sample_id": "a.0",
            "type": "sampling",
            "data": {"prompt": [{"role": "user", "content": "1+1"}], "sampled": ["2"]},
        },
        {"sample_id": "a.0", "type": "match", "data": {"correct": True, "expected": "2", "picked": "2"}},
        {"sample_id": "a.1", "type": "match", "data": {"correct": False, "expected": "3", "picked": None}},
        {"final_report": {"accuracy": 0.5}, "run_id": "r"},
    ]
    name, found = imported(write(tmp_path / "log.jsonl", *rows))
    assert name == "openai-log"
    assert (found[Case][0].id, found[Case][0].expected, found[Answer][0].output.text) == ("a.0", "2", "2")
    assert found[Answer][0].scores == {"correct": True}
    assert [b.reason for b in found[BadRow]] == ["the sample a.1 has no sampling event, so its input is unknown"]
    assert found[Figures][0].values["final report"] == {"accuracy": 0.5}


def test_lm_eval_samples(tmp_path: Path) -> None:
    def row(name: str, number: int, right: float) -> dict[str, Any]:
        arguments = {"gen_args_0": {"arg_0": f"Q{number}", "arg_1": {}}}
        return {"doc_id": number, "doc": {"q": number}, "target": "4", "arguments": arguments, "resps": [["x 4"]],
                "filtered_resps": ["4"], "filter": name, "metrics": ["exact_match"], "exact_match": right}  # fmt: skip

    rows = [row("strict", 0, 1.0), row("flexible", 0, 1.0), row("strict", 1, 0.0), row("flexible", 1, 1.0)]
    name, found = imported(write(tmp_path / "samples_gsm8k.jsonl", *rows))
    assert (name, [c.input for c in found[Case]]) == ("lm-eval", ["Q0", "Q1"])
    assert {a.variant for a in found[Answer]} == {"strict", "flexible"}
    assert found[Figures][0].values["means"] == {"exact_match,strict": 0.5, "exact_match,flexible": 1.0}
    assert found[Check][0].scorer == "exact_match"


def test_giskard(tmp_path: Path) -> None:
    row = {"id": "1", "question": "Why?", "reference_answer": "So.", "reference_context": "Doc",
           "conversation_history": [],
           "metadata": {"question_type": "simple", "seed_document_id": 7, "topic": "x"}}  # fmt: skip
    name, found = imported(write(tmp_path / "qa.jsonl", row))
    case = found[Case][0]
    assert (name, case.expected, case.cluster, case.tags) == ("giskard", "So.", "7", ("simple",))


def test_ragas_samples(tmp_path: Path) -> None:
    rows = [
        {"user_input": "Why?", "response": "So.", "reference": "So.", "retrieved_contexts": ["a", "b"]},
        {"user_input": [{"type": "human", "content": "Hi"}, {"type": "ai", "content": "Hello"}], "reference": "polite"},
    ]
    name, found = imported(write(tmp_path / "data.jsonl", *rows))
    assert name == "ragas"
    assert [p.text for p in found[Answer][0].output.contexts] == ["a", "b"]
    assert found[Case][1].input == [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]


def test_deepeval_goldens_with_tools(tmp_path: Path) -> None:
    row = {"input": "weather?", "expected_output": "sunny", "actual_output": "rain", "retrieval_context": ["c"],
           "expected_tools": [{"name": "weather", "input_parameters": {"city": "Rome"}}],
           "tools_called": []}  # fmt: skip
    name, found = imported(write(tmp_path / "goldens.json", [row]))
    assert (name, found[Case][0].metadata["expected_tools"]) == (
        "deepeval",
        [{"name": "weather", "arguments": {"city": "Rome"}}],
    )
    assert found[Answer][0].output.text == "rain"


def test_label_studio_answers_of_several_kinds(tmp_path: Path) -> None:
    results = [
        {"from_name": "verdict", "type": "choices", "value": {"choices": ["pass"]}},
        {"from_name": "quality", "type": "rating", "value": {"rating": 4}},
        {"from_name": "why", "type": "textarea", "value": {"text": ["because"]}},
        {"from_name": "pw", "to_name": "a,b", "type": "pairwise", "value": {"selected": "left"}},
    ]
    annotations = [
        {"completed_by": 3, "result": results, "ground_truth": True},
        {"completed_by": {"email": "a@example.org"}, "was_cancelled": True, "result": results[:1]},
    ]
    name, found = imported(write(tmp_path / "tasks.json", [{"id": 1, "data": {"q": "x"}, "annotations": annotations}]))
    assert name == "label-studio"
    assert found[Case][0].expected == {"verdict": "pass", "quality": 4, "why": "because", "pw": "left"}
    first = found[Label][0]
    assert (first.name, first.value, first.reviewer) == ("verdict", "pass", "3")
    assert len(found[Label]) == 4


def test_langfuse_items_leave_archived_ones_out(tmp_path: Path) -> None:
    rows = [
        {"id": "i1", "input": {"q": "a"}, "expectedOutput": "b", "status": "ACTIVE", "datasetName": "d"},
        {"id": "i2", "input": {"q": "c"}, "expectedOutput": None, "status": "ARCHIVED"},
    ]
    name, found = imported(write(tmp_path / "items.jsonl", *rows))
    assert (name, [c.id for c in found[Case]], found[Case][0].expected) == ("langfuse", ["i1"], "b")


def test_phoenix_examples(tmp_path: Path) -> None:
    row = {"id": "e1", "input": {"question": "a"}, "output": {"answer": "b"}, "metadata": {"k": 1}}
    name, found = imported(write(tmp_path / "examples.jsonl", row))
    assert (name, found[Case][0].input, found[Case][0].expected) == ("phoenix", {"question": "a"}, "b")


def attribute(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": {"intValue": str(value)} if isinstance(value, int) else {"stringValue": value}}


def test_otlp_traces(tmp_path: Path) -> None:
    asked = json.dumps([{"role": "user", "parts": [{"type": "text", "content": "Weather?"}]}])
    answered = json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": "Sunny"}], "finish_reason": "stop"}]
    )
    chat = [attribute("gen_ai.operation.name", "chat"), attribute("gen_ai.input.messages", asked),
            attribute("gen_ai.output.messages", answered), attribute("gen_ai.usage.input_tokens", 10),
            attribute("gen_ai.usage.output_tokens", 2), attribute("gen_ai.request.model", "m")]  # fmt: skip
    tool = [attribute("gen_ai.operation.name", "execute_tool"), attribute("gen_ai.tool.name", "weather")]
    agent = [attribute("gen_ai.operation.name", "invoke_agent"), attribute("gen_ai.usage.input_tokens", 10)]
    spans = [
        {
            "traceId": "t1",
            "spanId": "1",
            "attributes": agent,
            "startTimeUnixNano": "1000000000",
            "endTimeUnixNano": "3000000000",
        },
        {"traceId": "t1", "spanId": "2", "parentSpanId": "1", "attributes": chat, "startTimeUnixNano": "1100000000"},
        {"traceId": "t1", "spanId": "3", "parentSpanId": "1", "attributes": tool, "startTimeUnixNano": "1200000000"},
        {"traceId": "t2", "spanId": "9", "attributes": []},
    ]
    name, found = imported(write(tmp_path / "t.json", {"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]}))
    assert name == "otlp"
    assert found[Case][0].input == [{"role": "user", "content": "Weather?"}]
    output = found[Answer][0].output
    assert (output.text, output.usage.input_tokens, output.latency_s, output.model) == ("Sunny", 10, 2.0, "m")
    assert [call.name for call in output.tool_calls] == ["weather"]
    assert [bad.reason for bad in found[BadRow]] == ["the trace t2 records no input"]


def test_plain_rows_with_unusual_columns(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("Nr,Body,Label,tier\n1,broken,HW,2\n")
    _, found = imported(path)
    assert found[Mapping][0].fields == {"input": "Body", "expected": "Label"}
    assert (found[Case][0].input, found[Case][0].expected, found[Case][0].metadata) == (
        "broken",
        "HW",
        {"Nr": "1", "tier": "2"},
    )


def test_the_verdict_of_several_contains_stays_one_check() -> None:
    mapped = map_assertions([{"type": "contains", "value": "a"}, {"type": "contains", "value": "b"}])
    assert mapped.values == {"contains": ["a", "b"]}
    assert {check.name for check in mapped.checks} == {"contains"}


@pytest.mark.parametrize(
    ("given", "scorer", "options"),
    [
        ({"type": "not-contains", "value": "x"}, "contains", {"mode": "none"}),
        ({"type": "icontains-any", "value": ["x", "y"]}, "contains", {"mode": "any", "ignore_case": True}),
        ({"type": "equals", "value": {"a": 1}}, "exact_match", {"strip": False}),
        ({"type": "regex", "value": r"\d+"}, "regex", {"patterns": r"\d+"}),
        ({"type": "not-is-json"}, "json_schema", {"schema": True, "fenced": False, "not": True}),
        ({"type": "latency", "threshold": 2500}, "latency", {"threshold": 2.5}),
        ({"type": "regex", "value": r"(a)\1"}, None, {}),
        ({"type": "contains", "value": "{{ name }}"}, None, {}),
        ({"type": "javascript", "value": "output.length"}, None, {}),
    ],
)
def test_assertions(given: dict[str, Any], scorer: str | None, options: dict[str, Any]) -> None:
    (check,) = map_assertions([given]).checks
    assert check.scorer == scorer
    assert {key: value for key, value in check.options.items() if key != "expected"} == options


@pytest.mark.parametrize(
    ("cell", "wanted"),
    [
        ("Paris", {"type": "equals", "value": "Paris"}),
        ("contains:Paris", {"type": "contains", "value": "Paris", "threshold": None}),
        ("grade: is polite", {"type": "llm-rubric", "value": "is polite", "threshold": None}),
        ("similar(0.8):Hello", {"type": "similar", "value": "Hello", "threshold": 0.8}),
        ("not-contains-any:a, b", {"type": "not-contains-any", "value": ["a", "b"], "threshold": None}),
        ("is-json", {"type": "is-json", "value": None, "threshold": None}),
        ("note: call back", {"type": "equals", "value": "note: call back"}),
    ],
)
def test_cells_of_expected_columns(cell: str, wanted: dict[str, Any]) -> None:
    assert from_cell(cell) == wanted


def test_other_tools_rows_by_their_usual_names(tmp_path: Path) -> None:
    examples = [{"id": "1", "inputs": {"question": "q"}, "outputs": {"answer": "a"}, "metadata": {}}]
    _, found = imported(write(tmp_path / "langsmith.json", examples))
    assert (found[Case][0].input, found[Case][0].expected) == ({"question": "q"}, {"answer": "a"})
    _, found = imported(write(tmp_path / "hub.jsonl", {"Question": "q", "Best Answer": "b"}))
    assert (found[Case][0].input, found[Case][0].expected) == ("q", "b")
    name, found = imported(write(tmp_path / "turns.jsonl", {"question_id": 81, "turns": ["a", "b"], "category": "w"}))
    assert (name, found[Case][0].id) == ("rows", "81")


def test_the_data_of_an_eval_without_samples(tmp_path: Path) -> None:
    (tmp_path / "folder.json").mkdir()
    name, found = imported(write(tmp_path / "data.jsonl", {"item": {"question": "q", "answer": "a"}}))
    assert name == "openai-hosted"
    assert [(case.input, case.expected) for case in found[Case]] == [("q", "a")]
    assert found[Answer] == []


def test_archived_items_are_told(tmp_path: Path) -> None:
    item = {"id": "i", "input": "q", "expectedOutput": "a", "datasetName": "d"}
    rows = [{**item, "status": "ARCHIVED"}, {**item, "status": "ACTIVE"}]
    _, found = imported(write(tmp_path / "items.jsonl", *rows))
    notes = [item.text for kind, items in found.items() if kind.__name__ == "Note" for item in items]
    assert (len(found[Case]), notes) == (1, ["1 archived items were left out"])
