"""What pages read: runs, cases, comparisons, trends, golden sets, gates, exports; and who may."""

from __future__ import annotations

import csv
import io
import json

import pytest

from evalwright import Case, Suite, evaluate
from evalwright.core.gate import Rule
from evalwright.core.output import Output, Step
from evalwright.core.suite import SliceSpec
from evalwright.scorers import ExactMatch

NAMES = ("Ada", "Zoë", "=HYPERLINK(1)", "<img src=x onerror=alert(1)>", "boom", "Lin")


def good(name: str) -> Output:
    if name == "boom":
        raise ValueError("no such person")
    inner = tuple(Step(kind="tool", name=f"call {n}", start_s=n, duration_s=1.0, output="x") for n in range(3))
    step = Step(kind="agent", name="greeter", start_s=0.0, duration_s=4.0, children=inner)
    return Output(text=f"Hello, {name}", steps=(step,))


def worse(name: str) -> str:
    return "Hi" if name == "Lin" else f"Hello, {name}"


def greeting() -> Suite:
    cases = [
        Case(id=f"g/{n}", input=name, expected=f"Hello, {name}", metadata={"odd": n % 2})
        for n, name in enumerate(NAMES)
    ]
    return Suite(
        name="greeting",
        cases=cases,
        scorers=[ExactMatch()],
        slices={"odd": SliceSpec(by="metadata.odd")},
        gate=[Rule(metric="exact_match", at_least=0.99, name="exact")],
        owner="team-hello",
        tier=1,
    )


@pytest.fixture
def place(request):
    """The server on both databases for tests that name `server`, else on SQLite."""
    return request.getfixturevalue("server" if "server" in request.fixturenames else "local")


@pytest.fixture
def runs(place) -> list[str]:
    return [evaluate(greeting(), target=one, workspace=place.state.places.root).run_id for one in (good, worse)]


@pytest.fixture
def viewer(place):
    return place.browser("vera", roles={"default": "viewer"})


HERE = "/projects/default"


def ok(answer):
    assert answer.status_code < 300, answer.text
    return answer.json()


def test_the_first_page(server, viewer, runs):
    page = ok(viewer.get(f"{HERE}/overview"))
    (suite,) = page["suites"]
    assert (suite["suite"], suite["tier"], suite["owner"], suite["run_id"]) == ("greeting", 1, "team-hello", runs[1])
    assert suite["verdict"] in ("fail", "inconclusive")
    assert suite["blocking"][0]["reason"]
    assert [point["run_id"] for point in suite["history"]] == runs
    assert suite["headline"]["level"] == 0.95
    assert page["spend"]["last_30d"] is None
    assert page["spend"]["unknown"] == 2
    assert page["review"] == {"queues": 0, "open": 0, "in_progress": 0, "adjudication": 0, "oldest_at": None}
    assert (page["sets"], page["judges"], page["safety"]) == ([], [], {"open": [], "suites": 0})


def test_an_empty_workspace(viewer):
    assert ok(viewer.get(f"{HERE}/overview"))["suites"] == []
    assert ok(viewer.get(f"{HERE}/runs")) == {"items": [], "total": 0, "next": None}
    for path in ("gates", "waivers", "suites", "datasets", "proposals"):
        assert ok(viewer.get(f"{HERE}/{path}"))["items"] == []
    assert viewer.get(f"{HERE}/trends", params={"suite": "none"}).status_code == 404
    assert viewer.get(f"{HERE}/runs/none").status_code == 404


def test_runs_and_one_run(server, viewer, runs):
    page = ok(viewer.get(f"{HERE}/runs", params={"suite": "greeting", "limit": 1}))
    assert (page["items"][0]["run_id"], page["total"]) == (runs[1], 2)
    after = ok(viewer.get(f"{HERE}/runs", params={"suite": "greeting", "limit": 1, "cursor": page["next"]}))
    assert (after["items"][0]["run_id"], after["next"]) == (runs[0], None)
    run = ok(viewer.get(f"{HERE}/runs/{runs[0]}"))
    assert run["manifest"]["suite"] == "greeting"
    assert run["totals"]["errored"] == 1
    assert run["estimates"][0]["method"]
    assert run["slices"][0]["name"] == "odd"
    assert run["decision"]["results"][0]["rule"]["name"] == "exact"


def test_cases_by_anything(viewer, runs):
    def found(**params):
        return [one["case_id"] for one in ok(viewer.get(f"{HERE}/runs/{runs[1]}/cases", params=params))["items"]]

    assert found(status="failed") == ["g/5"]
    assert found(metric="exact_match", max=0.5) == ["g/5"]
    assert found(slice="odd:1", sort="-id") == ["g/5", "g/3", "g/1"]
    assert found(q="onerror") == ["g/3"]
    assert found(where=["exact_match.passed=true", "exact_match>0.5"], q="zoë") == ["g/1"]
    bad = viewer.get(f"{HERE}/runs/{runs[1]}/cases", params={"where": "nothing=1"})
    assert bad.status_code == 422
    assert "exact_match" in bad.json()["error"]["hint"]


