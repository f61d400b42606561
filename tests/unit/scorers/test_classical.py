"""Scorers of classifiers, forecasts and regressions: published and hand-computed values, contributions, skips."""

import math

import numpy as np
import pytest

from evalwright.core.case import Case
from evalwright.core.output import Output
from evalwright.core.score import ScoreStatus
from evalwright.core.scorer import ScoreContext
from evalwright.scorers import (
    F1,
    Accuracy,
    BalancedAccuracy,
    Bias,
    Brier,
    CalibrationError,
    FairnessGap,
    LabelKappa,
    LogLoss,
    Mcc,
    MeanAbsoluteError,
    PrAuc,
    Precision,
    Recall,
    RocAuc,
    RootMeanSquaredError,
    RSquared,
)
from evalwright.scorers.base import OptionError
from evalwright.scorers.classical.labels import label_code

TRUTH = ["cat", "cat", "cat", "dog", "dog", "fish", "fish", "fish", "fish"]
SAID = ["cat", "cat", "dog", "dog", "cat", "fish", "fish", "dog", "cat"]


def score(scorer, expected, text="", **output):
    metadata = output.pop("metadata", {})
    case = Case(id="c", input="q", expected=expected, metadata=metadata)
    return scorer.score(ScoreContext(case=case, output=Output(text=text, **output)))


def stats_of(scorer, truth=TRUTH, said=SAID):
    return np.array([score(scorer, t, s).stats for t, s in zip(truth, said, strict=True)])


def value(scorer, stats):
    return scorer.aggregate.estimate(stats, level=0.95, clusters=None, rng=np.random.default_rng(1)).value


def test_metrics_of_a_confusion_matrix():
    recalls = (2 / 3, 1 / 2, 2 / 4)
    precisions = (2 / 4, 1 / 3, 2 / 2)
    f1s = [2 * p * r / (p + r) for p, r in zip(precisions, recalls, strict=True)]
    expected = {
        BalancedAccuracy(): np.mean(recalls),
        Recall(): np.mean(recalls),
        Precision(): np.mean(precisions),
        F1(): np.mean(f1s),
        F1(average="micro"): 5 / 9,
        F1(average="weighted"): np.average(f1s, weights=[3, 2, 4]),
        F1(average="binary", positive="dog"): f1s[1],
        Precision(average="binary", positive="fish"): 1.0,
        LabelKappa(): (5 / 9 - (3 * 4 + 2 * 3 + 4 * 2) / 81) / (1 - (3 * 4 + 2 * 3 + 4 * 2) / 81),
    }
    for scorer, wanted in expected.items():
        assert value(scorer, stats_of(scorer)) == pytest.approx(wanted), scorer


def test_matthews_correlation_of_two_classes():
    truth, said = ["p"] * 10 + ["n"] * 10, ["p"] * 8 + ["n"] * 2 + ["p"] * 3 + ["n"] * 7
    assert value(Mcc(), stats_of(Mcc(), truth, said)) == pytest.approx((8 * 7 - 3 * 2) / math.sqrt(11 * 10 * 10 * 9))


@pytest.mark.parametrize(
    "scorer",
    [BalancedAccuracy(), Precision(), Recall(), F1(), F1(average="micro"), Mcc(), LabelKappa()],
    ids=lambda scorer: f"{type(scorer).__name__}-{getattr(scorer, 'average', '')}",
)
def test_contributions_have_the_metric_as_mean_and_its_standard_error(scorer):
    rng = np.random.default_rng(4)
    truth = rng.choice(["a", "b", "c"], 600, p=[0.5, 0.3, 0.2]).tolist()
    said = [t if rng.random() < 0.7 else str(rng.choice(["a", "b", "c"])) for t in truth]
    stats = stats_of(scorer, truth, said)
    contributions = scorer.aggregate.influence(stats)
    estimate = scorer.aggregate.estimate(stats, level=0.95, clusters=None, rng=np.random.default_rng(1))
    assert contributions.mean() == pytest.approx(estimate.value)
    assert contributions.std(ddof=1) / math.sqrt(600) == pytest.approx(estimate.se, rel=0.1)


