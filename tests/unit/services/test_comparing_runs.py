"""Stored runs compared: alignment by id and content, comparability told first, Python's door, mixes, stored slices."""

import json
import random

import pytest

from evalwright import Case, Output, Score, Suite, evaluate, scorer
from evalwright.analysis.comparing import CompareSettings
from evalwright.core.comparison import Advice, Change, Weight
from evalwright.core.errors import ConfigError, UsageError
from evalwright.core.run import RunSettings
from evalwright.scorers import F1, Bleu, CalibrationError, Contains, ExactMatch, Latency, PrAuc, RocAuc
from evalwright.services.comparing import compare, compare_runs
from evalwright.services.comparison_parts import ComparePlan
from evalwright.services.frames import FILE, run_frame
from evalwright.services.mixes import MixTable, read_mix
from evalwright.services.pairing import PairedRuns, align
from evalwright.services.run_columns import RunColumns
from evalwright.services.slice_search import reweighted
from evalwright.store.results import RunStore
from evalwright.store.workspace import Workspace


def cases(n=60, **changes):
    return [
        Case(id=f"q{i:02d}", input=f"{i}", expected=f"{i}", metadata={"locale": "de" if i % 3 else "en", **changes})
        for i in range(n)
    ]


def suite(rows=None, *, scorers=None, name="small", **more):
    return Suite(
        name=name,
        cases=cases() if rows is None else rows,
        scorers=scorers or [ExactMatch()],
        slices={"locale": "metadata.locale"},
        **more,
    )


def store(run):
    return Workspace(run.folder.parent.parent).run(run.run_id)


def wrong_on(*numbers):
    return lambda text: "?" if int(text) in numbers else text


def by_what(runs):
    return {m.what: m for m in runs.pair.mismatches}


def test_two_runs_of_one_suite_are_compared_case_by_case(tmp_path):
    before = evaluate(suite(), wrong_on(*range(10)), workspace=tmp_path)
    after = evaluate(suite(), wrong_on(5), workspace=tmp_path)
    change = compare(baseline=before, candidate=after)
    figure = change.metric("exact_match")
    assert (figure.n, figure.wins, figure.losses) == (60, 9, 0)
    assert figure.difference == pytest.approx(0.15)
    assert figure.change is Change.BETTER
    assert change.metric("exact_match", slice="locale=de").n == 40
    assert change.recommendation.advice is Advice.SHIP
    assert [pair.case.id for pair in change.improvements()] == [f"q{i:02d}" for i in range(10) if i != 5]
    assert change.regressions() == []
    assert change.improvements()[0].baseline.trials[0].output.text == "?"
    with pytest.raises(KeyError, match="no metric 'bleu'"):
        change.metric("bleu")
    with pytest.raises(KeyError, match="no verdicts 'bleu'"):
        change.regressions("bleu")
    assert "SHIP" not in repr(change)
    assert "ship" in repr(change)


def test_a_run_is_not_compared_with_itself(tmp_path):
    run = evaluate(suite(), wrong_on(1), workspace=tmp_path)
    with pytest.raises(UsageError, match="two different runs"):
        compare(baseline=run, candidate=run)


def test_cases_pair_up_by_id_and_content_whatever_their_order(tmp_path):
    rows = cases(12)
    changed = Case(id="q03", input="three", expected="3")
    relabelled = Case(id="q04", input="4", expected="4", metadata={"locale": "es"})
    new = Case(id="new", input="99", expected="99")
    other = [new, relabelled, *reversed([row for row in rows if row.id not in {"q03", "q04", "q05"}]), changed]
    left, right = (store(evaluate(suite(r), wrong_on(), workspace=tmp_path)) for r in (rows, other))
    found = align(left.cases, right.cases)
    ids = [
        (left.cases[int(a)].id, right.cases[int(b)].id) for a, b in zip(found.baseline, found.candidate, strict=True)
    ]
    assert all(a == b for a, b in ids)
    assert {a for a, _ in ids} == {row.id for row in rows} - {"q03", "q05"}
    counts = found.pairing
    assert (counts.pairs, counts.relabelled, counts.changed) == (10, 1, 1)
    assert (counts.baseline_only, counts.candidate_only) == (1, 1)
    assert found.changed == ("q03",)
    runs = compare_runs([left, right])
    told = by_what(runs)
    assert {"cases", "case contents", "case labels", "dataset"} <= set(told)
    assert "q03" in told["case contents"].meaning
    assert runs.metric("exact_match").n == 10


