"""Bad input gets a clear message or a recorded error, the exit code says so, and nothing measured is lost."""

import json
import os
import resource
import signal
import subprocess
import sys
import time

import pytest

ROW = '{{"id": "{id}", "input": {input}, "expected": "x"}}\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("suite: [unclosed", "bad.yaml:"),
        ("suite: a\nsuite: b\n", "bad.yaml:2:1"),
        ("suite: a\nscorer: [exact]\n", "did you mean `scorers`"),
        ("suite: a\ntarget: { type: chatt }\n", "did you mean `chat`"),
        ("", "empty"),
        ("- 1\n", "not a mapping"),
        ("suite: a\ntarget: { type: chat, model: m, api_key: sk-abcdefghijklmnopqrstuvwxyz0123456789 }\n", "${"),
    ],
)
def test_a_broken_suite_is_named_with_its_place(folder, text, said):
    folder.write("bad.yaml", text)
    for command in ("run", "validate"):
        done = folder.run(command, "bad.yaml")
        assert done.code == 2
        assert said in done.err
        assert "Traceback" not in done.err


def test_several_problems_are_told_at_once(folder):
    folder.write("bad.yaml", "suite: a\ntarget: { type: pyton }\ndataset: { flie: x }\nscorers: [exakt]\n")
    err = folder.run("validate", "bad.yaml").err
    assert all(word in err for word in ("`pyton`", "`flie`", "`exakt`", "3 problems"))


def test_a_suite_that_is_not_there_names_those_that_are(folder):
    done = folder.run("run", "siute.yaml")
    assert (done.code, "suite.yaml" in done.err) == (2, True)


def test_an_empty_dataset_is_an_error(folder):
    folder.write("cases.jsonl", "")
    done = folder.run("run", "suite.yaml")
    assert (done.code, "empty" in done.err) == (2, True)


def test_rows_that_can_not_be_read_are_set_aside_and_the_good_ones_used(folder):
    huge = json.dumps("x" * 50_000_000)
    rows = [
        ROW.format(id="good", input='"question 1"').encode(),
        ROW.format(id="nan", input="NaN").encode(),
        ROW.format(id="inf", input="Infinity").encode(),
        b'{"id": "latin", "input": "caf\xe9"}\n',
        ROW.format(id="huge", input=huge).encode(),
        b'{"id": "deep", "input": ' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
        ROW.format(id="twice", input='"a", "input": "b"').encode(),
        ROW.format(id="good", input='"question 2"').encode(),
    ]
    (folder.path / "cases.jsonl").write_bytes(b"".join(rows))
    folder.write("product.py", "def answer(question):\n    return 'x'\n")
    done = folder.run("run", "suite.yaml", "--json", "--report", "none")
    counts = done.json["cases"]
    assert done.code == 0
    assert counts["selected"] + counts["bad_rows"] == 8
    assert 1 <= counts["selected"] <= 2


@pytest.mark.parametrize(
    ("product", "kind"),
    [
        ("def answer(question):\n    raise RuntimeError('boom')\n", "boom"),
        ("def answer(question):\n    return object()\n", "object"),
        ("def answer(question):\n    return 42\n", "number"),
        ("import time\ndef answer(question):\n    time.sleep(1.5)\n", "0.3"),
        ("import asyncio\nasync def answer(question):\n    await asyncio.sleep(60)\n", "0.3"),
        ("def answer(question):\n    raise SystemExit(3)\n", "SystemExit"),
    ],
    ids=["raises", "wrong-type", "number", "hangs", "hangs-async", "exits"],
)
def test_a_target_that_misbehaves_is_recorded_and_never_scored(folder, product, kind):
    folder.write("product.py", product)
    done = folder.run("run", folder.suite(run="{ retries: 0, timeout: 0.3 }"), "--limit", "3", "--json")
    assert done.code == 4
    assert (done.json["cases"]["errored"], done.json["metrics"][0]["n"]) == (3, 0)
    first = json.loads((next(folder.path.glob(".evalwright/runs/*/journal-000.jsonl"))).read_text().splitlines()[0])
    assert kind in json.dumps(first["error"])


def test_garbage_answers_are_kept_and_shown_safely(folder):
    folder.write(
        "product.py", "def answer(question):\n    return '\\x1b[2J<script>alert(1)</script>\\ud800\\x00' * 10\n"
    )
    done = folder.run("run", "suite.yaml", "--limit", "2", "--report", "html")
    assert done.code == 0
    assert "\x1b[2J" not in done.out
    report = next(folder.path.glob(".evalwright/runs/*/report.html")).read_text(encoding="utf-8")
    assert "<script>alert" not in report


def test_a_scorer_that_raises_is_an_error_of_its_metric_alone(folder):
    folder.write(
        "scorers.py",
        "from evalwright import scorer\n@scorer('shaky')\ndef shaky(ctx):\n"
        "    if ctx.case.id == 'q01': raise KeyError('price')\n    return True\n",
    )
    done = folder.run("run", folder.suite(scorers="[exact, { file: scorers.py, use: [shaky] }]"), "--json")
    found = {m["name"]: m for m in done.json["metrics"] if not m["slice"]}
    assert done.code == 0
    assert (found["shaky"]["n"], found["shaky"]["errors"]) == (29, 1)
    assert found["exact"]["errors"] == 0


