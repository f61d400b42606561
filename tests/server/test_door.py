"""What surrounds every request: headers, hosts, sizes, limits, the shape of errors, pages."""

import pytest
from fastapi.testclient import TestClient

from evalwright.server.app import create_app
from evalwright.server.settings import ServerSettings


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/session", "/nothing/here", "/x.js"])
def test_every_answer_has_the_security_headers(local, path):
    headers = local.client().get(path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "strict-transport-security" not in headers
    assert ("no-store" in headers.get("cache-control", "")) is path.startswith("/api/")


def test_behind_https_cookies_are_secure_and_browsers_stay_there(tmp_path):
    app = create_app(ServerSettings(workspace=tmp_path / "ws", public_url="https://eval.example.org"))
    app.state.server.accounts.new_setup_code()
    with TestClient(app, base_url="https://eval.example.org") as client:
        assert "max-age" in client.get("/healthz").headers["strict-transport-security"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8765", 200),
        ("127.0.0.1:80", 200),
        ("[::1]:8765", 200),
        ("[::1]", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("localhost@evil", 421),
        ("", 421),
    ],
)
def test_only_the_servers_own_names_are_answered_to(local, host, status):
    assert local.client().get("/healthz", headers={"Host": host}).status_code == status


def test_errors_have_one_shape(local):
    admin = local.browser("ada", admin=True)
    missing = admin.get("/nothing").json()["error"]
    assert (missing["code"], missing["message"]) == ("not_found", "there is nothing at /api/v1/nothing")
    assert admin.call("PUT", "/session").json()["error"]["code"] == "method_not_allowed"
    body = admin.post("/users", {"username": 3, "more": 1}).json()["error"]
    assert {one["field"] for one in body["fields"]} == {"username", "more"}
    broken = admin.client.post("/api/v1/users", content=b"{", headers={"X-CSRF-Token": admin.csrf}).json()["error"]
    assert broken["code"] == "invalid"


def test_large_bodies_are_refused_by_what_they_say_and_by_what_comes(strict):
    client = strict.client()
    assert client.post("/api/v1/session", content=b"x" * 3000).status_code == 413

    def parts():
        for _ in range(30):
            yield b"x" * 100

    answer = client.post("/api/v1/session", content=parts(), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "too_large")


def test_too_many_requests_are_told_when_to_come_back(strict):
    program = strict.program("ada", "read")
    answers = [program.get("/session") for _ in range(7)]
    assert [one.status_code for one in answers[:5]] == [200] * 5
    assert answers[-1].status_code == 429
    assert answers[-1].headers["retry-after"] == "1"
    assert strict.program("bob", "read").get("/session").status_code == 200


def test_too_many_attempts_to_sign_in_from_one_address(strict):
    body = {"username": "nobody", "password": "whatever it is"}
    codes = [strict.nobody().post("/session", {**body, "username": f"u{n}"}).status_code for n in range(8)]
    assert codes == [401] * 6 + [429] * 2


def test_pages_are_served_as_built(tmp_path):
    pages = tmp_path / "pages"
    (pages / "assets").mkdir(parents=True)
    (pages / "index.html").write_text("<title>app</title>")
    (pages / "assets" / "a.js").write_text("1")
    (pages / ".secret").write_text("no")
    (tmp_path / "outside.txt").write_text("no")
    app = create_app(ServerSettings(workspace=tmp_path / "ws", pages=pages))
    client = TestClient(app, base_url="http://localhost")
    for address in (
        "/",
        "/p/default/runs",
        "/p/default/compare?baseline=a&candidate=b",
        "/p/default/runs/a/cases/x.y%2Fz.js",
    ):
        assert "<title>app</title>" in client.get(address).text
    assert client.head("/").status_code == 200
    assert "immutable" in client.get("/assets/a.js").headers["cache-control"]
    for address in ("/.secret", "/..%2foutside.txt", "/assets/..%2f..%2foutside.txt", "/assets/none.js", "/%00"):
        answer = client.get(address)
        assert answer.text != "no", address
        assert answer.status_code == 404 or "<title>app" in answer.text
    app.state.server.close()


def test_pages_that_are_not_built_say_so(tmp_path):
    app = create_app(ServerSettings(workspace=tmp_path / "ws", pages=tmp_path / "none"))
    answer = TestClient(app, base_url="http://localhost").get("/")
    assert answer.status_code == 503
    assert "make ui" in answer.text
    app.state.server.close()
