"""Runs read back: while they run, sealed, scored again."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.core.case import BadRow, Case
from evalwright.core.errors import DiskFull, StoreError, UsageError
from evalwright.core.output import Output, Passage, ToolCall, Usage
from evalwright.core.result import Summary
from evalwright.core.run import Attempt, RunStatus, ScorerRecord, Totals, UnitRecord
from evalwright.core.score import Evidence, Score
from evalwright.store.columns import ABSENT, ERROR, SCORED, SKIPPED
from evalwright.store.journal import read_run, segment_path
from evalwright.store.results import RunStore, Sitting
from evalwright.store.seal import read_seal
from tests.unit.store.runs import answered, failed, new_run, record

CASES = [Case(id=f"q{n}", input=f"question {n}", expected="yes", metadata={"n": n}) for n in range(6)]


def filled(folder: Path) -> RunStore:
    """Two trials of six cases, recorded out of order by two workers: one unit failed, one is missing."""
    run = new_run(folder, CASES, trials=2)
    first = [answered(run, f"q{n}", "yes" if n % 2 else "no", trial=t) for t in (1, 0) for n in (4, 1, 3, 0)]
    record(run, first)
    record(run, [failed(run, "q2"), answered(run, "q2", trial=1), answered(run, "q5")], worker=1)
    return run


def everything(run: RunStore) -> UnitRecord:
    """A record with every field set, and texts that are hard to keep."""
    nasty = 'a"b\\c\n\u2028\x00\x1f ü 👩‍💻 </script> =1+1'
    return answered(
        run,
        "q0",
        output=Output(
            text=nasty,
            data={"a": [1, None, {"b": nasty}]},
            messages=({"role": "user", "content": nasty},),
            tool_calls=(ToolCall(name="f", arguments={"x": 1}, result=[nasty]),),
            contexts=(Passage(id="1", text=nasty, score=0.5),),
            citations=("1",),
            usage=Usage(input_tokens=3, output_tokens=4, cached_tokens=2, estimated=True),
            cost=1e-9,
            latency_s=0.1,
            first_token_s=0.01,
            model=nasty,
            finish_reason="stop",
        ),
        scores={
            "exact": Score.of(True, reason=nasty, evidence=(Evidence(text=nasty, start=0, end=3),)),
            "rouge": Score.of(0.25, parts={"recall": 0.5, "a/b~c": 1.0}, label=nasty),
            "bleu": Score.of(0.5, stats=(1.0, 2.0, 3.0)),
            "skip": Score.skip("nothing to judge"),
            "broken": Score.failure("raised"),
        },
        attempts=(Attempt(kind="rate_limit", message=nasty, status=429, waited_s=0.5),),
        cached=True,
        judge_usage=Usage(input_tokens=7, output_tokens=1),
        judge_cost=0.5,
    )


@pytest.mark.parametrize("sealed", [False, True])
def test_records_come_back_whole(tmp_path: Path, *, sealed: bool) -> None:
    run = new_run(tmp_path, CASES)
    wanted = everything(run)
    record(run, [wanted])
    if sealed:
        run.seal(keep_journal=False)
    ((index, found),) = run.units()
    assert index == 0
    assert found == wanted
    assert run.sealed is sealed
    run.close()


@pytest.mark.parametrize("sealed", [False, True])
def test_cases_in_order_with_all_their_trials(tmp_path: Path, *, sealed: bool) -> None:
    run = filled(tmp_path)
    if sealed:
        run.seal()
    results = list(run.case_results(slices=lambda case: {"odd": (str(case.metadata["n"] % 2),)}))
    assert [result.case for result in results] == CASES
    assert [[unit.trial for unit in result.trials] for result in results] == [[0, 1]] * 5 + [[0]]
    assert [result.passed for result in results] == [False, True, False, True, False, True]
    assert results[3].slices == {"odd": ("1",)}
    assert run.failing().tolist() == [0, 2, 4]
    run.close()


def test_a_case_not_reached_has_no_trials_and_no_verdict(tmp_path: Path) -> None:
    run = new_run(tmp_path, CASES)
    record(run, [answered(run, "q3")])
    results = list(run.case_results())
    assert [len(result.trials) for result in results] == [0, 0, 0, 1, 0, 0]
    assert results[0].passed is None
    run.close()


def test_some_cases_only(tmp_path: Path) -> None:
    with filled(tmp_path) as run:
        run.seal()
        assert [result.case.id for result in run.case_results(only=np.array([1, 4]))] == ["q1", "q4"]
        assert [len(result.trials) for result in run.case_results(only=[1, 5])] == [2, 1]
        assert list(run.case_results(only=[])) == []
        assert {index for index, _ in run.units([2])} == {2}


def test_one_unit_and_one_case(tmp_path: Path) -> None:
    with filled(tmp_path) as run:
        assert run.unit("q2").error is not None
        assert run.unit("q2", 1).output is not None
        assert len(run.case("q4").trials) == 2
        with pytest.raises(UsageError, match="no trial 1 of the case 'q5'"):
            run.unit("q5", 1)
        with pytest.raises(UsageError, match="no case 'q9'"):
            run.unit("q9")


def test_columns_are_aligned_with_the_answered_units(tmp_path: Path) -> None:
    with filled(tmp_path) as run:
        exact = run.columns("exact")
        assert exact.case.tolist() == [0, 0, 1, 1, 2, 3, 3, 4, 4, 5]
        assert exact.trial.tolist() == [0, 1, 0, 1, 1, 0, 1, 0, 1, 0]
        assert exact.value.tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0, 1]
        assert exact.passed.tolist() == [0, 0, 1, 1, 1, 1, 1, 0, 0, 1]
        assert exact.scored.all()
        assert exact.stats is None
        units = run.unit_columns()
        assert units.errored.tolist() == [False] * 4 + [True] + [False] * 6
        assert np.isnan(units.latency_s[4])
        assert units.latency_s[0] == 0.5
        assert units.calls.sum() == 12


def test_columns_of_every_status_part_and_statistic(tmp_path: Path) -> None:
    run = new_run(tmp_path, CASES)
    record(run, [everything(run), answered(run, "q1", scores={"rouge": Score.of(1.0)})])
    assert run.metrics() == ["exact", "bleu", "broken", "rouge", "skip"]
    assert [run.columns(name).status.tolist() for name in run.metrics()] == [
        [SCORED, ABSENT],
        [SCORED, ABSENT],
        [ERROR, ABSENT],
        [SCORED, SCORED],
        [SKIPPED, ABSENT],
    ]
    assert run.columns("broken").failed.tolist() == [True, True]
    assert np.isnan(run.columns("broken").value).all()
    assert run.columns("rouge").passed.tolist() == [-1, -1]
    assert run.parts("rouge") == ["a/b~c", "recall"]
    recall = run.columns("rouge.recall")
    assert recall.value[0] == 0.5
    assert recall.status.tolist() == [SCORED, SKIPPED]
    assert run.columns("rouge.a/b~c").value[0] == 1.0
    stats = run.columns("bleu").stats
    assert stats is not None
    assert stats[0].tolist() == [1.0, 2.0, 3.0]
    assert np.isnan(stats[1]).all()
    with pytest.raises(UsageError, match="no metric 'blue'"):
        run.columns("blue")
    run.close()


def test_a_run_without_any_unit(tmp_path: Path) -> None:
    with new_run(tmp_path, CASES) as run:
        assert run.metrics() == []
        assert len(run.unit_columns().case) == 0
        assert run.totals() == Totals(units=6)
        assert run.failing().tolist() == []
        assert len(list(run.case_results())) == 6
        assert run.seal().units == 0
        assert run.totals() == Totals(units=6)


def test_a_run_in_which_every_unit_failed(tmp_path: Path) -> None:
    with new_run(tmp_path, CASES) as run:
        record(run, [failed(run, case.id) for case in CASES])
        assert run.metrics() == []
        assert run.failing().tolist() == list(range(6))
        assert (run.totals().errored, run.totals().cost) == (6, None)


def test_totals_are_added_up_from_the_rows(tmp_path: Path) -> None:
    run = filled(tmp_path)
    before = run.totals()
    assert (before.units, before.done, before.answered, before.errored) == (12, 11, 10, 1)
    assert (before.calls, before.cost, before.models) == (12, 2.5, {"m-1": 10})
    assert before.usage == Usage(input_tokens=100, output_tokens=20)
    assert before.judge_cost is None
    run.seal(keep_journal=False)
    assert run.totals() == before
    run.add_sitting(Sitting(started_at=1.0, duration_s=4.0, status="interrupted"))
    run.add_sitting(Sitting(started_at=9.0, duration_s=2.5, status="complete"))
    assert run.totals().duration_s == 6.5
    run.close()


def test_of_two_records_of_a_unit_one_counts(tmp_path: Path) -> None:
    run = new_run(tmp_path, CASES)
    record(run, [failed(run, "q0", started_at=900.0), answered(run, "q1", "old", started_at=1.0)])
    record(run, [answered(run, "q0", started_at=5.0), answered(run, "q1", "new", started_at=2.0)], worker=1)
    assert [unit.output.text for _, unit in run.units() if unit.output] == ["yes", "new"]
    assert run.totals().done == 2
    journal = {unit.case_id: unit for unit in read_run(run.folder)}
    assert {unit.case_id: unit for _, unit in run.units()} == journal
    run.close()


def test_a_torn_tail_and_damaged_lines_are_left_out(tmp_path: Path) -> None:
    run = new_run(tmp_path, CASES)
    record(run, [answered(run, "q0"), answered(run, "q1")])
    with segment_path(run.folder, 0).open("ab") as file:
        file.write(b'not json\n{"case_hash": "xyz"}\n{"case_id": "torn')
    assert run.seal().units == 2
    seal = read_seal(run.folder)
    assert seal is not None
    assert seal.left_out == 2
    assert run.sealed
    run.close()


def test_units_of_cases_outside_the_selection_do_not_count(tmp_path: Path) -> None:
    run = new_run(tmp_path, CASES, selected=[1, 4])
    stray = answered(run, "q1", case_hash="0123456789abcdef")
    record(run, [answered(run, "q4"), stray])
    assert [(index, unit.case_id) for index, unit in run.units()] == [(1, "q4")]
    assert [result.case.id for result in run.case_results()] == ["q1", "q4"]
    assert run.totals().units == 2
    run.close()


def test_sealing_is_idempotent_and_follows_the_journal(tmp_path: Path) -> None:
    run = filled(tmp_path)
    first = run.seal()
    stamp = (run.folder / "units.parquet").stat().st_mtime_ns
    assert run.seal() == first
    assert (run.folder / "units.parquet").stat().st_mtime_ns == stamp
    record(run, [answered(run, "q5", trial=1)], worker=1)
    assert not run.sealed
    assert run.totals().done == 12
    assert run.seal().units == 12
    assert run.sealed
    assert run.seal(keep_journal=False).units == 12
    assert not list(run.folder.glob("journal-*"))
    assert run.totals().done == 12
    assert not [path for path in run.folder.iterdir() if path.name.endswith(".tmp")]
    run.close()


def test_reading_a_running_run_writes_nothing_into_it(tmp_path: Path) -> None:
    run = filled(tmp_path)
    before = sorted(path.name for path in run.folder.iterdir())
    assert run.totals().done == 11
    assert sorted(path.name for path in run.folder.iterdir()) == before
    record(run, [answered(run, "q5", trial=1)])
    assert run.totals().done == 12
    run.close()


def test_a_damaged_seal_note_means_reading_the_journal(tmp_path: Path) -> None:
    run = filled(tmp_path)
    run.seal()
    (run.folder / "seal.json").write_text("{")
    assert not run.sealed
    assert run.totals().done == 11
    run.close()


def test_damaged_parquet_is_told(tmp_path: Path) -> None:
    run = filled(tmp_path)
    run.seal()
    (run.folder / "scores.parquet").write_bytes(b"PAR1 nothing PAR1")
    with pytest.raises(StoreError, match="can't be read"):
        run.columns("exact")


def test_scoring_again(tmp_path: Path) -> None:
    run = filled(tmp_path)
    scorer = ScorerRecord(metric="length", name="length", version="1", digest="l")
    scored = ((u.case_id, u.trial, {"length": Score.of(len(u.output.text))}) for _, u in run.units() if u.output)
    assert run.write_scores(scored, scorers=(scorer,), created_at=7.0).number == 2
    assert run.metrics() == ["length"]
    assert run.scorers() == (scorer,)
    assert run.columns("length").value.sum() == 26
    assert run.unit("q1").scores == {"length": Score.of(3)}
    run.write_scores(((u.case_id, u.trial, {"again": Score.of(True)}) for _, u in run.units() if u.output))
    assert run.metrics() == ["again"]
    assert [one.number for one in run.score_sets()] == [2, 3]
    record(run, [answered(run, "q5", trial=1)])
    assert run.metrics() == ["exact"]
    run.seal()
    assert run.metrics() == ["exact"]
    run.close()


def test_a_scoring_that_fails_leaves_the_former_one(tmp_path: Path) -> None:
    run = filled(tmp_path)

    def scored() -> object:
        yield "q0", 0, {"length": Score.of(1.0)}
        raise DiskFull("no room")

    with pytest.raises(DiskFull):
        run.write_scores(scored())  # type: ignore[arg-type]
    assert run.metrics() == ["exact"]
    assert run.score_sets() == []
    assert not [path for path in run.folder.iterdir() if path.name.endswith(".tmp")]
    run.close()


def test_manifest_summary_and_bad_rows(tmp_path: Path) -> None:
    run = new_run(tmp_path, CASES)
    assert run.summary() is None
    assert run.bad_rows() == ()
    summary = Summary(manifest=run.manifest(), status=RunStatus.COMPLETE, totals=Totals(units=6))
    run.write_summary(summary)
    assert run.summary() == summary
    rows = (BadRow(line=3, reason="no JSON", text="{\u2028"), BadRow(line=5, reason="x"))
    run.write_bad_rows(rows)
    assert run.bad_rows() == rows
    (run.folder / "summary.json").write_bytes(b"[1]")
    with pytest.raises(StoreError, match=r"summary\.json can't be read"):
        run.summary()
    (run.folder / "manifest.json").unlink()
    with pytest.raises(StoreError, match="has no manifest"):
        run.manifest()


def test_the_manifest_is_readable_text(tmp_path: Path) -> None:
    run = new_run(tmp_path, CASES)
    text = (run.folder / "manifest.json").read_text()
    assert '\n  "suite": "codes"' in text


UNITS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1), st.booleans(), st.integers(0, 3)), max_size=30)


@settings(max_examples=8, deadline=None)
@given(units=UNITS)
def test_sealed_and_unsealed_agree_with_the_journal(units: list[tuple[int, int, bool, int]]) -> None:
    with TemporaryDirectory() as folder:
        run = new_run(Path(folder), CASES, trials=2)
        for case, trial, good, worker in units:
            at = 100.0 + len(list(run.folder.glob("journal-*")))
            make = answered if good else failed
            record(run, [make(run, f"q{case}", trial=trial, started_at=at)], worker=worker)
        wanted = sorted(read_run(run.folder), key=lambda unit: (unit.case_id, unit.trial))
        before = [unit for _, unit in run.units()]
        totals = run.totals()
        run.seal()
        after = [unit for _, unit in run.units()]
        assert msgspec.to_builtins(before) == msgspec.to_builtins(after) == msgspec.to_builtins(wanted)
        assert run.totals() == totals
        run.close()


def test_large_outputs_are_sealed_and_read_in_bounded_memory(tmp_path: Path) -> None:
    """Rows far larger than usual between small ones, which DuckDB would otherwise hold 2,048 at a time."""
    cases = [Case(id=f"q{n}", input=n) for n in range(300)]
    run = new_run(tmp_path, cases)
    texts = [(f"{n:08}" * 50_000 if 100 <= n < 200 else f"{n}") for n in range(300)]
    record(run, (answered(run, f"q{n}", text) for n, text in enumerate(texts)))
    run.seal(keep_journal=False)
    with duckdb.connect() as duck:
        query = "SELECT max(row_group_bytes) FROM parquet_metadata(?)"
        ((largest,),) = duck.execute(query, [str(run.folder / "units.parquet")]).fetchall()
    assert largest < 32 * 2**20
    assert [unit.output.text for _, unit in run.units() if unit.output] == texts
    assert run.unit("q150").output == Output(text=texts[150], **_usual(run))
    run.close()


def _usual(run: RunStore) -> dict[str, object]:
    output = run.unit("q0").output
    assert output is not None
    return {name: getattr(output, name) for name in ("latency_s", "usage", "cost", "model")}
