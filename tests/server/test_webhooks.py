"""Events told elsewhere: to a receiver and a mail host of our own on loopback."""

import hashlib
import hmac
import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
import sqlalchemy as sa

from evalwright.core.case import Case
from evalwright.core.errors import EvalwrightError
from evalwright.core.run import RunStatus
from evalwright.server.background import Background
from evalwright.server.settings import ServerSettings
from evalwright.services.notifying import CLAIM_S, PAUSES_S, Event, Outbox, checked, deliver_due, publish
from evalwright.services.outgoing import Call, Forbidden, is_private, send
from evalwright.services.watching import look
from evalwright.store.cases import CaseSelection
from evalwright.store.database import writing
from evalwright.store.governance import Waiver, save_waiver
from evalwright.store.tables import RUNS
from evalwright.store.webhooks import Webhook
from tests.server.conftest import Server
from tests.unit.store.runs import case_file, manifest

SECRET = "a shared secret"


class Receiver:
    """Takes what is posted; answers with the statuses it was given, then 200."""

    def __init__(self):
        self.got = []
        self.statuses = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.got.append((dict(self.headers), body))
                status, *more = receiver.statuses.pop(0) if receiver.statuses else (200,)
                self.send_response(status)
                for name, value in more:
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class MailHost:
    """A small SMTP host that keeps what it gets."""

    def __init__(self):
        self.mails = []
        host = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self):
                self.wfile.write(b"220 here\r\n")
                lines = None
                while line := self.rfile.readline():
                    if lines is not None:
                        if line == b".\r\n":
                            host.mails.append(b"".join(lines).decode())
                            lines = None
                            self.wfile.write(b"250 ok\r\n")
                        else:
                            lines.append(line)
                        continue
                    word = line[:4].upper().strip()
                    if word == b"DATA":
                        lines = []
                        self.wfile.write(b"354 go on\r\n")
                    elif word == b"QUIT":
                        self.wfile.write(b"221 bye\r\n")
                        return
                    else:
                        self.wfile.write(b"250 ok\r\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()

    def close(self):
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def receiver():
    made = Receiver()
    yield made
    made.close()


@pytest.fixture
def mail_host():
    made = MailHost()
    yield made
    made.close()


def outbox(**changes):
    values = {"url": "https://eval.example.org", "private": True, "environment": {"HOOK": SECRET}}
    return Outbox(**{**values, **changes})


def hook(server, receiver, **changes):
    values = {
        "id": "h-1", "project": "default", "name": "ci", "kind": "webhook", "address": getattr(receiver, "url", ""),
        "secret": "${HOOK}", "events": ("gate.changed", "run.finished"),
    }  # fmt: skip
    made = Webhook(**{**values, **changes})
    server.state.webhooks.add(made)
    return made


def event(server, **changes):
    values = {
        "type": "gate.changed", "project": "default", "at": server.clock(), "title": "support: gate went to fail",
        "data": {"verdict": "fail"}, "path": "/p/default/runs/r1",
    }  # fmt: skip
    return Event(**{**values, **changes})


def delivered(server, **changes):
    return deliver_due(server.state.webhooks, outbox(**changes), now=server.clock())


def one(server):
    return server.state.webhooks.deliveries("h-1", limit=1)[0]


def test_a_body_is_signed_over_time_and_content(server, receiver):
    hook(server, receiver)
    assert publish(server.state.webhooks, event(server)) == 1
    assert delivered(server) == 1
    headers, body = receiver.got[0]
    stamp = headers["X-Evalwright-Timestamp"]
    mac = hmac.new(SECRET.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()
    assert headers["X-Evalwright-Signature"] == f"v1={mac}"
    told = json.loads(body)
    assert (told["type"], told["data"], told["url"]) == (
        "gate.changed", {"verdict": "fail"}, "https://eval.example.org/p/default/runs/r1",
    )  # fmt: skip
    assert headers["X-Evalwright-Delivery"] == told["id"] == one(server).id
    assert (one(server).state, one(server).status) == ("delivered", 200)
    assert delivered(server) == 0


def test_only_events_asked_for_in_the_own_project_are_told(server, receiver):
    hook(server, receiver)
    hook(server, receiver, id="h-2", enabled=False)
    assert publish(server.state.webhooks, event(server, type="set.stale")) == 0
    assert publish(server.state.webhooks, event(server, project="other")) == 0


def test_failures_are_tried_again_with_growing_pauses_then_given_up(server, receiver):
    hook(server, receiver)
    publish(server.state.webhooks, event(server))
    receiver.statuses = [(503,)] * (len(PAUSES_S) + 1)
    for pause in PAUSES_S:
        assert delivered(server) == 1
        assert (one(server).state, one(server).status) == ("waiting", 503)
        assert one(server).next_at == pytest.approx(server.clock() + pause)
        server.clock.now += pause - 1
        assert delivered(server) == 0
        server.clock.now += 1
    assert delivered(server) == 1
    assert (one(server).state, one(server).error) == ("failed", "answered 503")
    assert {body for _, body in receiver.got} == {receiver.got[0][1]}


def test_the_other_side_may_ask_for_a_longer_pause(server, receiver):
    hook(server, receiver)
    publish(server.state.webhooks, event(server))
    receiver.statuses = [(429, ("Retry-After", "500"))]
    delivered(server)
    assert one(server).next_at == pytest.approx(server.clock() + 500)


def test_a_redirect_is_not_followed(server, receiver):
    hook(server, receiver)
    publish(server.state.webhooks, event(server))
    receiver.statuses = [(302, ("Location", receiver.url))]
    delivered(server)
    assert len(receiver.got) == 1
    assert one(server).error == "answered 302"


def test_a_delivery_goes_to_one_of_several_servers(server, receiver):
    hook(server, receiver)
    for _ in range(5):
        publish(server.state.webhooks, event(server))
    threads = [threading.Thread(target=delivered, args=(server,)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(receiver.got) == 5


def test_a_delivery_whose_server_died_is_taken_up_by_another(server, receiver):
    hook(server, receiver)
    publish(server.state.webhooks, event(server))
    assert len(server.state.webhooks.claim(server.clock(), lasts_s=CLAIM_S, limit=5)) == 1
    assert delivered(server) == 0
    server.clock.now += CLAIM_S + 1
    assert delivered(server) == 1
    assert (one(server).state, one(server).attempts) == ("delivered", 2)


def test_a_project_that_cant_be_looked_at_holds_up_nothing(local, receiver, caplog):
    golden = local.state.places.root.root / "golden"
    golden.mkdir(parents=True)
    (golden / "broken.jsonl").write_text("rubbish\n")
    local.state.outbox = outbox()
    hook(local, receiver)
    publish(local.state.webhooks, event(local))
    background = Background(local.state, every_s=3600)
    background.once()
    background.stop()
    assert len(receiver.got) == 1
    assert "looking at default failed" in caplog.text


def test_private_networks_are_out_of_bounds_unless_allowed(server, receiver):
    hook(server, receiver)
    publish(server.state.webhooks, event(server))
    delivered(server, private=False)
    assert receiver.got == []
    assert (one(server).state, "private network" in one(server).error) == ("failed", True)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.3.4", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:7f00:1::", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_private(address):
    assert is_private(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34"])
def test_addresses_that_are_not(address):
    assert not is_private(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:1/", "http://127.1:1/", "http://2130706433:1/", "http://0x7f.1:1/", "http://[::1]:1/",
        "http://[::ffff:127.0.0.1]:1/",
    ],
)  # fmt: skip
def test_this_machine_by_other_names_is_private_too(url):
    with pytest.raises(Forbidden):
        send(Call(url=url))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://x", "http://", "http://a:b@host/", "http://ho st/", "x"])
def test_what_is_no_address_is_refused(url):
    with pytest.raises(EvalwrightError):
        send(Call(url=url))


def test_slack_gets_text_that_mentions_nobody(server, receiver):
    hook(server, receiver, kind="slack", secret="", address="${SLACK}")
    publish(server.state.webhooks, event(server, title="<!channel> & co"))
    delivered(server, environment={"SLACK": receiver.url})
    text = json.loads(receiver.got[0][1])["text"]
    assert text == "*&lt;!channel&gt; &amp; co*\n<https://eval.example.org/p/default/runs/r1|Open>"


def test_teams_gets_a_card(server, receiver):
    hook(server, receiver, kind="teams", secret="")
    publish(server.state.webhooks, event(server, title="[x](http://evil)"))
    delivered(server)
    card = json.loads(receiver.got[0][1])["attachments"][0]["content"]
    assert card["body"][0]["text"] == "\\[x\\]\\(http://evil\\)"
    assert card["body"][0]["color"] == "Attention"
    assert card["actions"][0]["url"] == "https://eval.example.org/p/default/runs/r1"


def test_mail_goes_to_everybody_named(server, mail_host):
    hook(server, None, kind="email", secret="", address="ada@example.org, bob@example.org")
    publish(server.state.webhooks, event(server, title="support\r\nBcc: eve@example.org"))
    delivered(server, smtp=f"smtp://127.0.0.1:{mail_host.port}", sender="Evalwright <eval@example.org>")
    assert one(server).state == "delivered", one(server).error
    mail = mail_host.mails[0]
    assert "To: ada@example.org, bob@example.org" in mail
    assert "Subject: [default] support Bcc: eve@example.org" in mail
    assert "https://eval.example.org/p/default/runs/r1" in mail


def test_a_mail_host_that_is_away_is_tried_again(server):
    hook(server, None, kind="email", secret="", address="ada@example.org")
    publish(server.state.webhooks, event(server))
    delivered(server, smtp="smtp://127.0.0.1:9")
    assert (one(server).state, one(server).attempts) == ("waiting", 1)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"events": ("nothing",)}, "no event nothing"),
        ({"events": ()}, "no event"),
        ({"kind": "fax"}, "no kind"),
        ({"secret": "literal"}, "must be a reference"),
        ({"secret": ""}, "needs a secret"),
        ({"address": "ftp://x"}, "no address"),
        ({"kind": "email", "address": "nobody"}, "no e-mail address"),
        ({"kind": "email", "address": "a@b.example\nBcc: x@y.example"}, "no e-mail address"),
    ],
)
def test_webhooks_that_cant_be(changes, says):
    values = {
        "id": "h", "project": "default", "name": "n", "kind": "webhook", "address": "https://x.example/",
        "secret": "${HOOK}", "events": ("run.finished",),
    }  # fmt: skip
    with pytest.raises(EvalwrightError, match=says):
        checked(Webhook(**{**values, **changes}), Outbox(smtp="smtp://host"))


