"""Signing in elsewhere, against a provider of our own that can lie."""

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwk

from evalwright.core.errors import EvalwrightError
from evalwright.server.command import read_providers
from evalwright.server.settings import ServerSettings
from evalwright.services.accounts import NewUser
from evalwright.services.oidc import OidcProvider
from tests.server.conftest import Server
from tests.server.oidc_provider import SECRET, Provider


@pytest.fixture
def made(tmp_path, monkeypatch):
    """A server with one provider, and that provider."""
    monkeypatch.setenv("OIDC_SECRET", SECRET)
    now = [1_800_000_000.0]
    provider = Provider(lambda: now[0])
    place = OidcProvider(
        id="corp", title="Corporate", issuer=provider.issuer, client_id="evalwright", client_secret="${OIDC_SECRET}",
        create_users=True,
    )  # fmt: skip
    server = Server(ServerSettings(workspace=tmp_path / "ws", oidc=(place,)))
    yield server, provider
    provider.close()
    server.state.close()


def go(server, provider, *, next_page="/p/default", person=None, come_back=None):
    """The whole way; where the browser ends up, and the browser."""
    person = person or server.nobody()
    start = person.get("/oidc/corp/login", params={"next": next_page}, follow_redirects=False)
    back = urlsplit((come_back or provider.authorise)(start.headers["location"]))
    end = person.client.get(f"{back.path}?{back.query}", follow_redirects=False)
    return end, person


def refusal(end):
    return parse_qs(urlsplit(end.headers["location"]).query)["error"][0]


def test_a_person_signs_in_and_gets_an_account_without_projects(made):
    server, provider = made
    assert server.nobody().get("/oidc/providers").json()["items"] == [{"id": "corp", "title": "Corporate"}]
    end, person = go(server, provider)
    assert (end.status_code, end.headers["location"]) == (302, "/p/default")
    who = person.get("/session").json()
    assert who["user"] == {"username": "zoe", "name": "Zoë Doe", "email": "zoe@example.org", "admin": False}
    assert who["projects"] == []
    go(server, provider)
    assert [user.username for user in server.accounts.people.users()] == ["zoe"]


def test_another_person_of_the_same_name_is_another_user(made):
    server, provider = made
    server.user("zoe", roles={"default": "lead"})
    _, person = go(server, provider)
    assert person.get("/session").json()["user"]["username"].startswith("zoe-")
    assert person.get("/session").json()["projects"] == []


def test_the_request_has_state_nonce_and_pkce(made):
    server, _ = made
    start = server.nobody().get("/oidc/corp/login", follow_redirects=False)
    asked = parse_qs(urlsplit(start.headers["location"]).query)
    assert asked["response_type"] == ["code"]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["redirect_uri"] == ["http://localhost/api/v1/oidc/corp/callback"]
    assert all(len(asked[key][0]) >= 43 for key in ("state", "nonce", "code_challenge"))
    assert "HttpOnly" in start.headers["set-cookie"]


@pytest.mark.parametrize(
    ("lies", "code"),
    [
        ({"claims": {"iss": "https://evil.example"}}, "token"),
        ({"claims": {"aud": "somebody-else"}}, "token"),
        ({"claims": {"aud": ["evalwright", "other"]}}, "token"),
        ({"claims": {"azp": "other"}}, "token"),
        ({"claims": {"nonce": "another"}}, "token"),
        ({"claims": {"nonce": None}}, "token"),
        ({"claims": {"exp": 1_700_000_000}}, "token"),
        ({"claims": {"exp": None}}, "token"),
        ({"claims": {"sub": None}}, "token"),
        ({"key": jwk.RSAKey.generate_key(2048, {"kid": "k1"})}, "token"),
        ({"key": jwk.RSAKey.generate_key(2048, {"kid": "other"})}, "token"),
        ({"token": "rubbish"}, "token"),
        ({"issuer": "https://evil.example"}, None),
    ],
)
def test_a_word_that_cant_be_trusted_signs_nobody_in(made, lies, code):
    server, provider = made
    provider.lies = lies
    if code is None:
        start = server.nobody().get("/oidc/corp/login", follow_redirects=False)
        assert refusal(start) == "unreachable"
        return
    end, person = go(server, provider)
    assert refusal(end) == code
    assert person.get("/session").status_code == 401
    assert server.accounts.people.users() == []


