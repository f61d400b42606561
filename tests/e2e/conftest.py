"""A folder with a small suite, and the command line called in it."""

import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest

CASES = [
    {"id": f"q{i:02d}", "input": f"question {i}", "expected": f"answer {i}", "locale": "de" if i % 3 else "en"}
    for i in range(30)
]

SUITE = """\
suite: small
version: 1
target: { type: python, callable: "product:answer" }
dataset: { file: cases.jsonl }
scorers: [exact]
slices: { locale: metadata.locale }
"""

PRODUCT = '''\
"""A product that is right except on every tenth question."""


def answer(question):
    number = int(question.split()[1])
    return f"answer {number}" if number % 10 else "no idea"
'''


@dataclass(frozen=True)
class Called:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self):
        return json.loads(self.out)


class Folder:
    """A user's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.write("product.py", PRODUCT)
        self.write("cases.jsonl", "".join(json.dumps(case) + "\n" for case in CASES))
        self.write("suite.yaml", SUITE)

    def write(self, name: str, text: str) -> Path:
        path = self.path / name
        path.write_text(text, encoding="utf-8")
        return path

    def suite(self, name: str = "suite.yaml", *, extra: str = "", **parts: str) -> str:
        """Write a variant of the small suite: whole sections replaced by key, `extra` lines added."""
        lines = [line for line in SUITE.splitlines() if line.partition(":")[0] not in parts]
        lines += [f"{key}: {value}" for key, value in parts.items()]
        self.write(name, "\n".join(lines) + "\n" + extra)
        return name

    def run(self, *words: str) -> Called:
        """Call the command line in this process."""
        from evalwright.cli.main import _call

        out, err, before = io.StringIO(), io.StringIO(), sys.argv
        sys.argv = ["evalwright", *words]
        try:
            with redirect_stdout(out), redirect_stderr(err):
                code = _call()
        finally:
            sys.argv = before
        return Called(code, out.getvalue(), err.getvalue())


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVALWRIGHT_WORKSPACE", raising=False)
    for name in [name for name in sys.modules if name == "product" or name.startswith("evalwright_suite_")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return Folder(tmp_path)
