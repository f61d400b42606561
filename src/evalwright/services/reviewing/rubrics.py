"""Rubrics of queues: from rubric files, from their text, from JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from evalwright.core.case import Json
from evalwright.core.rubric import Rubric
from evalwright.scorers.judge.rubric_file import load_rubric, parse_rubric


def rubric_of(value: Mapping[str, Json], shown: str = "rubric") -> Rubric:
    """A rubric from JSON: the keys of a rubric file, its name as `rubric` or `name`.

    Raises:
        ConfigError: It is none; every problem at once.
    """
    given = {("rubric" if key == "name" else key): item for key, item in value.items()}
    plain = {key: item for key, item in given.items() if item is not None}
    return parse_rubric(json.dumps(plain, ensure_ascii=False), shown)


def rubric_of_text(text: str, shown: str) -> Rubric:
    """A rubric from the text of a rubric file.

    Raises:
        ConfigError: It is none; every problem at once.
    """
    return parse_rubric(text, shown)


def rubric_of_file(path: Path) -> Rubric:
    """A rubric from its file.

    Raises:
        ConfigError: It can't be read or is none; every problem at once.
    """
    return load_rubric(path)
