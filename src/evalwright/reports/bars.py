"""Interval bars in text: `··├──●──┤··` on a metric's axis, with the gate's bound as `▏`."""

from __future__ import annotations

from collections.abc import Sequence

from evalwright.core.estimate import Estimate
from evalwright.reports.figures import Axis, Mark

_UNICODE = {"axis": "·", "line": "─", "low": "├", "high": "┤", "value": "●", "mark": "╎"}
_ASCII = {"axis": ".", "line": "-", "low": "[", "high": "]", "value": "o", "mark": "|"}


def text_bar(
    estimate: Estimate, axis: Axis, *, width: int = 20, marks: Sequence[Mark] = (), ascii_only: bool = False
) -> str:
    """The estimate's interval on its axis as `width` characters; blank when there is no value.

    Args:
        estimate: The figure.
        axis: The range the bar stands for.
        width: Characters, at least 5.
        marks: Bounds of the gate to draw.
        ascii_only: Draw without box characters, for terminals that have none.
    """
    if estimate.value is None:
        return " " * width
    signs = _ASCII if ascii_only else _UNICODE
    cells = [signs["axis"]] * width
    if estimate.ci is not None:
        low, high = (_cell(axis, end, width) for end in estimate.ci)
        cells[low : high + 1] = signs["line"] * (high - low + 1)
        cells[low], cells[high] = signs["low"], signs["high"]
    for mark in marks:
        cells[_cell(axis, mark.value, width)] = signs["mark"]
    cells[_cell(axis, estimate.value, width)] = signs["value"]
    return "".join(cells)


def _cell(axis: Axis, value: float, width: int) -> int:
    return min(width - 1, int(axis.share(value) * width))
