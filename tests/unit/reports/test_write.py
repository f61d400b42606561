from __future__ import annotations

import json
import math
import xml.etree.ElementTree as ET
from pathlib import Path

import jsonschema
import pytest

from evalwright.core.errors import StoreError, UsageError
from evalwright.core.estimate import Estimate
from evalwright.reports.json_report import json_line, run_object, run_schema
from evalwright.reports.options import ReportOptions
from evalwright.reports.write import FORMATS, render, write_report
from tests.unit.reports import sample

SCHEMA = Path(__file__).parents[3] / "schema" / "run.schema.json"


def junit(**more):
    return ET.fromstring(render("junit", sample.summary(), sample.cases(), **more))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_writes_the_hostile_run_to_a_file(name, tmp_path):
    path = write_report(name, sample.summary(), sample.cases(), tmp_path / "deep" / f"run{FORMATS[name].suffix}")
    text = path.read_text("utf-8")
    assert "groundedness" in text
    assert "\x1b" not in text
    assert "\u202e" not in text or name == "json"
    assert [one.name for one in path.parent.iterdir()] == [path.name]


def test_a_folder_gets_the_usual_name(tmp_path):
    assert write_report("html", sample.summary(), [], tmp_path).name == "report.html"


def test_an_unknown_format_names_the_known_ones(tmp_path):
    with pytest.raises(UsageError, match="unknown report format `pdf`") as caught:
        write_report("pdf", sample.summary(), [], tmp_path / "x")
    assert "html, markdown, json, junit" in caught.value.hint


def test_a_report_that_breaks_leaves_the_old_one_in_place(tmp_path):
    path = tmp_path / "report.html"
    path.write_text("old")

    def broken():
        yield sample.passed_case(1)
        raise RuntimeError("disk on fire")

    with pytest.raises(RuntimeError):
        write_report("html", sample.summary(), broken(), path)
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_a_place_that_cannot_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't write the report"):
        write_report("html", sample.summary(), [], tmp_path / "file" / "report.html")


def test_the_json_object_holds_what_was_promised():
    found = json.loads(json_line(run_object(sample.summary(), {"html": "r.html"})))
    assert (found["run_id"], found["status"], found["decision"]) == (sample.RUN_ID, "complete", "fail")
    assert found["reports"] == {"html": "r.html"}
    assert found["calls"] == 431
    assert found["duration_s"] == 187.4
    assert found["cost"] == pytest.approx(0.4731)
    assert found["usage"]["total_tokens"] == 1_709_623
    first = found["metrics"][0]
    assert {"name", "slice", "value", "low", "high", "level", "method", "n", "skipped", "errors"} <= first.keys()
    assert (first["name"], first["slice"], first["value"], first["n"]) == ("groundedness", "", 0.8712, 396)
    assert [rule["verdict"] for rule in found["gate"]["rules"]] == ["inconclusive", "fail", "pass", "inconclusive"]


def test_the_json_object_has_no_nan():
    summary = sample.summary(estimates=(Estimate(metric="m", value=math.nan, low=-math.inf, high=math.inf),))
    found = json.loads(json_line(run_object(summary)), parse_constant=pytest.fail)
    assert [found["metrics"][0][key] for key in ("value", "low", "high")] == [None, None, None]


def test_lone_surrogates_do_not_break_json():
    assert json.loads(json_line({"a\ud800": ["\udfff"]})) == {"a\ufffd": ["\ufffd"]}


def test_the_schema_in_the_repository_is_the_one_of_the_code():
    """Write it again with: python -m evalwright.reports.json_report > schema/run.schema.json"""
    assert json.loads(SCHEMA.read_text("utf-8")) == run_schema()


@pytest.mark.parametrize(
    "changes",
    [{}, {"decision": None, "estimates": (), "notes": ()}, {"estimates": (Estimate(metric="m", value=None),)}],
)
def test_the_json_object_follows_its_schema(changes):
    found = json.loads(json_line(run_object(sample.summary(**changes))))
    jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8"))).validate(found)


def test_the_schema_refuses_what_is_no_run():
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text("utf-8")))
    found = json.loads(json_line(run_object(sample.summary())))
    del found["metrics"][0]["n"]
    assert [error.validator for error in validator.iter_errors(found)] == ["required"]


