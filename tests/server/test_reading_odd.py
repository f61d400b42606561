"""Whatever is asked of the reading routes, on SQLite and PostgreSQL, is answered or refused, never a failure."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from evalwright import Case, Suite, evaluate
from evalwright.scorers import ExactMatch

HERE = "/projects/default"
ODD = (
    "\x00",
    "a\x00b",
    "'; DROP TABLE runs; --",
    "%_",
    "🙈" * 100,
    "-inf",
    "99999999999999999999999",
    "\\",
    "../../etc/passwd",
    "v99999999999999",
    "WzE4NDQ2NzQ0MDczNzA5NTUxNjE2MDAsICIiXQ==",
)


@pytest.fixture
def asked(server):
    """Somebody who may write, and a run."""
    suite = Suite(name="s", cases=[Case(id="a", input="x", expected="x")], scorers=[ExactMatch()])
    made = [evaluate(suite, target=lambda x: x, workspace=server.state.places.root).run_id for _ in range(2)]
    return server.program("prog", "read", "write", roles={"default": "lead"}), made


def test_odd_parameters(asked):
    person, (one, other) = asked
    pair = {"baseline": one, "candidate": other}
    routes = {
        "runs": ("suite", "target", "status", "verdict", "tag", "since", "q", "sort", "cursor", "limit"),
        f"runs/{one}/cases": ("status", "metric", "min", "where", "slice", "q", "sort", "trial", "cursor"),
        "compare": ("baseline", "candidate", "margin"),
        "compare/rows": ("baseline", "metric", "show", "flip", "slice", "q", "sort", "cursor"),
        "trends": ("suite", "metric", "slice", "statistic", "target", "since", "limit"),
        "waivers": ("cursor",),
        "export/runs": ("q", "sort", "format"),
        "export/cases": ("run", "where"),
        "export/datasets": ("name", "version"),
    }
    base = {"compare": pair, "compare/rows": pair, "trends": {"suite": "s"}, "export/cases": {"run": one}}
    failed = [
        (path, name, odd)
        for path, names in routes.items()
        for name in names
        for odd in ODD
        if person.get(f"{HERE}/{path}", params={**base.get(path, {}), name: odd}).status_code >= 500
    ]
    assert failed == []


def test_odd_names(asked):
    person, (one, _) = asked
    paths = (
        "runs/{}",
        "runs/{}/cases",
        f"runs/{one}/cases/{{}}",
        f"runs/{one}/cases/a/trace/{{}}",
        "datasets/{}",
        "datasets/{}/latest/cases",
        "proposals/{}",
    )
    asked_for = [path.replace("{}", quote(odd, safe="")) for path in paths for odd in ODD]
    assert [path for path in asked_for if person.get(f"{HERE}/{path}").status_code >= 500] == []


def test_odd_bodies(asked):
    person, (one, _) = asked
    bodies = [
        (path, body)
        for odd in ODD
        for path, body in (
            ("waivers", {"run": odd, "rule": odd, "reason": odd, "expires_days": 1}),
            ("waivers", {"run": one, "rule": odd, "reason": odd, "expires_days": 1}),
            ("datasets/odd/cases", {"case_id": odd, "run": one}),
            ("datasets/odd/cases", {"case_id": odd, "input": odd, "metadata": {odd: odd}}),
            (f"datasets/{quote(odd, safe='')}/cases", {"case_id": "a", "input": "b"}),
        )
    ]
    assert [body for path, body in bodies if person.post(f"{HERE}/{path}", body).status_code >= 500] == []
