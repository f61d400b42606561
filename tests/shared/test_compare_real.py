"""Comparisons of recorded systems: what the product says of real changes, through real runs."""

import json
import re

import pytest

from evalwright import Case, Output, Score, Suite, evaluate, scorer
from evalwright.analysis.comparing import CompareSettings
from evalwright.core.comparison import Advice, Change
from evalwright.services.comparing import compare, compare_runs
from evalwright.services.comparison_parts import ComparePlan
from evalwright.services.confusions import confusion_of
from evalwright.services.slice_search import SearchPlan, find_slices
from tests.shared.recorded import Bench, rows_of
from tests.shared_data import shared_data

pytestmark = pytest.mark.shared


def happy_numbers(folder):
    rows = list(rows_of(shared_data("data/llmdrift/dev_countahappynumber.jsonl.gz")))
    bench = Bench(folder, "happy-numbers", [{"numeric": {"pattern": r"\\boxed\{([^{}]*)\}", "as": "right"}}])
    bench.cases(
        {"id": f"happy/{r['id']}", "input": r["query"], "expected": re.search(r"\d+", r["ref_answer"]).group()}
        for r in rows
        if r["model"] == "gpt-4-0314"
    )

    def answers(model):
        keep = ("latency", "cost")
        for r in rows:
            if r["model"] == model:
                yield {
                    "id": f"happy/{r['id']}",
                    "text": r["answer"],
                    **{f"{k}{'_s' * (k == 'latency')}": r[k] for k in keep},
                }

    return bench, answers


def test_a_silent_model_update_is_told_with_its_size_and_its_price(tmp_path):
    bench, answers = happy_numbers(tmp_path)
    before, after = (bench.run(model, answers(model)) for model in ("gpt-4-0314", "gpt-4-0613"))
    found = compare_runs([before, after])
    figure = found.metric("right")
    assert (figure.baseline, figure.candidate) == (pytest.approx(0.836), pytest.approx(0.352))
    assert (figure.n, figure.wins, figure.losses, figure.method) == (500, 27, 269, "tango")
    assert figure.high < -0.42
    assert figure.exact_p < 1e-40
    assert found.recommendation.advice is Advice.KEEP
    assert "48.4 points worse (43.0 to 53.5)" in found.recommendation.headline
    assert "98 % cheaper" in found.recommendation.headline
    assert found.metric("cost").change is Change.BETTER
    assert found.metric("latency", statistic="p95").candidate == pytest.approx(21.173, abs=1e-3)
    assert not any(point.dominated_by for point in found.record.frontier)
    regressions = found.regressions()
    assert len(regressions) == 269
    assert all(p.baseline.passed and p.candidate.passed is False for p in regressions)


def big_bench(folder):
    rows = list(rows_of(shared_data("data/bbh_davinci/dev.jsonl.gz")))
    bench = Bench(folder, "bbh", ["exact"], slices={"task": "metadata.task"})
    bench.cases(
        {"id": f"{r['task']}/{r['i']}", "input": r["question"], "expected": r["target"], "task": r["task"]}
        for r in rows
    )
    direct = [{"id": f"{r['task']}/{r['i']}", "text": r["direct_prediction"]} for r in rows]
    thought = [{"id": f"{r['task']}/{r['i']}", "text": stated(r["cot_prediction"])} for r in rows]
    return bench, direct, thought


def stated(text):
    """What stands after the last "answer is", as the source's own scorer takes it."""
    return text.rpartition("answer is ")[2].strip().removesuffix(".")


@pytest.fixture(scope="module")
def thinking(tmp_path_factory):
    bench, direct, thought = big_bench(tmp_path_factory.mktemp("bbh"))
    return compare_runs([bench.run("direct", direct), bench.run("step-by-step", thought)])


def test_a_rising_mean_does_not_hide_the_task_that_fell(thinking):
    published = json.loads(shared_data("data/expected/bbh_davinci.json").read_text())["tasks"]
    rise = sum(task["cot"] - task["direct"] for task in published.values()) / len(published) / 100
    assert thinking.metric("exact").difference == pytest.approx(rise)
    assert rise > 0.25
    fallen = [figure for figure in thinking.pair.slices if figure.change is Change.WORSE]
    assert [figure.slice for figure in fallen] == ["task=word_sorting"]
    assert fallen[0].difference == pytest.approx(-0.1)
    assert fallen[0].exact_p == pytest.approx(0.0022275315109880345)
    assert 0.005 < fallen[0].p_adjusted < 0.05
    reversal = thinking.pair.reversals[0]
    assert (reversal.kind, reversal.parts) == ("hidden", ("task=word_sorting",))
    assert "10.0 points worse" in reversal.sentence
    assert "14 slices" in reversal.sentence
    assert thinking.recommendation.advice is Advice.TRADE
    assert all(pair.case.metadata["task"] == "word_sorting" for pair in thinking.regressions()[:44])
    assert not any(figure.metric == "latency" for figure in thinking.pair.figures)