def test_a_workspace_of_a_later_version_is_left_alone(folder):
    folder.run("run", "suite.yaml", "--quiet")
    folder.write(".evalwright/workspace.json", '{"format": 99}')
    done = folder.run("run", "suite.yaml")
    assert (done.code, "later version" in done.err) == (2, True)


def command(*words):
    return [sys.executable, "-c", "from evalwright.cli.main import run; run()", *words]


def test_two_runs_in_one_workspace_at_once(folder):
    both = [
        subprocess.Popen(command("run", "suite.yaml", "--json"), cwd=folder.path, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    ids = {json.loads(process.communicate(timeout=60)[0])["run_id"] for process in both}
    assert len(ids) == 2
    assert len(json.loads(folder.run("list", "runs", "--json").out)) == 2


def test_a_full_disk_ends_the_run_and_keeps_what_was_recorded(folder):
    folder.write("product.py", "def answer(question):\n    return 'x' * 80_000\n")

    def small_files():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (900_000, 900_000))

    done = subprocess.run(
        command("run", "suite.yaml", "--concurrency", "1"),
        cwd=folder.path,
        preexec_fn=small_files,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "space" in done.stderr or "full" in done.stderr or "too large" in done.stderr
    kept = next(folder.path.glob(".evalwright/runs/*/journal-000.jsonl")).read_bytes().splitlines()
    assert len(kept) >= 5
    resumed = folder.run("resume", "latest", "--json", "--report", "none")
    assert resumed.json["cases"]["done"] == 30
    assert resumed.json["calls"] <= 32


def test_ctrl_c_keeps_what_was_recorded_and_says_how_to_go_on(folder):
    folder.write("product.py", "import time\ndef answer(question):\n    time.sleep(0.2)\n    return 'x'\n")
    process = subprocess.Popen(
        command("run", "suite.yaml", "--concurrency", "2", "--json"),
        cwd=folder.path,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and not list(folder.path.glob(".evalwright/runs/*/journal-000.jsonl")):
        time.sleep(0.05)
    time.sleep(0.6)
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    result = json.loads(out)
    assert (process.returncode, result["status"]) == (130, "interrupted")
    assert 0 < result["cases"]["done"] < 30
    resumed = folder.run("resume", "latest", "--json", "--report", "none").json
    assert (resumed["status"], resumed["cases"]["done"], resumed["calls"]) == ("complete", 30, 30)


def test_rows_set_aside_are_told_at_the_end_of_a_run(folder):
    folder.write("cases.jsonl", '{"id": "a", "input": "question 1"}\n{"id": "a", "input": "question 2"}\n[1]\n')
    done = folder.run("run", "suite.yaml", "--report", "none")
    assert "2 dataset rows were set aside, the first: line 2 of cases.jsonl" in " ".join(done.out.split())


def test_why_units_failed_is_told_at_the_end_of_a_run(folder):
    folder.write("product.py", "def answer(question):\n    raise RuntimeError('boom')\n")
    done = folder.run("run", "suite.yaml", "--report", "none")
    words = " ".join(done.out.split())
    assert "30 units got no answer (exception): product:answer raised RuntimeError: boom" in words
    assert "retried" not in words


def test_paths_and_commands_are_never_broken_over_lines(folder):
    done = folder.run("run", "suite.yaml", "--report", "html")
    path = next(folder.path.glob(".evalwright/runs/*/report.html"))
    assert f"html  {path}\n" in done.out
    assert f"evalwright show {path.parent.name} q" in done.out


def test_a_target_that_cannot_be_imported_is_told_without_the_import_machinery(folder):
    folder.write("product.py", "import no_such_module_at_all\n")
    done = folder.run("run", folder.suite(target='{ type: python, callable: "product.py:answer" }'))
    assert done.code == 2
    assert "product.py:1" in done.err
    assert "importlib" not in done.err


def test_notes_on_rows_and_figures_are_told_once_after_scoring_again(folder):
    folder.write("cases.jsonl", '{"id": "a", "input": "question 1"}\n{"id": "a", "input": "question 2"}\n')
    folder.run("run", "suite.yaml", "--report", "none")
    told = folder.run("score", "latest", "--report", "none").out
    assert told.count("1 dataset row was set aside") == 1
    assert told.count("scored no case") == 1


def test_a_suite_can_be_checked_without_running_the_code_it_names(folder):
    folder.write("product.py", "raise SystemExit('ran')\n")
    assert "ran" in folder.run("validate", "suite.yaml").err
    told = folder.run("validate", "--no-import", "suite.yaml")
    assert (told.code, told.err) == (0, "")
    assert "which runs them" in folder.run("validate", "--help").out
