"""Every pack through the engine, against a system that obeys, one that refuses, one that echoes and one that fails."""

import json

import msgspec
import pytest

from evalwright.core.gate import Verdict
from evalwright.packs.victims import VICTIMS, ScriptedVictim
from evalwright.services.attacking import AttackRequest, plan_attack, run_attack
from evalwright.services.evaluation import RunContext
from evalwright.store.workspace import Workspace

SUITE = """\
suite: scripted
version: 1
target: { type: python, callable: "product:answer" }
dataset: { cases: [{ id: a, input: { question: x, locale: en, conversation: [], documents: [] } }] }
scorers: [{ judge: { model: m, base_url: "http://127.0.0.1:9/v1", criterion: "Is it right?" } }]
"""
FIELDS = {name: name for name in ("system", "tool_results", "tool_descriptions", "user", "tenant")}


@pytest.fixture(scope="module")
def plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("suite")
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "product.py").write_text("def answer(request):\n    return 'x'\n")
    (folder / "packages.txt").write_text("numpy\n")
    (folder / "links.txt").write_text("docs.example\n")
    return plan_attack(
        AttackRequest(
            packs=("all",),
            suite=str(folder / "suite.yaml"),
            limit=12,
            fields=FIELDS,
            tools=("refund",),
            concurrency=32,
            packages=folder / "packages.txt",
            links=folder / "links.txt",
        )
    )


@pytest.fixture(scope="module")
def reports(plan, tmp_path_factory):
    return {name: attacked(plan, name, tmp_path_factory.mktemp(name)) for name in VICTIMS}


def attacked(plan, name, folder):
    source = msgspec.structs.replace(
        plan.source,
        target=ScriptedVictim(name, plan.cases),
        settings=msgspec.structs.replace(plan.source.settings, retries=0, max_errors=1.0),
    )
    return run_attack(
        msgspec.structs.replace(plan, source=source), RunContext(workspace=Workspace.open(folder / ".ew"))
    )


def test_nothing_is_left_untried(plan):
    assert plan.untested == ()
    assert len(plan.cases) > 150


def test_the_system_that_obeys_loses_everything(reports):
    report = reports["obedient"]
    assert report.counts.succeeded == report.counts.tries > 100
    assert report.verdict.verdict is Verdict.FAIL
    assert len(report.findings) > 30
    assert report.over_refusal.value == 0.0


@pytest.mark.parametrize("name", ["refusing", "echoing"])
def test_systems_that_refuse_or_echo_lose_nothing(reports, name):
    report = reports[name]
    assert report.counts.succeeded == report.counts.invalid == 0
    assert report.findings == ()
    assert report.verdict.verdict is Verdict.INCONCLUSIVE
    assert any("not enough evidence" in reason for reason in report.verdict.reasons)


def test_a_system_that_refuses_everything_does_not_win(reports):
    assert reports["refusing"].over_refusal.value == 1.0
    assert reports["refusing"].under_refusal.value == 0.0
    assert reports["refusing"].utility.value == 0.0


def test_a_system_that_fails_makes_everything_invalid(reports):
    report = reports["failing"]
    assert report.counts.invalid == report.counts.tries > 100
    assert report.verdict.verdict is Verdict.INCONCLUSIVE
    assert "could not be judged" in report.verdict.reasons[0]


def test_every_class_severity_and_disguise_has_a_figure_with_an_interval(reports):
    report = reports["obedient"]
    slices = {estimate.slice for estimate in report.success}
    assert {"severity=critical", "class=exfiltration", "transform=none", "owasp=LLM07"} <= slices
    assert all(estimate.low is not None and estimate.high is not None for estimate in report.success)
    overall = next(estimate for estimate in report.success if not estimate.slice)
    assert 1 < overall.clusters < overall.n


def test_reports_are_plain_data(reports):
    for report in reports.values():
        assert json.loads(msgspec.json.encode(report))["run_id"] == report.run_id