def test_runs_without_a_common_case_say_so_and_nothing_else(tmp_path):
    left = evaluate(suite(cases(5)), wrong_on(), workspace=tmp_path)
    right = evaluate(suite([Case(id="z", input="1", expected="1")]), wrong_on(), workspace=tmp_path)
    found = compare(baseline=left, candidate=right)
    assert not found.pair.comparable
    assert found.recommendation.advice is Advice.INCOMPARABLE
    assert found.pair.mismatches[0].weight is Weight.BREAKS


def test_a_metric_scored_in_two_ways_is_not_compared(tmp_path):
    left = evaluate(suite(scorers=[ExactMatch(), Contains("1")]), wrong_on(3), workspace=tmp_path)
    right = evaluate(suite(scorers=[ExactMatch(ignore_case=True), Contains("1")]), wrong_on(), workspace=tmp_path)
    found = compare(baseline=left, candidate=right)
    told = by_what(found)["scorer"]
    assert (told.weight, told.metrics) == (Weight.BREAKS, ("exact_match",))
    assert "`ignore_case`" in told.meaning
    assert f"evalwright score {left.run_id}" in told.meaning
    assert {figure.metric for figure in found.pair.figures} == {"contains", "latency"}
    with pytest.raises(KeyError):
        found.metric("exact_match")


def test_trials_slices_errors_and_target_are_told(tmp_path):
    def sometimes(text):
        if text == "7":
            raise ValueError("boom")
        return text

    left = evaluate(suite(), wrong_on(3), workspace=tmp_path)
    other = Suite(name="small", cases=cases(), scorers=[ExactMatch()], slices={"locale": "metadata.locale", "n": "id"})
    right = evaluate(other, sometimes, workspace=tmp_path, settings=RunSettings(trials=2, retries=0))
    told = by_what(compare(baseline=left, candidate=right))
    assert told["trials"].weight is Weight.LIMITS
    assert "`n`" in told["slices"].meaning
    assert "2 of 120 units" in told["errors"].meaning
    assert any(what.startswith("target") and m.weight is Weight.EXPLAINS for what, m in told.items())


def test_errors_are_a_figure_of_their_own_and_never_a_wrong_answer(tmp_path):
    def failing(text):
        if int(text) < 20:
            raise ValueError("boom")
        return text

    settings = RunSettings(retries=0)
    before = evaluate(suite(), wrong_on(), workspace=tmp_path)
    after = evaluate(suite(), failing, workspace=tmp_path, settings=settings)
    found = compare(baseline=before, candidate=after)
    errors, exact = found.metric("errors"), found.metric("exact_match")
    assert (errors.difference, errors.change) == (pytest.approx(1 / 3), Change.WORSE)
    assert (exact.n, exact.baseline_only, exact.difference) == (40, 20, 0.0)
    assert found.recommendation.advice is Advice.KEEP
    assert any("leaves out 20 cases" in limit for limit in found.recommendation.limits)
    assert len(found.regressions()) == 20


def test_the_same_target_twice_is_told(tmp_path):
    runs = [evaluate(suite(), wrong_on(3), workspace=tmp_path) for _ in range(2)]
    assert any(m.what.startswith("target") for m in compare(baseline=runs[0], candidate=runs[1]).pair.mismatches)


def test_three_runs_form_one_family_and_one_frontier(tmp_path):
    made = [wrong_on(*range(n)) for n in (20, 10, 0)]
    runs = [evaluate(suite(), target, workspace=tmp_path) for target in made]
    against = compare(*runs[2:], baseline=runs[0], candidate=runs[1]).record
    assert (against.design, len(against.pairs)) == ("baseline", 2)
    every = compare_runs([store(r) for r in runs], ComparePlan(all_pairs=True)).record
    assert len(every.pairs) == 3
    alone = compare(baseline=runs[0], candidate=runs[1]).metric("exact_match")
    together = every.pairs[0].metric("exact_match")
    assert together.p == alone.p
    assert together.p_adjusted >= alone.p_adjusted
    quality = {point.run_id: point.values["quality"] for point in every.frontier}
    assert [round(quality[r.run_id], 3) for r in runs] == [0.667, 0.833, 1.0]


