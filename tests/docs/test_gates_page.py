"""The rules on the page about gates are read as they stand."""

import re
from pathlib import Path

import pytest

from evalwright.core.suite import SliceSpec
from evalwright.gates import rule_name
from evalwright.suites.policy import read_policy

PAGE = (Path(__file__).parents[2] / "docs" / "gates.md").read_text(encoding="utf-8")
BLOCKS = [block for block in re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL) if block.startswith("gate:")]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_rule_on_the_page_is_one(block, tmp_path):
    path = tmp_path / "policy.yaml"
    path.write_text(block, encoding="utf-8")
    rules = read_policy(path, ["groundedness", "exact", "tone"], {"locale": SliceSpec(by="input.locale")})
    assert len(rules) == block.count("- {")
    assert all(map(rule_name, rules))


def test_there_are_rules_on_the_page():
    assert len(BLOCKS) == 2
