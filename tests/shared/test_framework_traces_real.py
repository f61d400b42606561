"""Traces of sixteen agent frameworks: the observations, tree and tokens their export states."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from evalwright.core.output import Step
from evalwright.datasets.importers.items import Answer
from evalwright.datasets.importers.source import Source
from evalwright.datasets.importers.traces import read_langfuse
from tests.shared_data import shared_data, shared_root

pytestmark = pytest.mark.shared

KINDS = {"GENERATION": "llm", "EMBEDDING": "embedding", "RETRIEVER": "retrieval"}


def flat(steps: tuple[Step, ...], depth: int = 1) -> Iterator[tuple[int, Step]]:
    for step in steps:
        yield depth, step
        yield from flat(step.children, depth + 1)


def test_every_trace_has_its_observations_types_depth_and_tokens() -> None:
    folder = shared_data("data/framework_traces")
    wanted = json.loads((shared_root() / "data/expected/framework_traces.json").read_text(encoding="utf-8"))["traces"]
    assert len(wanted) == 20
    for name, figures in wanted.items():
        (answer,) = [item for item in read_langfuse(Source(folder / name)) if isinstance(item, Answer)]
        steps = list(flat(answer.output.steps))
        kinds = Counter(step.kind for _, step in steps)
        assert kinds == {KINDS.get(kind, kind.lower()): n for kind, n in figures["types"].items()}, name
        assert len(steps) == figures["observations"], name
        assert len(answer.output.steps) == figures["roots"], name
        assert max(depth for depth, _ in steps) == figures["max_depth"], name
        assert len(answer.output.tool_calls) == figures["types"].get("TOOL", 0), name
        usage = answer.output.usage
        assert (usage.input_tokens if usage else 0) == figures["input_tokens"], name
        assert (usage.total_tokens if usage else 0) == figures["total_tokens"], name
