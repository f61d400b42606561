from __future__ import annotations

import pytest

from evalwright.core.estimate import Estimate
from evalwright.core.gate import Decision, Rule, RuleResult, Verdict
from evalwright.core.run import RunSettings, RunStatus
from evalwright.reports import figures
from evalwright.reports.bars import text_bar
from evalwright.reports.figures import Axis, Mark
from evalwright.reports.svg import Bar, described, interval_bar
from tests.unit.reports import sample


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (None, "", "–"),
        (0.0, "", "0.000"),
        (1.0, "", "1.000"),
        (0.87412, "", "0.874"),
        (0.0004, "", "0.0004"),
        (0.000012, "", "1.2e-05"),
        (12.345, "", "12.35"),
        (-3.5, "", "-3.50"),
        (12345.6, "tokens", "12,346 tokens"),
        (0.042, "s", "42 ms"),
        (1.236, "s", "1.24 s"),
        (12.36, "s", "12.4 s"),
        (185.0, "s", "3 min 05 s"),
        (7_620.0, "s", "2 h 07 min"),
        (0.00091, "USD", "0.00091 USD"),
        (0.0, "USD", "0.00 USD"),
        (0.1127, "USD", "0.113 USD"),
        (1234.5, "USD", "1,234.50 USD"),
    ],
)
def test_numbers_with_units(value, unit, shown):
    assert figures.number(value, unit) == shown


@pytest.mark.parametrize(
    ("low", "high", "unit", "shown"),
    [
        (0.8, 0.9, "", "[0.800, 0.900]"),
        (0.871, 0.96, "s", "[871, 960] ms"),
        (0.9, 2.2, "s", "[0.900, 2.20] s"),
        (0.016, 1.24, "s", "[16 ms, 1.24 s]"),
        (50.0, 70.0, "s", "[50.0 s, 1 min 10 s]"),
        (0.001, 0.002, "USD", "[0.0010, 0.0020] USD"),
        (10.0, 2000.0, "tokens", "[10.00, 2,000.0] tokens"),
        (None, 0.9, "", "–"),
    ],
)
def test_intervals_name_the_unit_once(low, high, unit, shown):
    assert figures.interval(Estimate(metric="m", value=0.5, low=low, high=high, unit=unit)) == shown


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        (Rule(metric="a", at_least=0.9), "a at least 0.900"),
        (Rule(metric="a", at_least=0.9, slice={"locale": "de"}), "a for locale=de at least 0.900"),
        (Rule(metric="latency", at_most=2.0, statistic="p95"), "latency p95 at most 2.00"),
        (Rule(metric="a", versus="baseline", max_drop=0.02), "a at most 0.020 worse than the baseline"),
        (Rule(metric="a", versus="run-7", min_gain=0.01), "a at least 0.010 better than run-7"),
    ],
)
def test_rules_in_words(rule, words):
    assert figures.rule_words(rule) == words


def test_a_boolean_slice_is_named_as_in_the_file():
    assert figures.slice_name({"long": True, "locale": "de"}) == "long=true,locale=de"


def test_worst_slices_come_first_and_small_ones_last():
    worst = figures.worst_slices(sample.summary(), 10)
    assert (worst[0].metric, worst[0].slice) == ("groundedness", "locale=de")
    assert (worst[-1].slice, figures.is_small(worst[-1])) == ("locale=ar", True)
    assert "locale=ja" not in {row.slice for row in worst}
    assert "locale=en" not in {row.slice for row in worst}


def test_a_metric_where_lower_is_better_has_its_worst_slice_above():
    worst = {(row.metric, row.slice) for row in figures.worst_slices(sample.summary(), 10)}
    assert ("pii_leak", "locale=de") in worst


def test_axes_follow_the_scorer_or_the_values():
    axes = figures.axes_of(sample.summary())
    assert (axes["groundedness"].low, axes["groundedness"].high) == (0.0, 1.0)
    assert axes["latency p95"].high > 3.02
    assert axes["cost"].high < 0.01


