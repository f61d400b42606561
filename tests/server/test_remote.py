"""The command line against a server: runs are sent whole, and read like those of a folder."""

import io
import json
import re
import tarfile

import msgspec
import pytest

from evalwright.core.case import Case
from evalwright.server.settings import ServerSettings
from evalwright.services.golden import Goldens
from evalwright.services.transfer import RunFiles, run_files
from tests.e2e.conftest import folder  # noqa: F401  # fixture
from tests.server.conftest import Server
from tests.server.live import listening
from tests.shared_places import aws_environment, s3_server  # noqa: F401  # fixture

GATE = "gate:\n  - { metric: exact, at_least: 0.6 }\n"


@pytest.fixture
def place(server, folder, monkeypatch, tmp_path):  # noqa: F811
    """A folder with a suite whose command line talks to a server as an engineer."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    program = server.program("eva", "read", "write", roles={"default": "engineer"})
    monkeypatch.setenv("EVALWRIGHT_TOKEN", program.headers["Authorization"].removeprefix("Bearer "))
    folder.suite(extra=GATE)
    with listening(server.app) as address:
        folder.address = address
        folder.program = program
        folder.server = server
        yield folder


def undated(text):
    return re.sub(r"\d\d:\d\d:\d\d UTC", "", text)


def ran(place, *more):
    return place.run("run", "suite.yaml", "--server", place.address, "--report", "none", *more)


def test_a_run_is_sent_and_reads_the_same_there(place, monkeypatch):
    done = ran(place)
    assert done.code == 0, done.err
    assert "sent: http://127.0.0.1" in done.err
    run_id = json.loads(place.run("list", "runs", "--json").out)[0]["run"]
    here = {
        words: place.run(*words)
        for words in (
            ("list", "runs", "--json"), ("show", "latest", "--json"), ("show", "latest", "q00"), ("list", "suites"),
            ("gate", "latest"), ("gate", "explain", "latest"), ("compare", "latest", "latest", "--json"),
            ("slices", "latest"),
        )
    }  # fmt: skip
    monkeypatch.setenv("EVALWRIGHT_SERVER", place.address)
    for words, told in here.items():
        again = place.run(*words)
        assert (again.code, undated(again.out)) == (told.code, undated(told.out)), (words, again.err)
    listed = place.program.get("/projects/default/runs").json()["items"]
    assert [item["run_id"] if "run_id" in item else item["entry"]["run_id"] for item in listed] == [run_id]


def test_exports_are_in_the_audit_log(place):
    ran(place, "-q")
    assert place.program.get("/projects/default/export/runs?format=csv").text.count("\n") == 2
    assert place.program.get("/projects/default/export/runs?sort=nonsense").status_code == 422
    rows = place.server.browser("ada", admin=True).get("/audit?action=export").json()["items"]
    assert [(row["actor"], row["subject"], row["detail"]["query"]) for row in rows] == [("eva", "runs", "format=csv")]


def test_sending_again_changes_nothing_and_another_run_of_the_name_is_refused(place):
    ran(place, "-q")
    again = place.run("push", "latest", "--server", place.address)
    assert (again.code, again.err.split(":")[0]) == (0, "was there already"), again.err
    run_id = json.loads(place.run("list", "runs", "--json").out)[0]["run"]
    manifest = place.path / ".evalwright" / "runs" / run_id / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"small"', '"other"', 1))
    other = place.run("push", run_id, "--server", place.address)
    assert other.code == 2
    assert "there is another run" in other.err


def test_without_a_token_the_run_does_not_begin(place, monkeypatch):
    monkeypatch.delenv("EVALWRIGHT_TOKEN")
    done = ran(place)
    assert (done.code, "EVALWRIGHT_TOKEN is not set" in done.err) == (2, True)
    assert not (place.path / ".evalwright" / "runs").exists()


def test_a_server_that_is_away_costs_no_run(place, monkeypatch):
    done = place.run("run", "suite.yaml", "--server", "http://127.0.0.1:9", "--report", "none", "-q")
    assert done.code == 2
    assert "it is safe here; send it with: evalwright push" in done.err
    assert len(json.loads(place.run("list", "runs", "--json").out)) == 1


def test_commands_that_write_say_that_they_dont_work_there(place, monkeypatch):
    ran(place, "-q")
    monkeypatch.setenv("EVALWRIGHT_SERVER", place.address)
    assert "does not work against $EVALWRIGHT_SERVER" in place.run("waive", "approve", "w-1").err
    assert "does not work against" in place.run("baseline", "set", "latest").err
    both = place.run("list", "runs", "--server", place.address, "-w", ".evalwright")
    assert "don't go together" in both.err


def test_golden_sets_are_read_from_the_server(place, monkeypatch):
    cases = [msgspec.json.decode(line, type=Case) for line in (place.path / "cases.jsonl").read_bytes().splitlines()]
    Goldens(place.server.state.places.root, by="ada").add("tickets", cases, message="first")
    there = place.run("dataset", "show", "tickets", "--server", place.address)
    assert there.code == 0, there.err
    assert "cases: 30" in there.out
    assert "tickets" in place.run("dataset", "list", "--server", place.address).out
    assert place.run("dataset", "checkout", "tickets", "-o", "out.jsonl", "--server", place.address).code == 0
    assert len((place.path / "out.jsonl").read_text().splitlines()) == 30


def test_a_viewer_gets_no_texts_and_a_stranger_nothing(place, monkeypatch):
    ran(place, "-q")
    for name, role, says in (("vera", "viewer", "takes the role reviewer"), ("sam", None, "no project 'default'")):
        roles = {} if role is None else {"default": role}
        program = place.server.program(name, "read", roles=roles)
        monkeypatch.setenv("EVALWRIGHT_TOKEN", program.headers["Authorization"].removeprefix("Bearer "))
        assert says in place.run("show", "latest", "--server", place.address).err


def test_an_older_run_is_found_by_its_beginning(place, monkeypatch):
    ran(place, "-q")
    run_id = json.loads(place.run("list", "runs", "--json").out)[0]["run"]
    monkeypatch.setattr("evalwright.services.remote.NEWEST", 1)
    ran(place, "-q")
    shown = place.run("show", run_id[:-1], "--server", place.address, "--json")
    assert shown.code == 0, shown.err
    assert run_id in shown.out


def archive(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, data, *kind in members:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            member.type, member.linkname = kind if kind else (tarfile.REGTYPE, "")
            tar.addfile(member, io.BytesIO(data))
    return out.getvalue()


@pytest.fixture
def packed(place):
    """A finished run as the members of its upload."""
    assert place.run("run", "suite.yaml", "--report", "none", "-q").code == 0
    from evalwright.store.workspace import Workspace

    workspace = Workspace.open(place.path / ".evalwright")
    run = workspace.run(workspace.catalog.find("latest").run_id)
    index = run_files(run)
    files = {f"run/{one.name}": (run.folder / one.name).read_bytes() for one in index.files}
    return index, files, {f"blobs/{digest}": run.blobs.get(digest) for digest in index.blobs}


def sent(place, index, members):
    data = archive([("upload.json", msgspec.json.encode(index)), *members])
    answer = place.program.client.post("/api/v1/projects/default/runs", content=data, headers=place.program.headers)
    return answer.status_code, answer.json().get("error", {}).get("message", "")


def whole(files, blobs):
    return [*files.items(), *blobs.items()]


def test_an_upload_as_it_should_be(place, packed):
    index, files, blobs = packed
    assert sent(place, index, whole(files, blobs)) == (201, "")
    assert sent(place, index, whole(files, blobs)) == (201, "")
    actions = [row["action"] for row in place.server.browser("ada", admin=True).get("/audit").json()["items"]]
    assert actions.count("run.upload") == 1


@pytest.mark.parametrize(
    ("break_it", "says"),
    [
        (
            lambda i, f, b: f.update({"run/units.parquet": f["run/units.parquet"] + b"x"}),
            "units.parquet did not arrive",
        ),
        (lambda i, f, b: f.pop("run/scores.parquet"), "lacks run/scores.parquet"),
        (lambda i, f, b: b.clear(), "lacks blobs/"),
        (lambda i, f, b: b.update({next(iter(b)): b"other"}), "did not arrive whole"),
        (lambda i, f, b: f.update({"run/../../evil.json": b"{}"}), "does not name"),
        (lambda i, f, b: f.update({"/etc/evil.json": b"{}"}), "does not name"),
    ],
)
def test_an_upload_that_is_not_as_its_index_says_leaves_nothing(place, packed, break_it, says):
    index, files, blobs = packed
    break_it(index, files, blobs)
    status, message = sent(place, index, whole(files, blobs))
    assert status == 422
    assert says in message
    root = place.server.state.places.root.root
    assert not list(root.glob("runs/*"))
    assert not list(root.glob(".upload-*"))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"run_id": "../evil"}, "is no run id"),
        ({"run_id": "another"}, "of different runs"),
        ({"files": ()}, "a finished run has"),
        ({"blobs": ("../../etc/passwd",)}, "is no content digest"),
    ],
)
def test_an_index_that_cant_be(place, packed, changes, says):
    index, files, blobs = packed
    status, message = sent(place, msgspec.structs.replace(index, **changes), whole(files, blobs))
    assert (status, says in message) == (422, True), message


def test_hostile_archives_are_refused(place, packed):
    index, files, blobs = packed
    link = ("run/manifest.json", b"", tarfile.SYMTYPE, "/etc/passwd")
    assert sent(place, index, [link])[1] == "'run/manifest.json' is no plain file"
    client, headers = place.program.client, place.program.headers
    for data in (b"", b"rubbish" * 1000, archive([("x", b"")])):
        answer = client.post("/api/v1/projects/default/runs", content=data, headers=headers)
        assert answer.status_code == 422, data[:20]
    assert sent(place, msgspec.structs.replace(index, files=index.files * 2), whole(files, blobs))[0] == 422


def test_totals_that_are_not_those_of_the_rows_are_refused(place, packed):
    import hashlib

    index, files, blobs = packed
    data = files["run/summary.json"].replace(b'"done":30', b'"done":29')
    assert data != files["run/summary.json"]
    files["run/summary.json"] = data
    told = [
        msgspec.structs.replace(one, sha256=hashlib.sha256(data).hexdigest(), size=len(data))
        if one.name == "summary.json"
        else one
        for one in index.files
    ]
    status, message = sent(place, msgspec.structs.replace(index, files=tuple(told)), whole(files, blobs))
    assert (status, message) == (422, "the summary's totals are not those of the rows")


def test_an_index_is_read_strictly(place):
    data = archive([("upload.json", b'{"run_id": 3}')])
    answer = place.program.client.post("/api/v1/projects/default/runs", content=data, headers=place.program.headers)
    assert answer.status_code == 422
    assert RunFiles.__struct_fields__ == ("run_id", "files", "blobs")


@pytest.mark.slow
def test_two_servers_with_a_bucket_share_what_was_sent(folder, postgres_server, s3_server, tmp_path, monkeypatch):  # noqa: F811
    aws_environment(monkeypatch, s3_server.url)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    catalog, objects = postgres_server(), s3_server.new()
    servers = [
        Server(ServerSettings(workspace=tmp_path / name, catalog=catalog, objects=objects)) for name in ("one", "two")
    ]
    program = servers[0].program("eva", "read", "write", roles={"default": "engineer"})
    monkeypatch.setenv("EVALWRIGHT_TOKEN", program.headers["Authorization"].removeprefix("Bearer "))
    folder.suite(extra=GATE)
    with listening(servers[0].app) as one, listening(servers[1].app) as two:
        assert folder.run("run", "suite.yaml", "--server", one, "--report", "none", "-q").code == 0
        assert "was there already" in folder.run("push", "latest", "--server", two).err
        shown = folder.run("show", "latest", "q00", "--server", two)
        assert (shown.code, "question 0" in shown.out) == (0, True), shown.err
    for server in servers:
        server.state.close()
