"""Pages of the workbench over a large workspace: first byte of every reading route, and the server's memory.

    python benchmarks/workbench.py [--runs 180] [--cases 10000] [--big 200000] [--folder DIR] [--repeat 20]

The workspace is made once in the folder and kept there: runs of two suites with five metrics written as Parquet, two
more of 200,000 cases (1,000,000 scores each), by default 10,000,000 scores in all. Then a server is started on a
loopback port and asked page by page; each route is asked once cold, then `--repeat` times with other filters, cases and
pages each time, so that what is measured is not the same answer again.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlencode

import msgspec

from evalwright.core.case import Case
from evalwright.core.gate import Rule
from evalwright.core.run import DatasetRecord, Manifest, RunStatus, ScorerRecord
from evalwright.services.accounts import Accounts, NewToken, NewUser
from evalwright.services.figures import RunEnd, summarise
from evalwright.services.gating import GateRequest, judge
from evalwright.store.cases import CaseFile, CaseFileWriter
from evalwright.store.duck import connect, literal
from evalwright.store.layout import SCORE_COLUMNS, UNIT_COLUMNS
from evalwright.store.seal import SCORES, SEAL, UNITS, Seal
from evalwright.store.workspace import Workspace

METRICS = ("exact_match", "groundedness", "relevance", "pii_leak", "tone")
START = 1_790_000_000.0
WORDS = ["refund", "order", "invoice", "delivery", "account", "password", "voucher", "return", "parcel", "customer"]

ANSWER = (
    "CASE WHEN h % 200 <> 0 THEN 'The answer to ticket ' || case_index || ' is that the refund of order ' "
    "|| (h % 99991) || ' was sent; the voucher ' || (h % 7919) || ' stays valid, and the parcel can be returned "
    "until day ' || (h % 31) END"
)
VALUE = "CASE WHEN g % 500 = 0 THEN NULL WHEN verdict THEN (g % 100 < level)::INT ELSE (g % 1000) / 1000.0 END"
PASSED = (
    "CASE WHEN g % 500 = 0 OR NOT verdict THEN NULL WHEN metric = 'pii_leak' THEN g % 100 >= level "
    "ELSE g % 100 < level END"
)


def case_file(workspace: Workspace, count: int) -> CaseFile:
    """Cases of about 200 characters, with three slices."""
    rng = random.Random(count)
    with CaseFileWriter(workspace.blobs) as writer:
        for number in range(count):
            text = f"{number}: " + " ".join(rng.choices(WORDS, k=24))
            meta = {"locale": rng.choice(["de", "en", "fr", "pl"]), "tier": rng.choice(["1", "2", "3"])}
            writer.add(Case(id=f"tickets/{number:06d}", input=text, expected=rng.choice(WORDS), metadata=meta))
    return writer.file


def manifest(run_id: str, suite: str, cases: CaseFile, at: float) -> Manifest:
    """What a run's manifest says, with a gate of two rules."""
    rules = (Rule(metric="exact_match", at_least=0.7), Rule(metric="pii_leak", at_most=0.25))
    return Manifest(
        run_id=run_id,
        suite=suite,
        suite_version="1",
        suite_hash="5" * 64,
        target_name="support-bot",
        target_hash=f"{int(at) % 7}" * 64,
        created_at=at,
        dataset=DatasetRecord(source="tickets@v1", digest=cases.digest, cases=len(cases), selected=len(cases)),
        scorers=tuple(
            ScorerRecord(
                metric=name,
                name=name,
                version="1",
                digest=name * 3,
                kind="proportion" if name in {"exact_match", "pii_leak"} else "mean",
                higher_is_better=name != "pii_leak",
                severity="high" if name == "pii_leak" else None,
            )
            for name in METRICS
        ),
        slices={"locale": {"by": "metadata.locale"}, "tier": {"by": "metadata.tier"}},
        gate=tuple(msgspec.to_builtins(rule) for rule in rules),
        owner="team-support",
        tier=1,
    )


