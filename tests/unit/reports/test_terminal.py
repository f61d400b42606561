from __future__ import annotations

import io

import pytest
from rich.cells import cell_len
from rich.console import Console

from evalwright.core.estimate import Estimate
from evalwright.core.run import RunStatus
from evalwright.reports.columns import Column, table
from evalwright.reports.terminal import View, case_detail, print_case, print_summary, render_text, run_summary
from tests.unit.reports import sample


def shown(summary=None, **view):
    view = View(**view)
    return render_text(run_summary(summary or sample.summary(), view), width=view.width)


@pytest.mark.parametrize("width", [40, 60, 80, 100, 160])
def test_the_summary_fits_every_width(width):
    lines = shown(width=width).splitlines()
    assert max(cell_len(line.rstrip()) for line in lines) <= width


@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_figure_is_ever_cut(width):
    text = " ".join(shown(width=width).split())
    for figure in ("0.871", "[0.835, 0.901]", "[0.552, 0.830]", "912 ms", "2.43 s"):
        assert figure in text


def test_the_verdict_comes_first_and_in_words():
    lines = [line for line in shown(width=100).splitlines() if line.strip()]
    assert lines[1].startswith("FAIL  The release is refused")
    assert any(line.strip().startswith("fail") and "locale=de at least 0.850" in line for line in lines)
    assert "About 1,350 cases would probably decide." in " ".join(" ".join(lines).split())


def test_every_metric_has_interval_n_skipped_and_errors():
    row = next(line for line in shown(width=80).splitlines() if "token_f1" in line)
    assert row.split()[:7] == ["token_f1", "0.543", "[0.514,", "0.572]", "310", "86", "4"]


def test_slices_too_small_are_marked():
    row = next(line for line in shown(width=100).splitlines() if "locale=ar" in line)
    assert "too few cases" in row


def test_totals_notes_reports_and_the_next_step_are_there():
    text = " ".join(shown(width=100, reports={"html": "out/report.html"}, failing=("refund-policy/017",)).split())
    for words in (
        "431 calls (31 retried)",
        "12 from cache",
        "0.473 USD (judges 0.113 USD)",
        "3 min 07 s",
        "note: 2 dataset rows were set aside",
        "html out/report.html",
        f"next evalwright show {sample.RUN_ID} refund-policy/017",
    ):
        assert words in text


def test_an_interrupted_run_says_how_to_go_on():
    text = shown(sample.summary(status=RunStatus.INTERRUPTED, decision=None), width=100)
    assert "NO GATE" in text
    assert "interrupted before its end" in text
    assert f"evalwright resume {sample.RUN_ID}" in text


def test_a_run_without_metrics_is_shown_too():
    text = shown(sample.summary(estimates=(), decision=None, failing=0, notes=()), width=80)
    assert "Metrics" not in text
    assert "400 units" in text


def test_many_notes_are_counted():
    text = shown(sample.summary(notes=tuple(f"note {n}" for n in range(20))), width=80)
    assert "… and 12 more notes" in text


def test_ascii_terminals_get_no_box_characters_in_bars():
    assert not set(shown(width=120, ascii_only=True)) & set("├┤●╎")


def test_names_of_metrics_and_slices_cannot_act_on_the_terminal():
    hostile = "[bold red]x[/]\x1b[2J\u202e"
    summary = sample.summary(
        estimates=(
            Estimate(metric=hostile, value=0.9, low=0.8, high=1.0, n=50),
            Estimate(metric=hostile, value=0.5, low=0.4, high=0.6, n=50, slice=f"k={hostile}"),
        ),
        decision=None,
        notes=(hostile,),
    )
    text = shown(summary, width=120)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert text.count("[bold red]x[/]\\x1b[2J⟨U+202E⟩") == 4


def test_colour_is_only_an_addition():
    stream = io.StringIO()
    print_summary(Console(file=stream, width=80, force_terminal=True, color_system="standard"), sample.summary())
    assert "\x1b[1;31mFAIL" in stream.getvalue()


def test_a_table_leaves_columns_out_before_it_gives_up():
    columns = [
        Column(name="name", cells=["a-rather-long-name-of-a-metric"], flexible=True),
        Column(name="value", cells=["0.123"], right=True),
        Column(name="extra", cells=["something"], drop=1),
    ]
    assert "something" in str(table(columns, width=80))
    narrow = str(table(columns, width=26))
    assert "something" not in narrow
    assert "a-rather-long-na…  0.123" in narrow
    assert table(columns, width=15) is None


@pytest.mark.parametrize("result", sample.failing_cases(), ids=lambda result: result.case.id[:10])
@pytest.mark.parametrize("width", [40, 80, 120])
def test_every_case_fits_the_terminal_and_is_harmless(result, width):
    text = render_text(case_detail(result, width=width), width=width)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert max(cell_len(line.rstrip()) for line in text.splitlines()) <= max(width, 40)


def test_a_case_shows_input_answer_scores_evidence_and_contexts():
    text = render_text(case_detail(sample.failing_cases()[0]), width=80)
    for words in (
        "FAILED  refund-policy/017",
        "question: How long do I have",
        "within 60 days of the purchase [billing-04]",
        "failed  groundedness  0",
        "The cited article says 30 days, not 60.",
        "output, characters 25–39 “within 60 days” contradicts the source",
        "1  billing-04  cited  14.20",
        "precision 0.570  recall 0.670",
        "tokens 2,911 in, 61 out",
    ):
        assert words in text


def test_a_case_shows_every_trial_and_failed_attempt():
    repeated = render_text(case_detail(sample.failing_cases()[3]), width=80)
    assert repeated.count("Trial ") == 3
    assert "Trial 2 of 3: failed" in repeated
    errored = render_text(case_detail(sample.failing_cases()[2]), width=80)
    assert "1  rate_limit  after 100 ms, then waited 2.00 s" in errored
    assert "timeout: no answer within 30 s" in errored


def test_lines_of_a_model_stand_behind_a_bar():
    result = sample.passed_case(1)
    output = sample.Output(text="::error::fake\n##[error]fake\nFAIL  all of it")
    fake = sample.CaseResult(case=result.case, trials=(sample.unit("x", output=output),), passed=True)
    text = render_text(case_detail(fake), width=80)
    assert "  │ ::error::fake\n  │ ##\\[error]fake\n  │ FAIL  all of it" in text


def test_a_megabyte_on_one_line_is_cut_or_shown_whole_in_time():
    result = sample.hostile_case()
    assert "992,005 of 1,000,005 characters left off" in render_text(case_detail(result), width=80)
    whole = render_text(case_detail(result, limit=2_000_000), width=80)
    assert whole.count("A") > 1_000_000


def test_printing_a_case_takes_the_console_as_wide_as_it_is():
    stream = io.StringIO()
    print_case(Console(file=stream, width=50), sample.failing_cases()[0])
    assert max(cell_len(line.rstrip()) for line in stream.getvalue().splitlines()) <= 50
