"""Python on the documentation's pages runs."""

import pytest

from tests.docs.test_tutorial import blocks


@pytest.mark.parametrize("page", ["python.md", "scoring.md"])
def test_the_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("EVALWRIGHT_WORKSPACE", raising=False)
    names = {"__name__": "page"}
    for kind, _, text in blocks(page):
        if kind == "python":
            exec(compile(text, page, "exec"), names)