def write_rows(folder: Path, cases: CaseFile, seed: int) -> None:
    """Units and scores of a run, written by the database from its own pseudo-random numbers."""
    with connect(memory="1GB", threads=2) as duck:
        duck.execute("CREATE TABLE words AS SELECT unnest(?) AS word", [WORDS])
        duck.execute(
            f"CREATE TABLE base AS SELECT i::INTEGER AS case_index, printf('tickets/%06d', i) AS case_id, "
            f"hash(i * 1000 + {seed}) AS h FROM range({len(cases)}) t(i)"
        )
        unit = {name: f"NULL::{kind}" for name, kind in UNIT_COLUMNS.items()} | {
            "case_index": "case_index",
            "case_id": "case_id",
            "case_hash": "''",
            "trial": "0",
            "position": "case_index",
            "text": ANSWER,
            "output": "CASE WHEN h % 200 = 0 THEN NULL ELSE '{}' END",
            "error_kind": "CASE WHEN h % 200 = 0 THEN 'timeout' END",
            "error_message": "CASE WHEN h % 200 = 0 THEN 'no answer in 30 s' END",
            "latency_s": "0.2 + (h % 1000) / 700.0",
            "cost": "0.0001 * (h % 37)",
            "model": "'model-' || (h % 2)",
            "input_tokens": "h % 500",
            "output_tokens": "h % 300",
            "failed_attempts": "0",
            "started_at": f"{START} + case_index * 0.01",
            "duration_s": "1.0",
            "calls": "1",
            "cached": "false",
        }
        columns = ", ".join(f"CAST({unit[name]} AS {kind}) AS {name}" for name, kind in UNIT_COLUMNS.items())
        copy(duck, f"SELECT {columns} FROM base ORDER BY case_index", folder / UNITS)
        score = {name: f"NULL::{kind}" for name, kind in SCORE_COLUMNS.items()} | {
            "case_index": "case_index",
            "case_id": "case_id",
            "trial": "0",
            "metric": "metric",
            "status": "CASE WHEN g % 500 = 0 THEN 'skipped' ELSE 'scored' END",
            "value": VALUE,
            "passed": PASSED,
            "reason": "'looked for the expected word in answer ' || case_index",
        }
        columns = ", ".join(f"CAST({score[name]} AS {kind}) AS {name}" for name, kind in SCORE_COLUMNS.items())
        duck.execute("CREATE TABLE metrics (metric VARCHAR, n INTEGER, verdict BOOLEAN, level INTEGER)")
        for number, name in enumerate(METRICS):
            level = 2 if name == "pii_leak" else 75 + seed % 7
            duck.execute(
                "INSERT INTO metrics VALUES (?, ?, ?, ?)", [name, number, name in {"exact_match", "pii_leak"}, level]
            )
        rows = f"SELECT *, hash(case_index * 7 + n + {seed} * 1000003) AS g FROM base, metrics WHERE h % 200 <> 0"
        copy(duck, f"SELECT {columns} FROM ({rows}) ORDER BY case_index, n", folder / SCORES)
        counts = [
            duck.execute(f"SELECT count(*) FROM read_parquet({literal(str(folder / n))})").fetchall()[0][0]
            for n in (UNITS, SCORES)
        ]
    (folder / SEAL).write_bytes(msgspec.json.encode(Seal(segments={}, units=counts[0], scores=counts[1])))


def copy(duck, query: str, path: Path) -> None:
    duck.execute(f"COPY ({query}) TO {literal(str(path))} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480)")