def test_accuracy_gives_the_row_verdict_and_what_was_said():
    wrong = score(Accuracy(), "refund", " Delivery ")
    assert (wrong.value, wrong.passed, wrong.label) == (0.0, False, "Delivery")
    assert score(Accuracy(ignore_case=True), "Refund", "refund").passed
    assert score(Accuracy(field="data.intent"), "refund", data={"intent": "refund"}).passed
    assert score(Accuracy(expected="intent"), {"intent": "refund"}, "refund").passed
    assert score(Accuracy(), ["a", "b"], "a").status is ScoreStatus.SKIPPED
    assert score(Accuracy(), None, "a").status is ScoreStatus.SKIPPED


def test_label_codes_are_exact_numbers():
    codes = {label_code(f"label {i}") for i in range(10_000)}
    assert len(codes) == 10_000
    assert all(code == int(code) < 2**53 for code in codes)


def forecasts(scorer, pairs):
    return np.array([score(scorer, expected, data={"confidence": p}).stats for p, expected in pairs])


def test_areas_under_curves():
    pairs = [(0.1, "n"), (0.4, "n"), (0.35, "p"), (0.8, "p")]
    auc, ap = RocAuc(positive="p"), PrAuc(positive="p")
    assert value(auc, forecasts(auc, pairs)) == pytest.approx(0.75)
    assert value(ap, forecasts(ap, pairs)) == pytest.approx(0.8333, abs=1e-4)
    turned = RocAuc(positive="n", lower_is_positive=True)
    assert value(turned, forecasts(turned, pairs)) == pytest.approx(0.75)


def test_weights_of_an_area_stand_for_repeated_rows():
    rng = np.random.default_rng(0)
    stats = np.column_stack([rng.integers(0, 6, 40) / 6, rng.random(40) < 0.4]).astype(float)
    counts = rng.integers(0, 4, 40)
    for scorer in (RocAuc(positive="p"), PrAuc(positive="p"), CalibrationError(bins=4, binning="width")):
        statistic = scorer.aggregate
        repeated = statistic.weighted(np.repeat(stats, counts, axis=0), np.ones((1, counts.sum())))
        assert statistic.weighted(stats, counts[None, :].astype(float)) == pytest.approx(repeated)


def test_an_area_needs_cases_of_both_kinds():
    auc = RocAuc(positive="p")
    stats = forecasts(auc, [(0.1, "p"), (0.9, "p")])
    assert auc.aggregate.influence(stats) is None
    with pytest.raises(ValueError, match="both kinds"):
        value(auc, stats)


def test_clustered_areas_are_less_certain():
    rng = np.random.default_rng(2)
    document = rng.normal(size=30)
    stats = np.array([[d + rng.normal() * 0.1, float(d > 0)] for d in document for _ in range(10)])
    statistic = RocAuc(positive="p").aggregate
    clusters = np.repeat(np.arange(30), 10)
    noisy = stats + np.column_stack([np.repeat(rng.normal(size=30), 10), np.zeros(300)])
    apart, together = (statistic.estimate(noisy, level=0.95, clusters=c, rng=None) for c in (None, clusters))
    assert together.clusters == 30
    assert together.high - together.low > 1.5 * (apart.high - apart.low)


def test_forecasts_of_a_label_being_right():
    scorer = CalibrationError(bins=2, binning="width", field="text")
    rows = [("a", "a", 0.9), ("a", "a", 0.8), ("b", "a", 0.2)]
    stats = np.array([score(scorer, t, s, data={"confidence": p}).stats for t, s, p in rows])
    assert value(scorer, stats) == pytest.approx(0.1667, abs=1e-4)
    assert score(scorer, "a", "a", data={"confidence": 1.2}).status is ScoreStatus.SKIPPED
    assert score(scorer, "a", "a", data={"confidence": "high"}).status is ScoreStatus.SKIPPED


