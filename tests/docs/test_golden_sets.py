"""The page on golden sets is run as it stands."""

from tests.docs.test_tutorial import blocks, check_console
from tests.e2e.conftest import folder  # noqa: F401 - the fixture


def test_the_page_runs_as_it_stands(folder):  # noqa: F811
    for old in folder.path.iterdir():
        old.unlink()
    for kind, name, text in blocks("golden-sets.md"):
        if name:
            folder.write(name, text)
        elif kind == "console":
            check_console(folder, text)
    assert (folder.path / "evalwright.lock").is_file()
