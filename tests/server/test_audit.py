"""The audit log: what writes into it, and that tampering shows, on SQLite and on PostgreSQL."""

import json

import msgspec
import pytest
import sqlalchemy as sa

from evalwright.core.errors import StoreError
from evalwright.services.audit_checks import make_checkpoint, read_checkpoints, verify
from evalwright.services.auditing import CHECKPOINT_EVERY, AuditEvent, export_audit, record
from evalwright.store.account_tables import AUDIT
from evalwright.store.audit import START, row_hash
from evalwright.store.database import writing
from tests.server.conftest import PASSWORD


@pytest.fixture
def root(server):
    """A root workspace with ten rows, the first eight of them under a checkpoint."""
    place = server.state.places.root
    for number in range(8):
        record(
            place, AuditEvent(actor="ada", action="test.done", subject=f"s{number}", detail={"n": number}), now=number
        )
    make_checkpoint(place, now=8)
    for number in range(8, 10):
        record(place, AuditEvent(actor="bob", action="test.done", subject=f"s{number}"), now=number)
    return place


def change(place, *statements):
    with writing(place.catalog.engine) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount


def found(place, **options):
    return [(problem.kind, problem.seq) for problem in verify(place, **options).problems]


def test_a_log_nobody_touched_is_whole(root):
    report = verify(root)
    assert report.whole
    assert (report.rows, report.checkpoints, report.signed_rows) == (10, 1, 8)


@pytest.mark.parametrize("column", ["at", "actor", "action", "project", "subject", "detail"])
def test_a_changed_row_shows(root, column):
    value = 99.5 if column == "at" else '{"n": 7}' if column == "detail" else "eve"
    change(root, sa.update(AUDIT).where(AUDIT.c.seq == 4).values({column: value}))
    assert found(root) == [("changed", 4)]


def test_a_row_with_a_recomputed_hash_shows_at_the_next_one(root):
    with root.catalog.engine.connect() as connection:
        row = connection.execute(sa.select(AUDIT).where(AUDIT.c.seq == 4)).mappings().one()
    names = ("seq", "at", "actor", "action", "project", "subject", "detail")
    forged = {**{name: row[name] for name in names}, "actor": "eve"}
    change(root, sa.update(AUDIT).where(AUDIT.c.seq == 4).values(actor="eve", hash=row_hash(row["previous"], forged)))
    assert found(root) == [("replaced", 4)]


@pytest.mark.parametrize(("gone", "first"), [((4,), 4), ((4, 5, 6), 4), ((1,), 1)])
def test_missing_rows_show(root, gone, first):
    change(root, sa.delete(AUDIT).where(AUDIT.c.seq.in_(gone)))
    assert ("missing", first) in found(root)
    assert found(root)[0] == ("missing", first)


def test_a_row_taken_out_and_the_rest_renumbered_shows(root):
    change(root, sa.delete(AUDIT).where(AUDIT.c.seq == 4))
    for number in range(5, 11):
        change(root, sa.update(AUDIT).where(AUDIT.c.seq == number).values(seq=number - 1))
    assert {kind for kind, _ in found(root)} >= {"changed", "replaced"}


def test_a_tail_cut_off_below_a_checkpoint_shows(root):
    change(root, sa.delete(AUDIT).where(AUDIT.c.seq > 6))
    assert found(root) == [("cut_off", 7)]
    change(root, sa.delete(AUDIT).where(AUDIT.c.seq > 0))
    assert found(root) == [("cut_off", 1)]


def test_a_log_written_anew_shows_against_the_checkpoint(root):
    with root.catalog.engine.connect() as connection:
        rows = [dict(row) for row in connection.execute(sa.select(AUDIT).order_by(AUDIT.c.seq)).mappings()]
    previous = START
    for row in rows:
        content = {name: row[name] for name in ("seq", "at", "actor", "action", "project", "subject", "detail")}
        content["actor"] = "eve"
        hashed = row_hash(previous, content)
        change(
            root, sa.update(AUDIT).where(AUDIT.c.seq == row["seq"]).values(actor="eve", previous=previous, hash=hashed)
        )
        previous = hashed
    assert found(root) == [("rewritten", 8)]


def test_a_forged_checkpoint_shows(root, tmp_path):
    path = root.root / "audit" / "checkpoints.jsonl"
    mark = read_checkpoints(path)[0]
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(mark, seq=7)) + b"\n")
    assert found(root) == [("checkpoint", 7)]


