"""The suite and the rubric on the page about judges are in order."""

import re
from pathlib import Path

from evalwright.cli.main import _call

PAGE = Path(__file__).parents[2] / "docs" / "judges.md"
HEAD = """\
suite: page
version: 1
target: { type: chat, model: m, base_url: "http://localhost:9/v1" }
dataset: { cases: [{ id: a, input: q, expected: e }] }
"""


def test_the_page_is_a_suite_that_can_be_run(tmp_path, monkeypatch, capsys):
    suite, rubric, *_ = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "rubrics").mkdir()
    (tmp_path / "rubrics" / "helpful.yaml").write_text(rubric, encoding="utf-8")
    (tmp_path / "before.jsonl").write_text('{"id": "a", "output": "x"}\n', encoding="utf-8")
    (tmp_path / "suite.yaml").write_text(HEAD + suite, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("JUDGE_URL", "http://localhost:9")
    monkeypatch.setattr("sys.argv", ["evalwright", "validate", "suite.yaml"])
    assert _call() == 0, capsys.readouterr().err
