"""Paired figures: the published values, one family of interval and test, direction, and pair space."""

import numpy as np
import pytest

from evalwright.analysis.difference import PairOptions
from evalwright.analysis.frame import CaseFrame, MetricColumn
from evalwright.analysis.paired import frame_in_pair_space, in_pair_space, pair_rows, paired_figure
from evalwright.core.comparison import Change
from evalwright.core.run import ScorerRecord
from evalwright.stats import PairedCounts, mcnemar_cases, noninferiority_score, tango

KINDS = {
    "verdict": {"kind": "proportion"},
    "grade": {"kind": "mean", "low": 0.0, "high": 5.0},
    "seconds": {"kind": "quantity", "low": 0.0, "high": None, "higher_is_better": False, "unit": "s"},
}


def column(values, *, kind="verdict", case=None, **record):
    value = np.asarray(values, dtype=float)
    return MetricColumn(
        record=ScorerRecord(metric="m", name="m", version="1", digest="d", **{**KINDS[kind], **record}),
        case=np.arange(len(value)) if case is None else np.asarray(case),
        value=value,
        error=np.zeros(len(value), dtype=bool),
    )


def compare(left, right, *, size=None, clusters=None, options=None, statistic="mean", **how):
    size = size or len(left)
    frame = CaseFrame(size=size, clusters=None if clusters is None else np.asarray(clusters))
    return paired_figure(pair_rows(column(left, **how), column(right, **how), frame), options, statistic=statistic)


def table(both, gained, lost, neither):
    left = [1] * both + [0] * gained + [1] * lost + [0] * neither
    right = [1] * both + [1] * gained + [0] * lost + [0] * neither
    return left, right


def test_verdicts_give_tangos_interval_and_mcnemars_tests():
    figure = compare(*table(1, 1, 7, 12))
    expected = tango(PairedCounts(both=1, gained=1, lost=7, neither=12))
    assert (figure.low, figure.high) == (expected.low, expected.high)
    assert figure.p == pytest.approx(0.0338949, abs=1e-6)
    assert figure.exact_p == pytest.approx(0.0703125)
    assert (figure.wins, figure.losses, figure.ties, figure.n) == (1, 7, 13, 21)
    assert (figure.method, figure.test, figure.verdicts) == ("tango", "mcnemar_score", True)


def test_the_exact_test_of_the_published_systems():
    left, right = table(306, 209, 152, 652)
    assert compare(left, right).exact_p == pytest.approx(0.003150656880360618, rel=1e-9)


def test_bounds_agree_with_the_non_inferiority_test():
    figure = compare(*table(820, 30, 34, 116), options=PairOptions(confidence=0.975))
    counts = PairedCounts(both=820, gained=30, lost=34, neither=116)
    margin = -figure.least_gain
    assert noninferiority_score(counts, margin).p_value == pytest.approx(0.025, abs=1e-9)
    assert figure.least_gain == pytest.approx(figure.low)