def test_a_case_and_its_trace(viewer, runs):
    case = ok(viewer.get(f"{HERE}/runs/{runs[0]}/cases/g/5"))
    assert case["case"]["input"] == "Lin"
    assert case["units"][0]["spans"] == 4
    assert [past["passed"] for past in case["history"]] == [False, True]
    roots = ok(viewer.get(f"{HERE}/runs/{runs[0]}/cases/g/5/trace"))
    assert (roots["spans_total"], roots["items"][0]["children"], roots["duration_s"]) == (4, 3, 4.0)
    below = ok(viewer.get(f"{HERE}/runs/{runs[0]}/cases/g/5/trace", params={"parent": "0", "limit": 2}))
    assert [one["name"] for one in below["items"]] == ["call 0", "call 1"]
    rest = ok(viewer.get(f"{HERE}/runs/{runs[0]}/cases/g/5/trace", params={"parent": "0", "after": below["next"]}))
    assert ([one["name"] for one in rest["items"]], rest["next"]) == (["call 2"], None)
    span = ok(viewer.get(f"{HERE}/runs/{runs[0]}/cases/g/5/trace/2"))
    assert (span["output"], span["path"][0]["name"]) == ("x", "greeter")
    assert viewer.get(f"{HERE}/runs/{runs[0]}/cases/g/5/trace/99").status_code == 404
    assert viewer.get(f"{HERE}/runs/{runs[0]}/cases/nothing").status_code == 404


def test_runs_side_by_side(viewer, runs):
    asked = {"baseline": runs[0], "candidate": [runs[1]]}
    view = ok(viewer.get(f"{HERE}/compare", params=asked))
    (candidate,) = view["candidates"]
    assert candidate["metrics"][0]["metric"] == "exact_match"
    assert candidate["metrics"][0]["margin"] == 0.02
    assert candidate["flips"][0]["pass_fail"] == 1
    rows = ok(viewer.get(f"{HERE}/compare/rows", params=asked))
    assert rows["total"] == len(NAMES)
    assert {rows["items"][0]["case_id"], rows["items"][1]["case_id"]} == {"g/4", "g/5"}
    lost = ok(viewer.get(f"{HERE}/compare/rows", params={**asked, "show": "regressions", "metric": "exact_match"}))
    assert [(row["case_id"], row["delta"]) for row in lost["items"]] == [("g/5", -1.0)]
    assert [side["output"] for side in lost["items"][0]["sides"]] == ["Hello, Lin", "Hi"]
    won = ok(viewer.get(f"{HERE}/compare/rows", params={**asked, "flip": "fail_pass"}))
    assert [row["case_id"] for row in won["items"]] == ["g/4"]
    assert viewer.get(f"{HERE}/compare", params={"baseline": runs[0], "candidate": runs[0]}).status_code == 422
    assert viewer.get(f"{HERE}/compare/rows", params={**asked, "sort": "1; --"}).status_code == 422
    again = ok(viewer.get(f"{HERE}/compare", params=asked))
    assert again == view


def test_a_trend_breaks_where_the_cases_change(server, viewer, runs):
    changed = greeting()
    fewer = Suite(name="greeting", cases=list(changed.cases)[:3], scorers=[ExactMatch()])
    evaluate(fewer, target=good, workspace=server.state.places.root)
    found = ok(viewer.get(f"{HERE}/trends", params={"suite": "greeting"}))
    assert found["metric"] == "exact_match"
    points = found["points"]
    assert [point["comparable_with_previous"] for point in points] == [True, True, False]
    assert points[2]["break_reason"] == "the cases changed (6 → 3)"
    assert all(point["low"] <= point["value"] <= point["high"] for point in points)
    odd = ok(viewer.get(f"{HERE}/trends", params={"suite": "greeting", "metric": "exact_match", "slice": "odd:1"}))
    assert len(odd["points"]) == 2


