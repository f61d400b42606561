"""The page on human review is run as it stands."""

from tests.docs.test_tutorial import blocks, check_console
from tests.e2e.conftest import folder  # noqa: F401 - the fixture


def test_the_page_runs_as_it_stands(folder):  # noqa: F811
    count = 0
    for kind, name, text in blocks("review.md"):
        if name:
            folder.write(name, text)
        elif kind == "console":
            check_console(folder, text)
            count += text.count("$ evalwright")
    assert count == 2
