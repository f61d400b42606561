"""A PostgreSQL of one's own on a loopback port, for the tests that need one."""

import os
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def binaries() -> Path | None:
    """The folder with `initdb`; None when there is none."""
    found = shutil.which("initdb")
    known = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in known if (folder / "initdb").is_file()), None)


@contextmanager
def postgres() -> Iterator[tuple[str, str]]:
    """A fresh server; gives its URL with `${TEST_DB_PASSWORD}` in it, and the password."""
    folder = binaries()
    if folder is None:
        pytest.skip("no PostgreSQL is installed")
    user = "postgres" if os.geteuid() == 0 else None
    home = Path(tempfile.mkdtemp(prefix="evalwright-pg-"))
    if user:
        shutil.chown(home, user)
    password = secrets.token_hex(8) + "@/:%"
    (home / "password").write_text(password)
    (home / "password").chmod(0o644)

    def call(*command: str) -> None:
        subprocess.run(
            [str(folder / command[0]), *command[1:]], user=user, check=True, cwd=home, capture_output=True, timeout=60
        )

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    data = str(home / "data")
    call("initdb", "-D", data, "-U", "me", "-A", "scram-sha-256", "--pwfile", str(home / "password"), "-N")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c fsync=off"
    call("pg_ctl", "-D", data, "-o", options, "-l", str(home / "log"), "-w", "start")
    try:
        yield f"postgresql://me:${{TEST_DB_PASSWORD}}@127.0.0.1:{port}/postgres", password
    finally:
        call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(home, ignore_errors=True)