def test_forecasts_of_a_field_of_the_case():
    scorer = RocAuc(outcome="metadata.in_scope")
    row = score(scorer, "x", data={"confidence": 0.3}, metadata={"in_scope": False})
    assert row.stats == (0.3, 0.0)
    assert score(scorer, "x", data={"confidence": 0.3}, metadata={"in_scope": "maybe"}).status is ScoreStatus.SKIPPED


def test_losses_of_one_probability_and_of_a_table():
    assert score(Brier(positive="p"), "p", data={"confidence": 0.5}).value == 0.25
    assert score(LogLoss(positive="p"), "n", data={"confidence": 0.5}).value == pytest.approx(math.log(2))
    table = {"confidence": {"a": 0.2, "b": 0.8}}
    assert score(LogLoss(), "b", data=table).value == pytest.approx(0.2231, abs=1e-4)
    assert score(Brier(), "a", data=table).value == pytest.approx(0.64 + 0.64)
    assert score(Brier(), "c", data=table).value == pytest.approx(0.04 + 0.64 + 1)
    assert score(LogLoss(), "c", data=table).value == pytest.approx(34.54, abs=0.01)


def test_errors_of_numbers():
    pairs = [(1.0, "1.5"), (2.0, "2 pieces"), (3.0, "2")]
    rmse = np.array([score(RootMeanSquaredError(), y, f).stats for y, f in pairs])
    r2 = np.array([score(RSquared(), y, f).stats for y, f in pairs])
    assert RootMeanSquaredError().aggregate(rmse.sum(axis=0)) == pytest.approx(math.sqrt(1.25 / 3))
    assert RSquared().aggregate(r2.sum(axis=0)) == pytest.approx(0.375)
    assert [score(MeanAbsoluteError(), y, f).value for y, f in pairs] == [0.5, 0.0, 1.0]
    assert score(Bias(), 3, "2").value == -1.0
    assert score(MeanAbsoluteError(relative=True), 4, "3").value == 0.25
    assert score(MeanAbsoluteError(relative=True), 0, "3").status is ScoreStatus.SKIPPED
    assert score(Bias(), 3, "2 or 4").status is ScoreStatus.SKIPPED


def gap_rows(scorer, rates, n):
    rows = []
    for group, rate in rates.items():
        rows += [
            score(scorer, "yes", "yes" if i < rate * n else "no", metadata={"group": group}).stats for i in range(n)
        ]
    return np.array(rows)


def test_the_gap_between_groups_covers_whichever_are_best_and_worst():
    scorer = FairnessGap("metadata.group")
    stats = gap_rows(scorer, {"a": 0.9, "b": 0.8, "c": 0.7}, 100)
    found = scorer.aggregate.estimate(stats, level=0.95, clusters=None, rng=None)
    assert found.value == pytest.approx(0.2)
    assert 0.05 < found.low < found.value < found.high < 0.36
    pair = scorer.aggregate.estimate(stats[stats[:, 1] != label_code("b")], level=0.95, clusters=None, rng=None)
    assert pair.low > found.low
    assert scorer.aggregate.influence(stats).mean() == pytest.approx(0.2)


def test_equal_groups_have_a_gap_that_may_be_zero():
    scorer = FairnessGap("metadata.group")
    found = scorer.aggregate.estimate(gap_rows(scorer, {"a": 0.8, "b": 0.8}, 50), level=0.95, clusters=None, rng=None)
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high > 0.1


def test_measures_of_fairness_look_at_the_rows_they_are_about():
    chosen = {"group": "metadata.group", "positive": "hire"}
    meta = {"metadata": {"group": "a"}}
    assert score(FairnessGap(measure="selection", **chosen), "reject", "hire", **meta).value == 1.0
    assert score(FairnessGap(measure="true_positive", **chosen), "reject", "hire", **meta).status is ScoreStatus.SKIPPED
    assert score(FairnessGap(measure="false_positive", **chosen), "reject", "hire", **meta).value == 1.0
    with pytest.raises(OptionError):
        FairnessGap("metadata.group", measure="selection")


def test_binary_averages_need_the_positive_class():
    with pytest.raises(OptionError):
        F1(average="binary")
    with pytest.raises(OptionError):
        F1(positive="a")
