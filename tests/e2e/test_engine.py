"""A real engine (llama.cpp's server) with a tiny model of our own as target, judge and user: all is recorded."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from importlib.util import find_spec
from pathlib import Path

import pytest

MODEL = Path(__file__).parents[1] / "engine_model"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("xllamacpp") is None, reason="no engine: `xllamacpp` of requirements/e2e.lock"),
]


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(url, process, seconds=30.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the engine ended by itself"
        try:
            with urllib.request.urlopen(url, timeout=1) as reply:
                return reply.status
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the engine does not answer")


@pytest.fixture(scope="module")
def engine(tmp_path_factory):
    port, log = free_port(), tmp_path_factory.mktemp("engine") / "log"
    with log.open("wb") as out:
        command = [sys.executable, MODEL / "serve.py", MODEL / "helpdesk.gguf", str(port)]
        process = subprocess.Popen(command, stdout=out, stderr=out, env={**os.environ, "OMP_NUM_THREADS": "1"})
        try:
            wait_for(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=20)


@pytest.fixture
def engine_folder(folder, engine, monkeypatch):
    for path in (*MODEL.glob("*.yaml"), *MODEL.glob("*.jsonl")):
        shutil.copy(path, folder.path)
    monkeypatch.setenv("ENGINE_URL", engine)
    return folder


def run(folder, suite):
    assert folder.run("validate", suite).code == 0
    called = folder.run("run", suite, "--json")
    folder.run("export", "latest", "--output", "rows.jsonl")
    rows = {row["case_id"]: row for row in map(json.loads, Path("rows.jsonl").read_text(encoding="utf-8").splitlines())}
    metrics = {(m["name"], m.get("slice") or ""): m for m in called.json["metrics"]}
    return called, rows, metrics


def test_target_and_judges_of_one_engine(engine_folder):
    called, rows, metrics = run(engine_folder, "answers.yaml")
    assert called.code == 0, called.err  # the gate passes on what the model has learnt
    assert called.json["cases"] | {"answered": 23, "errored": 1, "units": 24} == called.json["cases"]
    learnt = metrics["exact", "kind=learnt"]
    assert (learnt["value"], learnt["n"]) == (1.0, 13)
    assert metrics["exact", "kind=odd"]["value"] == 0.0
    overflow = rows["overflow"]
    assert overflow["error"]["kind"] == "context_length"
    assert overflow["error"]["status"] == 400
    assert len(overflow["attempts"]) == 1  # never sent again
    assert metrics["judged", ""]["n"] == 23
    assert set(rows["learnt-00"]["scores"]["judged"]["metadata"]) >= {"model", "prompt_hash", "cost", "tokens"} - {
        "cost"
    }
    cut = metrics["judged_cut", ""]
    assert (cut["n"], cut["errors"]) == (0, 24)  # 23 malformed replies and the case without an answer
    assert all(row["scores"]["judged_cut"]["status"] == "error" for row in rows.values() if "output" in row)
    assert "can't be read" in rows["learnt-00"]["scores"]["judged_cut"]["reason"]
    free = metrics["judged_free", ""]
    assert free["n"] + free["errors"] == 24
    assert called.json["judge_usage"]["total_tokens"] > 10_000
    shown = engine_folder.run("show", "latest", "template")
    assert shown.code == 0
    report = next(Path(".evalwright/runs").glob("*/report.html")).read_text(encoding="utf-8")
    assert "<script>alert(1)</script>" not in report


def test_the_same_answers_again(engine_folder):
    _, first, _ = run(engine_folder, "answers.yaml")
    _, second, _ = run(engine_folder, "answers.yaml")
    texts = [
        {name: row["output"].get("text") for name, row in rows.items() if "output" in row} for rows in (first, second)
    ]
    assert texts[0] == texts[1]
    compared = engine_folder.run("compare", *sorted(path.name for path in Path(".evalwright/runs").iterdir()), "--json")
    assert compared.code in {0, 1, 3}
    assert compared.json


def test_streamed(engine_folder):
    called, rows, metrics = run(engine_folder, "stream.yaml")
    assert metrics["exact", "kind=learnt"]["value"] == 1.0
    assert metrics["first_token", ""]["n"] == called.json["cases"]["answered"] == 23
    answered = [row["output"] for row in rows.values() if "output" in row]
    assert all(output["first_token_s"] <= output["latency_s"] for output in answered)
    assert all(output["usage"]["output_tokens"] > 0 for output in answered)


def test_tool_calls(engine_folder):
    _, rows, metrics = run(engine_folder, "tools.yaml")
    assert metrics["tool_calls", "learnt=true"]["value"] == 1.0
    assert metrics["tool_calls", "learnt=false"]["value"] == 0.0  # a real, repeatable defect
    assert rows["invoice-14"]["output"]["tool_calls"][0]["arguments"] == {"number": 14}


def test_answers_held_to_a_schema(engine_folder):
    _, rows, metrics = run(engine_folder, "schema.yaml")
    assert (metrics["json_schema", ""]["value"], metrics["json_schema", ""]["n"]) == (1.0, 23)
    assert isinstance(json.loads(rows["emoji"]["output"]["text"])["found"], bool)


def test_the_engine_as_a_user_who_talks_nonsense(engine_folder):
    called, rows, _ = run(engine_folder, "talks.yaml")
    assert called.json["cases"]["done"] == 3
    assert rows["script"]["output"]["messages"][1]["content"] == "Yes, Solo is free of charge for one person."
    for name in ("cancel", "price"):
        row = rows[name]
        ended = row["output"]["metadata"]["conversation"]["ended"] if "output" in row else row["error"]["kind"]
        assert ended in {"goal_reached", "gave_up", "limit", "simulated_user"}


def test_the_engine_as_a_drafter_of_nonsense(engine_folder, engine):
    engine_folder.write("doc.md", "# Plans\n\nSolo is free. Studio costs 9 euros.\n")
    engine_folder.write("drafter.yaml", f'model: tiny\nbase_url: "{engine}"\nparams: {{ max_tokens: 120 }}\n')
    told = engine_folder.run("draft", "from-docs", "doc.md", "--model", "drafter.yaml", "--json")
    assert told.code == 0, told.err
    asked = told.json["asked"]
    assert asked["calls"] in {1, 2}
    assert told.json["new"] == 0  # nothing it says stands in the document
    assert sum(asked["failed"].values()) + told.json["new"] <= 1
