"""Builds the pages of the workbench into the package, when their sources changed: `make ui`."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "ui"
STATIC = ROOT / "src/evalwright/server/static"
MARK = ".built-from"
"""File beside the built pages with the hash of the sources they were made of."""

_LEFT_OUT = {"node_modules", "__pycache__", ".vite"}
_MISSING = """the pages of the workbench are not built, and there is no Node to build them with
hint: run `make ui` first (it takes Node from the package index), or put `npm` on the PATH"""


def build(*, force: bool = False) -> bool:
    """Build the pages if they are stale; whether anything was done.

    Raises:
        RuntimeError: There is no Node.
        subprocess.CalledProcessError: The build failed; its words are on the terminal.
    """
    wanted = digest(SOURCE)
    mark = STATIC / MARK
    if not force and mark.is_file() and mark.read_text("utf-8").strip() == wanted:
        return False
    npm = find_npm()
    if npm is None:
        raise RuntimeError(_MISSING)
    environment = {**os.environ, "PATH": os.pathsep.join([str(npm.parent), os.environ.get("PATH", "")])}
    for command in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        subprocess.run([str(npm), *command], cwd=SOURCE, env=environment, check=True)  # noqa: S603  our own npm
    mark.write_text(wanted + "\n", "utf-8")
    return True


def digest(folder: Path) -> str:
    """Hash of every source file of the pages with its name."""
    total = hashlib.sha256()
    for path in sorted(_files(folder)):
        total.update(path.relative_to(folder).as_posix().encode() + b"\0")
        total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def _files(folder: Path) -> Iterator[Path]:
    for entry in folder.iterdir():
        if entry.name in _LEFT_OUT:
            continue
        if entry.is_dir():
            yield from _files(entry)
        else:
            yield entry


def find_npm() -> Path | None:
    """The npm beside this Python, of the checkout's environment, or of the system."""
    beside = [Path(sys.executable).parent / "npm", ROOT / ".venv/bin/npm"]
    system = shutil.which("npm")
    return next((path for path in [*beside, *([Path(system)] if system else [])] if path.is_file()), None)


if __name__ == "__main__":
    try:
        done = build(force="--force" in sys.argv)
    except RuntimeError as error:
        sys.exit(f"error: {error}")
    sys.stderr.write("pages built\n" if done else "pages are up to date\n")