def test_a_key_kept_elsewhere_shows_that_everything_was_replaced(root, tmp_path):
    kept = tmp_path / "safe.pem"
    kept.write_bytes((root.root / "audit" / "key.pub.pem").read_bytes())
    for name in ("key.pem", "key.pub.pem", "checkpoints.jsonl"):
        (root.root / "audit" / name).unlink()
    make_checkpoint(root)
    assert verify(root).whole
    assert found(root, public_key=kept) == [("checkpoint", 10)]


def test_the_key_is_for_its_owner_only(root):
    key = root.root / "audit" / "key.pem"
    assert key.stat().st_mode & 0o777 == 0o600
    key.chmod(0o644)
    with pytest.raises(StoreError, match="others may read"):
        make_checkpoint(root)


def test_a_checkpoint_is_signed_now_and_then_without_being_asked(root):
    for number in range(CHECKPOINT_EVERY):
        record(root, AuditEvent(actor="ada", action="test.done", subject=str(number)))
    assert verify(root).signed_rows == CHECKPOINT_EVERY


def test_rows_are_exported_as_they_are(root, tmp_path):
    record(root, AuditEvent(actor="=cmd()", action="test.done", subject="nul\0 and half \ud800"))
    assert export_audit(root, tmp_path / "log.jsonl", "jsonl") == 11
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [row["seq"] for row in rows] == list(range(1, 12))
    assert rows[3]["hash"] == rows[4]["previous"]
    assert export_audit(root, tmp_path / "log.csv", "csv") == 11
    assert "'=cmd()" in (tmp_path / "log.csv").read_text()
    assert verify(root).whole


def test_writers_at_once_make_one_chain(server):
    from concurrent.futures import ThreadPoolExecutor

    place = server.state.places.root
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: record(place, AuditEvent(actor=f"a{n % 8}", action="test.done")), range(80)))
    report = verify(place)
    assert (report.rows, report.problems) == (80, ())


def test_what_people_do_is_in_the_log(server):
    admin = server.browser("ada", admin=True)
    admin.post("/projects", {"name": "shop"})
    admin.post("/users", {"username": "bob", "password": PASSWORD})
    admin.put("/projects/shop/members/bob", {"role": "lead"})
    admin.delete("/projects/shop/members/bob")
    token = admin.post("/me/tokens", {"name": "ci", "scopes": ["read"]}).json()
    admin.delete(f"/me/tokens/{token['id']}")
    server.nobody().post("/session", {"username": "ada", "password": "wrong wrong wrong"})
    rows = admin.get("/audit").json()["items"]
    actions = [row["action"] for row in reversed(rows)]
    assert actions == [
        "session.begin", "project.add", "user.add", "member.set", "member.remove", "token.make", "token.revoke",
        "session.refused",
    ]  # fmt: skip
    text = json.dumps(rows)
    assert token["token"] not in text
    assert PASSWORD not in text
    assert admin.get("/audit/verify").json()["whole"] is True
    assert len(admin.get("/audit/export").text.splitlines()) == len(rows) + 2


def test_the_list_is_filtered_and_paged(server):
    admin = server.browser("ada", admin=True)
    for number in range(7):
        record(
            server.state.places.root, AuditEvent(actor="bob", action="test.done", project="shop", subject=str(number))
        )
    page = admin.get("/audit?actor=bob&limit=3").json()
    assert [row["subject"] for row in page["items"]] == ["6", "5", "4"]
    rest = admin.get(f"/audit?actor=bob&limit=500&cursor={page['next']}").json()
    assert [row["subject"] for row in rest["items"]] == ["3", "2", "1", "0"]
    assert rest["next"] is None
    assert len(admin.get("/audit?action=test.").json()["items"]) == 7
    assert admin.get("/audit?cursor=x").status_code == 422


def test_leads_see_their_own_project_and_nobody_else_any(server):
    server.project("shop")
    lead = server.browser("lea", roles={"shop": "lead", "default": "engineer"})
    record(server.state.places.root, AuditEvent(actor="bob", action="test.done", project="shop"))
    record(server.state.places.root, AuditEvent(actor="bob", action="test.done", project="default"))
    assert [row["project"] for row in lead.get("/projects/shop/audit").json()["items"]] == ["shop"]
    assert lead.get("/projects/default/audit").status_code == 403
    assert lead.get("/audit").status_code == 403
