"""Where a run came from: commit, package versions, platform."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from evalwright.core.case import Json
from evalwright.core.run import CodeRecord

PACKAGES = ("evalwright", "aiohttp", "duckdb", "msgspec", "numpy", "pydantic", "scipy", "sqlalchemy")


def code_record(folder: Path) -> CodeRecord:
    """Commit, branch and whether there are uncommitted changes; all None outside a git checkout."""
    commit = _git(folder, "rev-parse", "HEAD")
    if commit is None:
        return CodeRecord()
    status = _git(folder, "status", "--porcelain", "--untracked-files=no")
    return CodeRecord(
        commit=commit, dirty=None if status is None else bool(status), branch=_git(folder, "branch", "--show-current")
    )


def _git(folder: Path, *words: str) -> str | None:
    try:
        done = subprocess.run(  # noqa: S603 - fixed words, no shell
            ["git", "-C", str(folder), *words],  # noqa: S607 - git is looked up as the user would
            capture_output=True,
            text=True,
            timeout=5,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def package_versions() -> dict[str, str]:
    """Versions of Evalwright, Python and the packages the figures rest on."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def environment_record() -> dict[str, Json]:
    """Facts about the machine that may matter to a rerun; nothing that names it."""
    return {
        "platform": sys.platform,
        "machine": platform.machine(),
        "implementation": platform.python_implementation(),
        "processors": os.cpu_count(),
    }
