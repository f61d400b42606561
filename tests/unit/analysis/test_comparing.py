"""Families of figures, slices worst first, flips, reversals, and what the comparison recommends."""

import numpy as np
import pytest

from evalwright.analysis.comparing import (
    CompareSettings,
    PairMaterial,
    adjust_by_metric,
    adjust_family,
    flips_of,
    overall_figures,
    slice_figures,
)
from evalwright.analysis.frame import CaseFrame, MetricColumn
from evalwright.analysis.paired import pair_rows
from evalwright.analysis.recommendation import Findings, recommend
from evalwright.analysis.reversals import PlainMeans, hidden_regressions, mix_reversal, weight_reversals
from evalwright.core.comparison import Advice, Change, Mismatch, PairedFigure, Pairing, Weight
from evalwright.core.errors import UsageError
from evalwright.core.run import ScorerRecord
from evalwright.stats import adjust_p


def column(values, metric="exact", **record):
    value = np.asarray(values, dtype=float)
    options = {"kind": "proportion", **record}
    return MetricColumn(
        record=ScorerRecord(metric=metric, name=metric, version="1", digest="d", **options),
        case=np.arange(len(value)),
        value=value,
        error=np.zeros(len(value), dtype=bool),
    )


def material(left, right, slices=None, **more):
    size = len(left)
    members = {name: {v: np.asarray(m) for v, m in by.items()} for name, by in (slices or {}).items()}
    frame = CaseFrame(size=size, slices=members)
    rows = {"exact": pair_rows(column(left), column(right), frame)}
    return PairMaterial(rows=rows, frame=frame, sliced=frozenset(rows), case_id=lambda i: f"c{i}", **more)


def figure(difference, half, *, metric="exact", slice="", n=200, p=None, **more):
    """A figure of a share with the interval difference ± half."""
    shown = p if p is not None else (0.001 if abs(difference) > half else 0.5)
    better = {"higher_is_better": True, "share": True, **more}
    gain = difference if better["higher_is_better"] is not False else -difference
    return PairedFigure(
        metric=metric, slice=slice, baseline=0.5, candidate=0.5 + difference, difference=difference,
        low=difference - half, high=difference + half, p=shown, p_adjusted=shown, n=n, wins=20 if gain > 0 else 5,
        losses=5 if gain > 0 else 20, ties=n - 25, detectable=2.8 * half / 1.96, verdicts=True, **better,
    )  # fmt: skip


def findings(*figures, slices=(), mismatches=(), reversals=(), pairs=200):
    return Findings(
        baseline="old", candidate="new", pairing=Pairing(pairs=pairs), mismatches=mismatches, figures=figures,
        slices=slices, reversals=reversals, margin=0.02,
    )  # fmt: skip


def test_p_values_are_adjusted_over_the_family_and_small_slices_are_not_tested():
    rows = [figure(0.1, 0.05, slice=f"s={i}", p=p, n=n) for i, (p, n) in enumerate([(0.01, 9), (0.04, 9), (0.02, 4)])]
    done = adjust_family(rows, min_n=5)
    assert [row.p_adjusted for row in done[:2]] == adjust_p([0.01, 0.04]).tolist()
    assert (done[2].p, done[2].note) == (None, "too few cases to judge")


def test_slices_are_adjusted_within_their_metric_and_come_worst_first():
    rows = [
        figure(0.3, 0.1, slice="l=a", p=0.001),
        figure(-0.05, 0.1, slice="l=b", p=0.6),
        figure(-0.3, 0.1, slice="l=c", p=0.001),
        figure(-0.9, 0.9, slice="l=d", p=0.5, n=2),
        figure(-0.1, 0.05, metric="other", slice="l=a", p=0.04),
    ]
    done = adjust_by_metric(rows, min_n=5)
    assert [row.slice for row in done] == ["l=c", "l=b", "l=a", "l=d", "l=a"]
    assert done[0].p_adjusted == pytest.approx(0.003)
    assert done[-1].p_adjusted == pytest.approx(0.04)  # alone in its metric
    assert done[3].p is None


def test_slices_and_their_combinations():
    slices = {"locale": {"de": range(10), "en": range(10, 20)}, "tier": {"1": range(0, 20, 2), "2": range(1, 20, 2)}}
    both = material([1] * 20, [1] * 15 + [0] * 5, slices)
    plain = slice_figures(both, CompareSettings())
    assert [f.slice for f in plain] == ["locale=de", "locale=en", "tier=1", "tier=2"]
    crossed = slice_figures(both, CompareSettings(combinations=("locale & tier",)))
    assert [f.slice for f in crossed[4:]] == [
        "locale=de & tier=1", "locale=de & tier=2", "locale=en & tier=1", "locale=en & tier=2",
    ]  # fmt: skip
    assert sum(f.losses for f in crossed[4:]) == 5
    with pytest.raises(UsageError, match="no slice `country`"):
        slice_figures(both, CompareSettings(combinations=("locale & country",)))


def test_flips_name_the_cases_both_ways_and_those_of_bad_slices_first():
    left, right = [1, 1, 1, 0, 0, 1], [1, 0, 0, 1, 0, 0]
    both = material(left, right, {"l": {"bad": [5], "other": [0, 1, 2, 3, 4]}})
    flips = flips_of(both, CompareSettings())[0]
    assert ([f.case_id for f in flips.broken], [f.case_id for f in flips.fixed]) == (["c1", "c2", "c5"], ["c3"])
    assert (flips.both, flips.neither, flips.broken_count, flips.fixed_count) == (1, 1, 3, 1)
    worse = figure(-0.4, 0.1, slice="l=bad")
    assert worse.change is Change.WORSE
    first = flips_of(both, CompareSettings(flips=2), [worse])[0]
    assert [f.case_id for f in first.broken] == ["c5", "c1"]
    assert first.broken_count == 3


