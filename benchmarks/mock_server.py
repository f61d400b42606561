"""The mock model server of the shared bench kit: found, built, started, asked for its counts."""

from __future__ import annotations

import json
import math
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from heapq import heapify, heappushpop
from pathlib import Path
from shutil import which
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]


class Missing(Exception):
    """The kit or the compiler is not there; the message says which."""


def kit() -> Path:
    """Folder of the bench kit.

    Raises:
        Missing: There is none, or no C compiler.
    """
    shared = Path(os.environ.get("EVALWRIGHT_SHARED", REPOSITORY.parent / "shared"))
    if not (shared / "bench" / "mock_llm.c").is_file():
        raise Missing(f"no bench kit in {shared / 'bench'}: set EVALWRIGHT_SHARED to the folder that holds `bench`")
    if which("gcc") is None:
        raise Missing("the mock model server needs gcc")
    return shared / "bench"


class Mock:
    """A running mock model server."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(self.url + path, timeout=10) as reply:
            return json.loads(reply.read() or b"{}")

    def configure(self, **keys: float | str) -> None:
        """Change its behaviour, everything else back to plain answers without delay, and forget what it counted."""
        plain = {
            "latency": "fixed",
            "ms": 0,
            "p429": 0,
            "p500": 0,
            "preset": 0,
            "ptimeout": 0,
            "pmalformed": 0,
            "rps": 0,
        }
        chosen = {**plain, "retry_after": 1, "median_ms": 800, "sigma": 0.5, **keys}
        self._get("/__config?" + "&".join(f"{key}={value}" for key, value in chosen.items()))
        self._get("/__reset")

    def counts(self) -> dict[str, Any]:
        """What it counted since it was configured."""
        counted: dict[str, Any] = self._get("/__stats")
        return counted


@contextmanager
def running(bench: Path) -> Iterator[Mock]:
    """Build and start the server on a free port, and end it afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        binary = Path(folder) / "mock_llm"
        subprocess.run(["gcc", "-O2", "-o", binary, bench / "mock_llm.c", "-lm"], check=True)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        process = subprocess.Popen([binary, str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            mock = Mock(port)
            _wait(mock)
            yield mock
        finally:
            process.terminate()
            process.wait()


def _wait(mock: Mock) -> None:
    for _ in range(100):
        try:
            mock.counts()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise Missing("the mock model server did not start")


_WORD = (1 << 64) - 1


def _mixed(value: int) -> int:
    """SplitMix64's output function."""
    value = (value + 0x9E3779B97F4A7C15) & _WORD
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _WORD
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _WORD
    return value ^ (value >> 31)


def delay_s(key: str, *, median_s: float = 0.8, sigma: float = 0.5, seed: int = 1) -> float:
    """Seconds the server takes for the first chat request with a key, when its latency is lognormal."""
    hashed = 14695981039346656037
    for byte in key.encode():
        hashed = ((hashed ^ byte) * 1099511628211) & _WORD
    base = _mixed((hashed ^ (1 << 60)) ^ (seed * 0x9E3779B97F4A7C15 & _WORD))
    first, second = ((_mixed((base + n) & _WORD) >> 11) / 2**53 for n in (2, 3))
    normal = math.sqrt(-2 * math.log(max(first, 1e-12))) * math.cos(2 * math.pi * second)
    return median_s * math.exp(sigma * normal)


def ideal_s(delays: Sequence[float], concurrency: int) -> float:
    """Wall seconds of these calls in this order, each begun as soon as one of `concurrency` places is free."""
    free = [0.0] * concurrency
    heapify(free)
    last = 0.0
    for delay in delays:
        end = free[0] + delay
        heappushpop(free, end)
        last = max(last, end)
    return last
