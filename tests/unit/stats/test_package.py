"""The package as a whole: its examples run, its names are complete, its import stays light."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

from evalwright import stats

MODULES = [f"evalwright.stats.{m.name}" for m in pkgutil.iter_modules(stats.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def test_public_names_exist_and_are_documented():
    assert len(stats.__all__) == len(set(stats.__all__))
    for name in stats.__all__:
        value = getattr(stats, name)
        assert value.__doc__ or not (inspect.isfunction(value) or inspect.isclass(value)), name


def test_every_note_has_a_meaning_and_every_meaning_a_use():
    """Codes are written as one-element tuples throughout."""
    sources = "".join(p.read_text() for p in Path(stats.__path__[0]).glob("*.py"))
    used = set(re.findall(r'\("([a-z_]+)",\)', sources)) | set(re.findall(r'noted\("([a-z_]+)"\)', sources))
    used |= set(re.findall(r'\(\*notes, "([a-z_]+)"\)', sources))
    assert used == set(stats.NOTES)


def test_import_does_not_pull_in_heavy_modules():
    code = (
        "import sys, evalwright.stats;"
        "print([m for m in ('scipy.stats', 'scipy.optimize', 'pandas', 'evalwright.core') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
