"""Checks of other tools that ask a model become judges when one is named, and are listed otherwise."""

import json

import pytest

from evalwright.datasets.importers import judges
from evalwright.services.importing import ImportPlan, import_file
from evalwright.services.suite_files import check_suite

PROMPTFOO = """\
prompts: ["{{question}}"]
providers: [openai:gpt-4o-mini]
tests:
  - vars: { question: How to pay }
    assert:
      - { type: llm-rubric, value: names at least two ways to pay, provider: "openai:gpt-4o" }
      - { type: factuality, value: Cards and transfers are taken. }
      - { type: not-llm-rubric, value: talks about itself }
  - vars: { question: Where is it }
    assert:
      - { type: g-eval, value: [asks for the number, is polite], threshold: 0.7 }
      - { type: select-best, value: the shortest }
"""

GRADERS = {
    "testing_criteria": [
        {
            "type": "label_model",
            "name": "Tone",
            "model": "gpt-4o",
            "input": [
                {"role": "developer", "content": "Rate the tone of the reply."},
                {"role": "user", "content": "Asked: {{ item.ticket }} Reply: {{sample.output_text}}"},
            ],
            "labels": ["rude", "neutral", "kind"],
            "passing_labels": ["neutral", "kind"],
        },
        {
            "type": "score_model",
            "name": "closeness",
            "model": "o3",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "{{item.label}} or near it?"}]}],
            "range": [0, 10],
            "pass_threshold": 6,
        },
        {"type": "score_model", "name": "empty", "input": [], "range": [0, 1]},
    ]
}


def options_of(report, metric):
    return next(scorer for scorer in report.scorers if scorer.metric == metric).options


def test_promptfoo_criteria_stay_with_their_cases(tmp_path):
    (tmp_path / "promptfooconfig.yaml").write_text(PROMPTFOO)
    with import_file(ImportPlan(path=tmp_path / "promptfooconfig.yaml", judge="house-judge")) as found:
        report = found.report
        assert found.cases is not None
        assert found.cases[0].metadata["checks"]["llm_rubric"] == ["names at least two ways to pay"]
        found.save(tmp_path / "out")
    rubric = options_of(report, "llm_rubric")
    assert rubric == {"model": "house-judge", "criterion": judges.MEETS, "reference": "metadata.checks.llm_rubric"}
    assert options_of(report, "factuality")["criterion"] == judges.FACTS
    assert options_of(report, "not_llm_rubric")["not"] is True
    assert [dropped.kind for dropped in report.dropped] == ["select-best"]
    assert "was asked of openai:gpt-4o" in (tmp_path / "out" / "suite.yaml").read_text()
    assert check_suite(str(tmp_path / "out" / "suite.yaml")) == []


def test_without_a_model_they_are_listed_with_the_remedy(tmp_path):
    (tmp_path / "promptfooconfig.yaml").write_text(PROMPTFOO)
    with import_file(ImportPlan(path=tmp_path / "promptfooconfig.yaml")) as found:
        assert found.report.scorers == ()
        reasons = {dropped.kind: dropped.reason for dropped in found.report.dropped}
    assert "--judge MODEL" in reasons["llm-rubric"]
    assert "openai:gpt-4o" in reasons["llm-rubric"]


def hosted(tmp_path, **more):
    row = {"item": {"ticket": "I can't pay", "label": "billing"}, "sample": {"output_text": "billing"}, "grades": {}}
    (tmp_path / "items.jsonl").write_text(json.dumps(row) + "\n")
    (tmp_path / "eval.json").write_text(json.dumps(GRADERS))
    return import_file(ImportPlan(path=tmp_path / "items.jsonl", **more))


def test_openai_graders_become_rubrics(tmp_path):
    with hosted(tmp_path, judge="house-judge") as found:
        report = found.report
        found.save(tmp_path / "out")
    tone = options_of(report, "tone")["rubric"]
    assert [(level["name"], level["value"]) for level in tone["levels"]] == [("rude", 0), ("neutral", 1), ("kind", 1)]
    assert tone["pass_from"] == "neutral"
    assert tone["criterion"] == "Rate the tone of the reply.\n\nAsked: QUESTION Reply: ANSWER"
    close = options_of(report, "closeness")
    assert [level["value"] for level in close["rubric"]["levels"]] == [0, 2.5, 5, 7.5, 10]
    assert (close["rubric"]["pass_from"], close["reference"]) == ("7.5", True)
    assert [dropped.kind for dropped in report.dropped] == ["score_model empty"]
    assert check_suite(str(tmp_path / "out" / "suite.yaml")) == []


@pytest.mark.parametrize(
    ("logs", "criterion", "reference"),
    [
        ("Criteria:\nIs the actual output polite?\n\nEvaluation Steps:\n[]", "Is the ANSWER polite?", False),
        ("Criteria:\nNone\n\nEvaluation Steps:\n[]", None, False),
        ("Evaluation Steps:\n[\"Compare 'expected output' with 'actual output'.\"]", "Compare", True),
        ("", None, False),
    ],
)
def test_g_eval_takes_its_criteria_from_the_log(logs, criterion, reference):
    found = judges.geval("tone", "metric Tone [GEval]", logs)
    if criterion is None:
        assert found is None
    else:
        assert criterion in found.options["criterion"]
        assert ("reference" in found.options) is reference


def test_deepeval_runs_inspect_logs_and_specifications(tmp_path):
    metrics = [
        {"name": "Tone [GEval]", "success": True, "score": 1, "verboseLogs": "Criteria:\nIs it polite?\n"},
        {"name": "Bias", "success": True, "score": 0},
        {"name": "Prompt Alignment", "success": True, "score": 0},
    ]
    run = {"testCases": [{"name": "a", "input": "q", "actualOutput": "a", "success": True, "metricsData": metrics}]}
    (tmp_path / "run.json").write_text(json.dumps(run))
    with import_file(ImportPlan(path=tmp_path / "run.json", judge="j")) as found:
        assert [scorer.metric for scorer in found.report.scorers] == ["tone", "bias"]
        assert [dropped.reason for dropped in found.report.dropped] == ["asks a model; the file has no criteria"]
    (tmp_path / "spec.yaml").write_text(
        "closed:\n  prompt: 'Does {completion} meet {criteria} for {input}?'\n  choice_strings: YN\n"
        "  choice_scores: { Y: 1.0, N: 0.0 }\n"
    )
    with import_file(ImportPlan(path=tmp_path / "spec.yaml", judge="j")) as found:
        options = options_of(found.report, "closed")
    assert options["reference"] == "metadata.criteria"
    assert options["rubric"]["pass_from"] == "Y"


def test_a_template_that_is_not_one_is_left_alone():
    assert judges.reworded('Reply {"a": 1} {}', {}) == ('Reply {"a": 1} {}', [])
    assert len(judges.reworded("x" * 20_000, {})[0]) == judges.MAX_CRITERION