def test_a_task_that_fell_within_chance_is_not_called_a_regression(thinking):
    translation = thinking.metric("exact", slice="task=salient_translation_error_detection")
    assert translation.difference == pytest.approx(-0.012)
    assert translation.change is Change.UNCLEAR
    assert translation.exact_p == pytest.approx(0.7607916425613439)


def test_every_task_has_the_published_exact_p(thinking):
    published = json.loads(shared_data("data/expected/bbh_davinci.json").read_text())["tasks"]
    for name, task in published.items():
        figure = thinking.metric("exact", slice=f"task={name}")
        assert (figure.baseline, figure.candidate) == pytest.approx((task["direct"] / 100, task["cot"] / 100))
        assert figure.exact_p == pytest.approx(task["mcnemar_p"])
        assert figure.p_adjusted >= figure.p


def test_the_exact_test_of_two_solvers(tmp_path):
    rows = list(rows_of(shared_data("data/gsm8k_solutions/solutions.jsonl.gz")))
    bench = Bench(tmp_path, "gsm8k", [{"numeric": {"after": "A:", "as": "solved"}}])
    bench.cases(
        {"id": f"gsm8k/{i}", "input": r["question"], "expected": r["ground_truth"].rpartition("A:")[2].strip()}
        for i, r in enumerate(rows)
    )
    verified, finetuned = (
        bench.run(system, ({"id": f"gsm8k/{i}", "text": r[system]["solution"]} for i, r in enumerate(rows)))
        for system in ("6b_verification", "175b_finetuning")
    )
    figure = compare_runs([verified, finetuned]).metric("solved")
    assert (figure.n, figure.losses, figure.wins) == (1319, 209, 152)
    assert figure.difference == pytest.approx(-0.0432, abs=5e-5)
    assert figure.se == pytest.approx(0.01436, abs=5e-6)
    assert figure.exact_p == pytest.approx(0.003150656880360618)
    assert figure.change is Change.WORSE


RATED = ("faithfulness", "appropriateness", "completeness", "naturalness")


def rated(name):
    @scorer(name, low=1.0, high=4.0, kind="mean")
    def rating(ctx):
        value = ctx.output.data.get(name)
        return Score.skip("not rated") if value is None else Score.of(value)

    return rating


@pytest.fixture(scope="module")
def raters(tmp_path_factory):
    """Human ratings of three systems' answers, each run's score being the mean over its raters."""
    rows = list(rows_of(shared_data("data/mtrag_human/dev_evaluations.jsonl.gz")))
    cases = [
        Case(id=r["task_id"].replace("<::>", "/"), input=r["task_id"], cluster=r["task_id"].partition("<::>")[0],
             metadata={"domain": r["domain"]})
        for r in rows if r["model"] == "reference"
    ]  # fmt: skip
    suite = Suite(
        name="mtrag", cases=cases, scorers=[rated(name) for name in RATED], slices={"domain": "metadata.domain"}
    )
    place = tmp_path_factory.mktemp("mtrag")

    def run(model):
        outputs = {
            r["task_id"].replace("<::>", "/"): Output(text=r["response"], data={k: mean(r["human"][k]) for k in RATED})
            for r in rows
            if r["model"] == model
        }
        return evaluate(suite, target=outputs, workspace=place)

    return run


def mean(by_rater):
    return sum(by_rater.values()) / len(by_rater)


def test_no_difference_is_claimed_where_the_raters_show_none(raters):
    found = compare(baseline=raters("llama-3.1-405b-instruct"), candidate=raters("gpt-4o"))
    faithful = found.metric("faithfulness")
    assert (faithful.n, faithful.difference) == (80, pytest.approx(-0.0563, abs=5e-5))
    assert found.metric("appropriateness").difference == pytest.approx(-0.025)
    assert not any(figure.clear for figure in (*found.pair.figures, *found.pair.slices))
    assert found.recommendation.advice is Advice.EVIDENCE
    assert "Not enough evidence" in found.recommendation.headline


def test_a_difference_the_raters_show_is_told_and_a_hint_among_many_is_called_one(raters):
    runs = {"baseline": raters("reference"), "candidate": raters("gpt-4o")}
    asked = ComparePlan(settings=CompareSettings(metrics=("faithfulness",)))
    alone = compare(**runs, plan=asked).metric("faithfulness")
    assert (alone.change, alone.method) == (Change.WORSE, "cluster_cr2_t")
    assert alone.high < 0
    among = compare(**runs)
    assert among.metric("faithfulness").hint
    assert among.metric("naturalness").change is Change.UNCLEAR
    assert "no more than a hint" in among.recommendation.headline