def test_every_value_and_bound_lies_on_its_axis():
    summary = sample.summary(
        estimates=(
            Estimate(metric="gain", value=-2.0, low=-5.0, high=1.0, n=40),
            Estimate(metric="none", value=None),
            Estimate(metric="groundedness", value=1.4, low=1.2, high=1.6, n=40),
        ),
        decision=Decision(
            verdict=Verdict.PASS,
            results=(RuleResult(rule=Rule(metric="gain", at_least=-9.0), verdict=Verdict.PASS),),
        ),
    )
    axes = figures.axes_of(summary)
    assert (axes["gain"].low, axes["gain"].high) == (-9.0, 1.05)
    assert axes["none"].low < axes["none"].high
    assert axes["groundedness"].high >= 1.6


def test_an_interval_does_not_widen_a_declared_axis_nor_a_small_slice_any():
    summary = sample.summary(
        estimates=(
            Estimate(metric="groundedness", value=0.9, low=0.7, high=1.1, n=40),
            Estimate(metric="latency", value=1.0, low=0.9, high=1.1, n=40, unit="s"),
            Estimate(metric="latency", value=1.5, low=-20.0, high=30.0, n=3, unit="s", slice="locale=de"),
        )
    )
    axes = figures.axes_of(summary)
    assert (axes["groundedness"].low, axes["groundedness"].high) == (0.0, 1.0)
    assert (axes["latency"].low, axes["latency"].high) == (0.0, 1.05 * 1.5)
    assert figures.axes_of(summary, slices=False)["latency"].high == pytest.approx(1.05 * 1.1)


def test_the_verdict_is_said_without_a_reason_too():
    failing = Decision(verdict=Verdict.FAIL, results=sample.decision().results)
    assert figures.verdict_sentence(sample.summary(decision=failing)) == "1 of 3 blocking rules failed."
    assert figures.verdict_word(sample.summary(decision=None)) == "NO GATE"


def test_every_ending_but_the_plain_one_is_explained():
    assert [status for status in RunStatus if not figures.ending(status)] == [RunStatus.COMPLETE]


def test_the_command_to_repeat_is_built_when_none_was_recorded():
    manifest = sample.manifest(command=None, settings=RunSettings(seed=3, trials=2, limit=10))
    assert figures.rerun_command(manifest) == "evalwright run suites/support-rag.yaml --seed 3 --trials 2 --limit 10"
    assert figures.rerun_command(sample.manifest(command=None, suite_path=None)) == ""


def test_words_for_a_shell_are_quoted():
    assert figures.quoted("refund/017") == "refund/017"
    assert figures.quoted("it's; rm -rf /") == "'it'\"'\"'s; rm -rf /'"
    assert figures.quoted("") == "''"


def test_a_text_bar_shows_interval_value_and_bound():
    estimate = Estimate(metric="m", value=0.5, low=0.3, high=0.7)
    mark = Mark(value=0.9, minimum=True, verdict=Verdict.FAIL)
    assert text_bar(estimate, Axis(), width=10, marks=[mark]) == "···├─●─┤·╎"
    assert text_bar(estimate, Axis(), width=10, marks=[mark], ascii_only=True) == "...[-o-].|"
    assert text_bar(Estimate(metric="m", value=None), Axis(), width=10) == " " * 10
    assert text_bar(Estimate(metric="m", value=1.0), Axis(), width=5) == "····●"


def test_an_svg_bar_says_in_words_what_it_shows():
    mark = Mark(value=0.9, minimum=True, verdict=Verdict.FAIL)
    bar = Bar(estimate=Estimate(metric="m", value=0.5, low=0.3, high=0.7), axis=Axis(), marks=[mark], whole=0.6)
    assert described(bar) == "m 0.500; 95% interval [0.300, 0.700]; minimum 0.900; all cases 0.600"
    drawn = interval_bar(bar)
    assert 'x="30.00%" width="40.00%"' in drawn
    assert 'cx="50.00%"' in drawn
    assert 'x1="90.00%"' in drawn


def test_a_metric_name_cannot_break_out_of_a_bar():
    drawn = interval_bar(Bar(estimate=Estimate(metric='"><script>', value=0.5), axis=Axis()))
    assert "<script>" not in drawn