def add_run(server, name, verdict, at):
    """A run in the catalog, as another process would note it."""
    place = server.state.places.root
    cases = CaseSelection(case_file(place, [Case(id="a", input="x")]))
    catalog = place.catalog
    catalog.add(msgspec.structs.replace(manifest(name, cases), created_at=at))
    catalog.set_status(name, RunStatus.COMPLETE, finished_at=at + 5)
    with writing(catalog.engine) as connection:
        connection.execute(sa.update(RUNS).where(RUNS.c.run_id == name).values(decision=verdict))


def seen(server):
    found = look(server.state.webhooks, "default", server.state.places.root, now=server.clock())
    return [(one.type, one.data.get("verdict")) for one in found]


def test_finished_runs_and_changed_gates_are_found_once(server):
    add_run(server, "r0", "pass", server.clock() - 100)
    assert seen(server) == []
    add_run(server, "r1", "pass", server.clock() + 1)
    add_run(server, "r2", "fail", server.clock() + 2)
    server.clock.now += 10
    assert seen(server) == [("run.finished", "pass"), ("run.finished", "fail"), ("gate.changed", "fail")]
    assert seen(server) == []
    add_run(server, "r2", "pass", server.clock() - 8)
    assert seen(server) == [("gate.changed", "pass")]


def test_waivers_that_end_soon_are_warned_of_once(server):
    seen(server)
    for number, days in enumerate((1, 2, 10)):
        waiver = Waiver(
            id=f"w-{number}", suite="small", rule="exact >= 0.9", policy_hash="x", run_id="r", run_digest="x",
            reason="known", requested_by="ada", requested_at=server.clock(), approved_by="bob",
            approved_at=server.clock(), expires_at=server.clock() + days * 86_400,
        )  # fmt: skip
        save_waiver(server.state.places.root, waiver)
    assert seen(server) == [("waiver.expiring", None)] * 2
    assert seen(server) == []


