"""Short ways to score one output, and to read the reference data."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

from evalwright.core.case import Case
from evalwright.core.output import Output
from evalwright.core.score import Score
from evalwright.core.scorer import ScoreContext
from tests.shared_data import shared_data


def context(output: str | Output, expected: Any = None, *, input: Any = "q", **metadata: Any) -> ScoreContext:
    given = Output(text=output) if isinstance(output, str) else output
    return ScoreContext(case=Case(id="c", input=input, expected=expected, metadata=metadata), output=given)


def judged(scorer: Any, output: str | Output, expected: Any = None, *, input: Any = "q", **metadata: Any) -> Score:
    result = scorer.score(context(output, expected, input=input, **metadata))
    assert isinstance(result, Score)
    return result


def reference_rows(name: str) -> Iterator[dict[str, Any]]:
    with gzip.open(shared_data(f"data/{name}"), "rt", encoding="utf-8", newline="\n") as lines:
        for line in lines:
            yield json.loads(line)


def metric_cases(name: str) -> list[dict[str, Any]]:
    return json.loads(shared_data(f"data/metric_cases/{name}.json").read_text())["test_cases"]


def expected_figures(name: str) -> dict[str, Any]:
    return json.loads(shared_data(f"data/expected/{name}.json").read_text())
