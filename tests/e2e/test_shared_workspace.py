"""One workspace of two machines from the command line, with a folder as object storage."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from evalwright.cli.main import main

SUITE = """
suite: echo
target: { type: python, callable: product:answer }
dataset: { file: cases.jsonl }
scorers: [exact_match]
"""


def call(*words: str, code: int = 0) -> str:
    found = CliRunner().invoke(main, list(words), standalone_mode=False, catch_exceptions=False)
    assert found.exit_code == code, found.output
    return found.stdout


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[str, ...]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EVALWRIGHT_CATALOG", "")
    monkeypatch.setenv("EVALWRIGHT_OBJECTS", "")
    Path("suite.yaml").write_text(SUITE)
    cases = [{"id": "a", "input": "hello", "expected": "hello"}, {"id": "b", "input": "bye", "expected": "ciao"}]
    Path("cases.jsonl").write_text("".join(json.dumps(case) + "\n" for case in cases))
    Path("product.py").write_text("def answer(text):\n    return text\n")
    return ("--catalog", f"sqlite:///{tmp_path}/shared.db", "--objects", f"file://{tmp_path}/bucket")


def test_what_one_machine_ran_another_shows(shared: tuple[str, ...]) -> None:
    call(*shared, "run", "suite.yaml", "-w", "one")
    listed = json.loads(call(*shared, "list", "runs", "-w", "two", "--json"))
    assert len(listed) == 1
    assert "bye" in call(*shared, "show", "latest", "b", "-w", "two")
    assert json.loads(call(*shared, "sync", "-w", "one", "--json"))["runs_put"] == 0


def test_a_folder_knows_where_the_rest_is(shared: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    call(*shared, "run", "suite.yaml", "-w", "one")
    monkeypatch.setenv("EVALWRIGHT_CATALOG", "")
    monkeypatch.setenv("EVALWRIGHT_OBJECTS", "")
    assert not Path("one/catalog.db").exists()
    assert len(json.loads(call("list", "runs", "-w", "one", "--json"))) == 1


def test_a_folder_alone_has_nothing_to_sync(shared: tuple[str, ...]) -> None:
    call("run", "suite.yaml", "-w", "one")
    found = CliRunner().invoke(main, ["sync", "-w", "one"], standalone_mode=False)
    assert "is not shared" in str(found.exception)
