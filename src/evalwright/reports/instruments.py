"""How far the scorers of a run can be believed, as rows that every report shows beside the metrics."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from evalwright.core.estimate import Estimate
from evalwright.core.result import Instrument, Summary
from evalwright.reports.text import one_line

HEADING = "How far the scorers can be believed"
HEAD = ("metric", "flags that are right", "found of what is wrong", "left alone of the rest")


class InstrumentRow(msgspec.Struct, frozen=True, kw_only=True):
    """A scorer's known errors in words."""

    metric: str
    precision: str
    recall: str
    specificity: str
    n: str
    source: str
    short: str
    remark: str
    modes: Sequence[str]


def instrument_rows(summary: Summary) -> list[InstrumentRow]:
    """One row for each metric whose scorer has a card."""
    return [_row(found) for found in summary.instruments]


def short_line(summary: Summary, metric: str) -> str:
    """A metric's card in one line, empty when it has none."""
    return next((_row(found).short for found in summary.instruments if found.metric == metric), "")


def _row(found: Instrument) -> InstrumentRow:
    figures = [_figure(one) for one in (found.precision, found.recall, found.specificity)]
    open_ones = f" + {found.undecided:,} undecided" if found.undecided else ""
    remark = f"; {found.remark}" if found.remark else ""
    words = zip(("flags right", "found", "left alone"), figures, strict=True)
    return InstrumentRow(
        metric=found.metric,
        precision=figures[0],
        recall=figures[1],
        specificity=figures[2],
        n=f"{found.n:,}{open_ones}",
        source=one_line(f"{found.origin}, {found.date}, {found.data}{remark}", 400),
        short=f"card, {found.n:,} labels: " + ", ".join(f"{name} {value}" for name, value in words) + remark,
        remark=found.remark,
        modes=found.failure_modes,
    )


def _figure(estimate: Estimate | None) -> str:
    if estimate is None or estimate.value is None:
        return "–"
    interval = (
        f" ({estimate.low:.2f}–{estimate.high:.2f})" if estimate.low is not None and estimate.high is not None else ""
    )
    return f"{estimate.value:.2f}{interval}"
