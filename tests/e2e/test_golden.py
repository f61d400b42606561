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


def smoke_folder(place):
    """Four products of rising quality, each run on the set `asked` of sixty cases."""
    write_rows(
        place,
        "asked.jsonl",
        [{"id": f"c{n}", "input": f"question {n}", "expected": f"answer {n}"} for n in range(60)],
    )
    place.run("dataset", "create", "asked", "--from", "asked.jsonl")
    code = "def {0}(q):\n    n = int(q.split()[1])\n    return f'answer {{n}}' if n % 7 < {1} else 'no'\n"
    place.write("product.py", "\n".join(code.format(name, 2 + index) for index, name in enumerate("abcd")))
    for name in "abcd":
        place.suite(f"{name}.yaml", dataset="{ golden: asked, version: v1 }", target=target(name))
        assert place.run("run", f"{name}.yaml", "--report", "none").code == 0


def target(name):
    return f'{{ type: python, callable: "product:{name}" }}'


def test_a_smoke_subset_foretells_the_whole_score(folder):  # noqa: F811
    smoke_folder(folder)
    made = folder.run(
        "dataset", "sample", "asked", "--size", "20", "--method", "smoke", "-o", "smoke.jsonl", "--json"
    ).json
    assert (made["method"], made["metric"], len(made["ids"]), len(made["systems"])) == ("smoke", "exact", 20, 4)
    assert made["error"] < 0.1
    assert sum(made["anchors"]["weight"]) == 1.0 or abs(sum(made["anchors"]["weight"]) - 1.0) < 1e-9
    folder.suite("smoke.yaml", dataset="{ file: smoke.jsonl }", target=target("b"))
    folder.run("run", "smoke.yaml", "--report", "none")
    found = folder.run("dataset", "predict", "latest", "smoke.sample.json", "--json").json
    actual = sum(n % 7 < 3 for n in range(60)) / 60
    assert abs(found["value"] - actual) < 0.08
    assert found["low"] <= actual <= found["high"]
    again = folder.run("dataset", "predict", "latest", "smoke.sample.json")
    assert "foretold for all 60 cases from 20" in again.out


def test_samples_by_failures_uncertainty_and_difference(folder):  # noqa: F811
    smoke_folder(folder)
    for method in ("failures", "uncertainty", "diverse"):
        words = ["dataset", "sample", "asked", "--size", "10", "--method", method, "--seed", "5", "-o"]
        first = folder.run(*words, "one.jsonl", "--json").json
        assert first["seed"] == 5
        assert first["ids"] == folder.run(*words, "two.jsonl", "--json").json["ids"]
    folder.run("dataset", "sample", "asked", "--size", "20", "--method", "failures", "-o", "f.jsonl")
    numbers = [int(json.loads(line)["id"][1:]) for line in (folder.path / "f.jsonl").read_text().splitlines()]
    assert sum(n % 7 >= 5 for n in numbers) > 20 * 2 / 7


def test_samples_that_need_runs_say_so(folder):  # noqa: F811
    folder.run("dataset", "create", "q", "--from", "cases.jsonl")
    for args, said in [
        (["--method", "smoke"], "no past run scored these cases"),
        (["--method", "diverse", "--model", "."], "model2vec"),
        (["--method", "smoke", "--stratify-by", "locale"], "go with --method random"),
    ]:
        called = folder.run("dataset", "sample", "q", "--size", "5", "-o", "x.jsonl", *args)
        assert (called.code, said in called.err) == (2, True), called.err
    folder.run("run", "suite.yaml", "--report", "none")
    assert "no record of a sample" in folder.run("dataset", "predict", "latest", "cases.jsonl").err