def test_unsigned_and_secret_signed_words_are_refused(made):
    server, provider = made
    claims = {
        "iss": provider.issuer, "aud": "evalwright", "sub": "1", "exp": 1_800_000_300, "iat": 1_800_000_000,
    }  # fmt: skip
    for algorithm in ("none", "HS256"):
        parts = [json.dumps({"alg": algorithm}).encode(), json.dumps(claims).encode(), b""]
        provider.lies = {"token": ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)}
        assert refusal(go(server, provider)[0]) == "token"


def test_keys_that_changed_are_fetched_again(made):
    server, provider = made
    go(server, provider)
    provider.key = jwk.RSAKey.generate_key(2048, {"kid": "k2", "use": "sig"})
    end, _ = go(server, provider)
    assert end.headers["location"] == "/p/default"
    assert provider.fetched.count("/keys") == 2


def test_an_answer_counts_once_in_the_same_browser_in_time(made):
    server, provider = made
    person, other = server.nobody(), server.nobody()
    start = person.get("/oidc/corp/login", follow_redirects=False).headers["location"]
    back = urlsplit(provider.authorise(start))
    stolen = other.client.get(f"{back.path}?{back.query}", follow_redirects=False)
    assert refusal(stolen) == "browser"
    again = person.client.get(f"{back.path}?{back.query}", follow_redirects=False)
    assert refusal(again) == "state"
    start = person.get("/oidc/corp/login", follow_redirects=False).headers["location"]
    server.clock.now += 601
    back = urlsplit(provider.authorise(start))
    assert refusal(person.client.get(f"{back.path}?{back.query}", follow_redirects=False)) == "state"


def test_the_providers_refusal_is_told(made):
    server, provider = made

    def refuse(location):
        state = parse_qs(urlsplit(location).query)["state"][0]
        return f"/api/v1/oidc/corp/callback?state={state}&error=access_denied"

    end, _ = go(server, provider, come_back=refuse)
    assert refusal(end) == "provider"
    rows = server.browser("ada", admin=True).get("/audit").json()["items"]
    assert any("access_denied" in row["detail"].get("message", "") for row in rows)


@pytest.mark.parametrize(
    "page", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:1", "/\r\nx"]
)
def test_the_way_back_leads_nowhere_else(made, page):
    server, provider = made
    end, _ = go(server, provider, next_page=page)
    assert end.headers["location"] == "/"


def test_without_leave_to_make_users_an_admin_does_it_first(made):
    server, provider = made
    place = server.state.oidc["corp"]
    place.provider = OidcProvider(
        id="corp", issuer=provider.issuer, client_id="evalwright", client_secret="${OIDC_SECRET}",
        domains=("example.org",),
    )  # fmt: skip
    assert refusal(go(server, provider)[0]) == "domain"
    provider.claims["email_verified"] = True
    assert refusal(go(server, provider)[0]) == "unknown"
    server.accounts.add_user(NewUser(username="zoe", identity=f"{provider.issuer} 4711"), 0)
    _, person = go(server, provider)
    assert person.get("/session").json()["user"]["username"] == "zoe"
    assert server.nobody().post("/session", {"username": "zoe", "password": "any password"}).status_code == 401


def test_refusals_are_in_the_audit_log(made):
    server, provider = made
    provider.lies = {"claims": {"aud": "x"}}
    go(server, provider)
    admin = server.browser("ada", admin=True)
    row = next(row for row in admin.get("/audit").json()["items"] if row["action"] == "session.refused")
    assert row["detail"]["why"] == "token"


def test_an_unknown_provider_is_not_there(made):
    server, _ = made
    assert server.nobody().get("/oidc/other/login").status_code == 404


def test_providers_are_read_from_a_file(tmp_path):
    path = tmp_path / "oidc.yaml"
    path.write_text("- { id: corp, issuer: https://id.example.org, client_id: ew, client_secret: '${S}' }\n")
    assert read_providers(path)[0].client_secret == "${S}"
    path.write_text("- { id: corp, issuer: https://id.example.org, client_ids: ew }\n")
    with pytest.raises(EvalwrightError, match="client_id"):
        read_providers(path)
    path.write_text("- { id: corp, issuer: http://id.example.org, client_id: ew }\n")
    with pytest.raises(EvalwrightError, match="https"):
        read_providers(path)
