"""The page on how far scorers can be believed shows the cards as they ship."""

import re
from pathlib import Path

from benchmarks.scorer_cards import table

PAGE = (Path(__file__).parents[2] / "docs" / "believing.md").read_text(encoding="utf-8")


def test_the_table_is_that_of_the_shipped_cards():
    """Print it again with: python benchmarks/scorer_cards.py --table"""
    assert "\n".join(table()) in PAGE
    assert f"{len(table())} built-in scorers infer" in PAGE


def test_the_suite_lines_on_the_page_name_scorers_that_exist():
    from evalwright.scorers.catalog import SCORERS

    block = next(text for text in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
    named = re.findall(r"^  - (\w+)", block, re.MULTILINE)
    assert named
    assert set(named) <= set(SCORERS)