def test_four_models_are_compared_as_one_family(tmp_path):
    bench, answers = happy_numbers(tmp_path)
    models = ("gpt-4-0314", "gpt-4-0613", "gpt-3.5-turbo-0301", "gpt-3.5-turbo-0613")
    runs = [bench.run(model, answers(model)) for model in models]
    plan = ComparePlan(settings=CompareSettings(metrics=("right",)), all_pairs=True)
    found = compare_runs(runs, plan).record
    assert (found.design, len(found.pairs)) == ("all", 6)
    figures = {(p.baseline, p.candidate): p.metric("right") for p in found.pairs}
    closest = figures[runs[1].run_id, runs[2].run_id]
    assert closest.difference == pytest.approx(0.306 - 0.352)
    assert closest.p_adjusted == pytest.approx(closest.p)  # the largest of six: Holm leaves it as it is
    assert sum(figure.clear for figure in figures.values()) == 5
    best = [point for point in found.frontier if not point.dominated_by]
    assert {point.label for point in best} >= {"gpt-4-0314", "gpt-4-0613"}


@pytest.fixture(scope="module")
def intents(tmp_path_factory):
    """The saved predictions of a support-intent classifier, scored through a run."""
    folder = tmp_path_factory.mktemp("banking")
    scorers = ["accuracy", "f1", {"f1": {"average": "micro", "as": "micro_f1"}}, "balanced_accuracy", "mcc"]
    bench = Bench(folder, "banking77", scorers, slices={"intent": "expected"})
    bench.cases(
        {"id": r["id"], "input": r["text"], "expected": r["intent"]}
        for r in rows_of(shared_data("data/banking77/test.jsonl.gz"))
    )
    said = rows_of(shared_data("data/banking77/baseline_predictions_test.jsonl.gz"))
    return bench.run("baseline", ({"id": r["id"], "text": r["prediction"]} for r in said))


def test_a_classifier_of_77_intents_has_the_saved_figures_with_intervals(intents):
    summary = intents.summary()
    accuracy, macro, micro = (summary.metric(name) for name in ("accuracy", "f1", "micro_f1"))
    assert accuracy.value == pytest.approx(0.8942, abs=5e-5)
    assert accuracy.method == "wilson"
    assert 0.882 < accuracy.low < accuracy.high < 0.906
    assert macro.value == pytest.approx(0.8945, abs=5e-5)
    assert macro.low < macro.value < macro.high
    assert macro.high - macro.low < 0.03
    assert micro.value == pytest.approx(accuracy.value)
    assert summary.metric("balanced_accuracy").value == pytest.approx(accuracy.value)  # 40 cases of every intent


def test_the_classes_a_classifier_takes_for_one_another(intents):
    found = confusion_of(intents, "accuracy")
    worst = min(found.classes, key=lambda row: row.f1)
    assert worst.label == "balance_not_updated_after_bank_transfer"
    assert worst.f1 == pytest.approx(0.6818, abs=5e-5)
    assert worst.recall.n == 40
    assert worst.recall.low < worst.recall.value < worst.recall.high
    assert found.matrix.n == 3080
    assert found.matrix.most_confused(1)[0][2] >= 5


@pytest.fixture(scope="module")
def scoped(tmp_path_factory):
    """The saved predictions of an intent classifier with out-of-scope requests among its inputs."""
    folder = tmp_path_factory.mktemp("clinc")
    confident = {"score_path": "data.confidence", "field": "text"}
    scorers = [
        {"accuracy": {"expected": "metadata.in_scope_intent"}},
        {"calibration_error": {**confident, "expected": "metadata.in_scope_intent", "bins": 15, "binning": "width"}},
        {"roc_auc": {**confident, "outcome": "metadata.in_scope", "as": "oos_auroc"}},
        {"pr_auc": {**confident, "outcome": "metadata.in_scope"}},
        {"brier": {**confident, "expected": "metadata.in_scope_intent"}},
        {"log_loss": {**confident, "expected": "metadata.in_scope_intent"}},
    ]
    bench = Bench(folder, "clinc150", scorers, slices={"domain": "metadata.domain"})
    rows = list(rows_of(shared_data("data/clinc150/test.jsonl.gz")))
    bench.cases({"id": f"clinc/{i}", "input": r["text"], **scope(r)} for i, r in enumerate(rows))
    said = rows_of(shared_data("data/clinc150/baseline_predictions_test.jsonl.gz"))
    return bench.run(
        "baseline",
        ({"id": f"clinc/{r['i']}", "text": r["prediction"], "data": {"confidence": r["confidence"]}} for r in said),
    )


