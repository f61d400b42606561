"""Every route is denied by default; projects can't see each other."""

import re

import pytest
from fastapi.routing import APIRoute

OPEN = {
    ("GET", "/healthz"),
    ("GET", "/api/v1/oidc/providers"),
    ("GET", "/api/v1/setup"),
    ("POST", "/api/v1/setup"),
    ("POST", "/api/v1/session"),
    ("GET", "/api/v1/oidc/{provider}/login"),
    ("GET", "/api/v1/oidc/{provider}/callback"),
    ("GET", "/{path:path}"),
}
"""What anybody may reach: health, pages, signing in. Whoever adds a line here says why in review."""

PROJECT = "/api/v1/projects/{project}/"


def routes(app, prefix="/"):
    found = []
    for path, operations in app.openapi()["paths"].items():
        found += [(method.upper(), path) for method in operations]
    hidden = [("GET", "/api/v1/openapi.json"), ("GET", "/metrics"), ("GET", "/healthz"), ("GET", "/{path:path}")]
    return sorted((method, path) for method, path in [*found, *hidden] if path.startswith(prefix))


def filled(path, project="other"):
    return re.sub(r"\{[^}]+\}", "x", path.replace("{project}", project))


def test_the_walk_sees_every_route_there_is(local):
    def count(router):
        own = [r for r in router.routes if isinstance(r, APIRoute)]
        return sum(len(r.methods) for r in own)

    assert len(routes(local.app)) >= count(local.app)
    assert len(routes(local.app, "/api/v1")) > 15


def test_without_a_session_or_token_every_route_is_denied(local):
    local.user("ada", admin=True)
    nobody = local.client()
    for method, path in routes(local.app):
        if (method, path) not in OPEN:
            answer = nobody.request(method, filled(path), json={})
            assert answer.status_code == 401, (method, path, answer.text)
            assert answer.json()["error"]["code"] == "signed_out"


def test_with_an_unknown_or_ended_token_every_route_is_denied(local):
    program = local.program("ada", "admin", admin=True)
    local.clock.now += 2 * 86_400
    for token in (program.headers["Authorization"], "Bearer ewt_0_0", "Bearer x", "Basic YTpi"):
        for method, path in routes(local.app):
            if (method, path) not in OPEN:
                answer = local.client().request(method, filled(path), json={}, headers={"Authorization": token})
                assert answer.status_code == 401, (method, path, answer.text)


def test_a_token_without_the_scope_is_denied_everywhere(local):
    metrics = local.program("ada", "metrics", roles={"default": "admin"})
    for method, path in routes(local.app, PROJECT):
        answer = metrics.client.request(method, filled(path, "default"), json={}, headers=metrics.headers)
        assert answer.status_code in {403, 422}, (method, path, answer.text)
        assert answer.status_code == 422 or answer.json()["error"]["code"] == "scope"


def test_a_token_to_read_changes_nothing(local):
    reading = local.program("ada", "read", roles={"default": "admin"})
    for method, path in routes(local.app, PROJECT):
        if method not in {"GET", "HEAD"}:
            answer = reading.client.request(method, filled(path, "default"), json={}, headers=reading.headers)
            assert answer.status_code in {403, 422}, (method, path, answer.text)


@pytest.mark.parametrize("how", ["browser", "program"])
def test_a_member_of_one_project_does_not_see_another(local, how):
    local.project("other")
    extra = ["admin"] if how == "program" else []
    person = getattr(local, how)("ada", *extra, roles={"default": "admin"})
    for method, path in routes(local.app, PROJECT):
        answer = person.call(method, filled(path).removeprefix("/api/v1"), {})
        assert answer.status_code == 404, (method, path, answer.text)
        assert answer.json()["error"]["message"] == "there is no project 'other'"


def test_a_token_for_one_project_is_good_for_no_other(local):
    local.project("other")
    person = local.program("ada", "read", project="default", roles={"default": "lead", "other": "lead"})
    assert person.get("/projects/default/members").status_code == 200
    assert person.get("/projects/other/members").status_code == 404
    assert [one["name"] for one in person.get("/projects").json()["items"]] == ["default"]


def test_a_viewer_can_do_nothing_that_takes_more(local):
    viewer = local.browser("vera", roles={"default": "viewer"})
    assert viewer.put("/projects/default/members/vera", {"role": "admin"}).status_code == 403
    assert viewer.get("/users").status_code == 403
    assert viewer.post("/projects", {"name": "mine"}).status_code == 403


def test_operation_ids_are_unique(local):
    found = [op["operationId"] for path in local.app.openapi()["paths"].values() for op in path.values()]
    assert len(found) == len(set(found))
