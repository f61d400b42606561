"""Whatever stands in a file, an importer gives items or a clear error, never anything else."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import EvalwrightError
from evalwright.datasets.importers import FORMATS, Item, Source, guess_format, read_import

KEYS = [
    "input",
    "output",
    "expected",
    "ideal",
    "id",
    "samples",
    "eval",
    "status",
    "results",
    "result",
    "prompt",
    "vars",
    "assert",
    "tests",
    "prompts",
    "providers",
    "type",
    "value",
    "threshold",
    "testCases",
    "metricsData",
    "turns",
    "scenario",
    "data",
    "annotations",
    "item",
    "sample",
    "outputs",
    "grades",
    "passes",
    "doc_id",
    "doc",
    "metrics",
    "metric_input",
    "metric_output",
    "resourceSpans",
    "scopeSpans",
    "spans",
    "attributes",
    "key",
    "trace",
    "observations",
    "metadata",
    "messages",
    "role",
    "content",
    "user_input",
    "response",
    "question",
    "scores",
    "testCase",
    "gradingResult",
    "componentResults",
    "testing_criteria",
    "class",
    "args",
    "choice_strings",
    "spec",
    "sample_id",
    "context",
    "arguments",
    "parts",
    "usage",
]
SCALARS = st.none() | st.booleans() | st.integers(-5, 10**16) | st.floats(allow_nan=False) | st.text(max_size=12)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=8),
    max_leaves=30,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=10), min_size=1, max_size=4)
SUFFIXES = {"jsonl": ".jsonl", "csv": ".csv", "eval": ".eval", "excel": ".xlsx"}


def items_of(name: str, data: str, suffix: str) -> list[Item]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"file{suffix}"
        path.write_text(data, encoding="utf-8")
        try:
            return list(read_import(Source(path), name or guess_format(path)))
        except EvalwrightError:
            return []


def check(items: list[Item]) -> None:
    for item in items:
        if isinstance(item, Case):
            assert item.id
            assert item.input is not None
        elif isinstance(item, BadRow):
            assert item.reason


JSON_FORMATS = [name for name in FORMATS if name not in ("inspect-eval", "excel")]


@pytest.mark.parametrize("name", JSON_FORMATS)
@given(rows=ROWS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_lines_of_any_objects(name: str, rows: list[Any]) -> None:
    check(items_of(name, "".join(json.dumps(row) + "\n" for row in rows), ".jsonl"))


@pytest.mark.parametrize("name", JSON_FORMATS)
@given(value=VALUES | ROWS)
@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_document_of_any_value(name: str, value: Any) -> None:
    check(items_of(name, json.dumps(value), ".json"))


@given(value=VALUES | ROWS)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_format_of_any_document_is_guessed_or_not(value: Any) -> None:
    check(items_of("", json.dumps(value), ".json"))
