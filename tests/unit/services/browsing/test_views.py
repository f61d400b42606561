"""Comparisons of several runs, traces, the first page, live runs, and runs that can't be read."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import msgspec
import pytest

from evalwright import Case, Suite, evaluate
from evalwright.core.errors import NotFound, StoreError, UsageError
from evalwright.core.estimate import Estimate
from evalwright.core.output import Output, Step
from evalwright.core.ports import Progress
from evalwright.core.run import RunStatus, UnitRecord
from evalwright.core.score import Evidence, Score
from evalwright.core.scorer import ScoreKind
from evalwright.datasets.versions import SetInfo
from evalwright.engine.control import RunState, write_state
from evalwright.scorers import Contains, ExactMatch
from evalwright.services.browsing.browser import Browser, browser_of
from evalwright.services.browsing.cases import list_cases
from evalwright.services.browsing.compare import RowFilter, checked_runs, compare_rows, compare_view
from evalwright.services.browsing.gates import list_gates
from evalwright.services.browsing.live import follow, look
from evalwright.services.browsing.overview import overview
from evalwright.services.browsing.runs import list_runs, run_page
from evalwright.services.browsing.suites import list_suites
from evalwright.services.browsing.trace import Trace, span_detail, trace_page
from evalwright.services.golden import Goldens
from evalwright.store.browse_query import UnitFilter
from evalwright.store.cards import Card, CardStore
from evalwright.store.catalog import RunFilter
from evalwright.store.lock import RunLock
from evalwright.store.workspace import Workspace
from tests.unit.store.runs import answered, failed, new_run, record

# --- several runs --------------------------------------------------------------------------------------------------


def test_three_runs_side_by_side(browser: Browser, ids: list[str]) -> None:
    view = compare_view(browser, ids[0], ids[1:])
    assert [candidate.run.run_id for candidate in view.candidates] == ids[1:]
    worse, same = view.candidates
    figure = next(one for one in worse.metrics if one.metric == "exact_match")
    assert (figure.margin, figure.n) == (0.02, 7)
    assert figure.no_worse is False
    assert {one.metric: one.pass_fail for one in worse.flips}["exact_match"] == 3
    assert all(one.pass_fail == 0 for one in same.flips)
    rows = compare_rows(browser, tuple(ids), RowFilter(metric="exact_match", show="regressions", sort="id"))
    assert [row.case_id for row in rows.items] == ["c1", "c6", "c7"]
    assert [side.delta for side in rows.items[0].sides] == [None, -1.0, 0.0]


def test_rows_are_found_by_words_of_any_side(browser: Browser, ids: list[str]) -> None:
    runs = tuple(ids[:2])
    assert [row.case_id for row in compare_rows(browser, runs, RowFilter(text="hi max")).items] == ["c6"]
    assert compare_rows(browser, runs, RowFilter(slices=("locale=en",))).total == 4
    assert compare_rows(browser, runs, RowFilter(show="improvements")).total == 0
    by_size = compare_rows(browser, runs, RowFilter(metric="contains", sort="-abs_delta", show="changed"))
    assert all(row.delta == -1.0 for row in by_size.items)


def test_a_comparison_is_made_once(browser: Browser, ids: list[str]) -> None:
    first = compare_view(browser, ids[0], ids[1:2])
    again = compare_view(Browser(browser.workspace), ids[0], ids[1:2])
    assert again == first
    assert list((browser.workspace.cache_dir / "comparisons").glob("*.json"))


@pytest.mark.parametrize("runs", [("a", ["a"]), ("a", []), ("a", [f"b{n}" for n in range(10)])])
def test_what_can_not_be_compared(runs: tuple[str, list[str]]) -> None:
    with pytest.raises(UsageError):
        checked_runs(*runs)


@pytest.mark.parametrize(
    "wanted", [RowFilter(show="x"), RowFilter(flip="x"), RowFilter(sort="x"), RowFilter(metric="x")]
)
def test_rows_that_can_not_be_asked_for(browser: Browser, ids: list[str], wanted: RowFilter) -> None:
    with pytest.raises(UsageError):
        compare_rows(browser, tuple(ids[:2]), wanted)


def test_a_case_whose_question_changed_is_no_pair(tmp_path: Path) -> None:
    def made(question: str) -> str:
        cases = [Case(id="a", input="Ada", expected="Ada"), Case(id="b", input=question, expected=question)]
        suite = Suite(name="s", cases=cases, scorers=[ExactMatch()])
        return evaluate(suite, target=lambda x: x, workspace=tmp_path).run_id

    runs = (made("one"), made("two"))
    page = compare_rows(Browser(Workspace.open(tmp_path)), runs, RowFilter())
    assert [row.case_id for row in page.items] == ["a"]


# --- traces --------------------------------------------------------------------------------------------------------


def deep(levels: int) -> Step:
    step = Step(kind="tool", name="last", output={"usage": {"input_tokens": 3, "output_tokens": 4}, "cost": 0.5})
    for number in range(levels):
        step = Step(kind="agent", name=f"level {number}", children=(step,))
    return step


def test_ten_thousand_spans_are_served_branch_by_branch() -> None:
    branches = tuple(
        Step(
            kind="agent",
            name=f"b{b}",
            start_s=float(b),
            duration_s=1.0,
            children=tuple(Step(kind="tool") for _ in range(99)),
        )
        for b in range(100)
    )
    trace = Trace(UnitRecord(case_id="c", case_hash="0", output=Output(steps=branches)))
    roots = trace_page(trace, limit=60)
    assert (len(roots.items), roots.total, roots.spans_total, roots.duration_s) == (60, 100, 10_000, 100.0)
    rest = trace_page(trace, after=roots.next)
    assert [row.name for row in rest.items] == [f"b{b}" for b in range(60, 100)]
    below = trace_page(trace, parent=rest.items[-1].id)
    assert (below.total, below.items[0].id, below.items[0].depth) == (99, "9901", 1)
    with pytest.raises(UsageError, match="between 1 and 500"):
        trace_page(trace, limit=501)


def test_a_trace_may_be_as_deep_as_it_is_long() -> None:
    trace = Trace(UnitRecord(case_id="c", case_hash="0", output=Output(steps=(deep(150),))))
    last = trace.rows[-1]
    assert (last.depth, last.tokens, last.cost, trace.rows[0].below) == (150, 7, 0.5, 150)
    assert [row.name for row in span_detail(trace, "2").path] == ["level 149", "level 148"]
    for wrong in ("151", "-1", "x", "١"):
        with pytest.raises(NotFound):
            span_detail(trace, wrong)


def test_verdicts_are_pinned_to_the_steps_they_judge() -> None:
    steps = (Step(kind="llm"), Step(kind="tool", name="search"), Step(kind="tool", name="pay"))
    judged = Score.of(
        False, evidence=(Evidence(where="tool_call", index=1, note="paid twice"), Evidence(where="step", index=9))
    )
    unit = UnitRecord(case_id="c", case_hash="0", output=Output(steps=steps), scores={"policy": judged})
    pinned = {row.name: [(pin.metric, pin.note) for pin in row.scores] for row in Trace(unit).rows}
    assert pinned == {"llm": [], "search": [], "pay": [("policy", "paid twice")]}


def test_an_answer_without_a_trace() -> None:
    page = trace_page(Trace(UnitRecord(case_id="c", case_hash="0")))
    assert (page.items, page.spans_total, page.duration_s) == ((), 0, None)


# --- running, broken and foreign runs ------------------------------------------------------------------------------


CASES = [Case(id="a", input="1"), Case(id="b", input="2"), Case(id="c", input="3")]


def running(tmp_path: Path) -> Browser:
    run = new_run(tmp_path, CASES)
    record(run, [answered(run, "a"), answered(run, "b", "no")])
    workspace = Workspace.open(tmp_path / "ws")
    workspace.catalog.add(run.manifest())
    return Browser(workspace)


def test_a_running_run_shows_what_it_has(tmp_path: Path) -> None:
    browser = running(tmp_path)
    folder = browser.workspace.run_dir("r1")
    with RunLock(folder):
        progress = Progress(units=3, done=2, errored=0, running={"exact": 0.5}, eta_s=4.0)
        write_state(folder, RunState(status=RunStatus.RUNNING, pid=1, progress=progress))
        (listed,) = list_runs(browser, RunFilter()).items
        assert listed.live is not None
        assert (listed.live.alive, listed.done, listed.headline) == (True, 2, None)
        page = run_page(browser, "r1")
        assert (page.totals, page.estimates, page.decision) == (None, (), None)
        assert page.live == listed.live
        assert [unit.case_id for unit in list_cases(browser, "r1", UnitFilter(status="failed")).items] == ["b"]
        assert look(browser, "r1").type == "progress"
    assert look(browser, "r1").type == "finished"  # the process has gone: it was cut off
    write_state(folder, RunState(status=RunStatus.COMPLETE, pid=1, updated_at=time.time()))
    assert look(browser, "r1").type == "progress"  # its figures are being made
    write_state(folder, RunState(status=RunStatus.COMPLETE, pid=1, updated_at=time.time() - 3600))
    assert look(browser, "r1").type == "finished"
    cut = run_page(browser, "r1").live
    assert cut is not None
    assert not cut.alive


def test_progress_is_followed_to_its_end(tmp_path: Path) -> None:
    browser = running(tmp_path)
    folder = browser.workspace.run_dir("r1")

    async def watch() -> list[int]:
        seen: list[int] = []
        with RunLock(folder):
            for done in (1, 2):
                progress = Progress(units=3, done=done)
                write_state(folder, RunState(status=RunStatus.RUNNING, pid=1, progress=progress))
                async for event in follow(browser, "r1", every_s=0.01):
                    assert event.live is not None
                    assert event.live.progress is not None
                    seen.append(event.live.progress.done)
                    break
        return [*seen, *[0 async for event in follow(browser, "r1") if event.type == "finished"]]

    assert asyncio.run(watch()) == [1, 2, 0]


def test_a_run_that_was_never_started_is_no_error(tmp_path: Path) -> None:
    run = new_run(tmp_path, CASES)
    workspace = Workspace.open(tmp_path / "ws")
    workspace.catalog.add(run.manifest())
    browser = Browser(workspace)
    assert list_cases(browser, "r1", UnitFilter()).total == 0
    assert run_page(browser, "r1").live is not None
    assert overview(browser).suites[0].run_id is None
    assert list_gates(browser)[0].problem == "no run has finished yet"


def test_a_run_the_catalog_does_not_know_is_noted_when_asked_for(tmp_path: Path) -> None:
    run = new_run(tmp_path, CASES)
    record(run, [failed(run, "a")])
    run.seal()
    browser = Browser(Workspace.open(tmp_path / "ws"))
    assert run_page(browser, "r1").entry.suite == "codes"
    page = list_cases(browser, "r1", UnitFilter(status="errored"))
    assert page.items[0].error is not None
    assert page.items[0].error.kind == "timeout"


@pytest.mark.parametrize("name", ["summary.json", "units.parquet", "manifest.json"])
def test_a_damaged_run_does_no_harm_to_lists(tmp_path: Path, name: str) -> None:
    suite = Suite(name="s", cases=CASES, scorers=[Contains("1")], owner="me")
    broken = evaluate(suite, target=lambda x: x, workspace=tmp_path).run_id
    whole = evaluate(suite, target=lambda x: x, workspace=tmp_path).run_id
    (tmp_path / "runs" / broken / name).write_bytes(b"{rubbish")
    browser = Browser(Workspace.open(tmp_path))
    assert list_runs(browser, RunFilter()).total == 2
    assert overview(browser).suites[0].run_id == whole
    assert list_suites(browser)[0].runs == 2
    with pytest.raises(StoreError, match="can't be read"):
        list_cases(browser, broken, UnitFilter())
    assert list_cases(browser, whole, UnitFilter()).total == 3


def test_a_run_of_a_later_version_is_named_as_unreadable(tmp_path: Path) -> None:
    suite = Suite(name="s", cases=CASES, scorers=[Contains("1")])
    later = evaluate(suite, target=lambda x: x, workspace=tmp_path).run_id
    path = tmp_path / "runs" / later / "summary.json"
    path.write_bytes(path.read_bytes().replace(b'"status":"complete"', b'"status":"dreaming"'))
    browser = Browser(Workspace.open(tmp_path))
    assert "can't be read" in overview(browser).suites[0].problem
    assert "can't be read" in list_gates(browser)[0].problem
    with pytest.raises(StoreError):
        run_page(browser, later)


def test_scoring_again_is_seen_at_once(tmp_path: Path) -> None:
    run = new_run(tmp_path, CASES[:2])
    record(run, [answered(run, "a"), answered(run, "b", "no")])
    run.seal()
    browser = Browser(Workspace.open(tmp_path / "ws"))
    assert list_cases(browser, "r1", UnitFilter(status="failed")).total == 1
    run.write_scores([("a", 0, {"exact": Score.of(False)}), ("b", 0, {"exact": Score.of(False)})])
    assert list_cases(browser, "r1", UnitFilter(status="failed")).total == 2


def test_one_browser_a_workspace(tmp_path: Path) -> None:
    one, other = Workspace.open(tmp_path / "a"), Workspace.open(tmp_path / "b")
    assert browser_of(one) is browser_of(Workspace.open(tmp_path / "a"))
    assert browser_of(one) is not browser_of(other)


# --- the first page ------------------------------------------------------------------------------------------------


def test_safety_failures_judges_sets_and_money(tmp_path: Path) -> None:
    suite = Suite(name="s", cases=CASES, scorers=[Contains("1")])
    made = evaluate(suite, target=lambda x: x, workspace=tmp_path)
    workspace = Workspace.open(tmp_path)
    summary = workspace.run(made.run_id).summary()
    assert summary is not None
    scorer = msgspec.structs.replace(summary.manifest.scorers[0], severity="high", kind=ScoreKind.PROPORTION.value)
    manifest = msgspec.structs.replace(summary.manifest, scorers=(scorer,))
    changed = msgspec.structs.replace(summary, manifest=manifest)
    workspace.run(made.run_id).write_summary(changed)
    kappa = Estimate(metric="kappa", value=0.7, low=0.6, high=0.8)
    for at, value in ((1.0, 0.8), (2.0, 0.7)):
        figures = (msgspec.structs.replace(kappa, value=value),)
        CardStore(tmp_path).save(Card(metric="contains", identity=scorer.digest, created_at=at, n=50, figures=figures))
    goldens = Goldens(workspace, by="me")
    goldens.create(SetInfo(name="tickets", at=0.0, owner="team", tier=1, cadence_days=30))
    goldens.add("tickets", CASES)
    page = overview(Browser(workspace), now=time.time() + 31 * 86_400)
    (failure,) = page.safety.open
    assert (failure.metric, failure.count, failure.severity) == ("contains", 2, "high")
    (judge,) = page.judges
    assert (judge.kappa, judge.n, judge.prompt_current) == (0.7, 50, True)
    assert judge.drift == pytest.approx(-0.1)
    (golden,) = page.sets
    assert (golden.stale, golden.cases, golden.state) == (True, 3, "draft")
    assert (page.spend.last_30d, page.spend.per_suite) == (None, ())
