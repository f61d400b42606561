"""A workspace with a few runs of one suite, made through the front door."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalwright import Case, Suite, evaluate
from evalwright.core.gate import Rule
from evalwright.core.suite import SliceSpec
from evalwright.scorers import Contains, ExactMatch
from evalwright.services.browsing.browser import Browser
from evalwright.store.workspace import Workspace

NAMES = ("Ada", "Zoë", "<script>alert(1)</script>", "=cmd()", "boom", "Lin", "Max", "O'Brien; DROP TABLE page")


def good(name: str) -> str:
    if name == "boom":
        raise ValueError("no such person")
    return f"Hello, {name}"


def worse(name: str) -> str:
    return good(name) if name < "M" or name == "boom" else f"Hi {name}"


def suite(**more: object) -> Suite:
    cases = [
        Case(id=f"c{place}", input=name, expected=f"Hello, {name}", metadata={"locale": "de" if place % 2 else "en"})
        for place, name in enumerate(NAMES)
    ]
    plain: dict[str, object] = {
        "name": "greeting",
        "cases": cases,
        "scorers": [ExactMatch(), Contains("Hello")],
        "slices": {"locale": SliceSpec(by="metadata.locale")},
        "gate": [Rule(metric="exact_match", at_least=0.5), Rule(metric="contains", at_least=0.99, min_n=5)],
        "owner": "team-hello",
        "tier": 1,
    }
    return Suite(**(plain | more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    folder = tmp_path_factory.mktemp("pages") / "ws"
    made = [evaluate(suite(), target=target, workspace=folder).run_id for target in (good, worse, good)]
    return folder, made


@pytest.fixture
def browser(runs: tuple[Path, list[str]]) -> Browser:
    return Browser(Workspace.open(runs[0]))


@pytest.fixture
def ids(runs: tuple[Path, list[str]]) -> list[str]:
    return runs[1]
