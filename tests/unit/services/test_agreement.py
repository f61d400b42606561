"""What is measured of a scorer: rates, kappa, and biases that are planted and must be found."""

import random

import pytest

from evalwright.core.output import Output
from evalwright.services.agreement import Measured, biases, confusion, family, figures
from evalwright.services.calibration import drifted
from evalwright.services.teaching import teach_most
from evalwright.store.cards import Card, CardStore, LabelledVerdict

NAMES = ("fail", "pass")


def row(number, truth, said, text="x", **more):
    entry = LabelledVerdict(id=str(number), label=NAMES[truth], verdict=NAMES[said], truth=truth, said=said)
    return Measured(entry=entry, output=Output(text=text), **more)


def table(tp, fn, fp, tn):
    cells = [(True, True)] * tp + [(True, False)] * fn + [(False, True)] * fp + [(False, False)] * tn
    return [row(number, truth, said) for number, (truth, said) in enumerate(cells)]


def test_rates_are_those_of_the_four_cells():
    found = {f.metric: f for f in figures(table(84, 16, 12, 88), NAMES, ordered=False)}
    assert found["sensitivity"].value == 0.84
    assert found["sensitivity"].ci == pytest.approx((0.755797, 0.899047), abs=1e-6)
    assert found["specificity"].value == 0.88
    assert found["kappa"].value == pytest.approx(0.72)
    assert found["flag_precision"].value == pytest.approx(88 / 104)
    assert found["pass_precision"].value == pytest.approx(84 / 96)
    assert confusion(table(84, 16, 12, 88), NAMES).counts == ((88, 12), (16, 84))


def test_clusters_widen_the_intervals():
    rows = table(40, 10, 10, 40)
    alone = {f.metric: f for f in figures(rows, NAMES, ordered=False)}["agreement"]
    grouped = [row(n, r.entry.truth, r.entry.said, cluster=str(n // 10)) for n, r in enumerate(rows)]
    together = {f.metric: f for f in figures(grouped, NAMES, ordered=False)}["agreement"]
    assert together.clusters == 10
    assert together.high - together.low > alone.high - alone.low


def test_groups_get_figures_of_their_own():
    rows = [row(n, True, n % 2 == 0, groups={"locale": "de" if n % 2 else "en"}) for n in range(20)]
    found = {(f.metric, f.slice): f.value for f in figures(rows, NAMES, ordered=False)}
    assert (found["sensitivity", "locale=en"], found["sensitivity", "locale=de"]) == (1.0, 0.0)


def lenient_to(favoured, count=400):
    """Rows of which the favoured half is passed one time in three when it is bad."""
    rng = random.Random(5)
    for number in range(count):
        truth = rng.random() < 0.5
        chosen = number % 2 == 0
        said = truth or (chosen and rng.random() < 0.33)
        yield favoured(number, truth, said, chosen)


def test_a_bias_for_long_answers_is_found_and_none_is_reported_where_there_is_none():
    biased = [*lenient_to(lambda n, t, s, c: row(n, t, s, text="word " * (50 if c else 5) + str(n)))]
    found = {bias.name: bias for bias in biases(biased)}
    assert found["length"].estimate.low > 0
    assert found["length"].p_value < 0.001
    fair = [*lenient_to(lambda n, t, s, c: row(n, t, t, text="word " * (50 if c else 5) + str(n)))]
    none = {bias.name: bias for bias in biases(fair)}["length"].estimate
    assert none.value == 0.0
    assert none.low < 0 < none.high


def test_a_judge_lenient_to_all_bad_answers_has_no_bias_for_length_though_long_ones_are_bad_more_often():
    rng = random.Random(6)
    rows = []
    for number in range(600):
        long = number % 2 == 0
        truth = rng.random() < (0.2 if long else 0.8)
        said = truth or rng.random() < 0.4
        rows.append(row(number, truth, said, text="word " * (50 if long else 5) + str(number)))
    found = {bias.name: bias for bias in biases(rows)}["length"]
    assert found.estimate.low < 0 < found.estimate.high


def test_confidence_is_worth_what_it_tells():
    sure = [row(n, True, n % 4 > 0, confidence=0.9 if n % 4 else 0.3) for n in range(40)]
    found = {bias.name: bias for bias in biases(sure)}["confidence"]
    assert found.estimate.value == 1.0
    assert found.detail["accuracy"] == 0.75
    flat = [row(n, True, n % 4 > 0, confidence=0.9) for n in range(40)]
    assert {bias.name: bias for bias in biases(flat)}["confidence"].estimate.value == 0.5


def test_a_bias_for_lists_is_found():
    rows = [*lenient_to(lambda n, t, s, c: row(n, t, s, text="- one\n- two" if c else "one and two"))]
    assert {bias.name: bias for bias in biases(rows)}["format"].estimate.low > 0


def test_a_judge_that_favours_its_own_family_is_found_out():
    rows = [*lenient_to(lambda n, t, s, c: row(n, t, s, model="openai/gpt-4o" if c else "claude-3-haiku"))]
    found = {bias.name: bias for bias in biases(rows, judge_model="gpt-4o-mini")}
    assert found["self_preference"].estimate.low > 0
    assert "self_preference" not in {bias.name for bias in biases(rows)}
    assert family("meta-llama/Llama-3-8B") == "llama"


def test_drift_counts_what_is_newly_right_and_newly_wrong():
    before = Card(metric="m", identity="x", entries=tuple(r.entry for r in table(50, 0, 0, 50)))
    bias = drifted(before, [r.entry for r in table(45, 5, 0, 50)])
    assert (bias.detail["newly_wrong"], bias.detail["newly_right"], bias.detail["same_answers"]) == (5, 0, 100)
    assert bias.estimate.value == pytest.approx(-0.05)
    assert drifted(before, []) is None


def test_labels_go_where_the_truth_is_least_known():
    known = [(f"k{n}", "pass", n % 2 == 0, True) for n in range(20)] + [
        (f"s{n}", "fail", False, True) for n in range(20)
    ]
    open_ones = [(f"p{n}", "pass", None, False) for n in range(50)] + [
        (f"f{n}", "fail", None, False) for n in range(50)
    ]
    chosen = teach_most(known + open_ones)
    assert len(chosen) == len(set(chosen)) == 20
    assert sum(key.startswith("p") for key in chosen) > 14
    assert teach_most(known) == ()
    assert chosen == teach_most([*reversed(open_ones), *known])


def test_cards_are_kept_newest_first_and_only_for_the_same_scorer(tmp_path):
    cards = CardStore(tmp_path)
    assert cards.metrics() == []
    for identity, at in (("aa", 1.0), ("bb", 2.0), ("aa", 3.0)):
        cards.save(Card(metric="../odd name", identity=identity, created_at=at, n=int(at)))
    assert cards.latest("../odd name").n == 3
    assert cards.of("../odd name", "bb").n == 2
    assert cards.of("../odd name", "cc") is None
    assert not list(tmp_path.parent.glob("odd*"))