@pytest.mark.parametrize("kind", list(KINDS))
@pytest.mark.parametrize("clustered", [False, True])
@pytest.mark.parametrize("trials", [1, 3])
@pytest.mark.parametrize("seed", range(12))
def test_interval_and_test_never_contradict(kind, clustered, trials, seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 40))
    case = np.repeat(np.arange(n), trials)
    left, right = (_values(kind, n * trials, rng, shift) for shift in (0.0, rng.choice([0.0, 0.2, 0.4])))
    clusters = rng.integers(0, max(2, n // 3), size=n) if clustered else None
    figure = compare(left, right, size=n, kind=kind, case=case, clusters=clusters)
    if figure.p is None or figure.low is None or abs(figure.p - 0.05) < 1e-9:
        return
    assert (figure.low > 0 or figure.high < 0) == (figure.p < 0.05)
    assert figure.low <= figure.difference <= figure.high


def _values(kind, size, rng, shift):
    if kind == "verdict":
        return (rng.random(size) < 0.5 + shift).astype(float)
    if kind == "grade":
        return np.clip(rng.integers(0, 5, size) + 2 * shift, 0, 5)
    return rng.lognormal(0, 1, size) + 3 * shift


def test_pairs_that_all_differ_alike_do_not_prove_more_than_their_number():
    two, twenty = compare([0, 0], [1, 1], clusters=[0, 1]), compare([0] * 20, [1] * 20, clusters=range(20))
    assert two.p > 0.05
    assert two.low < 0
    assert twenty.p < 0.001
    assert twenty.low > 0


def test_repeated_trials_are_no_more_pairs():
    case = np.repeat(np.arange(10), 50)
    rng = np.random.default_rng(3)
    left, right = (rng.random(500) < 0.5).astype(float), (rng.random(500) < 0.6).astype(float)
    figure = compare(left, right, size=10, case=case)
    assert (figure.n, figure.trials, figure.method, figure.df) == (10, 1000, "t", 9)


def test_positive_gain_means_better_whatever_the_direction():
    slower = compare([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 3.1, 4.0, 5.2, 6.1], kind="seconds")
    assert slower.difference > 0 > slower.gain
    assert slower.change is Change.WORSE
    assert (slower.wins, slower.losses) == (0, 5)
    assert slower.gain_ci[0] == -slower.high
    assert slower.least_gain == -slower.upper
    assert slower.most_gain == -slower.lower


def test_a_metric_without_direction_only_changes():
    figure = compare([1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 3.1, 4.0, 5.2, 6.1], kind="seconds", higher_is_better=None)
    assert figure.change is Change.CHANGED
    assert figure.wins == 5


def test_cases_scored_in_one_run_only_are_counted_and_left_out():
    figure = compare([1, np.nan, 0, 1], [1, 1, np.nan, 0])
    assert (figure.n, figure.baseline_only, figure.candidate_only) == (2, 1, 1)
    nothing = compare([np.nan, 1], [1, np.nan])
    assert (nothing.n, nothing.difference, nothing.p) == (0, None, None)


def test_swapping_the_runs_turns_the_interval_round():
    left, right = table(40, 9, 3, 12)
    there, back = compare(left, right), compare(right, left)
    assert (back.low, back.high) == pytest.approx((-there.high, -there.low))
    assert back.p == there.p


def test_percentiles_of_a_quantity():
    rng = np.random.default_rng(5)
    left = rng.lognormal(0, 0.5, 400)
    same, slower = (
        compare(left, left, kind="seconds", statistic="p95"),
        compare(left, left * 2, kind="seconds", statistic="p95"),
    )
    assert (same.difference, same.p) == (0.0, 1.0)
    assert slower.low > 0
    assert slower.p < 0.05
    assert slower.candidate == pytest.approx(2 * slower.baseline)


def test_what_the_comparison_could_have_seen():
    assert compare(*table(450, 25, 25, 0)).detectable == pytest.approx(0.0395, abs=1e-4)
    unchanged = compare([1] * 100, [1] * 100)
    assert mcnemar_cases(unchanged.detectable, unchanged.detectable) == pytest.approx(100)
    assert compare([1] * 4, [1] * 4).detectable is None


def test_pair_space_drops_cases_that_are_no_pair():
    place = np.array([1, -1, 0])
    moved = in_pair_space(column([0.1, 0.2, 0.3], kind="grade"), place)
    assert dict(zip(moved.case.tolist(), moved.value.tolist(), strict=True)) == {1: 0.1, 0: 0.3}
    frame = CaseFrame(size=3, clusters=np.array([0, 0, 2]), slices={"l": {"de": np.array([0, 1]), "en": np.array([2])}})
    found = frame_in_pair_space(frame, place, 2)
    assert found.members("l", "de").tolist() == [1]
    assert found.members("l", "en").tolist() == [0]
    assert found.clusters is None


def test_a_slice_is_the_same_as_its_cases_alone():
    left, right = table(30, 5, 9, 6)
    rows = pair_rows(column(left), column(right), CaseFrame(size=50))
    members = np.arange(10, 45)
    inside = paired_figure(rows, members=members, slice_label="l=de")
    alone = compare(left[10:45], right[10:45])
    assert (inside.low, inside.p, inside.n, inside.slice) == (alone.low, alone.p, 35, "l=de")
