"""What a pack run adds to its calls: attacks against the mock model server, beside a bare loop of the same calls.

    python benchmarks/packs.py [--attacks 5000] [--latency-ms 0] [--repeats 3]

The mock model server is that of the bench kit (EVALWRIGHT_SHARED names the folder that holds `bench`; needs gcc).
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec
from mock_server import kit, running

from evalwright.core.case import Case
from evalwright.packs.transforms import TRANSFORMS
from evalwright.services.attack_request import AttackRequest
from evalwright.services.attacking import AttackPlan, plan_attack, run_attack
from evalwright.services.evaluation import RunContext
from evalwright.store.workspace import Workspace

SUITE = """\
suite: mock
version: 1
target: {{ type: chat, model: mock-1, base_url: "{url}/v1" }}
dataset: {{ cases: [{{ id: a, input: [{{ role: user, content: hello }}] }}] }}
scorers: [length]
"""
IN_FLIGHT = 64


class Took(NamedTuple):
    """Seconds of one pass, and what it came to."""

    wall: float
    cpu: float
    done: int


def timed(work: Callable[[], int]) -> Took:
    cpu, start = time.process_time(), time.perf_counter()
    done = work()
    return Took(time.perf_counter() - start, time.process_time() - cpu, done)


def suite(folder: Path, url: str) -> str:
    path = folder / "suite.yaml"
    path.write_text(SUITE.format(url=url))
    return str(path)


def plan(path: str, attacks: int) -> AttackPlan:
    """A plan of exactly so many attacks of all packs, one turn each, so that calls and attacks are the same number."""
    disguises = tuple(TRANSFORMS)
    request = AttackRequest(packs=("all",), suite=path, limit=attacks, concurrency=IN_FLIGHT, transforms=disguises)
    whole = plan_attack(request)
    single = [c for c in whole.cases if c.metadata["kind"] == "attack" and len(c.input["turns"]) == 1]
    single = single[:: max(1, len(single) // attacks)][:attacks]
    source = msgspec.structs.replace(whole.source, rows=tuple(single))
    return msgspec.structs.replace(whole, source=source, cases=tuple(single))


def bare(cases: tuple[Case, ...], url: str) -> int:
    async def all_of_them() -> int:
        queue = list(cases)
        async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:

            async def work() -> int:
                done = 0
                while queue:
                    messages = [{"role": "user", "content": queue.pop().input["turns"][0]}]
                    body = {"model": "mock-1", "messages": messages}
                    async with session.post(f"{url}/v1/chat/completions", json=body) as reply:
                        await reply.json()
                    done += 1
                return done

            return sum(await asyncio.gather(*(work() for _ in range(IN_FLIGHT))))

    return asyncio.run(all_of_them())


def attacked(made: AttackPlan, folder: Path) -> int:
    with tempfile.TemporaryDirectory(dir=folder) as place:
        report = run_attack(made, RunContext(workspace=Workspace.open(Path(place) / ".evalwright")))
    return int(report.counts.tries)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--attacks", type=int, default=5_000)
    parser.add_argument("--latency-ms", type=float, default=0)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, running(kit()) as mock:
        folder = Path(name)
        start = time.perf_counter()
        made = plan(suite(folder, mock.url), options.attacks)
        print(
            f"planned {len(made.cases):,} attacks of {made.possible:,} possible in {time.perf_counter() - start:.1f} s"
        )
        ratios = []
        for _ in range(options.repeats):
            settings: dict[str, Any] = {"ms": options.latency_ms}
            mock.configure(**settings)
            plain = timed(lambda: bare(made.cases, mock.url))
            mock.configure(**settings)
            ours = timed(lambda: attacked(made, folder))
            ratios.append(ours.cpu / plain.cpu)
            print(f"bare loop {plain.wall:5.1f} s wall, {1000 * plain.cpu / plain.done:.2f} ms CPU an attack; "
                  f"pack run {ours.wall:5.1f} s wall, {1000 * ours.cpu / ours.done:.2f} ms CPU, "
                  f"{ours.done / ours.wall:,.0f} attacks/s; x {ratios[-1]:.1f}")  # fmt: skip
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"median ratio {statistics.median(ratios):.1f}; peak memory {peak:.0f} MB")


if __name__ == "__main__":
    main()