def test_a_waiver_takes_two_people(server, runs):
    asker = server.browser("erik", roles={"default": "engineer"})
    body = {"run": runs[1], "rule": "exact", "reason": "known, see ticket", "expires_days": 7}
    made = ok(asker.post(f"{HERE}/waivers", body))
    assert made["status"] == "requested"
    assert asker.post(f"{HERE}/waivers/{made['id']}/approve").status_code == 403
    viewer = server.browser("vera", roles={"default": "viewer"})
    assert viewer.post(f"{HERE}/waivers", body).status_code == 403
    lead = server.browser("lea", roles={"default": "lead"})
    assert ok(lead.post(f"{HERE}/waivers/{made['id']}/approve"))["status"] == "active"
    gate = ok(viewer.get(f"{HERE}/gates"))["items"][0]
    assert gate["decision"]["results"][0]["waived"] == made["id"]
    assert gate["waivers"][0]["approved_by"] == "lea"
    assert ok(viewer.get(f"{HERE}/overview"))["suites"][0]["blocking"] == []
    assert ok(asker.post(f"{HERE}/waivers/{made['id']}/revoke"))["status"] == "revoked"
    assert ok(viewer.get(f"{HERE}/gates"))["items"][0]["decision"]["results"][0]["waived"] is None


def test_a_case_becomes_part_of_a_golden_set(server, runs):
    engineer = server.browser("erik", roles={"default": "engineer"})
    path = f"{HERE}/datasets/greetings/cases"
    added = ok(engineer.post(path, {"run": runs[0], "case_id": "g/5", "message": "a regression"}))
    assert added["version"]["number"] == 1
    again = ok(engineer.post(path, {"run": runs[0], "case_id": "g/5"}))
    assert again["version"] is None
    ok(engineer.post(path, {"case_id": "new", "input": "Bo", "expected": "Hello, Bo"}))
    found = ok(engineer.get(f"{HERE}/datasets"))["items"][0]
    assert (found["name"], found["latest"]["number"], found["stale"]) == ("greetings", 2, None)
    cases = ok(engineer.get(f"{HERE}/datasets/greetings/latest/cases", params={"q": "bo"}))
    assert [case["id"] for case in cases["items"]] == ["new"]
    diff = ok(engineer.get(f"{HERE}/datasets/greetings/diff", params={"from": "v1", "to": "v2"}))
    assert (diff["added_count"], diff["added"][0]["id"]) == (1, "new")
    assert ok(engineer.get(f"{HERE}/datasets/greetings/health"))["cases"] == 2
    assert (
        server.browser("vera", roles={"default": "viewer"}).post(path, {"case_id": "x", "input": "y"}).status_code
        == 403
    )
    assert engineer.get(f"{HERE}/datasets/none").status_code == 404
    proposal = ok(engineer.post(f"{HERE}/proposals", {"subject": "greetings@v2", "reason": "ready"}))
    assert engineer.post(f"{HERE}/proposals/{proposal['id']}/approve", {}).status_code == 403
    lead = server.browser("lea", roles={"default": "lead"})
    assert ok(lead.post(f"{HERE}/proposals/{proposal['id']}/approve", {"comment": "good"}))["state"] == "approved"
    assert engineer.post(f"{HERE}/proposals", {"subject": "/etc/passwd"}).status_code == 422


def test_suites_say_what_is_missing(viewer, runs):
    (suite,) = ok(viewer.get(f"{HERE}/suites"))["items"]
    assert (suite["name"], suite["runs"], suite["complete"]) == ("greeting", 2, False)
    assert "a runbook" in suite["missing"]


@pytest.mark.parametrize("table", ["runs", "cases", "estimates", "compare", "trends", "suites", "waivers"])
def test_every_table_as_a_file(viewer, runs, table):
    asked = {
        "cases": {"run": runs[0]},
        "estimates": {"run": runs[0]},
        "compare": {"baseline": runs[0], "candidate": [runs[1]]},
        "trends": {"suite": "greeting"},
    }.get(table, {})
    answer = viewer.get(f"{HERE}/export/{table}", params={**asked, "format": "csv"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(answer.text)))
    assert not any(cell.startswith(("=", "@")) for row in rows for cell in row)
    lines = viewer.get(f"{HERE}/export/{table}", params={**asked, "format": "jsonl"}).text.splitlines()
    assert len([json.loads(line) for line in lines]) == len(rows) - 1


def test_formulas_are_made_harmless(viewer, runs):
    text = viewer.get(f"{HERE}/export/cases", params={"run": runs[0], "format": "csv"}).text
    assert "'=HYPERLINK(1)" in text


def test_progress_of_a_finished_run_ends_at_once(viewer, runs):
    answer = viewer.get(f"{HERE}/runs/{runs[0]}/live")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert answer.text.startswith("event: run.finished\ndata: {")
    assert viewer.get(f"{HERE}/runs/none/live").status_code == 404


def test_members_of_other_projects_see_nothing(server, runs):
    server.project("other")
    stranger = server.browser("otto", roles={"other": "lead"})
    for path in ("overview", "runs", f"runs/{runs[0]}", f"runs/{runs[0]}/cases", "suites", "export/runs"):
        assert stranger.get(f"{HERE}/{path}").status_code == 404
        assert server.nobody().get(f"{HERE}/{path}").status_code == 401
    assert ok(stranger.get("/projects/other/runs"))["total"] == 0
