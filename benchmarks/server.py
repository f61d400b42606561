"""How soon a server is ready, and how much memory it takes at rest.

    python benchmarks/server.py [--workspace FOLDER] [--times 5]

Starts `evalwright serve` as people do, waits until `/healthz` answers, lets it rest, asks for some pages as a
signed-in user, lets it rest again. Memory is what Linux says of the process (VmRSS).
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PAGES = ("/session", "/projects/default/overview", "/projects/default/runs", "/projects/default/suites")
REST_S = 6.0
CODE = re.compile(r"code ([0-9a-f-]+)")
PASSWORD = "only for this measurement"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def call(port: int, method: str, path: str, body: object = None, headers: dict[str, str] | None = None):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    with contextlib.closing(connection):
        data = None if body is None else json.dumps(body)
        connection.request(method, path, data, {"Content-Type": "application/json", **(headers or {})})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def memory_mb(pid: int) -> float:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(re.search(r"VmRSS:\s+(\d+)", text)[1]) / 1024


def cpu_s(pid: int) -> float:
    """Processor time so far: what a start takes on a machine that does nothing else."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def ready_after(port: int, process: subprocess.Popen) -> None:
    while True:
        with contextlib.suppress(OSError, http.client.HTTPException):
            if call(port, "GET", "/healthz")[0] == 200:
                return
        if process.poll() is not None:
            raise SystemExit(process.stderr.read().decode())
        time.sleep(0.01)


def measure(workspace: Path) -> dict[str, float]:
    port = free_port()
    command = [Path(sys.executable).with_name("evalwright"), "serve", "-w", workspace, "--port", str(port)]
    began = time.perf_counter()
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        ready_after(port, process)
        found = {"ready_s": time.perf_counter() - began, "ready_cpu_s": cpu_s(process.pid)}
        time.sleep(REST_S)
        found["rest_mb"] = memory_mb(process.pid)
        words = process.stderr.readline().decode() + process.stderr.readline().decode()
        body = {"code": CODE.search(words)[1], "username": "ada", "password": PASSWORD}
        status, headers, _ = call(port, "POST", "/api/v1/setup", body)
        cookie = {"Cookie": headers["Set-Cookie"].split(";")[0]}
        for path in PAGES * 5:
            status, _, answer = call(port, "GET", f"/api/v1{path}", headers=cookie)
            assert status == 200, (path, answer)
        time.sleep(REST_S)
        return {**found, "rest_after_pages_mb": memory_mb(process.pid)}
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--workspace", type=Path, help="A workspace without users; a new one by default.")
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    rows = []
    for _ in range(options.times):
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder) / "workspace"
            if options.workspace:
                import shutil

                shutil.copytree(options.workspace, place)
            rows.append(measure(place))
    print(json.dumps({key: [round(row[key], 2) for row in rows] for key in rows[0]}))
    for key in rows[0]:
        values = [row[key] for row in rows]
        print(f"{key:22} median {statistics.median(values):8.2f}  worst {max(values):8.2f}")


if __name__ == "__main__":
    main()
