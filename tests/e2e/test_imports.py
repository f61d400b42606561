"""What gets imported: the package and `--help` stay quick because heavy modules are loaded when they are used."""

import json
import subprocess
import sys

import pytest

HEAVY = {"aiohttp", "alembic", "cel", "duckdb", "jinja2", "numpy", "pandas", "pydantic", "scipy", "sqlalchemy", "yaml"}


def imported_by(code: str) -> set[str]:
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted({{name.partition('.')[0] for name in sys.modules}})))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.mark.parametrize(
    "code",
    [
        "import evalwright",
        "from evalwright import Case, Score, Suite, scorer",
        "from evalwright.cli.main import main\nmain.main(['--help'], standalone_mode=False)",
    ],
)
def test_heavy_modules_are_not_imported(code):
    assert not imported_by(code) & HEAVY


def test_the_package_itself_imports_hardly_anything():
    assert not {"click", "msgspec", "rich"} & imported_by("import evalwright")


def test_the_public_names_are_there_and_few():
    import evalwright

    assert len(evalwright.__all__) <= 30
    assert sorted(evalwright.__all__) == evalwright.__all__
    for name in evalwright.__all__:
        assert getattr(evalwright, name) is not None
    with pytest.raises(AttributeError, match="nothing_like_this"):
        evalwright.nothing_like_this  # noqa: B018
