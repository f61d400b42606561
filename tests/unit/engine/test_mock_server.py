"""The engine with a real chat target against the mock model server of the bench kit: its own counts agree with ours."""

from collections import Counter

import pytest

from benchmarks.mock_server import Missing, delay_s, ideal_s, kit, running
from evalwright.core.case import Case
from evalwright.core.component import BindContext
from evalwright.core.run import RunStatus
from evalwright.engine import run
from evalwright.targets.chat import ChatTargetOptions

from .kit import EXACT, job, records

pytestmark = [pytest.mark.slow, pytest.mark.shared]


@pytest.fixture(scope="module")
def mock():
    try:
        with running(kit()) as server:
            yield server
    except Missing as missing:
        pytest.skip(str(missing))


def code(key):
    """The server's right answer to a key: FNV-1a of it."""
    hashed = 2166136261
    for byte in key.encode():
        hashed = ((hashed ^ byte) * 16777619) & 0xFFFFFFFF
    return f"ans-{hashed:08x}"


def chat_job(run_dir, mock, count, tmp_path, **settings):
    target = ChatTargetOptions(base_url=f"{mock.url}/v1", model="mock-1").bind(BindContext(base_dir=tmp_path))
    source = [Case(id=f"k{n}", input=f"which code? [[k:k{n}]]", expected=code(f"k{n}")) for n in range(count)]
    return job(run_dir, target, source, settings=settings, scorers=(EXACT,))


def test_faults_of_every_kind_end_in_answers_or_errors_with_their_history(mock, tmp_path):
    mock.configure(ms=5, p429=0.08, p500=0.05, preset=0.04, pmalformed=0.06, retry_after=0.1)
    outcome = run(chat_job(tmp_path, mock, 600, tmp_path, concurrency=48, retries=2))
    assert outcome.status is RunStatus.COMPLETE
    rows, counted = list(records(tmp_path).values()), mock.counts()
    assert len(rows) == 600
    assert sum(row.calls for row in rows) == counted["requests"]
    assert counted["dup_ok"] == 0
    assert sum(row.output is not None for row in rows) == counted["ok"]
    seen = Counter(attempt.kind for row in rows for attempt in row.attempts)
    assert (seen["rate_limit"], seen["server"]) == (counted["r429"], counted["r500"])
    assert (seen["connection"], seen["malformed"]) == (counted["resets"], counted["malformed"])
    for row in rows:
        if row.output is None:
            assert row.error.kind == row.attempts[-1].kind
            assert row.calls == len(row.attempts)
            assert row.scores == {}
        else:
            assert row.scores["exact"].value == 1.0
            assert row.calls == len(row.attempts) + 1


def test_wall_time_is_that_of_the_latencies(mock, tmp_path):
    mock.configure(latency="lognormal", median_ms=150)
    outcome = run(chat_job(tmp_path, mock, 400, tmp_path, concurrency=50))
    order = sorted(records(tmp_path).values(), key=lambda row: row.position)
    ideal = ideal_s([delay_s(row.case_id, median_s=0.15) for row in order], 50)
    slack = 0.6  # seconds: opening, closing, and a busy machine
    assert ideal <= outcome.duration_s <= 1.05 * ideal + slack


def test_several_workers_send_nothing_twice(mock, tmp_path):
    mock.configure(ms=2)
    outcome = run(chat_job(tmp_path, mock, 500, tmp_path, concurrency=16, workers=2))
    counted = mock.counts()
    assert outcome.recorded == counted["requests"] == counted["ok"] == 500
    assert all(row.scores["exact"].value == 1.0 for row in records(tmp_path).values())
