"""Build servers: reports from the command line, and pipelines whose commands work."""

import json
import shlex

import pytest
import yaml

GATE = "gate: [{ metric: exact, at_least: 0.99 }]\n"


def test_reports_for_build_servers_are_written_before_the_gate_fails(folder):
    folder.suite(extra=GATE)
    done = folder.run("run", "suite.yaml", "-q", "--report", "sarif=out/r.sarif", "--report", "gitlab=q.json")
    assert done.code == 1
    results = json.loads((folder.path / "out/r.sarif").read_text())["runs"][0]["results"]
    place = results[1]["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == ("cases.jsonl", 1)
    assert results[2]["locations"][0]["physicalLocation"]["region"]["startLine"] == 11
    assert json.loads((folder.path / "q.json").read_text())[0]["severity"] == "blocker"


def test_inside_github_the_step_gets_summary_outputs_and_annotations(folder, monkeypatch):
    folder.suite(extra=GATE)
    quiet = folder.run("run", "suite.yaml", "-q", "--report", "github=pr.md")
    assert "::error" not in quiet.err
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(folder.path / "step.md"))
    monkeypatch.setenv("GITHUB_OUTPUT", str(folder.path / "out.txt"))
    done = folder.run("run", "suite.yaml", "-q", "--report", "github=pr.md")
    assert done.err.count("::error file=suite.yaml") == 1
    assert "## FAIL" in (folder.path / "step.md").read_text()
    assert "decision=fail\n" in (folder.path / "out.txt").read_text()
    assert (folder.path / "pr.md").read_text().startswith("<!-- evalwright:small -->")


def commands(value):
    """The command lines that name evalwright, anywhere in a pipeline."""
    if isinstance(value, dict):
        return [line for item in value.values() for line in commands(item)]
    if isinstance(value, list):
        return [line for item in value for line in commands(item)]
    return [value] if isinstance(value, str) and value.startswith("evalwright ") else []


@pytest.mark.parametrize(
    ("server", "file"), [("github", ".github/workflows/evaluation.yml"), ("gitlab", ".gitlab-ci.evaluation.yml")]
)
def test_the_commands_of_a_pipeline_work(folder, server, file):
    done = folder.run("init", "--ci", server, ".")
    assert done.code == 0, done.err
    found = commands(yaml.safe_load((folder.path / file).read_text()))
    assert found
    for line in found:
        assert folder.run(*shlex.split(line)[1:]).code == 0, line
    assert (folder.path / "evaluation.html").is_file()
    assert folder.run("init", "--ci", server, ".").code == 2


def test_jenkins_and_a_name_that_can_not_stand_in_a_script(folder):
    assert folder.run("init", "--ci", "jenkins", ".").code == 0
    text = (folder.path / "Jenkinsfile.evaluation").read_text()
    assert "evalwright run 'suite.yaml'" in text
    assert "@" not in text
    (folder.path / "Jenkinsfile.evaluation").unlink()
    folder.suite(suite='"it\'s"')
    assert "can't stand in a pipeline" in folder.run("init", "--ci", "jenkins", ".").err


def test_a_pipeline_needs_its_suite(folder):
    assert folder.run("init", "--ci", "github", "--suite", "other.yaml", ".").code == 2
