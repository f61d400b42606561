"""Runs as tables for other programs."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import duckdb
import pytest

from evalwright.core.case import Case
from evalwright.core.errors import StoreError, UsageError
from evalwright.core.output import Output, Passage
from evalwright.core.score import Score
from evalwright.store.export import plain_cell
from evalwright.store.results import RunStore
from tests.unit.store.runs import answered, failed, new_run, record


@pytest.fixture
def run(tmp_path: Path) -> RunStore:
    cases = [
        Case(id="a", input={"q": "=1+1"}, expected="-5", metadata={"tier": 1}, tags=("x", "y")),
        Case(id="b", input="@SUM(A1)", expected={"n": 2}),
    ]
    found = new_run(tmp_path, cases)
    output = Output(text='=HYPERLINK("http://x","y")\nnext', contexts=(Passage(id="1", text="p"),), cost=0.5)
    scores = {"exact": Score.of(False, reason="+wrong"), "cost": Score.of(-0.5)}
    record(found, [answered(found, "a", output=output, scores=scores), failed(found, "b")])
    found.seal()
    return found


def test_csv_has_no_formulas_and_its_numbers_stay_numbers(run: RunStore, tmp_path: Path) -> None:
    run.export("csv", tmp_path / "out.csv")
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        first, second = csv.DictReader(file)
    assert first["output"] == '\'=HYPERLINK("http://x","y")\nnext'
    assert first["input"] == '{"q":"=1+1"}'
    assert first["expected"] == "-5"
    assert (first["score.exact"], first["score.exact.passed"], first["score.exact.reason"]) == (
        "0.0",
        "False",
        "'+wrong",
    )
    assert (first["score.cost"], first["cost"]) == ("-0.5", "0.5")
    assert first["tags"] == "x, y"
    assert second["input"] == "'@SUM(A1)"
    assert second["error"] == "timeout: no answer in 1 s"
    assert (second["output"], second["score.exact"], second["passed"]) == ("", "", "False")


@pytest.mark.parametrize("text", ["=1", "+a", "-a", "@a", "\ta", "\ra", "＝1", "-1+cmd|' /C calc'!A0"])
def test_texts_that_look_like_formulas(text: str) -> None:
    assert plain_cell(text) == "'" + text


@pytest.mark.parametrize("value", ["-5", "+3.25", "-.5", "-1e-3", "", "a=1", " =1", -5, 0.5, None, True])
def test_cells_that_stay_as_they_are(value: object) -> None:
    assert plain_cell(value) is value


def test_jsonl_keeps_everything(run: RunStore, tmp_path: Path) -> None:
    run.export("jsonl", tmp_path / "out.jsonl")
    first, second = (json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines())
    assert first["run_id"] == "r1"
    assert first["input"] == {"q": "=1+1"}
    assert first["output"]["contexts"] == [{"id": "1", "text": "p"}]
    assert first["scores"]["exact"]["reason"] == "+wrong"
    assert second["error"]["kind"] == "timeout"
    assert "output" not in second


def test_parquet_has_types(run: RunStore, tmp_path: Path) -> None:
    run.export("parquet", tmp_path / "out.parquet")
    with duckdb.connect() as duck:
        query = 'SELECT case_id, cost, "score.cost", "score.exact.passed", passed FROM read_parquet(?)'
        rows = duck.execute(query, [str(tmp_path / "out.parquet")]).fetchall()
    assert rows == [("a", 0.5, -0.5, False, False), ("b", None, None, None, False)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.parquet", "ws"]


def test_unknown_formats_and_places(run: RunStore, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown export format 'xlsx'"):
        run.export("xlsx", tmp_path / "out.xlsx")
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="can't be used"):
        run.export("csv", tmp_path / "file" / "out.csv")
