"""Set-up, signing in and out, passwords, tokens, members."""

import pytest

from tests.server.conftest import PASSWORD


def set_up(server, **changes):
    body = {"username": "ada", "password": PASSWORD, "code": server.accounts.new_setup_code(), **changes}
    return server.nobody().post("/setup", body)


def test_the_first_admin_is_made_with_the_code_once(server):
    assert server.nobody().get("/setup").json() == {"needed": True}
    made = set_up(server)
    assert made.status_code == 201
    assert made.json()["user"] == {"username": "ada", "name": "ada", "email": "", "admin": True}
    assert made.json()["projects"] == [{"name": "default", "title": "Default", "role": "admin"}]
    assert server.nobody().get("/setup").json() == {"needed": False}
    assert server.accounts.new_setup_code() is None
    assert set_up(server, code="x", username="eve").json()["error"]["code"] == "conflict"


def test_a_wrong_code_makes_nobody_admin(server):
    answer = set_up(server, code="guess")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    assert not server.accounts.people.any_user()


def test_a_later_code_ends_the_earlier_one(server):
    first, second = server.accounts.new_setup_code(), server.accounts.new_setup_code()
    body = {"username": "ada", "password": PASSWORD}
    assert server.nobody().post("/setup", {**body, "code": first}).status_code == 403
    assert server.nobody().post("/setup", {**body, "code": second}).status_code == 201


@pytest.mark.parametrize(
    ("password", "says"),
    [("short", "10 to 512"), ("aaaaaaaaaaaa", "repeats"), ("ada1234567", "name"), ("x" * 513, None)],
)
def test_weak_passwords_are_refused(local, password, says):
    answer = set_up(local, password=password)
    assert answer.status_code == 422
    assert says is None or says in answer.json()["error"]["message"]


def test_signing_in_gives_a_cookie_scripts_cant_read_and_out_ends_it(server):
    server.user("ada", roles={"default": "lead"})
    person = server.nobody()
    answer = person.post("/session", {"username": "ada", "password": PASSWORD})
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    person.csrf = answer.json()["csrf"]
    assert person.get("/session").json()["projects"] == [{"name": "default", "title": "Default", "role": "lead"}]
    value = person.client.cookies["ew_session"]
    assert person.delete("/session").status_code == 204
    person.client.cookies.set("ew_session", value)
    assert person.get("/session").status_code == 401


def test_secrets_are_kept_as_hashes_only(local):
    person = local.browser("ada", roles={"default": "lead"})
    token = person.post("/me/tokens", {"name": "ci", "scopes": ["read"]}).json()["token"]
    kept = b"".join(path.read_bytes() for path in local.settings.workspace.glob("catalog.db*"))
    assert token.rpartition("_")[2].encode() not in kept
    assert person.client.cookies["ew_session"].encode() not in kept
    assert PASSWORD.encode() not in kept
    assert b"$argon2id$" in kept


def test_a_session_ends_when_idle_and_in_any_case(server):
    rules = server.accounts.sessions
    person = server.browser("ada")
    for _ in range(int(rules.lasts_s // rules.idle_s)):
        assert person.get("/session").status_code == 200
        server.clock.now += rules.idle_s - 1
    server.clock.now += 30
    assert person.get("/session").status_code == 401
    person = server.browser("ada")
    server.clock.now += rules.idle_s + 1
    assert person.get("/session").status_code == 401


def test_the_cookie_changes_and_the_former_one_is_good_for_a_moment(server):
    rules = server.accounts.sessions
    person = server.browser("ada")
    old = person.client.cookies["ew_session"]
    server.clock.now += rules.rotate_s + 1
    person.get("/session")
    new = person.client.cookies["ew_session"]
    assert new != old
    late = server.nobody()
    late.client.cookies.set("ew_session", old)
    assert late.get("/session").status_code == 200
    server.clock.now += rules.overlap_s + 1
    assert late.get("/session").status_code == 401
    assert person.get("/session").status_code == 200


def test_an_unsafe_request_needs_the_csrf_header(local):
    person = local.browser("ada", roles={"default": "admin"})
    person.csrf = ""
    answer = person.post("/me/tokens", {"name": "x", "scopes": ["read"]})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "csrf")
    assert local.program("ada", "admin").put("/projects/default/members/ada", {"role": "admin"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "null"}],
)
def test_what_another_sites_page_sends_is_refused(local, headers):
    person = local.browser("ada")
    assert person.delete("/session", headers=headers).json()["error"]["code"] == "foreign_origin"
    body = {"username": "ada", "password": PASSWORD}
    assert local.nobody().post("/session", body, headers=headers).status_code == 403
    assert person.delete("/session", headers={"Origin": "http://localhost"}).status_code == 204


