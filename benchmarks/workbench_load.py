"""Readers and reviewers at once, with kill -9 of the server in the middle: latencies, errors, what was lost.

    python benchmarks/workbench_load.py [--seconds 60] [--readers 50] [--reviewers 10] [--catalog postgresql://…]

Makes a workspace with a run of 2,000 cases, serves it on a loopback port, lets readers walk over the pages' questions
and reviewers take items and hand labels in, each with pauses as people make them. In the middle the server is killed
and started again. In the end every label that a reviewer was told is kept must be in the database once.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import aiohttp
import sqlalchemy as sa

from evalwright.server.settings import ServerSettings
from evalwright.server.state import ServerState
from evalwright.services.accounts import NewToken, NewUser
from evalwright.store.accounts import Member
from evalwright.store.review_tables import LABELS

CASES = 2_000
SUITE = """\
suite: load
version: 1
target: { type: python, callable: "product:answer" }
dataset: { file: cases.jsonl }
scorers: [exact]
slices: { locale: metadata.locale }
gate:
  - { metric: exact, at_least: 0.8 }
"""
PRODUCT = "def answer(question):\n    return question if int(question.split()[1]) % 10 else 'no idea'\n"
RUBRIC = {
    "name": "helpful",
    "criterion": "Does the answer help?",
    "levels": [{"name": name, "value": value} for value, name in enumerate(("no", "partly", "yes"))],
}


class Load:
    """One measurement."""

    def __init__(self, options: argparse.Namespace, folder: Path) -> None:
        self.options = options
        self.folder = folder
        self.workspace = folder / ".evalwright"
        self.times: dict[str, list[float]] = defaultdict(list)
        self.errors: Counter[str] = Counter()
        self.away: Counter[str] = Counter()
        self.labels: dict[str, str] = {}
        self.unsure = 0
        self.down = False
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/api/v1/projects/default"
        self.before = self.run_id = ""
        self.queue = ""

    def prepare(self) -> dict[str, str]:
        """A run, users, their tokens."""
        rows = (
            {"id": f"c{n:05}", "input": f"question {n}", "expected": f"question {n}", "locale": "de" if n % 3 else "en"}
            for n in range(CASES)
        )
        (self.folder / "cases.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        (self.folder / "product.py").write_text(PRODUCT)
        (self.folder / "suite.yaml").write_text(SUITE)
        words = ["run", "suite.yaml", "--json", "--report", "none", "-w", str(self.workspace)]
        self.before, self.run_id = (self.one_run(words) for _ in range(2))
        state = ServerState(ServerSettings(workspace=self.workspace, catalog=self.options.catalog))
        people = {f"reader{n}": "reviewer" for n in range(self.options.readers)}
        people |= {f"rater{n}": "reviewer" for n in range(self.options.reviewers)} | {"lead": "lead"}
        tokens = {}
        for name, role in people.items():
            state.accounts.add_user(NewUser(username=name), time.time())
            state.accounts.set_member(Member(project="default", username=name, role=role, added_by="load"))
            wanted = NewToken(name="load", scopes=("read", "write", "review"), days=1)
            tokens[name] = state.accounts.add_token(name, wanted, time.time())[0]
        state.close()
        return tokens

    def one_run(self, words: list[str]) -> str:
        """The id of a new run."""
        command = [evalwright(), *words]
        done = subprocess.run(command, check=False, cwd=self.folder, capture_output=True, env=self.environment())
        return json.loads(done.stdout.splitlines()[-1])["run_id"]

    def environment(self) -> dict[str, str]:
        """The environment of commands, with the catalog in it."""
        return {**os.environ, **({"EVALWRIGHT_CATALOG": self.options.catalog} if self.options.catalog else {})}

    def start(self) -> subprocess.Popen:
        """A server."""
        words = ["serve", "-w", str(self.workspace), "--port", str(self.port)]
        return subprocess.Popen([evalwright(), *words], stderr=subprocess.DEVNULL, env=self.environment())

    async def measure(self, tokens: dict[str, str]) -> None:
        """Serve, ask, kill, ask on."""
        process = self.start()
        connector = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(connector=connector, timeout=aiohttp.ClientTimeout(total=30)) as web:
            await self.until_ready(web)
            await self.make_queue(web, tokens["lead"])
            end = time.monotonic() + self.options.seconds
            tasks = [
                asyncio.create_task(self.read(web, tokens[f"reader{n}"], end)) for n in range(self.options.readers)
            ]
            tasks += [
                asyncio.create_task(self.review(web, f"rater{n}", tokens[f"rater{n}"], end))
                for n in range(self.options.reviewers)
            ]
            await asyncio.sleep(self.options.seconds / 2)
            self.down = True
            process.send_signal(signal.SIGKILL)
            process.wait()
            killed = time.monotonic()
            process = self.start()
            await self.until_ready(web)
            self.down = False
            print(f"killed and ready again after {time.monotonic() - killed:.1f} s")
            await asyncio.gather(*tasks)
        process.terminate()
        process.wait()

    async def until_ready(self, web: aiohttp.ClientSession) -> None:
        """Wait until the server answers."""
        while True:
            try:
                async with web.get(f"http://127.0.0.1:{self.port}/healthz") as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                await asyncio.sleep(0.05)

    async def make_queue(self, web: aiohttp.ClientSession, token: str) -> None:
        """A queue over the run, two raters an item."""
        body = {"name": "load", "source": {"run": self.run_id}, "rubrics": [RUBRIC], "raters_per_item": 2}
        headers = {"Authorization": f"Bearer {token}"}
        async with web.post(f"{self.url}/review/queues", json=body, headers=headers) as answer:
            found = await answer.json()
            if answer.status != 201:
                raise SystemExit(f"no queue: {found}")
            self.queue = found["queue"]["id"]

    async def ask(self, web: aiohttp.ClientSession, name: str, method: str, path: str, token: str, body=None):
        """One request, timed; None when there was no answer, or none that counts."""
        began, down = time.perf_counter(), self.down
        try:
            headers = {"Authorization": f"Bearer {token}"}
            async with web.request(method, self.url + path, json=body, headers=headers) as answer:
                found = await answer.json(content_type=None)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            (self.away if down or self.down else self.errors)[f"{name}: {type(error).__name__}"] += 1
            return None
        if answer.status >= 400:
            self.errors[f"{name}: {answer.status} {found['error']['code']}"] += 1
            return None
        if not (down or self.down):
            self.times[name].append(time.perf_counter() - began)
        return found

    async def read(self, web: aiohttp.ClientSession, token: str, end: float) -> None:
        """Somebody who looks around."""
        run = self.run_id
        pages = {
            "overview": "/overview",
            "runs": "/runs?limit=50",
            "run": f"/runs/{run}",
            "cases": f"/runs/{run}/cases?status=failed&limit=50",
            "compare": f"/compare?baseline={self.before}&candidate={run}",
            "trends": "/trends?suite=load&metric=exact",
            "suites": "/suites",
        }
        await asyncio.sleep(random.random())
        while time.monotonic() < end:
            name = random.choice([*pages, "case"])
            path = pages.get(name) or f"/runs/{run}/cases/c{random.randrange(CASES):05}"
            await self.ask(web, name, "GET", path, token)
            await asyncio.sleep(random.uniform(1.0, 3.0))

    async def review(self, web: aiohttp.ClientSession, rater: str, token: str, end: float) -> None:
        """Somebody who labels; what was not answered is handed in again under the same key."""
        number = 0
        await asyncio.sleep(random.random())
        while time.monotonic() < end:
            found = await self.ask(web, "next", "POST", f"/review/queues/{self.queue}/next", token, {})
            if not found or not found.get("item"):
                await asyncio.sleep(0.5)
                continue
            item = found["item"]["id"]
            await asyncio.sleep(random.uniform(0.3, 1.0))
            number += 1
            body = {"answers": {"helpful": random.choice(("no", "partly", "yes"))}, "key": f"{rater}-{number}"}
            while True:
                done = await self.ask(web, "submit", "POST", f"/review/items/{item}/submit", token, body)
                if done:
                    self.labels[done["label_id"]] = rater
                    break
                if not self.down and time.monotonic() > end + 20:
                    self.unsure += 1
                    break
                await asyncio.sleep(0.2)

    def check(self) -> bool:
        """Whether every label that was acknowledged is kept once, and no item has more than it may."""
        settings = ServerSettings(workspace=self.workspace, catalog=self.options.catalog)
        state = ServerState(settings)
        with state.places.root.catalog.engine.connect() as connection:
            rows = connection.execute(sa.select(LABELS.c.label_id, LABELS.c.item_id, LABELS.c.rater)).all()
        state.close()
        kept = Counter(row.label_id for row in rows)
        lost = [label for label in self.labels if kept[label] != 1]
        twice = [pair for pair, count in Counter((row.item_id, row.rater) for row in rows).items() if count > 1]
        many = [item for item, count in Counter(row.item_id for row in rows).items() if count > 2]
        print(
            f"labels acknowledged {len(self.labels)}, kept {len(rows)}, lost {len(lost)}, twice {len(twice)}, ", end=""
        )
        print(f"items with too many {len(many)}, of unknown fate {self.unsure}")
        return not (lost or twice or many)

    def report(self) -> None:
        """Latencies and errors."""
        print(f"{'request':10} {'n':>6} {'p50 ms':>8} {'p95 ms':>8} {'p99 ms':>8} {'worst':>8}")
        for name, values in sorted(self.times.items()):
            cuts = statistics.quantiles(values, n=100) if len(values) > 1 else values * 99
            shown = (cuts[49], cuts[94], cuts[98], max(values))
            print(f"{name:10} {len(values):6} " + " ".join(f"{value * 1000:8.0f}" for value in shown))
        print(f"errors while up: {dict(self.errors) or 'none'}")
        print(f"no answer while killed: {sum(self.away.values())}")


def evalwright() -> str:
    return str(Path(sys.executable).with_name("evalwright"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--readers", type=int, default=50)
    parser.add_argument("--reviewers", type=int, default=10)
    parser.add_argument("--catalog", help="PostgreSQL; SQLite in the workspace by default.")
    with tempfile.TemporaryDirectory(prefix="evalwright-load-") as folder:
        load = Load(parser.parse_args(), Path(folder))
        asyncio.run(load.measure(load.prepare()))
        load.report()
        return 0 if load.check() else 1


if __name__ == "__main__":
    sys.exit(main())
