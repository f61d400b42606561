"""What the engine adds to the calls it makes: `python benchmarks/engine.py [--full] [scenario …]`.

Runs a bare aiohttp loop and Evalwright in turn on the same work against the mock model server of the bench kit, and
prints one Markdown table per scenario. Every run is a process of its own, so that CPU and peak memory are its own.
Without the kit or a C compiler it says so and ends well.

Scenarios: overhead (no latency), workers, latency (lognormal), faults, limited, crash, soak. `--full` uses the sizes of
docs/benchmarks.md (up to 200,000 cases, some minutes); without it all takes about a minute.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mock_server import Missing, Mock, delay_s, ideal_s, kit, running

Row = dict[str, Any]
SYSTEM = "You are a careful assistant."


# --- the process that is measured -----------------------------------------------------------------------------------


def child(cases_path: str, url: str, settings_json: str, run_dir: str) -> None:
    """Run the engine on a case file and print what it took as one JSON line."""
    import msgspec

    from evalwright.core.component import BindContext
    from evalwright.core.run import RunSettings
    from evalwright.core.scorer import BoundScorer
    from evalwright.engine import Job, run
    from evalwright.scorers.rules.exact import ExactMatch
    from evalwright.store.blobs import Blobs
    from evalwright.store.cases import CaseFileWriter
    from evalwright.targets.chat import ChatTargetOptions

    options = ChatTargetOptions(
        base_url=f"{url}/v1", model="mock-1", system=SYSTEM, params={"temperature": 0, "max_tokens": 64}
    )
    with CaseFileWriter(Blobs(Path(run_dir).parent / "blobs")) as writer:
        fill(writer, cases_path)
    job = Job(
        run_dir=Path(run_dir),
        cases=writer.file,
        target=options.bind(BindContext(base_dir=Path())),
        settings=msgspec.json.decode(settings_json, type=RunSettings),
        target_digest="bench",
        scorers=(BoundScorer(scorer=ExactMatch(), metric="exact"),),
    )
    before, start = cpu_s(), time.perf_counter()
    outcome = run(job)
    used, seconds = cpu_s() - before, time.perf_counter() - start
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)) // 1024
    changes = [change.reason for change in outcome.limits]
    figures = {"status": outcome.status, "recorded": outcome.recorded, "fresh": outcome.fresh, "changes": len(changes)}
    print(json.dumps({**figures, "seconds": seconds, "cpu_s": used, "start_cpu_s": before, "peak_mb": peak}))


def fill(writer: Any, cases_path: str) -> None:
    """Put the kit's rows into a case file."""
    from evalwright.core.case import Case

    with open(cases_path) as file:
        for line in file:
            row = json.loads(line)
            writer.add(Case(id=row["id"], input=row["input"], expected=row["target"], metadata={"topic": row["topic"]}))


def cpu_s() -> float:
    """CPU seconds of this process and its children so far."""
    both = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


# --- the process that measures --------------------------------------------------------------------------------------


class Bench:
    """Makes cases, runs the two sides, and reads the journals."""

    def __init__(self, folder: Path, bench: Path, mock: Mock, *, full: bool) -> None:
        self.folder = folder
        self.kit = bench
        self.mock = mock
        self.full = full
        self._runs = 0
        self._idle_s = self._bare(1, 1)["cpu_s"]

    def cases(self, count: int) -> Path:
        """A file with so many cases."""
        path = self.folder / f"d{count}.jsonl"
        if not path.exists():
            command = [sys.executable, self.kit / "make_cases.py", self.folder, str(count)]
            subprocess.run(command, check=True)
        return path

    def bare(self, count: int, concurrency: int) -> Row:
        """The kit's bare client loop; the CPU time of starting Python is taken off, as it is for the engine."""
        row = self._bare(count, concurrency)
        return {**row, "cpu_s": row["cpu_s"] - self._idle_s, "who": "bare aiohttp loop"}

    def _bare(self, count: int, concurrency: int) -> Row:
        command = [sys.executable, self.kit / "bare_loop.py", self.cases(count), str(concurrency), self.mock.url]
        found: Row = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
        return found

    def run_dir(self) -> Path:
        """A fresh folder for a run."""
        self._runs += 1
        path = self.folder / f"run{self._runs}" / "run"
        path.mkdir(parents=True)
        return path

    def start(self, count: int, run_dir: Path, **settings: Any) -> subprocess.Popen[str]:
        """Start the engine in a process of its own."""
        command = [sys.executable, __file__, "--child", self.cases(count), self.mock.url, json.dumps(settings), run_dir]
        return subprocess.Popen(list(map(str, command)), stdout=subprocess.PIPE, text=True, start_new_session=True)

    def engine(self, count: int, run_dir: Path | None = None, **settings: Any) -> Row:
        """Run the engine and wait for it."""
        process = self.start(count, run_dir or self.run_dir(), **settings)
        printed, _ = process.communicate()
        if process.returncode:
            raise SystemExit(f"the engine ended with code {process.returncode}")
        return {**json.loads(printed), "who": "Evalwright"}


