"""Cases into the workspace, duplicates and samples."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import ConfigError, UsageError
from evalwright.core.identity import case_hash
from evalwright.core.run import RunSettings
from evalwright.core.suite import DatasetSpec
from evalwright.datasets import Prepared, prepare, read_rows, select
from evalwright.store.blobs import Blobs


def prepared(tmp_path: Path, text: str, **spec: object) -> Prepared:
    (tmp_path / "d.jsonl").write_text(text)
    return prepare(
        read_rows(DatasetSpec(file="d.jsonl", **spec), tmp_path), Blobs(tmp_path / "blobs"), source="d.jsonl"
    )


def test_cases_in_order_with_their_hashes(tmp_path: Path) -> None:
    found = prepared(tmp_path, '{"id": "a", "input": "x"}\n\n{"id": "b", "input": [1, {"z": "ü"}]}\n')
    cases = [Case(id="a", input="x"), Case(id="b", input=[1, {"z": "ü"}])]
    assert list(found.case_file) == cases
    assert [found.case_file.case_hash(n) for n in range(2)] == [case_hash(case) for case in cases]
    assert (found.count, found.bad_count) == (2, 0)


def test_a_second_row_of_the_same_id_is_set_aside(tmp_path: Path) -> None:
    found = prepared(tmp_path, '{"id": "a", "input": 1}\n{"id": "b", "input": 1}\n\n{"id": "a", "input": 2}\n')
    assert found.count == 2
    assert found.bad_rows == (
        BadRow(line=4, reason="the id 'a' was used in line 1 already", source="d.jsonl", text="2"),
    )


def test_equal_inputs_without_ids_are_told_apart_from_equal_ids(tmp_path: Path) -> None:
    found = prepared(tmp_path, '{"input": "x", "expected": 1}\n{"input": "x", "expected": 2}\n')
    assert found.bad_rows[0].reason == "same input as in line 1; give the rows an `id` each to keep both"


def test_texts_without_utf8_are_set_aside(tmp_path: Path) -> None:
    found = prepared(tmp_path, '{"id": "a", "input": {"k": ["\\ud800"]}}\n{"id": "b", "input": 1}\n')
    assert [case.id for case in found.case_file] == ["b"]
    assert found.bad_rows[0].line == 1
    assert "surrogate" in found.bad_rows[0].reason


def test_long_whole_numbers_come_back_as_they_were(tmp_path: Path) -> None:
    number = 10**900 + 1
    assert prepared(tmp_path, f'{{"input": {number}}}').case_file[0].input == number


def test_python_cases_are_checked(tmp_path: Path) -> None:
    rows = [Case(id="a", input=float("nan")), Case(id="b", input={1, 2}), Case(id="c", input="fine"), "no case"]
    found = prepare(rows, Blobs(tmp_path))  # type: ignore[arg-type]
    assert [case.id for case in found.case_file] == ["c"]
    assert [row.reason.partition(":")[0] for row in found.bad_rows] == [
        "the case 'a' can't be written as JSON",
        "the case 'b' can't be written as JSON",
        "a case is a Case, not a str",
    ]


@pytest.mark.parametrize(
    ("text", "message"), [("", "is empty"), ("\n\n", "is empty"), ("{}\n[]\n", "all 2 rows are bad")]
)
def test_no_case_left(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        prepared(tmp_path, text)
    assert not [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


def test_strict_makes_bad_rows_fatal_and_names_them(tmp_path: Path) -> None:
    (tmp_path / "d.jsonl").write_text('{"input": 1}\n' + "{}\n" * 30)
    rows = read_rows(DatasetSpec(file="d.jsonl"), tmp_path)
    with pytest.raises(ConfigError) as caught:
        prepare(rows, Blobs(tmp_path / "blobs"), strict=True)
    assert [problem.line for problem in caught.value.problems[:2]] == [2, 3]
    assert caught.value.problems[-1].message == "and 10 bad rows more"


def test_only_so_many_bad_rows_are_kept(tmp_path: Path) -> None:
    found = prepared(tmp_path, '{"input": 1}\n' + "{}\n" * 1500)
    assert (len(found.bad_rows), found.bad_count) == (1000, 1500)


def many(tmp_path: Path) -> Prepared:
    return prepare(
        (Case(id=f"q{n}", input=n, tags=("even",) if n % 2 == 0 else ()) for n in range(100)), Blobs(tmp_path)
    )


def test_a_limit_is_a_seeded_random_sample(tmp_path: Path) -> None:
    cases = many(tmp_path).case_file
    first = select(cases, RunSettings(limit=10, seed=1))
    assert len(first) == 10
    assert (np.diff(first) > 0).all()
    assert (first == select(cases, RunSettings(limit=10, seed=1))).all()
    assert (first != select(cases, RunSettings(limit=10, seed=2))).any()
    assert first.max() >= 10
    assert len(select(cases, RunSettings(limit=1000))) == 100


def test_tags_and_a_filter(tmp_path: Path) -> None:
    cases = many(tmp_path).case_file
    assert select(cases, RunSettings(tags=("even", "other"))).tolist() == list(range(0, 100, 2))
    found = select(cases, RunSettings(tags=("even",), filter="input < 6"), lambda case: case.input < 6)
    assert found.tolist() == [0, 2, 4]


def test_nothing_selected_is_told(tmp_path: Path) -> None:
    cases = many(tmp_path).case_file
    with pytest.raises(UsageError, match="no case has one of the tags odd"):
        select(cases, RunSettings(tags=("odd",)))
    with pytest.raises(UsageError, match="`input > 200` true"):
        select(cases, RunSettings(filter="input > 200"), lambda case: case.input > 200)
    with pytest.raises(UsageError, match="at least 1"):
        select(cases, RunSettings(limit=0))
