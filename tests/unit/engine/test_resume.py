"""Crashes: wherever a run is cut, what was recorded is kept, and the resumed run equals one in one go."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalwright.core.errors import RunBusy, TargetError
from evalwright.core.output import Output
from evalwright.core.run import RunStatus
from evalwright.engine import run
from evalwright.store.journal import read_journal, read_run, segment_path, segments

from .kit import FunctionTarget, comparable, job, records

REPOSITORY = Path(__file__).parents[3]


async def uneven(call):
    """Answers most cases, refuses some, stumbles at first over others; always the same for a case and trial."""
    kind = call.seed % 10
    if kind == 0:
        raise TargetError("never", kind="refused", status=400)
    if kind < 3 and call.attempt == 1:
        raise TargetError("not yet", kind="server", status=500, retryable=True, retry_after_s=0.0)
    return Output(text=f"answer {call.seed % 5}", metadata={"note": "ü" * (call.seed % 60)})


def whole(path, n=12, trials=2, workers=1):
    path.mkdir()
    run(job(path, FunctionTarget(uneven), n, settings={"trials": trials, "workers": workers}))
    return path


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    return whole(tmp_path_factory.mktemp("resume") / "whole")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(places=st.lists(st.floats(0, 1), min_size=1, max_size=3))
def test_cut_anywhere_and_resumed_it_equals_the_uninterrupted_run(uninterrupted, tmp_path_factory, places):
    """Several crashes in a row, each at a random byte of the journal so far."""
    path = tmp_path_factory.mktemp("cut")
    journal, complete = segment_path(path, 0), segment_path(uninterrupted, 0).read_bytes()
    journal.write_bytes(complete)
    for place in places:
        content = journal.read_bytes()
        cut = round(place * len(content))
        journal.write_bytes(content[:cut])
        kept = content[:cut].count(b"\n")
        target = FunctionTarget(uneven)
        outcome = run(job(path, target, 12, settings={"trials": 2, "concurrency": 5}))
        assert outcome.fresh == 24 - kept
        assert len({(call.case_id, call.trial) for call in target.calls}) == 24 - kept
    assert comparable(path) == comparable(uninterrupted)
    assert len(list(read_journal(journal))) == 24


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(0, 3000), min_size=3, max_size=3), workers=st.sampled_from([1, 2]))
def test_segments_of_several_workers_cut_anywhere(cuts, workers, tmp_path_factory):
    path = whole(tmp_path_factory.mktemp("segments") / "run", workers=3)
    expected = comparable(path)
    for segment, cut in zip(segments(path), cuts, strict=True):
        segment.write_bytes(segment.read_bytes()[:cut])
    outcome = run(job(path, FunctionTarget(uneven), 12, settings={"trials": 2, "workers": workers}))
    assert outcome.status is RunStatus.COMPLETE
    assert comparable(path) == expected


def test_a_damaged_line_is_told_and_its_unit_run_again(uninterrupted, tmp_path):
    lines = segment_path(uninterrupted, 0).read_bytes().splitlines(keepends=True)
    lines[3] = b"\x00" * 40 + b"\n"
    segment_path(tmp_path, 0).write_bytes(b"".join(lines))
    outcome = run(job(tmp_path, FunctionTarget(uneven), 12, settings={"trials": 2}))
    assert outcome.fresh == 1
    assert len(outcome.damaged) == 1
    assert "journal-000.jsonl:4: " in outcome.damaged[0]
    found = {(r.case_id, r.trial) for r in read_run(tmp_path, on_bad=lambda _: None)}
    assert len(found) == 24


def test_a_changed_case_is_run_again(tmp_path):
    from .kit import cases

    run(job(tmp_path, FunctionTarget(uneven), 6))
    changed = cases(6)
    changed[2] = type(changed[2])(id="q2", input="question 2", expected="something else")
    target = FunctionTarget(uneven)
    run(job(tmp_path, target, changed))
    assert {call.case_id for call in target.calls} == {"q2"}


CHILD = """
import asyncio, os, sys
from pathlib import Path
from tests.unit.engine.kit import FunctionTarget, job
from evalwright.core.output import Output
from evalwright.engine import run

log = os.open(sys.argv[2], os.O_WRONLY | os.O_CREAT | os.O_APPEND)

async def respond(call):
    os.write(log, f"sent {call.case_id} {call.trial}\\n".encode())
    await asyncio.sleep(0.01 + (call.seed % 7) / 500)
    os.write(log, f"answered {call.case_id} {call.trial}\\n".encode())
    return Output(text=f"answer {call.seed % 5}")

settings = {"trials": 2, "concurrency": 16, "workers": int(sys.argv[3])}
outcome = run(job(Path(sys.argv[1]), FunctionTarget(respond), 300, settings=settings))
print(outcome.status, outcome.recorded, outcome.fresh)
"""


def child(run_dir, log, workers):
    command = [sys.executable, "-c", CHILD, str(run_dir), str(log), str(workers)]
    return subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)


def answers(log):
    return log.read_text().count("answered") if log.exists() else 0


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_kill_9_loses_nothing_recorded_and_repeats_at_most_what_was_in_flight(tmp_path, workers):
    log = tmp_path / "calls.log"
    run_dir = tmp_path / "run"
    run_dir.mkdir()
    for goal in (100, 230, 400):
        process = child(run_dir, log, workers)
        while answers(log) < goal:
            assert process.poll() is None
            time.sleep(0.01)
        process.kill()
        process.communicate()
        time.sleep(0.3)  # orphaned workers notice and end
    final = child(run_dir, log, workers)
    printed, _ = final.communicate()
    status, recorded, fresh = printed.split()
    assert (status, recorded) == ("complete", "600")
    assert int(fresh) < 600
    assert len(records(run_dir)) == 600
    answered = [line for line in log.read_text().splitlines() if line.startswith("answered")]
    assert len(set(answered)) == 600
    assert len(answered) - 600 <= 3 * 16 * workers


def test_of_two_who_resume_at_once_one_is_refused(tmp_path):
    process = child(tmp_path, tmp_path / "calls.log", 1)
    try:
        while not segments(tmp_path):
            assert process.poll() is None
            time.sleep(0.02)
        with pytest.raises(RunBusy, match=f"process {process.pid} on .* since "):
            run(job(tmp_path, FunctionTarget(uneven), 300))
    finally:
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=20)
    assert printed.startswith("interrupted ")


def test_ctrl_c_from_a_terminal_drains_and_seals(tmp_path):
    process = child(tmp_path, tmp_path / "calls.log", 2)
    while not segments(tmp_path) or len(records(tmp_path)) < 20:
        assert process.poll() is None
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    printed, _ = process.communicate(timeout=20)
    status, recorded, _ = printed.split()
    assert status == "interrupted"
    lines = (tmp_path / "calls.log").read_text().splitlines()
    answered = {line.removeprefix("answered ") for line in lines if line.startswith("answered")}
    assert int(recorded) == len(records(tmp_path)) == len(answered)
    assert json.loads((tmp_path / "state.json").read_bytes())["status"] == "interrupted"