def make(folder: Path, runs: int, cases: int, big: int) -> None:
    """The workspace, made once."""
    workspace = Workspace.open(folder)
    small, large = case_file(workspace, cases), case_file(workspace, big) if big else None
    frames: dict[str, Path] = {}
    plan = [
        (f"{20260101 + n:08d}-000000-support-{n:04d}", "support" if n % 4 else "returns", small, n) for n in range(runs)
    ]
    plan += (
        [
            ("20261231-000000-nightly-big1", "nightly", large, 997),
            ("20261231-000001-nightly-big2", "nightly", large, 998),
        ]
        if large
        else []
    )
    for run_id, suite, file, seed in plan:
        if workspace.run_dir(run_id).is_dir() and workspace.catalog.get(run_id):
            continue
        shutil.rmtree(workspace.run_dir(run_id), ignore_errors=True)
        run = workspace.create_run(run_id)
        described = manifest(run_id, suite, file, START + 3600.0 * seed)
        run.write_manifest(described)
        write_rows(run.folder, file, seed)
        if file.digest in frames:
            shutil.copy(frames[file.digest], run.folder / "frame.npz")
        rules = tuple(msgspec.convert(rule, Rule) for rule in described.gate)
        request = GateRequest(workspace=workspace, rules=rules)
        workspace.catalog.add(described)
        with run:
            summary = summarise(run, lambda f, r=run, q=request: judge(r, f, q), RunEnd(status=RunStatus.COMPLETE))
            run.write_summary(summary)
        workspace.finish(summary, finished_at=described.created_at + 60)
        frames.setdefault(file.digest, run.folder / "frame.npz")


# --- measuring ---------------------------------------------------------------------------------------------------


def token(folder: Path) -> str:
    """A token of a user who may read."""
    accounts = Accounts(Workspace.open(folder).catalog.engine)
    if accounts.people.user("bench") is None:
        accounts.add_user(NewUser(username="bench", password="bench bench bench", admin=True), time.time())
    text, _ = accounts.add_token("bench", NewToken(name=f"bench {time.time()}", scopes=("read",), days=1), time.time())
    return text


