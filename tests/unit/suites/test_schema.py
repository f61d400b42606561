# ruff: noqa: E501  tables read best with one case to a line
from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from evalwright.core.component import Vocabulary
from evalwright.scorers import catalog as scorers
from evalwright.services.vocabulary import Catalog
from evalwright.suites.schema import modeline, schema_text, suite_schema, write_schema
from evalwright.suites.yaml_reader import parse_yaml
from evalwright.targets.catalog import TARGETS
from tests.unit.suites.test_loader import FULL
from tests.unit.suites.vocab import VOCABULARY

ROOT = Path(__file__).parents[3]
BUILT_IN = Vocabulary(scorers=Catalog(scorers.SCORERS), targets=Catalog(TARGETS))


VALIDATOR = jsonschema.Draft202012Validator(suite_schema(VOCABULARY))


def errors(text: str) -> list[str]:
    return ["/".join(map(str, error.path)) for error in VALIDATOR.iter_errors(parse_yaml(text, name="x").data)]


def test_the_committed_schema_is_that_of_the_built_in_scorers_and_targets():
    committed = (ROOT / "schema" / "suite.schema.json").read_text(encoding="utf-8")
    assert committed == schema_text(BUILT_IN), "run: evalwright schema --write schema/suite.schema.json"


def test_it_is_a_schema_and_knows_every_scorer_and_target_with_its_options():
    schema = suite_schema(BUILT_IN)
    jsonschema.Draft202012Validator.check_schema(schema)
    text = json.dumps(schema)
    for name in (*scorers.SCORERS, *TARGETS):
        assert f'"{name}"' in text
    assert "Upper and lower case are the same." in text


def test_a_right_suite_is_right():
    assert errors(FULL) == []


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("suite: s\n", ""),
        ("suite: s\ndataset: []\nownr: x\n", ""),
        ("suite: s\ndataset: { fiel: x }\n", "dataset"),
        ("suite: s\ndataset: []\ntarget: { type: htp }\n", "target"),
        ("suite: s\ndataset: []\ntarget: { type: http }\n", "target"),
        ("suite: s\ndataset: []\ntarget: { type: http, url: a, ulr: b }\n", "target"),
        ("suite: s\ndataset: []\nscorers: [exakt]\n", "scorers/0"),
        ("suite: s\ndataset: []\nscorers: [words]\n", "scorers/0"),
        ("suite: s\ndataset: []\nscorers: [{ words: { values: a, mode: x } }]\n", "scorers/0"),
        ("suite: s\ndataset: []\nrun: { cache: maybe }\n", "run/cache"),
        ("suite: s\ndataset: []\nrun: { trials: 0 }\n", "run/trials"),
        ("suite: s\ndataset: []\nslices: { a: { wen: b } }\n", "slices/a"),
        ("suite: s\ndataset: []\ngate: [{ at_least: 1 }]\n", "gate/0"),
    ],
)
def test_a_mistake_is_marked_where_it_stands(text, place):
    assert errors(text) == [place]


@pytest.mark.parametrize(
    "text",
    [
        "suite: s\nversion: 1.1\ndataset: cases.csv\nscorers: [exact, { words: a }, { words: { values: [a], as: b } }]\n",
        "suite: s\ndataset: []\nscorers: [{ file: s.py, use: [a] }, 's.py:b', { 's.py:c': { d: 1 } }, { latency: }]\n",
        "suite: s\ndataset: []\nrun: { budget: { cost: 1 }, timeout: 3, tags: a }\n",
        "suite: s\ndataset: []\nscorers: [exact]\ngate: [{ metric: exact, at_least: 90%, slice: a }]\n",
    ],
)
def test_short_ways_are_right_too(text):
    assert errors(text) == []


def test_writing_it_says_whether_it_changed(tmp_path):
    path = tmp_path / "deep" / "suite.json"
    assert write_schema(VOCABULARY, path) is True
    assert write_schema(VOCABULARY, path) is False
    assert json.loads(path.read_text())["title"] == "Evalwright suite"
    assert modeline("suite.json") == "# yaml-language-server: $schema=suite.json"
