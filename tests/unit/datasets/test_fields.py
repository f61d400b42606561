"""From rows to cases: mappings, aliases, metadata."""

from __future__ import annotations

from pathlib import Path

import pytest

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import ConfigError
from evalwright.core.identity import content_id
from evalwright.core.suite import DatasetSpec
from evalwright.datasets import read_rows
from evalwright.datasets.fields import ALIASES, find


def one(row: dict[str, object], **fields: object) -> Case:
    (case,) = read_rows(DatasetSpec(cases=(row,), fields=fields), Path())
    assert isinstance(case, Case), case
    return case


def test_mapping_with_dotted_paths_and_composed_input() -> None:
    row = {"q": {"text": "Why?", "lang": "de"}, "gold": [{"text": "So."}], "meta.tier": 1, "left": 2}
    case = one(row, input={"question": "q.text", "locale": "q.lang"}, expected="gold.0.text")
    assert case.input == {"question": "Why?", "locale": "de"}
    assert case.expected == "So."
    assert case.metadata == {"gold": [{"text": "So."}], "meta.tier": 1, "left": 2}


def test_a_part_of_a_composed_input_may_be_missing_in_a_row() -> None:
    spec = DatasetSpec(
        cases=({"q": "a", "area": 1}, {"q": "b"}, {}), fields={"input": {"question": "q", "area": "area"}}
    )
    first, second, third = read_rows(spec, Path())
    assert isinstance(first, Case)
    assert isinstance(second, Case)
    assert (first.input, second.input) == ({"question": "a", "area": 1}, {"question": "b", "area": None})
    assert isinstance(third, BadRow)
    assert third.reason == "no input: nothing at `q`, `area`; the row has: none"


def test_what_is_mapped_by_a_dotted_path_leaves_the_metadata() -> None:
    case = one({"input": "x", "labels": {"answer": "secret", "tier": 1}}, expected="labels.answer")
    assert case.metadata == {"labels": {"tier": 1}}


def test_the_row_of_the_caller_is_not_changed() -> None:
    row = {"input": "x", "labels": {"answer": "secret"}}
    one(row, expected="labels.answer")
    assert row == {"input": "x", "labels": {"answer": "secret"}}


@pytest.mark.parametrize("name", ALIASES["input"])
def test_input_aliases(name: str) -> None:
    assert one({name: "x"}).input == "x"


@pytest.mark.parametrize("name", ALIASES["expected"])
def test_expected_aliases(name: str) -> None:
    assert one({"input": "x", name: "y"}).expected == "y"


def test_a_mapped_column_is_no_alias_for_something_else() -> None:
    case = one({"question": "context", "prompt": "p", "answer": "a"}, input="answer")
    assert (case.input, case.expected) == ("a", None)
    assert case.metadata == {"question": "context", "prompt": "p"}


def test_the_second_alias_is_metadata() -> None:
    case = one({"input": "x", "question": "y", "expected": None, "target": "z"})
    assert (case.input, case.expected, case.metadata) == ("x", None, {"question": "y", "target": "z"})


def test_ids() -> None:
    assert one({"input": {"a": 1}}).id == content_id({"a": 1})
    assert one({"id": "", "input": "x"}).id == content_id("x")
    assert one({"id": 12, "input": "x"}).id == "12"
    assert one({"id": "👩‍💻\u00a0ü", "input": "x"}).id == "👩‍💻\u00a0ü"


def test_a_mapped_id_must_be_there() -> None:
    rows = list(read_rows(DatasetSpec(cases=({"qid": "a", "input": 1}, {"input": 2}), fields={"id": "qid"}), Path()))
    assert isinstance(rows[1], BadRow)
    assert "mapped to `id` is missing" in rows[1].reason


def test_metadata_object_merges_and_wins() -> None:
    case = one({"input": "x", "tier": 1, "metadata": {"tier": 2, "a": None}})
    assert case.metadata == {"tier": 2, "a": None}
    assert one({"input": "x", "metadata": '{"tier": 3}'}).metadata == {"tier": 3}
    assert one({"input": "x", "other": 1, "m": {"tier": 4}}, metadata="m").metadata == {"other": 1, "tier": 4}
    assert one({"input": "x", "a": {"b": 1, "c": 2}}, metadata={"kind": "a.b"}).metadata == {"a": {"c": 2}, "kind": 1}


def test_a_misspelt_mapping_is_told_at_the_end() -> None:
    spec = DatasetSpec(cases=({"input": 1, "answer": 2},), fields={"expected": "anwser"}, source="s.yaml", line=3)
    rows = read_rows(spec, Path())
    with pytest.raises(ConfigError, match="no row of the dataset has `anwser`") as caught:
        list(rows)
    assert caught.value.problems[0].hint == "did you mean `answer`?"


@pytest.mark.parametrize(
    ("path", "value"),
    [("a", {"b": {"c": 1}}), ("a.b", {"c": 1}), ("a.b.c", 1), ("x.y", 2), ("x.y.z", 3), ("l.1", 5), ("l.1.a", None)],
)
def test_find(path: str, value: object) -> None:
    row = {"a": {"b": {"c": 1}}, "x.y": 2, "x": {"y.z": 3}, "l": [4, 5]}
    found = find(row, path)
    assert found == value if value is not None else not isinstance(found, (int, dict))