def test_golden_sets_that_are_too_old_are_told_once_a_version(server):
    from evalwright.datasets.versions import SetInfo
    from evalwright.services.golden import Goldens

    goldens = Goldens(server.state.places.root, by="ada")
    goldens.create(SetInfo(name="tickets", at=0, cadence_days=30))
    version, _ = goldens.add("tickets", [Case(id="a", input="x")])
    server.clock.now = version.at + 29 * 86_400
    assert seen(server) == []
    server.clock.now = version.at + 31 * 86_400
    assert seen(server) == [("set.stale", None)]
    assert seen(server) == []


def test_admins_manage_webhooks_over_http(tmp_path, receiver, monkeypatch):
    monkeypatch.setenv("HOOK", SECRET)
    server = Server(ServerSettings(workspace=tmp_path / "ws", allow_private=True))
    admin = server.browser("ada", roles={"default": "admin"})
    lead = server.browser("lea", roles={"default": "lead"})
    body = {
        "name": "ci", "kind": "webhook", "address": receiver.url, "secret": "${HOOK}", "events": ["gate.changed"],
    }  # fmt: skip
    assert lead.post("/projects/default/webhooks", body).status_code == 403
    assert admin.post("/projects/default/webhooks", {**body, "secret": "literal"}).status_code == 422
    made = admin.post("/projects/default/webhooks", body).json()
    place = f"/projects/default/webhooks/{made['id']}"
    assert admin.post(f"{place}/test").json() == {"queued": 1, "attempted": 1}
    assert json.loads(receiver.got[0][1])["type"] == "test"
    assert lead.get(f"{place}/deliveries").json()["items"][0]["state"] == "delivered"
    assert admin.patch(place, {"enabled": False}).json()["enabled"] is False
    slack = {"name": "s", "kind": "slack", "address": "https://hooks.slack.example/services/T0/B0/secret"}
    shown = admin.post("/projects/default/webhooks", {**slack, "events": ["gate.changed"]}).json()
    assert "secret" not in shown["address"]
    assert admin.delete(place).status_code == 204
    server.state.close()


def test_views_are_ones_own_unless_shared(local):
    vera, vic = (local.browser(name, roles={"default": "viewer"}) for name in ("vera", "vic"))
    body = {"name": "German", "page": "runs", "query": "slice=locale:de"}
    mine = vera.post("/projects/default/views", body).json()
    assert vic.get("/projects/default/views").json()["items"] == []
    assert vera.patch(f"/projects/default/views/{mine['id']}", {"shared": True}).json()["shared"] is True
    assert [one["id"] for one in vic.get("/projects/default/views").json()["items"]] == [mine["id"]]
    assert vic.patch(f"/projects/default/views/{mine['id']}", {"name": "x"}).status_code == 404
    assert vic.delete(f"/projects/default/views/{mine['id']}").status_code == 404
    lead = local.browser("lea", roles={"default": "lead"})
    assert lead.delete(f"/projects/default/views/{mine['id']}").status_code == 204
