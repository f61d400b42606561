"""Traces of sixteen agent frameworks: the tokens their spans state, and an answer one can read."""

from __future__ import annotations

import json

import pytest

from evalwright.core.case import Case
from evalwright.datasets.importers import Answer, Source, guess_format, read_import
from tests.shared_data import shared_data

pytestmark = pytest.mark.shared


def test_tokens_of_each_trace_are_those_of_its_observations() -> None:
    wanted = json.loads(shared_data("data/expected/framework_traces.json").read_text())["traces"]
    assert len(wanted) == 20
    for name, figures in wanted.items():
        path = shared_data("data/framework_traces") / name
        assert guess_format(path) == "langfuse"
        items = list(read_import(Source(path), "langfuse"))
        (answer,) = (item for item in items if isinstance(item, Answer))
        assert sum(isinstance(item, Case) for item in items) == 1
        usage = answer.output.usage
        assert usage is not None, name
        assert usage.input_tokens == figures["input_tokens"], name
        assert usage.total_tokens == figures["total_tokens"], name
        assert answer.output.text, name


def test_answers_are_dug_out_of_their_wrapping() -> None:
    texts = {}
    for name in ("autogen-2025-06-06", "llamaindex-2025-06-05", "openai-agents-2025-09-30", "vertex-ai-2025-08-01"):
        path = shared_data("data/framework_traces") / f"{name}.trace.json"
        texts[name] = next(i.output.text for i in read_import(Source(path), "langfuse") if isinstance(i, Answer))
    assert texts["autogen-2025-06-06"] == "Hello World!"
    assert texts["openai-agents-2025-09-30"] == "The weather in Tokyo is sunny."
    assert texts["llamaindex-2025-06-05"].startswith("Langfuse is a tool")
    assert not texts["vertex-ai-2025-08-01"].startswith("{")