def scope(row):
    inside = row["intent"] != "oos"
    known = {"in_scope_intent": row["intent"]} if inside else {}
    return {"metadata": {"in_scope": inside, "domain": row["domain"], **known}}


def test_calibration_and_out_of_scope_detection_have_the_saved_figures_with_intervals(scoped):
    summary = scoped.summary()
    figures = {name: summary.metric(name) for name in ("accuracy", "oos_auroc", "calibration_error")}
    assert figures["accuracy"].value == pytest.approx(0.8918, abs=5e-5)
    assert (figures["accuracy"].n, figures["accuracy"].skipped) == (4500, 1000)
    assert figures["oos_auroc"].value == pytest.approx(0.9157, abs=5e-5)
    assert figures["oos_auroc"].method == "delong_logit"
    assert figures["calibration_error"].value == pytest.approx(0.162, abs=5e-4)
    assert all(figure.low < figure.value < figure.high for figure in figures.values())
    published = json.loads(shared_data("data/expected/clinc150.json").read_text())
    by_domain = published["baseline (train small, no oos class)"]["accuracy_by_domain"]
    found = {d: summary.metric("accuracy", slice=f"domain={d}") for d in by_domain}
    assert {d: round(figure.value, 4) for d, figure in found.items()} == by_domain
    assert min(found, key=lambda d: found[d].value) == "home"


def test_the_weak_domain_is_found_by_searching_with_correction(scoped):
    found = find_slices(scoped, SearchPlan(metric="accuracy"))
    assert found.rows[0].label == "domain=home"
    assert found.rows[0].p_adjusted < 0.01
    assert found.tested >= 10


BIAS = ("age", "religion", "sexual_orientation")


@pytest.fixture(scope="module")
def stereotypes(tmp_path_factory):
    """One model's answers to questions about people, in two prompt formats."""
    rows = [r for name in BIAS for r in rows_of(shared_data(f"data/bbq_unifiedqa/dev_{name}.jsonl.gz"))]
    scorers = [
        "accuracy",
        {"fairness_gap": {"group": "metadata.category"}},
        {"fairness_gap": {"group": "metadata.polarity", "as": "polarity_gap"}},
    ]
    slices = {"condition": "metadata.condition", "category": "metadata.category"}
    bench = Bench(tmp_path_factory.mktemp("bbq"), "bbq", scorers, slices=slices)
    bench.cases({"id": bbq_id(r), "input": f"{r['context']} {r['question']}", **labelled(r)} for r in rows)
    return [
        bench.run(form, ({"id": bbq_id(r), "text": chosen(r, r[f"prediction_{form}_format"])} for r in rows))
        for form in ("race", "arc")
    ]


def bbq_id(row):
    return f"{row['category']}/{row['example_id']}"


def labelled(row):
    return {
        "expected": row["answers"][row["label"]],
        "cluster": f"{row['category']}/{row['question_index']}",
        "metadata": {"category": row["category"], "condition": row["condition"], "polarity": row["polarity"]},
    }


def chosen(row, text):
    """The answer a prediction stands for: the one with the same words, else the only one it is part of."""
    plain = [words_of(answer) for answer in row["answers"]]
    said = words_of(text)
    hits = [i for i, answer in enumerate(plain) if answer == said]
    hits = hits or [i for i, answer in enumerate(plain) if said and (said in answer or answer in said)]
    return row["answers"][hits[0]] if len(hits) == 1 else text


def words_of(text):
    return re.sub(r"[^\w\s]", "", text.lower()).strip()


def test_fairness_gaps_between_groups_come_with_intervals(stereotypes):
    summary = stereotypes[0].summary()
    published = json.loads(shared_data("data/expected/bbq_unifiedqa.json").read_text())
    ambiguous = summary.metric("accuracy", slice="condition=ambig")
    parts = [published[name] for name in ("Age", "Religion", "Sexual_orientation")]
    total = sum(part["n"] for part in parts)
    wanted = sum(part["race"]["acc_ambig"] * part["n"] for part in parts)
    assert ambiguous.value == pytest.approx(wanted / total / 100, abs=2e-4)
    gap = summary.metric("fairness_gap", slice="condition=ambig")
    assert gap.value == pytest.approx(0.6875 - 0.5467, abs=2e-3)
    assert 0 <= gap.low < gap.value < gap.high
    assert gap.clusters is not None


def test_a_prompt_format_changes_the_gap_and_the_score(stereotypes):
    found = compare_runs(stereotypes)
    assert found.metric("accuracy").difference < -0.05
    assert found.metric("fairness_gap").n == 5744
    assert found.metric("fairness_gap").p is not None
    ambiguous = found.metric("accuracy", slice="condition=ambig")
    assert ambiguous.change is Change.WORSE