def test_own_measurements_are_not_made_twice(tmp_path):
    runs = [evaluate(suite(scorers=[ExactMatch(), Latency()]), wrong_on(n), workspace=tmp_path) for n in (1, 2)]
    found = compare(baseline=runs[0], candidate=runs[1])
    assert [f.statistic for f in found.pair.figures if f.metric == "latency"] == ["mean", "p50", "p95"]


def test_looked_up_answers_have_no_latency(tmp_path):
    answers = {f"q{i:02d}": Output(text=f"{i}") for i in range(60)}
    runs = [evaluate(suite(), a, workspace=tmp_path) for a in (answers, {**answers, "q01": Output(text="x")})]
    assert {f.metric for f in compare(baseline=runs[0], candidate=runs[1]).pair.figures} == {"exact_match"}


def test_scorers_in_python_with_another_body_are_other_scorers(tmp_path):
    @scorer("same", version="1")
    def first(ctx):
        return Score.of(True)

    @scorer("same", version="1")
    def second(ctx):
        return Score.of(bool(ctx.output.text))

    runs = [evaluate(suite(scorers=[one]), wrong_on(), workspace=tmp_path) for one in (first, second)]
    found = compare(baseline=runs[0], candidate=runs[1])
    assert "same" in by_what(found)["scorer"].metrics


def test_metrics_of_a_whole_run_are_compared_too(tmp_path):
    rows = [Case(id=f"c{i}", input=str(i), expected="cat" if i % 3 else "dog") for i in range(90)]
    scorers = [Bleu(), F1(), RocAuc(positive="cat"), PrAuc(positive="cat"), CalibrationError(bins=5)]
    plain = Suite(name="animals", cases=rows, scorers=scorers)

    def guess(rate):
        def answer(text):
            luck = random.Random(f"{text}").random()
            truth = "cat" if int(text) % 3 else "dog"
            other = {"cat": "dog", "dog": "cat"}[truth]
            return Output(text=truth if luck < rate else other, data={"confidence": round(0.5 + luck / 2, 3)})

        return answer

    found = compare(baseline=evaluate(plain, guess(0.6), workspace=tmp_path),
                    candidate=evaluate(plain, guess(0.95), workspace=tmp_path))  # fmt: skip
    tests = {f.metric: (f.test, f.statistic) for f in found.pair.figures if f.statistic == "corpus"}
    assert tests["f1"] == ("paired_t", "corpus")
    assert tests["bleu"] == tests["pr_auc"] == tests["calibration_error"] == ("bootstrap", "corpus")
    assert found.metric("f1").change is Change.BETTER
    assert found.metric("f1").candidate > 0.9 > found.metric("f1").baseline
    assert found.metric("roc_auc").difference == 0.0
    for figure in (found.metric(name) for name in tests):
        assert figure.low <= figure.difference <= figure.high


def test_a_run_that_was_cut_off_is_compared_over_what_it_has(tmp_path):
    whole = evaluate(suite(), wrong_on(1), workspace=tmp_path)
    part = evaluate(suite(), wrong_on(2), workspace=tmp_path, settings=RunSettings(limit=20))
    found = compare(baseline=whole, candidate=part)
    assert found.pair.pairing.pairs == 20
    assert by_what(found)["cases"].weight is Weight.LIMITS
    (part.folder / "summary.json").unlink()
    again = compare(baseline=whole, candidate=store(part))
    assert again.metric("exact_match").n == 20
    assert "status" in by_what(again)


def test_a_paired_rule_can_ask_for_one_figure(tmp_path):
    runs = [store(evaluate(suite(), wrong_on(*range(n)), workspace=tmp_path)) for n in (12, 3)]
    pair = PairedRuns.of(*runs)
    figure = pair.figure("exact_match", slice={"locale": "de"})
    assert (figure.n, figure.slice) == (40, "locale=de")
    assert figure.least_gain is not None
    assert pair.figure("no_such_metric") is None


def test_metrics_and_quality_must_exist(tmp_path):
    runs = [store(evaluate(suite(), wrong_on(n), workspace=tmp_path)) for n in (1, 2)]
    with pytest.raises(UsageError, match="no metric `bleu`"):
        compare_runs(runs, ComparePlan(settings=CompareSettings(metrics=("bleu",))))
    with pytest.raises(UsageError, match="no metric `bleu`"):
        compare_runs(runs, ComparePlan(quality="bleu"))


