from __future__ import annotations

import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from evalwright.suites import LoadedSuite, load_suite
from tests.unit.suites.vocab import VOCABULARY


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Write `suite.yaml` into a folder of its own and go there, so that messages hold short names."""
    monkeypatch.chdir(tmp_path)

    def write_it(text: str, name: str = "suite.yaml") -> str:
        Path(name).write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")
        return name

    return write_it


@pytest.fixture
def load(write: Callable[..., str]) -> Callable[..., LoadedSuite]:
    """Load a suite from its text."""

    def load_it(text: str, **environment: str) -> LoadedSuite:
        return load_suite(write(text), VOCABULARY, environment=environment)

    return load_it
