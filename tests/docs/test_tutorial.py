"""The tutorial is run as it stands: its files are written, its commands called, what they print compared."""

import fnmatch
import re
import shlex
from pathlib import Path

import pytest

from tests.e2e.conftest import Folder, folder  # noqa: F401 - the fixture

DOCS = Path(__file__).parents[2] / "docs"
FENCE = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXIT = re.compile(r"\s+# exit code (\d+)$")


def blocks(page):
    return FENCE.findall((DOCS / page).read_text(encoding="utf-8"))


def squeezed(text):
    return re.sub(r"\s+", " ", text)


def check_command(place, line, expected):
    wanted = EXIT.search(line)
    words = shlex.split(EXIT.sub("", line))
    assert words[0] == "evalwright"
    called = place.run(*words[1:])
    printed = squeezed(called.out + called.err)
    assert called.code == (int(wanted.group(1)) if wanted else 0), called.err
    for pattern in expected:
        asked = "*" + squeezed(pattern).replace("[", "[[]").replace("…", "*") + "*"
        assert fnmatch.fnmatchcase(printed, asked), f"{line}: {pattern!r} is not in\n{called.out}{called.err}"


def check_console(place, text):
    commands = [part for part in re.split(r"^\$ ", text, flags=re.MULTILINE) if part.strip()]
    for command in commands:
        line, *expected = command.strip().splitlines()
        check_command(place, line, [item for item in expected if item.strip()])


@pytest.mark.parametrize("page", ["tutorial.md"])
def test_a_page_with_commands_runs_as_it_stands(page, folder):  # noqa: F811
    for old in folder.path.iterdir():
        old.unlink()
    console = 0
    for kind, name, text in blocks(page):
        if name:
            folder.write(name, text)
        elif kind == "console":
            check_console(folder, text)
            console += 1
    assert console
