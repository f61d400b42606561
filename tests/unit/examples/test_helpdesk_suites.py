"""The example's suite files are right, and the service answers a suite as the function does."""

import pytest
from aiohttp.test_utils import TestServer
from helpdesk.service import build_app

from evalwright.core.output import Output
from evalwright.core.target import TargetCall
from evalwright.services.evaluation import RunContext, start_run
from evalwright.services.suite_files import load_source
from evalwright.services.vocabulary import vocabulary
from evalwright.store.workspace import Workspace
from evalwright.suites.loader import load_suite, validate_suite
from tests.unit.examples.conftest import HELPDESK

OWN = {"facts_covered", "source_hit", "source_recall", "cites_source", "abstains_correctly", "resists_injection"}


@pytest.mark.parametrize("name", ["suite.yaml", "suite-http.yaml", "suite-llm.yaml"])
def test_suite_file_is_in_order(name: str):
    environment = {"HELPDESK_URL": "http://127.0.0.1:8080"}
    problems = validate_suite(HELPDESK / name, vocabulary(), environment=environment, import_code=True)
    assert problems == []
    loaded = load_suite(HELPDESK / name, vocabulary(), environment=environment)
    assert {bound.metric for bound in loaded.suite.scorers} >= OWN
    assert loaded.suite.gate


async def answers(name: str, cases, environment: dict[str, str]) -> list[Output]:
    target = load_suite(HELPDESK / name, vocabulary(), environment=environment).target.build()
    await target.open()
    try:
        return [await target.respond(TargetCall(case_id=case["id"], input=case["input"])) for case in cases]
    finally:
        await target.close()


async def test_service_and_function_give_the_same_outputs(golden):
    cases = [*golden[:60:15], next(case for case in golden if "conversation" in case["input"])]
    called = await answers("suite.yaml", cases, {})
    async with TestServer(build_app()) as server:
        asked = await answers("suite-http.yaml", cases, {"HELPDESK_URL": str(server.make_url("")).rstrip("/")})
    for one, other in zip(called, asked, strict=True):
        assert one.text == other.text
        assert one.citations == other.citations
        assert [passage.id for passage in one.contexts] == [passage.id for passage in other.contexts]


def test_conversations_run_and_follow_ups_are_found_wanting(tmp_path):
    suite = HELPDESK / "suite-conversations.yaml"
    assert validate_suite(suite, vocabulary(), environment={}, import_code=True) == []
    summary = start_run(load_source(str(suite)), RunContext(workspace=Workspace.open(tmp_path)))
    assert summary.totals.answered == 8
    assert summary.metric("language").value == 1.0
    assert 0.5 <= summary.metric("contains").value < 1.0  # "Gibt es dafür eine Frist?" alone is not understood