def test_the_full_json_report_holds_every_case():
    found = json.loads(render("json", sample.summary(), sample.cases(10), baseline=sample.summary()))
    assert found["format"] == "evalwright.report/1"
    assert found["baseline"]["run_id"] == sample.RUN_ID
    assert len(found["cases"]) == 18
    by_id = {case["case"]["id"]: case for case in found["cases"]}
    assert by_id["login/sso-041"]["status"] == "error"
    assert by_id["refund-policy/017"]["reasons"][0]["metric"] == "groundedness"
    assert found["summary"]["manifest"]["suite"] == "support-rag"


def test_junit_counts_failures_errors_and_skips_apart():
    root = junit()
    cases, gate = root.findall("testsuite")
    assert {key: cases.get(key) for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "38",
        "failures": "5",
        "errors": "1",
        "skipped": "2",
    }
    assert (gate.get("name"), gate.get("tests"), gate.get("failures")) == ("support-rag gate", "4", "2")
    assert root.get("tests") == "42"
    for suite in (cases, gate):
        assert len(suite.findall("testcase")) == int(suite.get("tests", ""))
        assert len(suite.findall("testcase/failure")) == int(suite.get("failures", ""))


def test_junit_says_why():
    cases = {case.get("name"): case for case in junit().iter("testcase")}
    failure = cases["refund-policy/017"].find("failure")
    assert failure.get("message") == "groundedness: The cited article says 30 days, not 60."
    assert failure.get("type") == "groundedness"
    assert "within 60 days" in failure.text
    assert cases["login/sso-041"].find("error").get("message") == "target: timeout: no answer within 30 s"
    assert cases["late/001"].find("skipped").get("message") == "the run stopped before this case"
    rule = cases["groundedness for locale=de at least 0.850"]
    assert rule.find("failure").get("type") == "fail"
    assert rule.get("line") == "32"
    assert cases["latency p95 at most 2.50 s"].find("failure") is None


def test_junit_can_leave_the_file_out():
    assert {case.get("file") for case in junit().iter("testcase")} == {"suites/support-rag.yaml"}
    strict = junit(options=ReportOptions(junit_files=False))
    assert {case.get("file") for case in strict.iter("testcase")} == {None}


def test_junit_has_the_figures_as_properties():
    properties = {one.get("name"): one.get("value") for one in junit().iter("property")}
    assert properties["run_id"] == sample.RUN_ID
    assert properties["metric.groundedness"] == "0.871 [0.835, 0.901] n=396"


def test_markdown_fits_a_comment_and_counts_what_it_leaves_out():
    def many():
        yield from sample.failing_cases()[:1] * 2_000

    text = render("markdown", sample.summary(failing=2_000), many())
    assert 50_000 < len(text) <= 65_536
    shown = text.count("<details>")
    assert f"{2_000 - shown:,} more failing cases in the full report." in text
    assert text.count("<details>") == text.count("</details>")
    assert text.rstrip().endswith("`evalwright run suites/support-rag.yaml --seed 7 --concurrency 64`")


def test_markdown_stays_short_even_when_the_head_is_long():
    rows = tuple(Estimate(metric=f"metric-{n}" * 9, value=0.5, low=0.4, high=0.6, note="x") for n in range(500))
    notes = tuple("note " * 100 for _ in range(50))
    text = render("markdown", sample.summary(estimates=rows, notes=notes), [], options=ReportOptions(max_chars=6_000))
    assert len(text) <= 6_000
    assert "… cut: too long for a comment" in text


def test_markdown_cannot_be_broken_out_of():
    text = render("markdown", sample.summary(failing=1), [sample.hostile_case()])
    outside = "".join(part for place, part in enumerate(text.split("````")) if place % 2 == 0)
    assert "<script" not in outside
    assert "<img" not in outside
    assert set(outside.replace("<details>", "").replace("<summary>", "").split("<")[1:]) <= {
        part for part in outside.split("<") if part.startswith(("/details>", "/summary>"))
    }


def test_markdown_tables_have_as_many_cells_in_every_row():
    text = render("markdown", sample.summary(), [], baseline=sample.summary())
    for block in text.split("\n\n"):
        rows = [row for row in block.splitlines() if row.startswith("|")]
        assert len({row.replace("\\|", "").count("|") for row in rows}) <= 1
