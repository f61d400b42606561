"""The figures gate rules look at."""

from __future__ import annotations

from collections.abc import Sequence

from evalwright.analysis.frame import CaseFrame, IntArray, MetricColumn
from evalwright.analysis.metrics import estimate_rows, one_sided_bounds, select_rows
from evalwright.core.case import Json
from evalwright.core.estimate import ALL
from evalwright.core.gate import Rule, RuleFigure


def slice_label(wanted: dict[str, Json] | None) -> str:
    """The name estimates of a slice carry: `locale=de`; the empty name for all cases."""
    if not wanted:
        return ALL
    return " & ".join(f"{name}={value_text(value)}" for name, value in wanted.items())


def value_text(value: Json) -> str:
    """A slice value as text: JSON's words for null and booleans, so that YAML and data agree."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def rule_figure(
    rule: Rule, columns: Sequence[MetricColumn], frame: CaseFrame, errored: IntArray, *, level: float = 0.95
) -> RuleFigure | None:
    """The metric a rule looks at, in its slice, with one-sided bounds; None when the run has no such metric."""
    column = next((c for c in columns if c.record.metric == rule.metric), None)
    if column is None:
        return None
    rows = select_rows(column, frame, errored, _members(rule, frame))
    estimate = estimate_rows(rows, slice_label=slice_label(rule.slice), level=level, statistic=rule.statistic)
    low, high, method = one_sided_bounds(rows, confidence=rule.confidence, statistic=rule.statistic)
    return RuleFigure(estimate=estimate, low=low, high=high, method=method)


def _members(rule: Rule, frame: CaseFrame) -> IntArray | None:
    if not rule.slice:
        return None
    masks = [frame.mask(name, value_text(value)) for name, value in rule.slice.items()]
    together = masks[0]
    for mask in masks[1:]:
        together = together & mask
    return together.nonzero()[0]
