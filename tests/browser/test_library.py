"""The pages' own unit tests, and that their types are those of the API."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NPM = Path(sys.executable).with_name("npm")


@pytest.mark.skipif(not NPM.is_file(), reason="no Node in this environment: install requirements/e2e.lock")
def test_unit_tests_and_types_of_the_pages(pages: Path) -> None:
    del pages  # building them has installed what the tests need
    for script in ("test", "check"):
        done = subprocess.run(
            [NPM, "run", script],
            cwd=ROOT / "ui",
            env={"PATH": f"{NPM.parent}:/usr/bin:/bin", "HOME": str(Path.home())},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
