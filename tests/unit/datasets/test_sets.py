"""Differences, samples and exports of sets."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evalwright.core.case import Case
from evalwright.core.errors import UsageError
from evalwright.datasets import prepare
from evalwright.datasets.comparing import CaseDiff, change_of, word_diff
from evalwright.datasets.exporters import EXPORTERS, export_cases
from evalwright.datasets.importers import Source, read_import
from evalwright.datasets.sampling import SampleSpec, allocate, draw
from evalwright.store.blobs import Blobs
from evalwright.store.cases import CaseFile


def stored(folder: Path, *cases: Case) -> CaseFile:
    return prepare(cases, Blobs(folder / "blobs")).case_file


def test_a_difference_names_the_cases_and_the_fields(tmp_path: Path) -> None:
    before = stored(
        tmp_path, Case(id="a", input="x"), Case(id="b", input={"q": "one", "l": 1}), Case(id="c", input="z")
    )
    after = stored(tmp_path, Case(id="d", input="w"), Case(id="b", input={"q": "two", "l": 1}), Case(id="a", input="x"))
    found = CaseDiff(before, after)
    assert found.counts == (1, 1, 1)
    assert [case.id for case in found.added_cases()] == ["d"]
    assert [case.id for case in found.removed_cases()] == ["c"]
    assert [change.fields for change in found.changes()] == [{"input.q": ("one", "two")}]


def test_a_changed_kind_of_value_is_one_change() -> None:
    change = change_of(
        Case(id="a", input="x", expected=[1, 2]), Case(id="a", input="x", expected={"v": 1}, tags=("t",))
    )
    assert change.fields == {"expected": ([1, 2], {"v": 1}), "tags": ((), ("t",))}


@given(st.text(max_size=80), st.text(max_size=80))
def test_the_pieces_of_a_word_diff_make_both_texts(before: str, after: str) -> None:
    pieces = word_diff(before, after)
    assert "".join(text for kind, text in pieces if kind != "+") == before
    assert "".join(text for kind, text in pieces if kind != "-") == after


@given(
    st.dictionaries(st.sampled_from("abcdef"), st.tuples(st.floats(0, 100), st.integers(0, 50)), min_size=1),
    st.integers(1, 100),
)
def test_allocation_gives_whole_numbers_within_room(strata: dict[str, tuple[float, int]], size: int) -> None:
    shares = {name: share for name, (share, _) in strata.items()}
    room = {name: count for name, (_, count) in strata.items()}
    if not any(shares[name] > 0 and room[name] > 0 for name in strata):
        return
    found = allocate(shares, room, size)
    assert all(0 <= found[name] <= room[name] for name in strata)
    assert sum(found.values()) == min(size, sum(room[name] for name in strata if shares[name] > 0))


def test_samples(tmp_path: Path) -> None:
    cases = stored(
        tmp_path, *(Case(id=f"c{n}", input=str(n), metadata={"l": "de" if n % 4 else "en"}) for n in range(100))
    )
    for spec in (SampleSpec(size=20, seed=3), SampleSpec(size=20, seed=3, stratify_by=("l",))):
        chosen = draw(cases, spec)
        assert len(chosen) == 20
        assert (chosen == draw(cases, spec)).all()
    mixed = draw(cases, SampleSpec(size=20, stratify_by=("metadata.l",), mix={"de": 1, "en": 1}))
    assert sum(cases[int(n)].metadata["l"] == "en" for n in mixed) == 10
    with pytest.raises(UsageError, match="no case is in the stratum 'fr'"):
        draw(cases, SampleSpec(size=20, stratify_by=("l",), mix={"fr": 1}))
    with pytest.raises(UsageError, match="at least 1"):
        draw(cases, SampleSpec(size=0))


FULL = (
    Case(
        id="1",
        input={"q": "Why?"},
        expected="=1+1",
        metadata={"checks": {"icontains": ["so"]}, "tier": 1},
        tags=("a", "b"),
    ),
    Case(id="2", input=[{"role": "user", "content": "Hi"}], expected=["x", "y"], cluster="k"),
)


@pytest.mark.parametrize("kind", list(EXPORTERS))
def test_every_export_writes_every_case(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"out.{kind}"
    assert export_cases(stored(tmp_path, *FULL), kind, path) == 2
    assert path.stat().st_size


def test_a_csv_runs_no_formula(tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    export_cases(stored(tmp_path, *FULL), "csv", path)
    rows = list(csv.DictReader(path.read_text().splitlines()))
    assert (rows[0]["expected"], rows[0]["input"], rows[0]["tags"]) == ("'=1+1", '{"q":"Why?"}', "a,b")


def test_parquet_holds_the_same_columns(tmp_path: Path) -> None:
    path = tmp_path / "o.parquet"
    export_cases(stored(tmp_path, *FULL), "parquet", path)
    with duckdb.connect() as connection:
        found = connection.execute("SELECT id, input, cluster FROM read_parquet(?)", [str(path)]).fetchall()
    assert found == [("1", '{"q":"Why?"}', None), ("2", '[{"content":"Hi","role":"user"}]', "k")]


def test_promptfoo_tests_come_back_as_they_went(tmp_path: Path) -> None:
    tests = [
        {"vars": {"q": "Why?"}, "description": "d", "metadata": {"tier": 1},
         "assert": [{"type": "contains-any", "value": ["a", "b"]}, {"type": "icontains", "value": "so"}]},
        {"vars": {"q": "Who?"}, "assert": [{"type": "equals", "value": "me"}]},
    ]  # fmt: skip
    config = tmp_path / "promptfooconfig.json"
    config.write_text(json.dumps({"prompts": ["{{q}}"], "tests": tests}))
    cases = [item for item in read_import(Source(config), "promptfoo") if isinstance(item, Case)]
    out = tmp_path / "out.json"
    export_cases(stored(tmp_path, *cases), "promptfoo", out)
    assert json.loads(out.read_text())["tests"] == tests


def test_label_studio_tasks_come_back_as_they_went(tmp_path: Path) -> None:
    tasks = [{"id": 7, "data": {"text": "a"}}, {"id": 8, "data": {"text": "b", "n": 1}}]
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps(tasks))
    cases = [item for item in read_import(Source(path), "label-studio") if isinstance(item, Case)]
    out = tmp_path / "out.json"
    export_cases(stored(tmp_path, *cases), "label-studio", out)
    assert [{"id": task["id"], "data": task["data"]} for task in json.loads(out.read_text())] == tasks
