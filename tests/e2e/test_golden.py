"""Import, golden sets and redaction from the command line: mistakes, machine-readable output, a killed import."""

import json
import os
import signal
import subprocess
import sys
import time

from tests.e2e.conftest import folder  # noqa: F401 - the fixture


def write_rows(place, name, rows):
    return place.write(name, "".join(json.dumps(row) + "\n" for row in rows))


def test_an_import_goes_into_a_golden_set_and_its_suite_runs(folder):  # noqa: F811
    rows = [{"user_input": f"question {n}", "response": f"answer {n}", "reference": f"answer {n}"} for n in range(5)]
    write_rows(folder, "data.jsonl", rows)
    called = folder.run("import", "data.jsonl", "--into", "asked", "--output", "out", "--json")
    assert called.code == 0
    assert (called.json["cases"], called.json["version"]["number"]) == (5, 1)
    suite = (folder.path / "out" / "suite.yaml").read_text()
    assert 'dataset: {"golden": "asked", "version": "v1"}' in suite
    folder.write("out/suite.yaml", suite.replace("scorers: []", "scorers: [exact]"))
    called = folder.run("run", "out/suite.yaml", "--json", "--report", "none")
    assert called.code == 0
    assert called.json["metrics"][0]["value"] == 1.0


def test_redaction_on_the_way_in_is_on_the_record(folder):  # noqa: F811
    write_rows(folder, "data.jsonl", [{"user_input": "I am ann@acme.io", "reference": "hello"}])
    folder.run("import", "data.jsonl", "--into", "asked", "--redact")
    version = folder.run("dataset", "show", "asked", "--json").json["version"]
    assert version["source"]["redacted"] == {"replaced": {"email": 1}, "left": 0}
    folder.run("dataset", "checkout", "asked", "--output", "out.jsonl")
    assert "acme" not in (folder.path / "out.jsonl").read_text()


def test_mistakes_get_a_message_and_a_remedy(folder):  # noqa: F811
    for args, said in [
        (["import", "missing.json"], "there is no file or folder missing.json"),
        (["import", "product.py"], "the format can't be told from the name"),
        (["import", "cases.jsonl", "--field", "input"], "is no FIELD=COLUMN"),
        (["dataset", "add", "t"], "name a FILE of cases"),
        (["dataset", "show", "t"], "there is no golden set 't'"),
        (["dataset", "create", "../t", "--from", "cases.jsonl"], "can't be the name of a golden set"),
        (["dataset", "diff", "cases.jsonl", "t@v1"], "there is no golden set 't'"),
        (["dataset", "update", "suite.yaml"], "uses no golden set"),
        (["redact", "missing.txt"], "there is no file missing.txt"),
    ]:
        folder.run("dataset", "create", "other")
        called = folder.run(*args)
        assert called.code == 2, args
        assert said in called.err, (args, called.err)


def test_redaction_of_a_file_and_back(folder, monkeypatch):  # noqa: F811
    monkeypatch.setenv("EVALWRIGHT_REDACTION_KEY", "a key of sixteen characters")
    text = "ann@acme.io wrote from 93.184.216.34, host 10.0.0.8"
    folder.write("chat.txt", text)
    called = folder.run("redact", "chat.txt")
    assert "found 1 email (1 different)" in called.out
    assert "left for a person: chat.txt, character" in called.out
    folder.run("redact", "chat.txt", "--output", "clean.txt", "--vault", "vault.json")
    assert "acme" not in (folder.path / "clean.txt").read_text()
    folder.run("redact", "clean.txt", "--output", "back.txt", "--restore", "vault.json")
    assert (folder.path / "back.txt").read_text() == text


def test_a_killed_import_leaves_the_set_as_it_was(folder):  # noqa: F811
    assert folder.run("dataset", "create", "t", "--from", "cases.jsonl").code == 0
    write_rows(folder, "big.jsonl", [{"input": f"text {n} " * 20} for n in range(60_000)])
    code = "import sys; from evalwright.cli.main import run; sys.argv[1:] = ['dataset', 'add', 't', 'big.jsonl']; run()"
    command = [sys.executable, "-c", code]
    worker = subprocess.Popen(command, cwd=folder.path, env={**os.environ}, stderr=subprocess.DEVNULL)
    blobs = folder.path / ".evalwright" / "blobs"
    until = time.monotonic() + 30
    while not list(blobs.glob(".*.tmp")) and worker.poll() is None and time.monotonic() < until:
        time.sleep(0.005)
    worker.send_signal(signal.SIGKILL)
    worker.wait(30)
    listed = folder.run("dataset", "list", "--json").json
    assert [version["cases"] for version in listed[0]["versions"]] == [30]
    write_rows(folder, "small.jsonl", [{"id": "new", "input": "x"}])
    assert "t@v2" in folder.run("dataset", "add", "t", "small.jsonl").out