def test_row_verdicts_come_before_metrics():
    failing = np.array([True, False, False]), np.array([False, True, False])
    both = material([0, 1, 1], [1, 0, 1], failing=failing)
    rows = flips_of(both, CompareSettings())
    assert [f.metric for f in rows] == ["", "exact"]
    assert ([f.case_id for f in rows[0].fixed], [f.case_id for f in rows[0].broken]) == (["c0"], ["c1"])


def test_times_come_with_percentiles():
    both = material([1, 1, 0], [1, 0, 0])
    seconds = {"kind": "quantity", "high": None, "unit": "s", "higher_is_better": False}
    left, right = column([1.0, 2.0, 3.0], "latency", **seconds), column([2.0, 3.0, 4.0], "latency", **seconds)
    both.rows["latency"] = pair_rows(left, right, both.frame)
    found = [(f.metric, f.statistic) for f in overall_figures(both, CompareSettings())]
    assert found == [("exact", "mean"), ("latency", "mean"), ("latency", "p50"), ("latency", "p95")]


def test_a_total_that_rises_while_a_slice_falls_is_pointed_out():
    total, fallen = figure(0.2, 0.05), figure(-0.1, 0.06, slice="task=sorting")
    rest = [figure(0.3, 0.1, slice=f"task={i}") for i in range(4)]
    reversal = next(hidden_regressions([total], [*rest, fallen]))
    assert (reversal.kind, reversal.parts, reversal.dimension) == ("hidden", ("task=sorting",), "task")
    assert "task=sorting is 10.0 points worse" in reversal.sentence
    assert "5 slices" in reversal.sentence
    assert not list(hidden_regressions([total], rest))
    assert not list(hidden_regressions([figure(-0.2, 0.05)], [fallen]))


def test_plain_averages_over_different_cases_can_mislead():
    shown = figure(0.05, 0.02, n=300)
    plain = PlainMeans(baseline=0.83, candidate=0.78, left=350, right=350)
    reversal = mix_reversal(shown, plain)
    assert reversal.kind == "mix"
    assert "looks 5.0 points worse" in reversal.sentence
    assert mix_reversal(shown, PlainMeans(baseline=0.7, candidate=0.8, left=350, right=350)) is None
    same_cases = PlainMeans(baseline=0.83, candidate=0.78, left=300, right=300)
    assert mix_reversal(shown, same_cases) is None


def test_a_sign_that_changes_at_the_production_mix():
    found = list(weight_reversals([figure(0.05, 0.02)], [figure(-0.03, 0.01)]))
    assert [r.kind for r in found] == ["weights"]
    assert "at the production mix" in found[0].sentence


@pytest.mark.parametrize(
    ("figures", "slices", "advice"),
    [
        ([figure(0.05, 0.02)], [], Advice.SHIP),
        ([figure(-0.05, 0.02)], [], Advice.KEEP),
        ([figure(0.05, 0.02), figure(-0.04, 0.02, metric="safe")], [], Advice.TRADE),
        ([figure(0.05, 0.02)], [figure(-0.2, 0.1, slice="l=de")], Advice.TRADE),
        ([figure(0.0, 0.01)], [], Advice.EQUAL),
        ([figure(0.01, 0.06)], [], Advice.EVIDENCE),
        ([figure(0.05, 0.02, metric="leak", higher_is_better=False)], [], Advice.KEEP),
        ([figure(0.05, 0.02, metric="length", higher_is_better=None)], [], Advice.EVIDENCE),
    ],
)
def test_advice_follows_from_what_is_shown(figures, slices, advice):
    assert recommend(findings(*figures, slices=slices)).advice is advice


def test_shipping_names_the_gain_and_the_slices_that_cant_tell():
    slices = [figure(0.04, 0.03, slice="l=en"), figure(0.01, 0.09, slice="l=de", n=41)]
    cheaper = PairedFigure(
        metric="cost", baseline=0.01, candidate=0.0062, difference=-0.0038, low=-0.004, high=-0.0036, p=0.0001, n=200,
        unit="USD", higher_is_better=False,
    )  # fmt: skip
    found = recommend(findings(figure(0.031, 0.019), cheaper, slices=slices))
    assert found.headline == (
        "Ship new: exact is 3.1 points better (1.2 to 5.0); no slice is worse by more than 2 points except possibly "
        "l=de, where 41 cases can't tell. new is 38 % cheaper."
    )


def test_too_little_evidence_says_what_could_hide_and_how_many_cases_would_show_it():
    found = recommend(findings(figure(0.01, 0.06)))
    assert "anywhere from 5.0 points worse to 7.0 points better" in found.headline
    assert any("would show it four times out of five" in limit for limit in found.limits)


def test_a_hint_is_no_proof():
    among = figure(-0.05, 0.04, p=0.02)
    hint = PairedFigure(**{n: getattr(among, n) for n in among.__struct_fields__} | {"p_adjusted": 0.09})
    assert hint.hint
    found = recommend(findings(hint, figure(0.0, 0.06, metric="other")))
    assert found.advice is Advice.EVIDENCE
    assert "no more than a hint" in found.headline


def test_runs_without_common_cases_are_not_compared():
    why = Mismatch(what="cases", weight=Weight.BREAKS, meaning="No case in common.")
    found = recommend(findings(mismatches=(why,), pairs=0))
    assert (found.advice, found.reasons) == (Advice.INCOMPARABLE, ("No case in common.",))


def test_scores_missing_in_one_run_are_a_limit():
    lossy = figure(0.05, 0.02, baseline_only=30)
    found = recommend(findings(lossy))
    assert any("30" in limit and "missing in new" in limit for limit in found.limits)