def test_wrong_passwords_lock_the_account_for_a_while(server):
    server.user("ada")
    person = server.nobody()
    wrong = {"username": "ada", "password": "wrong wrong wrong"}
    codes = [person.post("/session", wrong).status_code for _ in range(6)]
    assert codes == [401] * 5 + [429]
    right = person.post("/session", {"username": "ada", "password": PASSWORD})
    assert right.status_code == 429
    assert int(right.headers["retry-after"]) in range(25, 31)
    server.clock.now += 31
    assert person.post("/session", {"username": "ada", "password": PASSWORD}).status_code == 200


def test_an_unknown_name_looks_like_a_wrong_password(local):
    local.user("ada")
    answers = [
        local.nobody().post("/session", {"username": name, "password": "wrong wrong wrong"}).json()
        for name in ("ada", "nobody")
    ]
    assert answers[0] == answers[1]


def test_changing_the_password_signs_out_elsewhere(server):
    here, there = server.browser("ada"), server.browser("ada")
    answer = here.post("/me/password", {"old": PASSWORD, "new": "another long password"})
    assert answer.status_code == 204
    assert here.get("/session").status_code == 200
    assert there.get("/session").status_code == 401
    assert here.post("/me/password", {"old": PASSWORD, "new": "yet another password"}).status_code == 403


def test_a_disabled_user_is_out_at_once(server):
    admin = server.browser("ada", admin=True)
    person, program = server.browser("bob"), server.program("bob", "read")
    assert admin.patch("/users/bob", {"disabled": True}).json()["disabled"] is True
    assert person.get("/session").status_code == 401
    assert program.get("/session").status_code == 401
    assert server.nobody().post("/session", {"username": "bob", "password": PASSWORD}).status_code == 401


def test_the_last_admin_stays(server):
    admin = server.browser("ada", admin=True)
    for change in ({"admin": False}, {"disabled": True}):
        assert admin.patch("/users/ada", change).json()["error"]["code"] == "conflict"
    assert admin.get("/users").json()["items"][0]["admin"] is True


def test_a_token_is_shown_once_holds_its_scopes_and_ends(server):
    person = server.browser("ada", roles={"default": "engineer"})
    made = person.post("/me/tokens", {"name": "ci", "scopes": ["write", "read"], "days": 2}).json()
    assert made["scopes"] == ["read", "write"]
    listed = person.get("/me/tokens").json()["items"]
    assert [one["id"] for one in listed] == [made["id"]]
    assert "token" not in listed[0]
    program = server.nobody()
    program.headers = {"Authorization": f"Bearer {made['token']}"}
    assert program.get("/session").json()["scopes"] == ["read", "write"]
    assert program.post("/me/tokens", {"name": "more", "scopes": ["admin"]}).status_code == 403
    assert person.delete(f"/me/tokens/{made['id']}").status_code == 204
    assert program.get("/session").status_code == 401


def test_a_token_for_a_project_ends_with_the_membership(server):
    server.project("other")
    admin = server.browser("ada", admin=True)
    program = server.program("bob", "read", project="other", roles={"other": "lead"})
    assert program.get("/projects/other/members").status_code == 200
    assert admin.delete("/projects/other/members/bob").status_code == 204
    assert program.get("/projects/other/members").status_code == 401


def test_members_get_roles_and_lose_them(server):
    server.user("bob")
    admin = server.browser("ada", admin=True)
    assert admin.put("/projects/default/members/bob", {"role": "reviewer"}).json()["role"] == "reviewer"
    assert admin.put("/projects/default/members/bob", {"role": "king"}).status_code == 422
    assert admin.put("/projects/default/members/eve", {"role": "lead"}).status_code == 404
    bob = server.browser("bob")
    assert [one["role"] for one in bob.get("/projects").json()["items"]] == ["reviewer"]
    assert admin.delete("/projects/default/members/bob").status_code == 204
    assert bob.get("/projects/default/members").status_code == 404


def test_projects_have_names_that_fit_everywhere(server):
    admin = server.browser("ada", admin=True)
    assert admin.post("/projects", {"name": "shop", "title": "The shop"}).status_code == 201
    assert admin.post("/projects", {"name": "shop"}).status_code == 409
    for name in ("", "..", "a/b", "Ä", "UP", "-a", "x" * 64, "default"):
        assert admin.post("/projects", {"name": name}).status_code in {409, 422}, name