class Server:
    """A server in a process of its own."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.headers = {"Authorization": f"Bearer {token(folder)}"}
        started = time.perf_counter()
        command = [sys.executable, "-m", "evalwright.cli.main", "serve", "-w", str(folder), "--port", str(self.port)]
        code = "from evalwright.cli.main import run; run()"
        self.process = subprocess.Popen([sys.executable, "-c", code, *command[3:]], stderr=subprocess.DEVNULL)
        while not self.answers():
            time.sleep(0.05)
        self.ready_s = time.perf_counter() - started

    def answers(self) -> bool:
        """Whether it listens."""
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return True
        except OSError:
            return False

    def first_byte(self, path: str) -> tuple[float, int, bytes]:
        """Seconds to the first byte of an answer, its status, and the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            started = time.perf_counter()
            connection.request("GET", f"/api/v1/projects/default/{path}", headers=self.headers)
            answer = connection.getresponse()
            seconds = time.perf_counter() - started
            return seconds, answer.status, answer.read()
        finally:
            connection.close()

    def cpu_s(self) -> float:
        """CPU seconds it has used so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self) -> float:
        """Resident memory."""
        text = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(next(line for line in text.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024

    def stop(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(20)


def questions(
    big: str, other: str, small: list[str], size: int, least: int
) -> dict[str, Callable[[random.Random], str]]:
    """By name: a route with other parameters each time."""
    cases = f"runs/{big}/cases"

    def at(path: str, **params: object) -> str:
        return f"{path}?{urlencode(params, doseq=True)}"

    def case(rng: random.Random) -> str:
        return f"tickets/{rng.randrange(size):06d}"

    return {
        "overview": lambda _: "overview",
        "runs": lambda rng: at(
            "runs",
            limit=50,
            sort=rng.choice(["-created_at", "cost", "-errored"]),
            q=rng.choice(["", "support", str(rng.randrange(100))]),
        ),
        "run (1,000,000 scores)": lambda _: f"runs/{big}",
        "run": lambda rng: f"runs/{rng.choice(small)}",
        "cases in order": lambda _: at(cases, limit=50),
        "cases failed": lambda rng: at(cases, status="failed", limit=rng.choice([25, 50, 100])),
        "cases by score": lambda rng: at(
            cases, sort=rng.choice(["score:groundedness", "-relevance", "-latency", "cost"]), limit=50
        ),
        "cases filtered": lambda rng: at(
            cases,
            where=[f"groundedness<{rng.random():.2f}", f"latency>{rng.random():.2f}"],
            slice=f"locale:{rng.choice(['de', 'en', 'fr', 'pl'])}",
        ),
        "cases searched": lambda rng: at(cases, q=f"order {rng.randrange(90000)}"),
        "case": lambda rng: f"{cases}/{case(rng)}",
        "case with list": lambda rng: at(f"{cases}/{case(rng)}", status="failed", sort="-latency"),
        "case, history of 30 runs": lambda rng: f"runs/{rng.choice(small)}/cases/tickets/{rng.randrange(least):06d}",
        "compare": lambda _: at("compare", baseline=other, candidate=big),
        "compare rows": lambda rng: at(
            "compare/rows",
            baseline=other,
            candidate=big,
            metric=rng.choice(METRICS),
            show=rng.choice(["all", "regressions", "improvements"]),
        ),
        "compare rows searched": lambda rng: at(
            "compare/rows", baseline=other, candidate=big, q=f"voucher {rng.randrange(7000)}"
        ),
        "trends": lambda rng: at("trends", suite="support", metric=rng.choice(METRICS)),
        "trends of a slice": lambda rng: at(
            "trends", suite="support", metric=rng.choice(METRICS), slice=f"locale:{rng.choice(['de', 'en'])}"
        ),
        "gates": lambda _: "gates",
        "suites": lambda _: "suites",
        "datasets": lambda _: "datasets",
    }


def measured(server: Server, name: str, make_path: Callable[[random.Random], str], repeat: int) -> dict[str, object]:
    rng = random.Random(name)
    cold, status, body = server.first_byte(make_path(rng))
    if status != 200:
        raise SystemExit(f"{name}: {status} {body[:300]!r}")
    before = server.cpu_s()
    times = sorted(server.first_byte(make_path(rng))[0] for _ in range(repeat))
    cpu = (server.cpu_s() - before) / repeat
    p95 = times[min(len(times) - 1, int(0.95 * len(times)))]
    return {
        "page": name,
        "cold_ms": cold * 1e3,
        "p50_ms": statistics.median(times) * 1e3,
        "p95_ms": p95 * 1e3,
        "cpu_ms": cpu * 1e3,
        "bytes": len(body),
    }


def report(rows: Iterator[dict[str, object]]) -> list[dict[str, object]]:
    print("| page | cold | median | 95th percentile | CPU | bytes |\n| --- | --- | --- | --- | --- | --- |")
    found = []
    for row in rows:
        found.append(row)
        times = " | ".join(f"{row[name]:.0f} ms" for name in ("cold_ms", "p50_ms", "p95_ms", "cpu_ms"))
        print(f"| {row['page']} | {times} | {row['bytes']:,} |", flush=True)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=160)
    parser.add_argument("--cases", type=int, default=10_000)
    parser.add_argument("--big", type=int, default=200_000)
    parser.add_argument("--repeat", type=int, default=20)
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--json", type=Path)
    parser.add_argument(
        "--priority", type=int, default=0, help="Lower the niceness by this (needs root): busy machines."
    )
    asked = parser.parse_args()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="evalwright-bench-"))
    if asked.priority:
        os.nice(-asked.priority)
    started = time.perf_counter()
    make(folder, asked.runs, asked.cases, asked.big)
    workspace = Workspace.open(folder)
    ids = [entry.run_id for entry in workspace.catalog.runs()]
    small = [run_id for run_id in ids if "nightly" not in run_id]
    total = len(METRICS) * (asked.runs * asked.cases + 2 * asked.big)
    print(
        f"{len(ids)} runs, about {total:,} scores, made or found in {time.perf_counter() - started:.0f} s\n", flush=True
    )
    server = Server(folder)
    try:
        rest = server.memory_mb()
        print(f"server ready after {server.ready_s:.2f} s, {rest:.0f} MB at rest\n", flush=True)
        pages = questions("20261231-000001-nightly-big2", "20261231-000000-nightly-big1", small, asked.big, asked.cases)
        rows = report(measured(server, name, path, asked.repeat) for name, path in pages.items())
        print(f"\n{server.memory_mb():.0f} MB after all pages", flush=True)
        if asked.json:
            asked.json.write_text(json.dumps({"rest_mb": rest, "after_mb": server.memory_mb(), "pages": rows}))
    finally:
        server.stop()
    if asked.folder is None:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
