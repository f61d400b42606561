"""The mock model server of the reference data, built and started once."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from tests.shared_data import shared_data


@pytest.fixture(scope="session")
def mock_llm(tmp_path_factory) -> Iterator[str]:
    """Address of a running mock model server that speaks the OpenAI protocol."""
    script = shared_data("bench/start_mock.sh")
    if shutil.which("gcc") is None or shutil.which("curl") is None:
        pytest.skip("the mock model server needs gcc and curl")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "MOCK_BIN": str(tmp_path_factory.mktemp("mock") / "mock_llm")}
    started = subprocess.run([script, str(port)], env=environment, capture_output=True, text=True, check=True)
    yield f"http://127.0.0.1:{port}"
    os.kill(int(started.stdout), signal.SIGTERM)
