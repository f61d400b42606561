"""Figures: the right interval for the kind of rows, counts that add up, slices worst first."""

import numpy as np
import pytest

from evalwright.analysis.figures import rule_figure, slice_label
from evalwright.analysis.frame import MetricColumn, case_frame
from evalwright.analysis.metrics import estimate_all, estimate_rows, one_sided_bounds, overall_column, select_rows
from evalwright.core.case import Case
from evalwright.core.gate import Rule
from evalwright.core.run import ScorerRecord
from evalwright.stats import clopper_pearson, wilson

NONE = np.empty(0, dtype=np.int64)


def column(values, *, metric="exact", kind="proportion", case=None, error=None, **record):
    value = np.asarray(values, dtype=float)
    return MetricColumn(
        record=ScorerRecord(metric=metric, name=metric, version="1", digest="d", kind=kind, **record),
        case=np.arange(len(value)) if case is None else np.asarray(case),
        value=value,
        error=np.zeros(len(value), dtype=bool) if error is None else np.asarray(error),
    )


def frame(n, *, clusters=None, locales=None):
    cases = [
        Case(
            id=f"c{i}",
            input="q",
            cluster=clusters[i] if clusters else None,
            metadata={"l": locales[i]} if locales else {},
        )
        for i in range(n)
    ]
    slicers = {"locale": lambda case: (case.metadata["l"],)} if locales else {}
    return case_frame(enumerate(cases), slicers, size=n)


def test_independent_verdicts_get_wilson():
    rows = select_rows(column([1] * 17 + [0] * 3), frame(20), NONE)
    estimate = estimate_rows(rows)
    expected = wilson(17, 20)
    assert (estimate.value, estimate.ci) == (expected.value, (expected.low, expected.high))
    assert (estimate.method, estimate.n, estimate.clusters) == ("wilson", 20, None)


def test_skips_and_errors_are_counted_and_never_scored():
    data = column([1, 0, np.nan, np.nan], error=[False, False, False, True])
    estimate = estimate_rows(select_rows(data, frame(6), np.array([4, 5])))
    assert (estimate.value, estimate.n, estimate.skipped, estimate.errors) == (0.5, 2, 1, 3)


def test_trials_are_averaged_within_their_case_first():
    data = column([1, 1, 1, 0, 0, 0], case=[0, 0, 0, 1, 1, 1])
    estimate = estimate_rows(select_rows(data, frame(2), NONE))
    assert (estimate.n, estimate.trials) == (2, 6)
    assert estimate.high - estimate.low > 0.9


def test_cases_that_share_a_cluster_widen_the_interval():
    values = [1, 1, 1, 1, 0, 0, 0, 0] * 5
    together = frame(40, clusters=[f"doc{i // 4}" for i in range(40)])
    apart = estimate_rows(select_rows(column(values), frame(40), NONE))
    clustered = estimate_rows(select_rows(column(values), together, NONE))
    assert clustered.clusters == 10
    assert clustered.high - clustered.low > 1.5 * (apart.high - apart.low)


def test_quantities_come_with_percentiles():
    data = column(np.linspace(1, 100, 200), metric="latency", kind="quantity", low=0.0, high=None, unit="s")
    found = {e.statistic: e for e in estimate_all([data], frame(200), NONE)}
    assert set(found) == {"mean", "p50", "p95", "p99"}
    assert found["p95"].low < found["p95"].value < found["p95"].high


def test_slices_are_sorted_worst_first():
    locales = ["de"] * 10 + ["en"] * 10 + ["es"] * 10
    values = [1] * 8 + [0] * 2 + [1] * 10 + [1] * 3 + [0] * 7
    sliced = [e for e in estimate_all([column(values)], frame(30, locales=locales), NONE) if e.slice]
    assert [e.slice for e in sliced] == ["locale=es", "locale=de", "locale=en"]
    worse_is_more = column(values, metric="leak", higher_is_better=False)
    sliced = [e for e in estimate_all([worse_is_more], frame(30, locales=locales), NONE) if e.slice]
    assert [e.slice for e in sliced] == ["locale=en", "locale=de", "locale=es"]


def test_an_empty_metric_has_no_value():
    estimate = estimate_rows(select_rows(column([np.nan, np.nan]), frame(2), NONE))
    assert (estimate.value, estimate.n, estimate.skipped) == (None, 0, 2)


def test_gate_bounds_of_verdicts_are_clopper_pearson():
    rows = select_rows(column([1] * 59), frame(59), NONE)
    low, _, method = one_sided_bounds(rows, confidence=0.95)
    assert low == pytest.approx(clopper_pearson(59, 59, level=0.95, side="lower").low)
    assert low == pytest.approx(0.950492, abs=1e-6)
    assert "clopper" in method


def test_a_rule_looks_at_its_slice():
    locales = ["de"] * 4 + ["en"] * 4
    data = column([1, 0, 0, 0, 1, 1, 1, 1])
    rule = Rule(metric="exact", at_least=0.5, slice={"locale": "de"})
    figure = rule_figure(rule, [data], frame(8, locales=locales), NONE)
    assert (figure.estimate.value, figure.estimate.n, figure.estimate.slice) == (0.25, 4, "locale=de")
    assert rule_figure(Rule(metric="other", at_least=0.5), [data], frame(8), NONE) is None


def test_slice_labels_use_jsons_words():
    assert slice_label({"long": True, "tier": 1}) == "long=true & tier=1"
    assert slice_label(None) == ""


def test_corpus_metrics_are_a_function_of_sums():
    data = MetricColumn(
        record=ScorerRecord(metric="ratio", name="ratio", version="1", digest="d", kind="corpus", low=None, high=None),
        case=np.arange(40),
        value=np.zeros(40),
        error=np.zeros(40, dtype=bool),
        stats=np.column_stack([np.arange(40) % 3, np.full(40, 2.0)]),
        aggregate=lambda sums: sums[..., 0] / sums[..., 1],
    )
    estimate = estimate_rows(select_rows(data, frame(40), NONE))
    assert estimate.value == pytest.approx((np.arange(40) % 3).sum() / 80)
    assert estimate.low < estimate.value < estimate.high
    assert estimate.statistic == "corpus"


def test_overall_is_the_weighted_mean_of_weighted_metrics():
    good = column([1, 0, 1], metric="good")
    leak = column([0, 0, 1], metric="leak", higher_is_better=False)
    free = column([0, 0, 0], metric="free")
    overall = overall_column([good, leak, free], {"good": 3.0, "leak": 1.0})
    assert overall.value.tolist() == [1.0, 0.25, 0.75]
    assert overall_column([free], {}) is None
