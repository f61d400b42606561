"""docs/statistics.md: its Python runs, its names exist, nothing public is missing."""

from __future__ import annotations

import re
from pathlib import Path

from evalwright import stats

from .simulations import SCENARIOS

PAGE = (Path(__file__).parents[3] / "docs" / "statistics.md").read_text(encoding="utf-8")


def test_its_python_runs():
    names: dict[str, object] = {"__name__": "page"}
    code = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert len(code) >= 4
    for block in code:
        exec(compile(block, "statistics.md", "exec"), names)


def test_every_public_name_is_listed_and_every_listed_name_exists():
    reference = PAGE.split("## Everything, by subject")[1]
    listed = {
        name
        for row in reference.splitlines()
        for name in re.findall(r"`(\w+)`", row.rsplit("|", 2)[-2] if "|" in row else "")
    }
    assert listed == set(stats.__all__)


def test_every_simulation_is_in_the_table():
    for scenario in SCENARIOS:
        assert f"| {scenario.name} |" in PAGE
