"""Every file of the importer fixtures, with the figures their own tools state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evalwright.core.errors import ConfigError
from evalwright.services.importing import ImportPlan, ImportReport, import_file
from tests.shared_data import shared_data, shared_root

pytestmark = pytest.mark.shared

COMPANIONS = {"prompts.txt", "prompt.txt", "prompt1.json", "prompt2.json", "test_export_json_min__label_config.xml"}
CASES = {
    "autoevals/coqa-closed-qa.json": 40,
    "autoevals/coqa-context-relevancy.json": 60,
    "autoevals/coqa-factuality.json": 60,
    "deepeval/goldens_multi_turn.json": 5,
    "deepeval/test_run_sample.json": 1,
    "openai_evals/agent_tool_routing_samples.jsonl": 10,
    "promptfoo_2023/assistant-cli/tests.csv": 10,
    "promptfoo_2023/gpt-3.5-vs-4/output.csv": 5,
    "promptfoo_2023/gpt-3.5-vs-4/promptfooconfig.yaml": 5,
    "promptfoo_2023/multiple-translations/promptfooconfig.yaml": 9,
    "promptfoo_2023/multishot/output.json": 4,
    "promptfoo_2023/self-grading/promptfooconfig.yaml": 10,
    "promptfoo_2023/self-grading/tests.csv": 10,
    "promptfoo_2023/simple-test/promptfooconfig.yaml": 5,
    "promptfoo_2025/eval-export-v3.json": 2,
    "promptfoo_2025/rag-eval.yaml": 2,
    "ragas/annotated_data.json": 19,
    "ragas/booksql_sample.csv": 99,
    "ragas/hf_doc_qa_eval.csv": 66,
    "ragas/support_triage.csv": 20,
}


def fixtures() -> list[str]:
    root = shared_root() / "data" / "importer_fixtures"
    found = (path.relative_to(root) for path in sorted(root.rglob("*")) if path.is_file())
    return [str(path) for path in found if path.parts[0] != "LICENSES" and path.name != "SOURCE.json"]


def report_of(name: str) -> ImportReport:
    with import_file(ImportPlan(path=shared_data("data/importer_fixtures") / name)) as found:
        return found.report


def expected() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(shared_data("data/expected/importer_fixtures.json").read_text())
    return found


@pytest.mark.parametrize("name", fixtures())
def test_every_file_is_imported_or_says_which_file_it_belongs_to(name: str) -> None:
    if Path(name).name in COMPANIONS:
        with pytest.raises(ConfigError) as caught:
            report_of(name)
        assert "import" in caught.value.problems[0].hint
        return
    if name == "promptfoo_2025/csv-tests.yaml":
        with pytest.raises(ConfigError, match=r"tests are in `file://tests\.csv`, which is not beside this file"):
            report_of(name)
        return
    report = report_of(name)
    assert report.bad == 0
    assert report.cases or report.scorers or report.dropped
    if name in CASES:
        assert report.cases == CASES[name]


def test_inspect_logs_give_the_figures_their_headers_state() -> None:
    for name, wanted in expected()["inspect"].items():
        figures = report_of(f"inspect/{name}").figures
        assert {key: figures[key] for key in ("status", "task", "model", "samples", "usage")} == {
            key: wanted[key] for key in ("status", "task", "model", "samples", "usage")
        }, name
        assert figures["scores"] == dict(wanted["scores"]), name


def test_inspect_verdicts_have_the_mean_the_header_states() -> None:
    for name in ("log_streaming.eval", "2025-02-11T15-18-04-05-00_popularity_mj7khqpMM4GBCfVQozKgzB.eval"):
        figures = report_of(f"inspect/{name}").figures
        assert figures["mean of the samples"]["match"] == pytest.approx(figures["scores"]["match"]["accuracy"])


def test_promptfoo_results_have_the_counts_cost_and_latency_of_their_header() -> None:
    figures = report_of("promptfoo_2025/eval-export-v3.json").figures
    wanted = expected()["promptfoo_2025/eval-export-v3.json"]
    assert (figures["results"], figures["successes"], figures["failures"]) == (
        4,
        wanted["successes"],
        wanted["failures"],
    )
    assert [figures["assertions passed"], figures["assertions failed"]] == wanted["assertions passed/failed"]
    assert figures["cost"] == pytest.approx(wanted["sum cost"])
    assert figures["cost by provider"] == pytest.approx(wanted["cost by provider"])
    assert figures["latency ms by provider"] == wanted["sum latency ms by provider"]


def test_promptfoo_results_of_the_first_version() -> None:
    figures = report_of("promptfoo_2023/simple-test/output.json").figures
    wanted = expected()["promptfoo_2023/simple-test/output.json"]
    assert (figures["results"], figures["successes"], figures["stated"]) == (
        wanted["results"],
        wanted["success"],
        wanted["stats"],
    )


def test_autoevals_files() -> None:
    for name, wanted in expected()["autoevals"].items():
        assert report_of(f"autoevals/{name}").labels == wanted


def test_a_folder_takes_the_results_and_not_their_companions() -> None:
    with import_file(ImportPlan(path=shared_data("data/importer_fixtures/promptfoo_2023/self-grading"))) as found:
        assert list(found.report.formats.values()) == ["promptfoo"]
        assert found.report.cases == 10
