"""Where tests find the shared reference data, and how they skip without it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared_root() -> Path:
    """Folder of the reference data: the variable EVALWRIGHT_SHARED, else the folder `shared` beside the project."""
    configured = os.environ.get("EVALWRIGHT_SHARED")
    return Path(configured) if configured else Path(__file__).resolve().parents[2] / "shared"


def shared_data(name: str) -> Path:
    """Path of one file or folder of the reference data; skips the test when it is absent."""
    path = shared_root() / name
    if not path.exists():
        pytest.skip(f"reference data not present: {name} (set EVALWRIGHT_SHARED)")
    return path