def per_case_ms(row: Row, count: int) -> str:
    """CPU milliseconds per case."""
    return f"{1000 * row['cpu_s'] / count:.3f}"


def table(title: str, header: list[str], rows: list[list[Any]]) -> None:
    """Print a Markdown table."""
    print(f"\n### {title}\n")
    for line in (header, ["---"] * len(header), *rows):
        print("| " + " | ".join(map(str, line)) + " |")
    sys.stdout.flush()


def overhead(bench: Bench) -> None:
    """No latency: all the time is ours."""
    rows = []
    for count, concurrency in [(2_000, 64), (20_000, 256), *([(200_000, 256)] if bench.full else [])]:
        bench.mock.configure()
        repeats = 3 if count <= 20_000 else 1
        pairs = [(bench.bare(count, concurrency), bench.engine(count, concurrency=concurrency)) for _ in range(repeats)]
        ratio = statistics.median(ours["cpu_s"] / bare["cpu_s"] for bare, ours in pairs)
        for side, times in ((0, "1.0"), (1, f"{ratio:.2f}")):
            row = sorted((pair[side] for pair in pairs), key=lambda each: each["cpu_s"])[repeats // 2]
            speed = f"{count / row['seconds']:,.0f}"
            rows.append([f"{count:,}", concurrency, row["who"], per_case_ms(row, count), times, speed, row["peak_mb"]])
    header = ["cases", "in flight", "", "CPU ms/case", "x bare", "cases/s", "peak MB"]
    table("No latency: CPU per case, journal and scorer included", header, rows)


def workers(bench: Bench) -> None:
    """More processes on the same work."""
    count = 20_000 if bench.full else 5_000
    rows = []
    for processes in (1, 2):
        bench.mock.configure()
        row = bench.engine(count, concurrency=128, workers=processes)
        rows.append([processes, per_case_ms(row, count), f"{count / row['seconds']:,.0f}", row["recorded"]])
    table(f"Processes: {count:,} cases, no latency", ["workers", "CPU ms/case", "cases/s", "recorded"], rows)


def latency(bench: Bench) -> None:
    """Lognormal answer times, median 800 ms, 500 in flight."""
    from evalwright.engine.plan import work_order

    count, concurrency = (5_000 if bench.full else 2_000), 500
    keys = [json.loads(line)["id"] for line in bench.cases(count).open()]
    in_file = ideal_s([delay_s(key) for key in keys], concurrency)
    in_plan = ideal_s([delay_s(keys[index]) for index in work_order(count, 0)], concurrency)
    rows = []
    for run, best in (
        (lambda: bench.bare(count, concurrency), in_file),
        (lambda: bench.engine(count, concurrency=concurrency), in_plan),
    ):
        bench.mock.configure(latency="lognormal")
        row = run()
        span = bench.mock.counts()["span_ms"] / 1000
        rows.append(
            [
                row["who"],
                f"{best:.2f}",
                f"{row['seconds']:.2f}",
                f"{row['seconds'] / best:.3f}",
                f"{span:.2f}",
                f"{row['cpu_s']:.2f}",
            ]
        )
    header = ["", "ideal s", "wall s", "wall / ideal", "first to last request s", "CPU s"]
    table(f"Lognormal latency (median 800 ms, sigma 0.5): {count:,} cases, {concurrency} in flight", header, rows)


def outcome_counts(run_dir: Path) -> tuple[int, int, int]:
    """Answered units, errored units, calls, from the journal."""
    from evalwright.store.journal import read_run

    answered = errored = calls = 0
    for record in read_run(run_dir):
        answered += record.output is not None
        errored += record.output is None
        calls += record.calls
    return answered, errored, calls


def faults(bench: Bench) -> None:
    """Refusals, server errors, resets and malformed answers at random."""
    count = 2_000
    bench.mock.configure(ms=50, p429=0.05, p500=0.02, preset=0.01, pmalformed=0.01)
    run_dir = bench.run_dir()
    row = bench.engine(count, run_dir, concurrency=64)
    counted = bench.mock.counts()
    answered, errored, calls = outcome_counts(run_dir)
    rows = [[answered, errored, f"{row['seconds']:.2f}", calls, counted["requests"], counted["dup_ok"]]]
    header = ["answered", "errored", "wall s", "calls we count", "requests the server counts", "answered twice"]
    kinds = "5 % 429 with Retry-After 1 s, 2 % 500, 1 % resets, 1 % malformed"
    table(f"Faults ({kinds}), 50 ms: {count:,} cases, 64 in flight", header, rows)


def limited(bench: Bench) -> None:
    """A server that allows 200 requests a second."""
    count, rate = (6_000 if bench.full else 2_000), 200
    bench.mock.configure(ms=50, rps=rate)
    run_dir = bench.run_dir()
    process = bench.start(count, run_dir, concurrency=256)
    warm = wait_for(bench, lambda counted: counted["ok"] >= 3 * rate)
    warm_at = time.perf_counter()
    done = wait_for(bench, lambda counted: counted["ok"] >= count - 5)
    seconds = time.perf_counter() - warm_at
    printed, _ = process.communicate()
    row = json.loads(printed)
    total = bench.mock.counts()
    accepted, refused = done["ok"] - warm["ok"], done["r429"] - warm["r429"]
    rows = [
        [
            f"{row['seconds']:.2f}",
            f"{(count - rate) / rate:.2f}",
            f"{accepted / seconds / rate:.1%}",
            f"{refused / (accepted + refused):.2%}",
            f"{total['r429']} of {total['requests']}",
        ]
    ]
    header = ["wall s", "ideal s", "goodput / limit after warm-up", "refused after warm-up", "refused in all"]
    table(f"A server that allows {rate} requests/s, limit not known: {count:,} cases, 256 in flight", header, rows)


def wait_for(bench: Bench, reached: Callable[[Row], bool]) -> Row:
    """Ask the server until its counts are as wanted."""
    while not reached(counted := bench.mock.counts()):
        time.sleep(0.05)
    return counted


def crash(bench: Bench) -> None:
    """A run killed (signal 9) at half and resumed."""
    count, concurrency = 2_000, 64
    rows = []
    for _ in range(3):
        bench.mock.configure(ms=100)
        run_dir = bench.run_dir()
        process = bench.start(count, run_dir, concurrency=concurrency)
        killed = wait_for(bench, lambda counted: counted["ok"] >= count // 2)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        survived = sum(outcome_counts(run_dir)[:2])
        row = bench.engine(count, run_dir, concurrency=concurrency)
        counted = bench.mock.counts()
        rows.append(
            [
                killed["ok"],
                survived,
                row["fresh"],
                row["recorded"],
                counted["dup_ok"],
                counted["retries_sent"],
            ]
        )
    header = ["answered when killed", "on disk", "run by resume", "recorded in the end", "answered twice", "sent twice"]
    table(f"kill -9 at half: {count:,} cases, 100 ms, {concurrency} in flight", header, rows)


def soak(bench: Bench) -> None:
    """Memory of one long run, looked at while it goes on."""
    count = 200_000 if bench.full else 10_000
    bench.mock.configure()
    process = bench.start(count, bench.run_dir(), concurrency=256)
    rows = []
    for share in (0.01, 0.1, 0.25, 0.5, 0.75, 0.99):
        wait_for(bench, lambda counted, goal=share * count: counted["ok"] >= goal)
        rows.append([f"{share:.0%}", resident_mb(process.pid)])
    process.communicate()
    table(f"Memory while {count:,} cases run, 256 in flight", ["done", "resident MB"], rows)


def resident_mb(pid: int) -> int:
    """Memory of a process at this moment (Linux)."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) // 1024


SCENARIOS = {each.__name__: each for each in (overhead, workers, latency, faults, limited, crash, soak)}


def main() -> int:
    """Run the scenarios asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scenario", nargs="*", choices=[[], *SCENARIOS], help="which; all when none is named")
    parser.add_argument("--full", action="store_true", help="the sizes of docs/benchmarks.md")
    parser.add_argument("--child", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        child(*options.child)
        return 0
    try:
        bench_kit = kit()
        with tempfile.TemporaryDirectory() as folder, running(bench_kit) as mock:
            bench = Bench(Path(folder), bench_kit, mock, full=options.full)
            for name in options.scenario or SCENARIOS:
                SCENARIOS[name](bench)
    except Missing as missing:
        print(f"skipped: {missing}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
