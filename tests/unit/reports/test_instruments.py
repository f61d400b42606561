"""The scorers' own errors in every report."""

import msgspec

from evalwright.core.estimate import Estimate
from evalwright.core.result import Instrument
from evalwright.reports.instruments import HEADING, instrument_rows, short_line
from evalwright.reports.markdown import markdown_report
from evalwright.reports.options import ReportOptions
from evalwright.reports.terminal import View, render_text, run_summary
from tests.unit.reports import sample


def summary():
    known = Instrument(
        metric=sample.summary().estimates[0].metric,
        scorer="groundedness",
        data="a|set <b>",
        date="2026-11-30",
        n=120,
        undecided=3,
        precision=Estimate(metric="precision", value=0.9, low=0.8, high=0.95, n=50),
        recall=Estimate(metric="recall", value=None, n=0),
        remark="measured with other options: threshold",
        failure_modes=("Misses <i>irony</i>.",),
    )
    return msgspec.structs.replace(sample.summary(), instruments=(known,))


def test_rows_are_in_words():
    (row,) = instrument_rows(summary())
    assert (row.precision, row.recall, row.specificity) == ("0.90 (0.80–0.95)", "–", "–")
    assert row.n == "120 + 3 undecided"
    figures = "card, 120 labels: flags right 0.90 (0.80–0.95), found –, left alone –"
    assert short_line(summary(), row.metric) == f"{figures}; measured with other options: threshold"
    assert short_line(summary(), "another") == ""


def test_terminal_and_markdown_show_them():
    text = render_text(run_summary(summary()))
    assert HEADING in text
    assert "0.90 (0.80–0.95)" in text
    assert "measured with other options: threshold" in text
    narrow = render_text(run_summary(summary(), View(width=40)), width=40)
    assert "0.90 (0.80–0.95)" in " ".join(narrow.split())
    page = markdown_report(summary(), [], ReportOptions())
    assert f"### {HEADING}" in page
    assert "a\\|set" in page
    assert HEADING not in render_text(run_summary(sample.summary()))
