"""The suites on the page about conversations are in order, and its cases are what the target takes."""

import json
import re
from pathlib import Path

from evalwright.cli.main import _call

PAGE = Path(__file__).parents[2] / "docs" / "conversations.md"
HEAD = "suite: page\nversion: 1\ndataset: { file: cases.jsonl }\n"


def test_the_suites_of_the_page_are_in_order(tmp_path, monkeypatch, capsys):
    text = PAGE.read_text(encoding="utf-8")
    suites = re.findall(r"```yaml\n(target:.*?)```", text, re.DOTALL)
    rows = [line for block in re.findall(r"```json\n(.*?)```", text, re.DOTALL) for line in block.splitlines()]
    assert len(suites) == 3
    assert len([json.loads(row) for row in rows]) == 6
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MODEL_URL", "http://localhost:9/v1")
    monkeypatch.setenv("USER_MODEL_URL", "http://localhost:9/v1")
    talk = {"id": "a", "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]}
    (tmp_path / "talks.jsonl").write_text(json.dumps(talk) + "\n", encoding="utf-8")
    (tmp_path / "cases.jsonl").write_text("\n".join(rows) + "\n", encoding="utf-8")
    for number, suite in enumerate(suites):
        name = f"suite-{number}.yaml"
        (tmp_path / name).write_text(HEAD + suite, encoding="utf-8")
        monkeypatch.setattr("sys.argv", ["evalwright", "validate", name])
        assert _call() == 0, capsys.readouterr().err