def test_figures_at_the_production_mix(tmp_path):
    german = [i for i in range(60) if i % 3]
    runs = [evaluate(suite(), wrong_on(*german[:n]), workspace=tmp_path) for n in (0, 20)]
    plan = ComparePlan(mix=MixTable(dimension="locale", shares={"locale=de": 0.1, "locale=en": 0.9}))
    found = compare_runs([store(r) for r in runs], plan)
    assert found.metric("exact_match").difference == pytest.approx(-20 / 60)
    assert found.pair.reweighted[0].difference == pytest.approx(-0.1 * 0.5)
    alone = reweighted(store(runs[1]), plan.mix)[0]
    assert alone.crude.value == pytest.approx(40 / 60)
    assert alone.adjusted.value == pytest.approx(0.95)
    with pytest.raises(UsageError, match="no case of locale=fr"):
        reweighted(store(runs[0]), MixTable(dimension="locale", shares={"locale=fr": 1.0}))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("mix.csv", "locale,share\nde,0.3\nen,0.7\n"),
        ("mix.json", '{"locale": {"de": 0.3, "en": 0.7}}'),
        ("rows.json", '[{"locale": "de", "share": 0.3}, {"locale": "en", "share": 0.7}]'),
    ],
)
def test_a_mix_is_read_from_a_table(tmp_path, name, text):
    path = tmp_path / name
    path.write_text(text)
    assert read_mix(str(path)) == MixTable(dimension="locale", shares={"locale=de": 0.3, "locale=en": 0.7})
    assert read_mix("locale: de=0.3, en=0.7") == read_mix(str(path))


def test_a_mix_over_two_slices(tmp_path):
    path = tmp_path / "mix.csv"
    path.write_text("locale,tier,count\nde,1,30\nen,2,70\n")
    assert read_mix(str(path)).shares == {"locale=de & tier=1": 30.0, "locale=en & tier=2": 70.0}
    assert read_mix(str(path)).dimension == "locale & tier"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("locale,share\nde,many\n", "no number"),
        ("locale\nde\n", "one of share"),
        ("locale,share\nde,1\nde,2\n", "twice"),
        ("locale,share\n", "no rows"),
    ],
)
def test_a_mix_that_is_wrong_is_named_with_its_line(tmp_path, text, message):
    path = tmp_path / "mix.csv"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        read_mix(str(path))
    with pytest.raises(UsageError, match="is no mix"):
        read_mix("half and half")
    with pytest.raises(UsageError, match="can't be read"):
        read_mix(str(tmp_path / "gone.csv"))


def test_slices_are_worked_out_once_and_again_when_they_change(tmp_path):
    run = store(evaluate(suite(), wrong_on(), workspace=tmp_path))
    specs = RunColumns(run).specs
    path = run.folder / FILE
    first, stamp = run_frame(run, specs), path.stat().st_mtime_ns
    assert run_frame(run, specs).members("locale", "de").tolist() == first.members("locale", "de").tolist()
    assert path.stat().st_mtime_ns == stamp
    other = {"first": specs["locale"]}
    assert list(run_frame(run, other).slices) == ["first"]
    path.write_bytes(b"broken")
    assert run_frame(run, specs).members("locale", "en").tolist() == first.members("locale", "en").tolist()


def test_comparisons_are_written_as_html_markdown_and_json(tmp_path):
    runs = [evaluate(suite(), wrong_on(*range(n)), workspace=tmp_path / "ws") for n in (10, 4)]
    found = compare(baseline=runs[0], candidate=runs[1])
    page = found.report(tmp_path / "out" / "change.html").read_text()
    assert "SHIP" in page
    assert "q05" in page
    text = found.report(tmp_path / "change.md").read_text()
    assert "exact" in text
    whole = json.loads(found.report(tmp_path / "change.json").read_text())
    assert whole["pairs"][0]["figures"][0]["change"] == "better"
    assert whole["format"] == 1
    with pytest.raises(UsageError, match="can't tell the format"):
        found.report(tmp_path / "change.pdf")


def test_a_store_is_as_good_as_a_run(tmp_path):
    runs = [store(evaluate(suite(), wrong_on(n), workspace=tmp_path)) for n in (1, 2)]
    assert all(isinstance(run, RunStore) for run in runs)
    assert compare(baseline=runs[0], candidate=runs[1]).metric("exact_match").n == 60
