"""The main job from the command line: run, read, score again, export."""

import csv
import json
import xml.etree.ElementTree as ET

import pytest


def test_a_run_prints_verdict_metrics_slices_and_where_the_report_lies(folder):
    done = folder.run("run", folder.suite(gate="[{ metric: exact, at_least: 0.5 }]"))
    assert done.code == 0
    assert "PASS" in done.out
    assert "0.900" in done.out
    assert "report.html" in done.out
    assert next(folder.path.glob(".evalwright/runs/*/report.html")).stat().st_size > 10_000


def test_json_is_one_object_and_nothing_else_on_standard_output(folder):
    done = folder.run("run", "suite.yaml", "--json")
    result = done.json
    assert (result["status"], result["decision"], result["calls"]) == ("complete", None, 30)
    metric = next(m for m in result["metrics"] if m["name"] == "exact" and not m["slice"])
    assert metric["value"] == pytest.approx(0.9)
    assert metric["low"] < 0.9 < metric["high"]
    assert {"run_id", "usage", "cost", "duration_s", "reports"} <= result.keys()
    assert {"name", "slice", "value", "low", "high", "level", "method", "n", "skipped", "errors"} <= metric.keys()
    assert {m["slice"] for m in result["metrics"]} == {"", "locale=de", "locale=en"}


@pytest.mark.parametrize(
    ("gate", "code", "verdict"),
    [
        ("[{ metric: exact, at_least: 0.5 }]", 0, "pass"),
        ("[{ metric: exact, at_least: 0.99 }]", 1, "fail"),
        ("[{ metric: exact, at_least: 0.9 }]", 3, "inconclusive"),
        ("[{ metric: exact, at_least: 0.99, severity: warn }, { metric: exact, at_least: 0.5 }]", 0, "pass"),
    ],
)
def test_the_exit_code_says_what_the_gate_decided(folder, gate, code, verdict):
    done = folder.run("run", folder.suite(gate=gate), "--json")
    assert (done.code, done.json["decision"]) == (code, verdict)


def test_errored_cases_make_a_run_incomplete_and_are_never_scored(folder):
    folder.write(
        "product.py", "def answer(question):\n    if question.endswith('7'): raise ValueError('boom')\n    return 'x'\n"
    )
    done = folder.run("run", folder.suite(run="{ retries: 0 }"), "--json")
    metric = done.json["metrics"][0]
    assert done.code == 4
    assert (metric["n"], metric["errors"], done.json["cases"]["errored"]) == (27, 3, 3)
    allowed = folder.run("run", folder.suite(run="{ retries: 0, allowed_errors: 0.2 }"), "--json")
    assert allowed.code == 0


def test_options_win_over_the_suite(folder):
    done = folder.run("run", "suite.yaml", "--limit", "5", "--trials", "2", "--json")
    assert (done.json["cases"]["selected"], done.json["calls"]) == (5, 10)
    same = folder.run("run", "suite.yaml", "--limit", "5", "--trials", "2", "--json")
    assert [m["value"] for m in same.json["metrics"]] == [m["value"] for m in done.json["metrics"]]
    german = folder.run("run", "suite.yaml", "--filter", 'metadata.locale == "de"', "--json")
    assert german.json["cases"]["selected"] == 20


def test_bad_rows_are_named_set_aside_and_counted(folder):
    rows = (folder.path / "cases.jsonl").read_text().splitlines()
    folder.write("cases.jsonl", "\n".join([rows[0], "{broken", rows[1], rows[0], '{"id": "x"}', rows[2]]) + "\n")
    done = folder.run("run", "suite.yaml", "--json")
    assert (done.json["cases"]["bad_rows"], done.json["cases"]["selected"]) == (3, 3)
    strict = folder.run("run", "suite.yaml", "--strict")
    assert strict.code == 2
    assert "cases.jsonl:2" in strict.err
    assert "cases.jsonl:4" in strict.err


def test_show_report_and_export_read_a_stored_run(folder):
    folder.run("run", "suite.yaml", "--quiet")
    assert "no idea" in folder.run("show", "latest", "q10").out
    assert "exact" in folder.run("show", "latest").out
    assert folder.run("show", "latest", "q99").code == 2
    junit = folder.path / "out.xml"
    assert folder.run("report", "latest", "--output", str(junit)).code == 0
    assert int(ET.parse(junit).getroot().attrib["failures"]) == 3
    for name in ("markdown", "json", "html"):
        assert folder.run("report", "latest", "--format", name).code == 0
    assert folder.run("export", "latest", "--output", "rows.csv").code == 0
    with (folder.path / "rows.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 30
    assert folder.run("export", "latest", "--output", "rows.parquet").code == 0
    assert folder.run("export", "latest", "--output", "rows.jsonl").code == 0
    assert len((folder.path / "rows.jsonl").read_text().splitlines()) == 30


def test_scoring_again_calls_no_target(folder):
    folder.run("run", "suite.yaml", "--quiet")
    folder.write("product.py", "def answer(question):\n    raise AssertionError('called again')\n")
    scorers = "[exact, { contains: { values: [answer] } }]"
    name = folder.suite("other.yaml", scorers=scorers, gate="[{ metric: contains, at_least: 0.5 }]")
    done = folder.run("score", "latest", "--suite", name, "--json")
    found = {m["name"]: m["value"] for m in done.json["metrics"] if not m["slice"]}
    assert (done.code, found) == (0, {"exact": pytest.approx(0.9), "contains": pytest.approx(0.9)})


def test_lists_name_runs_scorers_and_targets(folder):
    folder.run("run", "suite.yaml", "--quiet")
    assert json.loads(folder.run("list", "runs", "--json").out)[0]["suite"] == "small"
    assert "exact" in folder.run("list", "scorers").out
    assert "recorded" in folder.run("list", "targets").out


def test_a_suite_written_in_python_runs_from_the_command_line(folder):
    folder.write(
        "suites.py",
        "from evalwright import Case, Suite\n"
        "from evalwright.scorers import ExactMatch\n"
        "suite = Suite(name='py', cases=[Case(id='a', input='x', expected='X')], scorers=[ExactMatch()])\n"
        "target = str.upper\n",
    )
    done = folder.run("run", "suites.py", "--json")
    assert (done.code, done.json["suite"]) == (0, "py")
    assert folder.run("run", "suites.py:nothing").code == 2
