"""The walk from a hosted export to a gate is run as it stands."""

from tests.docs.test_tutorial import blocks, check_console
from tests.e2e.conftest import folder  # noqa: F401 - the fixture


def test_from_a_hosted_export_to_a_gate_in_five_commands(folder):  # noqa: F811
    for old in folder.path.iterdir():
        old.unlink()
    commands = []
    for kind, name, text in blocks("importing.md"):
        if name:
            folder.write(name, text)
        elif kind == "console":
            check_console(folder, text)
            commands += [line for line in text.splitlines() if line.startswith("$ evalwright")]
    assert len(commands) == 5
