"""Agreement, judges, calibration and classification: published values, identities, undefined cases."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from evalwright.stats import (
    ClassSums,
    ConfusionMatrix,
    JudgeConfusion,
    MetricChoice,
    average_precision,
    bootstrap_weighted,
    brennan_prediger,
    brier_terms,
    calibration_error,
    chance_calibration_error,
    class_metric,
    cohen_kappa,
    compare_raters,
    confusion_matrix,
    dawid_skene,
    estimate_classification,
    fleiss_kappa,
    generalizability,
    group_gaps,
    gwet_ac,
    intraclass,
    krippendorff_alpha,
    label_plan,
    log_loss_terms,
    multiclass_log_loss_terms,
    newcombe_unpaired,
    percent_agreement,
    post_stratified_judge,
    ppi_mean,
    ppi_weight,
    rating_counts,
    rating_table,
    regression_errors,
    reliability,
    roc_auc,
    rogan_gladen,
    rogan_gladen_estimated,
    swap_consistency,
    welch_difference,
    welch_test,
)

# Krippendorff 2011, "Computing Krippendorff's alpha-reliability", section C: four observers, twelve units.
OBSERVERS = [
    [1, 1, None, 1], [2, 2, 3, 2], [3, 3, 3, 3], [3, 3, 3, 3], [2, 2, 2, 2], [1, 2, 3, 4],
    [4, 4, 4, 4], [1, 1, 2, 1], [2, 2, 2, 2], [None, 5, 5, 5], [None, None, 1, 1], [None, 3, None, None],
]  # fmt: skip
# Shrout & Fleiss 1979, table 2: six targets, four judges.
TARGETS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
ratings = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=4, max_size=40)


@pytest.mark.parametrize(
    ("scale", "alpha"), [("nominal", 0.743), ("ordinal", 0.815), ("interval", 0.849), ("ratio", 0.797)]
)
def test_published_alpha(scale, alpha):
    assert round(krippendorff_alpha(rating_counts(OBSERVERS), scale=scale).value, 3) == alpha


def test_published_intraclass_correlations():
    icc = intraclass(TARGETS)
    single = [icc.single_random, icc.single_agreement, icc.single_consistency]
    mean = [icc.mean_random, icc.mean_agreement, icc.mean_consistency]
    assert [round(ci.value, 2) for ci in single] == [0.17, 0.29, 0.71]
    assert [round(ci.value, 2) for ci in mean] == [0.44, 0.62, 0.91]


def test_intervals_of_intraclass_correlations_contain_them():
    icc = intraclass(TARGETS)
    for name in ("single_random", "single_agreement", "single_consistency", "mean_agreement"):
        ci = getattr(icc, name)
        assert ci.low < ci.value < ci.high


def test_one_judge_more_helps_more_than_many_items():
    g = generalizability(TARGETS)
    assert g.mean_se(items=10_000, judges=1) > g.mean_se(items=50, judges=4)
    assert g.mean_se(judges_fixed=True) < g.mean_se()


@given(ratings)
def test_alpha_of_two_raters_approaches_scott_s_pi(rows):
    table = rating_table([a for a, _ in rows], [b for _, b in rows], labels=[0, 1, 2]) * 60
    shares = (table.sum(axis=0) + table.sum(axis=1)) / (2 * table.sum())
    expected, agreed = float((shares**2).sum()), float(np.trace(table) / table.sum())
    if expected > 0.999:
        return
    pairs = [[i, j] for i in range(3) for j in range(3) for _ in range(int(table[i, j]))]
    alpha = krippendorff_alpha(rating_counts(pairs)).value
    assert alpha == pytest.approx((agreed - expected) / (1 - expected), abs=5e-3)


@given(ratings)
def test_kappa_is_symmetric_in_the_raters(rows):
    a, b = [x for x, _ in rows], [y for _, y in rows]
    one, other = cohen_kappa(rating_table(a, b, labels=[0, 1, 2])), cohen_kappa(rating_table(b, a, labels=[0, 1, 2]))
    assert one.value == pytest.approx(other.value) if one.value is not None else other.value is None


def test_no_variation_is_undefined_not_perfect():
    same = rating_counts([["good", "good"]] * 5)
    for coefficient in (krippendorff_alpha, fleiss_kappa):
        assert coefficient(same).value is None
        assert coefficient(same).notes == ("no_variation",)
    assert percent_agreement(same).value == 1.0
    assert cohen_kappa([[5, 0], [0, 0]]).value is None


def test_units_with_one_rating_do_not_count():
    paired = rating_counts([[1, 1], [2, 1], [2, 2]])
    more = rating_counts([[1, 1], [2, 1], [2, 2], [1, None], [2, None]])
    assert krippendorff_alpha(more).value == pytest.approx(krippendorff_alpha(paired).value)
    assert krippendorff_alpha(rating_counts([[1, None]])).notes == ("empty",)


def test_agreement_intervals_resample_units():
    rng = np.random.default_rng(1)
    truth = rng.integers(0, 3, 150)
    rows = [[int(t if rng.random() < 0.8 else rng.integers(0, 3)) for _ in range(3)] for t in truth]
    counts = rating_counts(rows)
    for coefficient in (krippendorff_alpha, fleiss_kappa, gwet_ac, brennan_prediger, percent_agreement):
        ci = coefficient(counts, rng=np.random.default_rng(2))
        assert ci.low < ci.value < ci.high
        assert ci.n == 150
    few = krippendorff_alpha(rating_counts(rows[:40]), rng=np.random.default_rng(2))
    assert few.width > krippendorff_alpha(counts, rng=np.random.default_rng(2)).width


def test_the_paradox_of_kappa_is_visible():
    """Feinstein & Cicchetti 1990."""
    r = compare_raters([[118, 5], [2, 0]])
    assert r.percent.value > 0.94
    assert r.kappa.value < 0
    assert r.ac1 > 0.9
    assert r.specific[1] == 0.0


def test_dawid_skene_beats_the_majority():
    rng = np.random.default_rng(7)
    truth = rng.integers(0, 3, 800)
    skill = np.array([0.95, 0.9, 0.55, 0.5, 0.5])
    said = np.where(rng.random((800, 5)) < skill, truth[:, None], rng.integers(0, 3, (800, 5)))
    fit = dawid_skene(np.repeat(np.arange(800), 5), np.tile(np.arange(5), 800), said.ravel())
    majority = np.array([np.bincount(row, minlength=3).argmax() for row in said])
    assert (fit.labels == truth).mean() > (majority == truth).mean() + 0.02
    assert fit.converged
    assert np.allclose(fit.errors.sum(axis=2), 1.0)


def test_a_guessing_judge_cannot_be_corrected():
    with pytest.raises(ValueError, match="close to guessing"):
        rogan_gladen(50, 100, sensitivity=0.55, specificity=0.5)


def test_a_perfect_judge_needs_no_correction():
    assert rogan_gladen(40, 100, sensitivity=1, specificity=1).value == 0.4


def test_corrections_stay_in_range_and_say_when_cut():
    ci = rogan_gladen(1, 100, sensitivity=0.9, specificity=0.9)
    assert (ci.value, "outside" in ci.notes) == (0.0, True)
    estimated = rogan_gladen_estimated(990, 1000, JudgeConfusion(tp=45, fn=5, fp=5, tn=45))
    assert 0.0 <= estimated.low <= estimated.high <= 1.0


def test_judge_confusion_without_one_kind_of_case():
    j = JudgeConfusion(tp=5, fn=1, fp=0, tn=0)
    assert (j.youden, j.mcc, j.negative_predictive) == (None, None, 0.0)
    assert j.specificity().value is None


def test_ppi_with_weight_0_is_the_labels_alone():
    y, f, u = [1, 0, 1, 1, 0], [1, 1, 1, 0, 0], [1, 0] * 50
    ci = ppi_mean(y, f, u, weight=0.0)
    assert ci.value == pytest.approx(np.mean(y))
    assert ci.se == pytest.approx(np.std(y) / np.sqrt(5))


def test_ppi_with_a_perfect_judge_is_the_judge():
    y, u = [1, 0, 1, 1, 0], [1, 0, 1, 1] * 50
    assert ppi_mean(y, y, u, weight=1.0).value == pytest.approx(np.mean(u))


def test_a_useless_judge_gets_no_weight():
    assert ppi_weight([1, 0, 1, 0], [0, 1, 0, 1], [1, 0] * 20) == 0.0
    assert ppi_weight([1, 0, 1, 0], [1, 1, 1, 1], [1] * 20) == 0.0


def test_a_post_stratified_judge_is_narrower_than_labels_alone():
    rng = np.random.default_rng(3)
    truth = rng.random(2000) < 0.8
    verdict = np.where(rng.random(2000) < 0.9, truth, ~truth)
    labelled = rng.permutation(2000)[:150]
    labels = {
        v: (int(truth[labelled][verdict[labelled] == v].sum()), int((verdict[labelled] == v).sum()))
        for v in (True, False)
    }
    ci = post_stratified_judge({True: int(verdict.sum()), False: int((~verdict).sum())}, labels, rng=rng)
    assert ci.contains(0.8)
    assert ci.width < 0.12


def test_a_verdict_without_labels_is_said():
    ci = post_stratified_judge({"pass": 90, "fail": 10}, {"pass": (8, 9)}, rng=np.random.default_rng(1))
    assert "unlabelled_verdict" in ci.notes


def test_impossible_labels_are_refused():
    with pytest.raises(ValueError, match="missing for"):
        post_stratified_judge({"pass": 3}, {"fail": (1, 2)}, rng=np.random.default_rng(1))
    with pytest.raises(ValueError, match="labelled of"):
        post_stratified_judge({"pass": 3}, {"pass": (1, 5)}, rng=np.random.default_rng(1))


def test_money_goes_to_people_when_the_judge_knows_nothing():
    plan = label_plan(correlation=0.0, label_cost=1, judge_cost=0.01, budget=100, variance=0.2)
    assert plan.labels == 100
    assert plan.se == plan.se_labels_only


def test_position_bias_is_seen():
    r = swap_consistency({("first", "first"): 40, ("second", "second"): 5, ("first", "second"): 55})
    assert r.p_value < 1e-6
    assert r.conflict == 0.45


def test_calibration_of_an_honest_forecaster_is_chance():
    rng = np.random.default_rng(5)
    p = rng.random(500)
    y = (rng.random(500) < p).astype(int)
    assert calibration_error(p, y) <= chance_calibration_error(p, rng=rng)
    overconfident = np.clip(p + 0.3 * np.sign(p - 0.5), 0, 1)
    assert calibration_error(overconfident, y) > chance_calibration_error(overconfident, rng=rng)


@given(
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 1)), min_size=1, max_size=60), st.sampled_from(["mass", "width"])
)
@settings(max_examples=60)
def test_reliability_bins_partition_the_cases(rows, binning):
    p, y = zip(*rows, strict=True)
    bins = reliability(p, y, binning=binning)
    assert sum(b.n for b in bins) == len(rows)
    assert all(b.low - 1e-12 <= b.stated <= b.high + 1e-12 for b in bins)
    assert sum(b.n * abs(b.stated - b.observed.value) for b in bins) / len(rows) == pytest.approx(
        calibration_error(p, y, binning=binning)
    )


def test_losses_agree_with_their_definitions():
    p, y = [0.9, 0.2, 0.6], [1, 0, 0]
    assert brier_terms(p, y).mean() == pytest.approx((0.01 + 0.04 + 0.36) / 3)
    two = multiclass_log_loss_terms([[1 - q, q] for q in p], y)
    assert two == pytest.approx(log_loss_terms(p, y))
    with pytest.raises(ValueError, match="sum to 1"):
        multiclass_log_loss_terms([[0.5, 0.4]], [0])


ACTUAL, PREDICTED = list("aaabbbccca"), list("aabbbccaca")


@pytest.mark.parametrize(
    ("metric", "average", "value"),
    [
        ("accuracy", "macro", 0.7),
        ("precision", "macro", (3 / 4 + 2 / 3 + 2 / 3) / 3),
        ("recall", "macro", (3 / 4 + 2 / 3 + 2 / 3) / 3),
        ("f1", "micro", 0.7),
        ("balanced_accuracy", "macro", (3 / 4 + 2 / 3 + 2 / 3) / 3),
    ],
)
def test_classification_metrics_by_hand(metric, average, value):
    sums = ClassSums.of(confusion_matrix(ACTUAL, PREDICTED))
    assert float(class_metric(sums, metric, average=average)) == pytest.approx(value)


def test_mcc_of_two_classes_is_the_correlation():
    y, f = [1, 1, 1, 0, 0, 1, 0], [1, 0, 1, 0, 1, 1, 0]
    mcc = float(class_metric(ClassSums.of(confusion_matrix(y, f)), "mcc"))
    assert mcc == pytest.approx(np.corrcoef(y, f)[0, 1])


def test_resampled_metrics_agree_between_cells_and_clusters():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 4, 600)
    f = np.where(rng.random(600) < 0.7, y, rng.integers(0, 4, 600))
    choice = MetricChoice(metric="f1")
    cells = estimate_classification(y.tolist(), f.tolist(), choice, rng=rng)
    alone = estimate_classification(y.tolist(), f.tolist(), choice, rng=rng, clusters=range(600))
    assert cells.value == alone.value
    assert cells.se == pytest.approx(alone.se, rel=0.1)


def test_most_confused_classes_come_first():
    m = ConfusionMatrix(labels=("x", "y"), counts=np.array([[5, 3], [1, 9]]))
    assert m.most_confused() == [("x", "y", 3), ("y", "x", 1)]


def test_auc_is_the_mann_whitney_share():
    rng = np.random.default_rng(4)
    s, y = rng.integers(0, 6, 80), rng.integers(0, 2, 80)
    pairs = [(a > b) + 0.5 * (a == b) for a in s[y == 1] for b in s[y == 0]]
    ci = roc_auc(s, y)
    assert ci.value == pytest.approx(np.mean(pairs))
    assert ci.low < ci.value < ci.high


def test_a_perfect_auc_keeps_a_lower_end():
    ci = roc_auc([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])
    assert ci.value == ci.high == 1.0
    assert ci.low < 0.5


def test_average_precision_has_a_bootstrap_interval():
    rng = np.random.default_rng(6)
    y = rng.integers(0, 2, 300)
    s = y + rng.normal(size=300)
    ci = bootstrap_weighted(300, lambda w: average_precision(s, y, weights=w), rng=rng, resamples=300)
    assert ci.low < ci.value < ci.high
    assert ci.value == pytest.approx(float(average_precision(s, y)[0]))


def test_regression_errors_by_hand():
    r = regression_errors([1.0, 2.0, 3.0, 4.0], [1.0, 2.5, 2.0, 4.5], rng=np.random.default_rng(1), resamples=200)
    assert (r.bias.value, r.mae.value) == (0.0, 0.5)
    assert r.rmse.value == pytest.approx(np.sqrt(1.5 / 4))
    assert r.r2.value == pytest.approx(1 - 1.5 / 5)
    assert regression_errors([2.0, 2.0], [1.0, 2.0], rng=np.random.default_rng(1), resamples=50).r2 is None


def test_published_unpaired_interval():
    """Newcombe 1998, Statistics in Medicine 17:873, table II (a), method 10: 56/70 - 48/80."""
    ci = newcombe_unpaired((56, 70), (48, 80))
    assert (round(ci.low, 4), round(ci.high, 4)) == (0.0524, 0.3339)


def test_welch_agrees_with_scipy():
    from scipy import stats

    rng = np.random.default_rng(3)
    a, b = rng.normal(size=20), rng.normal(0.5, 2.0, 35)
    expected = stats.ttest_ind(a, b, equal_var=False)
    assert welch_test(a, b).p_value == pytest.approx(expected.pvalue)
    low, high = expected.confidence_interval()
    assert (welch_difference(a, b).low, welch_difference(a, b).high) == pytest.approx((low, high))


def test_gaps_are_sorted_and_adjusted():
    rng = np.random.default_rng(9)
    groups = np.repeat(["de", "en", "fr"], 300)
    y = (rng.random(900) < np.repeat([0.6, 0.8, 0.8], 300)).astype(int)
    gaps = group_gaps(y, groups)
    assert gaps[0].group == "de"
    assert gaps[0].p_adjusted < 0.001
    assert all(g.p_adjusted >= g.p_value for g in gaps)
    assert group_gaps(y.astype(float) * 2, groups)[0].gap.method == "welch"
    with pytest.raises(ValueError, match="2 groups"):
        group_gaps([1, 0], ["a", "a"])


def test_groups_that_do_not_vary_decide_nothing():
    gap = welch_difference([2.0, 2.0, 2.0], [5.0, 5.0])
    assert (gap.value, gap.low, gap.high) == (-3.0, None, None)
    assert welch_test([2.0, 2.0, 2.0], [5.0, 5.0]).p_value == 1.0


def test_labels_of_mixed_kinds_are_ordered():
    assert rating_counts([[2, 10.0], [1, 2]]).labels == (1, 2, 10.0)
    assert rating_counts([["yes", 1], [1, "no"]]).labels == (1, "no", "yes")


def test_an_unknown_positive_class_is_named():
    choice = MetricChoice(metric="f1", average="binary", positive="spam")
    with pytest.raises(ValueError, match="'spam' is not among"):
        estimate_classification(["ham"], ["ham"], choice, rng=np.random.default_rng(1))
