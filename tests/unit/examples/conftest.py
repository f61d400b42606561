"""Makes the example product importable, as a suite's `path:` does."""

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HELPDESK = Path(__file__).resolve().parents[3] / "examples" / "helpdesk"
if str(HELPDESK) not in sys.path:
    sys.path.insert(0, str(HELPDESK))


@pytest.fixture(scope="session")
def golden() -> list[dict[str, Any]]:
    """Rows of the golden set in file order."""
    return [json.loads(line) for line in (HELPDESK / "golden.jsonl").read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="session")
def scorers() -> ModuleType:
    """The product's own scorers, loaded from their file as a suite loads them."""
    spec = importlib.util.spec_from_file_location("helpdesk_scorers", HELPDESK / "scorers.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
